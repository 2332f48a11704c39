"""How does the line above a screen fit: a name, and what is told of it?"""

from __future__ import annotations

from collections import namedtuple

from . import tables, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence

    from .screen import Screen

DOT = " · "
GAP = "  "


class Part(namedtuple("Part", ["text", "before", "role", "is_name"])):
    """A part of a title.

    Attributes:
        text: What is said; a name has no colours yet.
        before: What stands between it and the part before.
        role: Its role, empty where it has none of its own.
        is_name: Whether it may be cut in its middle. Facts are shown whole or not at all: half a count is another one.
    """

    __slots__ = ()

    text: str
    before: str
    role: str
    is_name: bool


def name(text: str, screen: Screen, before: str = DOT, role: str = "") -> Part:
    """Return the part that a name of the users' is; it need not be clean."""
    return Part(screen.clean(text), screen.own(before), role, is_name=True)


def fact(text: str, screen: Screen, before: str = DOT) -> Part:
    """Return the part that a fact is: clean, may have colours."""
    return Part(text, screen.own(before), "", is_name=False)


def fit(parts: Sequence[Part], screen: Screen, *shorter: Sequence[Part], width: Optional[int] = None) -> str:
    """Return a line that fits: as it is, else in fewer words, else with names cut, else without the last facts.

    Args:
        parts: A name first.
        screen: Whose width, colours and signs count.
        *shorter: The same in fewer words, the fewest last.
        width: Another width; 0: as wide as it gets.
    """
    width = screen.width if width is None else width
    for chosen in (parts, *shorter):
        if _width(chosen) <= width or not width:
            return _line(chosen, screen)
    return _squeeze(list(chosen), screen, width)


def _squeeze(parts: List[Part], screen: Screen, width: int) -> str:
    ellipsis = screen.glyph("ellipsis")
    there = len(parts)
    while len(parts) > 1 and _width(parts) - sum(map(_slack, parts)) > width:
        parts.pop()
    rooms = [texts.width_of(each.text) for each in parts]
    least = [room - _slack(each) if len(parts) > 1 else 1 for room, each in zip(rooms, parts)]
    over = _width(parts) - width
    while over > 0 and rooms != least:
        widest = max((place for place, room in enumerate(rooms) if room > least[place]), key=rooms.__getitem__)
        rooms[widest] -= 1
        over -= 1
    cut = [
        each._replace(text=texts.cut_middle(each.text, room, ellipsis)) if each.is_name else each
        for each, room in zip(parts, rooms)
    ]
    line = _line(cut, screen)
    more = " " + ellipsis
    return line + more if len(parts) < there and texts.width_of(line + more) <= width else line


def _slack(part: Part) -> int:
    """Return how much narrower a part can become where others stand beside it."""
    return max(0, texts.width_of(part.text) - tables.NARROWEST_NAME) if part.is_name else 0


def _width(parts: Sequence[Part]) -> int:
    return texts.width_of(_line(parts, None))


def _line(parts: Sequence[Part], screen: Optional[Screen]) -> str:
    shown = [screen.styled(each.role, each.text) if screen and each.role else each.text for each in parts]
    return "".join(text if place == 0 else parts[place].before + text for place, text in enumerate(shown))
