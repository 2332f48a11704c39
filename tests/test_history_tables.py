"""How are the histories of several metrics of several runs read together?"""

import math
import os
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mini_mlflow import (
    AmbiguousRunError,
    InvalidIdError,
    InvalidKeyError,
    InvalidValueError,
    MetricNotFoundError,
    MissingPackageError,
    Run,
    RunNotFoundError,
    StorageWarning,
    start_run,
)
from mini_mlflow.history_tables import histories
from mini_mlflow.records import Columns, Metric
from mini_mlflow.series_tables import Histories
from mini_mlflow.store import metric_file

NAN = math.nan


def make_run(store, run_id, experiment_id=0, **metrics):
    """Make a run that has ended, with a list of (step, value) for each metric."""
    run = Run(run_id=run_id, experiment_id=experiment_id, runs_dir=store)
    for key, rows in metrics.items():
        for step, value in rows:
            run.log_metric(key, value, step=step)
    run.end()
    return run


@pytest.fixture
def store(tmp_path):
    make_run(tmp_path, "a", loss=[(0, 1.0), (1, 0.5), (3, 0.25)], acc=[(1, NAN)])
    make_run(tmp_path, "b", loss=[(1, 2.0), (2, 1.5)])
    return tmp_path


def test_histories_stand_side_by_side_at_every_step_that_any_has(store):
    found = histories(["a", "b"], ["loss", "acc"], output_format="list", runs_dir=store)
    assert found.run_ids == ["a", "b"]
    assert found.steps == [0, 1, 2, 3]
    assert found.values["loss"] == [[1.0, 0.5, None, 0.25], [None, 2.0, 1.5, None]]


def test_a_logged_nan_is_no_gap_and_a_run_without_a_metric_has_gaps_alone(store):
    (of_a, of_b) = histories(["a", "b"], "acc", output_format="list", runs_dir=store).values["acc"]
    assert math.isnan(of_a[0])
    assert of_b == [None]


def test_arrays_have_nan_where_a_run_has_no_value(store):
    np = pytest.importorskip("numpy")
    found = histories(["b", "a"], ["loss", "acc"], runs_dir=store)
    assert isinstance(found, Histories)
    np.testing.assert_array_equal(found.steps, np.array([0, 1, 2, 3], dtype=np.int64))
    np.testing.assert_array_equal(found.values["loss"], [[NAN, 2.0, 1.5, NAN], [1.0, 0.5, NAN, 0.25]])
    assert found.values["acc"].shape == (2, 4)
    assert found.steps.dtype == np.int64


def test_each_history_keeps_its_own_steps_where_they_are_not_aligned(store):
    found = histories(["a", "b"], ["loss", "acc"], output_format="list", align=False, runs_dir=store)
    assert list(found) == ["loss", "acc"]
    assert found["loss"]["b"].steps == [1, 2]
    assert found["loss"]["b"].values == [2.0, 1.5]
    assert found["acc"]["b"] == Columns([], [], [])


def test_without_names_every_metric_of_the_runs_is_there(store):
    assert list(histories("b", output_format="list", runs_dir=store).values) == ["loss"]
    assert list(histories(["b", "a"], output_format="list", runs_dir=store).values) == ["acc", "loss"]


def test_runs_are_ids_or_runs_of_any_kind_each_once(store):
    record = SimpleNamespace(info=SimpleNamespace(run_id="a", experiment_id="0"))
    with start_run(run_id="live", runs_dir=store) as run:
        run.log_metric("loss", 7.0)
        found = histories([record, run, "b", "a"], "loss", output_format="list", runs_dir=store)
    assert found.run_ids == ["a", "live", "b"]
    assert found.values["loss"][1][0] == 7.0
    for one in ("a", record, record.info, iter(["a"])):
        assert histories(one, "loss", output_format="list", runs_dir=store).run_ids == ["a"]


def test_a_run_is_read_in_the_store_that_it_is_in(tmp_path, monkeypatch):
    run = make_run(tmp_path / "elsewhere", "r", loss=[(0, 1.0)])
    monkeypatch.chdir(tmp_path)
    assert histories(run, "loss", output_format="list").values == {"loss": [[1.0]]}


def test_a_step_logged_twice_counts_as_logged_last(tmp_path):
    """Rule W8."""
    make_run(tmp_path, "r", loss=[(0, 1.0), (1, 2.0), (1, 3.0)])
    assert histories("r", "loss", output_format="list", runs_dir=tmp_path).values == {"loss": [[1.0, 3.0]]}
    every = histories("r", "loss", output_format="list", align=False, latest_per_step=False, runs_dir=tmp_path)
    assert every["loss"]["r"].values == [1.0, 2.0, 3.0]
    with pytest.raises(InvalidValueError, match="align=False"):
        histories("r", "loss", output_format="list", latest_per_step=False, runs_dir=tmp_path)


