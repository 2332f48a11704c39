"""A chart shows each curve where its values are, says which is which, and fits its terminal."""

from math import exp, inf, nan

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mini_mlflow.cli.canvas import Pen
from mini_mlflow.cli.chart import FRAME, STEP, TIME, VALUE, Curve, View, draw
from mini_mlflow.cli.fitted import fit, list_beyond

LINEAR = View(STEP, "step", False, False)
LOG = LINEAR._replace(is_log=True)
ZOOMED = LINEAR._replace(is_zoomed=True)


def curve(letter, ys, xs=None, edges=()):
    return Curve(Pen(ord(letter) - ord("a"), letter), list(range(len(ys))) if xs is None else xs, ys, edges)


def text(*curves, view=LINEAR, width=60, rows=8, **form):
    return ["".join(piece.text for piece in line) for line in draw(curves, view, width, rows, **form)]


FALLING = [2 * exp(-step / 20) + 0.3 for step in range(90)]


def test_a_curve_ends_with_its_letter_and_the_axes_have_round_marks():
    lines = text(curve("a", FALLING), has_colour=True)
    assert lines == [
        "     │⠱⡀",
        " 2.0 ┤ ⠈⠱⡀",
        "     │   ⠈⠢⣀",
        " 1.5 ┤      ⠑⢄",
        "     │        ⠉⠒⢄⡀",
        " 1.0 ┤           ⠈⠉⠒⠤⣀⡀",
        "     │                ⠈⠉⠒⠒⠤⠤⢄⣀⡀",
        " 0.5 ┤                        ⠈⠉⠉⠉⠒⠒⠒⠒⠒⠢⠤⠤⠤⠤⠤⠤⠤⠤⢄⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀a",
        "     └┴────────────────────────────┴────────────────────────",
        "      0                           50                    step",
    ]


def test_without_braille_the_letters_are_the_curves():
    lines = text(curve("a", FALLING), curve("b", [2.3 - y for y in FALLING]), width=40, rows=6, is_ascii=True)
    assert "".join(lines).isascii()
    assert lines[-2] == "   ++------------------+----------------"
    assert all(letter in "".join(lines) for letter in "ab")


def test_letters_stand_on_the_curves_too_where_no_colour_tells_them_apart():
    several = [curve(letter, [y + place for y in FALLING]) for place, letter in enumerate("abc")]
    with_colour = "".join(text(*several, width=100, rows=16, has_colour=True))
    without = "".join(text(*several, width=100, rows=16))
    for letter in "abc":
        assert with_colour.count(letter) == 1
        assert without.count(letter) > 2


def test_a_cross_stands_where_values_turn_into_nan_and_the_letter_behind_it():
    broken, whole = curve("a", [3.0, 2.0, 1.0, nan, nan, nan]), curve("b", [1.0, 1.0, 1.0, 1.0, 1.0, 3.0])
    lines = text(broken, whole, has_colour=True)
    assert sum(line.count("×") for line in lines) == 1
    assert any("×a" in line for line in lines)


def test_each_gap_has_its_cross_and_a_curve_without_numbers_has_one_too():
    lines = text(curve("a", [1.0, nan, nan, 2.0, inf, 3.0]), has_colour=True)
    assert sum(line.count("×") for line in lines) == 2
    lines = text(curve("a", [nan, nan]), curve("b", [1.0, 2.0]), has_colour=True)
    assert sum(line.count("×") for line in lines) == 1
    assert sum(line.count("a") for line in lines) == 1


def test_nothing_is_drawn_where_no_value_has_a_place():
    assert text(curve("a", [nan, inf])) == []
    assert text(curve("a", [0.0, -1.0]), view=LOG) == []
    assert text() == []


def test_a_logarithmic_chart_leaves_out_what_is_not_above_zero():
    lines = text(curve("a", [0.0, 10.0, 1.0, 0.1]), view=LOG, has_colour=True)
    assert [line.split()[0] for line in lines if "┤" in line] == ["10", "1", "0.1"]
    assert "×" not in "".join(lines)


