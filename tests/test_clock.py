"""Is a time written so that it sorts, and read back as what it was?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow import clock


@given(st.integers(0, 4102444800 * 10**6), st.integers(0, 4102444800 * 10**6))
def test_times_sort_as_texts(first, second):
    """Rules Y3 and S6."""
    texts = clock.encode_time(first), clock.encode_time(second)
    assert all(clock.is_time(text) for text in texts)
    assert (texts[0] < texts[1]) == (first < second)


def test_a_time_is_iso_8601_in_utc_with_microseconds():
    """Rule Y3."""
    assert clock.encode_time(1795513800000001) == "2026-11-24T09:50:00.000001Z"
    assert clock.encode_time(0) == "1970-01-01T00:00:00.000000Z"
    for other in ("2026-11-24T09:30:00Z", "2026-11-24T09:30:00.000001", "", None, 5, "x2026-11-24T09:30:00.000001Z"):
        assert not clock.is_time(other)


@given(st.integers(0, 4102444800 * 10**6))
def test_a_time_is_read_back_in_milliseconds(microseconds):
    assert clock.decode_time(clock.encode_time(microseconds)) == microseconds // 1000


def test_a_day_that_no_calendar_has_is_no_time():
    assert clock.decode_time("2026-13-41T09:30:00.000001Z") is None
    assert clock.decode_time("yesterday") is None


@pytest.mark.parametrize("value", [None, True, 1.5, "1795513800000", 10**18, -(10**18)])
def test_what_is_no_count_of_milliseconds_within_the_calendar_has_no_text(value):
    assert clock.encode_ms(value) is None


def test_milliseconds_are_written_as_any_time():
    assert clock.encode_ms(1795513800000) == "2026-11-24T09:50:00.000000Z"
