"""Which keys, values, steps, timestamps and ids are legal? Each check returns the value in the form that is stored."""

from __future__ import annotations

import json
import os
import re
from operator import index

from .errors import InvalidIdError, InvalidKeyError, InvalidStatusError, InvalidValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Union

    from .records import Number

MAX_KEY_LENGTH = 250
MAX_LABEL_LENGTH = 10000
MAX_VALUE_BYTES = 16 * 2**20 - 4096  # of a document; the rest is room for its key
MAX_FIELDS_BYTES = 512 * 1024
MAX_DEPTH = 250  # of lists and dicts in each other: any reader's stack holds it
INT64_MAX = 2**63 - 1
INTEGER_BOUND = 2**1024  # the first power of two beyond every double (docs/format.md, rule M7)
END_STATUSES = ("FINISHED", "FAILED", "KILLED")

# Patterns are texts, which re compiles and keeps at their first use: compiling them all on import costs 3 ms.
_FORBIDDEN_IN_KEYS = r'[<>:"|?*\x00-\x1f\x7f-\x9f\ud800-\udfff]'
_LEGAL_ID = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}"
# Surrogates but those that stand for the bytes of a name that is no UTF-8 cannot be in a path.
_ONE_FOLDER = r"(?![.-])[^/\\\x00\ud800-\udc7f\udd00-\udfff]{1,255}"
_LEGAL_RUN_ID = "text of 1 to 128 letters, digits, '_', '.', '-', the first a letter or digit"
_NON_FINITE = ("NaN", "Infinity", "-Infinity")
_WHOLE_NUMBER = r"0|[1-9][0-9]{0,18}"
_RESERVED_IDS = frozenset(["meta.yaml", "owner.json", "params", "metrics", "tags", "artifacts", "writers"])
_DEVICE_BEGINNINGS = frozenset(["con", "prn", "aux", "nul", "com", "lpt"])
_WINDOWS_DEVICE = r"(?i:con|prn|aux|nul|(com|lpt)[0-9\u00b9\u00b2\u00b3]|conin\$|conout\$) *(?s:\..*)?"


def check_key(key: Any, what: str = "Key") -> str:
    """Return *key* if it may name a metric, param or tag (docs/format.md, rule K1).

    Args:
        key: The name.
        what: How the message calls it: ``Metric``, ``Param`` or ``Tag``.

    Raises:
        InvalidKeyError: It is no text, empty, too long, or has a character that file names cannot have everywhere.
    """
    if type(key) is str and len(key) <= MAX_KEY_LENGTH and is_simple(key):
        return key
    if not isinstance(key, str):
        raise InvalidKeyError("%s name must be text, got %s: %s." % (what, type(key).__name__, _shown(key)), key=key)
    if not key:
        raise InvalidKeyError("%s name cannot be empty. Give it a name such as 'loss'." % what, key=key)
    if "/" in key or "\\" in key:
        suggestion = key.replace("/", ".").replace("\\", ".").strip(".")
        hint = " Use another separator, such as %r." % suggestion if suggestion else ""
        raise InvalidKeyError("%s name %r cannot contain slashes.%s" % (what, key, hint), key=key)
    if key in (".", ".."):
        raise InvalidKeyError("%s name %r is not allowed: it names a folder." % (what, key), key=key)
    bad = re.search(_FORBIDDEN_IN_KEYS, key)
    if bad and "\ud800" <= bad.group() <= "\udfff":
        message = "%s name %r contains invalid characters: the lone surrogate %r, which UTF-8 cannot hold."
        hint = " It comes from bytes that were decoded wrongly; decode them anew, or leave it out."
        raise InvalidKeyError(message % (what, key, bad.group()) + hint, key=key)
    if bad:
        message = '%s name %r contains invalid characters: %r. Not allowed are <>:"|?* and control characters.'
        raise InvalidKeyError(message % (what, key, bad.group()), key=key)
    if len(key) > MAX_KEY_LENGTH:
        message = "%s name has %d characters, %d are allowed: '%s...'. Shorten it."
        raise InvalidKeyError(message % (what, len(key), MAX_KEY_LENGTH, key[:40]), key=key)
    return str(key)


