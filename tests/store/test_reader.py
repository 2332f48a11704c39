"""What a store holds: runs in order, the shares of a run merged, its true status."""

import json
import math
import os
import shutil
import time

import pytest

from mini_mlflow import Run
from mini_mlflow.errors import MetricNotFoundError, RunNotFoundError, UnsupportedFormatError
from mini_mlflow.store import meta, reader

RECORD = {
    "host": "h",
    "boot_id": "b",
    "pid_namespace": None,
    "pid": 1,
    "started": None,
    "jobs": {},
    "device": 1,
    "inode": 1,
    "skew_ms": 0,
    "is_locked": True,
}


class HandMade:
    """A run whose files are written by hand, as any program may that keeps to the format."""

    def __init__(self, root):
        self.root = str(root)
        self.folder = os.path.join(self.root, "0", "r")
        os.makedirs(self.folder)
        self.meta()

    def put(self, share, *names, text):
        folder = os.path.join(self.folder, "writers", share) if share else self.folder
        path = os.path.join(folder, *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def meta(self, share="", **fields):
        fields = dict({"format": 1, "status": "RUNNING", "generation": 0}, **fields)
        return self.put(share, "meta.yaml", text=meta.encode(fields).decode("utf-8"))

    def owner(self, share, generation):
        return self.put(share, "owner.json", text=json.dumps(dict(RECORD, generation=generation)))

    def metric(self, share, rows, key="loss"):
        step, timestamp, value = max(reversed(rows), key=lambda row: row[1])
        history = ",".join("\n[%d, %d, %s]" % tuple(row) for row in rows)
        text = '{"key": "%s", "history": [%s\n], "step": %d, "timestamp": %d, "value": %s}\n'
        return self.put(share, "metrics", key + ".json", text=text % (key, history, step, timestamp, value))

    def param(self, share, value, timestamp, key="lr", kind="params"):
        document = {"key": key, "value": value, "timestamp": timestamp}
        return self.put(share, kind, key + ".json", text=json.dumps(document))

    def read(self):
        return reader.read_run(self.root, 0, "r")

    def history(self):
        return [tuple(row) for row in reader.read_history(self.folder, "loss", [])]


@pytest.fixture
def run(tmp_path):
    return HandMade(tmp_path)


# Merging


def test_a_history_is_every_row_of_every_share_in_one_order(run):
    """Rule W8: by step, then timestamp, generation, writer, place in the file."""
    run.owner("", 0)
    run.owner("b", 1)
    run.owner("a", 1)
    run.metric("", [(2, 10, 1), (0, 10, 2), (0, 5, 3), (1, 10, 4), (1, 10, 5)])
    run.metric("b", [(1, 10, 6), (0, 7, 7)])
    run.metric("a", [(1, 10, 8), (2, 9, 9)])
    assert run.history() == [
        (0, 5, 3), (0, 7, 7), (0, 10, 2),
        (1, 10, 4), (1, 10, 5), (1, 10, 8), (1, 10, 6),
        (2, 9, 9), (2, 10, 1),
    ]  # fmt: skip


def test_a_row_that_two_shares_hold_is_there_twice(run):
    """Rule W8: every row."""
    run.owner("a", 0)
    run.metric("", [(0, 10, 1)])
    run.metric("a", [(0, 10, 1)])
    assert run.history() == [(0, 10, 1), (0, 10, 1)]


@pytest.mark.parametrize(
    ("shares", "latest"),
    [
        ([("", 0, 10, 1), ("a", 1, 5, 2)], 2),  # the greatest generation, however old
        ([("", 1, 5, 1), ("a", 0, 10, 2)], 1),
        ([("", 0, 10, 1), ("a", 0, 11, 2)], 2),  # then the newest timestamp
        ([("", 0, 11, 1), ("a", 0, 10, 2)], 1),
        ([("", 0, 10, 1), ("a", 0, 10, 2)], 2),  # then the last writer
        ([("b", 0, 10, 1), ("a", 0, 10, 2)], 1),
        ([("", 2, 10, 1), ("a", 10, 5, 2), ("b", 9, 99, 3)], 2),  # generations are numbers
    ],
)
def test_the_latest_value_is_of_the_greatest_generation_then_timestamp_then_writer(run, shares, latest):
    """Rule W8, for metrics, params and tags alike."""
    for share, generation, timestamp, value in shares:
        run.owner(share, generation)
        run.metric(share, [(0, timestamp, value)])
        run.param(share, value, timestamp)
        run.param(share, value, timestamp, kind="tags")
    record = run.read()
    assert record.metrics == {"loss": latest}
    assert record.params == {"lr": latest}
    assert record.tags == {"lr": latest}
    assert reader.read_metric(run.folder, "loss", [])[1].value == latest
    assert record.problems == []


def test_of_two_rows_of_one_time_the_last_in_the_file_is_the_latest(run):
    """Rule W8: then the last row."""
    run.metric("", [(5, 10, 1), (4, 10, 2), (6, 9, 3)])
    assert run.read().metrics == {"loss": 2}


def test_values_of_all_shares_come_by_key_in_order(run):
    run.owner("a", 0)
    run.metric("a", [(0, 1, 1)], key="b")
    run.metric("", [(0, 1, 2)], key="c")
    run.metric("a", [(0, 1, 3)], key="a")
    assert list(run.read().metrics.items()) == [("a", 3), ("b", 1), ("c", 2)]
    assert reader.list_metrics(run.folder) == ["a", "b", "c"]


def test_a_share_without_a_readable_owner_json_is_merged_as_of_generation_0_and_reported(run):
    """Rule S4."""
    run.owner("", 1)
    run.metric("", [(0, 5, 1)])
    run.metric("a", [(0, 10, 2)])
    bad = run.put("a", "owner.json", text="{")
    record = run.read()
    assert record.metrics == {"loss": 1}
    assert [problem.path for problem in record.problems] == [bad]
    assert run.history() == [(0, 5, 1), (0, 10, 2)]


def test_broken_files_of_one_share_are_reported_and_the_rest_is_read(run):
    """Rule S4."""
    run.param("", 0.1, 1)
    run.metric("", [(0, 1, 1)])
    run.owner("a", 1)
    bad = [
        run.put("a", "meta.yaml", text="["),
        run.put("a", "metrics", "loss.json", text="junk"),
        run.put("a", "params", "lr.json", text="{"),
        run.put("a", "tags", "t.json", text='{"key": "t"}'),
    ]
    record = run.read()
    assert record.metadata["status"] == "RUNNING"
    assert (record.params, record.metrics, record.tags) == ({"lr": 0.1}, {"loss": 1}, {})
    assert sorted(problem.path for problem in record.problems) == sorted(bad)
    assert all(problem.reason for problem in record.problems)
    assert run.history() == [(0, 1, 1)]


def test_a_document_whose_file_has_the_name_of_another_key_is_reported_and_not_merged(run):
    """Rule K6."""
    bad = [
        run.put("", "params", "a.json", text='{"key": "b", "value": 1, "timestamp": 1}'),
        run.put("", "params", "c.json", text='{"value": 1, "timestamp": 1}'),
        run.put("", "params", "d.json", text='{"key": 5, "value": 1, "timestamp": 1}'),
    ]
    record = run.read()
    assert record.params == {}
    assert sorted(problem.path for problem in record.problems) == bad


def test_b11_names_that_mean_something_to_programs_are_plain_names(run):
    for key in ("__proto__", "constructor", "toString", "__class__"):
        run.metric("", [(0, 1, 1)], key=key)
        run.param("", 1, 1, key=key)
    record = run.read()
    assert list(record.metrics) == list(record.params) == sorted(["__proto__", "constructor", "toString", "__class__"])


# Where things are


def test_a_run_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RunNotFoundError, match=r"'r'.*experiment 7") as caught:
        reader.read_run(str(tmp_path), 7, "r")
    assert (caught.value.run_id, caught.value.experiment_id) == ("r", 7)


