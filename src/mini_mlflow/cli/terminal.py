"""How is a terminal taken over for a while, and given back as it was however that ends?"""

from __future__ import annotations

import os
import select
import signal
import sys

from .keys import KeyReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any, Dict, List, Optional, Type

try:
    import termios
except ImportError:  # Windows
    termios = None  # type: ignore[assignment]

RESIZED = "resized"  # an event beside the keys
_ALTERNATE, _MAIN = "\x1b[?1049h", "\x1b[?1049l"
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"
_PLAIN = "\x1b[0m"
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
_ESCAPE_S = 0.05  # the rest of a key comes at once
_PORTION = 4096


class Ended(BaseException):
    """A signal, or the terminal's end, ends the command. Not an Exception: nothing on the way takes it for a fault.

    Attributes:
        signum: The signal; that of a closed terminal is SIGHUP.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


def is_possible(input_fd: int, output_fd: int) -> bool:
    """Tell whether both are terminals that can be taken over."""
    return bool(termios) and os.isatty(input_fd) and os.isatty(output_fd)


class Terminal:
    """A terminal on its alternate screen, where each key counts at once; a context manager.

    Leaving the block gives everything back, also when an exception or a signal ends it: SIGTERM, SIGHUP, SIGQUIT and
    Ctrl-C raise ``Ended`` inside it, Ctrl-Z gives the terminal back for as long as the process is stopped.
    """

    def __init__(self, input_fd: int, output_fd: int) -> None:
        """Look at nothing yet.

        Args:
            input_fd: Where keys come from.
            output_fd: The terminal that is written to.
        """
        self._input = input_fd
        self._output = output_fd
        self._keys = KeyReader()
        self._before: Optional[List[Any]] = None
        self._handlers: Dict[int, Any] = {}
        self._old_wakeup = -1
        self._bell = (-1, -1)
        self._is_resized = False
        self._is_leaving = False

    def __enter__(self) -> Terminal:
        self._before = termios.tcgetattr(self._input)
        self._bell = os.pipe()
        for end in self._bell:
            os.set_blocking(end, False)
        try:
            self._old_wakeup = signal.set_wakeup_fd(self._bell[1], warn_on_full_buffer=False)
            for name in _ENDING:
                self._handle(name, self._end)
            self._handle("SIGWINCH", self._resize)
            self._handle("SIGTSTP", self._stop)
            self._take()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the terminal back; leaving the block does so, and a signal in that very moment makes it needed again."""
        self._is_leaving = True
        if self._before is not None:
            self._leave()
            self._before = None

    def write(self, text: str) -> None:
        """Write to the terminal.

        Raises:
            Ended: It is closed.
        """
        data = text.encode("utf-8", "backslashreplace")
        while data:
            try:
                data = data[os.write(self._output, data) :]
            except BlockingIOError:
                select.select([], [self._output], [])
            except OSError:
                raise self._closed() from None

    def wait(self, timeout_s: float) -> List[str]:
        """Return the keys that are pressed until the time is over, and ``RESIZED``; nothing where there are none.

        Raises:
            Ended: The terminal is closed.
        """
        if self._is_resized:
            timeout_s = 0.0
        ready = select.select([self._input, self._bell[0]], [], [], max(0.0, timeout_s))[0]
        if self._bell[0] in ready:
            os.read(self._bell[0], _PORTION)
        found: List[str] = []
        if self._is_resized:
            self._is_resized = False
            found.append(RESIZED)
        if self._input in ready:
            found += self._keys.feed(self._read())
            if self._keys.is_waiting:
                found += self._read_rest()
        return found

    def _read_rest(self) -> List[str]:
        """Return the keys of which the beginning has come, as soon as it is clear which they are."""
        found: List[str] = []
        while select.select([self._input], [], [], _ESCAPE_S)[0]:
            found += self._keys.feed(self._read())
            if not self._keys.is_waiting:
                break
        return found + self._keys.finish()

    def _read(self) -> bytes:
        try:
            data = os.read(self._input, _PORTION)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            raise self._closed()
        return data

    def _closed(self) -> Ended:
        """Return what says that the terminal is closed; the signal that says so, too, changes nothing any more."""
        self._is_leaving = True
        return Ended(signal.SIGHUP)

    def _take(self) -> None:
        mode = termios.tcgetattr(self._input)
        mode[3] &= ~(termios.ICANON | termios.ECHO)  # Ctrl-C and Ctrl-Z stay signals
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._input, termios.TCSADRAIN, mode)
        self.write(_ALTERNATE + _HIDE_CURSOR + _NO_WRAP)

    def _give_back(self) -> None:
        """Restore the screen and the keys, as far as the terminal is still there."""
        try:
            self.write(_PLAIN + _WRAP + _SHOW_CURSOR + _MAIN)
        except Ended:
            pass
        try:
            if self._before is not None:
                termios.tcsetattr(self._input, termios.TCSADRAIN, self._before)
        except (OSError, termios.error):
            pass

    def _leave(self) -> None:
        self._give_back()
        for signum, handler in self._handlers.items():
            signal.signal(signum, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        for end in self._bell:
            os.close(end)

    def _handle(self, name: str, handler: Any) -> None:
        signum = getattr(signal, name)
        before = signal.getsignal(signum)
        if before is not signal.SIG_IGN or name == "SIGINT":  # who was told to ignore a signal goes on so (nohup)
            self._handlers[signum] = signal.SIG_DFL if before is None else before
            signal.signal(signum, handler)

    def _end(self, signum: int, frame: Optional[FrameType]) -> None:  # noqa: ARG002 - the form of a handler
        if not self._is_leaving:  # a second one must not break off what the first one began
            self._is_leaving = True
            raise Ended(signum)

    def _resize(self, signum: int, frame: Optional[FrameType]) -> None:  # noqa: ARG002
        self._is_resized = True

    def _stop(self, signum: int, frame: Optional[FrameType]) -> None:  # noqa: ARG002
        self._give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._take()
        self._is_resized = True  # all has to be painted again


def input_fd() -> int:
    """Return where keys come from, -1 where there is no such place."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return -1
