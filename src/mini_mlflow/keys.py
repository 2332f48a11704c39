"""Which keys, ids, names and statuses are legal? Each check returns the value in the form that is stored."""

from __future__ import annotations

import os
import re
from operator import index

from .errors import InvalidIdError, InvalidKeyError, InvalidStatusError, InvalidValueError, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Union


MAX_KEY_LENGTH = 250
MAX_LABEL_LENGTH = 10000
INT64_MAX = 2**63 - 1
FINISHED = "FINISHED"
END_STATUSES = (FINISHED, "FAILED", "KILLED")
STATUSES = ("RUNNING", *END_STATUSES, "LOST")  # that readers tell, in the order in which they are shown

# Patterns are texts, which re compiles and keeps at their first use: compiling them all on import costs 3 ms.
_FORBIDDEN_IN_KEYS = r'[<>:"|?*\x00-\x1f\x7f-\x9f\ud800-\udfff]'
_LEGAL_ID = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}"
# Surrogates but those that stand for the bytes of a name that is no UTF-8 cannot be in a path.
_ONE_FOLDER = r"(?![.-])[^/\\\x00\ud800-\udc7f\udd00-\udfff]{1,255}"
_LEGAL_RUN_ID = "text of 1 to 128 letters, digits, '_', '.', '-', the first a letter or digit"
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
        raise InvalidKeyError("%s name must be text, got %s: %s." % (what, type(key).__name__, shown(key)), key=key)
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
        raise InvalidKeyError(message % (type(key).__name__, shown(key)), key=key)
    return str(key)


def is_simple(name: str) -> bool:
    """Tell whether a name has nothing but ASCII letters, digits, ``_``, ``-`` and ``.``, as most have.

    It spares them the patterns below, which take half a millisecond to compile at their first use.
    """
    return name.isascii() and name.replace("_", "").replace("-", "").replace(".", "").isalnum()


def check_run_id(run_id: Any) -> str:
    """Return *run_id* if it may name a run's folder (docs/format.md, rule S3).

    Raises:
        InvalidIdError: It may not.
    """
    if not isinstance(run_id, str) or not _is_legal_id(run_id):
        raise InvalidIdError("Run id %s is not legal: %s." % (shown(run_id), _LEGAL_RUN_ID), id=run_id)
    return str(run_id)


def check_known_run_id(run_id: Any) -> str:
    """Return *run_id* if a folder of that name may be looked up: what others named is not held to rule S3.

    Raises:
        InvalidIdError: It is no name of one folder, or a hidden one.
    """
    if not isinstance(run_id, str) or not re.fullmatch(_ONE_FOLDER, run_id) or os.path.splitdrive(run_id)[0]:
        message = "Run id %s is not legal: it must name one folder: %s."
        raise InvalidIdError(message % (shown(run_id), _LEGAL_RUN_ID), id=run_id)
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
    raise InvalidIdError(message % shown(experiment_id), id=experiment_id)


def check_end_status(status: Any) -> str:
    """Return *status* if a run can end with it.

    Raises:
        InvalidStatusError: It is not FINISHED, FAILED or KILLED.
    """
    if status not in END_STATUSES:
        message = "Invalid status %s. Must be one of %s."
        raise InvalidStatusError(message % (shown(status), ", ".join(END_STATUSES)), status=status)
    return str(status)


def check_label(label: Any, what: str) -> Any:
    """Return a run's name or version: text, or another scalar that JSON has (0.1.0 took any), or None.

    Raises:
        InvalidValueError: It is something else, or longer than 10,000 characters.
    """
    if isinstance(label, str) and len(label) > MAX_LABEL_LENGTH:
        message = "%s has %d characters, %d are allowed: '%s...'. Shorten it, and keep long text in a tag."
        raise InvalidValueError(message % (what, len(label), MAX_LABEL_LENGTH, label[:40]), value=label)
    if label is None or type(label) in (str, bool, float) or (type(label) is int and -(2**1024) < label < 2**1024):
        return label
    if isinstance(label, str):
        return str(label)
    message = "%s must be text, got %s: %s. Use str(value)."
    raise InvalidValueError(message % (what, type(label).__name__, shown(label)), value=label)


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
