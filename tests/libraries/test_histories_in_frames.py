"""Do histories become arrays and frames that NumPy, pandas and Polars work on?"""

import math

import numpy as np
import pandas as pd
import polars as pl
import pytest

from mini_mlflow import Run
from mini_mlflow.history_tables import histories
from mini_mlflow.records import Columns


@pytest.fixture
def store(tmp_path):
    rows = {"a": [(0, 1.0), (1, math.nan), (3, 0.25)], "b": [(1, 2), (2, 2**60)]}
    for run_id, values in rows.items():
        run = Run(run_id=run_id, experiment_id=0, runs_dir=tmp_path)
        for step, value in values:
            run.log_metric("loss", value, step=step, timestamp=1000 + step)
        run.log_metric("only " + run_id, 5.0, step=3)
        run.end()
    return tmp_path


def test_pandas_gets_a_column_for_each_metric_of_each_run(store):
    frame = histories(["a", "b"], ["loss", "only b"], output_format="pandas", runs_dir=store)
    expected = pd.DataFrame(
        {
            ("loss", "a"): [1.0, math.nan, math.nan, 0.25],
            ("loss", "b"): [math.nan, 2.0, 2.0**60, math.nan],
            ("only b", "a"): [math.nan] * 4,
            ("only b", "b"): [math.nan, math.nan, math.nan, 5.0],
        },
        index=pd.Index([0, 1, 2, 3], name="step"),
    )
    expected.columns.names = ["metric", "run_id"]
    pd.testing.assert_frame_equal(frame, expected)
    assert frame["loss"].mean(axis="columns")[1] == 2.0
    assert list(frame["loss"].columns) == ["a", "b"]


def test_polars_tells_a_gap_from_nan(store):
    frame = histories(["a", "b"], ["loss", "only a"], output_format="polars", runs_dir=store)
    assert frame.columns == ["step", "loss/a", "loss/b", "only a/a", "only a/b"]
    assert frame.schema["step"] == pl.Int64
    assert set(frame.dtypes[1:]) == {pl.Float64}
    assert str(frame["loss/a"].to_list()) == "[1.0, nan, None, 0.25]"
    assert frame["only a/b"].null_count() == 4


@pytest.mark.parametrize("output_format", ["pandas", "polars"])
def test_a_frame_that_is_not_aligned_has_a_row_for_each_value(store, output_format):
    frame = histories(["b", "a"], ["loss", "only a"], output_format=output_format, align=False, runs_dir=store)
    assert list(frame.columns) == ["run_id", "metric", "step", "timestamp", "value"]
    if output_format == "polars":
        assert frame.dtypes == [pl.String, pl.String, pl.Int64, pl.Int64, pl.Float64]
    else:
        assert [frame[name].dtype for name in ("step", "timestamp", "value")] == [np.int64, np.int64, np.float64]
    assert list(frame["run_id"]) == ["b", "b", "a", "a", "a", "a"]
    assert list(frame["metric"]) == ["loss"] * 5 + ["only a"]
    assert list(frame["step"]) == [1, 2, 0, 1, 3, 3]
    assert list(frame["timestamp"])[:2] == [1001, 1002]
    assert list(frame["value"])[:3] == [2.0, 2.0**60, 1.0]


def test_numpy_gets_arrays(store):
    found = histories(["a", "b"], "loss", runs_dir=store)
    assert isinstance(found.steps, np.ndarray)
    assert found.values["loss"].dtype == np.float64
    assert np.nanmax(found.values["loss"], axis=1).tolist() == [1.0, 2.0**60]
    apart = histories(["a", "b"], "loss", align=False, runs_dir=store)["loss"]["b"]
    assert isinstance(apart, Columns)
    assert [column.dtype for column in apart] == [np.int64, np.int64, np.float64]
    assert apart.values.tolist() == [2.0, 2.0**60]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_runs_may_be_a_frame_or_its_column_of_ids(store, make):
    runs = make({"run_id": ["b", "a"], "status": ["FINISHED", "FINISHED"]})
    for given in (runs, runs["run_id"]):
        assert histories(given, "loss", output_format="list", runs_dir=store).run_ids == ["b", "a"]


@pytest.mark.parametrize("output_format", ["numpy", "pandas", "polars"])
@pytest.mark.parametrize("align", [True, False])
def test_of_nothing_comes_an_empty_table(store, output_format, align):
    for runs, metrics in (([], "loss"), (["a"], []), ([], [])):
        found = histories(runs, metrics, output_format=output_format, align=align, max_points=9, runs_dir=store)
        if output_format == "pandas":
            assert len(found) == 0
        elif output_format == "polars":
            assert found.height == 0


def test_a_frame_is_smoothed_and_thinned_out_as_a_list_is(store):
    run = Run(run_id="long", experiment_id=0, runs_dir=store)
    for step in range(200):
        run.log_metric("loss", math.sin(step), step=step)
    run.end()
    options = {"max_points": 20, "smoothing": 0.5, "runs_dir": store}
    plain = histories("long", "loss", output_format="list", **options)
    frame = histories("long", "loss", output_format="pandas", **options)
    assert list(frame.index) == plain.steps
    assert frame["loss", "long"].tolist() == plain.values["loss"][0]
    assert (
        histories("long", "loss", output_format="polars", **options)["loss/long"].to_list() == plain.values["loss"][0]
    )
