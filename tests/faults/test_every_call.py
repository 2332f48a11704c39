"""Does a run survive whatever a single system call may answer, or a kill at any of them?"""

import errno
import json
import os
import shutil
import signal

import pytest
import verdict

from mini_mlflow import ExperimentTracker
from mini_mlflow.store import experiments, reader

pytestmark = pytest.mark.long

# Every call in turn with FAULTS=all; else each errno takes every n-th call, so that the calls are covered together.
STRIDE = 1 if os.environ.get("FAULTS") == "all" else 6
TRANSIENT = [
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.ESTALE,
    errno.EMFILE,
    errno.EACCES,
    errno.EROFS,
    errno.EINTR,
]


def numbers(cases, scenario, store, prepare=None, stride=1, first=1):
    """Return the numbers of the calls that a scenario makes."""
    if prepare is not None:
        prepare(store)
    report = cases.run(scenario, store)
    assert report["error"] is None
    shutil.rmtree(str(store))
    return range(first, report["count"] + 1, stride)


@pytest.mark.parametrize("number", TRANSIENT, ids=errno.errorcode.get)
def test_h01_an_error_of_any_one_call_loses_no_value_and_lets_training_live(cases, tmp_path, number):
    """Rules P3 and P4."""
    store = tmp_path / "store"
    first = 1 + TRANSIENT.index(number) % STRIDE
    for at in numbers(cases, "whole_run", store, stride=STRIDE, first=first):
        report = cases.run("whole_run", store, at=at, action=number)
        assert report["signal"] == 0
        if report["error"] is None:
            assert report["result"] == "FINISHED"
            verdict.check_nothing_lost(store, report["acknowledged"])
            verdict.check_files(store)
            assert len([text for text in report["warnings"] if "ended, but" not in text]) <= 1
        else:
            assert report["acknowledged"] == []  # only the start may refuse, when there is nothing to lose yet
            assert "Error" in report["error"].split(":")[0]
        shutil.rmtree(str(store), ignore_errors=True)


