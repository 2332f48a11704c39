"""Which keys were pressed, by the bytes that a terminal sends for them?"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

UP, DOWN, PAGE_UP, PAGE_DOWN, HOME, END = "up", "down", "page up", "page down", "home", "end"
ENTER, ESCAPE, TAB, BACK_TAB, BACKSPACE, SPACE, CLEAR = (
    "enter", "escape", "tab", "back tab", "backspace", "space", "clear"
)  # fmt: skip
_CONTROLS = {
    "\r": ENTER, "\n": ENTER, "\t": TAB, "\x7f": BACKSPACE, "\b": BACKSPACE, " ": SPACE, "\x15": CLEAR,
}  # fmt: skip
_SEQUENCES = {
    "A": UP, "B": DOWN, "H": HOME, "F": END, "Z": BACK_TAB,
    "1~": HOME, "4~": END, "5~": PAGE_UP, "6~": PAGE_DOWN, "7~": HOME, "8~": END,
}  # fmt: skip
_SEQUENCE = re.compile("\x1b(?:\\[([0-?]*[ -/]*[@-~])|O(.)|\\[[0-?]{0,16}$|O$)")  # the latter two wait for more
_HALF = re.compile(b"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\\Z")  # of a character in UTF-8
_MODIFIER = re.compile("(?:1)?;[0-9]+")  # of an arrow that is pressed with another key


class KeyReader:
    """Turns bytes into keys: one character, or the name of a key that has none."""

    def __init__(self) -> None:
        self._waiting = b""

    @property
    def is_waiting(self) -> bool:
        """Whether the last bytes may be the beginning of a key; if nothing follows, ``finish`` tells which it was."""
        return bool(self._waiting)

    def feed(self, data: bytes) -> List[str]:
        """Return the keys that have come in full."""
        data = self._waiting + data
        self._waiting = b""
        text = data.decode("utf-8", "ignore")
        half = _HALF.search(data)
        if half is not None:
            self._waiting, text = half.group(), data[: half.start()].decode("utf-8", "ignore")
        found: List[str] = []
        place = 0
        while place < len(text):
            if text[place] != "\x1b":
                found += _key_of(text[place])
                place += 1
                continue
            match = _SEQUENCE.match(text, place)
            if match is None:
                if place + 1 == len(text):
                    self._waiting = b"\x1b" + self._waiting
                    return found
                found.append(ESCAPE)  # and what follows it is a key of its own
                place += 1
            elif match.end() == len(text) and match.lastindex is None:
                self._waiting = match.group().encode() + self._waiting
                return found
            else:
                name = _SEQUENCES.get(_MODIFIER.sub("", match.group(1) or match.group(2)))
                found += [name] if name else []
                place = match.end()
        return found

    def finish(self) -> List[str]:
        """Return what the bytes that wait are if no more come: the escape key."""
        waiting, self._waiting = self._waiting, b""
        return [ESCAPE] if waiting == b"\x1b" else []


def _key_of(character: str) -> List[str]:
    if character in _CONTROLS:
        return [_CONTROLS[character]]
    return [character] if character.isprintable() else []
