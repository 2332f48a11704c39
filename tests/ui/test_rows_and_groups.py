"""What rows tell of how far runs have come, what groups come to, and what of both is written as CSV: as plain data."""

import csv
import io
import os

import pytest
from test_the_pages_data import NOW, Asker

import mini_mlflow
from mini_mlflow.store import columns
from mini_mlflow.ui import desk, settings
from mini_mlflow.ui.api import downloads, histories, last_steps, packing, requests, series
from mini_mlflow.ui.api.stores import Stores


def log(folder, name, *, status="FINISHED", params=None, **metrics):
    """Log a run: of each metric one value for each step up to the number given."""
    with mini_mlflow.start_run(runs_dir=folder, run_name=name) as run:
        mini_mlflow.log_params(params or {})
        for key, last in metrics.items():
            for step in range(0, last + 1, 10 if key == "val_loss" else 1):
                mini_mlflow.log_metric(key, 1.0 / (step + 1), step=step)
    if status != "FINISHED":
        meta = os.path.join(str(folder), "0", run.info.run_id, "meta.yaml")
        with open(meta, encoding="utf-8") as file:
            text = file.read().replace('"FINISHED"', '"%s"' % status)
        with open(meta, "w", encoding="utf-8") as file:
            file.write(text)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "mlruns"
    log(folder, "short", loss=12, val_loss=10)
    log(folder, "long", loss=299, val_loss=290)
    log(folder, "other", train=40)
    log(folder, "none")
    return folder


def test_how_far_a_run_has_come_is_the_last_step_of_any_metric(folder):
    told = Asker(folder).runs(order=["val_loss ASC"])["rows"]
    assert dict(zip(told["name"], told["step"])) == {"short": 12, "long": 299, "other": 40, "none": None}


def test_samples_of_the_machine_are_no_steps_of_a_run(tmp_path):
    with mini_mlflow.start_run(runs_dir=tmp_path) as run:
        mini_mlflow.log_metric("loss", 1.0, step=3)
    metrics = tmp_path / "0" / run.info.run_id / "metrics"
    text = (metrics / "loss.json").read_text(encoding="utf-8")
    other = text.replace('"loss"', '"system/cpu"').replace("[3,", "[999,").replace('"step": 3', '"step": 999')
    (metrics / "system%2Fcpu.json").write_text(other, encoding="utf-8")
    told = Asker(tmp_path).runs(columns=["metrics.system/cpu"])["rows"]
    assert (told["values"], told["step"]) == ([[1.0]], [3])


@pytest.mark.parametrize(
    ("way", "names"),
    [("ASC", ["short", "other", "long", "none"]), ("DESC", ["long", "other", "short", "none"])],
)
def test_runs_are_sorted_by_how_far_they_have_come(folder, way, names):
    answer = Asker(folder).runs(order=["attributes.last_step " + way])
    assert answer["rows"]["name"] == names
    assert answer["order"] == ["attributes.last_step " + way]


def test_files_of_a_run_that_has_ended_are_looked_at_once(folder, monkeypatch):
    asker = Asker(folder)
    asker.runs(order=["attributes.last_step ASC"])
    monkeypatch.setattr(last_steps, "_read", lambda folder, keys: pytest.fail("was read again"))
    assert asker.runs(order=["attributes.last_step ASC"])["rows"]["name"][0] == "short"


def test_a_run_tells_since_when_it_is_no_number_and_no_other_history_is_read_for_that(tmp_path, monkeypatch):
    for name, values in (("sound", [1.5, 0.5]), ("back", [1.5, float("nan"), 0.7]), ("gone", [0.9, float("-inf")])):
        with mini_mlflow.start_run(runs_dir=tmp_path, run_name=name):
            for value in values:
                mini_mlflow.log_metric("loss", value)
    asker, read = Asker(tmp_path), []
    own = asker.histories.get
    monkeypatch.setattr(
        asker.histories, "get", lambda folder, key, is_live: read.append(key) or own(folder, key, is_live=is_live)
    )
    for _ in range(2):
        told = asker.runs(order=["loss ASC"])["rows"]
        assert dict(zip(told["name"], told["first_nan_step"])) == {"sound": None, "back": 1, "gone": 1}
    assert len(read) == 4
    monkeypatch.setattr(columns, "may_be_broken", lambda folder, key: pytest.fail("was read again"))
    asker.runs(order=["loss ASC"])


def test_a_history_that_is_read_anyway_tells_of_nan_by_itself_also_while_its_run_goes_on(tmp_path, monkeypatch):
    with mini_mlflow.start_run(runs_dir=tmp_path) as run:
        mini_mlflow.log_metric("loss", 1.5)
        asker = Asker(tmp_path)
        asker.series(runs=["0/0/" + run.info.run_id], metrics=["loss"])
        monkeypatch.setattr(histories, "_FRESH_S", 0.0)
        monkeypatch.setattr(columns, "may_be_broken", lambda folder, key: pytest.fail("is in memory"))
        assert asker.runs(order=["loss ASC"])["rows"]["first_nan_step"] == [None]
        mini_mlflow.log_metric("loss", float("nan"))
        assert asker.runs(order=["loss ASC"])["rows"]["first_nan_step"] == [1]


