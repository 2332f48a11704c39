"""``plot`` of several metrics: a curve for each metric of each run, and the table names both."""

import json
import re

import pytest

from mini_mlflow.cli import drawn_metrics


@pytest.fixture
def two(store, monkeypatch):
    """Two runs, one of which lacks a metric."""
    monkeypatch.chdir(store.path.parent)
    metrics = {"val.loss": [3.0, 1.0, 2.0], "train.loss": [3000.0, 2000.0, 1000.0], "val.acc": [0.25, 0.5, 0.75]}
    store.run("first", metrics=metrics, params={"lr": 0.1})
    store.run("second", metrics={"val.loss": [2.5, 0.5], "odd,name*": [1.0, 2.0]}, params={"lr": 0.2})
    return store


def letters_of(result):
    return [line.split()[:4] for line in result.lines if re.match(" [a-z]  [✓✗]", line)]


def test_metrics_between_commas_are_drawn_of_each_run_beside_each_other(two, run_cli):
    result = run_cli("plot", "val.loss,train.loss", "first", "second", "--color", "never", columns=100)
    assert result.lines[0] == "val.loss, train.loss · Default · 2 runs"
    assert letters_of(result) == [
        ["a", "✓", "first", "val.loss"], ["b", "✓", "first", "train.loss"], ["c", "✓", "second", "val.loss"],
    ]  # fmt: skip
    assert result.lines[-1] == " no train.loss  second"


def test_a_pattern_means_all_that_it_fits_in_the_order_in_which_they_matter(two, run_cli):
    result = run_cli("plot", "val.*", "first", "--color", "never", columns=100)
    assert result.lines[0] == "val.acc, val.loss · Default · 1 run"
    assert [words[3] for words in letters_of(result)] == ["val.acc", "val.loss"]


def test_each_metric_has_its_own_decimals_and_its_own_best(two, run_cli):
    lines = run_cli("plot", "val.*,train.loss", "first", "second", "--color", "never", columns=100).lines
    assert [line.split() for line in lines if re.match(" [a-d]  ✓", line)] == [
        ["a", "✓", "first", "val.acc", "0.1", "0.7500", "0.7500", "↑", "2"],
        ["b", "✓", "first", "val.loss", "0.1", "2.000", "1.000", "↓", "1"],
        ["c", "✓", "first", "train.loss", "0.1", "1000", "1000", "↓", "2"],
        ["d", "✓", "second", "val.loss", "0.2", "0.500", "0.500", "↓", "1"],
    ]
    coloured = run_cli("plot", "val.*,train.loss", "first", "second", columns=100).out
    assert coloured.count("\x1b[1;32m") == 3


def test_without_runs_the_first_metric_tells_the_best_and_six_curves_are_enough(store, run_cli):
    for number in range(8):
        store.run("run-%d" % number, metrics={"loss": [float(number)], "acc": [0.5], "lr": [0.1]})
    place = ("-d", str(store.path), "plot", "--color", "never")
    for text, runs in (("loss", 6), ("loss,acc", 3), ("loss,acc,lr", 2)):
        assert run_cli(*place, text, columns=100).lines[0].endswith("%d runs" % runs)
    shown = run_cli(*place, "loss,acc", "-n", "1", columns=100)
    assert [words[2:4] for words in letters_of(shown)] == [["run-0", "loss"], ["run-0", "acc"]]


def test_json_has_a_curve_of_each_metric_of_each_run(two, run_cli):
    document = json.loads(run_cli("plot", "val.*", "first", "--json").out)
    assert (document["metric"], document["metrics"]) == ("val.acc", ["val.acc", "val.loss"])
    assert [(each["name"], each["metric"], each["values"]) for each in document["runs"]] == [
        ("first", "val.acc", [0.25, 0.5, 0.75]), ("first", "val.loss", [3.0, 1.0, 2.0]),
    ]  # fmt: skip
    one = json.loads(run_cli("plot", "val.loss", "first", "--json").out)
    assert (one["metric"], one["metrics"], one["runs"][0]["metric"]) == ("val.loss", ["val.loss"], "val.loss")


def test_a_metric_that_is_called_like_a_pattern_is_itself(two, run_cli):
    assert run_cli("plot", "odd,name*", "second", "--color", "never", columns=80).lines[0].startswith("odd,name* · ")
    assert drawn_metrics.read_metrics("a,b", ["a,b", "a", "b"]) == [("a,b", None)]
    assert drawn_metrics.read_metrics("a:min,b", ["a", "b"]) == [("a", "min"), ("b", None)]
    assert drawn_metrics.read_metrics("*,a", ["a", "b"]) == [("a", None), ("b", None)]


