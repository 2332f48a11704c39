"""The storage functions of 0.1.0 put values into a run's files and get them out, with and without a Run."""

import inspect
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from mini_mlflow import (
    ActiveRunError,
    BrokenFileError,
    ExperimentTracker,
    InvalidIdError,
    InvalidKeyError,
    InvalidValueError,
    Run,
    RunNotFoundError,
    StorageWarning,
    UnsupportedFormatError,
    storage,
)
from mini_mlflow.storage import list_runs, load_run, save_metadata, save_metric, save_param

EMPTY = inspect.Parameter.empty


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty current folder, where `mlruns` goes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINI_MLFLOW_DIR", raising=False)
    return tmp_path / "mlruns"


SIGNATURES = {
    "save_param": {"run_id": EMPTY, "experiment_id": EMPTY, "key": EMPTY, "value": EMPTY, "runs_dir": None},
    "save_metric": {"run_id": EMPTY, "experiment_id": EMPTY, "key": EMPTY, "value": EMPTY, "runs_dir": None},
    "save_metadata": {"run_id": EMPTY, "experiment_id": EMPTY, "metadata": EMPTY, "runs_dir": None},
    "load_run": {"run_id": EMPTY, "experiment_id": 0, "runs_dir": None},
    "list_runs": {"experiment_id": 0, "runs_dir": None},
}


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_a_function_has_the_arguments_of_0_1_0_in_order(name):
    parameters = inspect.signature(getattr(storage, name)).parameters.values()
    assert [(each.name, each.default) for each in parameters] == list(SIGNATURES[name].items())


def test_a_run_is_written_and_read_without_a_run_object(store):
    save_param("r", 2, "lr", 0.1)
    save_param("r", 2, "lr", [0.2])
    save_metric("r", 2, "loss", 0.5)
    save_metric("r", 2, "loss", 0.25)
    save_metadata("r", 2, {"name": "a", "status": "FINISHED", "start_time": "2024-01-02T03:04:05Z"})
    found = load_run("r", 2)
    assert found["params"] == {"lr": [0.2]}
    assert found["metrics"] == {"loss": 0.25}
    assert found["metadata"] == {
        "format": 1, "name": "a", "status": "FINISHED", "start_time": "2024-01-02T03:04:05Z", "run_id": "r",
        "experiment_id": 2,
    }  # fmt: skip
    history = ExperimentTracker(experiment_id=2).history("r", "loss")
    assert [(row.step, row.value) for row in history] == [(0, 0.5), (1, 0.25)]
    assert list_runs(2) == ["r"]
    assert sorted(path.name for path in (store / "2" / "r").iterdir()) == ["meta.yaml", "metrics", "params"]


def test_a_run_without_meta_yaml_is_read_but_not_listed():
    """Rule S4."""
    save_param("r", 0, "lr", 0.1)
    assert load_run("r") == {"metadata": {}, "params": {"lr": 0.1}, "metrics": {}, "tags": {}}
    assert list_runs() == []


@pytest.mark.parametrize("give", [str, Path])
def test_the_folder_may_be_given_or_come_from_the_environment(give, monkeypatch, tmp_path, store):
    folder = give(str(tmp_path / "there"))
    save_param("r", 1, "lr", 1, folder)
    save_metric("r", 1, "loss", 2, runs_dir=folder)
    save_metadata("r", 1, {"name": "a"}, runs_dir=folder)
    assert list_runs(1, folder) == list_runs(1, runs_dir=folder) == ["r"]
    found = load_run("r", 1, folder)
    assert (found["params"], found["metrics"], found["metadata"]["name"]) == ({"lr": 1}, {"loss": 2}, "a")
    monkeypatch.setenv("MINI_MLFLOW_DIR", str(folder))
    assert load_run("r", 1) == found
    save_param("r", 1, "lr", 3)
    assert load_run("r", 1)["params"] == {"lr": 3}
    assert not store.exists()


def test_the_default_folder_still_has_its_name():
    assert storage.DEFAULT_RUNS_DIR == "mlruns"


@pytest.mark.parametrize(
    ("key", "text"),
    [("", "cannot be empty"), ("a/b", "cannot contain slashes"), ("a\\b", "contain slashes"), ("..", "not allowed")],
)
def test_an_illegal_key_is_refused_and_nothing_is_made(key, text, store):
    for save in (save_param, save_metric):
        with pytest.raises(InvalidKeyError, match=text):
            save("r", 0, key, 1)
    assert not store.exists()


def test_an_illegal_value_is_refused_and_nothing_is_made(store):
    with pytest.raises(InvalidValueError, match="JSON-serializable"):
        save_param("r", 0, "p", 2**1024)
    with pytest.raises(InvalidValueError, match="one number"):
        save_metric("r", 0, "m", "0.5")
    with pytest.raises(InvalidValueError, match="'when' must be JSON-serializable"):
        save_metadata("r", 0, {"name": "a", "when": 2**1024})
    assert not store.exists()


