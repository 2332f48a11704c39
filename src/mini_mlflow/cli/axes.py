"""Which part of an axis is shown, where does a value lie on it, and which round values are marked?

Pure, and on floats and integers alone.
"""

from __future__ import annotations

from collections import namedtuple
from math import ceil, floor, inf, log10

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence, Tuple

_ROUND = (1, 2, 5)
_PLAIN_FROM, _PLAIN_BELOW = 1e-4, 1e7  # numbers of other sizes are written with an exponent
_LEAST, _GREATEST = 1e-300, 1.7976931348623157e308  # of ranges: powers of ten below and above are no floats
_FLAT = 1e-9  # a range that is narrower than this share of its values shows but their rounding
_SECOND, _MINUTE, _HOUR, _DAY = 1, 60, 3600, 86400
_DURATIONS = [
    *(_SECOND * count for count in (1, 2, 5, 10, 15, 30)),
    *(_MINUTE * count for count in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * count for count in (1, 2, 3, 6, 12)),
]


class Tick(namedtuple("Tick", ["value", "label"])):
    """A round value that is marked on an axis."""

    __slots__ = ()

    value: float
    label: str


class Axis(namedtuple("Axis", ["low", "high", "is_log"])):
    """The part of an axis that is shown.

    Attributes:
        low: The least value.
        high: The greatest, above it; both are finite, and above 0 on a logarithmic axis.
        is_log: Whether equal factors are equally long, instead of equal differences.
    """

    __slots__ = ()

    low: float
    high: float
    is_log: bool

    def place(self, value: float) -> float:
        """Return where a value lies: 0 at the low end, 1 at the high one; beyond them where it is not shown.

        Args:
            value: Finite, and above 0 on a logarithmic axis.
        """
        if self.is_log:
            low = log10(self.low)
            return (log10(value) - low) / (log10(self.high) - low)
        # Halves, as the difference of two floats may be beyond all floats.
        return (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)


def span(values: Sequence[float], *, is_log: bool = False) -> Optional[Axis]:
    """Return the axis on which all values lie; where they are all the same, they lie in its middle.

    Args:
        values: Finite numbers.
        is_log: Whether the axis is logarithmic: what is not above 0 has no place on it, and is passed over.

    Returns:
        None where no value has a place.
    """
    if is_log:
        values = [value for value in values if value > 0]
    if not values:
        return None
    low, high = min(values), max(values)
    if is_log:
        if log10(high) - log10(low) < _FLAT:
            return Axis(max(low / 2, 5e-324), min(high * 2, _GREATEST), is_log)
        return Axis(low, high, is_log)
    room = max(abs(low), abs(high))
    if high / 2 - low / 2 <= room / 2 * _FLAT:
        room = room / 10 or 1.0
        return Axis(max(low - room, -_GREATEST), min(high + room, _GREATEST), is_log)
    return Axis(low, high, is_log)


def list_ticks(axis: Axis, most: int, *, is_whole: bool = False) -> List[Tick]:
    """Return the round values to mark on an axis: 1, 2 or 5 times a power of ten apart, ascending.

    Args:
        axis: The axis.
        most: How many there is room for, at least 1.
        is_whole: Whether only integers are to be marked.
    """
    if axis.is_log:
        ticks = _log_ticks(axis, most)
        if len(ticks) >= min(2, most):
            return ticks
    ticks = _linear_ticks(axis.low, axis.high, most, is_whole=is_whole)
    return [tick for tick in ticks if tick.value > 0 or not axis.is_log]  # 0, where rounding reaches it


def list_time_ticks(axis: Axis, most: int) -> List[Tick]:
    """Return the durations to mark on an axis of seconds: round ones of seconds, minutes, hours or days, ascending."""
    if axis.high - axis.low <= most / 2:
        return [Tick(value, label + "s" if value else label) for value, label in list_ticks(axis, most)]
    width = next((each for each in _DURATIONS if (axis.high - axis.low) / each < most), 0)
    if not width:
        days = _linear_ticks(axis.low / _DAY, axis.high / _DAY, most, is_whole=True)
        return [Tick(day * _DAY, label + "d" if day else label) for day, label in days]
    first, last = ceil(axis.low / width), floor(axis.high / width)
    return [Tick(float(number * width), render_duration(number * width)) for number in range(first, last + 1)]


