"""``ls -s`` sorts by every column, ``ls -g`` lists every group, and what programs get is theirs, not Python's."""

import json

import pytest


@pytest.fixture
def listed(store, run_cli):
    """Return a function that returns a column of ``ls``, of four runs."""
    for name, steps in (("b", 3), ("a", 7), ("d", 5)):
        params = {"steps": 10 - steps, "is_big": steps > 4, "none": None}
        store.run(name, params=params, metrics={"loss": [1.0] * steps, "acc": [0.5]})
    store.run("c", params={"steps": 1})

    def column(*words, key="name"):
        result = run_cli("-d", str(store.path), "ls", "Default", *words, "-c", key)
        assert result.code == 0, result.err
        return result.lines[1:]

    return column


def test_runs_are_sorted_by_the_steps_that_are_shown(listed, store, run_cli):
    assert listed("-s", "steps") == ["b", "d", "a", "c"]
    assert listed("-s", "-steps") == ["a", "d", "b", "c"]
    assert listed("-s", "-steps", key="steps") == ["7", "5", "3", ""]
    assert listed("-s", "-steps", "-n", "2", key="steps") == ["7", "5"]
    assert listed("-s", "params.steps") == ["c", "a", "d", "b"]
    document = json.loads(run_cli("-d", str(store.path), "ls", "Default", "-s", "-steps", "--json").out)
    assert [run["name"] for run in document["runs"]] == ["a", "d", "b", "c"]


def test_runs_of_several_experiments_are_sorted_by_their_names_and_these_are_shown(store, run_cli):
    for name in ("vision", "audio", "language"):
        experiment = store.experiment(name)
        params = {"lr": 0.1, "layers": len(name)}
        store.run("of-" + name, experiment, params=params, metrics={"loss": [1.0], "acc": [1]})
    words = ("-d", str(store.path), "ls")
    assert run_cli(*words, "-s", "experiment", "-c", "experiment").lines[1:] == ["audio", "language", "vision"]
    assert run_cli(*words, "-s", "-experiment", "-q", "-n", "1").lines == run_cli(*words, "vision", "-q").lines
    documents = json.loads(run_cli(*words, "-s", "experiment", "--json").out)["runs"]
    assert [each["experiment"] for each in documents] == ["audio", "language", "vision"]
    for columns in (60, 80):
        assert "language" in run_cli(*words, "-b", "acc", columns=columns).out.split()


def test_a_trend_is_said_to_have_no_order(listed, store, run_cli):
    result = run_cli("-d", str(store.path), "ls", "Default", "-s", "-trend")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "error: a trend is a drawing, and no order comes of it\n  -s METRIC sorts by what it is drawn of\n"
    )


def test_truths_and_what_is_missing_are_written_as_json_has_them(listed, store, run_cli):
    assert listed("-s", "steps", key="is_big,none") == ["false\t", "true\t", "true\t", "\t"]
    groups = run_cli("-d", str(store.path), "ls", "-g", "steps", "-b", "acc", "--csv").lines
    assert not {"True", "False", "None"} & {cell for line in groups for cell in line.split(",")}
    assert "true" in groups[1].split(",")


def test_groups_of_runs_without_any_metric_are_listed(store, run_cli):
    for seed, lr, status in ((1, 0.1, "FINISHED"), (2, 0.1, "FAILED"), (1, 0.2, "FINISHED")):
        store.run("r", params={"lr": lr, "seed": seed}, status=status)
    words = ("-d", str(store.path), "ls", "Default", "-g")
    document = json.loads(run_cli(*words, "--json").out)
    told = [(len(each["run_ids"]), each["finished"], each["metrics"], each["params"]) for each in document["groups"]]
    assert told == [(1, 1, {}, {"lr": 0.2}), (2, 1, {}, {"lr": 0.1})]
    assert [line.split("\t")[:4] for line in run_cli(*words).lines] == [
        ["group", "runs", "finished", "lr"], ["g1", "1", "1", "0.2"], ["g2", "2", "1", "0.1"],
    ]  # fmt: skip
    lines = run_cli(*words, "--color", "never", columns=80).lines
    assert lines[0] == "Default · 3 runs in 2 groups · over seed"
    assert [line.split() for line in lines[2:5]] == [
        ["#", "n", "runs", "lr", "took"], ["g1", "1", "✓", "0.2", "4m35s"], ["g2", "1/2", "✓✗", "0.1", "4m35s"],
    ]  # fmt: skip
    assert lines[-1] == " g1 names all runs of a group: compare g1"
    assert run_cli(*words, "-f", "lr > 5", "--color", "never", columns=80).lines == ["Default · 0 runs in 0 groups"]
    store.run("m", params={"lr": 0.3, "seed": 1}, metrics={"loss": [1.0]})
    assert [line.split("\t")[1] for line in run_cli(*words).lines[1:]] == ["1", "1", "2"]  # some have one, others none
    assert len(json.loads(run_cli(*words, "--json", "-l").out)["groups"]) == 3


def test_groups_come_in_the_order_that_is_asked_for(store, run_cli):
    for lr in (0.2, 0.1, 0.3):
        for seed in (1, 2):
            store.run("r", params={"lr": lr, "seed": seed}, metrics={"loss": [lr]})
    words = ("-d", str(store.path), "ls", "Default", "-g", "--json")

    def order(*more):
        return [each["params"]["lr"] for each in json.loads(run_cli(*words, *more).out)["groups"]]

    assert (order(), order("-s", "-lr"), order("-s", "lr")) == ([0.1, 0.2, 0.3], [0.3, 0.2, 0.1], [0.1, 0.2, 0.3])
