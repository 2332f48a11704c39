"""Do dicts and tables become files that others can read, of the kind that their name says?"""

import json
from collections import OrderedDict, namedtuple
from datetime import date, datetime, timezone
from enum import Enum, IntEnum
from pathlib import PurePosixPath

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow import media
from mini_mlflow.errors import InvalidValueError, MissingPackageError

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


class Colour(Enum):
    RED = 1


class Level(IntEnum):
    HIGH = 3


class Unreadable:
    def __str__(self):
        raise RuntimeError("no text")


def as_json(value):
    return json.loads(media.encode_dict(value, "x.json").decode("ascii"), parse_constant=pytest.fail)


@given(PLAIN)
def test_plain_values_come_back_equal_from_json(value):
    assert as_json(value) == value


@given(PLAIN)
def test_plain_values_come_back_equal_from_yaml(value):
    assert yaml.safe_load(media.encode_dict(value, "x.yaml")) == value


@pytest.mark.parametrize("name", ["a/b.yaml", "x.yml", "X.YAML"])
def test_the_ending_of_yaml_gives_yaml(name):
    assert media.encode_dict({"b": [1, 2], "a": {"c": "é"}}, name) == b'a:\n  c: "\\xE9"\nb:\n- 1\n- 2\n'


@pytest.mark.parametrize("name", ["x.json", "x", "x.txt", "yaml"])
def test_any_other_ending_gives_json(name):
    assert media.encode_dict({"b": 1, "a": ["é"]}, name) == b'{\n  "b": 1,\n  "a": [\n    "\\u00e9"\n  ]\n}'


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ((1, 2), [1, 2]),
        ({3, 1, 2}, [1, 2, 3]),
        (np.float32(0.5), 0.5),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        (np.array([1.5, float("nan")]), [1.5, "NaN"]),
        (np.bool_(True), True),
        (np.datetime64("2026-11-24"), "2026-11-24"),
        (float("inf"), "Infinity"),
        (-float("inf"), "-Infinity"),
        (PurePosixPath("data/train"), "data/train"),
        (Colour.RED, "Colour.RED"),
        (Level.HIGH, 3),
        (date(2026, 11, 24), "2026-11-24"),
        (datetime(2026, 11, 24, 9, 30, tzinfo=timezone.utc), "2026-11-24T09:30:00+00:00"),
        (np.float32, "numpy.float32"),
        (len, "builtins.len"),
        (json.dumps, "json.dumps"),
        (b"bytes", "b'bytes'"),
        (1 + 2j, "(1+2j)"),
        (object(), "<object object>"),
        (Unreadable(), "<Unreadable>"),
        (OrderedDict(a=1), {"a": 1}),
        (namedtuple("Pair", "a b")(1, 2), [1, 2]),
        ({1: "a", None: "b", False: "c", 2.5: "d"}, {"1": "a", "null": "b", "false": "c", "2.5": "d"}),
        ({("a", 1): "tuple", Colour.RED: "enum"}, {"('a', 1)": "tuple", "Colour.RED": "enum"}),
    ],
)
def test_what_json_lacks_becomes_readable(value, kept):
    assert as_json({"key": value}) == {"key": kept}
    assert as_json([value, [value]]) == [kept, [kept]]


def test_yaml_keeps_what_it_has_and_calls_nothing():
    data = media.encode_dict({1: float("inf"), None: (1, 2), "when": date(2026, 11, 24), "what": Colour.RED}, "x.yaml")
    assert b"!!python" not in data
    assert yaml.safe_load(data) == {1: float("inf"), None: [1, 2], "when": "2026-11-24", "what": "Colour.RED"}


def test_what_is_shared_is_written_twice_and_what_holds_itself_is_refused():
    shared = [1]
    assert media.encode_dict([shared, shared], "x.yaml") == b"- - 1\n- - 1\n"
    loop = {}
    loop["loop"] = [loop]
    for name in ("x.json", "x.yaml"):
        with pytest.raises(InvalidValueError, match="holds itself"):
            media.encode_dict(loop, name)


def test_lone_surrogates_are_escaped():
    assert as_json({"a\ud800": "b\udfff"}) == {"a\ud800": "b\udfff"}


