"""A run takes what can be recorded, refuses the rest before anything is written, and gives back what it took."""

import argparse
import decimal
import enum
import fractions
import itertools
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import pytest

from mini_mlflow import InvalidKeyError, InvalidValueError, Metric, Run, recorder
from mini_mlflow.storage import load_run

INT64_MAX = 2**63 - 1


class Duck:
    """A scalar as PyTorch and JAX have them: shape () and item()."""

    def __init__(self, value, shape=()):
        self.value = value
        self.shape = shape

    def item(self):
        return self.value


class Color(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    HIGH = 3


class Text(str):
    __slots__ = ()


@pytest.fixture
def run(tmp_path):
    """A run in an empty store; the test's values go into it."""
    with Run(run_id="r", runs_dir=tmp_path) as run:
        yield run


def read(run):
    return load_run("r", runs_dir=run.runs_dir)


def files(run):
    return sorted(path.name for path in Path(run.runs_dir).rglob("*.json") if path.name != "owner.json")


def logged(run, value):
    """Log *value* as a metric and return it as a fresh reader finds it; three ways give one result."""
    run.log_metric("m", value)
    run.log_metric("m", value, step=7)
    run.log_metrics({"n": value})
    found = read(run)["metrics"]
    rows = [*run.history("m"), *run.history("n")]
    assert all(same(row.value, found["m"]) for row in rows)
    assert same(found["n"], found["m"])
    return found["m"]


def same(one, other):
    return type(one) is type(other) and (one == other or (math.isnan(one) and math.isnan(other)))


# Metrics ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, 0.5), (1, 1), (-3, -3), (0, 0), (2**53 + 1, 2**53 + 1), (2**1024 - 1, 2**1024 - 1), (1e-320, 1e-320),
        (True, 1), (False, 0), (Level.HIGH, 3), (float("nan"), float("nan")), (math.inf, math.inf),
        (-math.inf, -math.inf), (decimal.Decimal("0.1"), 0.1), (decimal.Decimal("NaN"), float("nan")),
        (fractions.Fraction(1, 4), 0.25), (np.float64(0.1), 0.1), (np.float32(0.5), 0.5), (np.float16(0.25), 0.25),
        (np.longdouble(0.5), 0.5), (np.int8(-1), -1), (np.int64(2**62), 2**62), (np.uint64(2**64 - 1), 2**64 - 1),
        (np.bool_(True), 1), (np.array(0.5), 0.5), (np.array(7), 7), (np.array(0.5, np.float32), 0.5),
        (np.float64("nan"), float("nan")), (Duck(0.5), 0.5), (Duck(3), 3), (Duck(True), 1), (Duck(math.inf), math.inf),
    ],
)  # fmt: skip
def test_one_real_number_of_any_kind_is_taken_as_a_plain_int_or_float(run, value, expected):
    """Rule M7."""
    assert same(logged(run, value), expected)


def test_minus_zero_keeps_its_sign(run):
    assert math.copysign(1, logged(run, -0.0)) == -1


@pytest.mark.parametrize(
    "value",
    [
        None, "0.5", b"1", [1], (1.0,), {"a": 1}, {1}, 1j, np.complex128(1), object(), np.str_("1"), float,
        decimal.Decimal("sNaN"), Duck("x"), Duck(None), np.array("x"), np.datetime64("2024-01-01"), Color.RED,
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_and_nothing_is_written(run, value):
    for log in (run.log_metric, lambda key, value: run.log_metrics({"first": 1, key: value})):
        with pytest.raises(InvalidValueError, match="'m' needs one number") as caught:
            log("m", value)
        assert isinstance(caught.value, ValueError)
        assert isinstance(caught.value, TypeError)
        assert caught.value.key == "m"
    assert files(run) == []


@pytest.mark.parametrize("value", [2**1024, -(2**1024), pytest.param(10**5000, id="5000 digits"), Duck(2**2000)])
def test_an_integer_beyond_every_double_is_refused(run, value):
    """Rule M7."""
    with pytest.raises(InvalidValueError, match=r"2\*\*1024"):
        run.log_metric("m", value)
    assert files(run) == []


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (np.zeros(32), "(32,)"),
        (np.zeros((2, 3)), "(2, 3)"),
        (np.zeros(1), "(1,)"),
        (np.zeros(0), "(0,)"),
        (Duck(0.5, (4,)), "(4,)"),
    ],
)
def test_an_array_is_refused_with_advice(run, value, shape):
    with pytest.raises(InvalidValueError) as caught:
        run.log_metric("loss", value)
    assert str(caught.value) == (
        "Metric 'loss' needs one number, got an array of shape %s. Log a reduced value such as loss.mean()." % shape
    )
    assert caught.value.value is value


def test_the_advice_on_an_array_is_python_whatever_the_key(run):
    with pytest.raises(InvalidValueError, match=r"such as values\.mean\(\)"):
        run.log_metric("val loss", np.zeros(2))


