"""What time is it, and how does a meta.yaml write a time?"""

from __future__ import annotations

import re
from time import gmtime, strftime, time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"


def now_ms() -> int:
    """Return the time in milliseconds since 1970."""
    return time_ns() // 1000000


def encode_time(microseconds: int) -> str:
    """Return a time since 1970 as meta.yaml has it: ISO 8601 in UTC with microseconds and ``Z`` (rule Y3)."""
    seconds, fraction = divmod(microseconds, 1000000)
    return "%s.%06dZ" % (strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds)), fraction)


def encode_ms(milliseconds: Any) -> Optional[str]:
    """Return milliseconds since 1970 in that form, None for what is no int or beyond the calendar."""
    if type(milliseconds) is not int:
        return None
    try:
        text = encode_time(milliseconds * 1000)
    except (OverflowError, ValueError, OSError):
        return None
    return text if is_time(text) else None


def decode_time(text: Any) -> Optional[int]:
    """Return a time in that form as whole milliseconds since 1970, None for anything else."""
    microseconds = decode_us(text)
    return None if microseconds is None else microseconds // 1000


def decode_us(text: Any) -> Optional[int]:
    """Return a time in that form as microseconds since 1970, None for anything else."""
    if not is_time(text):
        return None
    from calendar import timegm  # costs a millisecond, and only those who ask for times as numbers need it

    parts = [int(part) for part in re.split("[-T:.Z]", text)[:7]]
    try:
        return timegm((*parts[:6], 0, 0, 0)) * 1000000 + parts[6]
    except ValueError:  # of the 41st of the 13th month
        return None


def is_time(text: Any) -> bool:
    """Tell whether *text* is a time in that form; such texts sort by time."""
    return isinstance(text, str) and bool(re.fullmatch(_TIME, text))
