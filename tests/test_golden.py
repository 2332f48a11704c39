"""Do the stores that earlier versions wrote read as they did, and can their runs be continued?"""

import json
import math
import os
import shutil
import time
from pathlib import Path

import pytest

from mini_mlflow import ExperimentTracker, Metric, MetricNotFoundError, Run

GOLDEN = Path(__file__).parent / "golden"
T0 = 1795510800000
LONG_AGO = 1000000000  # before any clock that runs these tests
NAN, INF = math.nan, math.inf

# Newest first; of format 0 the modification times tell, which git does not keep.
RUNS_0 = {0: ["still running", "failed-run.2", "finished"], 3: ["1234567890" * 3 + "12", "0123456789abcdef" * 2]}
RUNS_1 = {
    0: ["killed", "joined", "resumed", "child", "parent", "main"],
    477241297577: ["0123456789abcdef" * 2],
    "text-id": ["named", "1" * 32],
}


def copy_store(name, target):
    """Copy a golden store, as if all of it had been written long ago."""
    shutil.copytree(str(GOLDEN / name), str(target))
    for path in target.rglob("*"):
        os.utime(str(path), (LONG_AGO, LONG_AGO))
    for experiment, run_ids in RUNS_0.items() if name == "format-0" else ():
        for age, run_id in enumerate(run_ids):
            os.utime(str(target / str(experiment) / run_id / "meta.yaml"), (LONG_AGO - age, LONG_AGO - age))
    return target


@pytest.fixture
def store_0(tmp_path):
    return copy_store("format-0", tmp_path / "mlruns")


@pytest.fixture(params=["format-1", "format-1-packed"])
def store_1(tmp_path, request):
    """The same runs, as folders and in packs (rule Z1)."""
    return copy_store(request.param, tmp_path / "mlruns")


