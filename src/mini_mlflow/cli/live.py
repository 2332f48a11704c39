"""What do the runs that are watched do now, and what of it is new?"""

from __future__ import annotations

from collections import Counter, deque, namedtuple

from .. import goals, series
from ..query.conditions import find_rows
from ..query.grammar import parse_filter
from ..query.ordering import sort_rows
from ..store.following import HistoryReader
from ..store.latest_rows import read_latest_rows
from . import ranked
from .facts import SYSTEM
from .remaining import find_progress
from .run_rows import run_of
from .target import Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Deque, Dict, List, Optional, Sequence, Tuple

    from ..records import Columns, Metric, Number, Problem, StoredRun
    from .chosen import ChosenRun
    from .remaining import Progress

    RunKey = Tuple[str, str]

RUNNING = "RUNNING"
STARTED, BEST, NAME = "started", "best", "name"  # what the runs come in the order of
_RECENT = 30  # looks, in which the speed of a run shows


class LiveRun(
    namedtuple("LiveRun", ["run", "params", "metrics", "step", "heard_ms", "rate", "greatest_step"], defaults=[None])
):
    """One run as it is now.

    Attributes:
        run: The run.
        params: Its params.
        metrics: The latest value of each metric.
        step: The step of its newest value, None where it has none.
        heard_ms: When that was logged, None likewise.
        rate: Steps in a second of late, None where it does not run or nobody can tell.
        greatest_step: The greatest step at which a metric of its own was logged last, None where it has none.
    """

    __slots__ = ()

    run: ChosenRun
    params: Dict[str, Any]
    metrics: Dict[str, Number]
    step: Optional[int]
    heard_ms: Optional[int]
    rate: Optional[float]
    greatest_step: Optional[int]

    def progress(self, now_ms: int) -> Optional[Progress]:
        """Return how far it is, None where it does not run or nobody can tell."""
        if self.run.status != RUNNING:
            return None
        return find_progress(self.params, self.greatest_step, self.rate, self.heard_ms, now_ms)

    def key(self) -> RunKey:
        """Return what no other run of the store has."""
        return self.run.experiment_id, self.run.run_id


class Snapshot(namedtuple("Snapshot", ["runs", "total", "counts", "names"])):
    """The runs at one moment.

    Attributes:
        runs: Those that are shown, in order.
        total: How many there are that fit the filter.
        counts: How many of these have which status.
        names: The names of experiments by their ids.
    """

    __slots__ = ()

    runs: List[LiveRun]
    total: int
    counts: Dict[str, int]
    names: Dict[str, str]


class Wish(namedtuple("Wish", ["filter", "order", "metric", "is_running_only", "most"])):
    """Which runs are to be shown.

    Attributes:
        filter: What they fulfil, a text of the query language; None or blank: nothing.
        order: ``STARTED``: those that run, then the newest; ``BEST``: the best latest value of the metric, which is
            what is shown; ``NAME``.
        metric: The metric that counts, None where there is none.
        is_running_only: Whether only those that run are wanted.
        most: How many at most.
    """

    __slots__ = ()

    filter: Optional[str]
    order: str
    metric: Optional[str]
    is_running_only: bool
    most: int


