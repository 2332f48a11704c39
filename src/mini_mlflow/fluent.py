"""The functions: start a run, log to the active one of this thread, end it."""

from __future__ import annotations

import os

from . import active, config, endings, identity, recorder, surroundings, values
from .errors import ActiveRunError, InvalidValueError, NoActiveRunError
from .run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, Optional, Tuple, Union

    from .joining import Place, Teller


def start_run(
    run_name: Optional[str] = None,
    experiment_id: Union[int, str, None] = None,
    run_id: Optional[str] = None,
    version: Optional[str] = None,
    *,
    nested: bool = False,
    parent_run_id: Optional[str] = None,
    tags: Optional[Mapping[str, Any]] = None,
    description: Optional[str] = None,
    resume: Optional[str] = None,
    system_metrics: Optional[bool] = None,
    capture_console: Optional[bool] = None,
    runs_dir: Union[str, os.PathLike[str], None] = None,
) -> Run:
    """Start a run and make it this thread's active one, or continue the run of an id.

    In a command that ``mini-mlflow run`` tracks, the first one that is started so is the command's run: it has its name
    and experiment, and the command ends it. Those after it are its children.

    Args:
        run_name: Name for people; None makes one, such as ``brave-otter-417``.
        experiment_id: A whole number from 0, a folder name, or the name of an experiment that is there. None: the
            experiment that has a run of this *run_id*, or has *parent_run_id*, else the one that ``set_experiment``
            chose, else 0.
        run_id: Id of the run. One that is there is continued: its start and its history stay. None makes an id, or
            takes that of *resume*, or the first time the one that ``MLFLOW_RUN_ID`` names.
        version: Free text, such as ``v1.0``.
        nested: Whether a run may be active already: the new one becomes its child, and the active one until it ends.
            One that is continued keeps a parent that it has, and a parent in another store is not noted.
        parent_run_id: Id of the run that this one becomes a child of; None: the active one, if *nested*.
        tags: Tags to begin with, as in ``set_tags``.
        description: Text about the run, kept as the tag ``mlflow.note.content``.
        resume: ``"auto"``: continue the run that an earlier attempt of this job of the scheduler (Slurm, PBS, LSF, SGE)
            has started under the same *run_name*; outside of a job, start a new one. Any other text is a name of your
            own that the run is found by, whoever started it. None: only *run_id* continues a run.
        system_metrics: Whether use of CPU, memory, disk, network and GPU is logged beside, under ``system/``; needs
            ``pip install mini-mlflow[system]``. None: what ``MINI_MLFLOW_SYSTEM_METRICS`` says, else not.
        capture_console: Whether what the process prints is kept, too, as the artifact ``console.log``. None: what
            ``MINI_MLFLOW_CONSOLE`` says, else not.
        runs_dir: The store's folder. None: what ``set_tracking_uri`` chose, else ``MINI_MLFLOW_DIR``, else ``mlruns``.
            ``~/`` is the home folder.

    Returns:
        The run, which is a context manager too: leaving its block ends it.

    Raises:
        ActiveRunError: This thread has an active run, and *nested* is not set.
        InvalidIdError: An id is not legal.
        InvalidKeyError: A tag's name is not legal.
        InvalidValueError: A name, a version, a tag or *runs_dir* is not legal, or both *run_id* and *resume* are given.
        RunNotFoundError: There is no run *parent_run_id*.
        AmbiguousRunError: Several experiments have a run of this id.
        UnsupportedFormatError: The run was written by a newer version.
        ImportError: *system_metrics* needs a package that is not installed.
        OSError: The disk refused.
    """
    parent = active.current()
    if parent is not None and not nested:
        message = (
            "There is already an active run. End it with end_run() before starting a new one, or start a child of it "
            "with start_run(nested=True). It is this thread's run %s."
        )
        raise ActiveRunError(message % parent.run_id, run_id=parent.run_id)
    first_tags = recorder.check_values("Tag", values.check_items({} if tags is None else tags, "Tag"))
    if description is not None:
        from .records import NOTE

        first_tags += recorder.check_values("Tag", [(NOTE, description)])
    interval_s = _monitor_interval_s(system_metrics=system_metrics)
    is_captured = config.is_console_wanted() if capture_console is None else capture_console
    if parent_run_id is not None:
        parent_run_id, its_experiment = identity.get_parent(active.store_folder(runs_dir), parent_run_id)
        if experiment_id is None and run_id is None:
            experiment_id = its_experiment
    elif parent is not None and _is_same_folder(parent.store_folder, active.store_folder(runs_dir)):
        parent_run_id = parent.run_id
    place = teller = None
    asked = experiment_id
    if parent is None and surroundings.tracked_run_id() is not None:
        place, teller = _tracked(runs_dir, is_other=(run_id or resume or parent_run_id) is not None)
    if place is not None and teller is not None:
        run_id, experiment_id = place.run_id, place.experiment_id
        is_captured = bool(capture_console)  # else who tracks it has both already
        interval_s = interval_s if system_metrics else None
    elif place is not None and parent_run_id is None:
        parent_run_id = place.run_id
    run = Run(
        run_id=_id_to_continue(run_id, resume, run_name, is_nested=parent is not None),
        experiment_id=experiment_id,
        name=run_name,
        version=version,
        runs_dir=runs_dir,
        parent_run_id=parent_run_id,
        default_name=identity.generated_name() if resume in (None, "auto") else resume,
    )
    try:
        if first_tags:
            run.set_tags(dict(first_tags))
        _accompany(run, interval_s, is_captured=is_captured)
    except BaseException as error:
        run.end(endings.status_after(type(error), error))
        raise
    active.push(run)
    if teller is not None:
        run.report_to(teller)
        teller.begin(name=run_name, experiment=identity.chosen_name() if asked is None else asked)
    return run


