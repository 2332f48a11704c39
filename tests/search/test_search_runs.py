"""Which runs does a search find, and in which form?"""

import itertools
import re
import sys
import time

import pytest

import mini_mlflow
from mini_mlflow import ExperimentTracker, StoredRun, active
from mini_mlflow.errors import (
    BrokenFileError,
    ExperimentNotFoundError,
    InvalidValueError,
    MetricNotFoundError,
    MissingPackageError,
    QueryError,
    RunNotFoundError,
    StorageWarning,
)
from mini_mlflow.index import place


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_DIR", str(tmp_path / "mlruns"))
    active.reset()
    starts = itertools.count(int(time.time()) * 1000000)  # within one millisecond, as runs that do little are
    monkeypatch.setattr(active, "next_start_us", lambda: next(starts))
    for number, lr in enumerate((0.1, 0.01, 0.001)):
        with mini_mlflow.start_run(run_name=f"run-{number}", run_id=f"r{number}", version=f"v{number}") as run:
            run.log_params({"lr": lr, "model": "resnet" if number else "vit"})
            for step in range(4):
                run.log_metric("loss", (step - number) ** 2 + lr)
            run.set_tag("team", "vision")
    yield tmp_path / "mlruns"
    active.reset()


def ids(**given):
    return [run.info.run_id for run in mini_mlflow.search_runs(output_format="list", **given)]


@pytest.mark.parametrize("is_indexed", [True, False])
def test_runs_come_newest_first(store, monkeypatch, is_indexed):
    monkeypatch.setattr(place, "is_available", lambda: is_indexed)
    assert ids() == ids(order_by="start_time DESC") == ["r2", "r1", "r0"]
    assert ids(order_by="start_time") == ["r0", "r1", "r2"]
    assert ids(max_results=1) == ["r2"]
    assert ExperimentTracker().list_runs() == ids()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lr < 0.05", ["r2", "r1"]),
        ("metrics.loss > 5 or model = 'vit'", ["r0"]),
        ("min(loss) < 0.05", ["r2", "r1"]),
        ("best_step(loss, min) = 1", ["r1"]),
        ("status = 'FINISHED' and version = 'v1'", ["r1"]),
        ("tags.mlflow.runName = 'run-0'", ["r0"]),
        ("age < 1h and team = vision", ["r2", "r1", "r0"]),
    ],
)
def test_a_filter_is_asked_of_the_files(store, text, expected):
    assert ids(filter_string=text) == expected


def test_an_order_and_a_limit_hold(store):
    assert ids(order_by="lr") == ["r2", "r1", "r0"]
    assert ids(order_by=["loss DESC"], max_results=2) == ["r0", "r1"]
    assert ids(order_by="max(loss) DESC", max_results=1) == ["r0"]


def test_a_run_is_found_with_all_that_is_known_of_it(store):
    found = mini_mlflow.get_run("r1")
    assert isinstance(found, StoredRun)
    assert found.info.run_name == "run-1"
    assert found.info.status == "FINISHED"
    assert found.info.version == "v1"
    assert found.info.end_time >= found.info.start_time > 1_700_000_000_000
    assert found.data.params == {"lr": 0.01, "model": "resnet"}
    assert found.data.metrics == {"loss": 4.01}
    assert found.data.tags["team"] == "vision"
    assert not found.problems
    assert mini_mlflow.find_run("run-1") == found
    assert mini_mlflow.find_run("nobody") is None
    with pytest.raises(RunNotFoundError, match="nobody"):
        mini_mlflow.get_run("nobody")


def test_the_best_run_is_that_of_the_best_value_at_any_step(store):
    assert mini_mlflow.best_run("loss", "min").info.run_id == "r2"
    assert mini_mlflow.best_run("loss", "max").info.run_id == "r0"
    assert mini_mlflow.best_run("loss", "min", filter_string="model = vit").info.run_id == "r0"
    with pytest.raises(MetricNotFoundError, match="'loss'"):
        mini_mlflow.best_run("acc")
    with pytest.raises(InvalidValueError, match="'max' or 'min'"):
        mini_mlflow.best_run("loss", "best")


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_a_run_that_diverged_is_the_best_only_where_all_have(store, odd):
    for run_id, values in (("early", [-5, odd]), ("late", [-7, odd])):
        with mini_mlflow.start_run(run_id=run_id):
            for value in values:
                mini_mlflow.log_metric("loss", value)
    assert mini_mlflow.best_run("loss", "min").info.run_id == "r2"
    assert mini_mlflow.best_run("loss", "min", filter_string="run_id IN ('early', 'late')").info.run_id == "late"


