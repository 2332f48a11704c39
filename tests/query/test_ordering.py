"""In which order do runs come?"""

from math import inf, isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_table import MadeTable

from mini_mlflow.errors import InvalidValueError, QueryError
from mini_mlflow.query import ordering

TABLE = MadeTable(
    {"run_id": "a", "start_time": 5, "metrics.acc": 0.5, "params.lr": 0.1, "params.opt": "sgd"},
    {"run_id": "b", "start_time": 9, "metrics.acc": nan, "params.lr": 0.001},
    {"run_id": "c", "start_time": 9, "metrics.acc": inf, "params.lr": "auto", "params.opt": "adam"},
    {"run_id": "d", "start_time": None},
    {"run_id": "e", "start_time": 7, "metrics.acc": -1, "params.lr": 10},
)


def order(*orders):
    rows = ordering.sort_rows(range(TABLE.count), ordering.parse_order(orders), TABLE, 100)
    return "".join(TABLE.runs[row]["run_id"] for row in rows)


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ([], "bcead"),
        (["metrics.acc"], "eacbd"),
        (["metrics.acc ASC"], "eacbd"),
        (["acc desc"], "caebd"),
        (["params.lr"], "baecd"),
        (["params.lr DESC"], "eabcd"),
        (["opt"], "cabed"),
        (["start_time ASC", "run_id DESC"], "aecbd"),
        (["run_id DESC"], "edcba"),
        (["attributes.start_time DESC", "metrics.acc DESC"], "cbead"),
        (["metrics.nothing"], "bcead"),
    ],
)
def test_numbers_come_before_nan_and_what_is_missing_last(orders, expected):
    assert order(*orders) == expected


@pytest.mark.parametrize(("text", "position"), [("acc UP", 4), ("acc DESC x", 9), ("", 0), ("1 DESC", 0), ("acs", 0)])
def test_an_error_points_at_the_place(text, position):
    with pytest.raises(QueryError) as caught:
        order(text)
    assert caught.value.position == position


def test_an_order_is_text():
    with pytest.raises(InvalidValueError, match=r"metrics\.loss ASC"):
        order(5)


def test_many_keys_neither_go_deep_nor_count_twice():
    assert order(*["opt", "run_id DESC", "opt DESC"] * 1000) == order("opt", "run_id DESC")
    with pytest.raises(InvalidValueError, match="100 keys at most, got 101"):
        order(*(f"metrics.`{number}`" for number in range(101)))


NUMBERS = st.integers(-2, 2) | st.sampled_from([0.5, 1.0, -inf, inf, nan, 10**400, 10**400 + 1])
VALUES = st.none() | st.booleans() | NUMBERS | st.sampled_from(["1", "a", "b", "nan"])
RUN = st.fixed_dictionaries({"start_time": st.none() | st.integers(0, 3), "params.x": VALUES, "params.y": NUMBERS})


def rank(value, is_ascending):
    """What a value is sorted by upwards, written down plainly."""
    if value is None:
        return (3,)
    if isinstance(value, (bool, str)):
        codes = [ord(character) for character in str(value)] + [-1]
        return 2, codes if is_ascending else [-code for code in codes]
    if isinstance(value, float) and isnan(value):
        return (1,)
    return 0, value if is_ascending else -value


@given(
    st.lists(RUN, max_size=12),
    st.lists(st.tuples(st.sampled_from(["params.x", "params.y", "start_time"]), st.booleans()), max_size=2),
    st.integers(1, 13),
)
def test_the_first_of_very_many_are_those_of_all_in_order(runs, orders, limit):
    runs = [{**run, "run_id": f"{place * 7 % 13:02}"} for place, run in enumerate(runs)]
    table = MadeTable(*runs)
    texts = [f"{key} {'ASC' if is_ascending else 'DESC'}" for key, is_ascending in orders]
    expected = sorted(
        range(len(runs)),
        key=lambda row: (
            *(rank(runs[row][key], is_ascending) for key, is_ascending in orders),
            rank(runs[row]["start_time"], is_ascending=False),
            runs[row]["run_id"],
        ),
    )
    parsed = ordering.parse_order(texts) if runs else []
    assert ordering.sort_rows(range(len(runs)), parsed, table, 100) == expected
    assert ordering.sort_rows(range(len(runs)), parsed, table, 100, limit) == expected[:limit]