def active_run() -> Optional[Run]:
    """Return this thread's active run, None where there is none."""
    return active.current()


def last_active_run() -> Optional[Run]:
    """Return the run that became active last in this process, also where it has ended; None before the first."""
    return active.last_run()


def end_run(status: str = "FINISHED") -> None:
    """End this thread's active run.

    Args:
        status: FINISHED, FAILED or KILLED.

    Raises:
        NoActiveRunError: This thread has none.
        InvalidStatusError: *status* is none of the three.
    """
    run = active.current()
    if run is None:
        raise NoActiveRunError("No active run to end. Each thread has its own; start_run() starts one.")
    run.end(status)


def log_param(key: str, value: Any) -> None:
    """Record one setting of the active run; see ``Run.log_param``.

    Args:
        key: 1 to 250 characters, valid as a file name everywhere.
        value: Anything that JSON has.

    Raises:
        NoActiveRunError: This thread has no active run.
        InvalidKeyError: *key* is not legal.
        InvalidValueError: JSON has no such value.
    """
    current_run().log_param(key, value)


def log_params(params: Any) -> None:
    """Record several settings of the active run; see ``Run.log_params``.

    Args:
        params: Values by key, nested or flat; or a dataclass, Namespace, pydantic model and the like.

    Raises:
        NoActiveRunError: This thread has no active run.
        InvalidKeyError: A key is not legal.
        InvalidValueError: JSON has no such value.
    """
    current_run().log_params(params)


def log_metric(key: str, value: float, step: Optional[int] = None, *, timestamp: Optional[int] = None) -> None:
    """Record one number of the active run; see ``Run.log_metric``.

    Args:
        key: 1 to 250 characters, valid as a file name everywhere.
        value: One real number.
        step: Integer position on the x-axis; None takes the next free step of this metric.
        timestamp: Milliseconds since 1970-01-01 UTC; None takes the clock.

    Raises:
        NoActiveRunError: This thread has no active run.
        InvalidKeyError: *key* is not legal.
        InvalidValueError: *value* is not one real number, or *step* is not an integer.
    """
    try:  # what Run.log_metric does, spared the call; a run that has ended has no appenders
        run = active.stack.runs[-1]
        appender = run._appenders[key]  # noqa: SLF001 - a public way in would cost another call
    except (IndexError, KeyError, TypeError):  # no run, no such metric yet, or no key
        return current_run().log_metric(key, value, step, timestamp=timestamp)
    is_plain = type(value) is float and timestamp is None and type(run) is Run
    if is_plain and (step is None or (type(step) is int and -(2**63) <= step < 2**63)):
        return appender.append(value, step)
    return current_run().log_metric(key, value, step, timestamp=timestamp)


