"""In what form does JSON keep a value that it lacks: as a list, a dict or a readable text?

The text never has a memory address, so that two runs of the same settings compare equal.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections import deque
from collections.abc import MappingView, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from types import ModuleType

from .fields import find_fields, find_items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, Optional

MAX_ITEMS = 1000  # of an array that is kept as a list
MAX_TEXT = 10000  # characters of what an object says of itself
_MAX_DEPTH = 10  # of partial functions and tuples in each other, within one text
_ADDRESSES = (
    (r"<([\w.<>]+) object at 0x[0-9a-fA-F]+>", r"\1"),
    (r"<(?:function|generator object|coroutine object|class) ([\w.<>]+) at 0x[0-9a-fA-F]+>", r"\1"),
    (r"<bound method ([\w.<>]+) of [^<>]*>", r"\1"),
    (r"\s*\bat 0x[0-9a-fA-F]+", ""),
)


def to_plain(value: Any) -> Any:
    """Turn what JSON lacks into what it has, one level of it; a hook of ``json.dumps``.

    Raises:
        Exception: An array of shape () does not give its one number.
    """
    shape = getattr(value, "shape", None)
    if shape is not None and not isinstance(shape, tuple) and callable(getattr(value, "numpy", None)):
        return _array_of_tensorflow(value)
    if isinstance(shape, tuple) and any(hasattr(value, name) for name in ("item", "tolist", "__array__")):
        return _array_to_plain(value, shape)
    fields = find_fields(value)
    if fields is not None:
        return fields
    items = find_items(value)
    if items is not None:
        return items
    if isinstance(value, AbstractSet) and not isinstance(value, MappingView):
        return _in_order(value)
    if isinstance(value, (MappingView, deque)) or _is_list(value):
        return list(value)
    return to_text(value)


def with_text_keys(value: Any) -> Any:
    """Return dicts and lists with the keys that JSON cannot have as text."""
    if isinstance(value, dict):
        return {_key(key): with_text_keys(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_text_keys(each) for each in value]
    return value


def to_text(value: Any, depth: int = 0) -> str:
    """Return the text that people would write for a value, the same in every run.

    Args:
        value: Anything.
        depth: How many values it is within.
    """
    if isinstance(value, str):
        return str(value) if depth == 0 else repr(value)
    text = _text_of_named(value)
    if text is None:
        text = _text_of_kind(value, depth)
    return _said(value) if text is None else text


def item(value: Any) -> Any:
    """Return the one number that an array of shape () holds."""
    mask = getattr(value, "mask", None)
    if getattr(mask, "shape", None) == () and mask:
        raise ValueError("the value is masked")
    return value.item()


def _array_to_plain(value: Any, shape: Any) -> Any:
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    is_time = kind in ("m", "M")  # NumPy's own give bare counts of nanoseconds
    if shape == ():
        if is_time or not hasattr(value, "item"):
            return to_text(value)
        number = item(value)
        return number if type(number) is not type(value) else _of_long_double(number)
    size = 1
    for length in shape:
        size *= length if isinstance(length, int) else MAX_ITEMS + 1
    if size <= MAX_ITEMS:
        try:
            return value.astype(str).tolist() if is_time else value.tolist()
        except Exception:  # noqa: BLE001 - a table, a sparse one, one without data: its shape is what can be said
            pass
    dtype = getattr(value, "dtype", None)
    return "%s of shape %s%s" % (_name_of(type(value)), tuple(shape), "" if dtype is None else ", %s" % (dtype,))


def _array_of_tensorflow(value: Any) -> Any:
    try:
        return value.numpy()  # the hook is called again with that
    except Exception:  # noqa: BLE001 - one of a graph, without a value: it still has a text
        return to_text(value)


def _of_long_double(value: Any) -> Any:
    """Return a number of NumPy that no type of Python holds in full."""
    return to_text(value) if value.dtype.kind == "c" else float(value)


def _text_of_named(value: Any) -> Optional[str]:
    """Return the text of what has a name: a class, a function, a module; None for all else."""
    if isinstance(value, ModuleType):
        return value.__name__
    if hasattr(value, "__origin__"):
        return None  # list[int] calls itself list
    if isinstance(getattr(value, "__qualname__", None), str):
        return _name_of(value)
    return None


def _text_of_kind(value: Any, depth: int) -> Optional[str]:
    """Return the text of what Python itself has but shows in a way of its own; None for all else."""
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return _text_of_bytes(bytes(value))
    if isinstance(value, re.Pattern):
        return _text_of_pattern(value)
    if isinstance(value, BaseException):
        return _without_addresses(repr(value))
    if depth < _MAX_DEPTH and isinstance(value, partial):
        given = [to_text(each, depth + 1) for each in (value.func, *value.args)]
        given += ["%s=%s" % (name, to_text(each, depth + 1)) for name, each in value.keywords.items()]
        return "functools.partial(%s)" % ", ".join(given)
    if depth < _MAX_DEPTH and type(value) is tuple:
        return "(%s%s)" % (", ".join(to_text(each, depth + 1) for each in value), "," if len(value) == 1 else "")
    return None


def _text_of_bytes(value: bytes) -> str:
    try:
        text = value.decode("utf-8")
        if text.isprintable():
            return text
    except UnicodeDecodeError:
        pass
    return repr(value) if len(value) <= MAX_ITEMS else "%d bytes" % len(value)


def _text_of_pattern(pattern: Any) -> str:
    """Return a regular expression with its flags inside, as it can be compiled again."""
    text = to_text(pattern.pattern)
    flags = (re.ASCII, re.IGNORECASE, re.MULTILINE, re.DOTALL, re.VERBOSE)
    letters = "".join(letter for letter, flag in zip("aimsx", flags) if pattern.flags & flag)
    return text if not letters or text.startswith("(?") else "(?%s)%s" % (letters, text)


def _said(value: Any) -> str:
    """Return what an object says of itself, or what it is where that tells its place in memory alone."""
    kind = type(value)
    try:
        has_word = _defines(kind, "__str__") or _defines(kind, "__repr__")  # what str() asks for, one after the other
        text = _without_addresses(str(value)) if has_word else ""
    except Exception:  # noqa: BLE001 - the object's own methods may raise anything, and its class is known
        return _name_of(kind)
    if len(text) > MAX_TEXT:
        text = "%s… (%d characters)" % (text[:MAX_TEXT], len(text))
    return text if text.strip() else _name_of(kind)


def _defines(kind: type, name: str) -> bool:
    return getattr(kind, name) is not getattr(object, name)


def _without_addresses(text: str) -> str:
    if " at 0x" not in text and "<bound method" not in text:
        return text
    for pattern, replacement in _ADDRESSES:
        text = re.sub(pattern, replacement, text)
    return text


def _name_of(value: Any) -> str:
    """Return the full name of a class or function; what Python has built in goes without its module."""
    module = getattr(value, "__module__", None)
    if not isinstance(module, str) or module == "builtins":
        return str(value.__qualname__)
    return "%s.%s" % (module, value.__qualname__)


def _key(key: Any) -> Any:
    return key if key is None or isinstance(key, (str, int, float)) else key_text(key)


def key_text(key: Any) -> str:
    """Return the key of a dict as text."""
    shape = getattr(key, "shape", None)
    return str(item(key)) if shape == () and hasattr(key, "item") else to_text(key)


def _in_order(values: Iterable[Any]) -> Any:
    """Return the members of a set in an order that every run gives them."""
    members = list(values)
    try:
        return sorted(members)
    except TypeError:
        return sorted(members, key=lambda each: (type(each).__name__, to_text(each)))


def _is_list(value: Any) -> bool:
    """Tell whether *value* is a list in all but its class; a range says itself better in one text."""
    if isinstance(value, (str, bytes, bytearray, range)):
        return False
    return isinstance(value, Sequence) or type(value).__name__ == "array"  # not registered as one before Python 3.10
