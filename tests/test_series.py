"""What becomes of a history on its way to a chart or a table?"""

import math
from array import array
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow import Metric, series
from mini_mlflow.records import Columns
from mini_mlflow.summary import latest_per_step

NAN, INF = math.nan, math.inf
VALUES = st.lists(st.one_of(st.floats(), st.integers(-3, 3).map(float), st.just(NAN)), min_size=1, max_size=200)
STEPS = st.one_of(st.integers(0, 12), st.integers(-(2**63), 2**63 - 1))
ROWS = st.lists(
    st.builds(Metric, STEPS, st.integers(0, 5), st.one_of(st.integers(-5, 5).map(float), st.just(2**60))), max_size=20
)


def floats(*values):
    return array("d", values)


def columns(rows):
    values = [row.value for row in rows]
    return Columns(
        array("q", [row.step for row in rows]),
        array("q", [row.timestamp for row in rows]),
        values if 2**60 in values else array("d", values),
    )


def numbered(values, gaps=None):
    """Return ascending steps for values, with random gaps between them."""
    steps = array("q")
    step = 0
    for place in range(len(values)):
        step += gaps[place % len(gaps)] if gaps else 1
        steps.append(step)
    return steps


@given(st.lists(st.tuples(st.integers(0, 2), ROWS), max_size=4))
def test_columns_keep_of_each_step_the_row_that_rows_keep(parts):
    """Rule W8, which ``summary.latest_per_step`` follows row by row."""
    parts.sort(key=lambda part: part[0])
    expected = latest_per_step(parts)
    found = series.latest_per_step((generation, columns(rows)) for generation, rows in parts)
    assert list(zip(*found)) == [tuple(row) for row in expected]


def test_of_writers_with_steps_of_their_own_no_row_is_lost():
    first, second = [Metric(0, 1, 1.0), Metric(1, 2, 2.0)], [Metric(2, 3, 2**60)]
    found = series.latest_per_step([(0, columns(first)), (1, columns(second))])
    assert list(zip(*found)) == [*first, *second]


@given(VALUES, st.integers(5, 60), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_a_thinned_out_history_keeps_ends_and_extremes_and_nan_of_each_bucket(values, max_points, gaps):
    steps = numbered(values, gaps)
    kept = list(series.downsample(steps, array("d", values), max_points))
    assert kept == sorted(set(kept))
    assert len(kept) <= max_points
    assert {0, len(values) - 1} <= set(kept)
    if len(values) <= max_points:
        assert kept == list(range(len(values)))
        return
    buckets = max_points // (5 if math.isnan(sum(values)) else 4)
    width = steps[-1] - steps[0] + 1
    edges = [steps[0] + width * number // buckets for number in range(buckets + 1)]
    for low, high in zip(edges, edges[1:]):
        inside = range(bisect_left(steps, low), bisect_left(steps, high))
        if not inside:
            continue
        shown = [values[place] for place in kept if place in inside]
        real = [values[place] for place in inside if not math.isnan(values[place])]
        assert {inside[0], inside[-1]} <= set(kept)
        if real:
            assert min(real) in shown
            assert max(real) in shown
        assert any(map(math.isnan, shown)) == any(math.isnan(values[place]) for place in inside)


def test_a_single_peak_among_a_million_values_is_kept():
    values = array("d", bytes(8 * 1000000))
    values[654321] = 1e-9
    kept = series.downsample(array("q", range(1000000)), values, 800)
    assert 654321 in kept
    assert len(kept) <= 800


def test_a_step_far_from_the_others_is_kept():
    steps = array("q", [-(2**63), *range(100), 2**63 - 1])
    kept = series.downsample(steps, array("d", range(102)), 10)
    assert {0, 101} <= set(kept)
    assert len(kept) <= 10


@given(VALUES, st.sampled_from([0.0, 0.1, 0.6, 0.99, 0.999999]))
def test_smoothing_is_that_of_tensorboard(values, weight):
    """Against a transcription of ``resmoothDataset`` in TensorBoard's vz_line_chart2/line-chart.ts."""
    last, count, expected = 0.0, 0, []
    is_constant = all(value == values[0] for value in values)
    for value in values:
        if is_constant or not math.isfinite(value) or weight == 0:
            expected.append(value)
        else:
            last = last * weight + (1 - weight) * value
            count += 1
            expected.append(last / (1 - weight**count))
    assert list(map(repr, series.smooth(array("d", values), weight))) == list(map(repr, expected))


def test_a_smoothed_history_begins_at_its_first_value():
    assert series.smooth(floats(8.0, 0.0), 0.5)[0] == pytest.approx(8.0)
    assert list(series.smooth(floats(1.0, NAN, 3.0, INF), 0.5))[2] == pytest.approx((1 * 0.25 + 3 * 0.5) / 0.75)


def test_of_nothing_comes_nothing():
    assert list(series.smooth(floats(), 0.5)) == []
    assert list(series.downsample(array("q"), floats(), 5)) == []
    assert series.latest_per_step([]) == Columns(array("q"), array("q"), floats())
    assert series.align([]) == (array("q"), [])


@given(st.lists(st.lists(STEPS, unique=True, max_size=12).map(sorted), max_size=5))
def test_aligned_histories_stand_at_their_own_steps(several):
    steps, places = series.align([array("q", each) for each in several])
    assert list(steps) == sorted(set().union(*several))
    for each, where in zip(several, places):
        assert [steps[place] for place in where] == each


@given(st.lists(st.integers(0, 30), unique=True).map(sorted), st.sets(st.integers(-5, 40)))
def test_wanted_steps_are_found_where_they_are(steps, wanted):
    places = series.places_of(array("q", steps), sorted(wanted))
    assert [steps[place] for place in places] == sorted(wanted & set(steps))


def test_integers_beyond_every_float_become_infinities():
    assert list(series.to_floats([2**60, 2**1024 - 1, 1 - 2**1024])) == [2.0**60, INF, -INF]
