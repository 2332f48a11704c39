"""How does a history look in a few characters?"""

from __future__ import annotations

from bisect import bisect_left
from math import isfinite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence

    from ..records import Columns

_BARS = "▁▂▃▄▅▆▇█"
_BROKEN = "×"


def trends(histories: Sequence[Optional[Columns]], width: int) -> List[str]:
    """Return a row of bars for each history, all on one x-axis and one y-axis.

    A run that stopped earlier is shorter; how high a bar is tells the rank among all values that are shown, so that
    small differences at the end stay visible. NaN and infinities are ``×``.

    Args:
        histories: Steps and values of each run, one value a step; None where there are none.
        width: How many characters the longest gets.
    """
    spans = [(each.steps[0], each.steps[-1]) for each in histories if each is not None and each.steps]
    if not spans:
        return ["" for _ in histories]
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    cells = [_cells(each, first, last, width) for each in histories]
    heights = sorted({value for row in cells for value in row if value is not None and isfinite(value)})
    return ["".join(_bar(value, heights) for value in row) for row in cells]


def trend(history: Optional[Columns], width: int) -> str:
    """Return a row of bars for one history, from its least value to its greatest."""
    if history is None or not history.steps:
        return ""
    cells = _cells(history, history.steps[0], history.steps[-1], width)
    finite = [value for value in cells if value is not None and isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    return "".join(_scaled(value, low, high) for value in cells)


def _cells(history: Optional[Columns], first: int, last: int, width: int) -> List[Optional[float]]:
    """Return one value for each character: the last of the steps that it stands for."""
    if history is None or not history.steps:
        return []
    width = min(width, last - first + 1)
    cells: List[Optional[float]] = []
    start = 0
    for place in range(width):
        end = bisect_left(history.steps, first + (last - first + 1) * (place + 1) // width)
        if start >= len(history.steps):
            break
        part = history.values[start:end]
        cells.append(_float(part[-1]) if part else cells[-1] if cells else None)
        start = end
    return cells


def _bar(value: Optional[float], heights: Sequence[float]) -> str:
    if value is None:
        return " "
    if not isfinite(value):
        return _BROKEN
    if len(heights) < 2:
        return _BARS[3]
    return _BARS[bisect_left(heights, value) * (len(_BARS) - 1) // (len(heights) - 1)]


def _scaled(value: Optional[float], low: float, high: float) -> str:
    if value is None:
        return " "
    if not isfinite(value):
        return _BROKEN
    share = (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5  # halves: the ends may be far apart
    return _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