def test_a_metric_that_is_not_there_is_named_beside_those_that_are(run):
    run.metric("", [(0, 1, 1)])
    with pytest.raises(MetricNotFoundError, match=r"no metric 'acc'.*'loss'"):
        reader.get_history(run.folder, "r", "acc")
    assert reader.read_metric(run.folder, "acc", []) == ([], None)


def test_a_metric_that_cannot_be_read_is_named_with_the_reason(run):
    path = run.put("", "metrics", "loss.json", text='{"key": "loss", "history": [\n')
    with pytest.raises(MetricNotFoundError) as caught:
        reader.get_history(run.folder, "r", "loss")
    assert "loss" in str(caught.value)
    assert os.path.exists(path)


def test_a_run_is_found_in_every_experiment_that_has_it(tmp_path):
    for name in ("3", "0", "abc", ".trash", "a b"):
        os.makedirs(str(tmp_path / name / "r"))
    os.makedirs(str(tmp_path / "5" / "other"))
    assert reader.find_experiments(str(tmp_path), "r") == [0, 3, "abc"]
    assert reader.find_experiments(str(tmp_path / "missing"), "r") == []


def test_a10_the_folders_name_is_the_truth_and_the_field_is_never_a_path(run, tmp_path):
    """Rule S3."""
    (tmp_path / "x").mkdir()
    run.meta(run_id="../../x", experiment_id="../..")
    run.param("", 1, 1)
    record = run.read()
    assert record.params == {"lr": 1}
    assert reader.list_run_ids(run.root, 0) == ["r"]


