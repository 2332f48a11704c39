"""What else ``start_run`` takes: parents, tags, a description, the environment's run; and the views that MLflow has."""

import os
import re

import pytest

from mini_mlflow import (
    InvalidIdError,
    InvalidKeyError,
    InvalidValueError,
    Run,
    RunNotFoundError,
    active,
    end_run,
    last_active_run,
    start_run,
)

NAME = re.compile(r"[a-z]+-[a-z]+-[0-9]+")


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty current folder and a fresh process state."""
    monkeypatch.chdir(tmp_path)
    for name in ("MINI_MLFLOW_DIR", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.delenv(name, raising=False)
    active.reset()
    yield tmp_path / "mlruns"
    while active.current():
        end_run()
    active.reset()


def test_a_run_without_a_name_gets_a_readable_one_that_is_stored(store):
    run = start_run()
    assert NAME.fullmatch(run.name)
    assert 'name: "%s"\n' % run.name in (store / "0" / run.run_id / "meta.yaml").read_text()


def test_a_run_that_is_continued_keeps_the_name_it_was_given():
    with start_run() as run:
        name = run.name
    assert start_run(run_id=run.run_id).name == name


def test_a_run_is_the_child_of_the_parent_that_is_named():
    with start_run() as parent:
        pass
    with start_run() as other, start_run(nested=True, parent_run_id=parent.run_id) as child:
        assert child.parent_run_id == parent.run_id != other.run_id
    with start_run(parent_run_id=parent.run_id) as late:
        assert late.parent_run_id == parent.run_id


@pytest.mark.parametrize(("parent", "error"), [("missing", RunNotFoundError), ("../x", InvalidIdError)])
def test_a_parent_that_is_not_there_is_refused_before_anything_is_made(store, parent, error):
    with pytest.raises(error):
        start_run(parent_run_id=parent)
    assert not store.exists()


def test_tags_and_a_description_are_there_from_the_start():
    with start_run(tags={"stage": "sweep"}, description="Why I did it") as run:
        assert run.data.tags == {"mlflow.note.content": "Why I did it", "stage": "sweep"}


@pytest.mark.parametrize(("tags", "error"), [({"a/b": 1}, InvalidKeyError), ("x", InvalidValueError)])
def test_bad_tags_are_refused_before_anything_is_made(store, tags, error):
    with pytest.raises(error):
        start_run(tags=tags)
    assert not store.exists()
    assert active.current() is None


def test_the_run_that_became_active_last_is_known_after_its_end():
    assert last_active_run() is None
    with start_run() as first:
        assert last_active_run() is first
        with start_run(nested=True) as second:
            pass
    assert last_active_run() is second


def test_the_environment_names_the_run_that_the_first_start_continues(monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_ID", "from-outside")
    with start_run() as run, start_run(nested=True) as child:
        assert run.run_id == "from-outside" != child.run_id
    with start_run() as second:
        assert second.run_id != "from-outside"


def test_a_run_id_and_resume_exclude_each_other(store):
    with pytest.raises(InvalidValueError, match="not both"):
        start_run(run_id="r", resume="auto")
    assert not store.exists()


def test_a_name_of_ones_own_finds_the_run_again_and_counts_the_resumes():
    with start_run(resume="long training") as run:
        run.log_metric("loss", 0.5)
        assert run.resume_count == 0
    with start_run(resume="long training") as again:
        again.log_metric("loss", 0.25)
        assert (again.run_id, again.resume_count) == (run.run_id, 1)
    assert [(row.step, row.value) for row in again.history("loss")] == [(0, 0.5), (1, 0.25)]


def test_the_views_of_mlflow_show_what_the_run_is_and_holds(store):
    run = start_run("shown")
    run.log_param("lr", 0.1)
    run.log_metric("loss", 0.5)
    info = run.info
    assert (info.run_id, info.run_name, info.experiment_id, info.status) == (run.run_id, "shown", 0, "RUNNING")
    assert (info.lifecycle_stage, info.parent_run_id, info.resume_count) == ("active", None, 0)
    assert info.artifact_uri == str(store / "0" / run.run_id / "artifacts")
    assert info.end_time is None
    end_run()
    assert info.start_time <= run.info.end_time < info.start_time + 60000
    assert run.info.status == "FINISHED"
    assert run.data.params == {"lr": 0.1}
    assert run.data.metrics == {"loss": 0.5}


def test_times_are_milliseconds_since_1970():
    run = Run("r")
    run.start_time, run.end_time = "2026-11-25T01:02:03.456789Z", "1970-01-01T00:00:01.000000Z"
    assert (run.info.start_time, run.info.end_time) == (1795568523456, 1000)
    run.end()


def test_a_companion_is_stopped_once_before_the_run_ends():
    seen = []

    class Companion:
        def stop(self):
            seen.append(run.status)

    run = start_run()
    run.accompany(Companion())
    end_run()
    assert seen == ["RUNNING"]


def test_where_a_run_comes_from_is_noted_unless_switched_off(store, monkeypatch):
    with start_run(run_id="plain"):
        pass
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", "on")
    with start_run(run_id="told"):
        pass
    plain, told = ((store / "0" / run_id / "meta.yaml").read_text() for run_id in ("plain", "told"))
    assert "host: " not in plain
    assert "host: " in told
    assert "packages: " in told
    with start_run(run_id="told"):
        pass
    assert 'resumes: [{"time": ' in (store / "0" / "told" / "meta.yaml").read_text()
    assert os.path.exists(store / "0" / "told" / "owner.json")


def test_a_child_goes_where_its_parent_is_and_a_name_of_ones_own_names_the_run():
    from mini_mlflow import create_experiment

    number = create_experiment("sweep")
    with start_run(experiment_id=number) as parent:
        pass
    with start_run(parent_run_id=parent.run_id) as child:
        assert child.experiment_id == number
    with start_run(parent_run_id=parent.run_id, experiment_id=0) as child:
        assert child.experiment_id == 0
    with start_run(resume="baseline") as run:
        assert run.name == "baseline"
    with start_run("other", resume="candidate") as run:
        assert run.name == "other"


def test_an_experiment_is_found_by_its_name_where_an_id_is_asked_for(store):
    from mini_mlflow import ExperimentTracker, create_experiment

    number = create_experiment("digits, all of them")
    with start_run(experiment_id="digits, all of them") as run:
        assert run.experiment_id == number
    tracker = ExperimentTracker(experiment_id="digits, all of them")
    assert (tracker.experiment_id, tracker.list_runs()) == (number, [run.run_id])
    assert ExperimentTracker().list_runs("digits, all of them") == [run.run_id]
    with start_run(experiment_id="folder") as run:
        assert run.experiment_id == "folder"
    with pytest.raises(InvalidIdError):
        start_run(experiment_id="no such name")
    assert sorted(path.name for path in store.iterdir()) == sorted([str(number), "folder"])


def test_the_files_of_a_run_are_reached_without_continuing_it():
    from mini_mlflow import ArtifactNotFoundError, ExperimentTracker

    with start_run() as run:
        run.log_text("hello", "notes/first.txt")
    tracker = ExperimentTracker()
    assert [file.path for file in tracker.list_artifacts(run.run_id, "notes")] == ["notes/first.txt"]
    with open(tracker.artifact_path(run.run_id, "notes/first.txt")) as file:
        assert file.read() == "hello"
    with pytest.raises(ArtifactNotFoundError):
        tracker.artifact_path(run.run_id, "none")
    with pytest.raises(RunNotFoundError):
        tracker.list_artifacts("none")
    assert tracker.get_run(run.run_id)["metadata"]["generation"] == 0


def test_the_environment_names_the_experiment_of_runs_that_name_none(monkeypatch):
    from mini_mlflow import ExperimentTracker, get_experiment_by_name, set_experiment

    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "from outside")
    with start_run() as run:
        assert run.experiment_id == get_experiment_by_name("from outside").experiment_id
    assert ExperimentTracker().list_runs() == [run.run_id]
    with start_run(experiment_id=0) as run:
        assert run.experiment_id == 0
    chosen = set_experiment("chosen")
    with start_run() as run:
        assert run.experiment_id == chosen.experiment_id
    active.reset()
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", str(chosen.experiment_id))
    with start_run() as run:
        assert run.experiment_id == chosen.experiment_id


def test_nothing_is_printed_by_a_training_that_logs_all_kinds_of_things(capfd, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", "on")
    with start_run(tags={"stage": "s"}, description="d") as run:
        run.log_params({"lr": 0.1, "net": {"depth": 3}})
        for step in range(2000):
            run.log_metrics({"loss": 1.0 / (step + 1), "acc": 0.5}, step=step)
        run.log_text("a" * 10**6, "long.txt")
        run.log_dict({"a": 1}, "a.json")
        run.log_table({"a": [1, 2]}, "table.json")
    assert tuple(capfd.readouterr()) == ("", "")
