"""What of a history is drawn: against which x, how smooth, and which of a million points?

Pure, and on plain arrays.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from math import isfinite, nan

from .. import series

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Sequence, Tuple

    from ..records import Columns
    from .fitted import Range

    Points = Tuple[Sequence[float], Sequence[float]]

_PER_COLUMN = 2 * 5  # dots side by side in a column, and what stands for all the rows in one of them
_PER_BEND = 8  # times as many where x may go back and forth


def by_step(history: Columns, columns: int, weight: float = 0.0, x_range: Range = (None, None)) -> Points:
    """Return the points of a history against its steps.

    Args:
        history: One row for each step, sorted; see ``series.latest_per_step``.
        columns: How many columns of a terminal they are drawn on.
        weight: How smooth, from 0 to below 1; see ``series.smooth``.
        x_range: The part of the axis that is shown; what lies beyond is left out but for the next point.
    """
    values = series.smooth(series.to_floats(history.values), weight)
    part = _part(history.steps, x_range)
    return _thinned(history.steps[part], history.steps[part], values[part], columns * _PER_COLUMN)


def by_time(
    history: Columns, start_ms: int, columns: int, weight: float = 0.0, x_range: Range = (None, None)
) -> Points:
    """Return the points of a history against the seconds since *start_ms*, in the order of time; see ``by_step``."""
    values = series.smooth(series.to_floats(history.values), weight)
    times = history.timestamps
    order = range(len(times))
    if any(before > after for before, after in zip(times, times[1:])):  # the clock was set back, or steps were
        order = sorted(order, key=times.__getitem__)  # type: ignore[assignment]
        times, values = array("q", map(times.__getitem__, order)), array("d", map(values.__getitem__, order))
    low, high = (None if end is None else end * 1000 + start_ms for end in x_range)
    part = _part(times, (low, high))
    times, values = times[part], values[part]
    places = series.downsample(times, values, columns * _PER_COLUMN)
    return [(times[place] - start_ms) / 1000 for place in places], [values[place] for place in places]


def by_metric(history: Columns, other: Columns, columns: int, weight: float = 0.0) -> Points:
    """Return the points of a history against the values of another metric at the same steps; see ``by_step``.

    Steps that only one of them has are left out, and those where the other is no finite number.
    """
    values = series.smooth(series.to_floats(history.values), weight)
    places = dict(zip(other.steps, series.to_floats(other.values)))
    steps, xs, ys = array("q"), array("d"), array("d")
    for step, y in zip(history.steps, values):
        x = places.get(step)
        if x is not None and isfinite(x):
            steps.append(step)
            xs.append(x)
            ys.append(y)
    return _thinned(steps, xs, ys, columns * _PER_COLUMN * _PER_BEND)


def of_group(
    steps: Sequence[int],
    values: Sequence[Optional[float]],
    columns: int,
    weight: float = 0.0,
    x_range: Range = (None, None),
) -> Points:
    """Return the points of what a group of runs comes to at each step; None is no number. See ``by_step``."""
    floats = array("d", (nan if value is None else value for value in values))
    ordered, part = array("q", steps), _part(steps, x_range)
    return _thinned(ordered[part], ordered[part], series.smooth(floats, weight)[part], columns * _PER_COLUMN)


def _part(ordered: Sequence[float], x_range: Range) -> slice:
    """Return which of the ordered places lie in a range, with the next one at each end: lines go on to there."""
    low, high = x_range
    first = 0 if low is None else max(0, bisect_left(ordered, low) - 1)
    return slice(first, len(ordered) if high is None else bisect_right(ordered, high) + 1)


def _thinned(steps: array[int], xs: Sequence[float], ys: array[float], most: int) -> Points:
    places = series.downsample(steps, ys, most)
    return [xs[place] for place in places], [ys[place] for place in places]
