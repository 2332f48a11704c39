"""How do rows look as text that other programs read: values between tabs, or between commas?"""

from __future__ import annotations

import re
from math import isfinite, isnan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Sequence

_TSV = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_QUOTED = re.compile('[",\r\n]')
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?|[-+]?(inf|infinity|nan)", re.IGNORECASE)


def tsv_line(values: Sequence[Any]) -> str:
    r"""Return values as one line, between tabs; ``\t``, ``\n``, ``\r`` and ``\\`` stand for what would break it.

    Args:
        values: Texts and numbers; None is empty.
    """
    return "\t".join(_text(value).translate(_TSV) for value in values)


def csv_line(values: Sequence[Any], *, raw: bool = False) -> str:
    """Return values as one line of CSV (RFC 4180), without its end.

    Args:
        values: Texts and numbers; None is empty.
        raw: Whether texts that a spreadsheet would take for a formula stay as they are; else an apostrophe is put
            before them.
    """
    return ",".join(_csv_value(value, raw=raw) for value in values)


def _csv_value(value: Any, *, raw: bool) -> str:
    text = _text(value)
    if not raw and isinstance(value, str) and text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        text = "'" + text
    if _QUOTED.search(text) or text != text.strip():
        text = '"' + text.replace('"', '""') + '"'
    return text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(value) if isfinite(value) else "NaN" if isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, (bool, list, tuple, dict)):
        import json  # seldom

        return json.dumps(value, ensure_ascii=False)
    return str(value)