def table(data, existing=None, name="t.json"):
    return json.loads(media.encode_table(data, existing, name).decode("ascii"), parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("data", "columns", "rows"),
    [
        ({"a": [1, 2], "b": ["x", "y"]}, ["a", "b"], [[1, "x"], [2, "y"]]),
        ({"a": (1, 2), "b": 3, "c": "xy"}, ["a", "b", "c"], [[1, 3, "xy"], [2, 3, "xy"]]),
        ({"a": 1, "b": None}, ["a", "b"], [[1, None]]),
        ({"a": np.array([0.5, float("nan")])}, ["a"], [[0.5], [None]]),
        ({"a": np.eye(2)}, ["a"], [[[1.0, 0.0]], [[0.0, 1.0]]]),
        ({"a": []}, ["a"], []),
        ({}, [], []),
        ([], [], []),
        ([{"a": 1}, {"b": 2, "a": 3}], ["a", "b"], [[1, None], [3, 2]]),
        ({"when": [date(2026, 11, 24)], "where": [PurePosixPath("x")]}, ["when", "where"], [["2026-11-24", "x"]]),
        ({"é": ["é\ud800"]}, ["é"], [["é\ud800"]]),
        ({1: [2], ("a", "b"): [3]}, [1, "('a', 'b')"], [[2, 3]]),
        ({"inf": [float("inf")], "nested": [{"x": float("nan")}]}, ["inf", "nested"], [[None, {"x": None}]]),
    ],
)
def test_a_table_is_its_columns_and_rows(data, columns, rows):
    assert table(data) == {"columns": columns, "data": rows}


def test_rows_are_added_to_a_table_that_is_there_with_the_columns_of_both():
    there = media.encode_table({"a": [1], "b": [2]}, None, "t.json")
    assert table({"a": [3], "b": [4]}, there) == {"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}
    assert table({"c": [5], "a": [3]}, there) == {"columns": ["a", "b", "c"], "data": [[1, 2, None], [3, None, 5]]}
    assert table({}, there) == {"columns": ["a", "b"], "data": [[1, 2]]}
    assert table({"a": [1]}, media.encode_table({}, None, "t.json")) == {"columns": ["a"], "data": [[1]]}


def test_a_table_of_others_that_has_an_index_is_added_to():
    there = b'{"columns":["a"],"index":[0,1],"data":[[1],[2]]}'
    assert table([{"a": 3}], there) == {"columns": ["a"], "data": [[1], [2], [3]]}


@pytest.mark.parametrize(
    "there", [b"", b"[]", b"{}", b"\xff", b'{"columns": 1, "data": []}', b'{"columns": [], "data": [1]}', b"[" * 100000]
)
def test_what_is_there_and_is_no_table_is_told(there):
    with pytest.raises(InvalidValueError, match=r"'t\.json' is there and is no table"):
        table({"a": [1]}, there)


def test_a_nan_in_a_table_that_is_there_is_told():
    with pytest.raises(InvalidValueError, match="cannot be written as JSON"):
        table({"a": [1]}, b'{"columns": ["a"], "data": [[NaN]]}')


@pytest.mark.parametrize(
    ("data", "match"),
    [
        ({"a": [1, 2], "b": [1]}, "one length, got a: 2, b: 1"),
        ([1, 2], "a dict of columns, a list of dicts or a DataFrame"),
        ("text", "a dict of columns"),
        (None, "a dict of columns"),
        (np.eye(2), "a dict of columns"),
    ],
)
def test_what_is_no_table_is_refused(data, match):
    with pytest.raises(InvalidValueError, match=match):
        table(data)


@pytest.mark.parametrize("name", ["t", "t.csv", "t.txt"])
def test_a_table_has_an_ending_that_says_its_kind(name):
    with pytest.raises(InvalidValueError, match=r"ends in \.json"):
        table({"a": [1]}, None, name)


def test_no_rows_are_added_to_parquet():
    """Attack B20: no reader of ours loads such files."""
    with pytest.raises(InvalidValueError, match=r"added to tables of kind \.json alone"):
        table({"a": [1]}, b"PAR1", "t.parquet")


def test_parquet_without_its_packages_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingPackageError, match="pip install pandas pyarrow") as caught:
        table({"a": [1]}, None, "t.parquet")
    assert isinstance(caught.value, ImportError)


@pytest.mark.parametrize("figure", [1, None, "text", {"data": []}, np.eye(2)])
def test_what_is_no_figure_is_refused(figure):
    with pytest.raises(InvalidValueError, match=r"figures of matplotlib and plotly, got .* log_artifact\(\)"):
        media.encode_figure(figure, "x.png", {})


def test_a_figure_has_an_ending_that_says_its_kind():
    with pytest.raises(InvalidValueError, match=r"'loss' *needs|needs an ending .* 'loss\.png'"):
        media.encode_figure(None, "loss", {})
