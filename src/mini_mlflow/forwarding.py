"""Which signals that come to us are for the command that we watch, and which does it have already?

What is typed into a terminal goes to its whole group of processes, the command among them: passed on, it would come
twice, and many programs take a second Ctrl-C for an order to drop everything. What another process sends to us alone
has to be passed on. Linux tells the two apart for a signal that is waited for; one that comes before, as the command
starts, and any elsewhere count as typed where a terminal has keys for them and we are in its foreground.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from types import FrameType
    from typing import Any, Dict, Iterator, List, Optional, Set

_PASSED_ON = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2")
_TYPED = ("SIGINT", "SIGQUIT")
_TWICE_S = 1.0  # `timeout` and schedulers send one signal to us and to all of us, moments apart
_GRACE_S = 0.05  # who was sent the same signal and does not answer it is gone by then
_CAN_TELL = hasattr(signal, "sigtimedwait") and hasattr(signal, "SIGCHLD")


class Signals:
    """The signals of this process, as long as it watches a command; those that are ignored stay so, as under nohup.

    Attributes:
        number: The last one that came which ends a program, 0 for none.
        is_from_terminal: Whether Ctrl-C was typed.
    """

    def __init__(self) -> None:
        """Take over the signals."""
        self.number = 0
        self.is_from_terminal = False
        self._early: List[int] = []
        self._last: Dict[int, float] = {}
        self._before: Dict[int, Any] = {}
        self._process: Optional[subprocess.Popen[bytes]] = None
        for name in _PASSED_ON:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._take)

    def release(self) -> None:
        """Give the signals back."""
        for number, before in self._before.items():
            signal.signal(number, signal.SIG_DFL if before is None else before)
        self._before = {}

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Let signals wait within the block; threads that begin in it never get any."""
        if not _CAN_TELL:
            yield
            return
        before = signal.pthread_sigmask(signal.SIG_BLOCK, self._numbers())
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    @contextmanager
    def passed_on(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Pass on what comes within the block."""
        self._process = process
        with self.held_back():
            while self._early:
                self._pass_on(self._early.pop(0), has_it=False)
            yield
        self._process = None

    def wait(self, process: subprocess.Popen[bytes], patience_s: float) -> Optional[int]:
        """Return how the command ended, as ``Popen.returncode`` has it, None where it has not after so many seconds."""
        if not _CAN_TELL:
            return wait_for(process, patience_s)
        while True:
            is_over = process.poll() is not None
            came = signal.sigtimedwait(self._numbers(), 0 if is_over else patience_s)
            if came is not None and came.si_signo != signal.SIGCHLD:
                # From the kernel: it was typed. What the command itself sends to its group it has already.
                is_typed = came.si_code > 0
                self._note(came.si_signo, is_typed=is_typed)
                if not is_over:
                    self._pass_on(came.si_signo, has_it=is_typed or came.si_pid == process.pid)
            if came is None or not is_over:
                return process.poll()

    def _numbers(self) -> Set[int]:
        return {signal.SIGCHLD, *self._before}

    def _take(self, number: int, _: Optional[FrameType]) -> None:
        """Answer a signal that comes while they are not held back: no system tells a handler who sent it."""
        is_typed = number in [getattr(signal, name, None) for name in _TYPED] and _is_in_foreground()
        self._note(number, is_typed=is_typed)
        if self._process is None:
            self._early.append(number)
        elif self._process.poll() is None:
            self._pass_on(number, has_it=is_typed)

    def _note(self, number: int, *, is_typed: bool) -> None:
        if number not in (getattr(signal, "SIGUSR1", 0), getattr(signal, "SIGUSR2", 0)):
            self.number = number
        self.is_from_terminal = self.is_from_terminal or (number == signal.SIGINT and is_typed)

    def _pass_on(self, number: int, *, has_it: bool) -> None:
        """Send the command a signal.

        Args:
            number: The signal.
            has_it: Whether all of our group have it already.
        """
        process = self._process
        now = monotonic()
        is_repeated = now - self._last.get(number, -_TWICE_S) < _TWICE_S
        self._last[number] = now
        if process is None or is_repeated or (has_it and _is_in_our_group(process.pid)):
            return
        if wait_for(process, _GRACE_S) is None:
            process.send_signal(number)


def wait_for(process: subprocess.Popen[bytes], patience_s: float) -> Optional[int]:
    """Return how a process ended, None where it has not after so many seconds."""
    from subprocess import TimeoutExpired

    try:
        return process.wait(patience_s)
    except TimeoutExpired:
        return None


def _is_in_our_group(pid: int) -> bool:
    """Tell whether what is sent to our group of processes reaches the command, too."""
    if os.name == "nt":
        return True
    try:
        return os.getpgid(pid) == os.getpgrp()
    except OSError:
        return False


def _is_in_foreground() -> bool:
    """Tell whether what is typed into our terminal comes to us."""
    if os.name == "nt":
        return True
    for descriptor in (0, 1, 2):
        try:
            return os.tcgetpgrp(descriptor) == os.getpgrp()
        except OSError:
            continue
    return False
