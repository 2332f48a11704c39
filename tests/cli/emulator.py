"""A small terminal for tests: what would stand on the screen after these bytes?"""

import re
from typing import List, NamedTuple

_PART = re.compile(
    "\x1b\\[([?<>=]?)([0-9;:]*)([@-~])"
    "|(?:\x1b\\[[?<>=]?[0-9;:]*|\x1b)(?=\x1b)"  # another one breaks it off, as in every terminal
    "|\x1b(.)|([\x00-\x1f])|([^\x00-\x1f]+)",
    re.DOTALL,
)


class Cell(NamedTuple):
    text: str
    style: str


BLANK = Cell(" ", "")


class Emulator:
    """Knows what our dashboards send, and fails on anything else; characters are one column wide.

    Attributes:
        is_alternate: Whether the alternate screen shows.
        has_cursor: Whether the cursor shows.
        wraps: Whether a line that is too long goes on in the next.
        row: Where the cursor stands, from 0.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.is_alternate, self.has_cursor, self.wraps = False, True, True
        self.row = self.column = 0
        self.style = ""
        self.written = 0  # characters
        self._main = self._blank()
        self._other = self._blank()
        self._kept = (0, 0)

    def _blank(self) -> List[List[Cell]]:
        return [[BLANK] * self.width for _ in range(self.height)]

    @property
    def _cells(self) -> List[List[Cell]]:
        return self._other if self.is_alternate else self._main

    def resize(self, width: int, height: int) -> None:
        """Become larger or smaller, as real terminals do: what is beyond is lost."""
        for cells in (self._main, self._other):
            del cells[height:]
            cells += [[BLANK] * width for _ in range(height - len(cells))]
            cells[:] = [row[:width] + [BLANK] * (width - len(row)) for row in cells]
        self.width, self.height = width, height
        self.row, self.column = min(self.row, height - 1), min(self.column, width - 1)

    def lines(self) -> List[str]:
        return ["".join(cell.text for cell in row).rstrip() for row in self._cells]

    def style_at(self, row: int, column: int) -> str:
        return self._cells[row][column].style

    def feed(self, text: str) -> None:
        place = 0
        while place < len(text):
            match = _PART.match(text, place)
            assert match, text[place : place + 20]
            place = match.end()
            private, numbers, final, short, control, shown = match.groups()
            if final:
                self._control(private, numbers, final)
            elif control:
                self._move(control)
            elif shown:
                self._write(shown)
            else:
                assert not short, "unknown: ESC %s" % short

    def _move(self, control: str) -> None:
        if control == "\n":
            self.column = 0  # the driver of the terminal sends a carriage return before it
            self.row += 1
            if self.row == self.height:
                self._cells.append([BLANK] * self.width)
                del self._cells[0]
                self.row -= 1
        elif control == "\r":
            self.column = 0
        else:
            raise AssertionError("unknown control %r" % control)

    def _write(self, text: str) -> None:
        for character in text:
            if self.column == self.width:
                if self.wraps:
                    self._move("\n")
                else:
                    self.column -= 1
            self._cells[self.row][self.column] = Cell(character, self.style)
            self.column += 1
            self.written += 1

    def _control(self, private: str, numbers: str, final: str) -> None:
        if final == "m" and not private:
            self.style = "" if numbers in ("", "0") else numbers
        elif final == "H":
            row, column = (int(each) for each in (numbers or "1;1").split(";"))
            assert row <= self.height
            self.row, self.column = row - 1, column - 1
        elif final == "K" and not numbers:
            row = self._cells[self.row]
            row[self.column :] = [BLANK] * (self.width - self.column)
        elif final == "J" and numbers == "2":
            self._cells[:] = self._blank()
        elif private == "?" and final in "hl":
            self._set(numbers, final == "h")
        else:
            raise AssertionError("unknown: CSI %s%s%s" % (private, numbers, final))

    def _set(self, mode: str, is_on: bool) -> None:
        if mode == "1049":
            if is_on and not self.is_alternate:
                self._kept = self.row, self.column
                self._other = self._blank()
            elif not is_on and self.is_alternate:
                self.row, self.column = self._kept
            self.is_alternate = is_on
        elif mode == "25":
            self.has_cursor = is_on
        elif mode == "7":
            self.wraps = is_on
        else:
            assert mode == "2026", mode
