"""What becomes of values that JSON lacks: a list, a dict or a readable text, the same in every run."""

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import types
import typing
import uuid

import numpy as np
import pytest

from mini_mlflow import InvalidValueError, Run
from mini_mlflow.storage import load_run
from mini_mlflow.values import check_json_value

HERE = __name__


def shown(value):
    """Return the name of a case, the same in every process."""
    return "a set" if isinstance(value, (set, frozenset)) else re.sub(" at 0x[0-9a-f]+", "", repr(value))


class Plain:
    """An object that says nothing of itself but where it lies in memory."""

    def method(self):
        return self


class Holder:
    def __init__(self, *parts):
        self.parts = parts

    def __repr__(self):
        return "Holder%r" % (self.parts,)


class Silent:
    def __repr__(self):
        return ""


class Faulty:
    def __repr__(self):
        raise RuntimeError("not now")


class Named:
    def __str__(self):
        return "cuda:0"


class Colour(enum.Enum):
    RED = 1


class Mood(str, enum.Enum):
    GOOD = "good"


class Access(enum.Flag):
    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Optimizer:
    name: str = "adam"
    betas: tuple = (0.9, 0.99)


@dataclasses.dataclass(frozen=True)
class Corner:
    x: int = 0


class Choice(Corner, enum.Enum):
    ORIGIN = 0


Point = collections.namedtuple("Point", ["x", "y"])


def train(rate):
    return rate


def kept(value):
    return check_json_value(value, "p", "Param")


def qualified(name):
    return "%s.%s" % (HERE, name)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (pathlib.PurePosixPath("data/x"), "data/x"), (Colour.RED, "Colour.RED"), (Mood.GOOD, "good"),
        (Access.READ, "Access.READ"), (Choice.ORIGIN, "Choice.ORIGIN"),
        (np.dtype("float32"), "float32"), (np.float32, "numpy.float32"), (int, "int"), (print, "print"),
        (len, "len"), ([].append, "list.append"), ("".join, "str.join"), (np, "numpy"),
        (os.path.join, os.path.__name__ + ".join"),
        (dt.datetime(2024, 1, 2, 3, 4, 5, 6, dt.timezone.utc), "2024-01-02T03:04:05.000006+00:00"),
        (dt.date(2024, 1, 2), "2024-01-02"), (dt.time(1, 2), "01:02:00"), (dt.timedelta(hours=1), "1:00:00"),
        (decimal.Decimal("0.10"), "0.10"), (fractions.Fraction(1, 3), "1/3"), (1j, "1j"), (1 + 2j, "(1+2j)"),
        (b"adam", "adam"), (b"\xff\x00", "b'\\xff\\x00'"), (bytearray(b"\n"), "b'\\n'"), (b"\x00" * 1001, "1001 bytes"),
        (range(3), "range(0, 3)"), (slice(1, None, 2), "slice(1, None, 2)"), (Ellipsis, "Ellipsis"),
        (re.compile("a+"), "a+"), (re.compile("a+", re.IGNORECASE | re.VERBOSE), "(?ix)a+"), (re.compile(b"a"), "a"),
        (uuid.UUID(int=3), "00000000-0000-0000-0000-000000000003"), (typing.List[int], "typing.List[int]"),
        (ValueError("bad"), "ValueError('bad')"), (np.datetime64("2024-01-02T00:00:00.000000001"),
        "2024-01-02T00:00:00.000000001"), (np.timedelta64(3, "D"), "3 days"), (np.complex128(1j), "1j"),
        (np.add, "numpy.add" if hasattr(np.add, "__qualname__") else "<ufunc 'add'>"), (Named(), "cuda:0"),
    ],
    ids=shown,
)  # fmt: skip
def test_a_value_that_json_lacks_becomes_the_text_that_people_would_write(value, text):
    """Rule D3."""
    assert kept(value) == text
    assert kept([value, {"a": value}]) == [text, {"a": text}]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (object(), "object"),
        (Plain(), qualified("Plain")),
        (Plain, qualified("Plain")),
        (train, qualified("train")),
        (Plain().method, qualified("Plain.method")),
        (lambda: 1, qualified("<lambda>")),
        (functools.partial(train, 0.1), "functools.partial(%s, 0.1)" % qualified("train")),
        (functools.partial(train, rate="x"), "functools.partial(%s, rate='x')" % qualified("train")),
        (Holder(Plain(), 1), "Holder(%s, 1)" % qualified("Plain")),
        (Holder(train), "Holder(%s,)" % "train"),
        (Holder(Plain().method), "Holder(Plain.method,)"),
        (np.random.RandomState(1), "RandomState(MT19937)"),
        ((each for each in ()), "<genexpr>"),
        (Silent(), qualified("Silent")),
        (Faulty(), qualified("Faulty")),
    ],
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)
def test_the_text_of_an_object_has_no_place_in_memory_so_two_runs_compare_equal(value, text):
    assert kept(value) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset("ba"), ["a", "b"]),
        ({1, "a", None}, [None, 1, "a"]),
        (set(), []),
        (collections.deque([1, 2]), [1, 2]),
        ({"a": 1}.keys(), ["a"]),
        (array.array("i", [1, 2]), [1, 2]),
        (collections.UserList([1]), [1]),
        (memoryview(b"ab"), [97, 98]),
        (Point(1, Colour.RED), [1, "Colour.RED"]),
        (np.arange(3), [0, 1, 2]),
        (np.eye(2), [[1.0, 0.0], [0.0, 1.0]]),
        (np.zeros(0), []),
        (np.array([1j]), ["1j"]),
        (np.array(["2024-01-02"], "M8[ns]"), ["2024-01-02T00:00:00.000000000"]),
        (np.array([Colour.RED, None]), ["Colour.RED", None]),
        (np.ma.array([1, 2], mask=[False, True]), [1, None]),
        (np.array([math.nan, 1.0]), ["NaN", 1.0]),
        (np.longdouble(0.5), 0.5),
        (np.clongdouble(1j), "1j"),
        (np.array(b"x"), "x"),
        (np.zeros(1000, int), [0] * 1000),
        (np.zeros(1001, int), "numpy.ndarray of shape (1001,), int64"),
        (np.zeros((10, 200), "f4"), "numpy.ndarray of shape (10, 200), float32"),
    ],
    ids=lambda each: shown(each)[:40],
)
def test_what_has_members_becomes_a_list_of_them_and_a_large_array_its_shape(value, expected):
    found = kept(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Optimizer(), {"name": "adam", "betas": [0.9, 0.99]}),
        ([Optimizer("sgd", ())], [{"name": "sgd", "betas": []}]),
        (types.SimpleNamespace(a=Colour.RED), {"a": "Colour.RED"}),
        (types.MappingProxyType({"a": {1}}), {"a": [1]}),
        (collections.ChainMap({"a": 1}, {"b": 2}), {"b": 2, "a": 1}),
        ({(1, 2): 3}, {"(1, 2)": 3}),
        ({Colour.RED: {pathlib.PurePosixPath("x"): 1}}, {"Colour.RED": {"x": 1}}),
        ([({("a", Colour.RED): 1},)], [[{"('a', Colour.RED)": 1}]]),
        ({np.int64(3): {np.float32(0.5): 1}}, {"3": {"0.5": 1}}),
        ({1: {(1,): Optimizer()}}, {"1": {"(1,)": {"name": "adam", "betas": [0.9, 0.99]}}}),
        ({"a": types.SimpleNamespace(b={(): 1})}, {"a": {"b": {"()": 1}}}),
        ({b"k": 1, None: 2, True: 3}, {"k": 1, "null": 2, "true": 3}),
    ],
    ids=shown,
)
def test_what_has_fields_becomes_a_dict_and_keys_that_json_lacks_become_text(value, expected):
    assert kept(value) == expected


