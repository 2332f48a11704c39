"""What is known of the runs that a list shows?"""

from __future__ import annotations

import os

from .. import records
from ..index.entry import summary_key
from ..query.times import duration_s
from ..store.experiments import ACTIVE
from . import ranked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Sequence, Tuple

    from .ranked import Measure

SYSTEM = "system/"  # metrics of the machine: many, and of the same interest for no two users
INTERNAL = "mlflow."  # tags that programs set
_STEPS_OF = 3  # metrics of a run of which the longest tells how many steps it has
_FEW = 2000  # rows up to here are read one by one, more as columns of the whole table
SUMMARIES = ("first", "last", "min", "max", "mean", "count", "min_step", "max_step")


class Facts:
    """Some rows of a table of runs, for as long as the table is held.

    Attributes:
        count: How many rows.
    """

    def __init__(self, table: Any, rows: Sequence[int]) -> None:
        self._table, self._rows = table, rows
        self.count = len(rows)
        self._runs = table.runs(rows) if self.count <= _FEW else None
        # What the index holds of few rows it gives as a whole: that is faster than a column for each thing.
        self._entries = table.entries(rows) if self._runs is not None and hasattr(table, "entries") else None
        if self._runs is None:
            table.give(rows)
        self._known: Dict[Tuple[str, str], List[Any]] = {}

    def keys(self, kind: str) -> List[str]:
        """Return the keys of ``params``, ``metrics`` or ``tags`` that any of the runs has, sorted."""
        if self._runs is None:
            return self.known_keys(kind)
        return sorted({key for run in self._runs for key in getattr(run.data, kind)})

    def known_keys(self, kind: str) -> List[str]:
        """Return the keys that any run of the table has, also one that is none of these."""
        found: List[str] = self._table.keys(kind)
        return found

    def values(self, kind: str, key: str) -> List[Any]:
        """Return a value for each run, None where it has none.

        Args:
            kind: ``attributes``, ``params``, ``metrics`` or ``tags``; of metrics it is the latest value.
            key: The key.
        """
        if (kind, key) not in self._known:
            self._known[kind, key] = self._read(kind, key)
        return self._known[kind, key]

    def measured(self, measure: Measure) -> List[Any]:
        """Return the value of a metric that counts for each run."""
        last = self.values("metrics", measure.metric)
        if measure.mode == "last":
            return last
        best = self.summary(measure.mode, measure.metric)
        return [ranked.counting(measure, *both) for both in zip(best, last)]

    def summary(self, function: str, metric: str) -> List[Any]:
        """Return what the history of a metric comes to for each run; None where it has none."""
        if function == "last":
            return self.values("metrics", metric)
        return self.summary_of(function, metric, range(self.count))

    def summary_of(self, function: str, metric: str, places: Sequence[int]) -> List[Any]:
        """Return the same for the runs at some places, whose histories alone are read."""
        rows = [self._rows[place] for place in places]
        if self._entries is None:
            found = self._table.summary_column(function, metric, rows)
            return [None] * len(rows) if found is None else [found[row] for row in rows]
        entries = [self._entries[place] for place in places]
        is_known, name = summary_key("count", metric), summary_key(function, metric)
        missing = [
            row
            for row, entry in zip(rows, entries)
            if metric in entry.metrics and is_known not in entry.summaries
        ]
        read = self._table.summary_column(function, metric, missing) if missing else None
        return [
            entry.summaries[name] if name in entry.summaries else None if read is None else read[row]
            for row, entry in zip(rows, entries)
        ]

    def steps(self, metrics: Sequence[str]) -> List[Any]:
        """Return for each run the greatest count of values that one of its first metrics has, None where it has none.

        Args:
            metrics: Those that count, the one that matters most first. Of a run three are read: it may have many, and
                long ones.
        """
        return count_steps(
            metrics,
            self.count,
            lambda key: self.values("metrics", key),
            lambda key, places: self.summary_of("count", key, places),
        )

    def folders(self) -> List[str]:
        """Return where the files of each run lie."""
        return [os.path.dirname(each) for each in self.values("attributes", "artifact_uri")]

    def ids(self) -> List[Tuple[str, str]]:
        """Return experiment and run of each, as texts."""
        experiments = map(str, self.values("attributes", "experiment_id"))
        return list(zip(experiments, self.values("attributes", "run_id")))

    def ages_s(self, now_ms: int) -> List[Any]:
        """Return how long ago each run started, None where nobody knows."""
        starts = self.values("attributes", "start_time")
        return [None if start is None else (now_ms - start) / 1000 for start in starts]

    def durations_s(self, now_ms: int) -> List[Any]:
        """Return how long each run took, or has taken so far; None where nobody knows, as of one that is lost."""
        columns = [self.values("attributes", name) for name in ("status", "start_time", "end_time")]
        return [duration_s(status, start, end, now_ms) for status, start, end in zip(*columns)]

    def is_any_deleted(self) -> bool:
        """Tell whether any of the runs lies in the trash."""
        return any(stage != ACTIVE for stage in self.values("attributes", "lifecycle_stage"))

    def notes(self) -> List[Any]:
        """Return the note of each run, None where it has none."""
        return self.values("tags", records.NOTE)

    def _read(self, kind: str, key: str) -> List[Any]:
        if self._runs is None:
            column = self._table.column(kind, key)
            return [None] * self.count if column is None else [column[row] for row in self._rows]
        if kind == "attributes":
            return [getattr(run.info, key) for run in self._runs]
        return [getattr(run.data, kind).get(key) for run in self._runs]


def count_steps(
    metrics: Sequence[str],
    count: int,
    latest: Callable[[str], Sequence[Any]],
    counts: Callable[[str, Sequence[int]], Sequence[Any]],
) -> List[Any]:
    """Return for each of some runs how many steps it has; see ``Facts.steps``.

    Args:
        metrics: Those that count, the one that matters most first.
        count: How many runs there are.
        latest: Of a metric the latest value for each run, None where it has none.
        counts: Of a metric how many values the runs at some places have.
    """
    found: List[Any] = [None] * count
    seen = [0] * count
    for key in metrics:
        last = latest(key)
        places = [place for place in range(count) if last[place] is not None and seen[place] < _STEPS_OF]
        for place, steps in zip(places, counts(key, places) if places else ()):
            seen[place] += 1
            found[place] = steps if found[place] is None else max(found[place], steps or 0)
    return found
