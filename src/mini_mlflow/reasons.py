"""Why did a run end before its time: which error left it, in one line?"""

from __future__ import annotations

import os

from . import masking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Optional

LONGEST = 300  # characters


def reason_of(error: BaseException) -> str:
    """Return an error as one line: its kind, what it says without secrets, and the line of code that it came from.

    The line of code is the innermost that is the user's own: not one of an installed package that it called. What
    ``sys.exit`` was called with stands alone. All of it has at most 300 characters.
    """
    if isinstance(error, SystemExit):
        return "exit code %d" % error.code if type(error.code) is int else _said_by(error)
    kind, said, place = type(error).__name__, _said_by(error), _place_of(error.__traceback__)
    head = "%s: %s" % (kind, said) if said else kind
    tail = " (%s)" % place if place else ""
    return _cut(head, LONGEST - len(tail)) + tail


def _said_by(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an error of a library whose text cannot be made is still an error
        return ""
    return _cut(masking.mask_text(" ".join(text[: 20 * LONGEST].split())), LONGEST)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _place_of(trace: Optional[TracebackType]) -> str:
    place = own = ""
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        place = "%s:%d" % (os.path.basename(path), trace.tb_lineno)
        if not _is_installed(path):
            own = place
        trace = trace.tb_next
    return own or place


def _is_installed(path: str) -> bool:
    """Tell whether code is nobody's own: of the standard library, an installed package, this one, or no file."""
    ours, standard = os.path.dirname(__file__), os.path.dirname(os.__file__)
    parts = path.replace(os.sep, "/").split("/")
    is_package = "site-packages" in parts or "dist-packages" in parts
    return is_package or path.startswith((ours + os.sep, standard + os.sep, "<frozen "))