def test_zoomed_the_first_tenth_does_not_make_the_rest_flat():
    values = [100.0] * 5 + [1.0 + step / 100 for step in range(95)]
    assert text(curve("a", values))[0].startswith("     │") or text(curve("a", values))[0].startswith(" 100 ┤")
    zoomed = [line.split()[0] for line in text(curve("a", values), view=ZOOMED) if "┤" in line]
    assert max(map(float, zoomed)) < 2


def test_a_group_has_sparse_dots_for_its_least_and_greatest():
    xs = list(range(90))
    edges = [(xs, [y - 0.2 for y in FALLING]), (xs, [y + 0.2 for y in FALLING])]
    plain = text(curve("a", FALLING), rows=12, has_colour=True)
    banded = text(curve("a", FALLING, edges=edges), rows=12, has_colour=True)
    dots = sum(bin(ord(each) - 0x2800).count("1") for line in banded for each in line if "⠀" <= each <= "⣿")
    line = sum(bin(ord(each) - 0x2800).count("1") for line in plain for each in line if "⠀" <= each <= "⣿")
    assert line + 30 < dots < 2 * line
    assert "." in "".join(text(curve("a", FALLING, edges=edges), rows=12, is_ascii=True))


def test_the_first_curve_lies_on_top():
    lines = draw([curve("a", [1.0, 1.0, 2.0]), curve("b", [1.0, 1.0, 0.0])], LINEAR, 40, 5, has_colour=True)
    shared = [piece.colour for line in lines for piece in line if piece.text.startswith("⠤") or "⠒⠒" in piece.text]
    assert shared[0] == 0


def test_times_are_marked_in_minutes_and_the_axis_has_its_name():
    lines = text(curve("a", FALLING, xs=[step * 3.1 for step in range(90)]), view=View(TIME, "time", False, False))
    assert lines[-1].split() == ["0", "2m", "4m", "time"]


def test_another_metric_may_go_back_and_forth_on_the_x_axis():
    lines = text(curve("a", [0.0, 1.0, 2.0], xs=[1.0, 3.0, 2.0]), view=View(VALUE, "val.acc", False, False))
    assert lines[-1].split()[-1] == "val.acc"


def test_one_point_is_a_dot_with_its_letter():
    lines = text(curve("a", [5.0], xs=[7]), has_colour=True)
    assert sum(line.count("a") for line in lines) == 1
    assert any("⠄a" in line or "⠂a" in line or "⠁a" in line or "⡀a" in line for line in lines)


def test_curves_that_end_in_the_same_place_all_have_a_letter():
    several = [curve(letter, [float(place), 1.0, 1.0]) for place, letter in enumerate("abcdef")]
    lines = "".join(text(*several, width=80, has_colour=True))
    assert all(letter in lines for letter in "abcdef")


def test_curves_that_end_together_have_their_letters_side_by_side_and_none_elsewhere():
    several = [
        curve(letter, [1.0 - place / 50 - step / 120 for step in range(90)]) for place, letter in enumerate("abcdef")
    ]
    high = curve("g", [0.9] * 90)
    lines = text(*several, high, width=80, rows=6, has_colour=True)
    shown = {letter: row for row, line in enumerate(lines[:-1]) for letter in line if letter in "abcdefg"}
    assert "abcdef" in lines[5]
    assert [shown[letter] for letter in "abcdef"] == [5] * 6
    assert shown["g"] < 3


def test_more_curves_than_have_room_are_left_to_the_legend_or_stand_on_their_curves():
    several = [curve(chr(97 + place), [2.0, 1.0 + place / 10000]) for place in range(20)]
    lines = text(*several, width=60, rows=8, has_colour=True)
    letters = [(row, letter) for row, line in enumerate(lines[:8]) for letter in line if letter.isalpha()]
    assert len(letters) < 20
    assert {row for row, _ in letters} == {7}
    assert "abcdefgh" in lines[7]


