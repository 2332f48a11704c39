"""How do curves become a chart: frame, ticks, lines, and letters that tell which is which?"""

from __future__ import annotations

from collections import namedtuple
from math import inf

from . import axes, fitted
from .canvas import Canvas, Piece, clip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Sequence, Tuple

    from .axes import Axis, Tick
    from .canvas import Pen
    from .fitted import Range

    Points = Tuple[Sequence[float], Sequence[float]]
    Drawn = List[Tuple[float, float]]

FRAME = -1  # the colour of what is no curve
STEP, TIME, VALUE = "step", "time", "value"  # what an x-axis counts: whole steps, seconds, or anything
FEWEST_COLUMNS, FEWEST_ROWS = 16, 3  # of the area that is drawn on
_ROWS_PER_TICK = 2
_COLUMNS_PER_TICK = 14
_SPARSE = 3  # of so many dots side by side one is drawn
_FAR = 1e6  # times the chart: farther away, the direction of a line is all that counts
_LETTER_EVERY = 26  # columns, where letters tell the curves apart
_MOST_LETTERS = 8  # side by side behind the ends of curves
_SIGNS = {  # frame: tick to the left, side, corner, tick below, bottom; where a curve has no number
    False: ("┤", "│", "└", "┴", "─", "×"),
    True: ("+", "|", "+", "+", "-", "x"),
}


class Curve(namedtuple("Curve", ["pen", "xs", "ys", "edges"])):
    """One line of a chart.

    Attributes:
        pen: What it is drawn with; its letter tells which one it is.
        xs: Where its points lie; finite.
        ys: As many values; the line is broken where one is NaN or infinite.
        edges: Lines that go with it and are drawn as sparse dots, such as the least and the greatest of a group.
    """

    __slots__ = ()

    pen: Pen
    xs: Sequence[float]
    ys: Sequence[float]
    edges: Sequence[Points]


class View(
    namedtuple(
        "View",
        ["x_kind", "x_name", "is_log", "is_zoomed", "x_range", "y_range"],
        defaults=[(None, None), (None, None)],
    )
):
    """How curves are looked at.

    Attributes:
        x_kind: ``STEP``, ``TIME`` or ``VALUE``.
        x_name: What stands at the end of the x-axis.
        is_log: Whether the y-axis is logarithmic.
        is_zoomed: Whether the y-axis need not reach what lies in the first tenth of the x-axis, nor what is far from
            the rest; see ``fitted.fit``.
        x_range: The ends of the x-axis, None where they are fitted.
        y_range: Those of the y-axis, likewise.
    """

    __slots__ = ()

    x_kind: str
    x_name: str
    is_log: bool
    is_zoomed: bool
    x_range: Range
    y_range: Range


