"""How much may one value, name or field hold, and what do values do that fight back?"""

import collections
import math

import pytest

from mini_mlflow import InvalidIdError, InvalidKeyError, InvalidValueError, Run, active, keys, storage, values


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty current folder, where `mlruns` goes; no run is open afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINI_MLFLOW_DIR", raising=False)
    yield tmp_path / "mlruns"
    for run in active.live_runs():
        if run.status == "RUNNING":
            run.end()


EDGE = values.MAX_VALUE_BYTES


@pytest.mark.parametrize(
    ("value", "too_big"),
    [
        ("x" * (EDGE - 2), "x" * (EDGE - 1)),
        ("\xe9" * (EDGE // 2 - 1), "\xe9" * (EDGE // 2)),
        ("\0" * (EDGE // 6 - 1), "\0" * (EDGE // 6 + 1)),
        ("\ud800" * (EDGE // 6 - 1), "\ud800" * (EDGE // 6 + 1)),
        (["x" * (EDGE - 4)], ["x" * (EDGE - 3)]),
    ],
    ids=["ascii", "two-bytes", "escaped", "surrogates", "in-a-list"],
)
def test_a_value_may_have_16_mib_as_json_and_no_more(value, too_big):
    run = Run(run_id="r")
    run.log_param("k" * 250, value)
    for log in (run.log_param, run.set_tag):
        with pytest.raises(InvalidValueError, match=r"over 16 MiB as JSON. Write it to a file"):
            log("a", too_big)
    run.end()
    assert storage.load_run("r")["params"] == {"k" * 250: value}


@pytest.mark.parametrize("what", ["name", "version"])
def test_a_name_or_version_has_at_most_10000_characters(what, store):
    with pytest.raises(InvalidValueError, match=r"has 10001 characters, 10000 are allowed.*Shorten it"):
        Run(**{what: "x" * 10001})
    assert not store.exists()
    run = Run(run_id="r", **{what: "\U0001f600" * 10000})
    run.end()
    assert storage.load_run("r")["metadata"][what] == "\U0001f600" * 10000


@pytest.mark.parametrize("name", ["x" * 251, 5, None])
def test_the_name_of_a_field_is_text_of_at_most_250_characters(name, store):
    with pytest.raises(InvalidKeyError, match=r"Field name must be text of at most 250 characters.*Shorten it"):
        storage.save_metadata("r", 0, {name: 1})
    assert not store.exists()
    storage.save_metadata("r", 0, {"x" * 250: 1})
    assert storage.load_run("r")["metadata"]["x" * 250] == 1


def test_fields_together_have_at_most_512_kib(store):
    half = "x" * (256 * 1024)
    with pytest.raises(InvalidValueError, match=r"524288 are allowed.*as files"):
        storage.save_metadata("r", 0, {"a": half, "b": half})
    assert not store.exists()
    storage.save_metadata("r", 0, {"a": half})
    assert storage.load_run("r")["metadata"]["a"] == half


def nested(depth, core):
    for _ in range(depth):
        core = [core]
    return core


@pytest.mark.parametrize("core", [1, math.nan, math.inf])
def test_a_value_nests_250_deep_and_no_deeper(core):
    run = Run(run_id="r")
    run.log_param("a", nested(250, core))
    for depth in (251, 500, 900, 5000):
        with pytest.raises(InvalidValueError, match="JSON-serializable"):
            run.log_param("b", nested(depth, core))
    run.end()
    assert sorted(storage.load_run("r")["params"]) == ["a"]


def test_many_brackets_side_by_side_are_not_deep():
    value = [[], {}] * 1000
    assert values.check_json_value(value, "a", "Param") == value


def test_nan_deep_in_a_value_is_text_and_alone_a_float():
    """Rule D4."""
    checked = values.check_json_value({"a": [math.nan, -math.inf, "NaN"]}, "a", "Param")
    assert checked == {"a": ["NaN", "-Infinity", "NaN"]}

    class Sub(float):
        pass

    assert math.isnan(values.check_json_value(Sub("nan"), "a", "Param"))
    assert values.check_json_value("NaN", "a", "Param") == "NaN"


class Scalar:
    """A thing of shape (), as NumPy and PyTorch have."""

    shape = ()

    def __init__(self, error=None, mask=None):
        self.error = error
        if mask is not None:
            self.mask = mask

    def item(self):
        if self.error:
            raise self.error
        return 0.5


@pytest.mark.parametrize("error", [RuntimeError("on a meta device"), IndexError("x"), TypeError("y"), KeyError()])
def test_whatever_an_item_raises_is_an_invalid_value(error):
    run = Run()
    calls = [lambda: run.log_metric("a", Scalar(error)), lambda: run.log_param("a", Scalar(error))]
    calls += [lambda: run.set_tag("a", [Scalar(error)]), lambda: run.log_metrics({"a": Scalar(error)})]
    for call in calls:
        with pytest.raises(InvalidValueError) as caught:
            call()
        assert caught.value.__cause__ is error
        assert caught.value.key == "a"


Mask = collections.namedtuple("Mask", ["shape", "truth"])
Mask.__bool__ = lambda self: self.truth


def test_a_masked_value_is_refused_and_an_open_one_is_not():
    masked, is_open = Scalar(mask=Mask((), True)), Scalar(mask=Mask((), False))
    checks = (lambda value: values.check_number(value, "a"), lambda value: values.check_json_value(value, "a", "Tag"))
    for check in checks:
        with pytest.raises(InvalidValueError, match="masked"):
            check(masked)
        assert check(is_open) == 0.5
        assert check(Scalar(mask=lambda: True)) == 0.5  # a method, as tables have


def test_the_masked_of_numpy_is_refused():
    numpy = pytest.importorskip("numpy")
    for value in (numpy.ma.masked, numpy.ma.masked_array(1.5, mask=True)):
        with pytest.raises(InvalidValueError, match="masked"):
            values.check_number(value, "a")
        with pytest.raises(InvalidValueError, match="masked"):
            values.check_json_value([value], "a", "Tag")
    assert values.check_number(numpy.ma.masked_array(1.5, mask=False), "a") == 1.5


@pytest.mark.parametrize("run_id", [5, "", None])
@pytest.mark.parametrize("check", [keys.check_run_id, keys.check_known_run_id])
def test_what_an_id_may_be_is_told(check, run_id):
    with pytest.raises(InvalidIdError, match=r"not legal: .*text of 1 to 128 letters, digits, '_', '\.', '-'"):
        check(run_id)


def test_a_lone_surrogate_in_a_key_is_called_one():
    with pytest.raises(InvalidKeyError, match=r"contains invalid characters: the lone surrogate '\\udcff'.*decode"):
        keys.check_key("a\udcff")


@pytest.mark.parametrize(("step", "advice"), [(1.5, r"Give int\(step\)"), ("1", r"int\(step\)"), (2**63, "timestamp=")])
def test_a_step_that_is_refused_comes_with_advice(step, advice):
    with pytest.raises(InvalidValueError, match=advice):
        values.check_step(step, "a")
