"""The functions of MLflow that log: to the active run of this thread, which the first of them starts."""

# ruff: noqa: FBT001, FBT002, ARG001 - the signatures are those of MLflow

from __future__ import annotations

import os

from ... import active
from ...recorder import RUNNING
from . import address, checks, experimenting, reading, running, writing
from .client import MlflowClient
from .exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Mapping, Optional, Union

    from .entities import Experiment, Run
    from .running import ActiveRun
    from .writing import RunOperations

    Path = Union[str, os.PathLike[str]]


def set_tracking_uri(uri: Optional[Path]) -> None:
    """Say where runs go from now on.

    Args:
        uri: A folder, as a path or ``file:`` URI; empty: where the environment says.

    Raises:
        MlflowException: It names a server or a database.
    """
    address.choose(uri)


def get_tracking_uri() -> str:
    """Return where runs go, as it was given; a path, and what the environment says, as a ``file:`` URI."""
    return address.shown()


def is_tracking_uri_set() -> bool:
    """Tell whether a call or the environment says where runs go."""
    return address.is_set()


def set_experiment(experiment_name: Optional[str] = None, experiment_id: Optional[str] = None) -> Experiment:
    """Let runs go to an experiment from now on, and return it.

    Args:
        experiment_name: Its name; it is made if need be.
        experiment_id: Its id; give one of the two.

    Raises:
        MlflowException: It is deleted, or there is none of this id, or neither or both are given.
    """
    if (experiment_name is None) == (experiment_id is None):
        raise invalid("Must specify exactly one of: experiment_id or experiment_name.")
    store = active.store_folder()
    if experiment_id is not None:
        found = reading.get_experiment(store, experiment_id)
    else:
        found = experimenting.get_or_create(store, experiment_name)
    if found.lifecycle_stage != "active":
        message = "Cannot set a deleted experiment %r as the active experiment. restore_experiment() brings it back."
        raise invalid(message % found.name)
    experimenting.choose(store, found)
    return found


def start_run(
    run_id: Optional[str] = None,
    experiment_id: Union[str, int, None] = None,
    run_name: Optional[str] = None,
    nested: bool = False,
    parent_run_id: Optional[str] = None,
    tags: Optional[Mapping[str, Any]] = None,
    description: Optional[str] = None,
    log_system_metrics: Optional[bool] = None,
) -> ActiveRun:
    """Start a run, or go on with one, and make it this thread's active one; leaving its block ends it.

    Args:
        run_id: The run to go on with; None: that of ``MLFLOW_RUN_ID``, else a new one.
        experiment_id: Its experiment; None: that of ``set_experiment``, else of the environment, else "Default".
        run_name: Its name for people; None makes one.
        nested: Whether a run may be active already; the new one becomes its child.
        parent_run_id: The run that it becomes a child of.
        tags: Tags to begin with.
        description: Kept as the tag ``mlflow.note.content``.
        log_system_metrics: Whether use of CPU, memory, disk, network and GPU is logged beside; needs
            ``pip install mini-mlflow[system]``. None: what ``MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING`` says.

    Raises:
        MlflowException: A run is active already, there is no such run or experiment, or it is deleted.
    """
    run = running.start(
        run_id,
        experiment_id,
        run_name,
        nested=nested,
        parent_run_id=parent_run_id,
        tags=tags,
        description=description,
        log_system_metrics=log_system_metrics,
    )
    return running.shown(run)


def end_run(status: str = "FINISHED") -> None:
    """End this thread's active run; nothing where there is none.

    Args:
        status: FINISHED, FAILED or KILLED.

    Raises:
        MlflowException: There is no such status; the run ends as FAILED.
    """
    running.end(status)


def active_run() -> Optional[ActiveRun]:
    """Return this thread's active run as it was when it started, None where there is none."""
    return running.active_run()


def last_active_run() -> Optional[Run]:
    """Return this thread's active run, else the one that was active last, read anew; None before the first."""
    return running.last()


