"""Which numbers, steps, times and values can be recorded? Each check returns the value in the form that is stored."""

from __future__ import annotations

from operator import index

from .errors import InvalidKeyError, InvalidValueError, shown
from .keys import MAX_KEY_LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from .records import Number

MAX_VALUE_BYTES = 16 * 2**20 - 4096  # of a document; the rest is room for its key
MAX_FIELDS_BYTES = 512 * 1024
MAX_DEPTH = 250  # of lists and dicts in each other: any reader's stack holds it
INT64_MAX = 2**63 - 1
INTEGER_BOUND = 2**1024  # the first power of two beyond every double (docs/format.md, rule M7)
_NON_FINITE = ("NaN", "Infinity", "-Infinity")


def check_number(value: Any, key: str) -> Number:
    """Return a metric's *value* as a plain int or float (docs/format.md, rule M7).

    Args:
        value: int, float, bool, or anything of shape () with ``.item()`` (NumPy, PyTorch, JAX), or with ``__float__``.
        key: The metric's name, for the message.

    Raises:
        InvalidValueError: It is not one real number, or an integer of 2**1024 or beyond.
    """
    shape = getattr(value, "shape", ())
    if isinstance(shape, tuple) and len(shape) > 0:
        message = "Metric %r needs one number, got an array of shape %s. Log a reduced value such as %s.mean()."
        name = str(key) if str(key).isidentifier() else "values"
        raise InvalidValueError(message % (key, tuple(shape), name), key=key, value=value)
    if hasattr(value, "item") and hasattr(value, "shape"):
        try:
            value = _item(value)  # what a device, a graph or a mask raises nobody can know
        except Exception as error:
            message = "Metric %r needs one number, got %s, whose .item() failed: %s. Log a plain float."
            facts = (key, type(value).__name__, _reason(error))
            raise InvalidValueError(message % facts, key=key, value=value) from error
    if isinstance(value, int):
        number = int(value)
        if not is_bounded(number):
            message = "Metric %r cannot hold an integer of 2**1024 or beyond."
            raise InvalidValueError(message % (key,), key=key, value=value)
        return number
    if isinstance(value, float) or (hasattr(type(value), "__float__") and not isinstance(value, (str, bytes))):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidValueError("Metric %r needs one number: %s." % (key, error), key=key, value=value) from error
    hint = " Convert it with float() first." if isinstance(value, str) else ""
    message = "Metric %r needs one number, got %s: %s.%s"
    raise InvalidValueError(message % (key, type(value).__name__, shown(value), hint), key=key, value=value)


def check_step(step: Any, key: str) -> int:
    """Return *step* as an int.

    Raises:
        InvalidValueError: It is not an integer, or not within 64 bits.
    """
    try:
        number = index(step)
    except TypeError:
        message = "Step of metric %r must be an integer, got %s: %s. Give int(step), or leave it out to count up."
        raise InvalidValueError(message % (key, type(step).__name__, shown(step)), key=key, value=step) from None
    if not -INT64_MAX - 1 <= number <= INT64_MAX:
        message = "Step of metric %r must fit 64 bits, got %s. Count from 0, and log a time with timestamp=."
        raise InvalidValueError(message % (key, shown(step)), key=key, value=step)
    return int(number)


def check_timestamp(timestamp: Any, key: str) -> int:
    """Return *timestamp*, milliseconds since 1970-01-01 UTC, as an int.

    Raises:
        InvalidValueError: It is not an integer, negative, or beyond 64 bits.
    """
    try:
        number = index(timestamp)
    except TypeError:
        number = -1
    if not 0 <= number <= INT64_MAX:
        message = "Timestamp of %r must be whole milliseconds since 1970, such as int(time.time() * 1000), got %s."
        raise InvalidValueError(message % (key, shown(timestamp)), key=key, value=timestamp)
    return int(number)