def files_in(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def values(rows):
    return [row.value for row in rows]


# Format 0


def test_runs_of_format_0_are_listed_newest_first(store_0):
    """Rules F1 and S6."""
    tracker = ExperimentTracker(runs_dir=store_0)
    assert {experiment: tracker.list_runs(experiment) for experiment in RUNS_0} == RUNS_0


def test_a_finished_run_of_format_0_reads_as_0_1_0_wrote_it(store_0):
    """Rule F1."""
    found = ExperimentTracker(runs_dir=store_0).get_run("finished")
    assert found["metadata"] == {
        "name": "baseline",
        "version": "v1.0",
        "status": "FINISHED",
        "start_time": "2026-11-24T22:49:07.398721Z",
        "end_time": "2026-11-24T22:49:07.401279Z",
        "run_id": "finished",
        "experiment_id": 0,
    }
    params = {
        "a%2Fb": "a percent sign",
        "big": 2**70,
        "learning_rate": 0.01,
        "nan": NAN,
        "none": None,
        "odd key, 100% ~ (ключ) é": "Zürich \u2028 \U0001f600",
        "optimizer": {"name": "adam", "betas": [0.9, 0.999], "nested": {"deep": [None, True, {"x": 1}]}},
        "text": "NaN",
    }
    assert repr({key: found["params"][key] for key in sorted(params)}) == repr(params)
    metrics = {
        "accuracy": 0.95,
        "count": 3,
        "down": -INF,
        "flag": 1,
        "loss": NAN,
        "odd key, 100% ~ (ключ) é": 1e-07,
        "up": INF,
    }
    assert repr(found["metrics"]) == repr(metrics)
    assert found["tags"] == {}


def test_a_metric_of_format_0_is_a_history_of_one_row_at_step_0(store_0):
    """Rule F1."""
    tracker = ExperimentTracker(runs_dir=store_0)
    assert tracker.history("finished", "accuracy") == [Metric(0, 1795560547400, 0.95)]
    assert tracker.history("finished", "odd key, 100% ~ (ключ) é") == [Metric(0, 1795560547401, 1e-07)]


def test_what_format_0_says_of_a_run_stands(store_0):
    """Rules F1 and L4: without an owner.json the status stands as written."""
    tracker = ExperimentTracker(runs_dir=store_0)
    statuses = {run_id: tracker.get_run(run_id)["metadata"]["status"] for run_id in RUNS_0[0]}
    assert statuses == {"still running": "RUNNING", "failed-run.2": "FAILED", "finished": "FINISHED"}
    odd = [tracker.get_run(run_id, 3)["metadata"] for run_id in RUNS_0[3]]
    assert [(each["run_id"], each["name"], each["version"]) for each in odd] == [
        ("12345678901234567890123456789012", "12:30", "0123"),
        ("0123456789abcdef0123456789abcdef", "no", "1_0"),
    ]


def test_versions_of_format_0_are_found(store_0):
    tracker = ExperimentTracker(runs_dir=store_0)
    assert tracker.get_run_by_version("baseline", "v1.0")["metadata"]["run_id"] == "finished"
    assert tracker.get_latest_version("baseline")["metadata"]["run_id"] == "failed-run.2"


def test_a_run_of_format_0_without_meta_yaml_still_has_its_values(store_0):
    """Rules F1 and S4."""
    found = ExperimentTracker(runs_dir=store_0).get_run("orphan", 3)
    assert (found["params"], found["metrics"]) == ({"p": 1}, {"m": 2.0})


@pytest.mark.parametrize(("experiment", "run_id"), [(each, run_id) for each in RUNS_0 for run_id in RUNS_0[each]])
def test_a_run_of_format_0_goes_on_and_keeps_its_files_to_the_byte(store_0, experiment, run_id):
    """Rules F2 and W5."""
    tracker = ExperimentTracker(runs_dir=store_0)
    before, old = files_in(store_0), tracker.get_run(run_id, experiment)
    with Run(run_id, experiment, runs_dir=store_0) as run:
        assert run.start_time == old["metadata"]["start_time"]
        run.log_metric("accuracy", 0.99)
        run.log_metric("brand new", 1.0)
        run.log_param("learning_rate", 0.02)
    after = files_in(store_0)
    assert {path: after[path] for path in before} == before
    added = set(after) - set(before) - {os.path.join(str(experiment), "meta.yaml")}
    assert all(path.startswith(os.path.join(str(experiment), run_id, "writers")) for path in added)
    found = tracker.get_run(run_id, experiment)
    assert repr(found["params"]) == repr(dict(sorted({**old["params"], "learning_rate": 0.02}.items())))
    expected = {**old["metrics"], "accuracy": 0.99, "brand new": 1.0}
    assert repr(found["metrics"]) == repr(dict(sorted(expected.items())))
    steps = [row.step for row in tracker.history(run_id, "accuracy", experiment)]
    assert steps == list(range(2 if "accuracy" in old["metrics"] else 1))
    for field in ("name", "version", "start_time", "run_id", "experiment_id"):
        assert found["metadata"][field] == old["metadata"][field]
    assert found["metadata"]["status"] == "FINISHED"


# Format 1


def test_runs_of_format_1_are_listed_newest_first(store_1):
    """Rules S1, S2 and S6."""
    tracker = ExperimentTracker(runs_dir=store_1)
    assert {experiment: tracker.list_runs(experiment) for experiment in RUNS_1} == RUNS_1


def test_every_kind_of_param_and_tag_of_format_1_reads_as_it_was_logged(store_1):
    """Rules D3 and D4."""
    found = ExperimentTracker(runs_dir=store_1).get_run("main")
    params = {
        "big": 2**200,
        "deep": {"x": ["NaN", 1.5]},
        "flag": True,
        "inf": INF,
        "layers": [64, {"act": "relu", "drop": None}],
        "lr": 0.01,
        "minus_inf": -INF,
        "name": "größe \u2028 \U0001f600",
        "nan": NAN,
        "none": None,
        "replaced": "second",
        "surrogate": "\ud800",
        "text_nan": "NaN",
    }
    assert repr(found["params"]) == repr(params)
    assert found["tags"] == {"mlflow.note.content": "A note.\nTwo lines.", "n": 3, "team": "vision"}
    assert {name: found["metadata"][name] for name in ("format", "name", "version", "status", "generation")} == {
        "format": 1,
        "name": "baseline",
        "version": "v1.0",
        "status": "FINISHED",
        "generation": 0,
    }


def test_keys_of_format_1_that_are_encoded_hashed_or_collide_read_back(store_1):
    """Rules K2, K3, K5 and K6."""
    tracker = ExperimentTracker(runs_dir=store_1)
    metrics = tracker.get_run("main")["metrics"]
    once = {"nul": 1.0, "COM¹.x": 2.0, "%2F": 5.0, "a~0123456789abcdef": 6.0, "with space": 7.0, "x.": 8.0, "~": 9.0}
    assert {key: metrics[key] for key in once} == once
    for number, key in enumerate(["Loss", "loss", "LOSS", "ß", "ss", "K", "k"]):
        assert tracker.history("main", key) == [Metric(0, T0, float(number)), Metric(1, T0 + 1, number + 0.5)]
    assert len(metrics) == len(once) + 7 + 4


def test_histories_of_format_1_read_back_to_the_bit(store_1):
    """Rules M1, M3, M5, M7 and W9."""
    tracker = ExperimentTracker(runs_dir=store_1)
    assert tracker.history("main", "padded") == [Metric(step, T0 + 1000 * step, step / 7) for step in range(700)]
    numbers = [NAN, INF, -INF, 1e-07, 1e22, -0.0, 0, 2**53 + 1, -(2**200), 0.1, 5e-324, 1.7976931348623157e308]
    assert repr(values(tracker.history("main", "numbers"))) == repr(numbers)
    assert tracker.history("main", "steps") == [
        Metric(-(2**63), 0, 1.0),
        Metric(5, T0, 3.0),
        Metric(2**63 - 1, 2**63 - 1, 2.0),
    ]
    assert [row.step for row in tracker.history("main", "counted")] == [0, 10, 11]
    summary = tracker.summary("main", "padded")
    assert (summary.count, summary.first, summary.last, summary.max_step) == (700, 0.0, 699 / 7, 699)


def test_shares_of_format_1_are_merged(store_1):
    """Rules W6 to W9."""
    tracker = ExperimentTracker(runs_dir=store_1)
    joined = tracker.get_run("joined")
    assert joined["metrics"] == {"loss": 3.0, "only_joiner": 1.5}
    assert (joined["params"], joined["tags"]) == ({"rank": 1}, {"who": "joiner"})
    assert [(row.step, row.value) for row in tracker.history("joined", "loss")] == [
        (0, 0.0), (0, 10.0), (1, 1.0), (1, 11.0), (2, 2.0), (3, 3.0),
    ]  # fmt: skip
    resumed = tracker.get_run("resumed")
    assert (resumed["metadata"]["generation"], resumed["metadata"]["name"]) == (1, "two lives")
    assert resumed["metrics"] == {"loss": 0.125, "new": 5}
    assert resumed["params"] == {"kept": "old", "lr": 0.2}
    assert values(tracker.history("resumed", "loss")) == [1.0, 0.75, 0.5, 0.25, 0.125]


def test_how_runs_of_format_1_ended_is_told(store_1):
    """Rules L3 and L4."""
    tracker = ExperimentTracker(runs_dir=store_1)
    found = {run_id: tracker.get_run(run_id)["metadata"] for run_id in RUNS_1[0]}
    assert {run_id: metadata["status"] for run_id, metadata in found.items()} == {
        "killed": "LOST", "joined": "FINISHED", "resumed": "FINISHED", "child": "FAILED", "parent": "KILLED",
        "main": "FINISHED",
    }  # fmt: skip
    assert (found["child"]["parent_run_id"], found["parent"]["parent_run_id"]) == ("parent", None)
    assert found["killed"]["end_time"] is None
    now = time.time()
    os.utime(str(store_1 / "0" / "killed" / "owner.json"), (now, now))
    assert tracker.get_run("killed")["metadata"]["status"] == "RUNNING"


def test_what_a_kill_a_power_cut_and_an_editor_left_of_format_1_reads(store_1):
    """Rules M4, M8, M9 and M10."""
    tracker = ExperimentTracker(runs_dir=store_1)
    for key in ("loss", "torn", "power", "pretty"):
        assert tracker.history("killed", key) == [Metric(step, T0 + step, 1 / (step + 1)) for step in range(5)]
    assert tracker.get_run("killed")["metrics"] == dict.fromkeys(["loss", "power", "pretty", "torn"], 0.2)


def test_experiments_of_format_1_with_any_id_read(store_1):
    """Rules S2, E1 and Y1."""
    tracker = ExperimentTracker(runs_dir=store_1)
    named = tracker.get_run("0123456789abcdef" * 2, 477241297577)
    assert (named["metadata"]["name"], named["metrics"]) == ("no", {"acc": 0.5})
    digits = tracker.get_run("1" * 32, "text-id")["metadata"]
    assert (digits["name"], digits["version"], digits["run_id"], digits["experiment_id"]) == (
        "12:30", "0123", "1" * 32, "text-id",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["format-0", "format-1"])
def test_reading_leaves_no_trace(tmp_path, name):
    """Rule L4: nobody writes LOST into a file."""
    store = copy_store(name, tmp_path / "mlruns")
    before = files_in(store)
    tracker = ExperimentTracker(runs_dir=store)
    for experiment in RUNS_0 if name == "format-0" else RUNS_1:
        for run_id in tracker.list_runs(experiment):
            for key in tracker.get_run(run_id, experiment)["metrics"]:
                assert tracker.history(run_id, key, experiment)
    assert files_in(store) == before


@pytest.mark.parametrize(("experiment", "run_id"), [(each, run_id) for each in RUNS_1 for run_id in RUNS_1[each]])
def test_a_run_of_format_1_goes_on_with_all_that_it_had(store_1, experiment, run_id):
    """Rules W5, W6, W9 and M13: whether its folder can be taken over or not."""
    tracker = ExperimentTracker(runs_dir=store_1)
    old = tracker.get_run(run_id, experiment)
    histories = {key: tracker.history(run_id, key, experiment) for key in old["metrics"]}
    others = {path: data for path, data in files_in(store_1).items() if Path(path).parts[1] not in (run_id, ".packs")}
    with Run(run_id, experiment, runs_dir=store_1) as run:
        for key in old["metrics"]:
            if key != "steps":
                run.log_metric(key, -1.0)
        run.log_metric("brand new", 1.0)
        run.log_params({"lr": 0.5})
        run.set_tag("team", "nlp")
    found = tracker.get_run(run_id, experiment)
    assert repr(found["params"]) == repr(dict(sorted({**old["params"], "lr": 0.5}.items())))
    assert found["tags"] == {**old["tags"], "team": "nlp"}
    for key, rows in histories.items():
        more = tracker.history(run_id, key, experiment)
        assert repr(more[: len(rows)]) == repr(rows)
        assert [(row.step, row.value) for row in more[len(rows) :]] == (
            [] if key == "steps" else [(max(row.step for row in rows) + 1, -1.0)]
        )
    assert values(tracker.history(run_id, "brand new", experiment)) == [1.0]
    assert found["metadata"]["status"] == "FINISHED"
    assert found["metadata"]["generation"] == old["metadata"]["generation"] + 1
    for field in ("name", "version", "start_time", "run_id", "experiment_id", "parent_run_id"):
        assert found["metadata"][field] == old["metadata"][field]
    kept = {path: data for path, data in files_in(store_1).items() if Path(path).parts[1] not in (run_id, ".packs")}
    assert kept == others


def test_a_metric_that_no_golden_run_has_is_told(store_1):
    with pytest.raises(MetricNotFoundError, match="It has: 'm'"):
        ExperimentTracker(runs_dir=store_1).history("child", "loss")


@pytest.mark.parametrize("path", sorted((GOLDEN / "format-1").rglob("owner.json")), ids=lambda path: path.parent.name)
def test_the_golden_owners_name_no_real_machine(path):
    """Rule W2, and that their locks tell nothing anywhere."""
    fields = json.loads(path.read_text(encoding="utf-8"))
    assert (fields["host"], fields["device"], fields["inode"], len(path.read_bytes())) == ("host", 1, 1, 2048)
