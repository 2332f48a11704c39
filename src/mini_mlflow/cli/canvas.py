"""How are lines drawn with the characters of a terminal: as dots of braille, or in ASCII as letters?"""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Tuple

_BLANK = 0x2800
# By the place of a dot within its cell: two columns, four rows (Unicode, Braille Patterns).
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


class Pen(namedtuple("Pen", ["colour", "letter"])):
    """What a line is drawn with.

    Attributes:
        colour: A number, which the caller knows the meaning of.
        letter: The character that stands for a dot where there is no braille.
    """

    __slots__ = ()

    colour: int
    letter: str


class Piece(namedtuple("Piece", ["text", "colour"])):
    """Neighbouring characters of one line that have the same colour; None: those that nothing was drawn on."""

    __slots__ = ()

    text: str
    colour: Optional[int]


class Canvas:
    """Cells of a terminal to draw on. Dots are counted from the upper left corner, from 0 on.

    Attributes:
        columns: Cells side by side.
        rows: Cells one above the other.
        width: Dots side by side.
        height: Dots one above the other.
    """

    def __init__(self, columns: int, rows: int, *, is_ascii: bool = False) -> None:
        """Begin with nothing drawn.

        Args:
            columns: At least 1.
            rows: At least 1.
            is_ascii: Whether a cell is one dot and shows its pen's letter, instead of eight of braille.
        """
        self.columns = columns
        self.rows = rows
        self._is_ascii = is_ascii
        self._across, self._down = (1, 1) if is_ascii else (2, 4)
        self.width = columns * self._across
        self.height = rows * self._down
        self._bits = [0] * (columns * rows)
        self._pens: List[Optional[Pen]] = [None] * (columns * rows)
        self._letters: Dict[int, Piece] = {}

    def dot(self, x: int, y: int, pen: Pen) -> None:
        """Draw a dot; one beyond the canvas is left out."""
        if 0 <= x < self.width and 0 <= y < self.height:
            self._put(x, y, pen)

    def line(self, x0: float, y0: float, x1: float, y1: float, pen: Pen) -> None:
        """Draw a straight line between two places, as far as it is on the canvas; what is drawn last lies on top."""
        ends = clip(x0, y0, x1, y1, self.width - 1, self.height - 1)
        if ends is None:
            return
        left, top, right, bottom = (int(each + 0.5) for each in ends)
        if left == right:
            self._fill(left, min(top, bottom), max(top, bottom), pen)
            return
        count = max(abs(right - left), abs(bottom - top))
        across, down = (right - left) / count, (bottom - top) / count
        for number in range(count + 1):
            self._put(int(left + across * number + 0.5), int(top + down * number + 0.5), pen)

    def cell_of(self, x: float, y: float) -> Tuple[int, int]:
        """Return the column and row of the cell that a place is in, or of the nearest cell where it is beyond."""
        column = min(max(int(x + 0.5), 0), self.width - 1) // self._across
        row = min(max(int(y + 0.5), 0), self.height - 1) // self._down
        return column, row

    def write(self, column: int, row: int, text: str, colour: int) -> None:
        """Put one character on a cell, above all lines."""
        self._letters[row * self.columns + column] = Piece(text, colour)

    def is_written(self, column: int, row: int) -> bool:
        """Tell whether a character was put on a cell."""
        return row * self.columns + column in self._letters

    def is_empty(self, column: int, row: int) -> bool:
        """Tell whether nothing is drawn or written on a cell."""
        place = row * self.columns + column
        return not self._bits[place] and place not in self._letters

    def colour_at(self, column: int, row: int) -> Optional[int]:
        """Return the colour of the line that lies on top in a cell, None where there is none."""
        pen = self._pens[row * self.columns + column]
        return None if pen is None else pen.colour

    def render(self) -> List[List[Piece]]:
        """Return the rows from top to bottom, each as pieces that fill all columns."""
        return [self._render_row(row) for row in range(self.rows)]

    def _put(self, x: int, y: int, pen: Pen) -> None:
        column, row = x // self._across, y // self._down
        place = row * self.columns + column
        self._bits[place] |= _BITS[x - column * self._across][y - row * self._down]
        self._pens[place] = pen

    def _fill(self, x: int, top: int, bottom: int, pen: Pen) -> None:
        """Draw a vertical line, cell by cell: noise is made of these, hundreds of thousands of dots of them."""
        column, down = x // self._across, self._down
        bits = _BITS[x - column * self._across]
        for row in range(top // down, bottom // down + 1):
            place = row * self.columns + column
            self._pens[place] = pen
            for dot in range(max(top - row * down, 0), min(bottom - row * down, down - 1) + 1):
                self._bits[place] |= bits[dot]

    def _render_row(self, row: int) -> List[Piece]:
        pieces: List[Piece] = []
        for place in range(row * self.columns, (row + 1) * self.columns):
            text, colour = self._letters.get(place) or self._render_cell(place)
            if pieces and pieces[-1].colour == colour:
                pieces[-1] = Piece(pieces[-1].text + text, colour)
            else:
                pieces.append(Piece(text, colour))
        return pieces

    def _render_cell(self, place: int) -> Tuple[str, Optional[int]]:
        pen = self._pens[place]
        if pen is None:
            return " ", None
        return pen.letter if self._is_ascii else chr(_BLANK + self._bits[place]), pen.colour


def clip(
    x0: float, y0: float, x1: float, y1: float, right: float, bottom: float
) -> Optional[Tuple[float, float, float, float]]:
    """Return the ends of the part of a line that lies in a rectangle from (0, 0), None where no part does.

    You-Dong Liang and Brian A. Barsky, A New Concept and Method for Line Clipping, ACM Transactions on Graphics 3
    (1984).

    Args:
        x0: Where the line begins; finite, as are the others.
        y0: Likewise.
        x1: Where it ends.
        y1: Likewise.
        right: The greatest x within, 0 or more.
        bottom: The greatest y within, 0 or more.
    """
    begin, end = 0.0, 1.0
    across, down = x1 - x0, y1 - y0
    for direction, distance in ((-across, x0), (across, right - x0), (-down, y0), (down, bottom - y0)):
        if direction == 0:
            if distance < 0:
                return None
            continue
        part = distance / direction
        if direction < 0:
            begin = max(begin, part)
        else:
            end = min(end, part)
        if begin > end:
            return None
    return (
        min(max(x0 + begin * across, 0.0), right),
        min(max(y0 + begin * down, 0.0), bottom),
        min(max(x0 + end * across, 0.0), right),
        min(max(y0 + end * down, 0.0), bottom),
    )