class Tensor:
    """What TensorFlow has: a shape of its own kind, and numpy()."""

    def __init__(self, value):
        self.shape = [len(value)]
        self.value = value

    def numpy(self):
        if not self.value:
            raise NotImplementedError
        return np.array(self.value)

    def __str__(self):
        return "Tensor()"


class Table:
    """What pandas and Polars have: columns with a shape, and no list."""

    shape = (2, 3)

    def __array__(self):
        raise AssertionError("nobody needs the data")

    def keys(self):
        raise AssertionError("as above")

    items = __getitem__ = keys


def test_arrays_of_other_libraries_are_told_by_what_they_can_do():
    assert kept(Tensor([1, 2])) == [1, 2]
    assert kept(Tensor([])) == "Tensor()"
    assert kept(Table()) == qualified("Table of shape (2, 3)")


def test_a_long_text_of_an_object_is_cut_with_its_length():
    found = kept(Holder("x" * 20000))
    assert found.startswith("Holder('xxx")
    assert found.endswith("… (20011 characters)")
    assert len(found) < 10100


def circle():
    items = {}
    items["a"] = [types.SimpleNamespace(items=items)]
    return items


def deep():
    value = Plain()
    for _ in range(400):
        value = {value} if isinstance(value, Plain) else [value]
    return value


@pytest.mark.parametrize(
    "value",
    [circle(), deep(), {2**1024}, [np.ma.masked], Optimizer("x" * 2**24), {(1,): circle()}],
    ids=["circle", "deep", "huge", "masked", "long", "circle-beside-odd-keys"],
)
def test_only_what_cannot_be_stored_at_all_is_refused(value):
    with pytest.raises(InvalidValueError, match="Param 'p'") as caught:
        kept(value)
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ValueError)


def test_the_same_settings_give_the_same_files_in_two_processes(tmp_path):
    code = """if True:
        import collections, functools, sys
        from mini_mlflow import Run
        class Model: pass
        def f(): pass
        with Run(run_id="r", runs_dir=sys.argv[1]) as run:
            run.log_params({"m": Model(), "f": [f, functools.partial(f, Model())], "s": set("abcdefgh")})
            run.log_param("l", lambda: 1)
    """
    found = []
    for seed in "12":
        folder = str(tmp_path / seed)
        environment = dict(os.environ, PYTHONHASHSEED=seed)
        subprocess.run([sys.executable, "-c", code, folder], check=True, env=environment)
        found.append(load_run("r", runs_dir=folder)["params"])
    assert found[0] == found[1]
    assert found[0]["m"] == "__main__.Model"
    assert found[0]["s"] == list("abcdefgh")


def test_a_param_and_a_tag_of_such_a_value_are_valid_json_on_the_disk(tmp_path):
    with Run(run_id="r", runs_dir=tmp_path) as run:
        run.log_param("p", {"f": train, "n": [math.inf]})
        run.set_tag("t", {train})
    text = (tmp_path / "0" / "r" / "params" / "p.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=pytest.fail)["value"] == {"f": qualified("train"), "n": ["Infinity"]}
    assert load_run("r", runs_dir=tmp_path)["tags"] == {"t": [qualified("train")]}


def test_plain_values_load_nothing_for_it():
    code = """if True:
        import sys
        from mini_mlflow.values import check_json_value
        check_json_value({"a": [1, "x", None, (2.5,)]}, "p", "Param")
        sys.exit("mini_mlflow.readable" in sys.modules)
    """
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
