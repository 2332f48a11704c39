"""Every JSON document says in one way which run and which experiment it tells of."""

import json

import pytest

import mini_mlflow
from mini_mlflow import provenance
from mini_mlflow.cli import watch

NAMES = ("run_id", "name", "experiment_id", "experiment")
COMMANDS = [
    "ls", "ls deep", "ls deep -g", "ls -f loss<9", "ls deep -l", "show first", "compare first second", "best loss",
    "history first", "plot loss", "plot loss first second", "plot loss -x acc", "plot loss -g", "tail first",
    "tail first -f", "watch deep", "tag first goes-on a=b", "note first text", "rename first other", "mv other side",
    "mv other deep", "pack deep", "unpack deep", "rm other", "gc --dry-run", "restore other", "rm -y other last",
    "gc -y", "merge there --dry-run", "merge there", "merge there --dry-run", "export json -",
    "export mlflow out -e deep", "import mlflow out", "import mlflow out -d new", "run -q -- true", "path first",
]  # fmt: skip


@pytest.fixture
def stores(new_store, tmp_path, monkeypatch):
    """Two stores of runs with a name, without one, one that runs and one of an experiment without a name."""
    monkeypatch.chdir(tmp_path)
    for folder in ("mlruns", "there"):
        store = new_store(folder)
        store.count = 40 if folder == "there" else 0  # of which ids are made
        deep, side = store.experiment("deep"), store.experiment("side")
        first = None
        for number, name in enumerate(["first", "second", None]):
            numbers = {"loss": [3.0, 1.0 + number], "acc": [0.1, 0.2]}
            parent = {"parent_run_id": first} if number == 1 else {}
            made = store.run(name, deep, params={"lr": number // 2, "seed": number}, metrics=numbers, fields=parent)
            first = first or made
        store.run("third", side, metrics={"top": [1.0]})
        store.run("goes-on", deep, metrics={"loss": [5.0], "acc": [0.1]}, status="RUNNING", ago_s=60.0)
    yield
    provenance.forget()  # after ``run`` what this process logs would be its command's


def _told(value):
    """Return what is told of runs and of experiments, in any depth."""
    if isinstance(value, list):
        return [found for each in value for found in _told(each)]
    if not isinstance(value, dict):
        return []
    mine = [value] if {"run_id", "experiment_id", "experiment"} & set(value) else []
    return mine + [found for key, each in value.items() if key not in ("params", "tags") for found in _told(each)]


def _runs_of(place="mlruns"):
    found = mini_mlflow.search_runs(
        experiment_ids=[each.experiment_id for each in mini_mlflow.search_experiments(runs_dir=place)],
        runs_dir=place, output_format="list",
    )  # fmt: skip
    return {each.info.run_id: each.info for each in found}


@pytest.mark.usefixtures("stores")
def test_every_document_names_runs_and_experiments_by_the_same_four_keys(run_cli, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, "pause", stop)
    infos, seen = _runs_of("there"), set()
    for line in COMMANDS:
        words = line.split()
        names = {str(each.experiment_id): each.name for each in mini_mlflow.search_experiments(runs_dir="mlruns")}
        infos.update(_runs_of())
        result = run_cli(*words[:1], "--json", *words[1:])
        assert result.code in (0, 1, 130), (line, result)
        assert line != "show first" or [each["name"] for each in json.loads(result.out)["children"]] == ["second"]
        out = result.err if words[0] == "run" else result.out
        documents = [json.loads(out)] if words[0] == "export" else list(map(json.loads, out.splitlines()))
        infos.update(_runs_of() if words[0] == "run" else {})
        told = _told(documents)
        for each in told:
            if "run_id" in each:
                assert set(NAMES) <= set(each), (line, each)
            assert (line, each["experiment"]) == (line, names.get(each["experiment_id"], "Default"))
            info = infos.get(each.get("run_id"))
            if info is not None:
                assert (line, each["name"], each["experiment_id"]) == (line, info.run_name, str(info.experiment_id))
                seen.add(words[0])
            assert all(each[key] is None or isinstance(each[key], str) for key in NAMES if key in each)
        assert told or line.startswith("export mlflow"), line  # which tells how many
    assert seen == {line.split()[0] for line in COMMANDS} - {"pack", "unpack"}