def test_a_curve_that_leaves_the_chart_has_its_letter_where_it_is_seen_last():
    view = LINEAR._replace(y_range=(0.0, 1.0))
    lines = text(curve("a", [0.0, 0.5, 1.0, 5.0, 9.0, 9.0]), view=view, rows=8, has_colour=True)
    assert lines[0].rstrip().endswith("a")
    assert lines[0].index("a") < 35


def test_ranges_show_that_part_of_an_axis_and_fit_the_other_to_it():
    part = text(curve("a", FALLING), view=LINEAR._replace(x_range=(40.0, 60.0)))
    assert part[-1].split()[:2] == ["40", "50"]  # the name has the place of 60
    values = [float(line.split()[0]) for line in part if "┤" in line]
    assert max(values) < FALLING[40] < 0.6
    high = text(curve("a", FALLING), view=LINEAR._replace(y_range=(None, 0.5)))
    assert max(float(line.split()[0]) for line in high if "┤" in line) <= 0.5
    assert not text(curve("a", FALLING), view=LINEAR._replace(x_range=(200.0, None)))
    assert not text(curve("a", FALLING), view=LINEAR._replace(y_range=(5.0, 6.0)))


def test_a_zoomed_chart_leaves_out_one_curve_far_from_three_others_and_says_so():
    low = [curve(letter, [y / 4 + place / 100 for y in FALLING]) for place, letter in enumerate("abcde")]
    high = curve("f", [1.3 + y / 100 for y in FALLING])
    _, axis = fit([*low, high], ZOOMED)
    assert axis.high < 0.6
    assert [each.pen.letter for each in list_beyond([*low, high], ZOOMED)] == ["f"]
    assert "f" not in "".join(text(*low, high, view=ZOOMED, has_colour=True))
    assert fit([*low, high], LINEAR)[1].high > 1.3
    assert list_beyond([*low, high], LINEAR) == []
    assert fit([low[0], high], ZOOMED)[1].high > 1.3  # of two, neither is the odd one


def test_a_zoomed_chart_leaves_out_a_spike_and_says_so():
    spiky = [*FALLING[:50], 80.0, *FALLING[51:]]
    axis = fit([curve("a", spiky)], ZOOMED)[1]
    assert axis.high < 2
    assert [each.value for each in list_beyond([curve("a", spiky)], ZOOMED)] == [80.0]
    assert list_beyond([curve("a", FALLING)], ZOOMED) == []


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
POINTS = st.tuples(st.floats(-1e300, 1e300), NUMBERS)
CURVES = st.lists(st.lists(POINTS, min_size=1, max_size=12), min_size=1, max_size=4)


@example([[(0.0, 4.3628233462266e-311)]], 20, 1, True, False, False)
@example([[(0.0, 0.0), (5e-324, 0.0)]], 20, 1, False, False, False)
@given(CURVES, st.integers(20, 200), st.integers(1, 20), st.booleans(), st.booleans(), st.booleans())
def test_no_line_is_wider_than_the_terminal_whatever_the_values(points, width, rows, is_log, is_zoomed, is_ascii):
    curves = [
        curve(chr(97 + place), [y for _, y in each], xs=[x for x, _ in each]) for place, each in enumerate(points)
    ]
    lines = draw(curves, View(VALUE, "x", is_log, is_zoomed), width, rows, is_ascii=is_ascii)
    shown = ["".join(piece.text for piece in line) for line in lines]
    if lines:
        assert len(lines) == max(rows, 3) + 2
        margin = shown[-2].index("+" if is_ascii else "└")
        assert all(len(line) <= max(width, margin + 1 + 16) for line in shown)
        assert "".join(shown).isascii() or not is_ascii
        assert lines[-1][0].colour == FRAME


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_x_axis_never_has_labels_that_touch(width):
    lines = text(curve("a", FALLING, xs=[step * 100000 for step in range(90)]), width=width)
    assert "  " in lines[-1].strip()
    assert all(label.replace(",", "").isdigit() or "e" in label or label == "step" for label in lines[-1].split())
