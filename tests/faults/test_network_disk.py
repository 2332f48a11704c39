"""What becomes of a run on a network file system: no locks, forgotten descriptors, late answers and late errors?

No NFS server runs here: the interposer answers as one does.
"""

import errno
import json
import os
import random
import shutil
import time

import pytest
import scenarios
import verdict
from power_cut import Recording

from mini_mlflow import ExperimentTracker

pytestmark = pytest.mark.long

ALL = os.environ.get("FAULTS") == "all"
STRIDE = 1 if ALL else 4
NO_LOCKS = {"FAULTS_AT": 1, "FAULTS_FOREVER": 1, "FAULTS_ONLY": "flock"}
PROCESSES, VALUES = 6, 150
LIVE = """
import sys, warnings
from mini_mlflow import Run
from mini_mlflow.store import machine
warnings.simplefilter("always")
machine.is_local_device = lambda device: False
number = int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
run = Run(run_id="run", runs_dir=sys.argv[1])
first = 0
for line in sys.stdin:
    if line == "end\\n":
        break
    for value in range(first, first + int(line)):
        run.log_metric("loss", number * 1000.0 + value, step=value)
    first += int(line)
    run.log_param("p%d" % number, first)
    print(first, flush=True)
run.end()
"""


def tell(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()


def answer(process):
    line = process.stdout.readline().strip()
    assert line, process.stderr.read()
    return line


def leave(process):
    tell(process, "end")
    assert process.wait() == 0, process.stderr.read()


def open_run(meddled, store, number, **faults):
    process = meddled(LIVE, store, number, **faults)
    assert answer(process) == "ready"
    return process


def log(process, count):
    tell(process, str(count))
    return int(answer(process))


def check_rows(store, wanted):
    rows = ExperimentTracker(runs_dir=str(store)).history("run", "loss")
    assert sorted((row.step, row.value) for row in rows) == sorted(wanted)
    for path in store.glob("0/run/**/loss.json"):
        history = json.loads(path.read_text(encoding="utf-8"))["history"]
        assert len({value // 1000 for _, _, value in history}) == 1, path


def rows_by(number, count, first=0):
    return [(value, number * 1000.0 + value) for value in range(first, first + count)]


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP], ids=errno.errorcode.get)
def test_h21_without_locks_processes_that_start_together_write_files_of_their_own(meddled, tmp_path, number):
    """Rules W1, W2 and W7."""
    store = tmp_path / "store"
    processes = [open_run(meddled, store, each, FAULTS_ACTION=number, **NO_LOCKS) for each in range(PROCESSES)]
    for process in processes:
        tell(process, "go\n%d" % VALUES)
    for process in processes:
        assert int(answer(process)) == VALUES
    for process in processes:
        leave(process)
    check_rows(store, [row for each in range(PROCESSES) for row in rows_by(each, VALUES)])
    assert len(list(store.glob("0/run/writers/*/owner.json"))) == PROCESSES - 1
    record = ExperimentTracker(runs_dir=str(store)).get_run("run")
    assert record["metadata"]["status"] == "FINISHED"
    assert record["params"] == {"p%d" % each: VALUES for each in range(PROCESSES)}


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP], ids=errno.errorcode.get)
def test_h21_without_locks_the_heartbeat_tells_and_nobody_takes_anothers_files(meddled, tmp_path, number):
    """Rules L2, L3 and W5: also where the silent owner was only asleep."""
    store = tmp_path / "store"
    faults = dict(NO_LOCKS, FAULTS_ACTION=number)
    tracker = ExperimentTracker(runs_dir=str(store))
    owner, joiner, heir = [open_run(meddled, store, each, **faults) for each in range(3)]
    tell(owner, "go")
    log(owner, 50)
    tell(joiner, "go")
    log(joiner, 50)
    assert tracker.get_run("run")["metadata"]["status"] == "RUNNING"
    long_ago = time.time() - 700
    os.utime(str(store / "0" / "run" / "owner.json"), (long_ago, long_ago))
    assert tracker.get_run("run")["metadata"]["status"] == "LOST"
    tell(heir, "go")
    log(heir, 50)
    assert tracker.get_run("run")["metadata"]["status"] == "RUNNING"
    log(owner, 50)
    log(joiner, 50)
    leave(heir)
    assert tracker.get_run("run")["metadata"]["status"] == "FINISHED"
    leave(owner)
    leave(joiner)
    assert tracker.get_run("run")["metadata"]["generation"] == 1
    check_rows(store, rows_by(0, 100) + rows_by(1, 100) + rows_by(2, 50))


def test_h05_a_descriptor_that_is_stale_once_is_opened_again_and_nobody_need_know(cases, tmp_path):
    """Rule P4."""
    store = tmp_path / "store"
    for at in range(1, cases.run("whole_run", store, only="pwrite")["count"] + 1, STRIDE):
        shutil.rmtree(str(store))
        report = cases.run("whole_run", store, at=at, action=errno.ESTALE, only="pwrite")
        assert (report["result"], report["warnings"]) == ("FINISHED", [])
        verdict.check_nothing_lost(store, report["acknowledged"])
        verdict.check_files(store)