def log_param(key: str, value: Any, synchronous: Optional[bool] = None) -> Any:
    """Record one setting of the active run, and return it.

    Args:
        key: Letters, digits, ``_``, ``-``, ``.``, blank, ``:`` and ``/``, at most 250.
        value: Its text is what MLflow's API shows; numbers are kept as numbers.
        synchronous: False returns operations whose ``wait`` raises what went wrong.

    Raises:
        MlflowException: The name is not legal, or the run has another value for it.
    """
    run = running.current_or_new()
    place = reading.place_of(run)
    operations = writing.done(synchronous, lambda: writing.write_params(place, [(key, value)]))
    return value if operations is None else operations


def log_params(
    params: Mapping[str, Any],
    synchronous: Optional[bool] = None,
    run_id: Optional[str] = None,
) -> Optional[RunOperations]:
    """Record several settings; all are checked before the first is written.

    Args:
        params: Values by key.
        synchronous: As in ``log_param``.
        run_id: The run; None: the active one.

    Raises:
        MlflowException: A name is not legal, or the run has another value for it.
    """
    place = _place(run_id)
    return writing.done(synchronous, lambda: writing.write_params(place, params.items()))


def log_metric(
    key: str,
    value: float,
    step: Optional[int] = None,
    synchronous: Optional[bool] = None,
    timestamp: Optional[int] = None,
    run_id: Optional[str] = None,
    model_id: Optional[str] = None,
    dataset: Any = None,
) -> Optional[RunOperations]:
    """Record one value of a metric.

    Args:
        key: As in ``log_param``.
        value: One number, or anything that ``float()`` makes one of.
        step: Position on the x-axis; None: 0.
        synchronous: As in ``log_param``.
        timestamp: Milliseconds since 1970; None: now.
        run_id: The run; None: the active one.
        model_id: Not looked at: there are no models.
        dataset: Not looked at: there are no data sets.

    Raises:
        MlflowException: The name is not legal, or *value*, *step* or *timestamp* no number in range.
    """
    if run_id is None and synchronous is not False:  # the way of every step of every loop
        stack = active.stack.runs
        is_there = stack and stack[-1].status == RUNNING and not running.inherited
        run = stack[-1] if is_there else running.current_or_new()
        if type(step) is not int or not -(2**63) <= step < 2**63:
            step = checks.step_of(step, key)
        if timestamp:
            timestamp = checks.timestamp_of(timestamp, key)
        appender = run.writer.appenders.get(key) if type(key) is str else None
        if appender is not None and type(value) is float:
            appender.append(value, step, timestamp or None)
            return None
        writing.write_rows(run.writer, writing.checked_metrics([(key, value, timestamp or None, step)]))
        return None
    place = _place(run_id)
    rows = [(key, value, timestamp or None, step)]
    return writing.done(synchronous, lambda: writing.write_metrics(place, writing.checked_metrics(rows)))


def log_metrics(
    metrics: Mapping[str, float],
    step: Optional[int] = None,
    synchronous: Optional[bool] = None,
    run_id: Optional[str] = None,
    timestamp: Optional[int] = None,
    model_id: Optional[str] = None,
    dataset: Any = None,
) -> Optional[RunOperations]:
    """Record several metrics of one step; all are checked before the first is written.

    Args:
        metrics: Numbers by key.
        step: As in ``log_metric``.
        synchronous: As in ``log_param``.
        run_id: The run; None: the active one.
        timestamp: As in ``log_metric``.
        model_id: As in ``log_metric``.
        dataset: As in ``log_metric``.

    Raises:
        MlflowException: As in ``log_metric``.
    """
    place = _place(run_id)

    def write() -> None:
        rows = [(key, value, timestamp or None, step) for key, value in metrics.items()]
        writing.write_metrics(place, writing.checked_metrics(rows))

    return writing.done(synchronous, write)


def set_tag(key: str, value: Any, synchronous: Optional[bool] = None) -> Optional[RunOperations]:
    """Attach a remark to the active run; a second value for a key replaces the first.

    Args:
        key: As in ``log_param``.
        value: Its text is kept.
        synchronous: As in ``log_param``.

    Raises:
        MlflowException: The name is not legal.
    """
    place = _place(None)
    return writing.done(synchronous, lambda: writing.write_tags(place, writing.checked_tags([(key, value)])))


