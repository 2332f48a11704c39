"""What do the histories of a group of runs come to: a mean line, and the band around it?

Pure, and on plain arrays. Nothing is interpolated: where fewer runs have a value, the count says so.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import namedtuple
from math import isfinite, sqrt
from operator import sub

from . import thinning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Sequence, Tuple

    Line = Tuple[array[float], array[float]]

RANGE, STD, SEM = "range", "std", "sem"
MOST_COUNTED = 65535
_ROUNDING = 1e-9  # what a division may be off by


class Band(namedtuple("Band", ["xs", "mean", "low", "high", "counts"])):
    """A mean line with its band: five arrays of equal length; ``counts`` says how many runs are behind each point."""

    __slots__ = ()

    xs: array[float]
    mean: array[float]
    low: array[float]
    high: array[float]
    counts: array[int]


class _Cell(namedtuple("_Cell", ["x", "mean", "least", "most"])):
    """What one run comes to in one column."""

    __slots__ = ()


def make_band(lines: Sequence[Line], width: int, kind: str, bounds: Optional[thinning.Range] = None) -> Band:
    """Return what lines come to, in at most *width* columns.

    Args:
        lines: Of each run x (ascending) and y. Values that are not finite count for nothing.
        width: Columns of pixels.
        kind: ``range`` (least to greatest), ``std`` (sample standard deviation around the mean), ``sem`` (its standard
            error).
        bounds: The range of x that is shown; None: all.
    """
    lines = [_cut(line, bounds) for line in lines]
    lines = [line for line in lines if len(line[0])]
    if not lines:
        return Band(array("d"), array("d"), array("d"), array("d"), array("H"))
    cells = _by_place(lines) if _is_short(lines, width) else _by_column(lines, width)
    band = Band(array("d"), array("d"), array("d"), array("d"), array("H"))
    for column in cells:
        means = [cell.mean for cell in column]
        middle = sum(means) / len(means)
        if kind == RANGE:
            low, high = min(cell.least for cell in column), max(cell.most for cell in column)
        else:
            spread = _deviation(means, middle) / (sqrt(len(means)) if kind == SEM else 1.0)
            low, high = middle - spread, middle + spread
        band.xs.append(min(cell.x for cell in column))
        band.mean.append(middle)
        band.low.append(low)
        band.high.append(high)
        band.counts.append(min(len(column), MOST_COUNTED))
    return band


def _cut(line: Line, bounds: Optional[thinning.Range]) -> Line:
    start, stop = thinning.window(line[0], bounds)
    return (line[0][start:stop], line[1][start:stop])


def _is_short(lines: Sequence[Line], width: int) -> bool:
    """Tell whether each place on the axis can be a column of its own: they are few, and the runs share them."""
    longest = max(lines, key=lambda line: len(line[0]))[0]
    if len(longest) > 2 * width:
        return False
    return all(_has_all_between(longest, xs) for xs, _ in lines)


def _has_all_between(longest: Sequence[float], xs: Sequence[float]) -> bool:
    """Tell whether a line has the same places as the longest one between its own ends.

    One that has every second of them would be in and out of the mean by turns, which then jumps.
    """
    return set(xs) == set(longest[bisect_left(longest, xs[0]) : bisect_right(longest, xs[-1])])


def _by_place(lines: Sequence[Line]) -> List[List[_Cell]]:
    found: Dict[float, List[_Cell]] = {}
    for xs, ys in lines:
        for x, y in zip(xs, ys):
            if isfinite(y):
                found.setdefault(x, []).append(_Cell(x, y, y, y))
    return [found[x] for x in sorted(found)]


def _by_column(lines: Sequence[Line], width: int) -> List[List[_Cell]]:
    """Return the runs' cells by column; columns are wide enough that each run has a value in each that it passes."""
    low, high = min(xs[0] for xs, _ in lines), max(xs[-1] for xs, _ in lines)
    span = high - low
    if span <= 0:
        return _by_place(lines)
    for xs, _ in lines:
        if len(xs) > 1 and xs[-1] > xs[0]:
            width = max(1, min(width, int(span / _usual_step(xs) + _ROUNDING)))
    columns: List[List[_Cell]] = [[] for _ in range(width)]
    for xs, ys in lines:
        here = 0
        for number in range(width):
            there = len(xs) if number == width - 1 else bisect_left(xs, low + span * (number + 1) / width, here)
            if there > here:
                part: Sequence[float] = ys[here:there]
                total = sum(part)
                if not isfinite(total):
                    part = [value for value in part if isfinite(value)]
                    total = sum(part)
                if part:
                    columns[number].append(_Cell(xs[here], total / len(part), min(part), max(part)))
                here = there
    return [column for column in columns if column]


def _usual_step(xs: Sequence[float]) -> float:
    """Return how far apart values are that come as regularly as these: on average, and for nine of ten at most."""
    steps = sorted(map(sub, xs[1:], xs))
    usual: float = max((xs[-1] - xs[0]) / len(steps), steps[len(steps) * 9 // 10 - (len(steps) >= 10)])
    return usual


def _deviation(values: Sequence[float], middle: float) -> float:
    if len(values) < 2:
        return 0.0
    return sqrt(sum((value - middle) ** 2 for value in values) / (len(values) - 1))