def test_h05_a_server_that_forgets_every_open_file_at_any_moment_costs_no_value(cases, tmp_path):
    """Rules P4 and W11: the locks are gone with the descriptors."""
    store = tmp_path / "store"
    calls = cases.run("whole_run", store)["count"]
    for at in range(1, calls + 1, STRIDE):
        shutil.rmtree(str(store))
        report = cases.run("whole_run", store, at=at, action="stale")
        assert report["signal"] == 0
        if report["error"] is not None:
            assert report["acknowledged"] == []
            continue
        assert report["result"] == "FINISHED"
        assert verdict.check_nothing_lost(store, report["acknowledged"])["status"] == "FINISHED"
        verdict.check_files(store)


@pytest.mark.parametrize("number", [errno.EDQUOT, errno.ENOSPC], ids=errno.errorcode.get)
def test_h02_a_quota_that_shows_only_when_files_are_synced_is_told_at_the_end(cases, tmp_path, number):
    """Rules P2 and P4."""
    store = tmp_path / "store"
    for at in range(1, cases.run("whole_run", store, only="fsync")["count"] + 1):
        for forever in (False, True):
            shutil.rmtree(str(store))
            report = cases.run("whole_run", store, at=at, forever=forever, action=number, only="fsync")
            assert (report["signal"], report["error"], report["result"]) == (0, None, "FINISHED")
            assert 1 <= len(report["warnings"]) <= 2
            assert all(" ended, but " in text for text in report["warnings"])
            verdict.check_nothing_lost(store, report["acknowledged"])
            verdict.check_files(store)


@pytest.mark.parametrize("name", ["open", "mkdir", "link", "rename", "unlink"])
def test_g13_a_call_that_was_repeated_and_calls_our_own_an_obstacle_neither_loses_nor_doubles(cases, tmp_path, name):
    """Rules D1 and D5."""
    store = tmp_path / "store"
    calls = cases.run("whole_run", store, only=name)["count"]
    assert calls
    for at in range(1, calls + 1):
        shutil.rmtree(str(store))
        report = cases.run("whole_run", store, at=at, action="repeated", only=name)
        assert (report["signal"], report["error"], report["result"]) == (0, None, "FINISHED")
        assert verdict.check_nothing_lost(store, report["acknowledged"])["status"] == "FINISHED"
        verdict.check_files(store)
        assert sorted(path.name for path in store.glob("0/[!.]*")) == ["meta.yaml", "run"]


def test_g13_a_joiner_whose_mkdir_was_repeated_keeps_every_value(cases, meddled, tmp_path):
    """Rules W7 and P4."""
    store = tmp_path / "store"
    owner = open_run(meddled, store, 0)
    tell(owner, "go")
    log(owner, 1)
    calls = cases.run("resumed_run", store, only="mkdir,link")["count"]
    assert calls
    rows = 1 + scenarios.LOSSES
    for at in range(1, calls + 1):
        report = cases.run("resumed_run", store, at=at, action="repeated", only="mkdir,link")
        assert (report["signal"], report["error"]) == (0, None)
        rows += scenarios.LOSSES
        assert len(ExperimentTracker(runs_dir=str(store)).history("run", "loss")) == rows
    leave(owner)


def test_h21_a_lock_that_is_granted_twice_costs_the_values_of_about_a_second_and_is_told(meddled, tmp_path):
    """Rules M12 and W11: two processes of one machine append to one file until they look."""
    store = tmp_path / "store"
    faults = dict(NO_LOCKS, FAULTS_ACTION="granted")
    first, second = [open_run(meddled, store, number, **faults) for number in range(2)]
    tell(first, "go")
    log(first, 40)
    begin = time.time() * 1000
    tell(second, "go")
    counts, deadline = [40, 0], time.monotonic() + 60
    while not list(store.glob("0/run/writers/*/metrics")):
        counts = [log(first, 1), log(second, 1)]
        assert time.monotonic() < deadline
    end = time.time() * 1000
    assert end - begin < 10000
    counts = [log(first, 20), log(second, 20)]
    for process in (first, second):
        tell(process, "end")
    told = [process.communicate()[1] for process in (first, second)]
    assert any("was changed by somebody else" in text for text in told)
    found = {(row.step, row.value) for row in ExperimentTracker(runs_dir=str(store)).history("run", "loss")}
    logged = {row for number in range(2) for row in rows_by(number, counts[number])}
    assert found <= logged  # two texts on top of each other give no number that nobody logged
    assert set(rows_by(0, 40)) <= found
    share = set(rows_by(0, 20, counts[0] - 20)), set(rows_by(1, 20, counts[1] - 20))
    assert share[0] <= found or share[1] <= found  # whoever moved out first has its own files


def test_a_reader_that_sees_any_mix_of_older_files_reads_a_correct_prefix(cases, tmp_path):
    """Rules M8 and M9: late visibility, as between two machines."""
    report = cases.run("whole_run", tmp_path / "store", log=tmp_path / "log")
    assert report["result"] == "FINISHED"
    recording = Recording(tmp_path / "log", tmp_path / "store")
    every = [item for _, item in recording.acknowledged if len(item) == 3]
    seen = 0
    for seed in range(4000 if ALL else 250):
        chance = random.Random(seed)
        view = tmp_path / "view"
        recording.view(chance.randrange(1, recording.length + 1), chance, view)
        found = verdict.stored(view)
        for key in ("loss", "acc", "Loss"):
            rows = [item for item in found["values"] if item[0] == key]
            assert rows == [item for item in every if item[0] == key][: len(rows)]
        assert [item for item in found["values"] if item not in every] == []
        seen += bool(found["values"])
        shutil.rmtree(str(view))
    assert seen > 40
