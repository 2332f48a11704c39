"""Which part of an axis do words such as ``0.2:0.5``, ``:1`` or ``10m:2h`` mean?"""

from __future__ import annotations

from math import isfinite

from .failures import USAGE, CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .fitted import Range

ANYWHERE = (None, None)


def read_limits(text: Optional[str], option: str, *, is_time: bool = False, is_log: bool = False) -> Range:
    """Return the ends of an axis, None where they are fitted.

    Args:
        text: Two numbers and a colon between them, either of which may be missing; None: both are.
        option: Where it stands, for the error.
        is_time: Whether seconds are meant, and ``10m`` may stand for 600.
        is_log: Whether only what is above 0 has a place.

    Raises:
        CommandError: It cannot be read, or shows nothing.
    """
    if text is None:
        return ANYWHERE
    first, colon, last = (part.strip() for part in text.partition(":"))
    if not colon or not (first or last):
        raise _unreadable(text, option, is_time=is_time)
    low, high = (_read(each, text, option, is_time=is_time) if each else None for each in (first, last))
    if low is not None and high is not None and low >= high:
        raise CommandError("%s %s shows nothing: the lower end comes first" % (option, text), USAGE)
    if is_log and any(end is not None and end <= 0 for end in (low, high)):
        raise CommandError("%s %s does not go with --log: its ends are above 0" % (option, text), USAGE)
    return low, high


def _read(word: str, text: str, option: str, *, is_time: bool) -> float:
    try:
        value = float(word)
    except ValueError:
        from ..query.times import parse_duration  # few name a time

        seconds = parse_duration(word) if is_time else None
        value = float("nan") if seconds is None else seconds
    if not isfinite(value):
        raise _unreadable(text, option, is_time=is_time)
    return value


def _unreadable(text: str, option: str, *, is_time: bool) -> CommandError:
    such = "10m:2h, :30m or 0:600 (seconds)" if is_time else "0.2:0.5, 0.2: or :0.5"
    return CommandError("%s '%s' is no LO:HI, such as %s" % (option, text, such), USAGE)