def render_duration(seconds: int) -> str:
    """Return a whole number of seconds in the fewest units that tell it: ``90`` is ``1m30s``, 0 is ``0``."""
    rest, parts = abs(seconds), []
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m"), (_SECOND, "s")):
        count, rest = divmod(rest, size)
        if count:
            parts.append("%d%s" % (count, unit))
    return ("-" if seconds < 0 else "") + ("".join(parts) or "0")


def _linear_ticks(low: float, high: float, most: int, *, is_whole: bool) -> List[Tick]:
    factor, exponent = _width(low, high, most)
    if is_whole and exponent < 0:
        factor, exponent = 1, 0
    unit = factor * 10.0**exponent
    first, last = ceil(low / unit - _FLAT), floor(high / unit + _FLAT)
    while last - first >= most:  # rounding, or integers that are farther apart than there is room for
        factor, exponent = _next_width(factor, exponent)
        unit = factor * 10.0**exponent
        first, last = ceil(low / unit - _FLAT), floor(high / unit + _FLAT)
    counts = [number * factor for number in range(first, last + 1)]
    is_plain = max([abs(low), abs(high)]) < _PLAIN_BELOW and (exponent >= -4 or not counts)
    values = [float("%de%d" % (count, exponent)) for count in counts]
    if is_plain:
        form = "{:,.0f}" if is_whole else "{:.%df}" % max(0, -exponent)
        return [Tick(value, form.format(value)) for value in values]
    return [Tick(value, render_scientific(count, exponent)) for value, count in zip(values, counts)]


def _log_ticks(axis: Axis, most: int) -> List[Tick]:
    first, last = floor(log10(axis.low)) - 1, ceil(log10(axis.high)) + 1
    for factors, apart in [(_ROUND, 1), *(((1,), count) for count in range(1, last - first + 2))]:
        places = [(factor, power) for power in range(first, last + 1) if power % apart == 0 for factor in factors]
        ticks = [
            Tick(value, _render_power(factor, power))
            for value, factor, power in ((_power(factor, power), factor, power) for factor, power in places)
            if axis.low <= value <= axis.high
        ]
        if len(ticks) <= most:
            return ticks
    return []


def render_scientific(count: int, exponent: int) -> str:
    """Return *count* times a power of ten as ``3.2e-5``."""
    digits = str(abs(count)).rstrip("0")
    if not digits:
        return "0"
    power = exponent + len(str(abs(count))) - 1
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return "%s%se%d" % ("-" if count < 0 else "", mantissa, power)


def _power(factor: int, power: int) -> float:
    """Return a factor times a power of ten; beyond what floats hold: infinity, or 0, which no axis has."""
    try:
        return float("%de%d" % (factor, power))
    except OverflowError:
        return inf


def _render_power(factor: int, power: int) -> str:
    if _PLAIN_FROM <= _power(factor, power) < _PLAIN_BELOW:
        return "%.*f" % (max(0, -power), _power(factor, power))
    return render_scientific(factor, power)


def _width(low: float, high: float, most: int) -> Tuple[int, int]:
    """Return the least factor of 1, 2 or 5, and power of ten, by which a range is cut into at most *most* parts."""
    least = max(min(high - low, _GREATEST) / most, _LEAST)
    exponent = floor(log10(least))
    for factor in _ROUND:
        if factor * 10.0**exponent >= least:
            return factor, exponent
    return 1, exponent + 1


def _next_width(factor: int, exponent: int) -> Tuple[int, int]:
    return {1: (2, exponent), 2: (5, exponent), 5: (1, exponent + 1)}[factor]