def test_who_opens_the_page_first_waits_for_no_history_that_was_read_ahead(folder, monkeypatch):
    counter = desk.Desk(Stores([str(folder)]), settings.make_settings(), "0")
    counter.prepare()
    monkeypatch.setattr(columns, "decode_columns", lambda data, path: pytest.fail("was read again"))
    told = counter._bootstrap()["runs"]
    body = requests.Body({"runs": told["first"], "metrics": [each["key"] for each in told["keys"]["metrics"]]})
    header, _ = packing.unpack(series.read_series(counter.stores, counter.histories, body, NOW))
    assert sum(one["rows"] for one in header["series"]) > 0


def test_a_store_that_is_not_there_or_broken_is_told_of_when_it_is_asked_for_not_ahead(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "missing", tmp_path / "file"):
        desk.Desk(Stores([str(folder)]), settings.make_settings(), "0").prepare()


def grouped(folder, **fields):
    return Asker(folder).runs(group={"by": ["params.lr"], "open": []}, **fields)["groups"]


def test_a_group_says_what_its_runs_have_so_far_where_none_has_finished(tmp_path):
    for lr, status in ((1, "FINISHED"), (1, "KILLED"), (2, "FAILED"), (2, "FAILED")):
        log(tmp_path, "run", status=status, params={"lr": lr}, loss=4)
    groups = grouped(tmp_path, order=["loss ASC"], columns=["metrics.loss", "params.lr"])
    assert groups["by"] == ["lr"]
    assert groups["n"] == [2, 2]
    numbers, params = groups["stats"]
    assert numbers["count"] == [1, 0]
    assert numbers["mean"] == [0.2, None]
    assert numbers["so_far"] == [None, 0.2]
    assert params["so_far"] == [None, None]


def test_a_run_that_ended_at_nan_is_not_in_the_mean_of_best_values_as_in_python(tmp_path):
    for lr, values in ((1, [0.5, 0.4]), (1, [0.5, 0.1, float("nan")]), (2, [0.01, float("inf")])):
        with mini_mlflow.start_run(runs_dir=tmp_path):
            mini_mlflow.log_params({"lr": lr, "seed": len(values)})
            for value in values:
                mini_mlflow.log_metric("loss", value)
    groups = grouped(tmp_path, order=["min(loss) ASC"], columns=["min(loss)"])
    in_python = mini_mlflow.group_runs(
        mini_mlflow.search_runs(output_format="list", runs_dir=tmp_path), "lr", metric="loss", runs_dir=tmp_path
    )
    assert groups["values_by"] == [[1], [2]]
    for name in ("mean", "count"):
        assert groups["stats"][0][name] == [getattr(group, name) for group in in_python.groups]
    assert groups["stats"][0]["count"] == [1, 0]


def test_the_number_of_all_groups_is_told_with_the_first_of_them(tmp_path):
    for lr in range(5):
        log(tmp_path, "run", params={"lr": lr})
    groups = grouped(tmp_path, limit=2)
    assert (len(groups["id"]), groups["total"]) == (2, 5)


def written(folder, **fields):
    """Return the lines of a CSV document, without what each run has of itself."""
    data = b"".join(downloads.write_runs(Asker(folder).stores, requests.Body(fields), NOW)).decode()
    return list(csv.DictReader(io.StringIO(data)))


def test_csv_has_the_best_values_and_the_last_steps_that_are_asked_for(folder):
    columns = ["min(val_loss)", "attributes.last_step"]
    lines = written(folder, order=["attributes.last_step DESC"], columns=columns)
    assert [line["name"] for line in lines] == ["long", "other", "short", "none"]
    assert [line["attributes.last_step"] for line in lines] == ["299", "40", "12", ""]
    assert [line["min(val_loss)"] for line in lines] == [repr(1 / 291), "", repr(1 / 11), ""]


def test_csv_of_groups_has_a_line_for_each_with_what_stands_behind_the_means(tmp_path):
    for lr, status in ((1, "FINISHED"), (1, "KILLED"), (2, "FAILED")):
        log(tmp_path, "run", status=status, params={"lr": lr, "seed": 0}, loss=4)
    group = {"by": ["params.lr"], "open": []}
    lines = written(tmp_path, order=["loss ASC"], columns=["min(loss)", "params.seed"], group=group, limit=1)
    assert [line["lr"] for line in lines] == ["1", "2"]
    assert [(line["runs"], line["finished"], line["killed"], line["failed"]) for line in lines] == [
        ("2", "1", "1", "0"),
        ("1", "0", "0", "1"),
    ]
    assert list(lines[0])[1:7] == ["runs", "running", "finished", "failed", "killed", "lost"]
    assert [line["mean(min(loss))"] for line in lines] == ["0.2", ""]
    assert [line["count(min(loss))"] for line in lines] == ["1", "0"]
    assert [line["so_far(min(loss))"] for line in lines] == ["", "0.2"]
    assert [line["params.seed"] for line in lines] == ["0", "0"]
    assert written(tmp_path, columns=["min(loss)"], group=group, filter="lr > 5") == []