def log_metrics(metrics: Mapping[str, float], step: Optional[int] = None, *, timestamp: Optional[int] = None) -> None:
    """Record several numbers of one step of the active run; see ``Run.log_metrics``.

    Args:
        metrics: Numbers by key.
        step: As in ``log_metric``.
        timestamp: As in ``log_metric``.

    Raises:
        NoActiveRunError: This thread has no active run.
        InvalidKeyError: A key is not legal.
        InvalidValueError: A value is not one real number, or *step* is not an integer.
    """
    current_run().log_metrics(metrics, step, timestamp=timestamp)


def set_tag(key: str, value: Any) -> None:
    """Attach a remark to the active run; see ``Run.set_tag``.

    Args:
        key: 1 to 250 characters, valid as a file name everywhere.
        value: Anything that JSON has.

    Raises:
        NoActiveRunError: This thread has no active run.
        InvalidKeyError: *key* is not legal.
        InvalidValueError: JSON has no such value.
    """
    current_run().set_tag(key, value)


def set_tags(tags: Mapping[str, Any]) -> None:
    """Attach several remarks to the active run; see ``Run.set_tags``.

    Args:
        tags: Values by key.

    Raises:
        NoActiveRunError: This thread has no active run.
        InvalidKeyError: A key is not legal.
        InvalidValueError: JSON has no such value.
    """
    current_run().set_tags(tags)


def log_batch(metrics: Any = (), params: Any = (), tags: Any = ()) -> None:
    """Record metrics, params and tags of the active run at once; see ``Run.log_batch``.

    Args:
        metrics: Numbers by key, or rows with ``key``, ``value``, ``timestamp`` and ``step``.
        params: Values by key, or rows with ``key`` and ``value``.
        tags: Likewise.

    Raises:
        NoActiveRunError: This thread has no active run.
        InvalidKeyError: A key is not legal.
        InvalidValueError: A value cannot be recorded.
    """
    current_run().log_batch(metrics, params, tags)


def current_run() -> Run:
    """Return this thread's active run.

    Raises:
        NoActiveRunError: It has none.
    """
    run = active.current()
    if run is None:
        raise NoActiveRunError("No active run in this thread. Start a run with start_run() first.") from None
    return run


def _id_to_continue(
    run_id: Optional[str], resume: Optional[str], run_name: Optional[str], *, is_nested: bool
) -> Optional[str]:
    if resume is not None:
        if run_id is not None:
            raise InvalidValueError("Give run_id= or resume=, not both: each says which run goes on.", value=resume)
        from . import resuming  # few runs are continued by a name

        return resuming.resumable_id(resume, run_name)
    if run_id is None and not is_nested:
        return active.take_environment_run_id()
    return run_id


def _tracked(
    runs_dir: Union[str, os.PathLike[str], None], *, is_other: bool
) -> Tuple[Optional[Place], Optional[Teller]]:
    """Return the run that the environment names, and who tells of it if the one that is started now is to be that one.

    Args:
        runs_dir: The store's folder.
        is_other: Whether the caller says which run it is to be.
    """
    from . import joining  # few processes are started by one who tracks them

    place = joining.find(active.store_folder(runs_dir))
    return place, None if place is None or is_other else joining.take(place)


def _monitor_interval_s(*, system_metrics: Optional[bool]) -> Optional[float]:
    """Return how often the use of the machine is to be logged, None for never; refuse it where that cannot be."""
    if system_metrics is not None and not system_metrics:
        return None
    interval_s = config.system_metrics_interval_s()
    if interval_s is None and not system_metrics:
        return None
    from . import system

    system.check_installed()
    return interval_s or system.INTERVAL_S


def _accompany(run: Run, interval_s: Optional[float], *, is_captured: bool) -> None:
    """Start what was asked for to go beside a run until it ends."""
    if is_captured:
        from . import console

        run.writer.settle()
        capture = console.start(run.get_artifact_uri())
        if capture.path:
            run.writer.extra_files.append(capture.path)
        run.accompany(capture)
    if interval_s is not None:
        from . import system

        run.accompany(system.start(run, interval_s))


def _is_same_folder(path: str, other: str) -> bool:
    return path == other or os.path.realpath(path) == os.path.realpath(other)
