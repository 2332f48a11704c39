"""The latest row of each metric is found without its history, and is the one that the whole history tells."""

from pathlib import Path

import pytest

import mini_mlflow
from mini_mlflow import layout
from mini_mlflow.store import reader
from mini_mlflow.store.latest_rows import read_latest_rows


@pytest.fixture
def run(tmp_path):
    started = mini_mlflow.Run(runs_dir=tmp_path)
    yield started
    started.end()


def folder_of(run):
    return layout.run_folder(str(run.runs_dir), run.experiment_id, run.run_id)


def test_the_newest_row_by_time_counts_not_the_greatest_step(run):
    run.log_metric("loss", 0.5, step=9, timestamp=2000)
    run.log_metric("loss", 0.7, step=3, timestamp=3000)
    run.log_metric("acc", 1, step=1, timestamp=1000)
    folder = folder_of(run)
    assert read_latest_rows(folder, ["acc", "loss", "none"], []) == {"acc": (1, 1000, 1), "loss": (3, 3000, 0.7)}


def test_of_several_writers_the_same_row_counts_as_in_the_whole_history(run):
    run.log_metric("loss", 0.5, step=5, timestamp=5000)
    other = mini_mlflow.Run(run_id=run.run_id, runs_dir=run.runs_dir)
    other.log_metric("loss", 0.4, step=2, timestamp=6000)
    other.end()
    problems = []
    expected = reader.read_metric(folder_of(run), "loss", [])[1]
    assert read_latest_rows(folder_of(run), ["loss"], problems)["loss"] == expected
    assert problems == []


def test_of_mlflows_own_files_the_latest_is_what_mlflow_says(tmp_path):
    folder = tmp_path / "0" / ("a" * 32)
    (folder / "metrics").mkdir(parents=True)
    (folder / "meta.yaml").write_text(
        "artifact_uri: x\nend_time: null\nentry_point_name: ''\nexperiment_id: '0'\nlifecycle_stage: active\n"
        "run_id: %s\nrun_name: x\nrun_uuid: %s\nsource_name: ''\nsource_type: 4\nsource_version: ''\n"
        "start_time: 1000\nstatus: 1\ntags: []\nuser_id: x\n" % ("a" * 32, "a" * 32)
    )
    (folder / "metrics" / "loss").write_text("1000 0.5 0\n2000 0.4 1\n1500 0.6 7\n")
    expected = reader.read_metric(str(folder), "loss", [])[1]
    assert read_latest_rows(str(folder), ["loss"], []) == {"loss": expected}
    assert expected.step == 7


def test_a_broken_file_is_left_out_and_the_others_are_read(tmp_path):
    run = mini_mlflow.Run(runs_dir=tmp_path)
    run.log_metric("loss", 0.5)
    run.log_metric("acc", 0.9)
    run.end()
    path = next(Path(folder_of(run)).glob("metrics/acc.json"))
    path.write_bytes(b"{")
    assert list(read_latest_rows(folder_of(run), ["acc", "loss"], [])) == ["loss"]
