"""Which runs does a caller mean, and what do their files hold?"""

from __future__ import annotations

import os
from collections import namedtuple
from itertools import repeat

from . import active, identity, keys
from .errors import AmbiguousRunError, InvalidValueError, RunNotFoundError, shown
from .index import reading
from .records import StoredRun
from .search import scanning
from .store import experiments, presence, reader, trash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Union

    ExperimentId = Union[int, str]


class GivenRun(namedtuple("GivenRun", ["run_id", "experiment_id", "folder", "stored"])):
    """A run that a caller means.

    Attributes:
        run_id: Its id.
        experiment_id: Its experiment.
        folder: Where its files lie.
        stored: What the caller has read of it already, None where that is its id alone.
    """

    __slots__ = ()

    run_id: str
    experiment_id: ExperimentId
    folder: str
    stored: Optional[StoredRun]


def find_given(runs: Any, experiment_id: Optional[ExperimentId], store: str) -> List[GivenRun]:
    """Return the runs that a caller means, each once, in the order given.

    Args:
        runs: Ids, runs, a DataFrame of runs, or one run.
        experiment_id: The experiment of those that are given as ids, None where any may have them.
        store: The store of those that do not say in which they are.

    Raises:
        RunNotFoundError: There is no such run.
        AmbiguousRunError: Several experiments have a run of an id, or two of the runs have the same id.
        InvalidIdError: An id is not legal.
        InvalidValueError: These are no runs.
    """
    if experiment_id is not None:
        experiment_id = identity.known_experiment(store, experiment_id)
    found: Dict[str, GivenRun] = {}
    for run in _each(runs):
        one = find_one(run, experiment_id, store)
        if found.setdefault(one.run_id, one).folder != one.folder:
            message = "Two of the runs have the id %r. Ask for them one by one."
            raise AmbiguousRunError(message % one.run_id, run_id=one.run_id)
    return list(found.values())


def find_one(run: Any, experiment_id: Optional[ExperimentId], store: str) -> GivenRun:
    """Return the run that a caller means by its id or by an object; see ``find_given``."""
    info = _info_of(run)
    run_id = keys.check_known_run_id(getattr(info, "run_id", info))
    if isinstance(run, StoredRun):
        folder = os.path.dirname(run.info.artifact_uri)
        if presence.is_there(folder):  # else it was moved to the trash, or back
            return GivenRun(run_id, run.info.experiment_id, folder, run)
    own_store = getattr(run, "runs_dir", None)
    if own_store is not None:
        store = active.store_folder(own_store)
    where = getattr(info, "experiment_id", experiment_id)
    if where is None:
        where = identity.only_experiment(run_id, reader.find_experiments(store, run_id))
    if where is None:
        if trash.find_deleted(store, run_id):
            raise _deleted(run_id)
        message = "There is no run %r in %s. search_runs() and list_runs() tell which there are."
        raise RunNotFoundError(message % (run_id, store), run_id=run_id)
    where = keys.check_experiment_id(where)
    folder = os.path.dirname(str(getattr(info, "artifact_uri", None)))  # a row of a table tells where it was found
    if trash.holds(store, where, folder, run_id):
        return GivenRun(run_id, where, folder, reading.read_stored(folder, where, run_id, experiments.DELETED))
    try:
        return GivenRun(run_id, where, reader.run_folder(store, where, run_id), None)
    except RunNotFoundError:
        if any(each.run_id == run_id for each in trash.list_deleted(store, where)):
            raise _deleted(run_id) from None
        raise


def read_stored(run: GivenRun) -> StoredRun:
    """Return a run with its params, latest metrics and tags, as the caller has read it or as it lies there now.

    Raises:
        RunNotFoundError: It is gone.
        BrokenFileError: Its meta.yaml cannot be read.
        UnsupportedFormatError: It was written in a newer format.
    """
    if run.stored is not None:
        return run.stored
    store = os.path.dirname(os.path.dirname(run.folder))
    return scanning.read_run(store, run.experiment_id, run.run_id)


def _deleted(run_id: str) -> RunNotFoundError:
    message = "Run %r is deleted. restore_run(%r) brings it back; list_deleted_runs() tells which there are."
    return RunNotFoundError(message % (run_id, run_id), run_id=run_id)


def _info_of(run: Any) -> Any:
    """Return what has the id of a run that was given, which may be the id."""
    info = getattr(run, "info", run)
    return info if hasattr(info, "run_id") else run  # a row of pandas has a method of this name


def _each(runs: Any) -> List[Any]:
    """Return what was given as a list of runs."""
    names: Any = getattr(runs, "column_names", None) or getattr(runs, "columns", ())  # Arrow's, or of the others
    if "run_id" in names:
        return _rows(runs, names)
    if isinstance(runs, str) or hasattr(_info_of(runs), "run_id"):
        return [runs]
    try:
        return list(runs)
    except TypeError:
        message = "Runs must be ids or runs, got %s. Give what search_runs returns, or a list of ids."
        raise InvalidValueError(message % shown(runs), value=runs) from None


class _Row(namedtuple("_Row", ["run_id", "experiment_id", "artifact_uri"])):
    """A run as a row of a table names it; None for what the table has no column of."""

    __slots__ = ()


def _rows(table: Any, names: Any) -> List[Any]:
    columns = [table[name] if name in names else repeat(None) for name in _Row._fields]
    lists = [column.to_pylist() if hasattr(column, "to_pylist") else column for column in columns]
    return [_Row(*row) for row in zip(*lists)]
