"""How does a value look in JSON that every browser reads?"""

from __future__ import annotations

import json
from math import inf, isfinite, isnan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Optional

_EXACT = 2**53  # integers beyond are no numbers of JavaScript's
_LONGEST_DIGITS = 400  # of an integer that is written out
MAX_TEXT = 10000  # characters of one value in a table; what is longer is cut
_CUT = "…"


def number(value: Any) -> Any:
    """Return a number as JSON has it: NaN and infinities as texts, whole numbers beyond 2^53 as texts of digits."""
    if isinstance(value, float):
        if isfinite(value):
            return value
        return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int) and not isinstance(value, bool) and not -_EXACT <= value <= _EXACT:
        return digits(value)
    return value


def digits(value: int) -> str:
    """Return a whole number of any size as text."""
    try:
        return str(value)
    except ValueError:  # Python refuses to write out thousands of digits
        return hex(value)[:_LONGEST_DIGITS] + _CUT


def value(given: Any) -> Any:
    """Return a param, tag or field as JSON has it: numbers as ``number`` does, texts cut, lists and dicts as text."""
    if given is None or isinstance(given, bool):
        return given
    if isinstance(given, (int, float)):
        return number(given)
    return text(given)


def text(given: Any) -> str:
    """Return a value as text of at most 10,000 characters."""
    if isinstance(given, (list, dict)):
        given = json.dumps(given, ensure_ascii=False, default=str)
    shown = given if isinstance(given, str) else digits(given) if isinstance(given, int) else str(given)
    return shown if len(shown) <= MAX_TEXT else shown[:MAX_TEXT] + _CUT


def values(given: Optional[Iterable[Any]]) -> List[Any]:
    """Return values as ``value`` does."""
    return [value(each) for each in given or ()]


def to_float(given: Any) -> Optional[float]:
    """Return a number as a float, None where it is none; an integer beyond every float is an infinity."""
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        return None
    try:
        return float(given)
    except OverflowError:
        return inf if given > 0 else -inf


def encode(answer: Any) -> bytes:
    """Return an answer as JSON in UTF-8; lone surrogates, which UTF-8 has not, as escapes."""
    try:
        return json.dumps(answer, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(answer, allow_nan=False, separators=(",", ":")).encode("ascii")


def encode_for_html(answer: Any) -> bytes:
    """Return an answer as JSON that can stand in a ``<script type="application/json">``: nothing in it ends that."""
    data = encode(answer)
    for sign, escaped in _ESCAPES.items():
        data = data.replace(sign, escaped)
    return data


_ESCAPES: Dict[bytes, bytes] = {
    b"<": b"\\u003c",
    b">": b"\\u003e",
    b"&": b"\\u0026",
    "\u2028".encode(): b"\\u2028",
    "\u2029".encode(): b"\\u2029",
}
