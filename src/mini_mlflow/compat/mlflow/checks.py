"""Which names and values does MLflow take, and in which form are they kept here?"""

from __future__ import annotations

import posixpath
import re
from operator import index

from ... import masking
from ...errors import InvalidValueError, shown
from ...values import check_json_value
from .exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_NAME_LENGTH = 250
MAX_EXPERIMENT_NAME_LENGTH = 500
_NAME = r"[/\w.\- :]*"
_RUN_ID = r"[a-zA-Z0-9][\w\-]{0,255}"
_SCALARS = (str, int, float, bool, type(None))


def check_name(name: Any, what: str) -> str:
    """Return *name* if MLflow lets a metric, param or tag be called so: slashes and blanks are fine.

    Args:
        name: The name.
        what: How the message calls it.

    Raises:
        MlflowException: It is not.
        TypeError: It is no text.
    """
    if name is None:
        raise invalid("%s name cannot be None. A key name must be provided." % what)
    if not isinstance(name, str):
        raise TypeError("%s name must be text, got %s: %s." % (what, type(name).__name__, shown(name)))
    if not re.fullmatch(_NAME, name):
        message = (
            "Invalid value %r for %s name: Names may only contain alphanumerics, underscores (_), dashes (-), "
            "periods (.), spaces ( ), colon(:) and slashes (/)."
        )
        raise invalid(message % (name, what.lower()))
    plain = posixpath.normpath(name)
    if plain != name or plain == "." or plain.startswith(("..", "/")):
        message = (
            "Invalid value %r for %s name: Names may be treated as files in certain cases, and must not resolve to "
            "other names when treated as such. This name would resolve to %r"
        )
        raise invalid(message % (name, what.lower(), plain))
    if len(name) > MAX_NAME_LENGTH:
        raise invalid("%s name %.40r... exceeds the maximum length of %d characters" % (what, name, MAX_NAME_LENGTH))
    return str(name)


def number_of(value: Any, key: str) -> float:
    """Return a metric's value as MLflow keeps it: what ``float()`` makes of it.

    Raises:
        MlflowException: It is no number.
        TypeError: It is a thing of a kind that is never one.
    """
    if type(value) is float:
        return value
    if value is None:
        raise invalid("Missing value for metric %r. Log one number." % key)
    if hasattr(value, "item") and hasattr(value, "shape"):  # NumPy, PyTorch, JAX: any array of one element
        try:
            return float(value.item())
        except (TypeError, ValueError, RuntimeError) as error:
            message = "Metric %r needs one number, got an array of shape %s. Log a reduced value such as its mean()."
            raise invalid(message % (key, tuple(value.shape))) from error
    try:
        return float(value)
    except (ValueError, OverflowError) as error:
        message = "Invalid value %s for metric %r: Please specify value as a valid double (64-bit floating point)"
        raise invalid(message % (shown(value), key)) from error
    except TypeError as error:
        message = "Metric %r needs one number, got %s: %s."
        raise TypeError(message % (key, type(value).__name__, shown(value))) from error


def step_of(step: Any, key: str) -> int:
    """Return a step as a whole number: 0 where there is none; 3.0, of Python or NumPy, is 3.

    Raises:
        MlflowException: It is no whole number of 64 bits.
    """
    if hasattr(step, "__float__") and not hasattr(step, "__index__"):  # floats of Python and NumPy
        step = int(step) if float(step).is_integer() else step
    return _whole(step or 0, "Step", key, -(2**63))


def timestamp_of(timestamp: Any, key: str) -> int:
    """Return a time in milliseconds since 1970.

    Raises:
        MlflowException: It is negative, or no whole number.
    """
    if isinstance(timestamp, float) and timestamp >= 0 and timestamp < 2**63:
        timestamp = int(timestamp)  # time.time() * 1000 is a common way to say it
    return _whole(timestamp, "Timestamp", key, 0)


def param_of(value: Any, key: str) -> Any:
    """Return a param's value as it is kept: MLflow's text of it, or the number or truth value that has that text.

    So our own tools sort 10 behind 9, and MLflow's API still gives the text. What looks like a secret is masked.
    """
    text = str(value)
    if not isinstance(value, str):
        try:
            plain = check_json_value(value, key, "Param")
        except InvalidValueError:
            return text
        return plain if type(plain) in _SCALARS and type(plain) is not str and str(plain) == text else text
    return masking.mask_param(key, text)


def file_of(artifact_file: Any) -> Any:
    """Return the name of an artifact without the ``./`` that it may begin with."""
    while isinstance(artifact_file, str) and artifact_file.startswith("./"):
        artifact_file = artifact_file[2:]
    return artifact_file


def check_run_id(run_id: Any) -> str:
    """Return *run_id* if MLflow lets a run be called so.

    Raises:
        MlflowException: It does not.
    """
    if not isinstance(run_id, str) or not re.fullmatch(_RUN_ID, run_id):
        raise invalid("Invalid value %s for parameter 'run_id' supplied." % shown(run_id))
    return str(run_id)


def check_experiment_name(name: Any) -> str:
    """Return *name* if MLflow lets an experiment be called so.

    Raises:
        MlflowException: It does not.
    """
    if not isinstance(name, str) or not name:
        raise invalid("Invalid experiment name: %s. Expects a string." % shown(name))
    if len(name) > MAX_EXPERIMENT_NAME_LENGTH:
        raise invalid("'name' exceeds the maximum length of %d characters" % MAX_EXPERIMENT_NAME_LENGTH)
    return str(name)


def _whole(number: Any, what: str, key: str, least: int) -> int:
    try:
        whole = index(number)
    except TypeError:
        whole = -(2**64)
    if not least <= whole < 2**63:
        message = "%s of metric %r must be a whole number from %d on that fits 64 bits, got %s."
        raise invalid(message % (what, key, least, shown(number)))
    return whole