def test_steps_count_by_themselves_from_the_greatest(run):
    """Rule W9."""
    for step in (None, None, 10, None, 4, None, -5, None):
        run.log_metric("m", 0, step)
    assert sorted(row.step for row in run.history("m")) == [-5, 0, 1, 4, 10, 11, 12, 13]


@pytest.mark.parametrize("step", [0, -1, INT64_MAX, -INT64_MAX - 1, True, np.int32(5), np.array(5), Level.HIGH])
def test_a_step_is_any_integer_of_64_bits(run, step):
    run.log_metric("m", 0.5, step)
    run.log_metric("m", 0.5, step=step)
    assert [(row.step, type(row.step)) for row in run.history("m")] == [(int(step), int)] * 2


@pytest.mark.parametrize("step", [2**63, -(2**63) - 1, 1.5, 1.0, "1", np.float64(1), np.zeros(2), math.nan])
def test_b08_a_step_that_is_no_integer_of_64_bits_is_refused(run, step):
    for log in (lambda: run.log_metric("m", 1, step), lambda: run.log_metrics({"m": 1, "n": 2}, step)):
        with pytest.raises(InvalidValueError, match="Step of metric 'm'"):
            log()
    assert files(run) == []


def test_b08_after_the_last_step_of_64_bits_comes_no_other_and_training_goes_on(run):
    run.log_metric("m", 1, INT64_MAX)
    run.log_metric("m", 2, 5)
    assert [row.value for row in run.history("m")] == [2, 1]


@pytest.mark.parametrize("timestamp", [0, 1, INT64_MAX, np.int64(5)])
def test_a_timestamp_is_whole_milliseconds(run, timestamp):
    run.log_metric("m", 0.5, timestamp=timestamp)
    assert run.history("m") == [Metric(0, int(timestamp), 0.5)]


@pytest.mark.parametrize("timestamp", [-1, 2**63, 1.5, time.time, "0", math.nan])
def test_b08_any_other_timestamp_is_refused(run, timestamp):
    for log in (run.log_metric, lambda key, value, **named: run.log_metrics({key: value, "n": 1}, **named)):
        with pytest.raises(InvalidValueError, match="whole milliseconds since 1970"):
            log("m", 1, timestamp=timestamp)
    assert files(run) == []


def test_without_a_timestamp_the_clock_counts(run):
    before = int(time.time() * 1000)
    run.log_metric("m", 1)
    assert before <= run.history("m")[0].timestamp <= int(time.time() * 1000)


def test_the_latest_value_is_the_newest_by_time_and_among_equals_the_last(run):
    """Rules M5, W8."""
    for timestamp, value in ((5, "a"), (9, "b"), (9, "c"), (2, "d")):
        run.log_metric("m", ord(value), timestamp=timestamp)
    assert read(run)["metrics"] == {"m": ord("c")}
    assert [chr(row.value) for row in run.history("m")] == ["a", "b", "c", "d"]


def test_several_metrics_of_one_call_have_one_time_and_the_step_that_is_given(run, monkeypatch):
    clock = itertools.count(1000)
    monkeypatch.setattr(recorder, "now_ms", lambda: next(clock))
    run.log_metrics({"a": 1, "b": 2.5}, step=3)
    run.log_metrics({"a": 3, "b": 4}, 4, timestamp=0)
    rows = [run.history("a"), run.history("b")]
    assert [[(row.step, row.value) for row in each] for each in rows] == [[(3, 1), (4, 3)], [(3, 2.5), (4, 4)]]
    assert rows[0][0].timestamp == rows[1][0].timestamp == 1000
    assert rows[0][1].timestamp == 0


def test_several_metrics_without_a_step_take_each_their_own(run):
    run.log_metric("a", 1)
    run.log_metrics({"a": 2, "b": 3})
    assert [run.history(key)[-1].step for key in "ab"] == [1, 0]


def test_nothing_logged_leaves_nothing(run):
    run.log_metrics({})
    run.log_params({})
    run.set_tags({})
    assert files(run) == []


def test_a_summary_says_what_was_logged(run):
    for value in (3.0, math.nan, 1.0, 2.0):
        run.log_metric("m", value)
    summary = run.summary("m")
    assert (summary.first, summary.last, summary.min, summary.max) == (3.0, 2.0, 1.0, 3.0)
    assert (summary.mean, summary.count, summary.best_step("min"), summary.best_step("max")) == (2.0, 4, 2, 0)


