"""How tables fit, and how trends look."""

import io
import math
from array import array

from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow.cli import tables, texts, trend
from mini_mlflow.cli.screen import Screen
from mini_mlflow.records import Columns


def screen_of(columns, **how):
    return Screen(io.StringIO(), io.StringIO(), {"COLUMNS": str(columns)}, **how)


def history(values, first=0):
    return Columns(array("q", range(first, first + len(values))), array("q", [0] * len(values)), array("d", values))


def test_one_space_then_two_between_columns_and_no_boxes():
    columns = [tables.column("#", ["1"], is_right=True), tables.column("name", ["alpha"]), tables.column("n", ["10"])]
    assert tables.render(columns, screen_of(80)) == ([" #  name   n", " 1  alpha  10"], [])


def test_what_is_least_important_is_left_out_first_and_named():
    columns = [tables.column("name", ["x" * 10])]
    columns += [tables.column("c%d" % place, ["y" * 10], drops=float(place)) for place in range(5)]
    for width, kept in ((80, 5), (72, 5), (60, 4), (48, 3), (36, 2), (24, 1), (20, 0)):
        lines, hidden = tables.render(columns, screen_of(width))
        assert hidden == ["c%d" % place for place in range(kept, 5)]
        assert max(map(len, lines)) <= width


def test_what_still_fits_is_put_back_the_last_dropped_first():
    columns = [
        tables.column("name", ["x" * 10]),
        tables.column("wide", ["y" * 40], drops=1.0),
        tables.column("small", ["z" * 5], drops=2.0),
    ]
    assert tables.render(columns, screen_of(30))[1] == ["wide"]


def test_names_are_cut_only_where_leaving_columns_out_is_not_enough():
    columns = [tables.column("name", ["n" * 30], shrinks="middle"), tables.column("value", ["0.12345"])]
    lines, _ = tables.render(columns, screen_of(30))
    assert lines[1] == " nnnnnnnnnn…nnnnnnnnn  0.12345"
    assert len(lines[1]) == 30


def test_width_0_is_as_wide_as_it_gets():
    columns = [tables.column("c%d" % place, ["y" * 100], drops=float(place)) for place in range(5)]
    lines, hidden = tables.render(columns, screen_of(20), width=0)
    assert (len(lines[1]), hidden) == (509, [])


@given(
    st.lists(
        st.tuples(st.text(max_size=30), st.sampled_from([None, 1.0, 2.0]), st.sampled_from([None, "middle", "end"])),
        min_size=1, max_size=8,
    ),
    st.integers(20, 120),
    st.booleans(),
)  # fmt: skip
def test_every_line_of_a_table_ends_its_colours_and_has_the_same_width_as_without(given_columns, width, is_right):
    def columns():
        return [
            tables.column(
                "k%d" % place, [texts.clean(text), ""], is_right=is_right, role="good", drops=drops, shrinks=shrinks
            )
            for place, (text, drops, shrinks) in enumerate(given_columns)
        ]

    plain, hidden = tables.render(columns(), screen_of(width))
    coloured, hidden_too = tables.render(columns(), screen_of(width, colour="always"))
    assert hidden == hidden_too
    assert list(map(texts.width_of, plain)) == list(map(texts.width_of, coloured))
    fixed = sum(max(2, texts.width_of(texts.clean(text))) + 2 for text, drops, _ in given_columns if drops is None)
    if fixed < width:
        assert max(map(texts.width_of, plain)) <= width


def test_a_footer_goes_on_below_where_it_is_long():
    lines = tables.footer([("hidden", ["one", "two", "three"]), ("none", []), ("", ["more"])], screen_of(20))
    assert lines == [" hidden  one · two", "         three", "         more"]
    assert tables.footer([("hidden", [])], screen_of(20)) == []


def test_trends_share_both_axes_and_a_run_that_stopped_is_shorter():
    long, short = trend.trends([history([1, 2, 3, 4, 5, 6, 7, 8]), history([1, 2, 3, 4])], 8)
    assert long == "▁▂▃▄▅▆▇█"
    assert short == "▁▂▃▄"


def test_small_differences_at_the_end_stay_visible():
    first, second = trend.trends([history([0.1, 0.9, 0.941]), history([0.1, 0.9, 0.942])], 8)
    assert first[-1] != second[-1]


def test_what_is_no_number_is_a_cross_and_what_is_missing_nothing():
    assert trend.trend(history([1, 2, math.nan, math.inf, 3]), 5) == "▁▅××█"
    assert trend.trend(None, 5) == ""
    assert trend.trends([None, None], 8) == ["", ""]
    assert trend.trends([history([1.0]), None], 8) == ["▄", ""]


@given(st.lists(st.floats(), min_size=1, max_size=300), st.integers(1, 20))
def test_a_trend_is_never_wider_than_asked(values, width):
    for bars in (trend.trend(history(values), width), trend.trends([history(values)], width)[0]):
        assert 1 <= len(bars) <= width
        assert set(bars) <= set("▁▂▃▄▅▆▇█× ")
