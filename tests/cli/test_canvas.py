"""What is drawn is where it should be, nothing is drawn beyond the canvas, and each cell has the colour on top."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow.cli.canvas import Canvas, Pen, clip

A, B = Pen(0, "a"), Pen(1, "b")
PLACES = st.floats(-1e6, 1e6)


def lines(canvas):
    return ["".join(piece.text for piece in row) for row in canvas.render()]


def dots(canvas):
    """Return the places of all dots of a canvas of braille."""
    found = set()
    for row, line in enumerate(lines(canvas)):
        for column, character in enumerate(line):
            bits = 0 if character == " " else ord(character) - 0x2800
            for bit, (x, y) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]):
                if bits >> bit & 1:
                    found.add((column * 2 + x, row * 4 + y))
    return found


def test_a_cell_has_eight_dots_two_side_by_side_and_four_on_top_of_each_other():
    canvas = Canvas(3, 2)
    assert (canvas.width, canvas.height) == (6, 8)
    for x, y in ((0, 0), (1, 3), (2, 4), (5, 7)):
        canvas.dot(x, y, A)
    assert lines(canvas) == ["⢁  ", " ⠁⢀"]


@pytest.mark.parametrize("place", [(-1, 0), (0, -1), (6, 0), (0, 8)])
def test_a_dot_beyond_the_canvas_is_left_out(place):
    canvas = Canvas(3, 2)
    canvas.dot(*place, A)
    assert lines(canvas) == ["   ", "   "]


@given(st.integers(0, 19), st.integers(0, 19), st.integers(0, 19), st.integers(0, 19))
def test_a_line_is_unbroken_and_reaches_both_ends(x0, y0, x1, y1):
    canvas = Canvas(10, 5)
    canvas.line(x0, y0, x1, y1, A)
    found = dots(canvas)
    assert {(x0, y0), (x1, y1)} <= found
    assert len(found) == max(abs(x1 - x0), abs(y1 - y0)) + 1
    if x1 != x0:
        slope = (y1 - y0) / (x1 - x0)
        assert all(abs(y - (y0 + slope * (x - x0))) <= max(1, abs(slope)) for x, y in found)


@given(PLACES, PLACES, PLACES, PLACES)
def test_a_line_from_anywhere_to_anywhere_draws_on_the_canvas_alone(x0, y0, x1, y1):
    for is_ascii in (False, True):
        canvas = Canvas(7, 3, is_ascii=is_ascii)
        canvas.line(x0, y0, x1, y1, A)
        assert [len(line) for line in lines(canvas)] == [7, 7, 7]


@given(PLACES, PLACES, PLACES, PLACES)
def test_the_part_of_a_line_in_a_rectangle_lies_on_the_line(x0, y0, x1, y1):
    ends = clip(x0, y0, x1, y1, 100.0, 50.0)
    if ends is None:
        return
    for x, y in (ends[:2], ends[2:]):
        assert 0 <= x <= 100
        assert 0 <= y <= 50
        away = (x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)
        assert isclose(away, 0, abs_tol=1e-3 * (1 + abs(x1 - x0) + abs(y1 - y0)))


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ((-10, 5, 20, 5), (0, 5, 10, 5)),
        ((-5, -5, 5, 5), (0, 0, 5, 5)),
        ((3, 20, 3, -20), (3, 10, 3, 0)),
        ((-5, 2, -1, 8), None),
        ((0, 20, 20, 15), None),
        ((4, 4, 4, 4), (4, 4, 4, 4)),
    ],
)
def test_a_line_is_cut_where_it_leaves_the_rectangle(line, part):
    assert clip(*line, 10, 10) == part


def test_the_line_that_is_drawn_last_gives_its_colour_to_a_cell_that_shows_both():
    canvas = Canvas(4, 1)
    canvas.line(0, 0, 7, 0, A)
    canvas.line(4, 3, 7, 3, B)
    assert canvas.render() == [[("⠉⠉", 0), ("⣉⣉", 1)]]
    assert [canvas.colour_at(column, 0) for column in range(4)] == [0, 0, 1, 1]


def test_a_letter_stands_above_lines_and_leaves_their_neighbours():
    canvas = Canvas(4, 1)
    canvas.line(0, 0, 5, 0, A)
    canvas.write(1, 0, "x", 1)
    assert canvas.render() == [[("⠉", 0), ("x", 1), ("⠉", 0), (" ", None)]]
    assert canvas.is_written(1, 0)
    assert [canvas.is_empty(column, 0) for column in range(4)] == [False, False, False, True]


def test_without_braille_a_cell_is_one_dot_that_shows_the_letter_of_its_pen():
    canvas = Canvas(4, 3, is_ascii=True)
    canvas.line(0, 2, 3, 0, A)
    canvas.line(0, 0, 3, 0, B)
    assert lines(canvas) == ["bbbb", " aa ", "a   "]
