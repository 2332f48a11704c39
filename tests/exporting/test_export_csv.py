"""Is CSV whole, and harmless where a spreadsheet opens it?"""

import csv
import io
import math

import pytest

from mini_mlflow import Run, search_runs
from mini_mlflow.exporting import csv_table
from mini_mlflow.store.experiments import list_experiments


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "mlruns")


def exported(store, **options):
    """Return the rows of the CSV of all runs, each by the names of its columns."""
    stream = io.StringIO()
    csv_table.write_runs(stream, chosen(store), names(store), **options)
    return list(csv.DictReader(io.StringIO(stream.getvalue())))


def chosen(store):
    return search_runs(search_all_experiments=True, output_format="list", runs_dir=store)


def names(store):
    return {str(each.experiment_id): each.name for each in list_experiments(store)}


def logged(store, run_id="r", params=None, name=None):
    run = Run(run_id=run_id, runs_dir=store, name=name)
    for key, value in (params or {}).items():
        run.log_param(key, value)
    run.end()


def test_a_run_is_a_row_with_its_params_and_latest_metrics(store):
    run = Run(run_id="r", runs_dir=store, name="first")
    run.log_params({"lr": 0.1, "layers": [64, 32], "big": 2**70, "note": 'a, "b"\nc', "none": None, "yes": True})
    run.log_metric("loss", 0.5, step=0)
    run.log_metric("loss", -0.25, step=1)
    run.log_metric("nan", float("nan"))
    run.set_tag("team", "vision")
    run.end()
    (row,) = exported(store)
    assert (row["run_id"], row["name"], row["experiment"], row["status"]) == ("r", "first", "Default", "FINISHED")
    assert (row["metrics.loss"], row["metrics.nan"]) == ("-0.25", "NaN")
    assert (row["params.lr"], row["params.layers"], row["params.big"]) == ("0.1", "[64, 32]", str(2**70))
    assert (row["params.note"], row["params.none"], row["params.yes"]) == ('a, "b"\nc', "", "true")
    assert row["tags.team"] == "vision"
    assert row["start_time"].endswith("Z")
    assert float(row["duration_s"]) >= 0


HOSTILE = ["=cmd|' /C calc'!A0", "+1", "-1+1", "@x", "\tx", "\rx", "=1", "-x", "+", "@"]


@pytest.mark.parametrize("text", HOSTILE)
def test_f04_a_cell_that_a_spreadsheet_would_compute_gets_an_apostrophe(store, text):
    logged(store, params={"p": text}, name=text)
    (row,) = exported(store)
    assert (row["params.p"], row["name"]) == ("'" + text, "'" + text)
    (row,) = exported(store, is_raw=True)
    assert (row["params.p"], row["name"]) == (text, text)


@pytest.mark.parametrize(
    "value", [-1, -0.5, -1e-300, 1e300, float("-inf"), float("inf"), 0, -(2**70), "-1", "-1e-5", "-.5"]
)
def test_f04_numbers_are_not_touched(store, value):
    logged(store, params={"p": value})
    (row,) = exported(store)
    assert float(row["params.p"]) == float(value)
    assert not row["params.p"].startswith("'")


@pytest.mark.parametrize("kind", ["params", "metrics", "tags"])
@pytest.mark.parametrize("key", ["=1+1", "@x", "-x", "+1"])
def test_f04_heads_are_never_formulas(store, kind, key):
    run = Run(run_id="r", runs_dir=store)
    {"params": run.log_param, "metrics": run.log_metric, "tags": run.set_tag}[kind](key, 1)
    run.end()
    (row,) = exported(store)
    assert "%s.%s" % (kind, key) in row
    stream = io.StringIO()
    csv_table.write_histories(stream, chosen(store), names(store), [], lambda _: None)
    for line in list(csv.reader(io.StringIO(stream.getvalue())))[1:]:
        assert line[3] == "'" + key


def test_histories_have_a_row_for_each_value(store):
    run = Run(run_id="r", runs_dir=store, name="first")
    run.log_metric("loss", 0.5, step=0, timestamp=1795510800123)
    run.log_metric("loss", float("nan"), step=-3, timestamp=10**18)
    run.log_metric("acc", 2**60, step=2**62, timestamp=0)
    run.end()
    stream, counted, problems = io.StringIO(), [], []
    csv_table.write_histories(stream, chosen(store), names(store), problems, counted.append)
    rows = list(csv.reader(io.StringIO(stream.getvalue())))
    assert rows[0] == ["run_id", "name", "experiment", "metric", "step", "time", "value"]
    assert rows[1:] == [
        ["r", "first", "Default", "acc", str(2**62), "1970-01-01T00:00:00.000Z", str(2**60)],
        ["r", "first", "Default", "loss", "-3", str(10**18), "NaN"],
        ["r", "first", "Default", "loss", "0", "2026-11-24T09:00:00.123Z", "0.5"],
    ]
    assert (counted, problems) == ([1], [])


def test_b09_half_characters_and_nuls_are_written(store, tmp_path):
    from mini_mlflow.exporting.destination import new_file

    logged(store, params={"p": "a\ud800b", "q": "x\0y"})
    path = str(tmp_path / "runs.csv")
    with new_file(path) as stream:
        csv_table.write_runs(stream, chosen(store), names(store))
    with open(path, encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["params.p"], row["params.q"]) == ("a\\ud800b", "x\\x00y")


def test_no_runs_are_a_head_alone(store):
    stream = io.StringIO()
    csv_table.write_runs(stream, [], {})
    assert stream.getvalue() == ",".join(csv_table.FIELDS) + "\n"
    assert math.isnan(float(csv_table.cell(float("nan"))))
