"""What is known of the runs that a list shows?"""

from __future__ import annotations

import os

from .. import records
from ..index.entry import summary_key
from ..store.experiments import ACTIVE
from . import ranked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from .ranked import Measure

SYSTEM = "system/"  # metrics of the machine: many, and of the same interest for no two users
INTERNAL = "mlflow."  # tags that programs set
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
        self._summarized: Dict[str, None] = {}

    def keys(self, kind: str) -> List[str]:
        """Return the keys of ``params``, ``metrics`` or ``tags`` that any of the runs has, sorted."""
        if self._runs is None:
            found: List[str] = self._table.keys(kind)
            return found
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
        self._summarized[metric] = None
        if self._entries is None:
            found = self._table.summary_column(function, metric, self._rows)
            return [None] * self.count if found is None else [found[row] for row in self._rows]
        is_known, name = summary_key("count", metric), summary_key(function, metric)
        missing = [
            row
            for row, entry in zip(self._rows, self._entries)
            if metric in entry.metrics and is_known not in entry.summaries
        ]
        read = self._table.summary_column(function, metric, missing) if missing else None
        return [
            entry.summaries[name] if name in entry.summaries else None if read is None else read[row]
            for row, entry in zip(self._rows, self._entries)
        ]

    def steps(self, metrics: Sequence[str]) -> List[Any]:
        """Return for each run the greatest count of values that a metric has, None where it has none.

        Args:
            metrics: Those that count, the one that matters most first. Of those whose histories nobody has asked for
                yet only so many are read that each run has one: a run may have many, and long ones.
        """
        found: List[Any] = [None] * self.count
        read = [key for key in metrics if key in self._summarized]
        for key in [*read, *(key for key in metrics if key not in read)]:
            last = self.values("metrics", key)
            if key in read or any(count is None and value is not None for count, value in zip(found, last)):
                pairs = zip(found, self.summary("count", key))
                found = [a if b is None else b if a is None else max(a, b) for a, b in pairs]
        return found

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


def duration_s(status: Any, start_ms: Optional[int], end_ms: Optional[int], now_ms: int) -> Optional[float]:
    """Return how long a run took, or has taken so far; None where nobody knows, as of one that is lost."""
    until = now_ms if end_ms is None and status == "RUNNING" else end_ms
    return None if start_ms is None or until is None else max(0, until - start_ms) / 1000