def check_json_value(value: Any, key: str, what: str) -> Any:
    """Return the value of a param or tag in the form in which JSON keeps it (docs/format.md, rule D3).

    Args:
        value: Anything that JSON has; scalars of NumPy, PyTorch and JAX. What JSON lacks becomes a list (sets, small
            arrays), a dict (dataclasses and their like) or a readable text (paths, enums, dtypes, functions, dates).
        key: Its name, for the message.
        what: ``Param`` or ``Tag``, for the message.

    Raises:
        InvalidValueError: It cannot be stored: it holds itself, is nested over 250 deep, has over 16 MiB as JSON or an
            integer of 2**1024 or beyond, or is an array of shape () that does not give its number.
    """
    if value is None or type(value) in (bool, float) or (type(value) is int and is_bounded(value)):
        return value
    if type(value) is str and len(value) < MAX_VALUE_BYTES // 6:  # six bytes escape any character
        return value
    try:
        # One round trip makes tuples lists and keys text, as every later reader will see them. What the value's own
        # methods raise nobody can know.
        text = _dumps(value, ensure_ascii=True)
        if len(text) <= MAX_VALUE_BYTES or _json_bytes(value) <= MAX_VALUE_BYTES:
            from json import loads  # loaded when a run starts: importing the package does without

            plain = loads(text, parse_int=_bounded_int, parse_constant=None if text in _NON_FINITE else str)
            if text.count("[") + text.count("{") > MAX_DEPTH:
                _check_depth(plain)
            return plain
    except Exception as error:
        message = "%s %r must be JSON-serializable, got %s: %s. Log a number, text, list or dict, or str(value)."
        facts = (what, key, type(value).__name__, _reason(error))
        raise InvalidValueError(message % facts, key=key, value=value) from error
    message = "%s %r has over 16 MiB as JSON. Write it to a file of its own, and log the file's name."
    raise InvalidValueError(message % (what, key), key=key, value=value)


def check_fields(fields: Any) -> Dict[str, Any]:
    """Return fields of a meta.yaml in the form in which JSON keeps them.

    Raises:
        InvalidKeyError: A name is no text, or too long.
        InvalidValueError: JSON has no such value, or they are too long together.
    """
    checked = {}
    for name, value in check_items(fields, "Field"):
        if not isinstance(name, str) or len(name) > MAX_KEY_LENGTH:
            message = "Field name must be text of at most %d characters, got %s: %s. Shorten it."
            facts = (MAX_KEY_LENGTH, type(name).__name__, shown(name)[:100])
            raise InvalidKeyError(message % facts, key=name)
        checked[str(name)] = check_json_value(value, name, "Field")
    size = _json_bytes(checked)
    if size > MAX_FIELDS_BYTES:
        message = "The fields have %d bytes as JSON, %d are allowed. Log long values as params or as files."
        raise InvalidValueError(message % (size, MAX_FIELDS_BYTES), value=fields)
    return checked


def check_items(values: Any, what: str) -> Any:
    """Return the (key, value) pairs of a mapping.

    Raises:
        InvalidValueError: It is none.
    """
    if not hasattr(values, "items"):
        message = "%ss must come as a dict of values by key, got %s. An argparse.Namespace becomes one by vars(args)."
        raise InvalidValueError(message % (what, type(values).__name__), value=values)
    return values.items()


def is_bounded(number: int) -> bool:
    """Tell whether every double is beyond an integer's reach: whether it is within 2**1024 (rule M7)."""
    return -INTEGER_BOUND < number < INTEGER_BOUND


def _bounded_int(digits: str) -> int:
    """Read an integer as a hook of ``json.loads``; other versions of Python refuse to read longer ones."""
    number = int(digits) if len(digits) < 400 else INTEGER_BOUND
    if not is_bounded(number):
        raise ValueError("it has an integer of 2**1024 or beyond")
    return number


def _check_depth(value: Any) -> None:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return
        children = [each.values() if isinstance(each, dict) else each for each in level]
        level = [child for each in children for child in each if isinstance(child, (dict, list))]
    if level:
        raise ValueError("it is nested over %d deep" % MAX_DEPTH)


def _json_bytes(value: Any) -> int:
    """Return how many bytes *value* takes as JSON (docs/format.md, rule D3)."""
    try:
        return len(_dumps(value, ensure_ascii=False).encode("utf-8"))
    except UnicodeEncodeError:  # a lone surrogate: the document is ASCII
        return len(_dumps(value, ensure_ascii=True))


def _dumps(value: Any, *, ensure_ascii: bool) -> str:
    """Return *value* as JSON, with what JSON lacks as what it has."""
    from json import dumps  # as above

    try:
        return dumps(value, default=_plain, ensure_ascii=ensure_ascii)
    except TypeError:  # a key that JSON cannot have, such as a tuple
        from . import readable

        def plain(each: Any) -> Any:
            return readable.with_text_keys(readable.to_plain(each))

        return dumps(readable.with_text_keys(value), default=plain, ensure_ascii=ensure_ascii)


def _item(value: Any) -> Any:
    from . import readable  # costs milliseconds, and most values are plain

    return readable.item(value)


def _plain(value: Any) -> Any:
    from . import readable  # as above

    return readable.to_plain(value)


def _reason(error: Exception) -> str:
    return str(error)[:500] or type(error).__name__
