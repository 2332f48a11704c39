"""Does a real MLflow read what an export has written, and does all of it come back by an import?"""

import json
import os
import subprocess
import sys

import pytest

from mini_mlflow import Run, create_experiment, delete_run, search_runs
from mini_mlflow.exporting import mlflow_files
from mini_mlflow.importing.sources import import_mlflow
from mini_mlflow.store import documents, experiments, folders, metric_file, reader

READ = """
import json, sys
from mlflow.tracking import MlflowClient
from mlflow.entities import ViewType

client = MlflowClient("file://" + sys.argv[1])
told = {"experiments": {}, "runs": {}}
for experiment in client.search_experiments():
    told["experiments"][experiment.experiment_id] = {
        "name": experiment.name, "created": experiment.creation_time, "tags": dict(experiment.tags)}
    for run in client.search_runs([experiment.experiment_id], "", ViewType.ALL):
        assert client.get_run(run.info.run_id).data.params == run.data.params
        told["runs"][run.info.run_id] = {
            "experiment_id": run.info.experiment_id, "name": run.info.run_name, "status": run.info.status,
            "start": run.info.start_time, "end": run.info.end_time, "stage": run.info.lifecycle_stage,
            "user": run.info.user_id, "params": run.data.params, "tags": run.data.tags, "metrics": run.data.metrics,
            "histories": {key: [[row.step, row.timestamp, row.value] for row in
                                client.get_metric_history(run.info.run_id, key)] for key in run.data.metrics},
            "artifacts": [file.path for file in client.list_artifacts(run.info.run_id)],
            "inner": [file.path for file in client.list_artifacts(run.info.run_id, "model")],
        }
json.dump(told, open(sys.argv[2], "w"))
"""
# What MLflow itself takes as keys, and what it does not.
PLAIN = ["lr", "model/depth", "two words", "a.b-c_d", "val/acc", "gr\u00f6\u00dfe"]
ODD = [
    "..",
    "a=b/c",
    "line\nbreak",
    "a%2Fb",
    "a%252Fb",
    "%",
    "../up",
    "/top",
    "a//b",
    "a/",
    "NUL",
    "=1+1",
    "a:b",
    "x" * 250,
    ".",
]


def read_by_mlflow(path, tmp_path):
    """Return what MLflow reads in a folder."""
    answer = str(tmp_path / "answer.json")
    environment = dict(os.environ, MLFLOW_ALLOW_FILE_STORE="true", GIT_PYTHON_REFRESH="quiet")
    subprocess.run([sys.executable, "-c", READ, path, answer], check=True, env=environment, cwd=str(tmp_path))
    with open(answer) as file:
        return json.load(file)


def exported(store, path):
    runs = search_runs(None, "", "ALL", None, output_format="list", search_all_experiments=True, runs_dir=store)
    there = {str(each.experiment_id): each for each in experiments.list_experiments(store)}
    return mlflow_files.write(path, runs, there, lambda _: None)


@pytest.fixture
def store(tmp_path):
    """Return a store with runs of all kinds."""
    store = str(tmp_path / "ours")
    create_experiment("vision", tags={"lead": "anna"}, runs_dir=store)
    vision = experiments.home_id("vision")
    run = Run(run_id="first", experiment_id=vision, runs_dir=store, name="first run")
    run.log_params({"lr": 0.1, "layers": [64, 32], "none": None, "yes": True, "text": "a\nb \u2028", "seven": "007"})
    for step, value in enumerate([1.0, 0.5, 0.25]):
        run.log_metric("loss", value, step=step, timestamp=1795510800000 + step)
    run.log_metric("bad", float("nan"), step=-5)
    run.log_metric("up", float("inf"), step=2**62)
    run.log_metric("count", 3, step=0)
    run.set_tag("team", "vision")
    run.log_text("weights", "model/weights.txt")
    run.log_text("notes", "notes.txt")
    run.end()
    Run(run_id="failed", experiment_id=vision, runs_dir=store, parent_run_id="first").end("FAILED")
    Run(run_id="killed.2", experiment_id="text.id", runs_dir=store).end("KILLED")
    Run(run_id="gone", experiment_id=0, runs_dir=store).end()
    delete_run("gone", runs_dir=store)
    return store


def plant(store, run_id, experiment_id, keys):
    """Write params, tags and metrics under keys that only other doors let in."""
    folder = os.path.join(store, str(experiment_id), run_id)
    from mini_mlflow.store.names import Names

    names = Names()
    for key in keys:
        for kind in ("params", "tags"):
            os.makedirs(os.path.join(folder, kind), exist_ok=True)
            path = os.path.join(folder, kind, names.stem(kind, key) + ".json")
            documents.create(path, documents.encode_value(key, key + "!", 5))
        os.makedirs(os.path.join(folder, "metrics"), exist_ok=True)
        path = os.path.join(folder, "metrics", names.stem("metrics", key) + ".json")
        documents.create(path, metric_file.encode(key, [metric_file.Metric(0, 5, 0.5)]))


