"""The functions: start a run, log to the active one of this thread, end it."""

from __future__ import annotations

import os

from . import active, config
from .errors import ActiveRunError, NoActiveRunError
from .run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, Optional, Union


def start_run(
    run_name: Optional[str] = None,
    experiment_id: Union[int, str, None] = None,
    run_id: Optional[str] = None,
    version: Optional[str] = None,
    *,
    nested: bool = False,
    runs_dir: Union[str, os.PathLike[str], None] = None,
) -> Run:
    """Start a run and make it this thread's active one, or continue the run of an id.

    Args:
        run_name: Name for people.
        experiment_id: A whole number from 0, or a folder name. None: the experiment that has a run of this *run_id*,
            else 0.
        run_id: Id of the run. One that is there is continued: its start and its history stay. None makes an id.
        version: Free text, such as ``v1.0``.
        nested: Whether a run may be active already: the new one becomes its child, and the active one until it ends.
            One that is continued keeps a parent that it has, and a parent in another store is not noted.
        runs_dir: The store's folder. None: ``MINI_MLFLOW_DIR``, else ``mlruns``. ``~/`` is the home folder.

    Returns:
        The run, which is a context manager too: leaving its block ends it.

    Raises:
        ActiveRunError: This thread has an active run, and *nested* is not set.
        InvalidIdError: An id is not legal.
        InvalidValueError: A name, a version or *runs_dir* is not legal.
        AmbiguousRunError: Several experiments have a run of this id.
        UnsupportedFormatError: The run was written by a newer version.
        OSError: The disk refused.
    """
    parent = active.current()
    if parent is not None and not nested:
        message = (
            "There is already an active run. End it with end_run() before starting a new one, or start a child of it "
            "with start_run(nested=True). It is this thread's run %s."
        )
        raise ActiveRunError(message % parent.run_id, run_id=parent.run_id)
    if parent is not None and not _is_same_folder(parent.store_folder, config.store_folder(runs_dir)):
        parent = None
    run = Run(
        run_id=run_id,
        experiment_id=experiment_id,
        name=run_name,
        version=version,
        runs_dir=runs_dir,
        parent_run_id=None if parent is None else parent.run_id,
    )
    active.push(run)
    return run


def active_run() -> Optional[Run]:
    """Return this thread's active run, None where there is none."""
    return active.current()


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
    _active().log_param(key, value)


def log_params(params: Mapping[str, Any]) -> None:
    """Record several settings of the active run; see ``Run.log_params``.

    Args:
        params: Values by key.

    Raises:
        NoActiveRunError: This thread has no active run.
        InvalidKeyError: A key is not legal.
        InvalidValueError: JSON has no such value.
    """
    _active().log_params(params)


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
    try:
        run = active.stack.runs[-1]
    except IndexError:
        run = _active()
    if run.status != "RUNNING":  # somebody else has ended it
        run = _active()
    run.log_metric(key, value, step, timestamp=timestamp)


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
    _active().log_metrics(metrics, step, timestamp=timestamp)


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
    _active().set_tag(key, value)


def set_tags(tags: Mapping[str, Any]) -> None:
    """Attach several remarks to the active run; see ``Run.set_tags``.

    Args:
        tags: Values by key.

    Raises:
        NoActiveRunError: This thread has no active run.
        InvalidKeyError: A key is not legal.
        InvalidValueError: JSON has no such value.
    """
    _active().set_tags(tags)


def _is_same_folder(path: str, other: str) -> bool:
    return path == other or os.path.realpath(path) == os.path.realpath(other)


def _active() -> Run:
    run = active.current()
    if run is None:
        raise NoActiveRunError("No active run in this thread. Start a run with start_run() first.") from None
    return run
