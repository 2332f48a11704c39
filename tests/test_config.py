"""Which settings come out of the environment?"""

import os
from pathlib import Path

import pytest

from mini_mlflow import ExperimentTracker, InvalidValueError, Run, config, start_run
from mini_mlflow.storage import list_runs, load_run, save_metadata, save_metric, save_param

SCHEDULERS = "SLURM_JOB_ID SLURM_ARRAY_JOB_ID SLURM_ARRAY_TASK_ID SLURM_RESTART_COUNT PBS_JOBID PBS_ARRAY_INDEX"
SCHEDULERS += " LSB_JOBID LSB_JOBINDEX JOB_ID SGE_TASK_ID"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ["MINI_MLFLOW_DIR", "MINI_MLFLOW_FSYNC", *SCHEDULERS.split()]:
        monkeypatch.delenv(name, raising=False)


def test_the_store_is_mlruns_unless_told_otherwise(monkeypatch):
    assert config.runs_dir() == "mlruns"
    monkeypatch.setenv("MINI_MLFLOW_DIR", "")
    assert config.runs_dir() == "mlruns"
    monkeypatch.setenv("MINI_MLFLOW_DIR", "/scratch/runs")
    assert config.runs_dir() == "/scratch/runs"
    assert config.runs_dir(Path("here")) == Path("here")


@pytest.mark.parametrize(
    ("text", "period"),
    [(None, float("inf")), ("end", float("inf")), ("", float("inf")), ("off", None), (" OFF ", None), ("30", 30.0)],
)
def test_how_often_files_are_synced_is_a_setting(monkeypatch, text, period):
    """Rule P2."""
    if text is not None:
        monkeypatch.setenv("MINI_MLFLOW_FSYNC", text)
    assert config.sync_period_s() == period


@pytest.mark.parametrize("text", ["never", "0", "-1", "nan", "1 s"])
def test_a_setting_that_says_nothing_sensible_is_refused_by_name(monkeypatch, text):
    """Rule P2."""
    monkeypatch.setenv("MINI_MLFLOW_FSYNC", text)
    with pytest.raises(InvalidValueError, match="MINI_MLFLOW_FSYNC must be 'end', 'off' or a number") as caught:
        config.sync_period_s()
    assert caught.value.value == text


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, {}),
        ({"SLURM_JOB_ID": "7", "PBS_JOBID": "8"}, {"SLURM_JOB_ID": "7"}),
        ({"SLURM_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2"}, {"SLURM_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2"}),
        ({"PBS_JOBID": "8.host"}, {"PBS_JOBID": "8.host"}),
        ({"LSB_JOBID": "9"}, {"LSB_JOBID": "9"}),
        ({"JOB_ID": "10"}, {}),
        ({"JOB_ID": "10", "SGE_TASK_ID": "undefined"}, {"JOB_ID": "10", "SGE_TASK_ID": "undefined"}),
    ],
)
def test_a_job_is_known_by_what_its_scheduler_calls_it(monkeypatch, variables, found):
    """Rule W2."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert config.job_ids() == found


def test_the_machine_has_a_name():
    assert config.host_name()
    if hasattr(os, "uname"):
        assert config.host_name() == os.uname().nodename


# The store's folder ----------------------------------------------------------------------------------------------


class InBytes:
    def __fspath__(self):
        return b"mlruns"


@pytest.mark.parametrize("folder", [b"mlruns", 5, True, ["mlruns"], InBytes()])
def test_a_folder_that_is_no_text_is_refused(folder):
    with pytest.raises(InvalidValueError, match=r"runs_dir must be text or a path, got \w+\. Give") as caught:
        config.runs_dir(folder)
    assert caught.value.value is folder


@pytest.mark.parametrize("folder", ["", "a\0b"])
def test_a_folder_without_a_name_is_refused(folder):
    with pytest.raises(InvalidValueError, match="cannot be empty or hold NUL"):
        config.runs_dir(folder)


@pytest.mark.parametrize(
    "url",
    ["file:///data/mlruns", "file:mlruns", "FILE:x", "http://localhost:5000", "s3://bucket/x", "sqlite:///m.db",
     "databricks+x-y.z://p", Path("file:x")],
)  # fmt: skip
def test_a_url_is_refused_with_the_advice_to_give_a_path(url, monkeypatch):
    with pytest.raises(InvalidValueError, match=r"got the URL .*Give a path such as"):
        config.runs_dir(url)
    monkeypatch.setenv("MINI_MLFLOW_DIR", str(url))
    with pytest.raises(InvalidValueError, match="URL"):
        config.runs_dir()


@pytest.mark.parametrize("folder", ["C://runs", "a b://c", "://x", "profile:x", "a/file:b", "x:/y", "~user/x", "a~"])
def test_other_names_are_paths(folder):
    assert config.runs_dir(folder) == folder
    assert config.store_folder(folder) == os.path.abspath(folder)


@pytest.mark.parametrize(
    ("folder", "found"), [("~", "home"), ("~/", "home"), ("~/a/b", "home/a/b"), (Path("~/a"), "home/a")]
)
def test_a_tilde_at_the_beginning_is_the_home_folder(folder, found, monkeypatch, tmp_path):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    assert config.store_folder(folder) == os.path.normpath(str(tmp_path / found))
    monkeypatch.setenv("MINI_MLFLOW_DIR", str(folder))
    assert config.store_folder() == os.path.normpath(str(tmp_path / found))


@pytest.mark.parametrize("below", ["", "/sub", "/sub/sub"])
def test_a_store_that_is_a_file_is_refused_by_every_door(below, tmp_path):
    (tmp_path / "file").write_text("x")
    store = str(tmp_path / "file") + below
    tracker = ExperimentTracker(runs_dir=store)
    calls = [lambda: Run(runs_dir=store), tracker.start_run, tracker.list_runs, lambda: tracker.get_run("r")]
    calls += [lambda: load_run("r", runs_dir=store), lambda: save_param("r", 0, "a", 1, runs_dir=store)]
    for call in calls:
        with pytest.raises(NotADirectoryError, match=r"no folder.*Give the path of a folder as runs_dir") as caught:
            call()
        assert caught.value.filename == str(tmp_path / "file")


def test_every_door_checks_the_folder():
    calls = [
        lambda: Run(runs_dir=b"x"),
        lambda: start_run(runs_dir=b"x"),
        lambda: ExperimentTracker(runs_dir=b"x"),
        lambda: load_run("r", runs_dir=b"x"),
        lambda: list_runs(runs_dir=b"x"),
        lambda: save_metric("r", 0, "a", 1, runs_dir=b"x"),
        lambda: save_metadata("r", 0, {}, runs_dir=b"x"),
    ]
    for call in calls:
        with pytest.raises(InvalidValueError, match="runs_dir"):
            call()