def check_known_key(key: Any) -> str:
    """Return *key* if it may be looked up: any text, as other doors may have brought it in (docs/format.md, rule K1).

    Raises:
        InvalidKeyError: It is no text.
    """
    if not isinstance(key, str):
        message = "Metric name must be text, got %s: %s. list(get_run(...)['metrics']) tells which there are."
        raise InvalidKeyError(message % (type(key).__name__, _shown(key)), key=key)
    return str(key)


def is_simple(name: str) -> bool:
    """Tell whether a name has nothing but ASCII letters, digits, ``_``, ``-`` and ``.``, as most have.

    It spares them the patterns below, which take half a millisecond to compile at their first use.
    """
    return name.isascii() and name.replace("_", "").replace("-", "").replace(".", "").isalnum()


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
        if not _is_bounded(number):
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
    raise InvalidValueError(message % (key, type(value).__name__, _shown(value), hint), key=key, value=value)


def check_step(step: Any, key: str) -> int:
    """Return *step* as an int.

    Raises:
        InvalidValueError: It is not an integer, or not within 64 bits.
    """
    try:
        number = index(step)
    except TypeError:
        message = "Step of metric %r must be an integer, got %s: %s. Give int(step), or leave it out to count up."
        raise InvalidValueError(message % (key, type(step).__name__, _shown(step)), key=key, value=step) from None
    if not -INT64_MAX - 1 <= number <= INT64_MAX:
        message = "Step of metric %r must fit 64 bits, got %s. Count from 0, and log a time with timestamp=."
        raise InvalidValueError(message % (key, _shown(step)), key=key, value=step)
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
        raise InvalidValueError(message % (key, _shown(timestamp)), key=key, value=timestamp)
    return int(number)


def check_json_value(value: Any, key: str, what: str) -> Any:
    """Return the value of a param or tag in the form in which JSON keeps it (docs/format.md, rule D3).

    Args:
        value: Anything that JSON has; scalars of NumPy, PyTorch and JAX; paths, enums and dtypes, which become text.
        key: Its name, for the message.
        what: ``Param`` or ``Tag``, for the message.

    Raises:
        InvalidValueError: JSON has no such value.
    """
    if value is None or type(value) in (bool, float) or (type(value) is int and _is_bounded(value)):
        return value
    if type(value) is str and len(value) < MAX_VALUE_BYTES // 6:  # six bytes escape any character
        return value
    try:
        # One round trip makes tuples lists and keys text, as every later reader will see them. What the value's own
        # methods raise nobody can know.
        text = json.dumps(value, default=_plain)
        if len(text) <= MAX_VALUE_BYTES or _json_bytes(value) <= MAX_VALUE_BYTES:
            plain = json.loads(text, parse_int=_bounded_int, parse_constant=None if text in _NON_FINITE else str)
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
            facts = (MAX_KEY_LENGTH, type(name).__name__, _shown(name)[:100])
            raise InvalidKeyError(message % facts, key=name)
        checked[str(name)] = check_json_value(value, name, "Field")
    size = _json_bytes(checked)
    if size > MAX_FIELDS_BYTES:
        message = "The fields have %d bytes as JSON, %d are allowed. Log long values as params or as files."
        raise InvalidValueError(message % (size, MAX_FIELDS_BYTES), value=fields)
    return checked


def _is_bounded(number: int) -> bool:
    return -INTEGER_BOUND < number < INTEGER_BOUND


def _bounded_int(digits: str) -> int:
    """Read an integer as a hook of ``json.loads``; other versions of Python refuse to read longer ones."""
    number = int(digits) if len(digits) < 400 else INTEGER_BOUND
    if not _is_bounded(number):
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
        return len(json.dumps(value, default=_plain, ensure_ascii=False).encode("utf-8"))
    except UnicodeEncodeError:  # a lone surrogate: the document is ASCII
        return len(json.dumps(value, default=_plain))


def _item(value: Any) -> Any:
    """Return the one number that an array of shape () holds."""
    mask = getattr(value, "mask", None)
    if getattr(mask, "shape", None) == () and mask:
        raise ValueError("the value is masked")
    return value.item()


def _reason(error: Exception) -> str:
    return str(error)[:500] or type(error).__name__


