"""Which settings come out of the environment?"""

import os
from pathlib import Path

import pytest

from mini_mlflow import InvalidValueError, config

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
