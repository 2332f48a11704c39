"""How does an answer look as JSON: valid everywhere, whole, and harmless on a terminal?"""

from __future__ import annotations

import json
import re
from math import isfinite, isnan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Match

# JSON may hold these as they are, and a terminal obeys some of them: controls, what turns the direction of writing.
_UNSAFE = re.compile("[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]")
_NOT_ASCII = re.compile("[^\x00-\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: strict readers refuse it


def encode(value: Any, encoding: str = "utf-8") -> str:
    """Return a value as one line of JSON; NaN and infinities are strings, as in the files.

    Args:
        value: Of dicts, lists, tuples, texts, numbers, None; other things become their text.
        encoding: What the text is to be written in: what that lacks is escaped.
    """
    text = json.dumps(plain(value), ensure_ascii=False)
    if text.isascii() and text.isprintable():
        return text
    text = _SURROGATE.sub("\ufffd", text)
    is_utf8 = encoding.lower().replace("_", "-") in ("utf-8", "utf8")
    return (_UNSAFE if is_utf8 else re.compile("[\x7f]|" + _NOT_ASCII.pattern)).sub(_escaped, text)


def plain(value: Any) -> Any:
    """Return a value with what JSON lacks as text."""
    if isinstance(value, float):
        return value if isfinite(value) else "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return value if value.bit_length() < 13000 else hex(value)  # more digits than Python writes out
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return str(value)


def _escaped(match: Match[str]) -> str:
    code = ord(match.group())
    if code < 0x10000:
        return "\\u%04x" % code
    code -= 0x10000
    return "\\u%04x\\u%04x" % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF))
