"""How do runs or groups look beside each other: a column each, in as many blocks as it takes?"""

from __future__ import annotations

from collections import namedtuple

from . import apart, tables, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence, Tuple

    from .screen import Screen

_NARROWEST = 6
_NARROWEST_KEYS = 12
_GAP = 2  # columns between two cells
_COMMAND = ("command", "")  # the first line of what commands differ in, and the others


class Section(
    namedtuple(
        "Section",
        ["title", "rows", "difference", "is_apart", "is_whole", "after", "best"],
        defaults=["", False, False, (), ()],
    )
):
    """A part of the screen.

    Attributes:
        title: What stands above it; empty: nothing.
        rows: Of each a key and a cell for each thing; of two things their difference may follow.
        difference: What stands above the differences.
        is_apart: Whether long cells are cut so that what tells them apart stays.
        is_whole: Whether cells are numbers, which are not cut.
        after: Lines below the rows.
        best: Of each row which thing has the best value, None for none; empty: none has in any row.
    """

    __slots__ = ()

    title: str
    rows: List[List[str]]
    difference: str
    is_apart: bool
    is_whole: bool
    after: Sequence[str]
    best: Sequence[Optional[int]]

    def best_of(self, row: int) -> Optional[int]:
        """Return which thing has the best value of a row, None where none has."""
        return self.best[row] if self.best else None


def letter(place: int) -> str:
    """Return what the thing at a place is called."""
    return "abcdefghijklmnopqrstuvwxyz"[place % 26]


def lettered(heads: Sequence[str]) -> List[str]:
    """Return what things are called, with their letters."""
    return ["%s %s" % (letter(place), head) for place, head in enumerate(heads)]


def render(heads: Sequence[str], sections: Sequence[Section], screen: Screen) -> List[str]:
    """Return the sections below each other; what finds no room beside the first things follows in blocks of its own.

    Args:
        heads: What the things are called.
        sections: What is told of them.
        screen: Whose width counts.
    """
    count = len(heads)
    named = lettered(heads)
    key_width, room, needed, least = _measure(named, sections, screen)
    most = len(_share(needed, least, room))
    blocks = -(-count // most)
    size = -(-count // blocks)  # blocks of about one size rather than a full one and the rest
    lines: List[str] = []
    start = 0
    while start < count:
        widths = _share(needed[start : start + size], least[start : start + size], room)
        end = start + len(widths)
        lines += [""] if start else []
        grid = _Grid(key_width, widths, screen)
        lines += _render_block(named[start:end], sections, start, grid, is_last=end == count)
        start = end
    return lines


def is_one_block(heads: Sequence[str], sections: Sequence[Section], screen: Screen) -> bool:
    """Tell whether all things have room beside each other, without a number that is cut."""
    _, room, _, least = _measure(heads, sections, screen)
    return sum(least) + _GAP * (len(least) - 1) <= room


def _measure(
    named: Sequence[str], sections: Sequence[Section], screen: Screen
) -> Tuple[int, int, List[int], List[int]]:
    """Return the width of the keys, what is left for the things, what each of these needs to be whole, and at least."""
    rows = [row for section in sections for row in section.rows]
    numbers = [row for section in sections if section.is_whole for row in section.rows]
    widest = max([texts.width_of(row[0]) for row in rows], default=0)
    key_width = min(widest, max(_NARROWEST_KEYS, screen.width // 4))
    extras = [texts.width_of(row[len(named) + 1]) + _GAP for row in rows if len(row) > len(named) + 1]
    room = screen.width - 1 - _GAP - key_width - max(extras, default=0)
    needed, least = [], []
    for place, name in enumerate(named):
        needed.append(max([texts.width_of(name), *(texts.width_of(row[place + 1]) for row in rows)]))
        whole = max([texts.width_of(row[place + 1]) for row in numbers], default=0)
        least.append(min(needed[-1], max(tables.NARROWEST_NAME, whole)))
    return key_width, room, needed, least


def _render_block(
    named: Sequence[str], sections: Sequence[Section], start: int, grid: _Grid, *, is_last: bool
) -> List[str]:
    """Return the lines of the things from *start* on."""
    lines, screen, end = [], grid.screen, start + len(named)
    for section in sections:
        if not section.title:
            lines.append(grid.row("", named, role="strong", is_name=True))
        else:
            lines += ["", screen.styled("strong", section.title)]
            if section.difference:
                gap = " " * max(1, grid.indent() - texts.width_of(section.title))
                lines[-1] += gap + screen.styled("quiet", screen.own(section.difference))
        rows = []
        for number, row in enumerate(section.rows):
            extra = row[len(named) + 1 :] if start == 0 and is_last else ()
            best = section.best_of(number)
            rows.append(
                grid.row(
                    row[0], row[1 + start : 1 + end], extra=extra, is_apart=section.is_apart,
                    best=None if best is None else best - start,
                )
            )  # fmt: skip
        lines += rows or [screen.styled("quiet", " none")]
        if is_last:
            lines += [" " + line if line else "" for line in section.after]
    return lines


class _Grid:
    """Columns that all sections of a block share."""

    def __init__(self, key_width: int, widths: Sequence[int], screen: Screen) -> None:
        self.key_width, self.widths, self.screen = key_width, widths, screen

    def indent(self) -> int:
        """Return how many columns stand before what follows the cells."""
        return 1 + self.key_width + sum(width + _GAP for width in self.widths) + _GAP

    def row(
        self,
        key: str,
        cells: Sequence[str],
        *,
        role: str = "",
        extra: Sequence[str] = (),
        is_name: bool = False,
        is_apart: bool = False,
        best: Optional[int] = None,
    ) -> str:
        """Return one line: a key, a cell for each column, and what follows them."""
        screen, ellipsis = self.screen, self.screen.glyph("ellipsis")
        too_wide = [width for cell, width in zip(cells, self.widths) if texts.width_of(cell) > width]
        if too_wide and not is_name and (is_apart or key in _COMMAND):
            none = screen.glyph("none")
            values = [None if cell == none else cell for cell in cells]
            shown = apart.cut_values(cells, values, min(too_wide), ellipsis)
        else:
            cut = texts.cut_middle if is_name else texts.cut_end
            shown = [cut(cell, width, ellipsis) for cell, width in zip(cells, self.widths)]
        parts = [screen.styled("quiet", texts.pad(texts.cut_middle(key, self.key_width, ellipsis), self.key_width))]
        for place, (text, width) in enumerate(zip(shown, self.widths)):
            styled = screen.styled(role or ("good" if place == best else ""), text)
            parts.append(texts.pad(styled, width))
        return (" " + (" " * _GAP).join([*parts, *extra])).rstrip(" ")


def _share(cells: Sequence[int], least: Sequence[int], room: int) -> List[int]:
    """Return the widths of the first columns: the widest are cut first, to the least; then the last have no room."""
    widths, least = list(cells), list(least)
    while sum(widths) + _GAP * (len(widths) - 1) > room:
        over = [place for place, width in enumerate(widths) if width > least[place]]
        if over:
            widths[max(over, key=widths.__getitem__)] -= 1
        elif len(widths) > 1:
            widths.pop()
        elif widths[0] > _NARROWEST:
            widths[0] -= 1
        else:
            break
    return widths
