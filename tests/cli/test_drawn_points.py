"""A curve keeps what a chart can show of a history: its ends, its extremes, its order; and the best is the best."""

from array import array
from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow.cli import curves
from mini_mlflow.cli.plotted import find_best
from mini_mlflow.records import Columns

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


def history(values, steps=None, timestamps=None):
    steps = range(len(values)) if steps is None else steps
    timestamps = [1000 * step for step in steps] if timestamps is None else timestamps
    return Columns(array("q", steps), array("q", timestamps), array("d", values))


def test_by_step_a_short_history_is_drawn_as_it_is():
    assert curves.by_step(history([3.0, 2.0, 1.0], [0, 5, 9]), 80) == ([0, 5, 9], [3.0, 2.0, 1.0])


@given(st.integers(1, 5000), st.integers(16, 60))
def test_a_long_history_keeps_its_ends_and_extremes_and_has_few_points(count, columns):
    values = [float(step * 7919 % 1009) for step in range(count)]
    xs, ys = curves.by_step(history(values), columns)
    assert len(xs) == len(ys) <= max(10 * columns, 1)
    assert (xs[0], xs[-1]) == (0, count - 1)
    assert (min(ys), max(ys)) == (min(values), max(values))
    assert sorted(xs) == list(xs)
    assert all(values[x] == y for x, y in zip(xs, ys))


def test_by_time_points_come_in_the_order_of_time_in_seconds_since_the_start():
    found = curves.by_time(history([1.0, 2.0, 3.0], [0, 1, 2], [5000, 9000, 7000]), 4000, 80)
    assert found == ([1.0, 3.0, 5.0], [1.0, 3.0, 2.0])


def test_against_another_metric_only_steps_that_both_have_count():
    found = curves.by_metric(history([1.0, 2.0, 3.0, 4.0], [0, 1, 2, 3]), history([9.0, nan, 7.0], [1, 2, 3]), 80)
    assert found == ([9.0, 7.0], [2.0, 4.0])


def test_what_no_run_of_a_group_has_is_no_number():
    xs, ys = curves.of_group([0, 1, 2], [1.0, None, 3.0], 80)
    assert xs == [0, 1, 2]
    assert [ys[0], ys[2]] == [1.0, 3.0]
    assert isnan(ys[1])


def test_smoothing_changes_the_values_and_not_their_places():
    xs, ys = curves.by_step(history([0.0, 1.0, 0.0, 1.0]), 80, 0.9)
    assert xs == [0, 1, 2, 3]
    assert max(ys) < 1.0


@given(st.lists(st.lists(NUMBERS, max_size=6), max_size=4), st.sampled_from(["min", "max"]))
def test_the_best_is_the_best_of_all_writers_at_its_first_step(writers, goal):
    parts = [(0, history(values)) for values in writers]
    rows = [(value, step) for values in writers for step, value in enumerate(values) if not isnan(value)]
    if not rows:
        assert find_best(parts, goal) == (None, None)
        return
    best = (max if goal == "max" else min)(value for value, _ in rows)
    assert find_best(parts, goal) == (best, min(step for value, step in rows if value == best))


@pytest.mark.parametrize("parts", [[], [(0, history([1.0]))]])
def test_where_nothing_says_what_is_best_nothing_is(parts):
    assert find_best(parts, None) == (None, None)