@pytest.mark.parametrize("only", ["pwrite", "write,pwrite", "open", "fsync", "rename", "link", "stat,fstat", "close"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_h01_a_disk_that_refuses_from_some_call_on_keeps_what_it_took_and_tells_the_rest(cases, tmp_path, only, number):
    """Rule P4."""
    store = tmp_path / "store"
    calls = cases.run("whole_run", store, only=only)["count"]
    shutil.rmtree(str(store))
    for at in range(1, calls + 1, max(1, calls // 12)):
        report = cases.run("whole_run", store, at=at, forever=True, action=number, only=only)
        assert report["signal"] == 0
        if report["error"] is None:
            rows = [item for item in report["acknowledged"] if item[0] in ("loss", "acc", "Loss")]
            found = [item for item in verdict.stored(store)["values"] if item[0] in ("loss", "acc", "Loss")]
            assert [item for item in found if item not in rows] == []
            told = [text for text in report["warnings"] if "these values could not be written" in text]
            if len(found) < len(rows):
                assert len(told) == 1
            for key in ("loss", "acc", "Loss"):
                there = [item for item in found if item[0] == key]
                assert there == [item for item in rows if item[0] == key][: len(there)]
        else:
            assert report["acknowledged"] == []
        shutil.rmtree(str(store), ignore_errors=True)


CHANGING = "pwrite,write,link,rename,mkdir,unlink,utimensat,ftruncate"


@pytest.mark.parametrize("length", [2, 9])
def test_h07_a_disk_that_only_reads_for_a_while_gets_the_late_values_in_order(cases, tmp_path, length):
    """Rule P4: a remount that refuses every change, and its end before that of the run."""
    store = tmp_path / "store"
    calls = cases.run("slow_run", store, only=CHANGING)["count"]
    shutil.rmtree(str(store))
    late = 0
    for at in range(1, calls - 40, 1 if STRIDE == 1 else 4):
        report = cases.run("slow_run", store, at=at, forever=length, action=errno.EROFS, only=CHANGING)
        assert report["signal"] == 0
        if report["error"] is None:
            assert report["result"] == "FINISHED"
            assert len(report["warnings"]) <= 1
            late += len(report["warnings"])
            assert verdict.check_nothing_lost(store, report["acknowledged"])["status"] == "FINISHED"
            verdict.check_files(store)
            for path in store.glob("0/run/metrics/*.json"):
                steps = [row[0] for row in json.loads(path.read_text(encoding="utf-8"))["history"]]
                assert steps == sorted(steps)
        else:
            assert report["acknowledged"] == []
        shutil.rmtree(str(store), ignore_errors=True)
    assert late >= 8


def test_h18_a_clock_that_is_set_back_and_forward_costs_no_value_and_makes_no_run_lost(cases, tmp_path):
    """Rules L1 and M12: by a day, to 1970 and to 2039."""
    store = tmp_path / "store"
    report = cases.run("run_under_a_jumping_clock", store)
    assert (report["error"], report["result"], report["warnings"]) == (None, "FINISHED", [])
    statuses = [item[1] for item in report["acknowledged"] if item[0] == "status"]
    assert statuses == ["RUNNING"] * 6
    assert verdict.check_nothing_lost(store, report["acknowledged"])["status"] == "FINISHED"
    verdict.check_files(store)
    tracker = ExperimentTracker(runs_dir=str(store))
    days = {row.timestamp // 86400000 for row in tracker.history("run", "loss")}
    assert len(days) == 5  # the clock did jump
    found = tracker.get_run("run")["metadata"]
    assert found["end_time"] >= found["start_time"]


def test_h03_a_short_write_at_any_place_loses_nothing(cases, tmp_path):
    """Rule P3."""
    store = tmp_path / "store"
    calls = cases.run("whole_run", store, only="write,pwrite")["count"]
    for at in range(1, calls + 1, 1 if STRIDE == 1 else 2):
        shutil.rmtree(str(store))
        report = cases.run("whole_run", store, at=at, action="short", only="write,pwrite")
        assert (report["signal"], report["error"], report["result"]) == (0, None, "FINISHED")
        verdict.check_nothing_lost(store, report["acknowledged"])
        verdict.check_files(store)


@pytest.mark.parametrize(("action", "first"), [("kill", 1), ("killed", 3)])
def test_a_kill_before_or_after_any_call_loses_no_acknowledged_value(cases, tmp_path, action, first):
    """Rules P1, D1 and M4."""
    store = tmp_path / "store"
    for at in numbers(cases, "whole_run", store, **({} if STRIDE == 1 else {"first": first, "stride": 4})):
        report = cases.run("whole_run", store, at=at, action=action)
        assert report["signal"] in (0, signal.SIGKILL)
        found = verdict.check_nothing_lost(store, report["acknowledged"])
        verdict.check_files(store)
        if report["acknowledged"]:
            assert found["status"] in ("LOST", "FINISHED")
        resumed = cases.run("resumed_run", store)
        assert (resumed["error"], resumed["result"]) == (None, "FINISHED")
        verdict.check_files(store)
        losses = [item for item in report["acknowledged"] + resumed["acknowledged"] if item[0] == "loss"]
        there = verdict.stored(store)
        assert there["status"] == "FINISHED"
        assert [item for item in losses if item not in there["values"]] == []
        shutil.rmtree(str(store))


@pytest.mark.parametrize("action", ["kill", str(errno.ENOSPC), str(errno.EIO)])
def test_a_fault_at_any_call_of_a_resume_keeps_what_was_there(cases, tmp_path, action):
    """Rules W4, W5 and M13."""
    original, store = tmp_path / "original", tmp_path / "store"
    before = cases.run("left_run", original)["acknowledged"]

    def prepare(folder):
        shutil.copytree(str(original), str(folder))

    for at in numbers(cases, "resumed_run", store, prepare, stride=1 if STRIDE == 1 else 5):
        prepare(store)
        report = cases.run("resumed_run", store, at=at, action=action)
        there = verdict.stored(store)["values"]
        rows = [item for item in before + report["acknowledged"] if item[0] in ("loss", "acc", "Loss")]
        assert [item for item in rows if item not in there] == []
        verdict.check_files(store)
        shutil.rmtree(str(store))


@pytest.mark.parametrize("action", ["kill", "killed", str(errno.ENOSPC), str(errno.EIO)])
def test_a_kill_or_a_fault_at_any_call_of_a_move_leaves_the_run_whole_in_one_experiment(cases, tmp_path, action):
    """Rule T7."""
    original, store = tmp_path / "original", tmp_path / "store"
    cases.run("whole_run", original)
    experiments.ensure(str(original), 7, 1)
    before = ExperimentTracker(runs_dir=str(original)).get_run("run")

    def prepare(folder):
        shutil.copytree(str(original), str(folder))

    places = set()
    for at in numbers(cases, "moved_run", store, prepare):
        prepare(store)
        report = cases.run("moved_run", store, at=at, action=action)
        (place,) = reader.find_experiments(str(store), "run")
        places.add(place)
        assert place == 7 or ["moved"] not in report["acknowledged"]
        found = ExperimentTracker(runs_dir=str(store), experiment_id=place).get_run("run")
        assert found["params"] == before["params"]
        assert found["metrics"] == before["metrics"]
        assert found["metadata"]["status"] == "FINISHED"
        assert found["metadata"]["experiment_id"] == place
        again = cases.run("moved_run", store)
        assert (again["error"], reader.find_experiments(str(store), "run")) == (None, [7])
        shutil.rmtree(str(store))
    assert places == {0, 7}


def test_an_error_of_any_one_call_of_a_reader_is_told_and_nothing_is_changed(cases, tmp_path):
    """Rule S4."""
    store = tmp_path / "store"
    cases.run("whole_run", store)
    before = sorted((path.relative_to(store), path.read_bytes()) for path in store.rglob("*") if path.is_file())
    calls = cases.run("read_run", store)["count"]
    for at in range(1, calls + 1):
        report = cases.run("read_run", store, at=at, action=errno.EIO)
        assert report["signal"] == 0
        kind = (report["error"] or "").split(":")[0]
        assert kind in ("", "OSError", "BrokenFileError", "RunNotFoundError")
    after = sorted((path.relative_to(store), path.read_bytes()) for path in store.rglob("*") if path.is_file())
    assert after == before


def test_h02_a_quota_that_shows_only_at_close_is_told(cases, tmp_path):
    """Rule P4: without a sync, closing is the only moment at which NFS says so."""
    calls = cases.run("unsynced_run", tmp_path / "sound", only="close")["count"]
    told = 0
    for at in range(1, calls + 1):
        report = cases.run("unsynced_run", tmp_path / str(at), at=at, action=errno.EDQUOT, only="close", forever=True)
        assert report["signal"] == 0
        told += bool([text for text in report["warnings"] if "may lack values" in text])
        if report["error"] is None and at < calls - 2:
            assert report["warnings"]
    assert told > 0
