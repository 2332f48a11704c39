"""A run: how it starts, what its attributes say, how it ends."""

import copy
import json
import os
import pickle
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mini_mlflow import (
    AmbiguousRunError,
    ExperimentTracker,
    InvalidIdError,
    InvalidStatusError,
    InvalidValueError,
    MetricNotFoundError,
    Run,
    RunEndedError,
    active_run,
    start_run,
)
from mini_mlflow import active as active_module
from mini_mlflow.storage import load_run
from mini_mlflow.tracker import _set_active_run

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty current folder, where `mlruns` goes; no run is active or open afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINI_MLFLOW_DIR", raising=False)
    yield tmp_path / "mlruns"
    for run in active_module.live_runs():
        if run.status == "RUNNING":
            run.end()
    _set_active_run(None)


def meta(run):
    lines = (Path("mlruns") / str(run.experiment_id) / run.run_id / "meta.yaml").read_text(encoding="utf-8")
    return {name: json.loads(value) for name, value in (line.split(": ", 1) for line in lines.splitlines())}


# The start -------------------------------------------------------------------------------------------------------


def test_a_run_without_arguments_has_the_documented_attributes(store):
    run = Run()
    assert re.fullmatch(r"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}", run.run_id)
    assert (run.experiment_id, run.version, run.parent_run_id) == (0, None, None)
    assert (run.status, run.end_time, run.runs_dir) == ("RUNNING", None, "mlruns")
    assert TIME.fullmatch(run.start_time)
    assert (store / "0" / run.run_id / "meta.yaml").is_file()


def test_meta_yaml_says_what_the_attributes_say():
    """Rule Y3."""
    run = Run(run_id="r", experiment_id=3, name="a", version="v1", parent_run_id="p")
    assert meta(run) == {
        "format": 1, "run_id": "r", "experiment_id": 3, "name": "a", "version": "v1", "status": "RUNNING",
        "start_time": run.start_time, "end_time": None, "parent_run_id": "p", "generation": 0,
    }  # fmt: skip


def test_four_positional_arguments_are_those_of_the_documentation():
    run = Run("r", 2, "a", "there")
    assert (run.run_id, run.experiment_id, run.name, run.runs_dir, run.version) == ("r", 2, "a", "there", None)


def test_five_positional_arguments_are_in_the_order_of_0_1_0():
    run = Run("r", 2, "a", "v1", "there")
    assert (run.name, run.version, run.runs_dir) == ("a", "v1", "there")
    assert os.path.isdir("there/2/r")


def test_six_positional_arguments_are_too_many(store):
    with pytest.raises(TypeError, match="at most 5 positional arguments, got 6"):
        Run("r", 2, "a", "v1", "there", 1)
    assert not store.exists()


@pytest.mark.parametrize("give", [str, Path, lambda path: Path(os.path.relpath(path))])
def test_the_folder_is_text_or_a_path_and_stays_as_it_was_given(give, tmp_path):
    folder = give(str(tmp_path / "there"))
    run = Run(run_id="r", runs_dir=folder)
    assert run.runs_dir is folder
    assert (tmp_path / "there" / "0" / "r").is_dir()


def test_the_folder_comes_from_the_environment_where_none_is_given(monkeypatch, tmp_path, store):
    monkeypatch.setenv("MINI_MLFLOW_DIR", str(tmp_path / "elsewhere"))
    assert Run(run_id="r").runs_dir == str(tmp_path / "elsewhere")
    Run(run_id="q", runs_dir="mlruns")
    assert (tmp_path / "elsewhere" / "0" / "r").is_dir()
    assert (store / "0" / "q").is_dir()


def test_a_run_stays_in_its_folder_when_the_current_folder_changes(tmp_path, store, monkeypatch):
    run = Run(run_id="r")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    run.log_metric("loss", 0.5)
    assert run.history("loss")[0].value == 0.5
    run.end()
    assert list((tmp_path / "sub").iterdir()) == []
    assert load_run("r", runs_dir=store)["metadata"]["status"] == "FINISHED"


@pytest.mark.parametrize("label", [["a"], b"a", object()])
@pytest.mark.parametrize("what", ["name", "version"])
def test_a_name_or_version_that_is_no_text_is_refused_before_anything_is_written(what, label, store):
    with pytest.raises(InvalidValueError, match=r"must be text.*Use str"):
        Run(**{what: label})
    assert not store.exists()


@pytest.mark.parametrize("run_id", ["", "..", "../x", "a/b", ".hidden", "-rf", "meta.yaml", "a b", "CON", "x" * 129, 5])
def test_a08_a_run_id_that_is_no_legal_name_makes_nothing(run_id, store):
    """Rule S3."""
    with pytest.raises(InvalidIdError) as caught:
        Run(run_id=run_id)
    assert caught.value.id == run_id
    assert not store.exists()


def test_start_times_grow_within_a_process():
    """Rule S6."""
    times = [Run().start_time for _ in range(50)]
    assert times == sorted(set(times))


