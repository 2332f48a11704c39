"""Which moment or length of time does a word of a filter mean?"""

from __future__ import annotations

import re
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = r"([0-9]+(?:\.[0-9]+)?)(ms|s|min|m|h|d|w)"
_MOMENT = (
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)


def parse_duration(text: str) -> Optional[float]:
    """Return a length of time such as ``2h`` or ``1.5d`` in seconds, None where it is none."""
    match = re.fullmatch(_DURATION, text)
    return float(match.group(1)) * _UNITS_S[match.group(2)] if match else None


def duration_s(status: Any, start_ms: Optional[int], end_ms: Optional[int], now_ms: int) -> Optional[float]:
    """Return how long a run took, or has taken so far; None where nobody knows, as of one that is lost."""
    until = now_ms if end_ms is None and status == "RUNNING" else end_ms
    return None if start_ms is None or until is None else max(0, until - start_ms) / 1000


def parse_moment(text: str) -> Optional[int]:
    """Return a moment in milliseconds since 1970-01-01 UTC, None where the text is none.

    Args:
        text: ``2026-11-01``, with a time of day if wanted, and ``Z`` or ``+02:00``; without these in the time zone of
            this machine.
    """
    match = re.fullmatch(_MOMENT, text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60 and year >= 1970):
        return None
    from calendar import timegm  # costs a millisecond or two, and few filters name a date

    parts = (year, month, day, hour, minute, second)
    if time.gmtime(timegm((*parts, 0, 0, 0)))[:3] != parts[:3]:
        return None  # the 31st of a month that has 30 days
    zone = match.group(8)
    if zone is None:
        try:
            seconds = time.mktime((*parts, 0, 0, -1))
        except (OverflowError, ValueError):
            return None
    else:
        seconds = timegm((*parts, 0, 0, 0)) - (0 if zone == "Z" else _offset_s(zone))
    return int(seconds) * 1000 + int((match.group(7) or "0").ljust(6, "0")) // 1000


def _offset_s(zone: str) -> int:
    seconds = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return -seconds if zone[0] == "-" else seconds
