"""What do the runs of a store hold, as a table that a query can be asked of?

From the index where there can be one, else from their files.
"""

from __future__ import annotations

import os
from time import time

from .. import layout
from ..errors import CorruptIndexError, StorageWarning
from ..index import known_runs, place
from ..index.entry import BROKEN, DELETED_IN_PLACE
from ..store import experiments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator, List, Optional, Sequence, Tuple, TypeVar, Union

    from ..index.table import IndexTable
    from ..records import RunInfo, StoredRun

    ExperimentId = Union[int, str]
    Table = Union["RunTable", IndexTable]
    Answer = TypeVar("Answer")

_ROUNDS = 3  # of reading what has changed and asking again, and of making an index that is unsound anew


def ask(
    store: str,
    experiment_ids: Sequence[ExperimentId],
    stages: Sequence[str],
    question: Callable[[Table], Answer],
    *,
    is_refreshed: bool = False,
    is_quiet: bool = False,
    stacklevel: int = 2,
) -> Answer:
    """Return what a question finds in the runs of some experiments.

    Args:
        store: The store, as an absolute path.
        experiment_ids: The experiments.
        stages: ``active`` for runs that are there, ``deleted`` for those that are not.
        question: Gets the table, which is closed afterwards, and returns the answer. It may be asked more than once, so
            it does nothing but that. What it tells of single runs is sure to be as the files are if it gets them by
            ``runs``, or names their rows to ``give``.
        is_refreshed: Whether every file of every run is looked at first.
        is_quiet: Whether nothing is warned of: the question tells itself what the table's ``problems`` are.
        stacklevel: Whose line a warning names: 2 is the caller's.

    Warns:
        StorageWarning: Some runs cannot be read, all or in part; the answer is of the rest.
    """
    if is_quiet:
        return _ask(store, experiment_ids, stages, question, is_refreshed=is_refreshed)  # type: ignore[no-any-return]

    def both(table: Table) -> Tuple[Answer, List[str]]:
        return question(table), table.problems()

    answer: Answer
    answer, problems = _ask(store, experiment_ids, stages, both, is_refreshed=is_refreshed)
    if problems:
        import warnings  # sound stores never need it

        count = "1 run" if len(problems) == 1 else "%d runs" % len(problems)
        message = "%s cannot be read in full; the first: %s." % (count, problems[0])
        warnings.warn(message, StorageWarning, stacklevel=stacklevel)
    return answer


def peek(
    store: str, experiment_ids: Sequence[ExperimentId], stages: Sequence[str], question: Callable[[Table], Answer]
) -> Optional[Answer]:
    """Return what a question finds in the index as it stands, without a look at the files; None where there is none.

    So somebody can look at the runs that are known already while another process or thread reads the rest.
    """
    if not place.is_available():
        return None
    from ..index.database import Database
    from ..index.table import IndexTable

    with Database(place.find_place(store)) as database:
        try:
            with IndexTable(database, store, experiment_ids, stages) as table:
                return question(table)
        except CorruptIndexError:
            return None


def _ask(
    store: str,
    experiment_ids: Sequence[ExperimentId],
    stages: Sequence[str],
    question: Callable[[Table], Any],
    *,
    is_refreshed: bool,
) -> Any:
    if place.is_available():
        from ..index.database import Database  # SQLite costs more than a search of few runs

        with Database(place.find_place(store)) as database:
            for _ in range(_ROUNDS):
                try:
                    return _ask_index(database, store, experiment_ids, stages, question, is_refreshed=is_refreshed)
                except CorruptIndexError:
                    database.remake()
    return question(read_table(store, experiment_ids, stages))


def _ask_index(
    database: Any,
    store: str,
    experiment_ids: Sequence[ExperimentId],
    stages: Sequence[str],
    question: Callable[[Table], Any],
    *,
    is_refreshed: bool,
) -> Any:
    from ..index.refreshing import Refresher
    from ..index.table import IndexTable

    refresher = Refresher(database, store, int(time() * 1000), is_full=is_refreshed)
    refresher.refresh(list(map(str, experiment_ids)), stages)
    wanted = [*stages, *([DELETED_IN_PLACE] if experiments.DELETED in stages else [])]
    for _ in range(_ROUNDS):
        with IndexTable(database, store, experiment_ids, wanted) as table:
            answer = question(table)
        database.add_summaries(table.summaries, table.generation)
        if refresher.confirm(sorted(table.given)):
            break
    return answer


