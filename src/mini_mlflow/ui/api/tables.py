"""How does the page ask for runs, of one store or of several?

Each store is asked through ``search.scanning.ask``; what several answer is one table.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import partial
from math import inf
from time import monotonic
from zlib import crc32

from ...errors import InvalidIdError
from ...goals import BEST, counting_values
from ...search import scanning
from ...store import experiments
from .stores import make_ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

    from ...records import StoredRun
    from .requests import Body
    from .stores import Store, Stores

    ExperimentId = Union[int, str]
    Chosen = List[Tuple[Store, List[ExperimentId]]]

MOST_EXPERIMENTS = 1000
_PORTION = 8  # histories, or runs, that are read between two looks at the clock


class Joined:
    """The tables of several stores as one; see ``query.conditions``.

    Attributes:
        count: The number of rows.
        wanted: How many summaries of histories were asked for.
        unread: How many of them were not read yet.
        expected: How many rows there will be when all runs are read.
        stamp: What is the same as long as nothing has changed.
    """

    def __init__(self, parts: Sequence[Tuple[Store, Any]], *, is_hasty: bool = False, budget_s: float = inf) -> None:
        """Take tables.

        Args:
            parts: Of each store its table.
            is_hasty: Whether no history is read: what the index does not know is missing.
            budget_s: How long histories are read at most; what is left is missing, and counted in ``unread``.
        """
        self._is_hasty = is_hasty
        self._deadline = monotonic() + budget_s
        self.wanted = self.unread = 0
        self._parts = parts
        self._columns: Dict[Tuple[str, str], Optional[Sequence[Any]]] = {}
        self._starts = [0]
        for _, table in parts:
            self._starts.append(self._starts[-1] + table.count)
        self.count = self.expected = self._starts[-1]
        self.stamp = "-".join("%d.%s" % (store.number, stamp_of(table)) for store, table in parts)

    def column(self, kind: str, key: str) -> Optional[Sequence[Any]]:
        """Return one value for each run, None where it has none; None where no run has any."""
        name = kind, key
        if name not in self._columns:
            self._columns[name] = self._join(lambda table, _: table.column(kind, key))
        return self._columns[name]

    def keys(self, kind: str) -> List[str]:
        """Return the keys that any run has, sorted."""
        return sorted({key for _, table in self._parts for key in table.keys(kind)})

    def summary_column(self, function: str, key: str, rows: Optional[Sequence[int]] = None) -> Optional[Sequence[Any]]:
        """Return what the history of a metric comes to; None where no run has the metric.

        Args:
            function: A field of ``Summary``.
            key: The metric.
            rows: The rows that are asked for, None: all; the others get None.
        """

        def ask(table: Any, own: Optional[Sequence[int]]) -> Any:
            if self._is_hasty or self._deadline == inf or not hasattr(table, "summaries"):
                return table.summary_column(function, key, [] if self._is_hasty else own)
            return self._read_in_time(table, function, key, range(table.count) if own is None else own)

        return self._join(ask, rows)

    def counting_column(self, function: str, key: str, rows: Sequence[int]) -> Optional[Sequence[Any]]:
        """Return ``summary_column``, but where a best value is meant, what counts for each run: see ``goals``."""
        found, last = self.summary_column(function, key, rows), self.column("metrics", key)
        if function not in BEST or found is None or last is None:
            return found
        return counting_values(found, last)

    def _read_in_time(self, table: Any, function: str, key: str, own: Sequence[int]) -> Optional[List[Any]]:
        """Return a column as far as there is time; the index keeps what was read, so another time comes further."""
        whole: Optional[List[Any]] = None
        self.wanted += len(own)
        for start in range(0, max(len(own), 1), _PORTION):
            if start and monotonic() > self._deadline:
                self.unread += len(own) - start
                break
            part = own[start : start + _PORTION]
            column = table.summary_column(function, key, part)
            if column is None:
                return None
            if whole is None:
                whole = list(column)
            else:
                for row in part:
                    whole[row] = column[row]
        return whole

    def read_runs(self, rows: Sequence[int], read: Callable[[StoredRun], Any]) -> List[Any]:
        """Return what a function finds of the runs of some rows, as a column, as far as there is time."""
        whole: List[Any] = [None] * self.count
        if self._is_hasty:
            return whole
        self.wanted += len(rows)
        for start in range(0, len(rows), _PORTION):
            if start and monotonic() > self._deadline:
                self.unread += len(rows) - start
                break
            part = rows[start : start + _PORTION]
            for row, run in zip(part, self.runs(part)):
                whole[row] = read(run)
        return whole

    def runs(self, rows: Sequence[int]) -> List[StoredRun]:
        """Return the runs of some rows."""
        found: Dict[int, StoredRun] = {}
        for (start, own), (_, table) in zip(self._split(rows), self._parts):
            found.update(zip((start + row for row in own), table.runs(own)))
        return [found[row] for row in rows]

    def store_of(self, row: int) -> Store:
        """Return the store that a row is of."""
        return self._parts[bisect_right(self._starts, row) - 1][0]

    def problems(self) -> List[Tuple[Store, str]]:
        """Return what cannot be read, and of which store."""
        return [(store, problem) for store, table in self._parts for problem in table.problems()]

    def refs(self, rows: Sequence[int]) -> List[str]:
        """Return how the page refers to the runs of some rows."""
        ids, experiment_ids = (
            self.column("attributes", "run_id") or (),
            self.column("attributes", "experiment_id") or (),
        )
        return [make_ref(self.store_of(row).number, experiment_ids[row], ids[row]) for row in rows]

    @property
    def is_of_one_store(self) -> bool:
        """Whether all rows are of one store."""
        return len(self._parts) == 1

    @property
    def has_learned(self) -> bool:
        """Whether histories were read that the index will hold from now on, which changes its stamp."""
        return any(getattr(table, "summaries", None) for _, table in self._parts)

    def _split(self, rows: Sequence[int]) -> List[Tuple[int, List[int]]]:
        found: List[Tuple[int, List[int]]] = [(start, []) for start in self._starts[:-1]]
        for row in rows:
            start, own = found[bisect_right(self._starts, row) - 1]
            own.append(row - start)
        return found

    def _join(self, ask: Callable[[Any, Any], Any], rows: Optional[Sequence[int]] = None) -> Optional[Sequence[Any]]:
        if len(self._parts) == 1:
            found: Optional[Sequence[Any]] = ask(self._parts[0][1], rows)
            return found
        owns: Sequence[Any] = [None] * len(self._parts) if rows is None else [own for _, own in self._split(rows)]
        columns = [ask(table, own) for (_, table), own in zip(self._parts, owns)]
        if all(column is None for column in columns):
            return None
        return [
            value
            for (_, table), column in zip(self._parts, columns)
            for value in ([None] * table.count if column is None else column)
        ]


def resolve_ids(table: Joined, prefixes: Sequence[str]) -> Dict[str, Optional[str]]:
    """Return of each beginning of a run's id the reference to that run, None where none or several begin so."""
    ids = table.column("attributes", "run_id") or ()
    found: Dict[str, Optional[str]] = {}
    order = sorted(range(table.count), key=ids.__getitem__)
    names = [ids[row] for row in order]
    for prefix in prefixes:
        start = bisect_left(names, prefix)
        matching = [place for place in range(start, min(start + 2, len(names))) if names[place].startswith(prefix)]
        is_clear = len(matching) == 1 or (len(matching) > 1 and names[matching[0]] == prefix != names[matching[1]])
        found[prefix] = table.refs([order[matching[0]]])[0] if prefix and matching and is_clear else None
    return found


