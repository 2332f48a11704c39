"""How far is something that takes more than a second?"""

from __future__ import annotations

import os
import sys
from time import monotonic

from . import config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Callable, Optional, TextIO, Type

_PATIENCE_S = 1.0
_PERIOD_S = 0.2
_BYTES = "B"
_PREFIXES = ("B", "kB", "MB", "GB", "TB", "PB")


class Progress:
    """One line on the terminal that tells how far something is, and that is gone when it is done.

    Nothing is printed within the first second, none at all where standard error is no terminal or
    ``MINI_MLFLOW_PROGRESS`` is ``off``. A context manager: leaving the block erases the line.
    """

    def __init__(
        self,
        label: str,
        total: Optional[int] = None,
        unit: str = _BYTES,
        *,
        clock: Callable[[], float] = monotonic,
        stream: Optional[TextIO] = None,
    ) -> None:
        """Begin to count.

        Args:
            label: What is done, such as ``Copying model.pt``.
            total: How much there is to do; None where nobody knows.
            unit: What is counted: ``B`` for bytes, which become kB, MB and so on, or a word such as ``runs``.
            clock: Seconds that never go back.
            stream: Where the line goes; None: standard error.
        """
        self._label = label
        self._total = total
        self._unit = unit
        self._clock = clock
        self._stream = sys.stderr if stream is None else stream
        self._done = 0
        self._width = 0  # of the line that stands there
        self._is_wanted = _is_terminal(self._stream) and config.is_progress_wanted()
        self._due = clock() + _PATIENCE_S

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def advance(self, count: int = 1) -> None:
        """Add to what is done, and show it if it is time to."""
        self._done += count
        if not self._is_wanted:
            return
        now = self._clock()
        if now >= self._due:
            self._due = now + _PERIOD_S
            self._show(self._line())

    def close(self) -> None:
        """Erase the line."""
        if self._width:
            self._show("")
        self._is_wanted = False

    def _line(self) -> str:
        if self._total is None:
            count = _amount(self._done, self._unit)
        else:
            percent = min(100, self._done * 100 // self._total) if self._total > 0 else 100
            facts = (_amount(self._done, self._unit), _amount(self._total, self._unit), percent)
            count = "%s of %s, %d%%" % facts
        room = _columns(self._stream) - len(count) - 3
        label = _printable(self._label, self._stream)
        if len(label) > room:
            label = label[: max(0, room - 3)] + "..."
        return "%s  %s" % (label, count)

    def _show(self, line: str) -> None:
        """Write over the line that stands there."""
        text = "\r" + line.ljust(self._width)
        if not line:
            text += "\r"
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # the terminal is gone: that is no reason to stop
            self._is_wanted = False
        self._width = len(line)


def _is_terminal(stream: Optional[TextIO]) -> bool:
    try:
        return stream is not None and stream.isatty()
    except (AttributeError, ValueError, OSError):  # closed, or a stand-in that is none
        return False


def _columns(stream: TextIO) -> int:
    try:
        return max(20, os.get_terminal_size(stream.fileno()).columns or 80)  # a new one may not know yet
    except (AttributeError, ValueError, OSError):
        return 80


def _printable(text: str, stream: TextIO) -> str:
    """Return *text* with what would move the cursor, or what the terminal cannot show, visibly escaped."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
    return shown.encode(encoding, "backslashreplace").decode(encoding, "replace")


def _amount(count: int, unit: str) -> str:
    if unit != _BYTES:
        return "%d %s" % (count, unit)
    amount, place = float(count), 0
    while amount >= 999.5 and place < len(_PREFIXES) - 1:
        amount, place = amount / 1000, place + 1
    return "%.3g %s" % (amount, _PREFIXES[place])
