"""What does a metric's history come to?"""

import math
import statistics
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow import ExperimentTracker, Metric, MetricNotFoundError, Run
from mini_mlflow.records import Summary
from mini_mlflow.store import reader
from mini_mlflow.summary import _read_quickly, latest_per_step, read_summary, summarize

NAN, INF = math.nan, math.inf


def history(*values):
    return [Metric(10 * place, 1000 + place, value) for place, value in enumerate(values)]


def test_a_summary_tells_the_ends_the_extremes_and_where_they_are():
    found = summarize(history(0.5, 0.25, 0.25, 1, 0.75), last=0.75)
    assert found == Summary(first=0.5, last=0.75, min=0.25, max=1, mean=0.55, count=5, min_step=10, max_step=30)
    assert (found.best_step("min"), found.best_step("max")) == (10, 30)


@pytest.mark.parametrize("mode", ["", "best", None, ["min"]])
def test_the_best_step_is_that_of_one_end(mode):
    with pytest.raises(ValueError, match="mode must be 'min' or 'max'"):
        summarize(history(1.0), 1.0).best_step(mode)


def test_nan_counts_as_a_row_and_as_nothing_else():
    found = summarize(history(NAN, 2.0, NAN, 1.0), last=1.0)
    assert (found.min, found.max, found.mean, found.count, found.min_step) == (1.0, 2.0, 1.5, 4, 30)
    assert math.isnan(found.first)


def test_of_nothing_but_nan_there_are_no_extremes():
    found = summarize(history(NAN, NAN), last=NAN)
    assert found[2:] == (None, None, None, 2, None, None)


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        ([INF, 1.0], INF),
        ([-INF, 1], -INF),
        ([INF, -INF], NAN),
        ([1.7e308, 1.7e308], 1.7e308),
        ([-1.7e308, -1.7e308, -1.7e308], -1.7e308),
        ([1e16, 1.0, -1e16], 1 / 3),
        ([2**1023, 2**1023], 2.0**1023),
        ([1.7e308, 1.7e308, -1.7e308, -1.7e308, 1.0], 0.2),
    ],
)
def test_b08_infinities_and_numbers_at_the_edge_have_a_mean(values, mean):
    assert repr(summarize(history(*values), values[-1]).mean) == repr(mean)


@pytest.mark.parametrize("sign", [1, -1])
def test_b08_the_mean_of_integers_beyond_every_double_is_infinite(sign):
    """Rule M7 lets integers be greater than the greatest double."""
    found = summarize(history(sign * (2**1024 - 1)), 0)
    assert (found.mean, found.max) == (sign * INF, sign * (2**1024 - 1))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53), min_size=1))
def test_the_summary_is_that_of_the_plain_definitions(values):
    found = summarize(history(*values), values[-1])
    assert (found.min, found.max, found.count) == (min(values), max(values), len(values))
    assert found.min_step == 10 * values.index(min(values))
    exact = statistics.mean(Fraction(value) for value in values)
    assert math.isclose(found.mean, float(exact), rel_tol=1e-15, abs_tol=1e-300)


def test_the_last_value_is_the_newest_and_not_that_of_the_greatest_step(tmp_path):
    """Rule W8."""
    with Run(runs_dir=tmp_path) as run:
        run.log_metric("loss", 3.0, step=5, timestamp=100)
        run.log_metric("loss", 2.0, step=9, timestamp=50)
        run.log_metric("loss", 1.0, step=0, timestamp=200)
    found = read_summary(str(tmp_path / "0" / run.run_id), run.run_id, "loss")
    assert (found.first, found.last, found.min_step) == (1.0, 1.0, 0)
    assert run.summary("loss") == found


def test_a_metric_that_is_not_there_is_told_with_those_that_are(tmp_path):
    with Run(runs_dir=tmp_path) as run:
        run.log_metric("loss", 1.0)
    with pytest.raises(MetricNotFoundError, match=r"has no metric 'lost'\. It has: 'loss'\."):
        run.summary("lost")


def rows(*triples):
    return [Metric(*triple) for triple in triples]


def test_a_step_that_was_logged_once_is_as_it_is():
    once = rows((0, 1, 0.5), (1, 2, 0.25), (7, 3, 0.125))
    assert latest_per_step([(0, once)]) == once
    assert latest_per_step([]) == []
    assert latest_per_step([(0, []), (3, [])]) == []