# Order


def test_runs_come_newest_first_then_by_id(tmp_path):
    """Rule S6, mixed with format 0."""
    starts = {
        "d": "format: 1\nstart_time: '2026-01-02T00:00:00.000000Z'\n",
        "a": 'format: 1\nstart_time: "2026-01-03T00:00:00.000001Z"\n',
        "c": 'format: 1\nstart_time: "2026-01-03T00:00:00.000000Z"\n',
        "b": 'format: 1\nstart_time: "2026-01-03T00:00:00.000000Z"\n',
        "old": "name: x\nstart_time: '2030-01-01T00:00:00.000000Z'\n",  # format 0: its time is the file's
        "odd": "format: 1\nstart_time: yesterday\n",
        "none": "format: 1\n",
    }
    files = {"old": 2**30, "odd": 2**30 + 2, "none": 2**30 + 1}
    for name, text in starts.items():
        (tmp_path / "0" / name).mkdir(parents=True)
        path = tmp_path / "0" / name / "meta.yaml"
        path.write_text(text, encoding="utf-8")
        os.utime(str(path), (files.get(name, 0), files.get(name, 0)))
    assert reader.list_run_ids(str(tmp_path), 0) == ["a", "b", "c", "d", "odd", "none", "old"]


def test_runs_of_one_start_come_by_id(tmp_path):
    """Rule S6."""
    names = sorted("%04x" % (number * 40503 % 65536) for number in range(50))
    for name in names:
        (tmp_path / "0" / name).mkdir(parents=True)
        text = 'format: 1\nstart_time: "2026-01-03T00:00:00.000000Z"\n'
        (tmp_path / "0" / name / "meta.yaml").write_text(text, encoding="utf-8")
    assert reader.list_run_ids(str(tmp_path), 0) == names


def test_a_run_whose_meta_yaml_is_broken_is_listed_last_and_reported(tmp_path):
    """Rule S4."""
    for name, text in (("a", "["), ("b", 'format: 1\nstart_time: "2026-01-03T00:00:00.000000Z"\n')):
        (tmp_path / "0" / name).mkdir(parents=True)
        (tmp_path / "0" / name / "meta.yaml").write_text(text, encoding="utf-8")
    assert reader.list_run_ids(str(tmp_path), 0) == ["b", "a"]
    record = reader.read_run(str(tmp_path), 0, "a")
    assert record.metadata == {}
    assert [os.path.basename(problem.path) for problem in record.problems] == ["meta.yaml"]


def test_h22_folders_and_files_that_are_no_runs_are_not_listed(tmp_path, run):
    """Rule S4."""
    for name in (".trash", "_x", "artifacts"):
        os.makedirs(os.path.join(run.root, "0", name))
    for name in ("meta.yaml", ".DS_Store", "x~", ".nfs000000000001"):
        with open(os.path.join(run.root, "0", name), "w", encoding="utf-8") as file:
            file.write("format: 1\n")
    shutil.copytree(run.folder, os.path.join(run.root, "0", ".hidden"))
    assert reader.list_run_ids(run.root, 0) == ["r"]
    assert reader.list_run_ids(run.root, 1) == []
    assert reader.list_run_ids(os.path.join(run.root, "nowhere"), 0) == []