@pytest.mark.parametrize("run_id", ["..", "../x", "a/b", "", ".trash", "-rf", "meta.yaml", "CON", "x" * 300])
def test_a08_an_id_that_is_no_legal_name_writes_nothing(run_id, store):
    """Rule S3."""
    calls = [
        lambda: save_param(run_id, 0, "p", 1),
        lambda: save_metric(run_id, 0, "m", 1),
        lambda: save_metadata(run_id, 0, {}),
    ]
    for call in calls:
        with pytest.raises(InvalidIdError, match="not legal"):
            call()
    assert not store.exists()


@pytest.mark.parametrize("experiment_id", [-1, "..", "a/b", None, 1.5])
def test_a08_an_experiment_id_that_is_no_legal_name_is_refused(experiment_id, store):
    """Rule S2."""
    calls = [
        lambda: save_param("r", experiment_id, "p", 1),
        lambda: save_metadata("r", experiment_id, {}),
        lambda: load_run("r", experiment_id or ".."),
        lambda: list_runs(experiment_id or ".."),
    ]
    for call in calls:
        with pytest.raises(InvalidIdError, match="not legal"):
            call()
    assert not store.exists()


def test_nan_is_kept_as_a_param_and_as_a_metric():
    """Rules D4, M7."""
    save_param("r", 0, "p", math.nan)
    save_metric("r", 0, "m", math.nan)
    found = load_run("r")
    assert math.isnan(found["params"]["p"])
    assert math.isnan(found["metrics"]["m"])


def test_a_run_that_is_not_there_is_a_file_that_is_not_there(store):
    with pytest.raises(RunNotFoundError, match="not found in experiment 4") as caught:
        load_run("nope", 4)
    assert isinstance(caught.value, FileNotFoundError)
    assert not store.exists()


# Beside a Run ----------------------------------------------------------------------------------------------------


def test_on_a_run_that_is_open_here_they_write_with_its_hand(store):
    """Rule W1."""
    run = Run(run_id="r", name="a")
    run.log_metric("loss", 1)
    save_metric("r", 0, "loss", 2)
    run.log_metric("loss", 3)
    save_param("r", 0, "lr", 0.1)
    save_metadata("r", 0, {"note": "n", "name": "b"})
    run.end()
    assert [(row.step, row.value) for row in run.history("loss")] == [(0, 1), (1, 2), (2, 3)]
    found = load_run("r")
    assert found["params"] == {"lr": 0.1}
    assert (found["metadata"]["note"], found["metadata"]["name"], found["metadata"]["status"]) == ("n", "b", "FINISHED")
    assert not (store / "0" / "r" / "writers").exists()