def test_runs_that_threads_start_together_have_different_start_times():
    """Rule S6."""
    times = []
    threads = [threading.Thread(target=lambda: times.extend(Run().start_time for _ in range(10))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(times)) == 80


# Continuing ------------------------------------------------------------------------------------------------------


def test_a_run_that_exists_is_continued_with_its_name_start_and_history():
    """Rule W6."""
    with Run(run_id="r", experiment_id=4, name="a", version="v1") as first:
        first.log_metrics({"loss": 3.0})
    run = Run(run_id="r", experiment_id=4)
    assert (run.name, run.version, run.start_time, run.status) == ("a", "v1", first.start_time, "RUNNING")
    assert (meta(run)["generation"], meta(run)["end_time"], meta(run)["status"]) == (1, None, "RUNNING")
    run.log_metric("loss", 2.0)
    assert [(row.step, row.value) for row in run.history("loss")] == [(0, 3.0), (1, 2.0)]
    run.end("FAILED")
    assert (meta(run)["status"], meta(run)["start_time"]) == ("FAILED", first.start_time)


def test_a_new_name_is_taken_when_a_run_is_continued():
    Run(run_id="r", name="a", version="v1").end()
    run = Run(run_id="r", name="b")
    assert (run.name, run.version) == ("b", "v1")
    assert (meta(run)["name"], meta(run)["version"]) == ("b", "v1")


def test_an_id_alone_is_found_in_any_experiment():
    Run(run_id="r", experiment_id="vision").end()
    assert Run(run_id="r").experiment_id == "vision"


def test_an_id_that_nobody_has_makes_a_run_in_experiment_0():
    Run(run_id="other", experiment_id=5).end()
    assert Run(run_id="r").experiment_id == 0


def test_an_id_with_its_experiment_is_looked_for_there_alone():
    Run(run_id="r", experiment_id=5).end()
    assert Run(run_id="r", experiment_id=0).experiment_id == 0
    assert sorted(os.listdir("mlruns")) == ["0", "5"]


def test_an_id_in_several_experiments_needs_the_experiment():
    for experiment_id in (1, 2):
        Run(run_id="r", experiment_id=experiment_id).end()
    with pytest.raises(AmbiguousRunError, match="experiment_id=") as caught:
        Run(run_id="r")
    assert caught.value.run_id == "r"
    assert sorted(caught.value.experiment_ids) == [1, 2]
    assert Run(run_id="r", experiment_id=2).experiment_id == 2


def test_beside_its_owner_a_run_logs_and_ends_without_ending_it():
    """Rules W6, W7."""
    owner = Run(run_id="r", name="a")
    owner.log_metric("loss", 1)
    beside = Run(run_id="r")
    beside.log_metric("loss", 2)
    beside.end("FAILED")
    assert (beside.name, beside.status, owner.status) == ("a", "FAILED", "RUNNING")
    assert load_run("r")["metadata"]["status"] == "RUNNING"
    assert sorted(row.value for row in owner.history("loss")) == [1, 2]
    owner.end()
    assert load_run("r")["metadata"]["status"] == "FINISHED"


def test_beside_its_owner_a_run_shows_the_name_and_version_of_the_store_not_those_that_were_asked_for():
    """Rule W7."""
    owner = Run(run_id="r", name="a")
    beside = Run(run_id="r", name="b", version="v2")
    assert (beside.name, beside.version) == ("a", None)
    assert (meta(owner)["name"], meta(owner)["version"]) == ("a", None)


# The end ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_a_run_ends_with_the_status_that_is_given(status):
    run = Run(run_id="r")
    run.end(status)
    assert run.status == status
    assert TIME.fullmatch(run.end_time)
    assert run.end_time >= run.start_time
    assert (meta(run)["status"], meta(run)["end_time"]) == (status, run.end_time)


def test_an_end_without_a_status_is_finished():
    run = Run()
    run.end()
    assert run.status == "FINISHED"


@pytest.mark.parametrize("status", ["DONE", "finished", "RUNNING", "LOST", "", None, 3])
def test_an_unknown_status_is_refused_and_the_run_goes_on(status):
    run = Run(run_id="r")
    with pytest.raises(InvalidStatusError, match=r"Invalid status .* FINISHED, FAILED, KILLED\.") as caught:
        run.end(status)
    assert isinstance(caught.value, ValueError)
    assert caught.value.status == status
    assert (run.status, run.end_time) == ("RUNNING", None)
    run.log_metric("loss", 1)


def test_ending_twice_is_refused_and_says_how_to_go_on():
    run = Run(run_id="r")
    run.end("FAILED")
    with pytest.raises(RunEndedError, match=r"already ended with status 'FAILED'.*start_run\(run_id='r'\)") as caught:
        run.end()
    assert isinstance(caught.value, ValueError)
    assert (caught.value.run_id, caught.value.status) == ("r", "FAILED")
    assert meta(run)["status"] == "FAILED"


LOG_CALLS = [
    ("parameter", lambda run: run.log_param("a", 1)),
    ("parameter", lambda run: run.log_params({"a": 1})),
    ("metric", lambda run: run.log_metric("a", 1)),
    ("metric", lambda run: run.log_metrics({"a": 1})),
    ("tag", lambda run: run.set_tag("a", 1)),
    ("tag", lambda run: run.set_tags({"a": 1})),
]


@pytest.mark.parametrize(("what", "log"), LOG_CALLS)
def test_logging_to_an_ended_run_is_refused_and_says_how_to_go_on(what, log):
    run = Run(run_id="r")
    log(run)
    run.end()
    before = sorted(path.stat().st_mtime_ns for path in Path("mlruns").rglob("*"))
    text = r"Cannot log %s to run with status 'FINISHED'.*start_run\(run_id='r'\)" % what
    with pytest.raises(RunEndedError, match=text) as caught:
        log(run)
    assert isinstance(caught.value, ValueError)
    assert (caught.value.run_id, caught.value.status) == ("r", "FINISHED")
    assert sorted(path.stat().st_mtime_ns for path in Path("mlruns").rglob("*")) == before


EMPTY_CALLS = [("parameter", "log_params"), ("metric", "log_metrics"), ("tag", "set_tags")]


@pytest.mark.parametrize(("what", "name"), EMPTY_CALLS)
def test_logging_nothing_to_an_ended_run_is_refused_too(what, name):
    run = Run(run_id="r")
    getattr(run, name)({})
    run.end()
    with pytest.raises(RunEndedError, match="Cannot log %s to run with status 'FINISHED'" % what):
        getattr(run, name)({})


def test_an_ended_run_can_still_be_looked_at():
    with Run() as run:
        run.log_metric("loss", 1)
    assert run.history("loss")[0].value == run.summary("loss").last == 1


def test_a_metric_that_is_not_there_is_named_with_those_that_are():
    run = Run(run_id="r")
    run.log_metric("loss", 1)
    for look in (run.history, run.summary):
        with pytest.raises(MetricNotFoundError, match=r"no metric 'los'.*'loss'") as caught:
            look("los")
        assert (caught.value.run_id, caught.value.key) == ("r", "los")
        assert isinstance(caught.value, LookupError)


def test_an_ended_run_is_active_no_more():
    run = start_run()
    run.end()
    assert active_run() is None
    start_run().end()


# Blocks ----------------------------------------------------------------------------------------------------------

EXCEPTIONS = [
    (KeyError("boom"), "FAILED"),
    (KeyboardInterrupt(), "KILLED"),
    (SystemExit(), "FINISHED"),
    (SystemExit(0), "FINISHED"),
    (SystemExit(1), "FAILED"),
    (SystemExit("message"), "FAILED"),
    (GeneratorExit(), "FAILED"),
]


@pytest.mark.parametrize(("error", "status"), EXCEPTIONS)
def test_a_block_that_an_exception_leaves_ends_the_run_by_its_kind_and_the_exception_goes_up(error, status):
    run = Run()
    with pytest.raises(type(error)) as caught, run:
        raise error
    assert caught.value is error
    assert run.status == meta(run)["status"] == status


def test_a_block_gives_the_run_and_ends_it():
    with Run() as run:
        assert run.status == "RUNNING"
    assert run.status == "FINISHED"


def test_a_run_that_was_ended_within_its_block_stays_as_it_ended():
    with Run() as run:
        run.end("KILLED")
    assert run.status == "KILLED"


# Copies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [copy.deepcopy, copy.copy, lambda run: pickle.loads(pickle.dumps(run))])
def test_a_copy_logs_into_the_same_run_and_its_end_is_its_own(make):
    """Rule W7."""
    run = Run(run_id="r", name="a", version="v1")
    run.log_metric("loss", 1)
    twin = make(run)
    assert (twin.run_id, twin.name, twin.version, twin.start_time) == ("r", "a", "v1", run.start_time)
    twin.log_metric("loss", 2)
    twin.end()
    assert run.status == "RUNNING"
    run.log_metric("loss", 3)
    assert sorted(row.value for row in run.history("loss")) == [1, 2, 3]
    run.end()
    assert load_run("r")["metadata"]["status"] == "FINISHED"


def test_a_copy_of_an_ended_run_has_ended():
    with Run() as run:
        run.log_metric("loss", 1)
    twin = pickle.loads(pickle.dumps(run))
    assert twin.status == "FINISHED"
    assert twin.history("loss") == run.history("loss")
    with pytest.raises(RunEndedError):
        twin.log_metric("loss", 2)


def test_a_pickled_run_logs_from_another_process(store):
    run = Run(run_id="r", runs_dir="mlruns")
    code = "import os, pickle, sys; os.chdir('/'); run = pickle.load(sys.stdin.buffer); run.log_param('lr', 1)"
    subprocess.run([sys.executable, "-c", code], input=pickle.dumps(run), check=True)
    run.end()
    assert load_run("r")["params"] == {"lr": 1}


def test_a_run_shows_what_it_is():
    with Run(run_id="r", experiment_id=2, name="a") as run:
        assert repr(run) == "Run(run_id='r', experiment_id=2, name='a', status='RUNNING')"
    assert ExperimentTracker(experiment_id=2).list_runs() == ["r"]
