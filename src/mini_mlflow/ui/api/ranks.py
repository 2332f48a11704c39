"""The how-many-th run of its experiment is a run? Its colour follows from that."""

from __future__ import annotations

from bisect import bisect_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from .tables import Joined


class Ranks:
    """The places of runs among those of their experiments, by start, then by id."""

    def __init__(self, table: Joined) -> None:
        """Take the runs; what is not asked for costs nothing."""
        self._table = table
        self._starts: Sequence[int] = ()
        self._homes: Sequence[Any] = ()
        self._in_order: Dict[Any, List[int]] = {}  # of each experiment the starts
        self._tied: Optional[Dict[Tuple[Any, int], List[str]]] = None  # ids of the runs that start at once

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
        return place + bisect_left(self._tied[home, start], self._ids()[row])

    def _read_tied(self) -> Dict[Tuple[Any, int], List[str]]:
        tied: Dict[Tuple[Any, int], List[str]] = {}
        for mark, run_id in zip(zip(self._homes, self._starts), self._ids()):
            tied.setdefault(mark, []).append(run_id)
        for ids in tied.values():
            ids.sort()
        return tied

    def _ids(self) -> Sequence[str]:
        return self._table.column("attributes", "run_id") or [""] * self._table.count
