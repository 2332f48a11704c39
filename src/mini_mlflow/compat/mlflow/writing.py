"""How does a value get into a run that MLflow's API names by its id: one of this process, or any other?

MLflow logs into runs that have ended, too, and a run stays as it stood; so does this.
"""

# ruff: noqa: FBT001 - the signatures are those of MLflow

from __future__ import annotations

import os
from contextlib import contextmanager
from threading import Lock
from time import time

from ... import active, clock, layout, storage
from ...artifact_recorder import ArtifactRecorder
from ...errors import (
    ArtifactNotFoundError,
    InvalidArtifactPathError,
    InvalidValueError,
    MiniMLflowError,
    RunEndedError,
)
from ...recorder import RUNNING
from ...run import Run
from ...store import amending, documents, erasing
from ...store.opening import JOINED
from . import checks, reading
from .entities import RunStatus
from .exceptions import MlflowException, invalid, missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

    from ...store.writer import RunWriter
    from .reading import Place

    Rows = List[Tuple[str, float, int, int]]
    Pairs = List[Tuple[str, Any]]

_FIELDS = {reading.RUN_NAME: "name", reading.PARENT: "parent_run_id"}  # tags that say what meta.yaml says


def live_run(place: Place) -> Optional[Run]:
    """Return the open run of this process that is meant, None where it has none open."""
    for run in active.live_runs():
        if run.run_id == place.run_id and run.store_folder == place.store and run.status == RUNNING:
            return run
    return None


@contextmanager
def lend(place: Place) -> Iterator[RunWriter]:
    """Lend a hand in a run: that of the open run of this process, else one for this block alone.

    Where another process writes the run, this one joins it, and stays so until it ends.
    """
    run = live_run(place)
    if run is not None:
        yield run.writer
        return
    with amending.amended(place.folder, active.pool()) as opened:
        if opened.role != JOINED:
            yield opened.writer
            return
    yield Run(place.run_id, place.experiment_id, runs_dir=place.store).writer


def checked_metrics(rows: Iterable[Tuple[Any, Any, Any, Any]]) -> Rows:
    """Return rows of (key, value, timestamp, step) as they are kept; a missing time is now, a missing step is 0.

    Raises:
        MlflowException: One of them cannot be kept.
    """
    checked = []
    for key, value, timestamp, step in rows:
        name = checks.check_name(key, "Metric")
        moment = clock.now_ms() if timestamp is None else checks.timestamp_of(timestamp, name)
        checked.append((name, checks.number_of(value, name), moment, checks.step_of(step, name)))
    return checked


def checked_params(folder: str, pairs: Iterable[Tuple[Any, Any]]) -> Pairs:
    """Return params that are to be written: those that the run does not have already.

    Raises:
        MlflowException: A name is not legal, or a param has another value already.
    """
    checked: Dict[str, Any] = {}
    for key, value in pairs:
        name = checks.check_name(key, "Param")
        kept = checks.param_of(value, name)
        there = [checked[name]] if name in checked else reading.find_value(folder, layout.PARAMS, name)
        if there is None:
            checked[name] = kept
        elif str(there[0]) != str(kept):
            message = (
                "Changing param values is not allowed. Param with key=%r was already logged with value=%r for run "
                "ID=%r. Attempted logging new value %r. Start a run of its own for each setting, as with nested=True."
            )
            raise invalid(message % (name, str(there[0]), os.path.basename(folder), str(kept)))
    return list(checked.items())


def checked_tags(pairs: Iterable[Tuple[Any, Any]]) -> Pairs:
    """Return tags as they are kept: as text.

    Raises:
        MlflowException: A name is not legal.
    """
    return [(checks.check_name(key, "Tag"), str(value)) for key, value in pairs]


def write_metrics(place: Place, rows: Rows) -> None:
    """Append rows that are checked."""
    with lend(place) as writer:
        write_rows(writer, rows)


def write_rows(writer: RunWriter, rows: Rows) -> None:
    """Append rows that are checked, through a hand that is there."""
    for key, value, timestamp, step in rows:
        appender = writer.appenders.get(key)
        if appender is not None:  # the short way, for a file that is open
            appender.append(value, step, timestamp)
            continue
        writer.write_number(key, value, step, timestamp)


def write_params(place: Place, pairs: Iterable[Tuple[Any, Any]]) -> None:
    """Write params; those that the run has already with the same text are left as they are.

    Raises:
        MlflowException: One of them is not legal, or has another value already; none is written then.
    """
    checked = checked_params(place.folder, pairs)
    if checked:
        with lend(place) as writer:
            for key, value in checked:
                writer.write_value(layout.PARAMS, key, value)


