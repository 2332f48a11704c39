"""Params from real configs of pydantic (2 and 1), attrs, OmegaConf and absl, and values of pandas and NumPy."""

import dataclasses
import enum
import pathlib
from typing import Any, List, Optional

import attr
import attrs
import numpy as np
import omegaconf
import pandas as pd
import pydantic
import pydantic.v1
import pytest
from absl import flags
from omegaconf import MISSING, OmegaConf

from mini_mlflow import InvalidValueError, Run
from mini_mlflow.params import flatten
from mini_mlflow.storage import load_run
from mini_mlflow.values import check_json_value


class Colour(enum.Enum):
    RED = 1


class Inner(pydantic.BaseModel):
    lr: float = 0.1
    path: pathlib.Path = pathlib.Path("data")


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    name: str = "m"
    inner: Inner = Inner()
    layers: List[Inner] = [Inner(lr=1)]
    token: pydantic.SecretStr = pydantic.SecretStr("hunter2")
    colour: Colour = Colour.RED


class OldInner(pydantic.v1.BaseModel):
    lr: float = 0.1


class OldModel(pydantic.v1.BaseModel):
    name: str = "m"
    inner: OldInner = OldInner()


@pydantic.dataclasses.dataclass
class Checked:
    lr: float = 0.1


@attrs.define
class Modern:
    lr: float = 0.1
    inner: Optional["Modern"] = None


@attr.s
class Classic:
    lr = attr.ib(default=0.1)


@dataclasses.dataclass
class Structured:
    lr: float = 0.1
    colour: Colour = Colour.RED
    data: str = MISSING
    inner: Any = None


def test_a_pydantic_model_gives_its_fields_and_extras_and_never_its_secrets(tmp_path):
    source = Model(inner=Inner(lr=0.5), extra=3)
    params = flatten(source)
    assert list(params) == ["name", "inner.lr", "inner.path", "layers", "token", "colour", "extra"]
    with Run(run_id="r", runs_dir=tmp_path) as run:
        run.log_params(source)
    found = load_run("r", runs_dir=tmp_path)["params"]
    assert found["inner.path"] == "data"
    assert found["layers"] == [{"lr": 1.0, "path": "data"}]
    assert found["colour"] == "Colour.RED"
    assert "hunter2" not in str(found)


def test_a_model_of_pydantic_1_gives_its_fields():
    assert flatten(OldModel()) == {"name": "m", "inner.lr": 0.1}
    assert flatten({"a": OldInner()}) == {"a.lr": 0.1}


def test_a_root_model_and_a_pydantic_dataclass_give_theirs():
    assert flatten(pydantic.RootModel[List[int]]([1, 2])) == {"root": [1, 2]}
    assert flatten(Checked()) == {"lr": 0.1}


def test_instances_of_attrs_classes_give_their_fields():
    assert flatten(Modern(inner=Modern(lr=2))) == {"lr": 0.1, "inner.lr": 2, "inner.inner": None}
    assert flatten({"a": Classic()}) == {"a.lr": 0.1}


def test_an_omegaconf_config_gives_its_values_resolved_and_what_is_missing_as_question_marks():
    source = OmegaConf.create({"a": {"b": 1, "c": "${a.b}"}, "l": [1, "${a.b}"], "m": "???", "n": None, 5: {True: "x"}})
    assert flatten(source) == {"a.b": 1, "a.c": 1, "l": [1, 1], "m": "???", "n": None, "5.True": "x"}


def test_an_interpolation_that_leads_nowhere_stays_as_it_is_written_and_the_others_are_resolved():
    source = OmegaConf.create(
        {"a": 1, "b": "${nowhere}", "c": {"d": ["${a}", "${oc.env:SURELY_NOT_SET}"], "e": "${a}"}}
    )
    assert flatten(source) == {"a": 1, "b": "${nowhere}", "c.d": [1, "${oc.env:SURELY_NOT_SET}"], "c.e": 1}


def test_a_structured_config_of_omegaconf_gives_its_enums_and_missing_values():
    params = flatten(OmegaConf.structured(Structured(inner={"x": [1]})))
    assert params == {"lr": 0.1, "colour": Colour.RED, "data": "???", "inner.x": [1]}


def test_omegaconf_within_other_objects_is_flattened_and_its_lists_are_values(tmp_path):
    config = OmegaConf.create({"opt": {"betas": [0.9, {"x": "${opt.lr}"}], "lr": 0.1}})
    assert flatten({"cfg": config}) == {"cfg.opt.betas": [0.9, {"x": 0.1}], "cfg.opt.lr": 0.1}
    with Run(run_id="r", runs_dir=tmp_path) as run:
        run.log_param("betas", config.opt.betas)
        run.log_params({"opt": {"betas": config.opt.betas}})
    found = load_run("r", runs_dir=tmp_path)["params"]
    assert found == {"betas": [0.9, {"x": 0.1}], "opt.betas": [0.9, {"x": 0.1}]}


@pytest.mark.parametrize("source", [omegaconf.ListConfig([1]), pd.DataFrame({"a": [1]}), pd.Series([1])])
def test_lists_and_tables_have_no_names_and_are_refused(source):
    with pytest.raises(InvalidValueError, match="Params must come as"):
        flatten(source)


def test_absl_flags_are_those_of_the_program_whether_parsed_or_not():
    values = flags.FlagValues()
    flags.DEFINE_float("lr", 0.1, "rate", flag_values=values, module_name="train")
    flags.DEFINE_list("layers", ["1", "2"], "sizes", flag_values=values, module_name="lib.model")
    flags.DEFINE_enum_class("colour", Colour.RED, Colour, "which", flag_values=values, module_name="train")
    flags.DEFINE_bool("helpfull2", default=False, help="", flag_values=values, module_name="absl.app")
    assert flatten(values) == {"colour": Colour.RED, "layers": ["1", "2"], "lr": 0.1}
    values(["train.py", "--lr=0.5"])
    assert flatten({"flags": values}) == {"flags.colour": Colour.RED, "flags.layers": ["1", "2"], "flags.lr": 0.5}


def test_the_global_flags_of_absl_have_none_of_absl_itself():
    assert not {"help", "helpfull", "flagfile", "undefok", "verbosity"} & set(flatten(flags.FLAGS))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (pd.Timestamp("2024-01-02"), "2024-01-02T00:00:00"),
        (pd.Timedelta("1h"), "0 days 01:00:00"),
        (pd.NaT, "NaT"),
        (pd.NA, "<NA>"),
        (pd.Series([1, 2]), [1, 2]),
        (pd.Index(["a"]), ["a"]),
        (pd.CategoricalDtype(["a"]), "category"),
        (pd.Series([1]).dtype, "int64"),
    ],
)
def test_values_of_pandas_become_what_they_say(value, expected):
    assert check_json_value(value, "p", "Param") == expected


def test_a_table_becomes_its_shape():
    text = check_json_value(pd.DataFrame({"a": np.arange(3), "b": 0}), "p", "Param")
    assert text.endswith("DataFrame of shape (3, 2)")
