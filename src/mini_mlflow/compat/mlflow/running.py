"""Which run is active in MLflow's API, and how does one start and end?

The stack of active runs is the one of this package, so its own functions and MLflow's work on the same runs. But in a
forked child MLflow's see none of the parent's as active, so that each worker of a pool has runs of its own.
"""

from __future__ import annotations

import os

from ... import active, config, identity, joining
from ...endings import status_after
from ...recorder import RUNNING
from ...records import NOTE
from ...run import Run as OpenRun
from . import checks, experimenting, reading, writing
from .entities import Run
from .exceptions import INVALID_STATE, MlflowException, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Dict, List, Mapping, Optional, Tuple, Type

    from ...joining import Place, Teller

# The runs that were active where this process was forked off; empty in one that was not.
inherited: List[OpenRun] = []


class ActiveRun(Run):
    """A run that ``start_run`` started; leaving its block ends it. It shows what the run held at the start.

    Attributes:
        info: What is known of the run itself.
        data: What was recorded in it when it started.
    """

    def __enter__(self) -> ActiveRun:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        runs = [run for run in active.stack.runs if run not in inherited]
        places = [place for place, run in enumerate(runs) if run.run_id == self.info.run_id]
        if places and runs[places[-1]].status == RUNNING:
            for run in reversed(runs[places[-1] :]):  # and those within it that nobody has ended
                writing.end_open(run, status_after(kind, error))


class TrackedRun(OpenRun):
    """An open run that remembers how MLflow's API showed it when it started."""

    shown: Optional[ActiveRun] = None


def current() -> Optional[OpenRun]:
    """Return this thread's active run, None where there is none, or it is one of the process that forked this one."""
    run = active.current()
    return None if run in inherited else run


def current_or_new() -> OpenRun:
    """Return this thread's active run, started if there is none."""
    run = current()
    return start() if run is None else run


def active_run() -> Optional[ActiveRun]:
    """Return this thread's active run as MLflow shows it, None where there is none."""
    run = current()
    return None if run is None else shown(run)


def shown(run: OpenRun) -> ActiveRun:
    """Return an open run as MLflow shows it."""
    view = run.shown if isinstance(run, TrackedRun) else None
    if view is None:
        found = reading.read_run(reading.place_of(run))
        view = ActiveRun(found.info, found.data)
        if isinstance(run, TrackedRun):
            run.shown = view
    return view


def start(
    run_id: Optional[str] = None,
    experiment_id: Any = None,
    run_name: Optional[str] = None,
    *,
    nested: bool = False,
    parent_run_id: Optional[str] = None,
    tags: Optional[Mapping[str, Any]] = None,
    description: Optional[str] = None,
    log_system_metrics: Optional[bool] = None,
) -> OpenRun:
    """Start a run, or go on with one, and make it this thread's active one; see ``mlflow.start_run``."""
    parent = current()
    if parent is not None and not nested:
        message = (
            "Run with UUID %s is already active. To start a new run, first end the current run with mlflow.end_run(). "
            "To start a nested run, call start_run with nested=True"
        )
        raise MlflowException(message % parent.run_id, INVALID_STATE)
    store = active.store_folder()
    first = writing.checked_tags(_with_note(tags, description).items())
    place = joining.find(store) if parent is None else None
    teller = None
    if place is not None and not run_id and not parent_run_id and reading.PARENT not in dict(first):
        teller = joining.take(place)
    run_id = run_id or (_from_environment() if teller is None else None)
    if place is not None and teller is not None:
        run, first = _join(store, place, teller, run_name, experiment_id, dict(first))
    elif run_id:
        run = _resume(store, run_id, run_name)
    else:
        number = experimenting.usable_id(store, experiment_id)
        parent_run_id = _parent(store, parent, parent_run_id) or (None if place is None else place.run_id)
        names = dict(first)
        run_name = run_name or names.pop(reading.RUN_NAME, None)
        parent_run_id = names.pop(reading.PARENT, parent_run_id)
        first = list(names.items())
        run = TrackedRun(
            None, number, run_name, store, parent_run_id=parent_run_id, default_name=identity.generated_name()
        )
    active.push(run)
    writing.write_tags(reading.place_of(run), first)
    _accompany(run, log_system_metrics=log_system_metrics)
    shown(run)
    return run