def draw(
    curves: Sequence[Curve], view: View, width: int, rows: int, *, is_ascii: bool = False, has_colour: bool = False
) -> List[List[Piece]]:
    """Return the lines of a chart, none wider than *width*; nothing where no point has a place.

    Args:
        curves: The first one lies on top.
        view: How they are looked at.
        width: The columns that there are; a chart is at least ``FEWEST_COLUMNS`` and its labels wide.
        rows: The rows to draw on; below them, two more hold the x-axis.
        is_ascii: Whether letters draw the curves, and nothing beyond ASCII the rest.
        has_colour: Whether colours tell the curves apart; else letters stand on them, too.
    """
    x_axis, y_axis = fitted.fit(curves, view)
    if x_axis is None or y_axis is None:
        return []
    rows = max(rows, FEWEST_ROWS)
    y_ticks = axes.list_ticks(y_axis, max(2, rows // _ROWS_PER_TICK))
    margin = max([len(tick.label) for tick in y_ticks], default=0)
    columns = max(width - margin - 3, FEWEST_COLUMNS)
    drawing = _Drawing(Canvas(columns, rows, is_ascii=is_ascii), x_axis, y_axis, [] if is_ascii else curves)
    for curve in reversed(curves):
        drawing.add(curve)
    for curve in curves:
        drawing.mark_gaps(curve, _SIGNS[is_ascii][5])
    if not is_ascii:
        for curve in sorted(curves, key=lambda each: each.pen.colour):
            drawing.mark_end(curve)
        if not has_colour:
            for number, curve in enumerate(curves):
                drawing.mark_along(curve, number, len(curves))
    tick_rows = {drawing.row_of(tick.value): tick.label for tick in reversed(y_ticks)}
    tick_columns = {drawing.column_of(tick.value): tick.label for tick in _list_x_ticks(x_axis, view, columns)}
    left, side, corner, below, bottom, _ = _SIGNS[is_ascii]
    lines = []
    for row, pieces in enumerate(drawing.canvas.render()):
        edge = left if row in tick_rows else side
        lines.append([Piece(" %*s %s" % (margin, tick_rows.get(row, ""), edge), FRAME), *pieces])
    frame = "".join(below if column in tick_columns else bottom for column in range(columns))
    lines.append([Piece(" " * (margin + 2) + corner + frame, FRAME)])
    lines.append([Piece(" " * (margin + 3) + _place_labels(tick_columns, columns, view.x_name), FRAME)])
    return [_without_blanks(line) for line in lines]


def _list_x_ticks(axis: Axis, view: View, columns: int) -> List[Tick]:
    most = max(2, columns // _COLUMNS_PER_TICK)
    if view.x_kind == TIME:
        return axes.list_time_ticks(axis, most)
    return axes.list_ticks(axis, most, is_whole=view.x_kind == STEP)


def _place_labels(labels: Dict[int, str], columns: int, name: str) -> str:
    """Return the line below an x-axis: what has no room beside its neighbour or the axis's name is left out."""
    name = name[: max(columns // 2, 1)]
    room = columns - len(name) - 2
    line = ""
    for column, label in sorted(labels.items()):
        start = max(column - len(label) // 2, 0)
        if start + len(label) <= room and (not line or start >= len(line) + 2):
            line = line.ljust(start) + label
    return line.ljust(columns - len(name)) + name


def _without_blanks(line: List[Piece]) -> List[Piece]:
    """Return a line without what is blank at its end."""
    while line and not line[-1].text.strip():
        line = line[:-1]
    return [*line[:-1], Piece(line[-1].text.rstrip(" "), line[-1].colour)] if line else []


class _Drawing:
    """A canvas with axes.

    The last columns are free of lines, so that there is room for the letters of the curves that end there.
    """

    def __init__(self, canvas: Canvas, x_axis: Axis, y_axis: Axis, lettered: Sequence[Curve]) -> None:
        self.canvas = canvas
        self._x_axis = x_axis
        self._y_axis = y_axis
        self._height = canvas.height - 1
        self._lined = canvas.columns - self._count_letters(lettered)
        self._width = self._lined * (canvas.width // canvas.columns) - 1
        self._marks: Dict[Pen, List[Tuple[int, int]]] = {}  # where a curve has no number, by its pen
        self._ends: Dict[Pen, Tuple[int, int]] = {}  # the cell of the last point, or of the gap that it ends with

    def column_of(self, x: float) -> int:
        return self.canvas.cell_of(self._dot_x(x), 0)[0]

    def row_of(self, y: float) -> int:
        return self.canvas.cell_of(0, self._dot_y(y))[1]

    def add(self, curve: Curve) -> None:
        """Draw the lines of a curve."""
        for xs, ys in curve.edges:
            for stretch in self._stretches(xs, ys)[0]:
                self._draw_sparsely(stretch, curve.pen)
        stretches, gaps = self._stretches(curve.xs, curve.ys)
        for stretch in stretches:
            self._draw(stretch, curve.pen)
        marks = [self._place_of_gap(x, stretches, is_after=is_after) for x, is_after in gaps]
        self._marks[curve.pen] = [self.canvas.cell_of(*place) for place in marks if self._is_on(*place)]
        ends = [stretches[-1][-1]] if stretches else []
        if curve.ys and not -inf < curve.ys[-1] < inf:
            ends = marks[-1:]
        if ends and not self._is_on(*ends[0]):  # it goes on beyond the chart: what is seen of it ends before
            ends = [place for points in stretches for place in points if self._is_on(*place)][-1:]
        if ends:
            self._ends[curve.pen] = self.canvas.cell_of(*ends[0])

    def mark_gaps(self, curve: Curve, sign: str) -> None:
        """Put a sign where the values of a curve turn into what is no number."""
        for column, row in self._marks[curve.pen]:
            self.canvas.write(column, row, sign, curve.pen.colour)

    def mark_end(self, curve: Curve) -> None:
        """Put the letter of a curve behind its end, or behind those that stand there already; else on the curve.

        Where neither has room there is none: the table tells its last value, and a letter elsewhere would lie.
        """
        if curve.pen not in self._ends:
            return
        end, row = self._ends[curve.pen]
        behind = end + 1
        while behind < self.canvas.columns and self.canvas.is_written(behind, row):
            behind += 1
        back = [(column, row) for column in range(end, max(end - _LETTER_EVERY, -1), -1)]
        own = [cell for cell in back if self.canvas.colour_at(*cell) == curve.pen.colour]
        is_free = behind == end + 1 or (behind < self.canvas.columns and self.canvas.is_empty(behind, row))
        for column, line in [*([(behind, row)] if is_free else []), *own]:
            if column < self.canvas.columns and not self.canvas.is_written(column, line):
                self.canvas.write(column, line, curve.pen.letter, curve.pen.colour)
                return

    def _count_letters(self, curves: Sequence[Curve]) -> int:
        """Return how many letters have to stand side by side at the right, for curves that end there together."""
        most = max(1, min(_MOST_LETTERS, self.canvas.columns // 4))
        rows: Dict[int, int] = {}
        for curve in curves:
            points = [(x, y) for x, y in zip(curve.xs, curve.ys) if self._is_shown(x, y)]
            if points and self._x_axis.place(points[-1][0]) * (self.canvas.columns - 1) >= self.canvas.columns - most:
                row = self.row_of(points[-1][1])
                rows[row] = rows.get(row, 0) + 1
        return min(most, max(rows.values(), default=1))

    def _is_shown(self, x: float, y: float) -> bool:
        """Tell whether a point lies on the chart."""
        is_there = -inf < y < inf and not (self._y_axis.is_log and y <= 0)
        return is_there and 0 <= self._x_axis.place(x) <= 1 and 0 <= self._y_axis.place(y) <= 1

    def mark_along(self, curve: Curve, number: int, count: int) -> None:
        """Put the letter of a curve onto it here and there, each curve's at places of its own."""
        for start in range(0, self._lined, _LETTER_EVERY):
            first = start + (number + 1) * _LETTER_EVERY // (count + 1)
            for column in range(first, min(first + _LETTER_EVERY // 2, self._lined)):
                rows = [
                    row for row in range(self.canvas.rows)
                    if self.canvas.colour_at(column, row) == curve.pen.colour and not self._is_beside(column, row)
                ]  # fmt: skip
                if rows:
                    self.canvas.write(column, rows[0], curve.pen.letter, curve.pen.colour)
                    break

    def _is_beside(self, column: int, row: int) -> bool:
        """Tell whether a cell or a neighbour of it has a letter."""
        near = range(max(column - 1, 0), min(column + 2, self.canvas.columns))
        return any(self.canvas.is_written(each, row) for each in near)

    def _dot_x(self, x: float) -> float:
        return min(max(self._x_axis.place(x), -_FAR), _FAR) * self._width

    def _dot_y(self, y: float) -> float:
        return (1 - min(max(self._y_axis.place(y), -_FAR), _FAR)) * self._height

    def _stretches(self, xs: Sequence[float], ys: Sequence[float]) -> Tuple[List[Drawn], List[Tuple[float, bool]]]:
        """Return the unbroken parts of a line in dots; and where gaps begin, with whether a part is before them.

        What a logarithmic axis has no place for breaks the line, too, but is no gap.
        """
        stretches: List[Drawn] = []
        gaps: List[Tuple[float, bool]] = []
        is_open = is_gap = False
        for x, y in zip(xs, ys):
            is_number = -inf < y < inf
            if is_number and not (self._y_axis.is_log and y <= 0):
                if not is_open:
                    stretches.append([])
                stretches[-1].append((self._dot_x(x), self._dot_y(y)))
                is_open = True
            else:
                if not is_number and not is_gap:
                    gaps.append((self._dot_x(x), bool(stretches)))
                is_open = False
            is_gap = not is_number
        return stretches, gaps

    def _place_of_gap(self, x: float, stretches: List[Drawn], *, is_after: bool) -> Tuple[float, float]:
        """Return the place of a gap that begins at *x*: as high as the line was before it, else as it is after it."""
        before = [points[-1] for points in stretches if points[-1][0] <= x] if is_after else []
        y = before[-1][1] if before else stretches[0][0][1] if stretches else self._height
        return x, y

    def _is_on(self, x: float, y: float) -> bool:
        """Tell whether a dot lies where lines are drawn; rounding counts for nothing."""
        return -0.5 <= x <= self._width + 0.5 and -0.5 <= y <= self._height + 0.5

    def _draw(self, points: Drawn, pen: Pen) -> None:
        x0, y0 = points[0]
        for x, y in points[1:] or points:
            ends = clip(x0, y0, x, y, self._width, self._height)  # letters alone stand to the right of that
            if ends is not None:
                self.canvas.line(*ends, pen)
            x0, y0 = x, y

    def _draw_sparsely(self, points: Drawn, pen: Pen) -> None:
        x0, y0 = points[0]
        sparse = pen._replace(letter=".")
        if 0 <= x0 <= self._width:
            self.canvas.dot(int(x0 + 0.5), int(y0 + 0.5), sparse)
        for x, y in points[1:]:
            left, right = max(min(x0, x), 0), min(max(x0, x), self._width)
            for column in range(int(left + 0.5), int(right + 0.5) + 1):
                if column % _SPARSE == 0 and x != x0:
                    self.canvas.dot(column, int(y0 + (y - y0) * (column - x0) / (x - x0) + 0.5), sparse)
            x0, y0 = x, y