class RunTable:
    """Runs as the rows of a table; see ``query.conditions``.

    Attributes:
        count: The number of rows.
    """

    def __init__(
        self, runs: Sequence[Any], problems: Sequence[str] = (), starts_us: Optional[List[Optional[int]]] = None
    ) -> None:
        """Take runs as they are, ours or the MLflow front's, and what is told of those that cannot be read.

        Args:
            runs: The runs.
            problems: What is told.
            starts_us: The microseconds of the start of each behind its millisecond, where these are known.
        """
        self._runs = runs
        self._problems = problems
        self._starts_us = starts_us
        self.count = len(runs)

    def runs(self, rows: Sequence[int]) -> List[StoredRun]:
        """Return the runs of some rows."""
        return [self._runs[row] for row in rows]

    def give(self, rows: Sequence[int]) -> None:
        """Note that an answer tells of some rows, which are as they were read."""

    def problems(self) -> List[str]:
        """Return of each run that cannot be read in full the first file that cannot, and why."""
        return list(self._problems)

    def column(self, kind: str, key: str) -> Optional[List[Any]]:
        """Return one value for each run, None where it has none; None where no run has any."""
        if kind == "attributes":
            if key == known_runs.START_US:
                return self._starts_us
            return [_attribute(run.info, key) for run in self._runs]
        if kind == "datasets":
            return known_runs.datasets_column([run.datasets for run in self._runs], key)
        column = [getattr(run.data, kind).get(key) for run in self._runs]
        return None if column.count(None) == len(column) and not self._has(kind, key) else column

    def keys(self, kind: str) -> List[str]:
        """Return the keys that any run has, sorted."""
        return sorted({key for run in self._runs for key in getattr(run.data, kind)})

    def summary_column(self, function: str, key: str, rows: Optional[Sequence[int]] = None) -> Optional[List[Any]]:
        """Return what the history of a metric comes to; None where no run has the metric.

        Args:
            function: A field of ``Summary``.
            key: The metric.
            rows: The rows that are asked for, None: all; the others get None.
        """
        if not self._has("metrics", key):
            return None
        found: List[Any] = [None] * self.count
        for row in range(self.count) if rows is None else rows:
            found[row] = self._summary(self._runs[row], function, key)
        return found

    def _has(self, kind: str, key: str) -> bool:
        return any(key in getattr(run.data, kind) for run in self._runs)

    def _summary(self, run: StoredRun, function: str, key: str) -> Any:
        from ..summary import find_summary

        if key not in run.data.metrics:
            return None
        summary = find_summary(os.path.dirname(run.info.artifact_uri), run.info.run_id, key)
        return None if summary is None else getattr(summary, function)  # gone or broken since the run was read


def read_table(store: str, experiment_ids: Sequence[ExperimentId], stages: Sequence[str]) -> RunTable:
    """Return the runs of some experiments, read from their files.

    Args:
        store: The store, as an absolute path.
        experiment_ids: The experiments.
        stages: As of ``ask``.
    """
    from ..index import reading  # an index does without these
    from ..progress import Progress

    problems: List[str] = []

    def report(path: str, error: Exception) -> None:
        problems.append("%s: %s" % (path, error))

    places = [each for some in experiment_ids for each in _iter_places(store, some, stages, report)]
    now_ms, runs, starts_us = int(time() * 1000), [], []
    with Progress("Reading runs", len(places), "runs") as progress:
        for experiment_id, name, is_in_trash in places:
            progress.advance()
            try:
                entry, _ = reading.read_entry(store, experiment_id, name, is_in_trash=is_in_trash, now_ms=now_ms)
            except FileNotFoundError:
                continue  # deleted meanwhile
            except OSError as error:
                entry, _ = reading.unreadable(store, experiment_id, name, error, now_ms)
            stage = experiments.DELETED if entry.stage == DELETED_IN_PLACE else entry.stage
            problems += ["%s: %s" % problem for problem in entry.problems[:1] if stage in (*stages, BROKEN)]
            if stage in stages:
                folder = known_runs.folder_of(store, experiment_id, entry.stage, name)
                runs.append(known_runs.to_stored(entry, folder, experiment_id))
                starts_us.append(entry.attributes.get(known_runs.START_US))
    return RunTable(runs, problems, starts_us)


def read_run(store: str, experiment_id: ExperimentId, run_id: str) -> StoredRun:
    """Return a run that is there.

    Raises:
        RunNotFoundError: There is none.
        BrokenFileError: Its meta.yaml cannot be read.
        UnsupportedFormatError: It was written in a newer format.
    """
    from ..index import reading
    from ..store import reader

    folder = reader.run_folder(store, experiment_id, run_id)
    return reading.read_stored(folder, experiment_id, run_id, experiments.ACTIVE)


def _iter_places(
    store: str, experiment_id: ExperimentId, stages: Sequence[str], report: Callable[[str, Exception], None]
) -> Iterator[Tuple[ExperimentId, str, bool]]:
    for name in known_runs.list_names(layout.experiment_folder(store, experiment_id), report):
        yield experiment_id, name, False  # those that MLflow has deleted are among them
    if experiments.DELETED in stages:
        from ..store import trash  # seldom asked for

        for deleted in trash.list_deleted(store, experiment_id):
            yield experiment_id, os.path.basename(deleted.folder), True


def _attribute(info: RunInfo, key: str) -> Any:
    if key == "experiment_id":
        return str(info.experiment_id)
    return getattr(info, key)
