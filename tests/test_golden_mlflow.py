"""Do stores that real versions of MLflow wrote read as those versions read them?

Each ``expected.json`` was written by the MLflow that wrote the store beside it; see tests/golden/make_mlflow.py.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

from mini_mlflow import ExperimentTracker, Run, clock, search_runs
from mini_mlflow.store import columns, experiments, reader

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = ["1.0", "1.30", "2.22", "3.18"]


@pytest.fixture(params=VERSIONS)
def golden(request, tmp_path):
    """Return a copy of a golden store, and what MLflow reads in it."""
    source = GOLDEN / ("mlflow-" + request.param)
    shutil.copytree(str(source / "store" / "mlruns"), str(tmp_path / "mlruns"))
    return str(tmp_path / "mlruns"), json.loads((source / "expected.json").read_text(encoding="utf-8"))


def files_in(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def record_of(store, run_id, expected):
    return reader.read_run(store, int(expected["experiment_id"]), run_id)


def test_params_tags_and_latest_metrics_are_those_that_mlflow_reads(golden):
    """Rules G2 and G3."""
    store, told = golden
    for run_id, expected in told["runs"].items():
        found = record_of(store, run_id, expected)
        assert found.problems == []
        for kind in ("params", "tags", "metrics"):
            assert repr(getattr(found, kind)) == repr(dict(sorted(expected[kind].items())))


def test_what_a_run_is_called_and_how_it_stands_is_what_mlflow_says(golden):
    """Rule G1."""
    store, told = golden
    for run_id, expected in told["runs"].items():
        fields = record_of(store, run_id, expected).metadata
        assert fields["name"] == (expected["run_name"] or expected["tags"].get("mlflow.runName"))
        assert (fields["run_id"], fields["experiment_id"]) == (run_id, int(expected["experiment_id"]))
        assert (fields["status"], fields["lifecycle_stage"]) == (expected["status"], expected["lifecycle_stage"])
        assert clock.decode_time(fields["start_time"]) == expected["start_time"]
        assert clock.decode_time(fields["end_time"]) == (expected["end_time"] or None)
        assert fields["user"] == expected["user_id"]
        assert fields.get("parent_run_id") == expected["tags"].get("mlflow.parentRunId")
        datasets = [[each["dataset"]["name"], each["dataset"]["digest"]] for each in fields.get("inputs", [])]
        assert datasets == expected["datasets"]


def test_the_golden_stores_hold_what_they_are_to_prove(golden):
    _, told = golden
    runs = told["runs"].values()
    assert {run["status"] for run in runs} == {"RUNNING", "FINISHED", "FAILED", "KILLED"}
    assert [run["lifecycle_stage"] for run in runs].count("deleted") == 1
    assert any("val/acc" in run["metrics"] and "broken" in run["metrics"] for run in runs)
    assert any(run["datasets"] for run in runs) is (told["mlflow"] >= "2")


def test_histories_are_those_that_mlflow_reads(golden):
    """Rule G3; of 3.18 but for the step of a row that names a data set, which it takes for 0."""
    store, told = golden
    for run_id, expected in told["runs"].items():
        folder = reader.run_folder(store, expected["experiment_id"], run_id)
        assert reader.list_metrics(folder) == sorted(expected["histories"])
        for key, rows in expected["histories"].items():
            problems = []
            found = reader.read_history(folder, key, problems)
            assert repr([list(row) for row in found]) == repr(sorted(rows, key=lambda row: row[:2]))
            table = columns.read_columns(folder, key, problems)
            assert repr(list(zip(*table))) == repr([tuple(row) for row in found])
            assert problems == []


def test_a_filter_gives_the_runs_that_mlflow_gives(golden):
    store, told = golden
    for text, expected in told["filters"].items():
        found = search_runs(ids(told), text, output_format="list", runs_dir=store)
        assert sorted(run.info.run_id for run in found) == sorted(expected), text


def test_an_order_gives_the_runs_in_the_order_that_mlflow_gives(golden):
    store, told = golden
    for order, expected in told["orders"].items():
        found = search_runs(ids(told), order_by=[order], output_format="list", runs_dir=store)
        assert [run.info.run_id for run in found] == expected, order


def ids(told):
    """Return the experiments that are not deleted."""
    return [int(each) for each, fields in told["experiments"].items() if fields["lifecycle_stage"] == "active"]


def test_experiments_are_those_that_mlflow_reads(golden):
    """Rules G4 and G5: deleted ones lie in a store of their own."""
    store, told = golden
    for experiment_id, expected in told["experiments"].items():
        where = os.path.join(store, ".trash") if expected["lifecycle_stage"] == "deleted" else store
        found = experiments.read(where, int(experiment_id))
        assert (found.name, found.creation_time) == (expected["name"], expected["creation_time"])
        assert found.tags == expected["tags"]
        runs = [
            each for flag in (False, True) for each in reader.list_run_ids(where, found.experiment_id, is_deleted=flag)
        ]
        assert len(runs) == {"vision": 4, "language": 1, "gone": 1}[found.name]
    assert [each.experiment_id for each in experiments.list_experiments(store)] == [0, *sorted(ids(told))]


def test_runs_are_listed_as_mlflow_lists_them_deleted_ones_apart(golden):
    """Rule G4."""
    store, told = golden
    for experiment_id in ids(told):
        runs = {key: run for key, run in told["runs"].items() if int(run["experiment_id"]) == experiment_id}
        for stage in ("active", "deleted"):
            expected = [key for key, run in runs.items() if run["lifecycle_stage"] == stage]
            expected.sort(key=lambda key: (-runs[key]["start_time"], key))
            assert reader.list_run_ids(store, experiment_id, is_deleted=stage == "deleted") == expected


def test_reading_a_store_of_mlflow_leaves_no_trace(golden):
    store, told = golden
    before = files_in(store)
    tracker = ExperimentTracker(runs_dir=store)
    for run_id, expected in told["runs"].items():
        for key in tracker.get_run(run_id, int(expected["experiment_id"]))["metrics"]:
            tracker.summary(run_id, key, int(expected["experiment_id"]))
    assert files_in(store) == before


def test_a_run_of_mlflow_goes_on_and_keeps_its_files_to_the_byte(golden):
    store, told = golden
    tracker = ExperimentTracker(runs_dir=store)
    run_id = next(key for key, run in told["runs"].items() if "val/acc" in run["metrics"])
    expected = told["runs"][run_id]
    experiment_id = int(expected["experiment_id"])
    before = files_in(store)
    with Run(run_id, experiment_id, runs_dir=store) as run:
        run.log_metric("loss", 9.0)
        run.log_metric("new", 1.0)
        run.log_param("lr", 0.5)
        run.set_tag("team", "nlp")
    after = files_in(store)
    assert {path: after[path] for path in before} == before
    inside = os.path.join(str(experiment_id), run_id, "writers")
    assert all(path.startswith(inside) for path in set(after) - set(before))
    found = tracker.get_run(run_id, experiment_id)
    assert found["params"] == {**expected["params"], "lr": 0.5}
    assert found["tags"] == {**expected["tags"], "team": "nlp"}
    assert repr(found["metrics"]) == repr(dict(sorted({**expected["metrics"], "loss": 9.0, "new": 1.0}.items())))
    assert [row.step for row in tracker.history(run_id, "loss", experiment_id)] == [0, 1, 2, 3, 3, 4]
    fields = found["metadata"]
    assert (fields["name"], fields["status"], fields["lifecycle_stage"]) == ("first run", "FINISHED", "active")
    assert clock.decode_time(fields["start_time"]) == expected["start_time"]
    assert len(fields.get("inputs", [])) == len(expected["datasets"])


def test_deleted_runs_are_searched_where_they_are_asked_for(golden):
    store = golden[0]
    for view, stages in (("ACTIVE_ONLY", {"active"}), ("DELETED_ONLY", {"deleted"}), ("ALL", {"active", "deleted"})):
        found = search_runs(runs_dir=store, search_all_experiments=True, run_view_type=view, output_format="list")
        assert {run.info.lifecycle_stage for run in found} == stages
        assert ("deleted" in [run.info.run_name for run in found]) is ("deleted" in stages)