def write_tags(place: Place, pairs: Pairs) -> None:
    """Write tags that are checked. That of the name renames the run, that of the parent puts it below another."""
    fields = {_FIELDS[key]: value for key, value in pairs if key in _FIELDS}
    rest = [(key, value) for key, value in pairs if key not in _FIELDS]
    if fields:
        change_fields(place, fields)
    if rest:
        with lend(place) as writer:
            for key, value in rest:
                writer.write_value(layout.TAGS, key, value)


def delete_tag(place: Place, key: Any) -> None:
    """Take a tag away, whoever wrote it.

    Raises:
        MlflowException: The run has no such tag.
    """
    if not isinstance(key, str) or not erasing.delete_documents(place.folder, layout.TAGS, key):
        raise missing("No tag with name: %s in run with id %s" % (key, place.run_id))


def change_fields(place: Place, fields: Dict[str, Any]) -> None:
    """Change fields of a run's meta.yaml.

    Raises:
        ActiveRunError: Another process writes the run, and says how it stands.
    """
    run = live_run(place)
    if run is not None and "name" in fields:
        run.name = fields["name"]
    if run is not None and run.tell(**fields):
        return
    storage.save_metadata(place.run_id, place.experiment_id, fields, place.store)


def end(place: Place, status: Optional[str], end_time: Optional[int]) -> None:
    """End a run, or say of one that has ended how it did.

    Args:
        place: The run.
        status: FINISHED, FAILED or KILLED; None: FINISHED.
        end_time: When, in milliseconds since 1970; None: now.

    Raises:
        MlflowException: There is no such status.
    """
    status = end_status(status)
    run = live_run(place)
    is_told = run is not None and run.tell()
    if run is not None:
        end_open(run, status)
    if run is None or (end_time is not None and not is_told):
        moment = int((time() if end_time is None else checks.timestamp_of(end_time, "end_time") / 1000) * 1000000)
        change_fields(place, {"status": status, "end_time": clock.encode_time(moment)})


def end_open(run: Run, status: str) -> None:
    """End an open run, unless another thread was faster."""
    try:
        run.end(status)
    except RunEndedError:
        pass


def end_status(status: Any) -> str:
    """Return the status that a run ends with.

    Raises:
        MlflowException: There is no such status, or no run ends with it.
    """
    number = RunStatus.from_string("FINISHED" if status is None else status)
    if not RunStatus.is_terminated(number):
        raise invalid("A run ends as FINISHED, FAILED or KILLED, not as %s." % status)
    return RunStatus.to_string(number)


def refuse_twice(keys: Sequence[Any]) -> None:
    """Raise where a param comes twice in one batch.

    Raises:
        MlflowException: It does.
    """
    twice = sorted({str(key) for key in keys if keys.count(key) > 1}) if len(set(map(str, keys))) < len(keys) else []
    if twice:
        raise invalid("Duplicate parameter keys have been submitted: %s. Give each param once." % twice)


def done(synchronous: Optional[bool], write: Callable[[], None]) -> Optional[RunOperations]:
    """Write at once, and return what MLflow returns: None, or where it writes in the background, operations.

    Args:
        synchronous: False: failures show when the operations are waited for.
        write: Writes.
    """
    if synchronous is not False:
        write()
        return None
    try:
        write()
    except (MlflowException, MiniMLflowError, OSError, TypeError) as error:
        return RunOperations([error])
    return RunOperations()


class Keeper(ArtifactRecorder):
    """Keeps artifacts of a run that this process has not open; they are on their own, so nothing is noted."""

    def __init__(self, place: Place) -> None:
        """Make one.

        Args:
            place: The run.
        """
        self.run_id, self.status = place.run_id, RUNNING
        self._folder = place.folder
        self._table_lock = Lock()

    def _begin(self, what: str, name: str) -> None:
        self._check_running(what, name)  # there is no hand in the run that could settle

    def _keep(self, paths: List[str]) -> None:
        for path in paths:
            documents.sync(path)


def keeper(place: Place) -> ArtifactRecorder:
    """Return who keeps the artifacts of a run: the open run of this process, or one for this call."""
    run = live_run(place)
    return Keeper(place) if run is None else run


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the artifact functions raise into what MLflow's raise."""
    try:
        yield
    except (InvalidArtifactPathError, InvalidValueError) as error:
        raise invalid(str(error)) from error
    except ArtifactNotFoundError as error:
        raise missing(str(error)) from error


class RunOperations:
    """What a call with ``synchronous=False`` returns: everything is written by then, and ``wait`` tells failures."""

    def __init__(self, operation_futures: Optional[List[Any]] = None) -> None:
        """Make one.

        Args:
            operation_futures: The exceptions that were met.
        """
        self._failures = list(operation_futures or [])

    def wait(self) -> None:
        """Return at once, as all is done.

        Raises:
            MlflowException: Something went wrong.
        """
        if self._failures:
            message = "The following failures occurred while performing one or more async logging operations: %s"
            raise MlflowException(message % self._failures)
