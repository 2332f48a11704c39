"""What a filter means: its grammar, and how long the worst of them takes."""

import time

import pytest

from mini_mlflow.compat.mlflow.exceptions import MlflowException
from mini_mlflow.compat.mlflow.filters import EXPERIMENTS, RUNS, Condition, is_like, parse_filter, parse_order


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("", []),
        (None, []),
        ("metrics.a>0.5", [("metrics", "a", ">", 0.5)]),
        ("metric.`a b/c` <= -1e-3", [("metrics", "a b/c", "<=", -0.001)]),
        ("params.a = 'x' AND tags.b != \"y\"", [("params", "a", "=", "x"), ("tags", "b", "!=", "y")]),
        ("tags.mlflow.parentRunId = 'x and y'", [("tags", "mlflow.parentRunId", "=", "x and y")]),
        ("status = 'FAILED' and start_time > 5",
         [("attributes", "status", "=", "FAILED"), ("attributes", "start_time", ">", 5)]),
        ("params.a IS NULL and tags.b is not null",
         [("params", "a", "IS NULL", None), ("tags", "b", "IS NOT NULL", None)]),
        ("attributes.run_id IN ('a', 'b')", [("attributes", "run_id", "IN", ("a", "b"))]),
        ("run_id NOT IN ('a') and metrics.m <> 1",
         [("attributes", "run_id", "NOT IN", ("a",)), ("metrics", "m", "!=", 1)]),
    ],
)  # fmt: skip
def test_a_filter_is_a_list_of_conditions(text, conditions):
    assert [tuple(each) for each in parse_filter(text, RUNS)] == conditions


@pytest.mark.parametrize(
    "text",
    [
        "metrics.a", "metrics.a >", "a > 1", "> 1", "metrics.a > 1 and", "metrics.a > 1 metrics.b > 1",
        "(metrics.a > 1)",
        "metrics.a LIKE 'x'", "params.a > 'x'", "params.a = x", "params.a = 1", "metrics.a > '1'", "status IN ('a')",
        "run_id IN ()", "run_id IN ('a'", "run_id IN 'a'", "run_id IN ('a' 'b')", "params.a = 'x", "metrics.a = 1; x",
        "attributes.nothing = 'x'", "things.a = 'x'", "metrics.a IS NULL", "params.a IS 'x'", "metrics.a not 5", 5,
    ],
)  # fmt: skip
def test_what_is_not_in_the_grammar_is_refused(text):
    with pytest.raises(MlflowException) as caught:
        parse_filter(text, RUNS)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_experiments_have_names_tags_and_times_alone():
    assert parse_filter("name = 'x' and tags.a = 'y'", EXPERIMENTS)[0].key == "name"
    with pytest.raises(MlflowException, match="creation_time"):
        parse_filter("metrics.a > 1", EXPERIMENTS)


@pytest.mark.parametrize("orders", [["metrics.a UP"], ["metrics.a DESC x"], ["nothing"], ["5"], [" "], "metrics.a"])
def test_an_order_that_is_none_is_refused(orders):
    with pytest.raises(MlflowException):
        parse_order(orders, RUNS)


def test_an_order_goes_upwards_unless_it_says_otherwise():
    found = parse_order(["metrics.`a b` desc", "start_time"], RUNS)
    assert [tuple(each) for each in found] == [("metrics", "a b", False), ("attributes", "start_time", True)]


@pytest.mark.parametrize(
    ("value", "sign", "found", "holds"),
    [
        (1.0, ">", 2.0, True), (1.0, ">=", 1.0, True), (1.0, "<", 2.0, False), (1.0, "<=", 1.0, True),
        (1.0, "!=", float("nan"), True), (1.0, ">", float("nan"), False), (1.0, "<=", float("nan"), False),
        ("a", "!=", None, False), ("a", "=", None, False), ("a%", "LIKE", "ab", True), ("A%", "LIKE", "ab", False),
        ("A%", "ILIKE", "ab", True), (("a", "b"), "IN", "b", True), (("a", "b"), "NOT IN", "b", False),
    ],
)  # fmt: skip
def test_a_condition_holds_as_in_mlflow(value, sign, found, holds):
    assert Condition("metrics", "m", sign, value).holds(found) is holds


@pytest.mark.parametrize(
    ("text", "pattern", "is_alike"),
    [
        ("abc", "abc", True), ("abc", "ab", False), ("abc", "%", True), ("", "%", True), ("", "", True),
        ("abc", "a%c", True),
        ("abc", "%b%", True), ("abc", "%d%", False), ("abc", "a_c", True), ("abc", "___", True), ("abc", "__", False),
        ("aXbXc", "a%b%c", True), ("ab", "a%b%b", False), ("aba", "ab%ba", False), ("a.c", "a.c", True),
        ("abc", "a.c", False),
        ("abcabd", "%ab_", True), ("a\nb", "a%b", True),
    ],
)  # fmt: skip
def test_like_knows_percent_and_underscore(text, pattern, is_alike):
    assert is_like(text, pattern, is_case_kept=True) is is_alike


@pytest.mark.parametrize("sign", ["a", "_", "a_"])
def test_b13_a_pattern_of_many_percent_signs_takes_no_longer_than_a_search(sign):
    begin = time.process_time()
    assert not is_like("a" * 5000, ("%" + sign) * 30 + "b", is_case_kept=True)
    assert time.process_time() - begin < 2  # backtracking takes longer than the universe is old


@pytest.mark.parametrize(
    "text",
    ["(" * 10000, "not " * 10000, "x" * 10**6, "run_id IN (" + "'a'," * 20000 + ")", "metrics.a > 1 and " * 5000],
)
def test_b12_a_filter_without_end_is_refused_at_once(text):
    begin = time.process_time()
    with pytest.raises(MlflowException):
        parse_filter(text, RUNS)
    assert time.process_time() - begin < 5
