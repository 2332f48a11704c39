"""How does a run end when nobody ends it: at the end of the process, and in a forked child?"""

from __future__ import annotations

import atexit
import os
import sys

from . import active
from .errors import RunEndedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Type


def status_after(kind: Optional[Type[BaseException]], error: Optional[BaseException]) -> str:
    """Return the status of a run whose block or process was left by an exception, or by none.

    FINISHED without one and for ``sys.exit(0)``, KILLED for Ctrl-C, FAILED for all else.
    """
    if kind is None:
        return "FINISHED"
    if issubclass(kind, KeyboardInterrupt):
        return "KILLED"
    if issubclass(kind, SystemExit) and getattr(error, "code", None) in (None, 0):
        return "FINISHED"
    return "FAILED"


def end_all() -> None:
    """End every run that this process has opened: the interpreter is about to stop."""
    error: Any = None
    if not hasattr(sys, "ps1"):  # a prompt keeps the last error, long after it mattered
        error = getattr(sys, "last_value", None)
    status = status_after(None if error is None else type(error), error)
    for run in active.live_runs():
        try:
            if run.status == "RUNNING":
                run.end(status)
        except RunEndedError:
            continue  # a thread was faster, and others wait


atexit.register(end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=active.after_fork)