class LiveRuns:
    """Looks at the runs of a store, or of one experiment, again and again."""

    def __init__(self, target: Target, word: Optional[str]) -> None:
        """Look at nothing yet.

        Args:
            target: The store.
            word: The experiment, None for all, also for those that are made later.
        """
        self._target = target
        self._word = word
        self._ended: Dict[RunKey, LiveRun] = {}
        self._recent: Dict[RunKey, Deque[Tuple[int, int]]] = {}

    def look(self, wish: Wish, now_ms: int) -> Snapshot:
        """Return the runs as they are now.

        Raises:
            QueryError: The filter cannot be read, or asks for what no run has.
            CommandError: The experiment is gone.
        """
        target = Target(self._target.folder, self._target.shown)  # which looks at the experiments anew
        condition = parse_filter(wish.filter)

        def question(table: Any) -> Tuple[List[StoredRun], int, Dict[str, int]]:
            rows = find_rows(condition, table, now_ms) if table.count else []
            statuses = table.column("attributes", "status") or []
            counts = dict(Counter(statuses[row] for row in rows))
            if wish.is_running_only:
                rows = [row for row in rows if statuses[row] == RUNNING]
            order = _in_order(wish, table, rows, statuses)
            return table.runs(order[: wish.most]), len(rows), counts

        stored, total, counts = target.ask(target.ids(self._word), question)
        runs = [self._complete(each) for each in stored]
        if wish.order == BEST and wish.metric is not None:  # by what was logged since the index looked, too
            measure = ranked.measure_of(wish.metric, is_last=True)
            latest = [each.metrics.get(wish.metric) for each in runs]
            runs = [runs[place] for place in ranked.sort_by(latest, measure.goal)]
        return Snapshot(runs, total, counts, target.names())

    def _complete(self, stored: StoredRun) -> LiveRun:
        """Return a run with what only its files tell; of one that has ended they are read once."""
        run = run_of(stored)
        key = run.experiment_id, run.run_id
        known = self._ended.get(key)
        if known is not None and known.run == run and known.metrics == stored.data.metrics:
            return known
        keys = [each for each in stored.data.metrics if not each.startswith(SYSTEM)]
        rows = read_latest_rows(run.folder, keys, [])
        newest: Optional[Metric] = max(rows.values(), key=lambda row: (row.timestamp, row.step), default=None)
        step, heard_ms = (None, None) if newest is None else (newest.step, newest.timestamp)
        # What was appended since the index looked is newer than what it says.
        metrics = {**stored.data.metrics, **{each: row.value for each, row in rows.items()}}
        rate = self._rate(key, run, newest) if run.status == RUNNING else None
        greatest = max((row.step for row in rows.values()), default=None)
        found = LiveRun(run, stored.data.params, metrics, step, heard_ms, rate, greatest)
        if run.status == RUNNING:
            self._ended.pop(key, None)
        else:
            self._ended[key] = found
        return found

    def _rate(self, key: RunKey, run: ChosenRun, newest: Optional[Metric]) -> Optional[float]:
        """Return how many steps a second a run makes: of late, at the first look since its start."""
        if newest is None:
            return None
        recent = self._recent.setdefault(key, deque(maxlen=_RECENT))
        if not recent or recent[-1] != (newest.timestamp, newest.step):
            recent.append((newest.timestamp, newest.step))
        since, step = recent[0]
        if newest.timestamp <= since and run.start_time is not None:
            since, step = run.start_time, 0
        if newest.timestamp <= since or newest.step < step:
            return None
        return (newest.step - step) / (newest.timestamp - since) * 1000


class LiveHistories:
    """The histories of metrics, which grow; those that nobody asked for between two looks are forgotten."""

    def __init__(self) -> None:
        self._known: Dict[Tuple[str, str], _LiveHistory] = {}
        self._fresh: Dict[Tuple[str, str], Columns] = {}

    def look(self) -> None:
        """Take nothing for granted that was read before."""
        for each in set(self._known) - set(self._fresh):
            del self._known[each]
        self._fresh = {}

    def read(self, folder: str, key: str) -> Columns:
        """Return the history of a metric of the run in *folder*, one row for each step, as at the last look."""
        place = folder, key
        if place not in self._fresh:
            self._fresh[place] = self._known.setdefault(place, _LiveHistory(folder, key)).read()
        return self._fresh[place]


class _LiveHistory:
    def __init__(self, folder: str, key: str) -> None:
        self._reader = HistoryReader(folder, key)
        self._parts: Dict[int, Columns] = {}  # by generation
        self._merged: Optional[Columns] = None

    def read(self) -> Columns:
        problems: List[Problem] = []
        appended = self._reader.read_appended(problems)
        if appended.is_anew:
            self._parts, self._merged = {}, None
        for generation, rows in appended.parts:
            known = self._parts.get(generation)
            self._parts[generation] = rows if known is None else _joined(known, rows)
            self._merged = None
        if self._merged is None:
            self._merged = series.latest_per_step(sorted(self._parts.items(), key=lambda part: part[0]))
        return self._merged


def list_metrics(runs: Sequence[LiveRun]) -> List[str]:
    """Return the metrics of runs but for those of the machine, the one that matters most first."""
    keys = {key for live in runs for key in live.metrics if not key.startswith(SYSTEM)}
    return list(goals.sort_metrics(keys))


def _in_order(wish: Wish, table: Any, rows: List[int], statuses: Sequence[str]) -> List[int]:
    rows = sort_rows(rows, [], table, 0)
    if wish.order == NAME:
        names = table.column("attributes", "run_name") or [None] * table.count
        return sorted(rows, key=lambda row: names[row] or "")
    if wish.order == BEST and wish.metric is not None:
        measure = ranked.measure_of(wish.metric, is_last=True)
        return [rows[place] for place in ranked.sort_by(ranked.values_of(measure, table, rows), measure.goal)]
    return sorted(rows, key=lambda row: statuses[row] != RUNNING)


def _joined(known: Columns, rows: Columns) -> Columns:
    """Return a history with rows that were logged after it, one for each step."""
    is_ascending = all(before < after for before, after in zip(rows.steps, rows.steps[1:]))
    is_behind = is_ascending and known.steps and rows.steps and rows.steps[0] > known.steps[-1]
    if not is_behind or isinstance(known.values, list) or isinstance(rows.values, list):
        return series.latest_per_step([(0, known), (0, rows)])
    joined: Columns = known._replace(
        steps=known.steps + rows.steps,
        timestamps=known.timestamps + rows.timestamps,
        values=known.values + rows.values,
    )
    return joined
