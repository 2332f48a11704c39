"""What does a writer put into the file of a metric: a head, rows, and a closing that repeats the newest of them?

Rules M1, M3, M5 and M6 of docs/format.md. ``metric_file`` reads it back.
"""

from __future__ import annotations

import re

from .documents import encode_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

PAGE = 4096  # a write within one is never cut by a kill (rule M3)
MAX_HISTORY_BYTES = 1 << 33
NUMBER = rb'-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|"NaN"|"-?Infinity"'
CLOSING = rb'\n\], "step": (-?[0-9]{1,19}), "timestamp": ([0-9]{1,19}), "value": (' + NUMBER + rb")\}[ \n]*\Z"


def row_text(step: int, timestamp: int, number: str) -> str:
    """Return a row, from the line break before it to its bracket (rule M1)."""
    return "\n[%d, %d, %s]" % (step, timestamp, number)


def closing_text(step: int, timestamp: int, number: str) -> str:
    """Return a closing, which repeats the newest row (rule M5)."""
    return '\n], "step": %d, "timestamp": %d, "value": %s}\n' % (step, timestamp, number)


def head_text(key: str) -> str:
    """Return what stands before the first row."""
    return '{"key": %s, "history": [' % encode_json(key)


# A row with its comma and the closing that repeats it hold the same three texts: so many bytes more are around those
# of the row. Half of (what both take + this) is what the row takes.
ROW_SURPLUS = len("," + row_text(0, 0, "0")) - len(closing_text(0, 0, "0"))


def padded(data: bytes, least: int) -> bytes:
    """Return *data*, which ends a document, with spaces before its line break that make it *least* bytes long (M6)."""
    return data if len(data) >= least else data[:-1].ljust(least - 1) + b"\n"


def timestamp_of_closing(data: bytes) -> Optional[int]:
    """Return when the row was logged that a closing repeats, None where *data* is not one closing to its end."""
    match = re.match(CLOSING, data)
    return None if match is None else int(match.group(2))