# Formats and status


@pytest.mark.parametrize("number", ["99", "[1]", "null"])
def test_h23_a_run_of_another_format_is_refused_by_name_and_the_others_read(run, number):
    """Rule S5."""
    shutil.copytree(run.folder, os.path.join(run.root, "0", "new"))
    path = os.path.join(run.root, "0", "new", "meta.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("format: %s\nstatus: FINISHED\n" % number)
    with pytest.raises(UnsupportedFormatError, match=r"0/new/meta\.yaml.*[Uu]pdate"):
        reader.read_run(run.root, 0, "new")
    assert run.read().problems == []
    assert sorted(reader.list_run_ids(run.root, 0)) == ["new", "r"]


def test_a_run_of_format_0_reads_as_it_is(run):
    """Rule F1."""
    run.put("", "meta.yaml", text="run_id: r\nname: old\nstatus: FINISHED\nstart_time: '2024-01-01T00:00:00Z'\n")
    run.put("", "params", "lr.json", text='{"value": 0.1, "timestamp": "2024-01-01T00:00:00.5Z"}')
    run.put("", "params", "x y.json", text='{"value": [1, {"a": null}], "timestamp": "2024-01-01T00:00:00Z"}')
    run.put("", "metrics", "loss.json", text='{"value": NaN, "timestamp": "1970-01-01T00:00:01.5Z"}')
    record = run.read()
    assert record.problems == []
    assert record.metadata["status"] == "FINISHED"
    assert record.params == {"lr": 0.1, "x y": [1, {"a": None}]}
    ((step, timestamp, value),) = run.history()
    assert (step, timestamp) == (0, 1500)
    assert math.isnan(value)
    assert reader.list_metrics(run.folder) == ["loss"]


def test_the_status_is_that_of_the_greatest_generation(run):
    """Rule L4."""
    run.owner("", 0)
    run.owner("a", 1)
    run.meta("", status="FAILED", generation=0)
    run.meta("a", status="FINISHED", generation=1)
    assert run.read().metadata["status"] == "FINISHED"


def test_a_running_run_whose_owner_is_gone_is_lost_and_nobody_writes_that_down(run):
    """Rules L3 and L4."""
    path = run.owner("", 0)
    assert run.read().metadata["status"] == "RUNNING"
    os.utime(path, (time.time() - 610, time.time() - 610))
    assert run.read().metadata["status"] == "LOST"
    assert meta.read_meta(os.path.join(run.folder, "meta.yaml"))["status"] == "RUNNING"


def test_h19_a_lost_run_runs_again_after_a_sign_of_life(run):
    """Rule L3."""
    path = run.owner("", 0)
    os.utime(path, (1, 1))
    assert run.read().metadata["status"] == "LOST"
    os.utime(path, None)
    assert run.read().metadata["status"] == "RUNNING"


def test_the_owner_beside_the_meta_yaml_that_counts_is_the_one_that_tells(run):
    """Rule L4."""
    os.utime(run.owner("", 0), (1, 1))
    run.owner("a", 1)
    run.meta("a", generation=1)
    assert run.read().metadata["status"] == "RUNNING"


@pytest.mark.parametrize("make", [lambda run: None, lambda run: run.put("", "owner.json", text="{")])
def test_without_an_owner_json_the_status_stands_as_written(run, make):
    """Rule L4."""
    make(run)
    assert run.read().metadata["status"] == "RUNNING"


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED", "SCHEDULED"])
def test_a_run_that_has_ended_is_not_lost(run, status):
    """Rule L4."""
    os.utime(run.owner("", 0), (1, 1))
    run.meta("", status=status)
    assert run.read().metadata["status"] == status


def test_a13_a_store_that_is_a_link_reads_as_what_it_leads_to(tmp_path, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_FSYNC", "off")
    with Run(runs_dir=str(tmp_path / "scratch")) as run:
        run.log_param("lr", 1)
    try:
        os.symlink(str(tmp_path / "scratch"), str(tmp_path / "mlruns"))
    except OSError:
        pytest.skip("no links here")
    assert reader.read_run(str(tmp_path / "mlruns"), 0, run.run_id).params == {"lr": 1}
