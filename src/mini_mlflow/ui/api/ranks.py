"""The how-many-th run of its experiment is a run? Its colour follows from that."""

from __future__ import annotations

from bisect import bisect_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from .tables import Joined

    _Mark = Tuple[int, str]


class Ranks:
    """The places of runs among those of their experiments, by start, then by id."""

    def __init__(self, table: Joined) -> None:
        """Take the runs; what is not asked for costs nothing."""
        self._table = table
        self._starts: Sequence[int] = ()
        self._homes: Sequence[Any] = ()
        self._marks: Sequence[_Mark] = ()  # what tells runs that start within one millisecond apart
        self._in_order: Dict[Any, List[int]] = {}  # of each experiment the starts
        self._tied: Optional[Dict[Tuple[Any, int], List[_Mark]]] = None  # runs that start within one millisecond

    def of(self, rows: Sequence[int]) -> List[int]:
        """Return the rank of the run of each row."""
        if rows and not self._starts:
            self._read()
        return [self._rank(row) for row in rows]

    def _read(self) -> None:
        table = self._table
        experiment_ids = table.column("attributes", "experiment_id") or [None] * table.count
        self._starts = [start or 0 for start in table.column("attributes", "start_time") or [0] * table.count]
        if table.is_of_one_store and experiment_ids.count(experiment_ids[0]) == table.count:
            self._homes = [None] * table.count
            self._in_order = {None: sorted(self._starts)}
            return
        self._homes = [(table.store_of(row).number, each) for row, each in enumerate(experiment_ids)]
        for home, start in zip(self._homes, self._starts):
            self._in_order.setdefault(home, []).append(start)
        for starts in self._in_order.values():
            starts.sort()

    def _rank(self, row: int) -> int:
        home, start = self._homes[row], self._starts[row]
        in_order = self._in_order[home]
        place = bisect_left(in_order, start)
        if in_order[place : place + 2] != [start, start]:
            return place
        if self._tied is None:
            self._tied = self._read_tied()
        return place + bisect_left(self._tied[home, start], self._marks[row])

    def _read_tied(self) -> Dict[Tuple[Any, int], List[_Mark]]:
        count = self._table.count
        starts_us = self._table.column("attributes", "start_us") or [0] * count
        ids = self._table.column("attributes", "run_id") or [""] * count
        self._marks = [(start_us or 0, run_id) for start_us, run_id in zip(starts_us, ids)]
        tied: Dict[Tuple[Any, int], List[_Mark]] = {}
        for place, mark in zip(zip(self._homes, self._starts), self._marks):
            tied.setdefault(place, []).append(mark)
        for marks in tied.values():
            marks.sort()
        return tied
