"""Which part of its axes does a chart show: all of its curves, what most of them do later on, or what a user names?

Pure, and on floats and integers alone.
"""

from __future__ import annotations

from collections import namedtuple
from math import inf, log10

from . import axes
from .axes import Axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence, Tuple

    from .canvas import Pen
    from .chart import Curve, View

    Range = Tuple[Optional[float], Optional[float]]

_FIRST = 10  # zoomed: one part of so many at the beginning of the x-axis does not count
_SPIKES = 50  # zoomed: one value of so many may be a spike, at each end
_FEWEST_CURVES = 4  # of which one may lie far from the others
_FAR_SHARE = 4  # at most one curve of so many
_WORTH = 1.5  # times as much room for the rest: for less, nothing is left out


class Beyond(namedtuple("Beyond", ["pen", "value"])):
    """A curve that a zoomed chart does not show whole: what it is drawn with, and its farthest value."""

    __slots__ = ()

    pen: Pen
    value: float


def fit(curves: Sequence[Curve], view: View) -> Tuple[Optional[Axis], Optional[Axis]]:
    """Return the axes of a chart; None where no value has a place on them.

    Args:
        curves: What is drawn.
        view: How they are looked at. What its ranges leave open is fitted to the values within the other range; zoomed,
            to those after the first tenth, without the spikes (2 % of the values of a curve at each end) and without
            curves that go farther from the middle ones than these are high, where at least four are drawn and one of
            four does so at most; but for less than half as much room again, nothing is left out.
    """
    x_axis = _fit_x(curves, view.x_range)
    if x_axis is None:
        return None, None
    shown = _values(curves, view, x_axis.low, x_axis.high)
    late = _values(curves, view, _late(x_axis), x_axis.high) if view.is_zoomed else []
    values = [value for each in shown for value in each]
    if not values:
        return None, None
    fitted = _most(late, is_log=view.is_log) if any(late) else values
    low, high = view.y_range
    if low is None and high is None:
        return x_axis, axes.span(fitted, is_log=view.is_log)
    low, high = min(fitted) if low is None else low, max(fitted) if high is None else high
    if not any(low <= value <= high for value in values):
        return None, None
    is_long = low < high and _length(low, high, is_log=view.is_log) > 0
    return x_axis, Axis(low, high, view.is_log) if is_long else axes.span([low], is_log=view.is_log)


def list_beyond(curves: Sequence[Curve], view: View) -> List[Beyond]:
    """Return the curves that zooming leaves out in part, but for the first tenth; none where a user names the range."""
    x_axis, y_axis = fit(curves, view)
    if not view.is_zoomed or view.y_range != (None, None) or x_axis is None or y_axis is None:
        return []
    found = []
    for curve, values in zip(curves, _values(curves, view, _late(x_axis), x_axis.high)):
        far = [value for value in values if not y_axis.low <= value <= y_axis.high]
        if far:
            found.append(Beyond(curve.pen, max(far, key=lambda value: abs(y_axis.place(value) - 0.5))))
    return found


def _fit_x(curves: Sequence[Curve], wanted: Range) -> Optional[Axis]:
    places = [x for curve in curves for xs in [curve.xs, *(edge for edge, _ in curve.edges)] for x in xs]
    if not places:
        return None
    low, high = min(places), max(places)
    low, high = low if wanted[0] is None else wanted[0], high if wanted[1] is None else wanted[1]
    if _length(low, high, is_log=False) > 0:
        return Axis(low, high, is_log=False)
    is_place = wanted == (None, None) or low <= high  # of floats beside each other, halves may be the same
    return Axis(low, low + max(1.0, abs(low) / 1e6), is_log=False) if is_place else None


def _late(x_axis: Axis) -> float:
    return x_axis.low + (x_axis.high / _FIRST - x_axis.low / _FIRST)


def _values(curves: Sequence[Curve], view: View, first: float, last: float) -> List[List[float]]:
    """Return the values of each curve between two places that can be shown at all."""
    least = 0.0 if view.is_log else -inf
    return [
        [
            y
            for xs, ys in [(curve.xs, curve.ys), *curve.edges]
            for x, y in zip(xs, ys)
            if first <= x <= last and least < y < inf
        ]
        for curve in curves
    ]


def _most(late: Sequence[Sequence[float]], *, is_log: bool) -> List[float]:
    """Return the least and the greatest value of what most curves do most of the time; of all where that is no gain."""
    there = [values for values in late if values]
    wholes = [(min(values), max(values)) for values in there]
    spans = [_without_spikes(values) for values in there]
    near = _find_near(spans, is_log=is_log)
    of_near = _tighter(_around(wholes, near), _around(spans, near), is_log=is_log)
    return list(_tighter(_around(wholes, range(len(wholes))), of_near, is_log=is_log))


def _around(spans: Sequence[Tuple[float, float]], places: Sequence[int]) -> Tuple[float, float]:
    return min(spans[place][0] for place in places), max(spans[place][1] for place in places)


def _tighter(whole: Tuple[float, float], part: Tuple[float, float], *, is_log: bool) -> Tuple[float, float]:
    """Return a part where that gives what is left enough more room, else the whole."""
    is_worth = part[0] < part[1] and _length(*whole, is_log=is_log) > _WORTH * _length(*part, is_log=is_log)
    return part if is_worth else whole


def _without_spikes(values: Sequence[float]) -> Tuple[float, float]:
    placed, cut = sorted(values), len(values) // _SPIKES
    return placed[cut], placed[-1 - cut]


def _find_near(spans: Sequence[Tuple[float, float]], *, is_log: bool) -> Sequence[int]:
    """Return the places of the curves that are not far from the others; all where too many are."""
    if len(spans) < _FEWEST_CURVES:
        return range(len(spans))
    low, high = (sorted(ends)[len(spans) // 2] for ends in zip(*spans))
    room = _length(low, high, is_log=is_log)
    near = [
        place
        for place, span in enumerate(spans)
        if _length(span[0], low, is_log=is_log) <= room and _length(high, span[1], is_log=is_log) <= room
    ]
    return near if (len(spans) - len(near)) * _FAR_SHARE <= len(spans) else range(len(spans))


def _length(low: float, high: float, *, is_log: bool) -> float:
    """Return how far it is from one value to another, halved, as the whole may be beyond all floats."""
    return log10(high) / 2 - log10(low) / 2 if is_log else high / 2 - low / 2
