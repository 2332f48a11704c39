"""How do numbers look: those of a column, one alone, a mean with its spread, a difference, a size, a count?"""

from __future__ import annotations

from math import floor, inf, isinf, isnan, log10

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Optional, Sequence, Set

_DIGITS = 4  # of the median of a column
_MOST_DECIMALS = 6
_LARGE = 1e7  # from here on the power of ten is written
_UNITS = 5  # of the last place: a value that is smaller shows its own two digits instead
_GREATEST = 1.7e308
_PARAM_DIGITS = 6  # 0.1 + 0.2 is drawn as 0.3, though it was logged as 0.30000000000000004
_SIZES = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def decimals_of(values: Iterable[Optional[float]], digits: int = _DIGITS) -> int:
    """Return how many decimals the numbers of a column get: the median with four digits, six decimals at most.

    Args:
        values: The numbers; None, NaN and infinities count for nothing. Whole numbers alone need no decimals.
        digits: How many digits the median gets.
    """
    sizes = []
    is_whole = True
    for value in values:
        size = _size(value)
        if size is not None:
            sizes.append(size)
            is_whole = is_whole and size == floor(size)
    sizes.sort()
    if not sizes or is_whole:
        return 0
    usual = [size for size in sizes if 0 < size < _LARGE] or [1.0]
    median = usual[len(usual) // 2]
    return max(0, min(_MOST_DECIMALS, digits - 1 - _exponent(median)))


def number(value: Optional[float], decimals: int, none: str = "–") -> str:
    """Return one number with so many decimals, as a power of ten where these do not show it.

    Args:
        value: The number; None becomes *none*.
        decimals: As ``decimals_of`` says for its column.
        none: What stands for no number.
    """
    if value is None:
        return none
    size = _size(value)
    if size is None:
        return "NaN" if isnan(value) else "inf" if value > 0 else "-inf"
    if size >= _LARGE or (size < _UNITS * 10.0**-decimals and size != floor(size)):
        return scientific(value)
    return "%.*f" % (decimals, value)


def fixed(value: float, decimals: int) -> str:
    """Return one number with so many decimals, also where they show nothing of it."""
    return "%.*f" % (decimals, value) if abs(value) < _LARGE else number(value, decimals)


def scientific(value: float) -> str:
    """Return a number with two digits and a power of ten: ``3.2e-5``."""
    try:
        mantissa, exponent = ("%.1e" % value).split("e")
    except OverflowError:  # an integer beyond every float
        digits = str(abs(value))
        mantissa, exponent = "%s%s.%s" % ("-" if value < 0 else "", digits[0], digits[1]), str(len(digits) - 1)
    return "%se%d" % (mantissa, int(exponent))


def column(values: Sequence[Optional[float]], none: str = "–", decimals: Optional[int] = None) -> List[str]:
    """Return the numbers of a column with one count of decimals, all equally wide, so that their points align."""
    places = decimals_of(values) if decimals is None else decimals
    texts = [number(value, places, none) for value in values]
    width = max(map(len, texts), default=0)
    return [text.rjust(width) for text in texts]


def alone(value: Optional[float], none: str = "–") -> str:
    """Return a number that stands in no column: four digits."""
    return number(value, decimals_of([value]), none)


def signed(value: float, decimals: int, minus: str = "−") -> str:
    """Return a difference with its sign: ``+0.0587``."""
    text = number(abs(value), decimals)
    return (minus if value < 0 else "+") + text if text != "NaN" else text


def percent(share: float, minus: str = "−") -> str:
    """Return a difference in percent with its sign, never as a power of ten: ``+18.0%``, ``+0.31%``.

    Args:
        share: The difference, in percent.
        minus: The sign of one below 0.

    Returns:
        An empty text where four decimals do not show it, or it is 1000 % and more.
    """
    size = _size(share)
    if size is None or not 5e-5 <= size < 999.95:
        return ""
    return "%s%.*f%%" % (minus if share < 0 else "+", 1 if size >= 1 else min(4, 1 - _exponent(size)), size)


def spread_decimals(means: Iterable[Optional[float]], stds: Iterable[Optional[float]]) -> int:
    """Return how many decimals a column of means with their spread gets: two digits of the median spread."""
    known = [std for std in stds if std]
    return decimals_of(known, 2) if known and not all(map(isinf, known)) else decimals_of(means)


def as_logged(value: object) -> str:
    """Return a param as it was logged; it is not clean yet."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return "NaN" if isnan(value) else ("inf" if value > 0 else "-inf") if isinf(value) else repr(value)
    if value is None or isinstance(value, (bool, int)):
        return _integer(value) if type(value) is int else str(value)
    import json  # params are seldom lists

    return json.dumps(value, ensure_ascii=False)


def params(values: Sequence[object]) -> List[str]:
    """Return params that stand below or beside each other; they are not clean yet.

    They are as they were logged, but floats have no more decimals than six digits leave, and one, unless two different
    params would look alike.
    """
    whole, short = list(map(as_logged, values)), list(map(_shortened, values))
    meant = list(map(_read, short))
    alike: Dict[object, Set[str]] = {}
    for each, read in zip(whole, meant):
        alike.setdefault(read, set()).add(each)
    return [text if len(alike[read]) == 1 else each for each, text, read in zip(whole, short, meant)]


def _read(text: str) -> object:
    """Return what a reader takes a text for: ``1`` and ``1.0`` are one number."""
    try:
        value = float(text)
    except ValueError:
        return text
    return text if isnan(value) or isinf(value) else value


def _shortened(value: object) -> str:
    """Return a param with a short fraction; whole numbers and all else as they were logged."""
    if not isinstance(value, float) or isnan(value) or isinf(value) or value == floor(value):
        return as_logged(value)
    text = "%.*g" % (_PARAM_DIGITS, value) if abs(value) < 10 ** (_PARAM_DIGITS - 1) else "%.1f" % value
    return as_logged(value) if float(text) == value else text


def is_number(value: object) -> bool:
    """Tell whether a value is a number; True and False are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def size(size_bytes: int) -> str:
    """Return a size in powers of 1000: ``45.1 MB``."""
    amount, place = float(size_bytes), 0
    while amount >= (999.95 if place else 1000) and place < len(_SIZES) - 1:
        amount, place = amount / 1000, place + 1
    return "%.1f %s" % (amount, _SIZES[place]) if place else "%d B" % size_bytes


def count(number_of: int) -> str:
    """Return how many: ``1,204``."""
    return format(number_of, ",d")


def counted(number_of: int, what: str, several: str = "") -> str:
    """Return how many of what: ``1 run``, ``1,204 runs``."""
    return "%s %s" % (count(number_of), what if number_of == 1 else several or what + "s")


def _integer(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # Python refuses to write out an integer of thousands of digits
        return hex(value)


def _size(value: Optional[float]) -> Optional[float]:
    """Return how large a finite number is, None where it is none."""
    try:
        if value is None or isnan(value):
            return None
        found = abs(float(value))
    except OverflowError:
        return _GREATEST  # an integer beyond every float
    return None if found == inf else found


def _exponent(value: float) -> int:
    """Return the power of ten of a number above 0, as it is once rounded to four digits."""
    exponent = floor(log10(value))
    return exponent + 1 if value >= 9.9995 * 10.0**exponent else exponent
