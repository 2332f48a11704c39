"""Ticks are round, few and in the range, and every value has its place on an axis."""

from math import isfinite, log10

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mini_mlflow.cli.axes import Axis, list_ticks, list_time_ticks, render_duration, render_scientific, span

FINITE = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(min_value=5e-324, allow_nan=False, allow_infinity=False)


def labels(ticks):
    return [tick.label for tick in ticks]


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0.0, 1.0, 5, ["0.0", "0.5", "1.0"]),
        (0.0, 1.0, 6, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.783, 0.9417, 4, ["0.80", "0.85", "0.90"]),
        (-3.0, 12.0, 4, ["0", "5", "10"]),
        (0.00002, 0.00011, 6, ["2e-5", "4e-5", "6e-5", "8e-5", "1e-4"]),
        (0.0, 3.2e7, 4, ["0", "1e7", "2e7", "3e7"]),
    ],
)
def test_ticks_are_1_2_or_5_times_a_power_of_ten_apart(low, high, most, expected):
    assert labels(list_ticks(Axis(low, high, False), most)) == expected


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0.34, 2.4, 8, ["0.5", "1", "2"]),
        (0.009, 12.0, 20, ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10"]),
        (0.0009, 12.0, 6, ["0.001", "0.01", "0.1", "1", "10"]),
        (1e-12, 1e12, 5, ["1e-10", "1e-5", "1", "100000", "1e10"]),
        (0.31, 0.38, 4, ["0.32", "0.34", "0.36", "0.38"]),
    ],
)
def test_a_logarithmic_axis_marks_1_2_and_5_or_powers_of_ten_and_a_short_one_round_values(low, high, most, expected):
    found = labels(list_ticks(Axis(low, high, True), most))
    assert found == expected


def test_steps_are_marked_as_whole_numbers_with_thousands_apart():
    assert labels(list_ticks(Axis(0, 89, False), 5, is_whole=True)) == ["0", "20", "40", "60", "80"]
    assert labels(list_ticks(Axis(0, 3, False), 9, is_whole=True)) == ["0", "1", "2", "3"]
    assert labels(list_ticks(Axis(0, 1e5, False), 3, is_whole=True)) == ["0", "50,000", "100,000"]


@pytest.mark.parametrize(
    ("high", "most", "expected"),
    [
        (0.8, 3, ["0.0", "0.5s"]),
        (8, 5, ["0", "2s", "4s", "6s", "8s"]),
        (50, 5, ["0", "15s", "30s", "45s"]),
        (282.9, 6, ["0", "1m", "2m", "3m", "4m"]),
        (3 * 3600 + 100, 5, ["0", "1h", "2h", "3h"]),
        (5400, 4, ["0", "30m", "1h", "1h30m"]),
        (11 * 86400, 6, ["0", "2d", "4d", "6d", "8d", "10d"]),
    ],
)
def test_times_are_marked_at_round_durations(high, most, expected):
    found = labels(list_time_ticks(Axis(0.0, float(high), False), most))
    assert len(found) <= most
    assert found == expected


@given(st.lists(FINITE, min_size=1), st.integers(1, 20), st.booleans())
def test_ticks_are_few_ascending_in_the_range_and_told_apart(values, most, is_log):
    axis = span(values, is_log=is_log)
    if axis is None:
        assert is_log
        assert max(values) <= 0
        return
    ticks = list_ticks(axis, most)
    assert len(ticks) <= most
    assert labels(ticks) == list(dict.fromkeys(labels(ticks)))
    assert sorted(tick.value for tick in ticks) == [tick.value for tick in ticks]
    if axis.high / 2 - axis.low / 2 > 1e-290:
        assert all(-0.01 <= axis.place(tick.value) <= 1.01 for tick in ticks)


@given(st.lists(FINITE, min_size=1))
def test_two_ticks_are_found_where_there_is_room_for_six(values):
    axis = span(values)
    assume(axis.high / 2 - axis.low / 2 > 1e-290)
    assert len(list_ticks(axis, 4)) >= 1
    assert len(list_ticks(axis, 6)) >= 2


@given(st.lists(POSITIVE, min_size=1))
def test_every_value_lies_between_the_ends_of_its_axis_in_the_order_of_the_values(values):
    for axis in (span(values), span(values, is_log=True)):
        assert isfinite(axis.low)
        assert isfinite(axis.high)
        places = [axis.place(value) for value in sorted(values)]
        assert all(-1e-6 <= place <= 1 + 1e-6 for place in places)
        assert places == sorted(places)


@given(FINITE)
def test_a_single_value_lies_in_the_middle(value):
    assume(abs(value) < 1e308)
    assert span([value, value]).place(value) == pytest.approx(0.5)


@pytest.mark.parametrize("values", [[0.1, 1.0, 10.0]])
def test_equal_factors_are_equally_long_on_a_logarithmic_axis(values):
    axis = span(values, is_log=True)
    assert [axis.place(value) for value in values] == pytest.approx([0, 0.5, 1])


def test_what_is_not_above_zero_has_no_place_on_a_logarithmic_axis():
    assert span([0.0, -3.0], is_log=True) is None
    assert span([0.0, 2.0, 8.0], is_log=True)[:2] == (2.0, 8.0)
    assert span([]) is None


@pytest.mark.parametrize(
    ("count", "exponent", "text"),
    [(0, 3, "0"), (15, 6, "1.5e7"), (-2, 7, "-2e7"), (32, -6, "3.2e-5"), (100, 0, "1e2")],
)
def test_great_and_small_numbers_have_an_exponent(count, exponent, text):
    assert render_scientific(count, exponent) == text


@given(st.integers(-999, 999), st.integers(-200, 200))
def test_a_number_with_an_exponent_reads_back(count, exponent):
    assert float(render_scientific(count, exponent)) == pytest.approx(float("%de%d" % (count, exponent)))


@pytest.mark.parametrize(("seconds", "text"), [(0, "0"), (90, "1m30s"), (-60, "-1m"), (90000, "1d1h")])
def test_a_duration_is_told_in_the_fewest_units(seconds, text):
    assert render_duration(seconds) == text


def test_the_places_of_logarithms_agree_with_the_formula():
    assert Axis(1.0, 1000.0, True).place(50.0) == pytest.approx(log10(50) / 3)
