"""What has to be sent to a terminal so that it shows these lines instead of those?"""

from __future__ import annotations

from . import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence, Tuple

_HOME_AND_CLEAR = "\x1b[H\x1b[2J"
_CLEAR_LINE_FROM_HERE = "\x1b[K"
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"  # terminals that know these show all in between at once


class Painter:
    """Remembers what a terminal shows, and changes only what differs."""

    def __init__(self) -> None:
        self._shown: List[str] = []
        self._size: Optional[Tuple[int, int]] = None

    def forget(self) -> None:
        """Take nothing for granted: the next picture is painted as a whole."""
        self._size = None

    def paint(self, lines: Sequence[str], width: int, height: int) -> str:
        """Return what makes the terminal show these lines, nothing where it does already.

        Args:
            lines: Clean, with colours at most; what has no room is left out.
            width: The columns of the terminal.
            height: Its lines.
        """
        wanted = [texts.clip(line, width) for line in lines[:height]]
        wanted += [""] * (height - len(wanted))
        if self._size != (width, height):
            parts = [_HOME_AND_CLEAR]
            before = [""] * height
        else:
            parts, before = [], self._shown
        for number, (old, new) in enumerate(zip(before, wanted)):
            if old != new:
                # Erased after it is written, which does not flicker; in the last column that would erase a character.
                rest = _CLEAR_LINE_FROM_HERE if texts.width_of(new) < width else ""
                parts.append("\x1b[%d;1H%s%s" % (number + 1, new, rest))
        self._shown, self._size = wanted, (width, height)
        return _BEGIN + "".join(parts) + _END if parts else ""