@pytest.mark.parametrize(
    ("parts", "view"),
    [
        ([(0, rows((0, 1, 0.5), (1, 2, 0.6), (1, 3, 0.7)))], rows((0, 1, 0.5), (1, 3, 0.7))),
        ([(0, rows((1, 2, 0.6), (0, 1, 0.5)))], rows((0, 1, 0.5), (1, 2, 0.6))),
        ([(0, rows((0, 1, 0.5), (1, 9, 0.6))), (1, rows((1, 3, 0.7)))], rows((0, 1, 0.5), (1, 3, 0.7))),
        ([(2, rows((0, 1, 0.5))), (1, rows((0, 9, 0.6), (1, 9, 0.7)))], rows((0, 1, 0.5), (1, 9, 0.7))),
        ([(0, rows((0, 5, 0.5))), (0, rows((0, 4, 0.6)))], rows((0, 5, 0.5))),
        ([(0, rows((0, 5, 0.5))), (0, rows((0, 5, 0.6), (0, 5, NAN)))], rows((0, 5, NAN))),
        ([(0, rows((0, 5, 0.5), (0, 4, 0.6)))], rows((0, 4, 0.6))),
    ],
    ids=["twice", "out of order", "resumed", "resumed below", "two writers", "the last of equals", "a clock set back"],
)
def test_of_a_step_logged_twice_a_writers_last_row_counts_then_the_latest_generation_then_the_newest(parts, view):
    """Rule W8."""
    assert list(map(str, latest_per_step(parts))) == list(map(str, view))


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers()), max_size=9)
        ),
        max_size=4,
    )
)
def test_a_view_has_each_step_once_in_order_and_no_value_that_was_not_logged(given_parts):
    parts = [(generation, rows(*triples)) for generation, triples in given_parts]
    view = latest_per_step(parts)
    assert [row.step for row in view] == sorted({row.step for _, each in parts for row in each})
    for row in view:
        last_rows = [(generation, [each for each in part if each.step == row.step][-1:]) for generation, part in parts]
        rivals = [(generation, last[0].timestamp) for generation, last in last_rows if last]
        assert max(rivals)[1] == row.timestamp
        assert (max(rivals)[0], [row]) in last_rows


def test_a_step_that_was_logged_again_after_a_resume_shows_once_in_the_view_of_one_value_per_step(tmp_path):
    """Rule W8."""
    with Run(run_id="r", runs_dir=tmp_path) as run:
        for step in range(4):
            run.log_metric("loss", 1.0 + step, step=step, timestamp=9000 + step)
    with Run(run_id="r", runs_dir=tmp_path) as again:
        again.log_metric("loss", 0.5, step=2, timestamp=100)  # its clock is behind
        assert [row.value for row in again.history("loss")] == [1.0, 2.0, 0.5, 3.0, 4.0]
        view = again.history("loss", latest_per_step=True)
    assert ExperimentTracker(runs_dir=tmp_path).history("r", "loss", latest_per_step=True) == view
    with pytest.raises(MetricNotFoundError):
        again.history("none", latest_per_step=True)
    assert [(row.step, row.value) for row in view] == [(0, 1.0), (1, 2.0), (2, 0.5), (3, 4.0)]


@pytest.mark.parametrize(
    "values",
    [
        [0.5, 0.25, 0.75, 0.25, 0.75],
        [0.5],
        [3, 0.5, 2],
        [0.5, 4.0],
        [0.1, NAN],
        [1e-300, 0.3, 0.7],
        [0.5, INF],
        [2**60, 0.5],
    ],
)
def test_a_summary_of_columns_is_that_of_rows_or_none(tmp_path, values):
    with Run(runs_dir=tmp_path, run_id="r") as run:
        for value in values:
            run.log_metric("loss", value)
    folder = str(tmp_path / "0" / "r")
    rows, latest = reader.get_metric(folder, "r", "loss")
    quick = _read_quickly(folder, "loss")
    told = (values[0], min(values), max(values))
    if any(math.isnan(value) or math.isinf(value) or float(value).is_integer() for value in told) or NAN in values:
        assert quick is None
    else:
        assert quick == summarize(rows, latest.value)
