"""How does a text of the users' get onto a terminal: nothing that steers it, measured, cut and padded?"""

from __future__ import annotations

import re
from unicodedata import category, east_asian_width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Sequence

_MOST_MARKS = 6  # combining ones in a row: no language needs more, and hundreds paint over the lines around
_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_EMOJI_SIGN = "\ufe0f"  # makes the sign before it an emoji, which some terminals then draw two columns wide
_COLOURS = re.compile("\x1b\\[[0-9;]*m")


def clean(text: str, encoding: str = "utf-8") -> str:
    r"""Return a text with everything visibly escaped that would steer a terminal or cannot be shown on it.

    Control characters become ``\x1b``, those that turn the direction of writing ``\u202e``, a line break ``\n``.

    Args:
        text: Of the users': a name, a key, a value, a path, a message.
        encoding: That of the stream; what it lacks is escaped.
    """
    if text.isprintable() and text.isascii():
        return text
    marks = 0
    parts = []
    for character in text:
        kind = category(character)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if marks > _MOST_MARKS or not (character.isprintable() or kind == "Zs"):
            parts.append(_NAMED.get(character) or _escaped(character))
        else:
            parts.append(character)
    return "".join(parts).encode(encoding, "backslashreplace").decode(encoding)


def clean_lines(text: str, encoding: str = "utf-8") -> List[str]:
    """Return the lines of a text, each cleaned; tabs become spaces."""
    return [clean(line.expandtabs(4), encoding) for line in text.replace("\r\n", "\n").split("\n")]


def width_of(text: str) -> int:
    """Return how many columns of a terminal a clean text takes; colours take none."""
    if "\x1b" in text:
        text = _COLOURS.sub("", text)
    if text.isascii():
        return len(text)
    return sum(map(_width_of_one, text))


def cut_end(text: str, width: int, ellipsis: str = "…") -> str:
    """Return a clean text without colours, at most *width* columns wide: its beginning, if need be."""
    if width_of(text) <= width:
        return text
    if width < len(ellipsis):
        return _beginning(text, max(0, width))
    return _beginning(text, width - len(ellipsis)) + ellipsis


def cut_middle(text: str, width: int, ellipsis: str = "…") -> str:
    """Return a clean text without colours, at most *width* columns wide: its beginning and end, if need be."""
    if width_of(text) <= width:
        return text
    room = width - len(ellipsis)
    if room < 2:
        return cut_end(text, width, ellipsis)
    left = _beginning(text, (room + 1) // 2)
    right = _end(text, room - width_of(left))
    return left + ellipsis + right


def pad(text: str, width: int, *, is_right: bool = False) -> str:
    """Return a text with spaces to *width* columns, after it, or before it where it is to stand at the right."""
    spaces = " " * (width - width_of(text))
    return spaces + text if is_right else text + spaces


def clip(line: str, width: int, ellipsis: str = "") -> str:
    """Return a line that may have colours, at most *width* columns wide, with a sign where it is cut.

    Colours stay closed.
    """
    if width_of(line) <= width:
        return line
    sign = ellipsis if width >= len(ellipsis) else ""
    parts, room, is_cut = [], width - len(sign), False
    for place, part in enumerate(re.split("(\x1b\\[[0-9;]*m)", line)):
        if place % 2:
            parts.append(part)  # a colour: those after the end too, so that what was begun is ended
            continue
        kept = _beginning(part, room)
        room -= width_of(kept)
        if kept != part and not is_cut:
            kept, room, is_cut = kept + sign, 0, True
        parts.append(kept)
    return "".join(parts)


def wrap(text: str, width: int, indent: str = "") -> List[str]:
    """Return a clean text as lines of at most *width* columns, broken at spaces where it has some.

    Args:
        text: The text.
        width: How wide a line may be.
        indent: What the second and later lines begin with.
    """
    return join_wrapped(text.split(" "), " ", width, indent)


def join_wrapped(words: Sequence[str], separator: str, width: int, indent: str = "") -> List[str]:
    """Return words on lines of at most *width* columns, joined by a separator; a word that is too long is broken."""
    lines: List[str] = []
    line, is_empty = "", True
    for word in words:
        joined = line + word if is_empty else line + separator + word
        if width_of(joined) <= width:
            line, is_empty = joined, False
            continue
        if not is_empty:
            lines.append(line.rstrip(" "))
            line = indent
        line += word
        while width_of(line) > width:
            part = _beginning(line, max(width, len(indent) + 1)) or line[:1]
            lines.append(part)
            line = indent + line[len(part) :]
        is_empty = False
    return [*lines, line.rstrip(" ")]


def _width_of_one(character: str) -> int:
    if character == _EMOJI_SIGN:
        return 1
    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in ("W", "F") else 1


def _beginning(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    for place, character in enumerate(text):
        width -= _width_of_one(character)
        if width < 0:
            return text[:place]
    return text


def _end(text: str, width: int) -> str:
    if text.isascii():
        return text[len(text) - width :] if width > 0 else ""
    place = len(text)
    while place and _width_of_one(text[place - 1]) <= width:
        place -= 1
        width -= _width_of_one(text[place])
    while place < len(text) and _width_of_one(text[place]) == 0:
        place += 1  # a mark alone would fall on what stands before it
    return text[place:]


def _escaped(character: str) -> str:
    code = ord(character)
    return "\\x%02x" % code if code < 0x100 else "\\u%04x" % code if code < 0x10000 else "\\U%08x" % code