def test_of_a_run_that_was_resumed_the_later_values_count(tmp_path):
    """Rule W8."""
    make_run(tmp_path, "r", loss=[(0, 1.0), (1, 2.0), (2, 3.0)])
    make_run(tmp_path, "r", loss=[(1, 20.0)])
    assert histories("r", "loss", output_format="list", runs_dir=tmp_path).values == {"loss": [[1.0, 20.0, 3.0]]}


def test_large_integers_stay_what_they_are_in_lists(tmp_path):
    make_run(tmp_path, "r", tokens=[(0, 2**60 + 1), (1, 2**1024 - 1)])
    assert histories("r", "tokens", output_format="list", runs_dir=tmp_path).values == {
        "tokens": [[2**60 + 1, 2**1024 - 1]]
    }
    pytest.importorskip("numpy")
    assert histories("r", "tokens", runs_dir=tmp_path).values["tokens"].tolist() == [[2.0**60, math.inf]]


def test_smoothing_sees_every_value_before_they_are_thinned_out(tmp_path):
    make_run(tmp_path, "r", loss=[(step, float(step % 7)) for step in range(100)])
    smooth = histories("r", "loss", output_format="list", smoothing=0.9, runs_dir=tmp_path)
    thin = histories("r", "loss", output_format="list", smoothing=0.9, max_points=12, runs_dir=tmp_path)
    assert 0 < len(thin.steps) <= 12
    by_step = dict(zip(smooth.steps, smooth.values["loss"][0]))
    assert [by_step[step] for step in thin.steps] == thin.values["loss"][0]


def test_a_gap_in_a_thinned_out_table_is_one_in_the_files(tmp_path):
    """A step that stands for one history shows the value of each other one, too."""
    make_run(tmp_path, "a", loss=[(step, float(step == 41)) for step in range(100)])
    make_run(tmp_path, "b", loss=[(step, float(step == 57)) for step in range(0, 100, 2)] + [(57, 1.0)])
    found = histories(["a", "b"], "loss", output_format="list", max_points=8, runs_dir=tmp_path)
    of_a, of_b = found.values["loss"]
    assert {0, 41, 57, 99} <= set(found.steps)
    assert len(found.steps) <= 16
    assert None not in of_a
    assert [step for step, value in zip(found.steps, of_b) if value is None] == [
        step for step in found.steps if step % 2 and step != 57
    ]


def test_each_history_is_thinned_out_for_itself_where_they_are_not_aligned(tmp_path):
    make_run(tmp_path, "a", loss=[(step, 0.0) for step in range(50)], acc=[(1, 1.0)])
    found = histories("a", output_format="list", align=False, max_points=5, runs_dir=tmp_path)
    assert found["loss"]["a"].steps[0] == 0
    assert found["loss"]["a"].steps[-1] == 49
    assert len(found["loss"]["a"].steps) <= 5
    assert found["acc"]["a"].steps == [1]


ANY_ROWS = st.lists(st.tuples(st.integers(-9, 9), st.one_of(st.floats(), st.integers(-9, 9))), max_size=12)


@settings(max_examples=50)
@given(runs=st.lists(st.dictionaries(st.sampled_from("xyz"), ANY_ROWS), min_size=1, max_size=3))
def test_a_table_is_what_a_dict_of_dicts_says(tmp_path_factory, runs):
    store = tmp_path_factory.mktemp("runs")
    model = {}
    for number, metrics in enumerate(runs):
        folder = store / "0" / ("r%d" % number) / "metrics"
        os.makedirs(str(folder))
        for key, rows in metrics.items():
            if rows:
                (folder / (key + ".json")).write_bytes(metric_file.encode(key, [Metric(s, 1, v) for s, v in rows]))
                model.setdefault(key, {})["r%d" % number] = dict(rows)
    ids = ["r%d" % number for number in range(len(runs))]
    found = histories(ids, output_format="list", experiment_id=0, runs_dir=store)
    assert found.steps == sorted({step for of_runs in model.values() for rows in of_runs.values() for step in rows})
    assert sorted(found.values) == sorted(model)
    for key, of_runs in model.items():
        for run_id, row in zip(ids, found.values[key]):
            expected = [of_runs.get(run_id, {}).get(step) for step in found.steps]
            assert [value is None for value in row] == [value is None for value in expected]
            assert [str(value) for value in row if value is not None] == [
                str(float(value)) for value in expected if value is not None
            ]