def stamp_of(table: Any) -> str:
    """Return what is the same as long as a table is."""
    mark = getattr(table, "mark", None)
    if mark is not None:
        return "%08x.%d" % (mark, table.count)
    return "%08x.%d" % (crc32(repr(table.runs(range(table.count))).encode("utf-8", "surrogatepass")), table.count)


def ask(chosen: Chosen, stage: str, question: Callable[[Joined], Any], *, budget_s: float = inf) -> Any:
    """Return what a question finds in the runs of some experiments.

    Args:
        chosen: Of each store the experiments.
        stage: ``active`` or ``deleted``.
        question: As for ``scanning.ask``.
        budget_s: See ``Joined``.
    """
    join = partial(Joined, budget_s=budget_s)
    return _ask(chosen, stage, question, [], partial(scanning.ask, is_quiet=True), join)


def peek(chosen: Chosen, stage: str, question: Callable[[Joined], Any]) -> Any:
    """Return what a question finds in what is known of the runs already; None where nothing is."""
    return _ask(chosen, stage, question, [], scanning.peek, partial(Joined, is_hasty=True))


def _ask(
    chosen: Chosen,
    stage: str,
    question: Callable[[Joined], Any],
    parts: List[Tuple[Store, Any]],
    ask_store: Callable[..., Any],
    join: Callable[[Any], Joined],
) -> Any:
    if not chosen:
        return question(join(parts))
    (store, experiment_ids), rest = chosen[0], chosen[1:]

    def within(table: Any) -> Any:
        return _ask(rest, stage, question, [*parts, (store, table)], ask_store, join)

    return ask_store(store.path, experiment_ids, (stage,), within)


def stage_of(body: Body) -> str:
    """Return whether a request means the ``active`` runs or the ``deleted`` ones.

    Raises:
        InvalidValueError: Neither.
    """
    return body.choice("stage", ("active", "deleted"))


def choose(stores: Stores, body: Body) -> Chosen:
    """Return the experiments that a request means; without any, the active ones of the first store.

    Raises:
        InvalidIdError: One is no reference to an experiment.
    """
    refs = body.texts("experiments", most=MOST_EXPERIMENTS)
    found: Dict[int, Tuple[Store, List[ExperimentId]]] = {}
    if refs is None:
        if not stores.all:
            raise InvalidIdError("There is no store here.", id=None)
        first = stores.all[0]
        there = [
            each for each in experiments.list_experiments(first.path) if each.lifecycle_stage == experiments.ACTIVE
        ]
        return [(first, [each.experiment_id for each in there])]
    for ref in refs:
        store, experiment_id = stores.get_experiment(ref)
        own = found.setdefault(store.number, (store, []))[1]
        if experiment_id not in own:
            own.append(experiment_id)
    return list(found.values())
