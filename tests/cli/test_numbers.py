"""Numbers and times on a terminal."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow.cli import numbers, spans

ANY = st.one_of(st.none(), st.floats(), st.integers(-(10**400), 10**400))


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.9417, 0.86, 0.912345], ["0.9417", "0.8600", "0.9123"]),
        ([0.3715, math.nan, None], ["0.3715", "   NaN", "     –"]),
        ([23.456, 24.1], ["23.46", "24.10"]),
        ([12345.6, 23456.7], ["12346", "23457"]),
        ([1, 20, 300], ["  1", " 20", "300"]),
        ([3.0, 5.0], ["3", "5"]),
        ([0.5, 0.000003], ["0.5000", "3.0e-6"]),
        ([0.0, 0.25], ["0.0000", "0.2500"]),
        ([0.5, 12345678.0], ["0.5000", " 1.2e7"]),
        ([math.inf, -math.inf, 1.5], ["  inf", " -inf", "1.500"]),
        ([1e-9, 2e-9], ["1.0e-9", "2.0e-9"]),
        ([9.99996, 9.99997], ["10.00", "10.00"]),
        ([], []),
    ],
)
def test_a_column_has_one_count_of_decimals_and_its_points_align(values, shown):
    assert numbers.column(values) == shown


@given(st.lists(ANY, max_size=8))
def test_any_numbers_make_a_column_of_equal_width(values):
    cells = numbers.column(values)
    assert len({len(cell) for cell in cells}) <= 1
    assert all(len(cell) < 20 for cell in cells)


@given(st.floats(-1e300, 1e300))
def test_one_number_alone_is_shown_to_a_thousandth_of_it(value):
    shown = float(numbers.alone(value))
    assert math.isclose(shown, value, rel_tol=0.1, abs_tol=1e-300)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.01, "0.01"), (1e-5, "1e-05"),
     (3, "3"), (True, "True"), ("adam w", "adam w"), (None, "None"), ([1, 2], "[1, 2]"),
     (math.nan, "NaN"), (math.inf, "inf")],
)  # fmt: skip
def test_a_param_is_shown_as_it_was_logged(value, shown):
    assert numbers.as_logged(value) == shown


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.1 + 0.2, 0.1, None], ["0.3", "0.1", "None"]),
        ([0.1 + 0.2, 0.3], ["0.30000000000000004", "0.3"]),
        ([1, 1.0, 1.00000001], ["1", "1.0", "1.00000001"]),
        ([1 / 3, 1e-5 / 3, 1234567.8, 1e7], ["0.333333", "3.33333e-06", "1234567.8", "10000000.0"]),
        ([math.nan, math.inf, True, "0.30000000000000004", 1 << 5000], None),
    ],
)  # fmt: skip
def test_a_column_of_params_has_six_digits_but_where_two_values_would_look_alike(values, shown):
    assert numbers.params(values) == (shown or [numbers.as_logged(value) for value in values])


@given(st.lists(st.one_of(st.floats(allow_nan=False), st.integers(-10, 10), st.floats(0.9999999, 1.0000001))))
def test_different_params_never_look_alike(values):
    told = {}
    for value, text in zip(values, numbers.params(values)):
        assert told.setdefault(float(text), value) == value


def test_a_whole_number_of_any_length_is_shown():
    assert numbers.as_logged(1 << 20000)[:3] in ("0x1", "398")


def test_a_mean_has_the_decimals_that_its_spread_deserves():
    assert numbers.spread_decimals([0.9384, 0.9301], [0.0029, 0.0027]) == 4
    assert numbers.spread_decimals([0.21846, 0.02918], [0.00069, 0.00039]) == 5
    assert numbers.spread_decimals([0.5, 0.6], [None, None]) == 4


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (45_100_000, "45.1 MB"), (10**21, "1000.0 EB")]
)
def test_sizes_count_in_thousands(size, shown):
    assert numbers.size(size) == shown


def test_counts_and_differences():
    assert (numbers.counted(1, "run"), numbers.counted(1204, "run")) == ("1 run", "1,204 runs")
    assert (numbers.signed(0.0587, 4), numbers.signed(-0.0207, 4), numbers.signed(-0.0207, 4, "-")) == (
        "+0.0587", "−0.0207", "-0.0207",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "age", "took"),
    [
        (0, "0s", "0.0s"), (8.24, "8s", "8.2s"), (9.97, "9s", "10s"), (41, "41s", "41s"), (59.9, "59s", "1m00s"),
        (276, "4m", "4m36s"), (3599.9, "59m", "1h00m"), (11220, "3h", "3h07m"), (356400, "4d", "4d03h"),
        (12 * 86400, "12d", "12d00h"), (36 * 86400, "5w", "36d00h"), (250 * 86400, "8mo", "250d00h"),
        (800 * 86400, "2y", "800d00h"), (-5, "0s", "0.0s"),
    ],
)  # fmt: skip
def test_an_age_and_a_length_of_time(seconds, age, took):
    assert (spans.age(seconds), spans.took(seconds)) == (age, took)


def test_moments_for_programs_are_utc_and_those_for_people_local():
    moment = 1795425667112
    assert spans.iso(moment) == "2026-11-23T09:21:07.112Z"
    assert (spans.clock(moment), spans.date_and_clock(moment)) == ("09:21:07", "2026-11-23 09:21:07")
    assert spans.iso(None) is None
    assert spans.iso(2**62) is None
    assert spans.clock(2**62) == "?"


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.1 + 0.2, "0.3"], ["0.30000000000000004", "0.3"]),
        ([0.1 + 0.2, 0.5, None], ["0.3", "0.5", "None"]),
        ([0.1 + 0.2, 0.1 + 0.2], ["0.3", "0.3"]),
        ([1700000000.123, 0.1], ["1700000000.1", "0.1"]),
        ([1234567.0, 123456.78, 1e22], ["1234567.0", "123456.8", "1e+22"]),
        ([1234567.0, 1234567.01], ["1234567.0", "1234567.01"]),
        ([1.23456789e-05, -3.14159265], ["1.23457e-05", "-3.14159"]),
    ],
)
def test_params_lose_decimals_alone_and_never_what_tells_them_apart(values, shown):
    assert numbers.params(values) == shown
