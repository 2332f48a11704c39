"""How does what a program has printed get onto a terminal or into a pipe: its colours at most, nothing that steers?"""

from __future__ import annotations

import re

from . import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

_RESET = "\x1b[0m"
_TAB = 8
# ECMA-48, section 5: control sequences, control strings with their ends, and escapes of two or more characters. What
# only begins like one is no match: it is shown escaped, so that nobody hides the rest of a line.
_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[ -/]*[0-OQ-WYZ`-~]"
)
_COLOUR = re.compile("(?:\x1b\\[|\x9b)([0-9;:]*)m\\Z")
# Bold, quiet, italic, underlined, inverse, crossed out, and their ends; but nothing that blinks or hides.
_PLAIN = {0, 1, 2, 3, 4, 7, 9, 21, 22, 23, 24, 27, 29, *range(30, 38), 39, *range(40, 48), 49, *range(90, 98)}
_PLAIN |= {*range(100, 108)}
_WITH_MORE = {38, 48}  # a colour follows: 5 and its number, or 2 and its three parts


def without_sequences(text: str) -> str:
    """Return a text without what steers a terminal: colours, moves of the cursor and so on."""
    return _SEQUENCE.sub("", text)


def render_line(line: str, *, has_colour: bool = False, encoding: str = "utf-8") -> str:
    """Return one line of a log without what would steer a terminal.

    Args:
        line: Without its line break; of text between carriage returns the last is shown, as on a screen.
        has_colour: Whether its colours may stay; they end with the line.
        encoding: Of the stream; what it lacks is escaped.
    """
    line = next((part for part in reversed(line.split("\r")) if part), "")
    if line.isprintable() and line.isascii():
        return line
    parts = []
    place = column = 0
    is_coloured = False
    for match in _SEQUENCE.finditer(line):
        text = _clean(line[place : match.start()], column, encoding)
        column += texts.width_of(text)
        colour = _colour_of(match.group()) if has_colour else ""
        is_coloured = is_coloured if not colour else colour != _RESET
        parts += [text, colour]
        place = match.end()
    parts.append(_clean(line[place:], column, encoding))
    return "".join(parts) + (_RESET if is_coloured else "")


def wrap(line: str, width: int) -> List[str]:
    """Return a line that ``render_line`` has made as lines of at most *width* columns; colours go on in each."""
    if texts.width_of(line) <= width:
        return [line]
    lines: List[str] = []
    begun = current = ""
    used = 0
    for number, part in enumerate(re.split("(\x1b\\[[0-9;:]*m)", line)):
        if number % 2:
            begun = "" if part == _RESET else begun + part
            current += part
            continue
        for character in part:
            size = texts.width_of(character)
            if used + size > width and used:
                lines.append(current + (_RESET if begun else ""))
                current, used = begun, 0
            current += character
            used += size
    return [*lines, current]


def _clean(text: str, column: int, encoding: str) -> str:
    if "\t" in text:  # relative to where it stands
        text = (" " * (column % _TAB) + text).expandtabs(_TAB)[column % _TAB :]
    return texts.clean(text, encoding)


def _colour_of(sequence: str) -> str:
    """Return the part of a control sequence that sets colours; an empty text where there is none."""
    match = _COLOUR.match(sequence)
    if match is None:
        return ""
    codes = [int(code[:4]) if code else 0 for code in match.group(1).replace(":", ";").split(";")]
    kept: List[int] = []
    place = 0
    while place < len(codes):
        length = 1
        if codes[place] in _WITH_MORE:
            length = {5: 3, 2: 5}.get(codes[place + 1] if place + 1 < len(codes) else -1, len(codes) + 1)
            if place + length > len(codes):
                break
        elif codes[place] not in _PLAIN:
            place += 1
            continue
        kept += codes[place : place + length]
        place += length
    return "\x1b[%sm" % ";".join(map(str, kept)) if kept else ""
