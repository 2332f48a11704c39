"""Is the difference between two groups of numbers more than noise?"""

import math
import statistics
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow import noise

# Python 3.7's own statistics stumble over numbers near 0 whose squares are none.
FLOATS = st.floats(-1e6, 1e6).map(lambda value: round(value, 6))

# What scipy.special.betainc of SciPy 1.17.1 returns.
BETA = [
    (0.5, 0.5, 0.5, 0.5000000000000001),
    (2, 0.5, 0.3, 0.03784096948581308),
    (1, 1, 0.25, 0.25),
    (50, 0.5, 0.99, 0.3173043978741973),
    (5e4, 0.5, 0.9999, 0.0015650197621734966),
    (1.5, 0.5, 1e-12, 4.244131815785148e-19),
    (0.7, 3, 0.6, 0.9617711354579233),
]
# What scipy.stats.ttest_ind(a, b, equal_var=False).pvalue of SciPy 1.17.1 is.
WELCH = [
    ([1, 2, 3], [2, 3, 4], 0.28786413472669053),
    ([0.9384, 0.9417, 0.9351], [0.9301, 0.9328, 0.9274], 0.029704647072843798),
    ([0.1, 0.2, 0.3, 0.4, 0.5], [0.15, 0.35], 0.7206953044978368),
    ([1e-9, 2e-9], [1.5e-9, 9e-9, 3e-9], 0.3198173648037567),
    ([10.0, 10.1, 9.9, 10.05], [20.0, 20.3, 19.8], 6.771161133008107e-05),
    ([5.0, 5.0, 5.0], [4.0, 6.0, 8.5], 0.4646966209686891),
    (list(range(100)), [each + 3.5 for each in range(60)], 1.3629870056875494e-05),
    ([0.50001, 0.50002], [0.6, 0.60001], 5.001000112570522e-09),
]


@pytest.mark.parametrize(("a", "b", "x", "expected"), BETA)
def test_the_incomplete_beta_function_is_that_of_scipy(a, b, x, expected):
    assert noise.incomplete_beta(a, b, x) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("x", "expected"), [(0.0, 0.0), (1.0, 1.0)])
def test_the_incomplete_beta_function_ends_at_0_and_1(x, expected):
    assert noise.incomplete_beta(3.0, 0.5, x) == expected


@given(st.floats(0.1, 100), st.floats(0.1, 100), st.floats(0, 1))
def test_the_incomplete_beta_function_and_its_mirror_image_make_1(a, b, x):
    assert noise.incomplete_beta(a, b, x) + noise.incomplete_beta(b, a, 1 - x, x) == pytest.approx(1, abs=1e-11)


@pytest.mark.parametrize(("t", "freedom", "expected"), [(0.0, 5, 1.0), (1.0, 1, 0.5), (math.inf, 3, 0.0)])
def test_the_p_of_a_t_is_known_where_it_is_simple(t, freedom, expected):
    assert noise.student_p(t, freedom) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("t", [0.1, 1.0, 3.0, 100.0, 1e8])
def test_with_one_degree_of_freedom_the_p_is_an_arc_tangent(t):
    assert noise.student_p(t, 1) == pytest.approx(2 / math.pi * math.atan2(1, t), rel=1e-12)


@pytest.mark.parametrize(("a", "b", "expected"), WELCH)
def test_the_p_of_a_difference_is_that_of_scipy(a, b, expected):
    assert noise.welch_p(a, b) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("power", [-1000, -500, 500, 1000])
def test_the_p_does_not_depend_on_the_unit_even_near_the_ends_of_what_floats_reach(power):
    (a, b, expected) = WELCH[1]
    a, b = ([math.ldexp(each, power) for each in group] for group in (a, b))
    assert noise.welch_p(a, b) == pytest.approx(expected, rel=1e-9)


@given(st.lists(FLOATS, min_size=2, max_size=8), st.lists(FLOATS, min_size=2, max_size=8))
def test_the_p_is_a_likelihood_and_the_same_either_way(a, b):
    p_value = noise.welch_p(a, b)
    assert 0 <= p_value <= 1
    assert noise.welch_p(b, a) == pytest.approx(p_value, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("a", "b"), [([1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0]), ([], [1.0, 2.0])])
def test_nothing_can_be_told_of_fewer_than_two_numbers(a, b):
    assert noise.welch_p(a, b) is None
    assert noise.is_within_noise(a, b) is None


@pytest.mark.parametrize(("a", "b", "p_value"), [([0.1] * 3, [0.1] * 7, 1.0), ([0.1] * 3, [0.2] * 3, 0.0)])
def test_without_any_spread_only_equal_means_are_within_noise(a, b, p_value):
    assert noise.welch_p(a, b) == p_value
    assert noise.is_within_noise(a, b) is (p_value == 1.0)


def test_whether_a_difference_is_noise_depends_on_how_unlikely_it_must_be():
    a, b, p_value = WELCH[1]
    assert 0.01 < p_value < 0.05
    assert noise.is_within_noise(a, b) is False
    assert noise.is_within_noise(a, b, alpha=0.01) is True


@given(st.lists(FLOATS, min_size=1, max_size=20))
def test_the_mean_is_that_of_the_statistics_module(values):
    assert noise.mean(values) == pytest.approx(statistics.mean(values), rel=1e-12, abs=1e-9)


@given(st.lists(FLOATS, min_size=2, max_size=20))
def test_the_deviation_is_that_of_the_statistics_module(values):
    assert noise.std(values) == pytest.approx(statistics.stdev(values), rel=1e-9, abs=1e-7)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9))
def test_the_mean_of_any_numbers_lies_among_them_and_the_deviation_is_no_nan(values):
    assert min(values) <= noise.mean(values) <= max(values)
    assert len(values) == 1 or noise.std(values) >= 0


@given(FLOATS, st.integers(2, 9))
def test_equal_numbers_have_themselves_as_mean_and_no_deviation(value, count):
    assert noise.mean([value] * count) == value
    assert noise.std([value] * count) == 0


@pytest.mark.parametrize("count", [2, 3, 7, 1000])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_mean_of_the_greatest_floats_is_no_overflow(sign, count):
    assert noise.mean([sign * sys.float_info.max] * count) == sign * sys.float_info.max


def test_one_number_has_no_deviation_and_none_no_mean():
    assert noise.std([1.0]) is None
    with pytest.raises(ValueError, match="no mean"):
        noise.mean([])


def test_a_deviation_beyond_all_floats_is_infinite():
    assert noise.std([-sys.float_info.max, sys.float_info.max]) == math.inf
