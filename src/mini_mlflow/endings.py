"""How does a run end when nobody ends it: at the end of the process, by SIGTERM, and in a forked child?"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # built in; signal itself costs 0.3 ms more
import atexit
import os
import sys
from threading import get_ident, main_thread

from . import active
from .errors import RunEndedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Type

    from .run import Run


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


def see_to(run: Run) -> None:
    """Remember a run that this process has opened, so that it ends with the process at the latest.

    With the first one that starts in the main thread, SIGTERM becomes a way to end them all, KILLED, unless somebody
    else answers it. It ends the process as before.
    """
    active.register(run)
    if active.is_sigterm_settled():
        return
    if _signal.getsignal(_signal.SIGTERM) == _signal.SIG_DFL:
        try:
            _signal.signal(_signal.SIGTERM, _end_by_sigterm)
        except ValueError:
            return  # only the main thread may; it will ask when it starts a run
    active.settle_sigterm()


class Uninterrupted:
    """A block that ends a run: a SIGTERM is answered when the main thread has left it."""

    def __enter__(self) -> None:
        self._is_main = get_ident() == main_thread().ident
        if self._is_main:
            active.sigterm().endings += 1

    def __exit__(self, *_: object) -> None:
        if self._is_main:
            state = active.sigterm()
            state.endings -= 1
            if state.number and not state.endings:
                _end_by_sigterm(state.number, None)


def end_all(status: Optional[str] = None) -> None:
    """End every run that this process has opened: it is about to stop.

    Args:
        status: None: what the interpreter's last error says.
    """
    if not active.is_own_process():
        return  # a fork that has not got so far as to know it: the runs are its parent's
    if status is None:
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


def _end_by_sigterm(number: int, _: object) -> None:
    """End every run, then die of the signal, so that whoever sent it sees its number as the exit status."""
    state = active.sigterm()
    if state.endings:
        state.number = number
        return
    try:
        _signal.signal(number, _signal.SIG_IGN)  # a second one must not cut the endings short
        end_all("KILLED")
    finally:
        _signal.signal(number, _signal.SIG_DFL)
        os.kill(os.getpid(), number)


atexit.register(end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=active.after_fork)