def test_experiments_are_chosen_by_id_and_name(store):
    mini_mlflow.set_experiment("others")
    with mini_mlflow.start_run(run_id="other"):
        pass
    assert ids() == ["other"]
    assert ids(experiment_ids=0) == ["r2", "r1", "r0"]
    assert ids(experiment_ids=["0", "others"]) == ["other", "r2", "r1", "r0"]
    assert ids(experiment_names=["others"]) == ["other"]
    assert ids(search_all_experiments=True) == ["other", "r2", "r1", "r0"]
    assert ids(experiment_ids=[]) == []
    with pytest.raises(ExperimentNotFoundError):
        ids(experiment_ids="nowhere")
    assert mini_mlflow.find_run("run-0").info.run_id == "r0"


def test_deleted_runs_are_found_where_they_are_asked_for(store):
    mini_mlflow.delete_run("r1")
    assert ids() == ["r2", "r0"]
    assert ids(run_view_type="DELETED_ONLY") == ["r1"]
    assert ids(run_view_type="ALL", filter_string="lifecycle_stage = 'deleted'") == ["r1"]
    assert ids(run_view_type="ALL") == ["r2", "r1", "r0"]


def test_a_broken_run_is_told_and_the_others_are_found(store):
    (store / "0" / "r1" / "meta.yaml").write_text("format: 99\n")
    (store / "0" / "r0" / "params" / "lr.json").write_text("{")
    with pytest.warns(StorageWarning, match="2 runs cannot be read in full"):
        found = ids()
    assert sorted(found) == ["r0", "r2"]


def test_a_run_whose_meta_is_cut_is_passed_over_and_never_shown_as_running(store):
    (store / "0" / "r1" / "meta.yaml").write_text('format: 1\nrun_id: "r1"\nstat')
    with pytest.warns(StorageWarning, match="1 run cannot be read in full"):
        assert ids() == ["r2", "r0"]
    with pytest.raises(BrokenFileError, match=r"meta\.yaml"):
        mini_mlflow.get_run("r1")
    (store / "0" / "left" / "artifacts").mkdir(parents=True)
    with pytest.raises(RunNotFoundError, match="leftovers"):
        mini_mlflow.get_run("left")


def test_a_run_without_a_start_counts_by_its_meta_file(store):
    path = store / "0" / "r0" / "meta.yaml"
    path.write_text(re.sub("start_time: .*", "start_time: null", path.read_text()))
    assert ids() == ["r0", "r2", "r1"]


def test_a_store_that_is_not_there_has_no_runs(tmp_path):
    assert ids(runs_dir=tmp_path / "nowhere", filter_string="loss > 1", order_by="loss") == []
    assert not (tmp_path / "nowhere").exists()


def test_looking_for_runs_makes_no_experiment(store, tmp_path):
    mini_mlflow.set_experiment("others")
    assert ids(runs_dir=tmp_path / "elsewhere") == []
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"run_view_type": 1}, "ACTIVE_ONLY"),
        ({"max_results": 0}, "whole number from 1"),
        ({"max_results": -1}, "whole number from 1"),
        ({"filter_string": 5}, "A filter is text"),
        ({"max_results": True}, "whole number from 1"),
        ({"max_results": 1.5}, "whole number from 1"),
        ({"order_by": [5]}, "order_by takes texts"),
        ({"order_by": 5}, "order_by takes texts"),
        ({"experiment_ids": 1.5}, "takes ids or names of experiments"),
    ],
)
def test_b15_an_argument_out_of_range_is_refused(store, given, words):
    with pytest.raises(InvalidValueError, match=words):
        ids(**given)


def test_experiments_orders_and_numbers_may_be_arrays_of_numpy(store):
    numpy = pytest.importorskip("numpy")
    for given in (numpy.array([0]), numpy.int64(0), [numpy.int64(0)], mini_mlflow.get_experiment(0), ("Default",)):
        assert ids(experiment_ids=given) == ["r2", "r1", "r0"]
    assert ids(order_by=numpy.array(["lr", "run_id"])) == ["r2", "r1", "r0"]
    assert ids(max_results=numpy.int64(2)) == ["r2", "r1"]
    assert ids(experiment_ids=numpy.array([], dtype=int)) == []