# Params and tags -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None), ("", ""), ("ä\n", "ä\n"), (5, 5), (0.1, 0.1), (True, True), (10**30, 10**30),
        ([1, [2]], [1, [2]]), ([], []), ({}, {}),
        ((1, 2), [1, 2]), ({"a": {"b": None}}, {"a": {"b": None}}), ({1: 2}, {"1": 2}), (math.inf, math.inf),
        (-math.inf, -math.inf), (np.float32(0.5), 0.5), (np.int64(7), 7), (np.bool_(True), True), (np.array(3), 3),
        ([np.float32(0.5)], [0.5]), (Duck(0.5), 0.5), (Path("a") / "b", os.path.join("a", "b")),
        (Color.RED, "Color.RED"),
        ({"c": Color.RED, "p": Path("x")}, {"c": "Color.RED", "p": "x"}), (np.dtype("float32"), "float32"),
        (Text("t"), "t"), ("NaN", "NaN"), ({"value": 1, "type": "float"}, {"value": 1, "type": "float"}),
        ([math.inf], ["Infinity"]),
    ],
)  # fmt: skip
def test_a_param_or_tag_comes_back_as_json_has_it(run, value, expected):
    """Rules D3, D4."""
    run.log_param("p", value)
    run.log_params({} if isinstance(value, dict) else {"q": value})  # which flattens dicts
    run.set_tag("t", value)
    run.set_tags({"u": value})
    found = read(run)
    assert found["params"] == ({"p": expected} if isinstance(value, dict) else {"p": expected, "q": expected})
    assert found["tags"] == {"t": expected, "u": expected}
    assert type(found["params"]["p"]) is type(expected)


def test_a_param_of_nan_is_valid_json_and_comes_back_as_nan(run, tmp_path):
    """Rule D4."""
    run.log_param("p", math.nan)
    text = (tmp_path / "0" / "r" / "params" / "p.json").read_text(encoding="utf-8")
    document = json.loads(text, parse_constant=pytest.fail)
    assert (document["key"], document["value"], document["type"]) == ("p", "NaN", "float")
    assert math.isnan(read(run)["params"]["p"])


@pytest.mark.parametrize("value", [2**1024, [2**1024], [np.ma.masked], ({(1, 2): 2**1024},), {2**1024}])
def test_a_param_that_json_cannot_hold_is_refused_and_nothing_is_written(run, value):
    calls = [run.log_param, run.set_tag]
    calls += [lambda key, value: run.log_params({"first": 1, key: value})]
    calls += [lambda key, value: run.set_tags({"first": 1, key: value})]
    for log in calls:
        with pytest.raises(InvalidValueError, match="'p' must be JSON-serializable") as caught:
            log("p", value)
        assert isinstance(caught.value, TypeError)
        assert caught.value.key == "p"
    assert files(run) == []


def test_a_param_that_holds_itself_is_refused(run):
    endless = []
    endless.append(endless)
    with pytest.raises(InvalidValueError):
        run.log_param("p", endless)


def test_the_last_value_of_a_param_counts_whatever_its_kind(run):
    """Rule D2."""
    for value in (1, "two", [3]):
        run.log_param("p", value)
    assert read(run)["params"] == {"p": [3]}


# Keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("", "cannot be empty"), ("a/b", "cannot contain slashes"), ("\\", "cannot contain slashes"),
        (".", "not allowed"), ("..", "not allowed"), ("a\n", "invalid characters"), ("x\x7f", "invalid characters"),
        ("\ud800", "invalid characters"), ("x" * 251, "250"), (5, "must be text"), (None, "must be text"),
    ]
    + [("a" + each, "invalid characters") for each in '<>:"|?*\x00'],
)  # fmt: skip
def test_an_illegal_key_is_refused_at_every_call_and_nothing_is_written(run, key, text):
    """Rule K1."""
    calls = [run.log_param, run.log_metric, run.set_tag]
    several = [run.log_metrics, run.set_tags]
    if isinstance(key, str):  # log_params takes a dict of any keys for settings, and their text for keys
        several.append(run.log_params)
    calls.extend(lambda key, value, log=log: log({"first": 1, key: value}) for log in several)
    for log in calls:
        with pytest.raises(InvalidKeyError, match=text) as caught:
            log(key, 1)
        assert isinstance(caught.value, ValueError)
        assert caught.value.key == key
    assert files(run) == []


@pytest.mark.parametrize(
    "key", ["a", " ", "x" * 250, "ä" * 250, ".hidden", "con", "-rf", "a.b", "50%", "__proto__", "日本"]
)
def test_a_legal_key_names_a_param_a_metric_and_a_tag(run, key):
    """Rules K1 to K4."""
    run.log_param(key, 1)
    run.log_metric(key, 2)
    run.set_tag(key, 3)
    found = read(run)
    assert (found["params"], found["metrics"], found["tags"]) == ({key: 1}, {key: 2}, {key: 3})
    assert run.history(key)[0].value == 2


@pytest.mark.parametrize("log", ["set_tags", "log_metrics"])
def test_what_is_no_dict_is_refused_with_the_way_out(tmp_path, log):
    run = Run(runs_dir=tmp_path)
    with pytest.raises(InvalidValueError, match=r"vars\(args\)"):
        getattr(run, log)(argparse.Namespace(lr=0.1))
    run.end()
