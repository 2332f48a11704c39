"""In which order do runs come?"""

from math import inf, nan

import pytest
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