def test_a_run_that_is_not_there_is_told(store):
    with pytest.raises(RunNotFoundError, match="no run 'c'") as caught:
        histories(["a", "c"], "loss", output_format="list", runs_dir=store)
    assert caught.value.run_id == "c"
    with pytest.raises(RunNotFoundError):
        histories(["a"], "loss", output_format="list", experiment_id=5, runs_dir=store)


def test_a_metric_that_no_run_has_is_told_with_near_ones(store):
    with pytest.raises(MetricNotFoundError, match="None of these 2 runs has a metric 'los'") as caught:
        histories(["a", "b"], ["loss", "los"], output_format="list", runs_dir=store)
    assert "Did you mean 'loss'?" in str(caught.value)
    assert caught.value.key == "los"
    with pytest.raises(MetricNotFoundError, match=r"Run b has no metric 'zzz'\. There are: 'loss'\.$"):
        histories("b", "zzz", output_format="list", runs_dir=store)


def test_files_that_cannot_be_read_are_told_where_a_metric_is_missing(store):
    (store / "0" / "b" / "owner.json").write_bytes(b"{")
    with pytest.raises(MetricNotFoundError, match=r"There are: 'loss'\. Some files cannot be read: .*owner\.json: "):
        histories("b", "zzz", output_format="list", runs_dir=store)


def test_what_cannot_be_read_is_warned_of_and_the_rest_returned(store):
    path = store / "0" / "b" / "owner.json"
    path.write_bytes(b"{")
    with pytest.warns(StorageWarning, match="owner.json"):
        found = histories(["a", "b"], "loss", output_format="list", runs_dir=store)
    assert found.values["loss"][1] == [None, 2.0, 1.5, None]


def test_of_nothing_comes_an_empty_table(store):
    assert histories([], "loss", output_format="list", runs_dir=store) == Histories([], [], {"loss": []})
    assert histories(["a"], [], output_format="list", runs_dir=store) == Histories(["a"], [], {})
    assert histories([], [], output_format="list", align=False, max_points=9, runs_dir=store) == {}


def test_one_id_in_two_experiments_is_ambiguous(store):
    make_run(store, "a", experiment_id=1, loss=[(0, 9.0)])
    with pytest.raises(AmbiguousRunError):
        histories("a", "loss", output_format="list", runs_dir=store)
    here = histories("a", "loss", output_format="list", experiment_id=1, runs_dir=store)
    assert here.values == {"loss": [[9.0]]}
    both = [SimpleNamespace(info=SimpleNamespace(run_id="a", experiment_id=number)) for number in (0, 1)]
    with pytest.raises(AmbiguousRunError, match="one by one"):
        histories(both, "loss", output_format="list", runs_dir=store)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"output_format": "csv"}, "'numpy', 'pandas', 'polars', 'list', got 'csv'"),
        ({"output_format": ["list"]}, "output_format must be one of"),
        ({"max_points": 4}, "max_points must be a whole number from 5"),
        ({"max_points": True}, "max_points"),
        ({"max_points": 10.0}, "max_points"),
        ({"smoothing": 1}, "smoothing must be a number from 0"),
        ({"smoothing": -0.1}, "smoothing"),
        ({"smoothing": NAN}, "smoothing"),
        ({"smoothing": "0.5"}, "smoothing"),
        ({"smoothing": None}, "smoothing"),
        ({"runs": 5}, "Runs must be ids or runs, got 5"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(store, options, error):
    given = dict({"runs": "a", "metrics": "loss", "output_format": "list", "runs_dir": store}, **options)
    with pytest.raises(InvalidValueError, match=error):
        histories(given.pop("runs"), given.pop("metrics"), **given)


@pytest.mark.parametrize("run_id", ["../a", "a/b", "", 5, None, ".trash"])
def test_a_run_id_that_is_none_is_refused(store, run_id):
    with pytest.raises(InvalidIdError):
        histories([run_id], "loss", output_format="list", runs_dir=store)


@pytest.mark.parametrize("metrics", [5, [None], [["loss"]]])
def test_a_metric_that_is_no_text_is_refused(store, metrics):
    with pytest.raises(InvalidKeyError):
        histories(["a"], metrics, output_format="list", runs_dir=store)


@pytest.mark.parametrize("package", ["numpy", "pandas", "polars"])
def test_a_package_that_is_missing_is_named_with_what_to_install(store, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match="pip install " + package) as caught:
        histories("a", "loss", output_format=package, runs_dir=store)
    assert caught.value.package == package
