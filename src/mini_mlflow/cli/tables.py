"""How does a table fit a terminal: which columns stay, how wide are they, what does the footer say of the others?"""

from __future__ import annotations

from collections import namedtuple

from . import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, List, Optional, Sequence, Tuple

    from .screen import Screen

BETWEEN = "  "
NARROWEST_NAME = 12


class Column(namedtuple("Column", ["key", "title", "cells", "is_right", "roles", "role", "shrinks", "drops"])):
    """One column of a table; make it with ``column``.

    Attributes:
        key: What the footer calls it.
        title: Its heading.
        cells: A clean text for each row.
        is_right: Whether it stands at the right.
        roles: A role for each row, None where there is none; or None.
        role: The role of cells without one of their own.
        shrinks: How it is cut where there is no room: ``middle``, ``end`` or None: never.
        drops: When it is left out where there is no room: a higher number goes earlier; None: never.
    """

    __slots__ = ()

    key: str
    title: str
    cells: List[str]
    is_right: bool
    roles: Optional[Sequence[Optional[str]]]
    role: Optional[str]
    shrinks: Optional[str]
    drops: Optional[float]

    def width(self) -> int:
        """Return how many columns of the terminal it takes."""
        return max(map(texts.width_of, [self.title, *self.cells]))


def column(
    key: str,
    cells: Sequence[str],
    title: Optional[str] = None,
    *,
    is_right: bool = False,
    roles: Optional[Sequence[Optional[str]]] = None,
    role: Optional[str] = None,
    shrinks: Optional[str] = None,
    drops: Optional[float] = None,
) -> Column:
    """Return a column; see ``Column``. Its title is its key unless given."""
    return Column(key, key if title is None else title, list(cells), is_right, roles, role, shrinks, drops)


def render(columns: Sequence[Column], screen: Screen, *, width: Optional[int] = None) -> Tuple[List[str], List[str]]:
    """Return a table as lines, headings first, and the keys of the columns that found no room.

    Columns are left out by their ``drops``, then put back where they fit after all; then those that can be cut are.

    Args:
        columns: At least one; each with as many cells.
        screen: Whose width, colours and signs count.
        width: Another width; 0: as wide as it gets.
    """
    width = screen.width if width is None else width
    kept = list(range(len(columns)))
    widths = [each.width() for each in columns]
    if width:
        needs = [_least(each, own) for each, own in zip(columns, widths)]
        kept = _fitting(columns, needs, width)
        _share_out([columns[place] for place in kept], kept, widths, width)
    lines = [_line([_heading(columns[place], widths[place], screen) for place in kept])]
    lines += [
        _line([_cell(columns[place], row, widths[place], screen) for place in kept])
        for row in range(len(columns[0].cells))
    ]
    return lines, [each.key for place, each in enumerate(columns) if place not in kept]


def footer(rows: Sequence[Tuple[str, Sequence[str]]], screen: Screen, separator: str = " · ") -> List[str]:
    """Return quiet lines below a table: a name, and the texts that belong to it; long ones go on below their first.

    Args:
        rows: Names and clean texts; those without texts are left out.
        screen: Where they go to.
        separator: What stands between the texts.
    """
    rows = [(name, items) for name, items in rows if items]
    if not rows:
        return []
    indent = max(texts.width_of(name) for name, _ in rows) + 3
    separator = screen.own(separator)
    lines = []
    for name, items in rows:
        room = max(12, screen.width - indent)
        for place, part in enumerate(texts.join_wrapped(list(items), separator, room)):
            start = " " + texts.pad(name if place == 0 else "", indent - 1)
            lines.append(screen.styled("quiet", start + part.strip()))
    return lines


def _least(each: Column, width: int) -> int:
    """Return the width that a column needs at least."""
    if each.shrinks is None:
        return width
    return min(width, max(NARROWEST_NAME, texts.width_of(each.title)))


def _fitting(columns: Sequence[Column], needs: List[int], width: int) -> List[int]:
    """Return the places of the columns that stay."""
    dropping = [place for place, each in enumerate(columns) if each.drops is not None]
    dropping.sort(key=lambda place: (columns[place].drops, place), reverse=True)
    kept = set(range(len(columns)))
    dropped = []
    for place in dropping:
        if _total(needs, kept) <= width:
            break
        kept.discard(place)
        dropped.append(place)
    for place in reversed(dropped):
        if _total(needs, kept | {place}) <= width:
            kept.add(place)
    return sorted(kept)


def _total(widths: Sequence[int], kept: Iterable[int]) -> int:
    return 1 + sum(widths[place] + len(BETWEEN) for place in kept) - len(BETWEEN)


def _share_out(columns: Sequence[Column], kept: Sequence[int], widths: List[int], width: int) -> None:
    """Cut columns that can be cut until the table fits, the widest first."""
    cuttable = [place for each, place in zip(columns, kept) if each.shrinks]
    over = _total(widths, kept) - width
    least = {place: _least(each, widths[place]) for each, place in zip(columns, kept)}
    while over > 0:
        wide = [place for place in cuttable if widths[place] > least[place]]
        if not wide:
            break
        place = max(wide, key=lambda each: widths[each])
        widths[place] -= 1
        over -= 1


def _heading(each: Column, width: int, screen: Screen) -> str:
    title = texts.cut_end(each.title, width, screen.glyph("ellipsis")) if each.shrinks else each.title
    return _styled(texts.pad(title, width, is_right=each.is_right), "quiet", screen)


def _cell(each: Column, row: int, width: int, screen: Screen) -> str:
    text = each.cells[row]
    if texts.width_of(text) > width and each.shrinks:
        cut = texts.cut_middle if each.shrinks == "middle" else texts.cut_end
        text = cut(text, width, screen.glyph("ellipsis"))
    padded = texts.pad(text, width, is_right=each.is_right)
    role = (each.roles[row] if each.roles else None) or each.role
    return _styled(padded, role, screen) if role else padded


def _styled(padded: str, role: str, screen: Screen) -> str:
    """Return a padded text in a role, the spaces around it plain."""
    start = len(padded) - len(padded.lstrip(" "))
    end = len(padded.rstrip(" "))
    return padded[:start] + screen.styled(role, padded[start:end]) + padded[end:] if start < end else padded


def _line(cells: Sequence[str]) -> str:
    return (" " + BETWEEN.join(cells)).rstrip(" ")
