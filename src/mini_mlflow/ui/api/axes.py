"""Where on the x-axis does each row of a history lie?"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import namedtuple
from math import isfinite
from operator import le

from ...errors import InvalidValueError, shown
from ...series import to_floats
from . import thinning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List, Optional, Sequence, Tuple

    from .histories import History

STEP, TIME, RELATIVE = "step", "time", "relative"
_METRIC = "metrics."
_MOST_AXES = 4  # that a history is kept placed on


class Placed(namedtuple("Placed", ["xs", "ys", "places", "gaps"])):
    """A history on an axis.

    Attributes:
        xs: Ascending.
        ys: As many.
        places: Of each its row in the history; None: all rows in their order.
        gaps: See ``thinning.find_gaps``.
    """

    __slots__ = ()

    xs: array[float]
    ys: array[float]
    places: Optional[Sequence[int]]
    gaps: List[List[float]]


def check_axis(name: str) -> str:
    """Return the name of an axis.

    Raises:
        InvalidValueError: There is no such axis.
    """
    if name in (STEP, TIME, RELATIVE) or (name.startswith(_METRIC) and len(name) > len(_METRIC)):
        return name
    raise InvalidValueError("x must be step, time, relative or metrics.KEY, got %s." % shown(name), value=None)


def other_metric(name: str) -> Optional[str]:
    """Return the metric that is the axis, None where it is none."""
    return name[len(_METRIC) :] if name.startswith(_METRIC) else None


def place_rows(history: History, name: str, start_ms: Optional[int], find_other: Callable[[str], History]) -> Placed:
    """Return the rows of a history on an axis.

    Args:
        history: The metric.
        name: The axis.
        start_ms: When the run started; None: with its first row.
        find_other: Gives another metric of the same run.
    """
    key = other_metric(name)
    other = None if key is None else find_other(key)
    # Of the metrics the last one asked for is kept: it takes more memory than an axis of the history's own.
    kind = name if other is None else _METRIC, start_ms if name == RELATIVE else None
    kept: Tuple[Optional[History], Optional[Placed]] = history.placed.get(kind, (None, None))
    of, placed = kept
    if placed is None or of is not other:  # a metric that has grown is another history
        placed = _by_own(history, name, start_ms) if other is None else _by_metric(history, other)
        history.placed[kind] = other, placed
        while len(history.placed) > _MOST_AXES:
            history.placed.pop(next(iter(history.placed)), None)
    return placed


def _by_own(history: History, name: str, start_ms: Optional[int]) -> Placed:
    xs, ys = _own_xs(history, name, start_ms), history.floats
    places: Optional[List[int]] = None
    if name != STEP and not all(map(le, xs, xs[1:])):
        places = sorted(range(len(xs)), key=xs.__getitem__)
        xs, ys = (array("d", map(column.__getitem__, places)) for column in (xs, ys))
    return Placed(xs, ys, places, thinning.find_gaps(xs))


def _own_xs(history: History, name: str, start_ms: Optional[int]) -> array[float]:
    steps, timestamps = history.columns.steps, history.columns.timestamps
    if name == STEP:
        return array("d", steps)
    if name == TIME:
        return array("d", timestamps)
    first = min(timestamps, default=0) if start_ms is None else start_ms
    return array("d", [(timestamp - first) / 1000 for timestamp in timestamps])


def _by_metric(history: History, other: History) -> Placed:
    steps, xs = other.columns.steps, to_floats(other.columns.values)
    found = []
    for place, step in enumerate(history.columns.steps):
        there = bisect_left(steps, step)
        if there < len(steps) and steps[there] == step and isfinite(xs[there]):
            found.append((xs[there], place))
    found.sort()
    places = array("q", [place for _, place in found])
    ys = array("d", map(history.floats.__getitem__, places))
    return Placed(array("d", [x for x, _ in found]), ys, places, [])
