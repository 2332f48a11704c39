"""Do engines that read Parquet find the runs and histories of a store in an export?"""

import json
import os

import pyarrow.dataset
import pyarrow.parquet
import pytest

from mini_mlflow import InvalidValueError, Run, create_experiment, search_runs
from mini_mlflow.exporting import parquet
from mini_mlflow.store import experiments


@pytest.fixture
def store(tmp_path):
    store = str(tmp_path / "ours")
    create_experiment("a=b/c", runs_dir=store)
    run = Run(run_id="first", experiment_id=experiments.home_id("a=b/c"), runs_dir=store, name="first \ud800")
    run.log_params(
        {"lr": 0.1, "mixed": "text", "layers": [64, 32], "same": 1, "empty": None, "half": "\udfff", "none": {}}
    )
    run.log_metric("loss", 0.5, step=0, timestamp=1795510800123)
    run.log_metric("loss", float("nan"), step=1, timestamp=1795510800124)
    run.log_metric("count", 2**70, step=2**62)
    run.end()
    run = Run(run_id="second", experiment_id="text-id", runs_dir=store)
    run.log_params({"lr": 1, "mixed": 2, "same": 3})
    run.log_metric("loss", 0.25, step=0)
    run.end()
    return store


def exported(store, path, **options):
    runs = search_runs(None, "", "ALL", None, output_format="list", search_all_experiments=True, runs_dir=store)
    names = {str(each.experiment_id): each.name for each in experiments.list_experiments(store)}
    problems, counts = [], []
    parquet.write(path, runs, names, problems, counts.append, **options)
    return problems, sum(counts)


def test_runs_are_rows_of_one_table_over_all_experiments(store, tmp_path):
    path = str(tmp_path / "out")
    assert exported(store, path) == ([], 2)
    table = pyarrow.dataset.dataset(os.path.join(path, "runs"), partitioning="hive").to_table()
    rows = {row["run_id"]: row for row in table.to_pylist()}
    assert sorted(rows) == ["first", "second"]
    assert str(rows["first"]["experiment_id"]) == str(experiments.home_id("a=b/c"))
    assert rows["second"]["experiment_id"] == "text-id"
    assert (rows["first"]["experiment"], rows["first"]["name"]) == ("a=b/c", "first \ufffd")
    assert (rows["first"]["params.lr"], rows["second"]["params.lr"]) == (0.1, 1.0)
    assert (rows["first"]["params.mixed"], rows["second"]["params.mixed"]) == ("text", "2")
    assert json.loads(rows["first"]["params.layers"]) == [64, 32]
    assert (rows["first"]["params.half"], rows["first"]["params.empty"]) == ("\\udfff", None)
    assert rows["second"]["metrics.loss"] == 0.25
    assert rows["first"]["start_time"].tzinfo is not None
    assert not os.path.exists(os.path.join(path, "histories"))


def test_histories_are_rows_with_run_and_metric(store, tmp_path):
    path = str(tmp_path / "out")
    exported(store, path, with_histories=True)
    table = pyarrow.dataset.dataset(os.path.join(path, "histories"), partitioning="hive").to_table()
    rows = [row for row in table.to_pylist() if row["metric"] == "loss" and row["run_id"] == "first"]
    assert [(row["step"], repr(row["value"])) for row in rows] == [(0, "0.5"), (1, "nan")]
    assert rows[0]["time"].isoformat() == "2026-11-24T09:00:00.123000+00:00"
    (row,) = [row for row in table.to_pylist() if row["metric"] == "count"]
    assert (row["step"], row["value"]) == (2**62, float(2**70))


def test_f08_what_is_there_stays_and_nothing_is_left_beside_it(store, tmp_path):
    path = tmp_path / "out"
    path.mkdir()
    (path / "mine").write_text("mine")
    with pytest.raises(InvalidValueError, match="not empty"):
        exported(store, str(path))
    assert os.listdir(str(path)) == ["mine"]
    os.unlink(str(path / "mine"))
    exported(store, str(path))
    assert sorted(os.listdir(str(tmp_path))) == ["ours", "out"]


def test_an_empty_store_is_an_empty_folder(tmp_path):
    assert exported(str(tmp_path / "nothing"), str(tmp_path / "out")) == ([], 0)
    assert os.listdir(str(tmp_path / "out")) == ["runs"]