def _plain(value: Any) -> Any:
    """Turn what JSON lacks into what it has, as a hook of ``json.dumps``."""
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return _item(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    names = [base.__name__ for base in type(value).__mro__]
    if "Enum" in names or "dtype" in names[0].lower():
        return str(value)
    raise TypeError("JSON has no %s" % names[0])


def check_items(values: Any, what: str) -> Any:
    """Return the (key, value) pairs of a mapping.

    Raises:
        InvalidValueError: It is none.
    """
    if not hasattr(values, "items"):
        message = "%ss must come as a dict of values by key, got %s. An argparse.Namespace becomes one by vars(args)."
        raise InvalidValueError(message % (what, type(values).__name__), value=values)
    return values.items()


def check_run_id(run_id: Any) -> str:
    """Return *run_id* if it may name a run's folder (docs/format.md, rule S3).

    Raises:
        InvalidIdError: It may not.
    """
    if not isinstance(run_id, str) or not _is_legal_id(run_id):
        raise InvalidIdError("Run id %s is not legal: %s." % (_shown(run_id), _LEGAL_RUN_ID), id=run_id)
    return str(run_id)


def check_known_run_id(run_id: Any) -> str:
    """Return *run_id* if a folder of that name may be looked up: what others named is not held to rule S3.

    Raises:
        InvalidIdError: It is no name of one folder, or a hidden one.
    """
    if not isinstance(run_id, str) or not re.fullmatch(_ONE_FOLDER, run_id) or os.path.splitdrive(run_id)[0]:
        message = "Run id %s is not legal: it must name one folder: %s."
        raise InvalidIdError(message % (_shown(run_id), _LEGAL_RUN_ID), id=run_id)
    return str(run_id)


def check_experiment_id(experiment_id: Any) -> Union[int, str]:
    """Return *experiment_id* as an int where it is a whole number, else as text (docs/format.md, rule S2).

    Raises:
        InvalidIdError: It is negative, or no legal folder name.
    """
    if isinstance(experiment_id, str):
        if re.fullmatch(_WHOLE_NUMBER, experiment_id) and int(experiment_id) <= INT64_MAX:
            return int(experiment_id)
        if _is_legal_id(experiment_id):
            return str(experiment_id)
    else:
        number = _whole_number(experiment_id)
        if number is not None and 0 <= number <= INT64_MAX:
            return number
    message = "Experiment id %s is not legal: a whole number from 0, or letters, digits, '_', '.', '-'."
    raise InvalidIdError(message % _shown(experiment_id), id=experiment_id)


def check_end_status(status: Any) -> str:
    """Return *status* if a run can end with it.

    Raises:
        InvalidStatusError: It is not FINISHED, FAILED or KILLED.
    """
    if status not in END_STATUSES:
        message = "Invalid status %s. Must be one of %s."
        raise InvalidStatusError(message % (_shown(status), ", ".join(END_STATUSES)), status=status)
    return str(status)


def check_label(label: Any, what: str) -> Any:
    """Return a run's name or version: text, or another scalar that JSON has (0.1.0 took any), or None.

    Raises:
        InvalidValueError: It is something else, or longer than 10,000 characters.
    """
    if isinstance(label, str) and len(label) > MAX_LABEL_LENGTH:
        message = "%s has %d characters, %d are allowed: '%s...'. Shorten it, and keep long text in a tag."
        raise InvalidValueError(message % (what, len(label), MAX_LABEL_LENGTH, label[:40]), value=label)
    if label is None or type(label) in (str, bool, float) or (type(label) is int and _is_bounded(label)):
        return label
    if isinstance(label, str):
        return str(label)
    message = "%s must be text, got %s: %s. Use str(value)."
    raise InvalidValueError(message % (what, type(label).__name__, _shown(label)), value=label)


def is_windows_device(name: str) -> bool:
    """Tell whether Windows opens a device for this name, whatever its ending."""
    return name[:3].lower() in _DEVICE_BEGINNINGS and bool(re.fullmatch(_WINDOWS_DEVICE, name))


def _is_legal_id(text: str) -> bool:
    return (
        bool(re.fullmatch(_LEGAL_ID, text))
        and not text.endswith(".")
        and text.lower() not in _RESERVED_IDS
        and not is_windows_device(text)
    )


def _whole_number(value: Any) -> Optional[int]:
    if isinstance(value, bool):
        return None
    try:
        return index(value)
    except TypeError:
        return None


def _shown(value: Any) -> str:
    """Return the beginning of how *value* looks in code, for a message."""
    try:
        return "%.100r" % (value,)
    except ValueError:  # Python refuses to write out an integer of thousands of digits
        return "a value too long to show"
