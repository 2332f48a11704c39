"""Which points of a history does a chart of so many pixels need?

Pure, and on plain arrays. Of each column of pixels the least and the greatest value are kept at their own places, so
that a line through them covers what the line through all rows covers; the first and the last row, and of each column
its first value that is not finite, are kept, too. Nothing is made up.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import namedtuple
from math import isfinite, nan
from operator import sub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence, Tuple

    Range = Tuple[float, float]

MOST_GAPS = 100
_FAR = 5.0  # times the distance of its neighbours is a gap
_SHOWN_DIFFERENCES = 4096  # what the height of a chart can show of a range


def window(xs: Sequence[float], bounds: Optional[Range]) -> Tuple[int, int]:
    """Return from where to where the rows lie that a range needs: those in it, and the neighbour on either side.

    Args:
        xs: Ascending.
        bounds: The least and the greatest x; None: all.
    """
    if bounds is None:
        return 0, len(xs)
    start, stop = bisect_left(xs, bounds[0]), bisect_right(xs, bounds[1])
    return max(0, start - 1), min(len(xs), stop + 1)


def thin(
    xs: Sequence[float], values: array[float], width: int, bounds: Optional[Range] = None, *, is_finite: bool = False
) -> Sequence[int]:
    """Return the places of the rows that a chart needs, ascending.

    Args:
        xs: Ascending.
        values: As many.
        width: Columns of pixels.
        bounds: The least and the greatest x that is shown; None: all.
        is_finite: Whether it is known that all values are finite.
    """
    start, stop = window(xs, bounds)
    if stop - start <= 2 * width:
        return range(start, stop)
    low, high = (xs[start], xs[stop - 1]) if bounds is None else bounds
    kept = [start]
    here = start
    for column in range(1, width + 1):
        there = stop if column == width else bisect_left(xs, low + (high - low) * column / width, here, stop)
        if there > here:
            if is_finite and there - here > 2:
                part = values[here:there]
                kept += (here + part.index(min(part)), here + part.index(max(part)))
            else:
                kept += _extremes(values, here, there)
            here = there
    kept.append(stop - 1)
    return sorted(set(kept))


class Means(namedtuple("Means", ["xs", "ys", "counts"])):
    """What the rows of each column of pixels come to: mean x, mean of the finite values, how many values.

    A column that holds a value that is not finite has NaN as its mean.
    """

    __slots__ = ()

    xs: array[float]
    ys: array[float]
    counts: array[int]


def column_means(xs: array[float], values: array[float], width: int, bounds: Optional[Range] = None) -> Means:
    """Return the means of each column that has rows; see ``thin`` for the columns."""
    start, stop = window(xs, bounds)
    means = Means(array("d"), array("d"), array("I"))
    if stop <= start:
        return means
    low, high = (xs[start], xs[stop - 1]) if bounds is None else bounds
    here = start
    for column in range(1, width + 1):
        there = stop if column == width else bisect_left(xs, low + (high - low) * column / width, here, stop)
        if there > here:
            mean = sum(values[here:there]) / (there - here)
            means.xs.append(sum(xs[here:there]) / (there - here))
            means.ys.append(mean if isfinite(mean) else nan)
            means.counts.append(there - here)
            here = there
    return means


def find_gaps(xs: Sequence[float]) -> List[List[float]]:
    """Return where nothing was logged for much longer than usual: the x before and the x after.

    That is five times as far as on either side, and as the median. Rows at the same x are one place.
    """
    if len(xs) < 4:
        return []
    steps = list(map(sub, xs[1:], xs))
    if min(steps) <= 0:
        xs = [xs[0], *(x for x, step in zip(xs[1:], steps) if step > 0)]
        return find_gaps(xs)
    if max(steps) <= _FAR * min(steps):
        return []
    least = _FAR * sorted(steps)[len(steps) // 2]
    found = []
    for place, step in enumerate(steps):
        if step > least and step > _FAR * max(steps[max(0, place - 1) : place] + steps[place + 1 : place + 2]):
            found.append([xs[place], xs[place + 1]])
            if len(found) == MOST_GAPS:
                break
    return found


def needs_doubles(values: Sequence[float]) -> bool:
    """Tell whether floats of 32 bits are too coarse, or too small, for values: their chart would show steps."""
    finite = [value for value in values if isfinite(value)]
    if not finite:
        return False
    least, most = min(finite), max(finite)
    size = max(abs(least), abs(most))
    if size > 3e38 or 0 < size < 1e-30:
        return True
    return 0 < most - least < size * 2.0**-24 * _SHOWN_DIFFERENCES


def first_not_finite(values: Sequence[float]) -> Optional[int]:
    """Return the place of the first value that is NaN or infinite, None where all are finite."""
    if not len(values) or isfinite(sum(values)):  # a sum that overflows is looked at value by value
        return None
    return next((place for place, value in enumerate(values) if not isfinite(value)), None)


def _extremes(values: array[float], start: int, stop: int) -> Sequence[int]:
    """Return the places of the least and the greatest value, and of the first one that is not finite."""
    if stop - start <= 2:
        return range(start, stop)
    part = values[start:stop]
    broken = first_not_finite(part)
    if broken is None:
        return (start + part.index(min(part)), start + part.index(max(part)))
    finite = [value for value in part if isfinite(value)]
    if not finite:
        return (start + broken,)
    return (start + broken, start + part.index(min(finite)), start + part.index(max(finite)))
