"""How an object that holds settings becomes params with dotted names."""

import argparse
import collections
import dataclasses
import enum
import types
from typing import Any, ClassVar, List

import numpy as np
import pytest

from mini_mlflow import InvalidKeyError, InvalidValueError, Run
from mini_mlflow.params import flatten
from mini_mlflow.storage import load_run


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Optimizer:
    lr: float = 0.1
    betas: List[float] = dataclasses.field(default_factory=lambda: [0.9, 0.99])
    count: ClassVar[int] = 0


@dataclasses.dataclass
class Training:
    seed: dataclasses.InitVar[int] = 1
    epochs: int = 3
    optimizer: Any = dataclasses.field(default_factory=Optimizer)
    late: int = dataclasses.field(init=False, repr=False)


class Config:
    """A mapping in all but its registration, as ml_collections.ConfigDict is."""

    def __init__(self, **fields):
        self._fields = fields

    def keys(self):
        return self._fields.keys()

    def items(self):
        return self._fields.items()

    def __getitem__(self, key):
        return self._fields[key]


class Point:
    """What attrs makes of a class, without attrs."""

    __attrs_attrs__ = (types.SimpleNamespace(name="x"), types.SimpleNamespace(name="unset"))
    x = 1


class Struct:
    __struct_fields__ = ("x",)
    x = 1


@pytest.mark.parametrize(
    ("source", "params"),
    [
        ({}, {}),
        ({"a": 1, "b": {"c": 2, "d": {"e": [3, {"f": 4}]}}}, {"a": 1, "b.c": 2, "b.d.e": [3, {"f": 4}]}),
        ({"a": {}, "b": {"c": {}}}, {"a": {}, "b.c": {}}),
        ({"a": {1: "x", None: "y"}}, {"a.1": "x", "a.None": "y"}),
        ({Colour.RED: {Colour.RED: "z", (1, 2): 0}}, {"Colour.RED.Colour.RED": "z", "Colour.RED.(1, 2)": 0}),
        ({np.int64(3): {np.float32(0.5): 1}}, {"3.0.5": 1}),
        (collections.OrderedDict(b=1, a={"x": 2}), {"b": 1, "a.x": 2}),
        (types.MappingProxyType({"a": {"b": 1}}), {"a.b": 1}),
        (collections.ChainMap({"a": 1}, {"b": {"c": 2}}), {"b.c": 2, "a": 1}),
        (Training(), {"epochs": 3, "optimizer.lr": 0.1, "optimizer.betas": [0.9, 0.99]}),
        (argparse.Namespace(lr=0.1, model=argparse.Namespace(depth=2)), {"lr": 0.1, "model.depth": 2}),
        (types.SimpleNamespace(a=Training(optimizer=None)), {"a.epochs": 3, "a.optimizer": None}),
        (Config(a=1, b=Config(c=Optimizer(betas=[]))), {"a": 1, "b.c.lr": 0.1, "b.c.betas": []}),
        (Point(), {"x": 1}),
        (Struct(), {"x": 1}),
        ({"empty": types.SimpleNamespace()}, {"empty": {}}),
        ({"": {"a": 1}}, {".a": 1}),
    ],
    ids=lambda each: repr(each)[:30],
)  # fmt: skip
def test_settings_become_params_with_dots_in_the_order_in_which_they_stand(source, params):
    found = flatten(source)
    assert found == params
    assert list(found) == list(params)


@pytest.mark.parametrize(
    ("source", "first", "second"),
    [
        ({"a": {"b": 1}, "a.b": 2}, "['a']['b']", "['a.b']"),
        ({"a": {"b.c": 1, "b": {"c": 2}}}, "['a']['b.c']", "['a']['b']['c']"),
        ({"a": {1: 1, "1": 2}}, "['a']['1']", "['a']['1']"),
    ],
)
def test_two_params_of_one_name_are_refused_with_both(source, first, second):
    with pytest.raises(InvalidKeyError) as caught:
        flatten(source)
    assert "Params %s and %s would both be called" % (first, second) in str(caught.value)
    assert caught.value.key in str(caught.value)


@pytest.mark.parametrize("kind", [dict, types.SimpleNamespace, Config])
def test_settings_that_hold_themselves_are_refused_with_the_place(kind):
    inner = kind()
    middle = {"b": {"c": inner}}
    fields = inner if isinstance(inner, dict) else inner._fields if isinstance(inner, Config) else vars(inner)
    fields["d"] = middle
    with pytest.raises(InvalidValueError, match=r"holds itself"):
        flatten({"a": middle})


def test_the_same_settings_in_two_places_are_no_circle():
    shared = {"x": 1}
    assert flatten({"a": shared, "b": {"c": shared}}) == {"a.x": 1, "b.c.x": 1}


@pytest.mark.parametrize("depth", [251, 1000, 100000])
def test_settings_nested_too_deep_are_refused(depth):
    source = {}
    for _ in range(depth):
        source = {"a": source}
    with pytest.raises(InvalidValueError, match="nested over 250 deep"):
        flatten({"top": {"a": 1}, "deep": source})
    while source:  # or the interpreter takes it apart by recursion
        source = source["a"]


def test_settings_nested_250_deep_are_taken():
    source = 1
    for _ in range(250):
        source = {"a": source}
    assert list(flatten(source)) == [".".join("a" * 250)]


@pytest.mark.parametrize(
    ("source", "advice"),
    [
        (Optimizer, "Give an instance"),
        (5, "log_param"),
        ("lr=1", "log_param"),
        ([1], "log_param"),
        (None, "log_param"),
        (np.zeros(3), "log_param"),
        (types.new_class("Settings")(), r"vars\(\)"),
        (type("Model", (), {"to_dict": dict})(), r"to_dict\(\)"),
    ],
)
def test_what_holds_no_settings_is_refused_with_the_way_out(source, advice):
    with pytest.raises(InvalidValueError, match="Params must come.*" + advice) as caught:
        flatten(source)
    assert isinstance(caught.value, TypeError)
    assert caught.value.value is source


def test_a_run_takes_them_and_reads_them_back(tmp_path):
    with Run(run_id="r", runs_dir=tmp_path) as run:
        run.log_params(argparse.Namespace(lr=0.1, func=flatten, train=Training()))
        run.log_param("whole", Training())
    assert load_run("r", runs_dir=tmp_path)["params"] == {
        "lr": 0.1,
        "func": "mini_mlflow.params.flatten",
        "train.epochs": 3,
        "train.optimizer.lr": 0.1,
        "train.optimizer.betas": [0.9, 0.99],
        "whole": {"epochs": 3, "optimizer": {"lr": 0.1, "betas": [0.9, 0.99]}},
    }


def test_a_slash_in_a_nested_key_is_refused_by_its_whole_name_before_anything_is_written(tmp_path):
    """Rule K1."""
    run = Run(run_id="r", runs_dir=tmp_path)
    with pytest.raises(InvalidKeyError, match=r"'model\.a/b' cannot contain slashes.*'model\.a\.b'"):
        run.log_params({"first": {"x": 1}, "model": {"a/b": 1}})
    run.end()
    assert load_run("r", runs_dir=tmp_path)["params"] == {}