def test_no_experiment_of_none_is_searched_and_all_where_all_are_asked_for(store):
    assert ids(experiment_ids=[]) == ids(experiment_names=()) == []
    assert ids(experiment_ids=[], search_all_experiments=True) == ["r2", "r1", "r0"]


def test_an_order_by_a_metric_that_no_run_has_is_told(store):
    with pytest.raises(QueryError, match="Did you mean loss"):
        ids(order_by="min(losss)")


def test_the_best_run_of_what_no_run_has_is_told_with_near_names(store):
    with pytest.raises(MetricNotFoundError, match="Did you mean 'loss'"):
        mini_mlflow.best_run("los")
    with pytest.raises(MetricNotFoundError, match="the filter means none of 3 runs"):
        mini_mlflow.best_run("loss", filter_string="lr = 7")


def test_a_deleted_run_is_told_to_be_one(store):
    mini_mlflow.delete_run("r1")
    with pytest.raises(RunNotFoundError, match=r"Run 'r1' is deleted. restore_run\('r1'\)"):
        mini_mlflow.get_run("r1")
    with pytest.raises(RunNotFoundError, match="is deleted"):
        mini_mlflow.get_run("r1", experiment_id=0)


def test_a_tracker_finds_runs_of_its_own_experiment(store):
    tracker = ExperimentTracker()
    assert tracker.find_run("run-1").info.run_id == "r1"
    assert tracker.best_run("loss", "min").info.run_id == mini_mlflow.best_run("loss", "min").info.run_id == "r2"
    assert tracker.best_run("loss", "min", "model = 'vit'").info.run_id == "r0"
    with ExperimentTracker(experiment_id=5, run_name="elsewhere") as run:
        run.log_metric("loss", -1)
    assert tracker.find_run("elsewhere", refresh=True) is None
    assert tracker.best_run("loss", "min", refresh=True).info.run_id == "r2"
    mini_mlflow.delete_run("r2")
    found = tracker.search_runs(run_view_type="DELETED_ONLY", output_format="list", refresh=True)
    assert [run.info.run_id for run in found] == ["r2"]


def test_an_unknown_form_is_refused(store):
    with pytest.raises(InvalidValueError, match="'pandas', 'arrow' or 'list'"):
        mini_mlflow.search_runs(output_format="csv")


def test_a_filter_that_cannot_be_read_is_told_before_any_run_is_read(store, monkeypatch):
    monkeypatch.setattr("mini_mlflow.search.scanning.ask", None)
    with pytest.raises(QueryError, match="Expected"):
        ids(filter_string="loss >")


@pytest.mark.parametrize(("form", "package"), [("pandas", "pandas"), ("arrow", "pyarrow")])
def test_a_package_that_is_missing_is_named(store, monkeypatch, form, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=rf"{package}.*mini-mlflow\[{form}\]"):
        mini_mlflow.search_runs(output_format=form)


def test_a_tracker_searches_its_own_experiment(tmp_path):
    tracker = ExperimentTracker(experiment_id=3, runs_dir=tmp_path / "mlruns")
    with tracker as run:
        run.log_metric("loss", 1)
    found = tracker.search_runs(filter_string="loss = 1", output_format="list")
    assert [each.info.run_id for each in found] == [run.run_id]
    assert tracker.search_runs(filter_string="loss = 2", output_format="list") == []


def test_an_experiment_of_digits_is_found_by_its_name_and_another_by_its_id(store):
    mini_mlflow.set_experiment("2026")
    with mini_mlflow.start_run(run_id="named"):
        pass
    assert ids(experiment_names=["2026"]) == ids(experiment_ids=["2026"]) == ["named"]
    with mini_mlflow.start_run(run_id="beside", experiment_id="2026"):
        pass
    assert ids(experiment_names=["2026"]) == ["beside", "named"]
    with mini_mlflow.start_run(run_id="numbered", experiment_id=2026):
        pass
    assert ids(experiment_names="2026") == ["beside", "named"]
    assert ids(experiment_ids="2026") == ids(experiment_ids=2026) == ["numbered"]
