"""Which value of a metric counts for a run, and in which order do runs come by it?"""

from __future__ import annotations

from collections import namedtuple
from math import isfinite

from .. import goals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Sequence

    from .screen import Screen

_LAST = "last"


class Measure(namedtuple("Measure", ["metric", "mode", "goal"])):
    """What of a metric is shown of each run.

    Attributes:
        metric: The metric.
        mode: ``max`` or ``min``: the best of all steps; ``last``: the latest value.
        goal: Which end is best, ``max`` or ``min``; None where nothing tells.
    """

    __slots__ = ()

    metric: str
    mode: str
    goal: Optional[str]

    def name(self) -> str:
        """Return what the column is called by programs: ``max(val.acc)``."""
        return "%s(%s)" % (self.mode, self.metric)

    def title(self, screen: Screen) -> str:
        """Return what the column is called by people: ``val.acc ↑``; no arrow: the latest value."""
        arrow = {"max": " " + screen.glyph("up"), "min": " " + screen.glyph("down"), _LAST: ""}[self.mode]
        return screen.clean(self.metric) + arrow


def measure_of(metric: str, goal: Optional[str] = None, *, is_last: bool = False) -> Measure:
    """Return what is shown of a metric: its best where its name or *goal* tells which that is, else its latest value.

    Args:
        metric: The metric.
        goal: ``max`` or ``min``; None: as the name tells.
        is_last: Whether the latest value is wanted in any case.
    """
    goal = goal or goals.goal_of(metric)
    return Measure(metric, _LAST if is_last or goal is None else goal, goal)


def of_mode(metric: str, mode: str) -> Measure:
    """Return what is shown where a mode is asked for: ``min(acc)`` is best at its least, whatever the name tells."""
    return Measure(metric, mode, goals.goal_of(metric) if mode == _LAST else mode)


def counting(measure: Measure, best: Any, last: Any) -> Any:
    """Return the value that counts: the best one; the latest where that is no number, so that it is seen.

    Args:
        measure: What is shown.
        best: The best value of all steps.
        last: The latest value, None where the run has none.
    """
    if measure.mode == _LAST:
        return last
    return goals.counting_values([best], [last])[0]


def values_of(measure: Measure, table: Any, rows: Sequence[int]) -> List[Any]:
    """Return the value that counts for each of some rows, None where a run has none.

    Args:
        measure: What is shown.
        table: As in ``query.conditions``.
        rows: Its rows.
    """
    last = table.column("metrics", measure.metric)
    if last is None:
        return [None] * len(rows)
    latest = [last[row] for row in rows]
    if measure.mode == _LAST:
        return latest
    is_whole = len(rows) == table.count
    best = table.summary_column(measure.mode, measure.metric, None if is_whole else rows) or last
    return goals.counting_values(map(best.__getitem__, rows), latest)


def sort_by(values: Sequence[Any], goal: Optional[str]) -> List[int]:
    """Return places in the order of their values: the best first, then what is no number, then those without any.

    Args:
        values: A value for each place, None where there is none.
        goal: Which end is best; None: the greatest.
    """
    finite = [place for place, value in enumerate(values) if value is not None and value - value == 0]
    odd = [place for place, value in enumerate(values) if value is not None and value - value != 0]
    missing = [place for place, value in enumerate(values) if value is None]
    finite.sort(key=values.__getitem__, reverse=goal != "min")
    return finite + odd + missing


def is_finite(value: Any) -> bool:
    """Tell whether a value is a finite number; integers of any size are."""
    return isinstance(value, int) or isfinite(value)
