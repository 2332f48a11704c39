"""How do times look: an age, how long something took, the clock, a moment for programs?"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_YEAR = 365.2425 * _DAY


def age(seconds: float) -> str:
    """Return how long ago something was, in two to four characters: ``12s 5m 3h 12d 5w 8mo 2y``."""
    seconds = max(0.0, seconds)
    for limit, unit, name in (
        (_MINUTE, 1, "s"),
        (_HOUR, _MINUTE, "m"),
        (_DAY, _HOUR, "h"),
        (14 * _DAY, _DAY, "d"),
        (61 * _DAY, 7 * _DAY, "w"),
        (2 * _YEAR, _YEAR / 12, "mo"),
    ):
        if seconds < limit:
            return "%d%s" % (seconds // unit, name)
    return "%dy" % (seconds // _YEAR)


def took(seconds: float) -> str:
    """Return a length of time: ``8.2s 41s 4m36s 3h07m 4d03h``."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return "%.1fs" % seconds
    whole = int(seconds + 0.5)
    if whole < _MINUTE:
        return "%ds" % whole
    if whole < _HOUR:
        return "%dm%02ds" % divmod(whole, _MINUTE)
    if whole < _DAY:
        return "%dh%02dm" % divmod(whole // _MINUTE, 60)
    return "%dd%02dh" % divmod(whole // _HOUR, 24)


def clock(timestamp_ms: int) -> str:
    """Return the local time of day of a moment: ``15:41:07``."""
    return _local(timestamp_ms, "%H:%M:%S")


def date_and_clock(timestamp_ms: int) -> str:
    """Return a moment in local time: ``2026-11-23 15:41:07``."""
    return _local(timestamp_ms, "%Y-%m-%d %H:%M:%S")


def iso(timestamp_ms: Optional[int]) -> Optional[str]:
    """Return a moment in UTC for programs: ``2026-11-23T15:41:07.112Z``; None where none is known."""
    if timestamp_ms is None:
        return None
    try:
        moment = _EPOCH + timedelta(milliseconds=timestamp_ms)
    except OverflowError:
        return None  # after the year 9999
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (timestamp_ms % 1000)


def _local(timestamp_ms: int, form: str) -> str:
    try:
        return (_EPOCH + timedelta(milliseconds=timestamp_ms)).astimezone().strftime(form)
    except (OverflowError, ValueError, OSError):
        return "?"