def set_tags(tags: Mapping[str, Any], synchronous: Optional[bool] = None) -> Optional[RunOperations]:
    """Attach several remarks to the active run.

    Args:
        tags: Values by key.
        synchronous: As in ``log_param``.

    Raises:
        MlflowException: A name is not legal.
    """
    place = _place(None)
    return writing.done(synchronous, lambda: writing.write_tags(place, writing.checked_tags(tags.items())))


def delete_tag(key: str) -> None:
    """Take a tag of the active run away.

    Raises:
        MlflowException: The run has no such tag.
    """
    writing.delete_tag(_place(None), key)


def log_artifact(local_path: Path, artifact_path: Optional[str] = None, run_id: Optional[str] = None) -> None:
    """Keep a copy of a file, or of a folder under its name.

    Args:
        local_path: The file or folder.
        artifact_path: Folder among the artifacts that it goes to; None: the top.
        run_id: The run; None: the active one.

    Raises:
        MlflowException: *artifact_path* leads out of the run.
        FileNotFoundError: There is no such file.
    """
    MlflowClient().log_artifact(_id(run_id), local_path, artifact_path)


def log_artifacts(local_dir: Path, artifact_path: Optional[str] = None, run_id: Optional[str] = None) -> None:
    """Keep a copy of every file in a folder and those below it; see ``log_artifact``."""
    MlflowClient().log_artifacts(_id(run_id), local_dir, artifact_path)


def log_text(text: str, artifact_file: str, run_id: Optional[str] = None) -> None:
    """Keep a text as the artifact *artifact_file*; see ``log_artifact``."""
    MlflowClient().log_text(_id(run_id), text, artifact_file)


def log_dict(dictionary: Any, artifact_file: str, run_id: Optional[str] = None) -> None:
    """Keep a dict or list as an artifact: YAML where its name ends in ``.yaml`` or ``.yml``, else JSON."""
    MlflowClient().log_dict(_id(run_id), dictionary, artifact_file)


def log_stream(stream: BinaryIO, artifact_file: str, run_id: Optional[str] = None) -> None:
    """Keep what a binary stream gives, until its end, as the artifact *artifact_file*."""
    MlflowClient().log_stream(_id(run_id), stream, artifact_file)


def log_figure(figure: Any, artifact_file: str, *, save_kwargs: Optional[Mapping[str, Any]] = None) -> None:
    """Keep a figure of matplotlib or plotly as an artifact of the kind that its name says."""
    MlflowClient().log_figure(_id(None), figure, artifact_file, save_kwargs=dict(save_kwargs or {}))


def log_image(
    image: Any,
    artifact_file: Optional[str] = None,
    key: Optional[str] = None,
    step: Optional[int] = None,
    timestamp: Optional[int] = None,
    synchronous: Optional[bool] = False,
) -> None:
    """Keep an image, an array or one of Pillow, as the artifact *artifact_file* or in the series *key*."""
    MlflowClient().log_image(_id(None), image, artifact_file, key, step, timestamp, synchronous)


def log_table(data: Any, artifact_file: str, run_id: Optional[str] = None) -> None:
    """Keep a dict of columns or a pandas DataFrame as JSON, or add its rows to the table that is there."""
    MlflowClient().log_table(_id(run_id), data, artifact_file)


def get_artifact_uri(artifact_path: Optional[str] = None) -> str:
    """Return where the artifacts of the active run lie, or where one would, as a ``file:`` URI."""
    uri = running.shown(running.current_or_new()).info.artifact_uri or ""
    if not artifact_path:
        return uri
    return uri + reading.uri_of("/" + artifact_path.strip("/"))[len("file://") :]


def _id(run_id: Optional[str]) -> str:
    return run_id or running.current_or_new().run_id


def _place(run_id: Optional[str]) -> reading.Place:
    if run_id is None:
        return reading.place_of(running.current_or_new())
    return reading.locate_active(active.store_folder(), run_id)