def test_many_metrics_are_titled_as_they_were_typed_and_more_than_letters_are_counted(store, run_cli):
    store.run("wide", metrics={"m%02d" % number: [1.0, 2.0] for number in range(60)})
    lines = run_cli("-d", str(store.path), "plot", "m*", "wide", "--color", "never", columns=80).lines
    assert lines[0] == "m* · Default · 1 run"
    assert " not drawn  8 metrics: there are 52 letters" in lines


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("val.loss,los", "first"), 3, "no metric 'los'"),
        (("x*",), 3, "no metric 'x*'"),
        ((",", "first"), 2, "names nothing"),
    ],
)
def test_what_means_no_metrics_is_refused(two, run_cli, words, code, said):
    result = run_cli("plot", *words, columns=80)
    assert (result.code, result.out) == (code, "")
    assert said in result.err


def test_groups_draw_several_metrics_each_with_its_own_best(store, run_cli):
    for seed in (1, 2):
        for lr in (0.1, 0.2):
            store.run("r", params={"lr": lr, "seed": seed}, metrics={"loss": [3.0, 1 + lr], "acc": [0.1, 0.5 - lr]})
    store.run("dead", params={"lr": 0.3, "seed": 1}, metrics={"loss": [2.0]}, status="FAILED")
    words = ("-d", str(store.path), "plot", "loss,acc", "-g")
    document = json.loads(run_cli(*words, "--json").out)
    assert (document["metric"], document["metrics"], document["over"]) == ("loss", ["loss", "acc"], ["seed"])
    assert [(each["metric"], each["params"], each["mean"], each["count"]) for each in document["groups"]] == [
        ("loss", {"lr": 0.1}, [3.0, 1.1], [2, 2]), ("acc", {"lr": 0.1}, [0.1, 0.4], [2, 2]),
        ("loss", {"lr": 0.2}, [3.0, 1.2], [2, 2]), ("acc", {"lr": 0.2}, [0.1, 0.3], [2, 2]),
    ]  # fmt: skip
    lines = run_cli(*words, "--color", "never", "-H", "8", columns=80).lines
    assert lines[0] == "loss, acc · Default · 5 runs in 3 groups · over seed"
    table = [line.split() for line in lines if line.split()[:1] in (["a"], ["b"], ["c"], ["d"])]
    assert [(row[0], row[3], row[4], row[-1]) for row in table] == [
        ("a", "loss", "0.1", "*"), ("b", "acc", "0.1", "*"), ("c", "loss", "0.2", "↓"), ("d", "acc", "0.2", "↑"),
    ]  # fmt: skip
    assert " not finished  1 group" in lines
    assert len(json.loads(run_cli(*words, "-n", "1", "--json").out)["groups"]) == 2


def test_groups_of_curves_are_those_of_ls(store, run_cli):
    for place, experiment in enumerate((store.experiment("one"), store.experiment("two"))):
        for number in range(4):
            params = {"lr": number % 2, "try": number}
            store.run("r%d%d" % (place, number), experiment, params=params, metrics={"loss": [3.0, 1.0 + number]})
    words = ("-d", str(store.path), "-e", "one")
    for given in ((), ("lr",), ("try,lr",)):
        listed = json.loads(run_cli(*words[:2], "ls", *words[2:], "--json", "-g", *given).out)
        drawn = json.loads(run_cli(*words[:2], "plot", "loss", *words[2:], "--json", "-g", *given).out)
        assert drawn["over"] == listed["over"]
        assert [each["run_ids"] for each in drawn["groups"]] == [each["run_ids"] for each in listed["groups"]]
    runs = ["r%d%d" % (place, number) for place in range(2) for number in range(4)]
    lines = run_cli(*words[:2], "plot", "loss", *runs, "-g", "--color", "never", columns=100).lines
    assert lines[0] == "loss · 2 experiments · 8 runs in 4 groups · over try"
    assert [line.split()[3] for line in lines[-4:]] == ["one", "two", "one", "two"]
    result = run_cli(*words[:2], "plot", "loss", *words[2:], "-g", "los")
    assert (result.code, "no param 'los' to group over" in result.err) == (3, True)
