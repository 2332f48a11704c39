"""How does a run end when nobody ends it: with the process, by a signal, in a child process?"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # built in; signal itself costs 0.3 ms more
import atexit
import os
import sys
from _thread import get_ident

from . import active, config
from .errors import RunEndedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, Optional, Type, Union

    from .run import Run

# Who sends one of these wants the process gone, and gives it time to tidy up. SIGINT is usually Python's own, which
# raises KeyboardInterrupt; SIGQUIT asks for a core dump, and the others mean something to those who use them.
_ENDING_SIGNALS = ("SIGTERM", "SIGHUP", "SIGINT")


class LikeDefault:
    """The handler of a signal that nobody else handles: ends every run, then does what the default does.

    To others it is the default: it compares equal to ``SIG_DFL``. So those who install a handler of their own only
    where there is none, or call the one that was there before (Lightning does both), do as they would without us.
    """

    def __call__(self, number: int, _: object) -> None:
        """End every run, then die of the signal, so that whoever sent it sees its number as the exit status."""
        _end_by_signal(number)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, int) and other == _signal.SIG_DFL)

    __hash__ = object.__hash__  # unlike that of SIG_DFL: else signal.getsignal would return that in its place


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


def why_ended(error: Union[BaseException, int, None]) -> Optional[str]:
    """Return why a run ended before its time, as meta.yaml tells it (rule Y3); None where that is not wanted.

    Args:
        error: What it was left by: an exception, or the number of a signal. None: nothing is known.
    """
    if error is None or not config.is_provenance_wanted():
        return None
    if isinstance(error, int):
        names = (name for name in _ENDING_SIGNALS if getattr(_signal, name, None) == error)
        return next(names, "signal %d" % error)
    try:
        from .reasons import reason_of  # few runs end so

        return reason_of(error)
    except (Exception, SystemExit):  # noqa: BLE001 - the run ends in any case, and the user's error is to be seen
        return None


def see_to(run: Run) -> None:
    """Remember a run that this process has opened, so that it ends with the process at the latest.

    With the first one that starts in the main thread, SIGTERM and SIGHUP become ways to end them all, KILLED, unless
    somebody else answers them. They end the process as before.
    """
    active.register(run)
    _see_to_child(active.sigterm())
    if active.is_sigterm_settled() or get_ident() != _main_thread_id():
        return  # only the main thread may; it will ask when it starts a run
    in_c = _handled_in_c()
    for name in _ENDING_SIGNALS:
        number = getattr(_signal, name, None)
        if number is None or _signal.getsignal(number) is not _signal.SIG_DFL or in_c >> (number - 1) & 1:
            continue
        try:
            _signal.signal(number, LikeDefault())
        except ValueError:
            return  # not the main interpreter
    _watch_exit(active.sigterm())
    active.settle_sigterm()


class Uninterrupted:
    """A block that ends a run: a signal that ends the process is answered when the main thread has left it."""

    def __enter__(self) -> None:
        self._is_main = get_ident() == _main_thread_id()
        if self._is_main:
            active.sigterm().endings += 1

    def __exit__(self, *_: object) -> None:
        if self._is_main:
            state = active.sigterm()
            state.endings -= 1
            if state.number and not state.endings:
                _end_by_signal(state.number)


def end_all(signal_number: Optional[int] = None) -> None:
    """End every run that this process has opened: it is about to stop.

    Args:
        signal_number: The signal that stops it; None: what can be known of how the process ends counts.
    """
    if not active.is_own_process():
        return  # a fork that has not got so far as to know it: the runs are its parent's
    left_by: Union[BaseException, int, None] = signal_number
    status = "KILLED"
    if signal_number is None:
        found = left_by = _error_of_process(active.sigterm())
        status = status_after(None if found is None else type(found), found)
    failure: Optional[BaseException] = None
    for run in active.live_runs():
        try:
            if run.status == "RUNNING":
                run.end_after(status, left_by)
        except RunEndedError:
            continue  # a thread was faster, and others wait
        except BaseException as error:  # noqa: BLE001 - raised again when the others have ended, too
            failure = failure or error
    if failure is not None:
        raise failure


def _end_by_signal(number: int) -> None:
    state = active.sigterm()
    if state.endings:
        state.number = number
        return
    try:
        _signal.signal(number, _signal.SIG_IGN)  # a second one must not cut the endings short
        end_all(number)
    finally:
        _signal.signal(number, _signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _main_thread_id() -> int:
    from threading import main_thread  # costs 1.5 ms, which importing the package must not; loaded by any run's start

    return main_thread().ident or 0


def _handled_in_c() -> int:
    """Return the signals that are caught or ignored, as bits from SIGHUP's; none where it cannot be known.

    Code in C may have installed a handler that Python does not know of: a Java machine, a library's crash reporter.
    """
    found = 0
    try:
        with open("/proc/self/status", "rb") as file:
            for line in file:
                if line.startswith((b"SigIgn:", b"SigCgt:")):
                    found |= int(line[7:], 16)
    except (OSError, ValueError):
        pass
    return found


def _error_of_process(state: active.Sigterm) -> Optional[BaseException]:
    """Return what can be known, while ``atexit`` runs, of the error that ends the process; None where there is none.

    An error that nobody caught is the interpreter's last one. One that was printed on the way (in a callback of code in
    C) is so too, but did not leave the main module. What ``sys.exit`` was called with counts where it left that module.
    """
    if state.bootstrap is not None:
        return _error_of_child(state.bootstrap)
    if hasattr(sys, "ps1"):
        return None  # a prompt keeps the last error, long after it mattered
    outermost = state.outermost
    error: Optional[BaseException] = getattr(sys, "last_value", None)
    trace = getattr(sys, "last_traceback", None)
    if error is not None and (outermost is None or trace is None or trace.tb_frame is outermost):
        return error
    if state.exit_code and outermost is not None and _was_left_by_exception(outermost):
        return SystemExit(*state.exit_code)
    return None


def _watch_exit(state: active.Sigterm) -> None:
    """Note what ``sys.exit`` is called with from now on, as nothing else tells it to ``atexit``."""
    frame: Optional[FrameType] = sys._getframe()  # noqa: SLF001 - nothing else knows it
    while frame is not None and frame.f_back is not None:
        frame = frame.f_back
    if frame is None or frame.f_globals.get("__name__") not in ("__main__", "runpy"):
        return  # the site's start-up code, or a program that embeds Python
    state.outermost = frame
    leave = sys.exit
    if getattr(leave, "__module__", None) == __name__:
        return  # done before

    def exit(*status: Any) -> None:  # noqa: A001 - the name that tracebacks show
        if get_ident() == _main_thread_id():
            active.sigterm().exit_code = status or (None,)
        leave(*status)

    exit.__doc__ = leave.__doc__
    sys.exit = exit  # type: ignore[assignment]


def _was_left_by_exception(frame: FrameType) -> bool:
    """Tell whether a frame that is done was left by an exception: then its last instruction is no return."""
    from opcode import opname  # costs 0.3 ms, and few processes need it

    return not opname[frame.f_code.co_code[frame.f_lasti]].startswith("RETURN_")


def _see_to_child(state: active.Sigterm) -> None:
    """Let multiprocessing tell when a child of its is done: it leaves without ``atexit``, and knows of its error."""
    process, util = sys.modules.get("multiprocessing.process"), sys.modules.get("multiprocessing.util")
    if process is None or util is None or state.is_finalizer_set:
        return
    if getattr(process.current_process(), "_parent_pid", None) is not None:
        frame = sys._current_frames().get(_main_thread_id())  # noqa: SLF001 - nothing else knows it
        while frame is not None and frame.f_code.co_name != "_bootstrap":
            frame = frame.f_back
        state.bootstrap = frame
        state.is_finalizer_set = True
        util.Finalize(None, end_all, exitpriority=0)


def _error_of_child(bootstrap: FrameType) -> Optional[BaseException]:
    """Return the error, or the ``sys.exit``, that the work of a child of multiprocessing was left by.

    Args:
        bootstrap: The frame that called the work. Up to Python 3.12 the error is just being handled; from 3.13 on that
            frame is done, and knows the exit status alone.
    """
    error, code = sys.exc_info()[1], bootstrap.f_locals.get("exitcode")
    return SystemExit(code) if error is None and code else error


atexit.register(end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=active.after_fork)