def test_mlflow_reads_params_metrics_tags_artifacts_status_and_times(store, tmp_path):
    path = str(tmp_path / "out")
    written = exported(store, path)
    assert written.problems == []
    assert len(written.added) == 4
    told = read_by_mlflow(path, tmp_path)
    here = {
        run.info.run_id: run
        for run in search_runs(None, "", "ALL", None, output_format="list", search_all_experiments=True, runs_dir=store)
    }
    chosen = str(experiments.home_id("vision"))
    assert told["experiments"][chosen]["name"] == "vision"
    assert told["experiments"][chosen]["tags"] == {"lead": "anna"}
    assert told["experiments"][chosen]["created"] == experiments.get(store, int(chosen)).creation_time
    for run_id, run in here.items():
        found = told["runs"][mlflow_files.safe_run_id(run_id)]
        assert (found["name"], found["status"], found["stage"]) == (
            run.info.run_name or "",
            run.info.status,
            run.info.lifecycle_stage,
        )
        assert (found["start"], found["end"]) == (run.info.start_time, run.info.end_time)
        assert found["params"] == {key: mlflow_files.text_of(value) for key, value in run.data.params.items()}
        assert found["tags"] == run.data.tags
        assert repr(sorted(found["metrics"].items())) == repr(
            [(key, float(run.data.metrics[key])) for key in sorted(run.data.metrics)]
        )
        for key in run.data.metrics:
            rows = reader.read_history(os.path.dirname(run.info.artifact_uri), key, [])
            assert repr(found["histories"][key]) == repr([[row.step, row.timestamp, float(row.value)] for row in rows])
    assert told["runs"]["first"]["artifacts"] == ["model", "notes.txt"]
    assert told["runs"]["first"]["inner"] == ["model/weights.txt"]
    assert told["runs"]["failed"]["tags"]["mlflow.parentRunId"] == "first"


def test_f09_keys_that_mlflow_refuses_are_encoded_and_mlflow_reads_all_of_them(store, tmp_path):
    plant(store, "first", experiments.home_id("vision"), [*PLAIN[1:], *ODD, "loss/within"])
    path = str(tmp_path / "out")
    exported(store, path)
    found = read_by_mlflow(path, tmp_path)["runs"]["first"]
    for kind in ("params", "metrics", "tags"):
        assert set(PLAIN[1:]) <= set(found[kind])
        assert len(set(found[kind]) - set(PLAIN)) >= len(ODD)
    assert sorted(value for value in found["params"].values() if value.endswith("!")) == sorted(
        key + "!" for key in [*PLAIN[1:], *ODD, "loss/within"]
    )
    assert not [name for name in os.listdir(str(tmp_path)) if name in ("up", "top")]


def test_f09_all_of_it_comes_back_equal_by_an_import(store, tmp_path):
    plant(store, "first", experiments.home_id("vision"), [*PLAIN[1:], *ODD, "loss/within"])
    path, back = str(tmp_path / "out"), str(tmp_path / "back")
    exported(store, path)
    imported = import_mlflow(path, back)
    assert imported.is_whole
    for run in search_runs(
        None, "", "ACTIVE_ONLY", None, output_format="list", search_all_experiments=True, runs_dir=store
    ):
        name = experiments.get(store, run.info.experiment_id).name
        experiment_id = experiments.find(back, name).experiment_id
        before = reader.read_run(store, run.info.experiment_id, run.info.run_id)
        after = reader.read_run(back, experiment_id, run.info.run_id)
        assert (before.params, before.tags) == (after.params, after.tags)
        assert repr(before.metrics) == repr({key: type(before.metrics[key])(v) for key, v in after.metrics.items()})
        folder = os.path.join(back, str(experiment_id), run.info.run_id)
        for key in before.metrics:
            rows = reader.read_history(os.path.dirname(run.info.artifact_uri), key, [])
            assert repr([(r.step, r.timestamp, float(r.value)) for r in rows]) == repr(
                [(r.step, r.timestamp, float(r.value)) for r in reader.read_history(folder, key, [])]
            )
        left, right = before.metadata, after.metadata
        left, right = (
            {k: v for k, v in each.items() if k not in ("experiment_id", "imported")} for each in (left, right)
        )
        assert left == right
        assert folders.read_meta(folder)[0]["run_id"] == run.info.run_id
    weights = os.path.join(back, str(experiments.home_id("vision")), "first", "artifacts", "model", "weights.txt")
    with open(weights) as file:
        assert file.read() == "weights"


def test_what_was_changed_in_mlflow_comes_back_as_it_is_now(store, tmp_path):
    path, back = str(tmp_path / "out"), str(tmp_path / "back")
    exported(store, path)
    place = os.path.join(path, str(experiments.home_id("vision")), "first", "params", "lr")
    with open(place, "w") as file:
        file.write("0.5")
    import_mlflow(path, back)
    params = reader.read_run(back, experiments.home_id("vision"), "first").params
    assert (params["lr"], params["layers"]) == ("0.5", [64, 32])


def test_mlflow_goes_on_with_an_exported_run(store, tmp_path):
    path = str(tmp_path / "out")
    exported(store, path)
    code = (
        "import sys, mlflow\nmlflow.set_tracking_uri('file://' + sys.argv[1])\n"
        "with mlflow.start_run(run_id='first'):\n    mlflow.log_metric('loss', 0.0625, step=3)\n"
        "    mlflow.log_param('more', 1)\n"
    )
    environment = dict(os.environ, MLFLOW_ALLOW_FILE_STORE="true", GIT_PYTHON_REFRESH="quiet")
    subprocess.run([sys.executable, "-c", code, path], check=True, env=environment, cwd=str(tmp_path))
    found = reader.read_run(path, experiments.home_id("vision"), "first")
    assert (found.metrics["loss"], found.params["more"]) == (0.0625, "1")
