"""What of a history is drawn: against which x, how smooth, and which of a million points?

Pure, and on plain arrays.
"""

from __future__ import annotations

from array import array
from math import isfinite, nan

from .. import series

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Sequence, Tuple

    from ..records import Columns

    Points = Tuple[Sequence[float], Sequence[float]]

_PER_COLUMN = 2 * 5  # dots side by side in a column, and what stands for all the rows in one of them
_PER_BEND = 8  # times as many where x may go back and forth


def by_step(history: Columns, columns: int, weight: float = 0.0, bounds: Optional[Tuple[int, int]] = None) -> Points:
    """Return the points of a history against its steps.

    Args:
        history: One row for each step, sorted; see ``series.latest_per_step``.
        columns: How many columns of a terminal they are drawn on.
        weight: How smooth, from 0 to below 1; see ``series.smooth``.
        bounds: The least and the greatest step of the axis; None: those of the history.
    """
    values = series.smooth(series.to_floats(history.values), weight)
    return _thinned(history.steps, history.steps, values, columns * _PER_COLUMN, bounds)


def by_time(history: Columns, start_ms: int, columns: int, weight: float = 0.0) -> Points:
    """Return the points of a history against the seconds since *start_ms*, in the order of time; see ``by_step``."""
    values = series.smooth(series.to_floats(history.values), weight)
    times = history.timestamps
    order = range(len(times))
    if any(before > after for before, after in zip(times, times[1:])):  # the clock was set back, or steps were
        order = sorted(order, key=times.__getitem__)  # type: ignore[assignment]
        times, values = array("q", map(times.__getitem__, order)), array("d", map(values.__getitem__, order))
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
    return _thinned(steps, xs, ys, columns * _PER_COLUMN * _PER_BEND, None)


def of_group(steps: Sequence[int], values: Sequence[Optional[float]], columns: int, weight: float = 0.0) -> Points:
    """Return the points of what a group of runs comes to at each step; None is no number. See ``by_step``."""
    floats = array("d", (nan if value is None else value for value in values))
    ordered = array("q", steps)
    return _thinned(ordered, ordered, series.smooth(floats, weight), columns * _PER_COLUMN, None)


def _thinned(
    steps: array[int], xs: Sequence[float], ys: array[float], most: int, bounds: Optional[Tuple[int, int]]
) -> Points:
    places = series.downsample(steps, ys, most, bounds)
    return [xs[place] for place in places], [ys[place] for place in places]