def end(status: str = "FINISHED") -> None:
    """End this thread's active run; nothing where there is none.

    Raises:
        MlflowException: There is no such status.
    """
    run = current()
    if run is not None:
        os.environ.pop("MLFLOW_RUN_ID", None)  # a run that has ended is not gone on with
        checked = "FAILED"
        try:
            checked = writing.end_status(status)
        finally:
            writing.end_open(run, checked)


def last() -> Optional[Run]:
    """Return the active run of this thread, else the one that was active last, as it is now; None before the first."""
    now = active_run()
    if now is not None:
        return now
    run = active.last_run()
    return None if run is None else reading.read_run(reading.locate(run.store_folder, run.run_id))


def _resume(store: str, run_id: str, run_name: Optional[str]) -> OpenRun:
    """Go on with a run that is there."""
    place = reading.locate(store, run_id)
    if place.stage != "active":
        raise MlflowException("Cannot start run with ID %s because it is in the deleted state." % run_id)
    chosen = active.chosen_experiment()
    if chosen is not None and chosen[0] == store and str(chosen[1].experiment_id) != str(place.experiment_id):
        message = (
            "Cannot start run with ID %s because active experiment ID does not match environment run ID. Choose its "
            "experiment with set_experiment(), or none."
        )
        raise MlflowException(message % run_id)
    return TrackedRun(place.run_id, place.experiment_id, run_name or None, store)


def _join(
    store: str, place: Place, teller: Teller, run_name: Optional[str], experiment_id: Any, first: Dict[str, Any]
) -> Tuple[OpenRun, List[Tuple[str, Any]]]:
    """Go on with the run of the command that this is a part of; return it, and the tags that are still to write."""
    name = run_name or first.get(reading.RUN_NAME)
    run = TrackedRun(place.run_id, place.experiment_id, name, store)
    run.report_to(teller)
    teller.begin(name=name, experiment=identity.chosen_name() if experiment_id is None else experiment_id)
    return run, [(key, value) for key, value in first.items() if key != reading.RUN_NAME]


def _parent(store: str, current: Optional[OpenRun], parent_run_id: Optional[str]) -> Optional[str]:
    """Return the run that a new one is nested in, None for none."""
    if not parent_run_id:
        return None if current is None or current.store_folder != store else current.run_id
    parent_run_id = checks.check_run_id(parent_run_id)
    if current is not None and parent_run_id != current.run_id:
        message = (
            "Current run with UUID %s does not match the specified parent_run_id %s. To start a new nested run under "
            "the parent run, first end the current run with mlflow.end_run()."
        )
        raise MlflowException(message % (current.run_id, parent_run_id))
    if reading.locate(store, parent_run_id).stage != "active":
        message = "Cannot start run under parent run with ID %s because it is in the deleted state."
        raise MlflowException(message % parent_run_id)
    return parent_run_id


def _with_note(tags: Optional[Mapping[str, Any]], description: Optional[str]) -> Dict[str, Any]:
    found = dict(tags or {})
    if description:
        if NOTE in found:
            raise invalid("Description is already set via the tag %s in tags. Give one of the two." % NOTE)
        found[NOTE] = description
    return found


def _from_environment() -> Optional[str]:
    """Return the run that the environment wants to be gone on with, and ask it for none a second time."""
    run_id = config.run_id()
    os.environ.pop("MLFLOW_RUN_ID", None)
    return run_id


def _accompany(run: OpenRun, *, log_system_metrics: Optional[bool]) -> None:
    """Start what was asked for to go beside a run until it ends."""
    if config.is_mlflow_system_metrics_wanted() if log_system_metrics is None else log_system_metrics:
        from ... import system

        run.accompany(system.start(run, config.mlflow_system_metrics_interval_s() or system.INTERVAL_S))


def _after_fork() -> None:
    inherited[:] = active.stack.runs


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
