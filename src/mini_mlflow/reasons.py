"""Why did a run end before its time: which error left it, in one line?"""

from __future__ import annotations

import os

from . import masking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Optional

LONGEST = 300  # characters
_COMPILED = (".pyx", ".pxi", ".pxd")


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
        code, line = trace.tb_frame.f_code, trace.tb_lineno
        if line is not None:  # code that was made by a program may have no lines
            place = "%s:%d" % (os.path.basename(code.co_filename), line)
            if _is_own(code.co_filename, is_main=code.co_name == "<module>"):
                own = place
        trace = trace.tb_next
    return own or place


def _is_own(path: str, *, is_main: bool) -> bool:
    """Tell whether code is the user's: in a file of theirs, typed at a prompt, or given on the command line.

    Args:
        path: What the code says of its file. Compiled code tells that of its source, which is not here.
        is_main: Whether it is that of a whole module: functions that a program made have no file either.
    """
    if path.startswith("<"):
        return path.startswith(("<stdin", "<ipython-input")) or (path == "<string>" and is_main)
    parts = path.replace(os.sep, "/").split("/")
    is_package = "site-packages" in parts or "dist-packages" in parts
    ours, standard = os.path.dirname(__file__), os.path.dirname(os.__file__)
    return not (is_package or path.endswith(_COMPILED) or path.startswith((ours + os.sep, standard + os.sep)))