def test_on_a_run_that_is_open_elsewhere_they_write_beside_its_owner(store):
    """Rule W7."""
    code = "import sys; from mini_mlflow import Run; run = Run(run_id='r'); run.log_metric('loss', 1); print(); input()"
    owner = subprocess.Popen(
        [sys.executable, "-c", code + "; run.end()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with owner:
        owner.stdout.readline()
        save_metric("r", 0, "loss", 2)
        save_param("r", 0, "lr", 3)
        found = load_run("r")
        assert (found["metadata"]["status"], found["params"]) == ("RUNNING", {"lr": 3})
        owner.communicate(b"\n")
    assert owner.returncode == 0
    assert sorted(row.value for row in ExperimentTracker().history("r", "loss")) == [1, 2]
    assert load_run("r")["metadata"]["status"] == "FINISHED"


def test_on_a_run_that_has_ended_they_change_nothing_of_how_it_stands():
    with Run(run_id="r", name="a") as run:
        run.log_metric("loss", 1)
    before = load_run("r")["metadata"]
    save_metric("r", 0, "loss", 2)
    save_param("r", 0, "late", True)
    found = load_run("r")
    assert found["metadata"] == before
    assert (found["metrics"], found["params"]) == ({"loss": 2}, {"late": True})
    assert [row.step for row in run.history("loss")] == [0, 1]


def test_metadata_changes_the_fields_that_are_named_and_keeps_the_others():
    with Run(run_id="r", name="a", version="v1") as run:
        pass
    save_metadata("r", 0, {"status": "FAILED", "note": [1], "run_id": "ignored", "experiment_id": 99, "format": 7})
    metadata = load_run("r")["metadata"]
    assert (metadata["format"], metadata["generation"]) == (1, 0)
    assert (metadata["status"], metadata["note"], metadata["version"]) == ("FAILED", [1], "v1")
    assert (metadata["start_time"], metadata["run_id"], metadata["experiment_id"]) == (run.start_time, "r", 0)


def test_a_run_written_without_a_run_object_can_be_continued():
    save_metric("r", 0, "loss", 1)
    save_metadata("r", 0, {"name": "a", "status": "FINISHED"})
    with Run(run_id="r") as run:
        assert run.name == "a"
        run.log_metric("loss", 2)
    assert [row.value for row in run.history("loss")] == [1, 2]
    assert load_run("r")["metadata"]["status"] == "FINISHED"


def test_metadata_of_a_run_that_another_process_writes_are_refused_and_tags_are_not():
    """Rule W1."""
    code = "import os, sys; from mini_mlflow import Run; run = Run(run_id='r'); print(os.getpid(), flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True
    )
    pid = process.stdout.readline().strip()
    with pytest.raises(
        ActiveRunError, match=r"written by another process \(%s on .+\).*set_tag\(\) or log" % pid
    ) as caught:
        save_metadata("r", 0, {"note": "n"})
    assert caught.value.run_id == "r"
    with Run(run_id="r") as beside:
        with pytest.raises(ActiveRunError):
            save_metadata("r", 0, {"note": "n"})
        beside.set_tag("note", "n")
    assert load_run("r")["metadata"]["status"] == "RUNNING"
    process.communicate("\n")
    save_metadata("r", 0, {"note": "m"})
    found = load_run("r")
    assert (found["metadata"]["note"], found["tags"], found["metadata"]["status"]) == ("m", {"note": "n"}, "FINISHED")


# Files of 0.1.0 --------------------------------------------------------------------------------------------------


@pytest.fixture
def old(store):
    """A run as 0.1.0 left it."""
    folder = store / "0" / "old"
    for name in ("params", "metrics"):
        (folder / name).mkdir(parents=True)
    time = "2024-01-02T03:04:05.678901Z"
    (folder / "meta.yaml").write_text(
        "name: a\nversion: null\nstatus: FINISHED\nstart_time: '%s'\nend_time: '%s'\nrun_id: old\nexperiment_id: 0\n"
        % (time, time)
    )
    for path, value in (("params/lr", 0.1), ("params/no", "yes"), ("metrics/loss", 0.5), ("metrics/text", math.nan)):
        (folder / (path + ".json")).write_text(json.dumps({"value": value, "timestamp": time}, indent=2))
    return folder


def test_a_run_of_0_1_0_is_read_as_it_is(old):
    """Rule F1."""
    found = load_run("old")
    assert found["params"] == {"lr": 0.1, "no": "yes"}
    assert found["metrics"]["loss"] == 0.5
    assert math.isnan(found["metrics"]["text"])
    assert (found["metadata"]["name"], found["metadata"]["status"]) == ("a", "FINISHED")
    assert list_runs() == ["old"]


def test_a_value_saved_to_a_run_of_0_1_0_leaves_its_files_alone(old):
    """Rule F2."""
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    save_metric("old", 0, "loss", 0.25)
    save_param("old", 0, "lr", 0.2)
    assert {path: path.read_bytes() for path in before} == before
    found = load_run("old")
    assert (found["metrics"]["loss"], found["params"]["lr"]) == (0.25, 0.2)
    assert [row.value for row in ExperimentTracker().history("old", "loss")] == [0.5, 0.25]


def test_h23_a_run_of_a_newer_format_is_refused_and_nothing_is_written(store):
    """Rule S5."""
    Run(run_id="r").end()
    path = store / "0" / "r" / "meta.yaml"
    path.write_text(path.read_text().replace("format: 1", "format: 99"))
    before = sorted(each.name for each in (store / "0" / "r").rglob("*"))
    calls = [lambda: save_param("r", 0, "p", 1), lambda: save_metric("r", 0, "m", 1), lambda: load_run("r")]
    calls += [lambda: save_metadata("r", 0, {"name": "a"}), lambda: Run(run_id="r")]
    for call in calls:
        with pytest.raises(UnsupportedFormatError, match="99"):
            call()
    assert sorted(each.name for each in (store / "0" / "r").rglob("*")) == before


def test_metadata_of_a_run_that_was_resumed_elsewhere_goes_where_readers_look(old):
    """Rules F2, L4."""
    before = (old / "meta.yaml").read_bytes()
    Run(run_id="old").end("FAILED")
    save_metadata("old", 0, {"status": "KILLED", "note": "n"})
    metadata = load_run("old")["metadata"]
    assert (metadata["status"], metadata["note"], metadata["name"]) == ("KILLED", "n", "a")
    assert (old / "meta.yaml").read_bytes() == before


def test_a_broken_meta_yaml_is_told_and_not_overwritten(store):
    """Rule Y4."""
    Run(run_id="r").end()
    path = store / "0" / "r" / "meta.yaml"
    path.write_text("{broken")
    with pytest.raises(BrokenFileError):
        save_metadata("r", 0, {"name": "a"})
    assert path.read_text() == "{broken"
    save_param("r", 0, "p", 1)
    assert path.read_text() == "{broken"
    with pytest.warns(StorageWarning, match=r"meta\.yaml") as caught:
        found = load_run("r")
    assert (found["metadata"], found["params"]) == ({}, {"p": 1})
    assert caught[0].filename == __file__
