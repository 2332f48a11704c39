"""What is checked and mended while runs are being written, and while a repair is killed."""

import os
import subprocess
import sys
import threading
import time

import pytest
from broken_store import content, files_in, write

from mini_mlflow import Run, list_deleted_runs
from mini_mlflow.check.findings import WARNING
from mini_mlflow.check.stores import check_store, repair_store
from mini_mlflow.store import mending, trash


def test_a_run_that_is_written_is_counted_and_its_metrics_are_left_alone(sound):
    run = Run(runs_dir=sound.folder, run_id="alive")
    run.log_metric("loss", 1)
    path = os.path.join(sound.folder, "0", "alive", "metrics", "loss.json")
    write(path, content(path)[:-5])
    report = check_store(sound.folder)
    assert (report.living, report.findings) == (1, [])


def test_no_file_of_a_run_that_is_written_is_mended(sound):
    run = Run(runs_dir=sound.folder, run_id="alive")
    run.log_param("lr", 1)
    path = os.path.join(sound.folder, "0", "alive", "params", "lr.json")
    write(path, "")
    before = files_in(sound.folder)
    repair = repair_store(sound.folder)
    assert repair.mended == []
    assert [(each.finding.rule, each.reason) for each in repair.unmended] == [("D1", repair.unmended[0].reason)]
    assert "is being written by process %d" % os.getpid() in repair.unmended[0].reason
    assert files_in(sound.folder) == before


def test_a_run_that_somebody_begins_to_write_while_it_is_looked_at_is_looked_at_again(sound, monkeypatch):
    write(sound.loss, content(sound.loss)[:-5])
    from mini_mlflow.check import runs

    looks = []

    def living(folder):
        looks.append(folder)
        return len(looks) > 1

    monkeypatch.setattr(runs, "_is_living", living)
    faults = runs.check_run(sound.folder, sound.run, "first", "0", time.time())
    assert (faults.living, faults.found) == (1, [])


def test_a_run_in_the_trash_that_is_written_is_told_of(sound):
    """Rule T3."""
    run = Run(runs_dir=sound.folder, run_id="alive")
    run.log_metric("loss", 1)
    there = os.path.join(sound.folder, "0", ".trash")
    os.mkdir(there)
    os.rename(os.path.join(sound.folder, "0", "alive"), os.path.join(there, "alive"))
    findings = check_store(sound.folder).findings
    assert ("T3", WARNING, "0/.trash/alive") in [finding[:3] for finding in findings]


def test_runs_in_the_trash_are_checked_and_mended(sound):
    trash.delete_run(sound.folder, 0, "first")
    path = os.path.join(sound.folder, "0", ".trash", "first", "metrics", "loss.json")
    write(path, content(path)[:-5])
    assert [finding.path for finding in sound.findings()] == ["0/.trash/first/metrics/loss.json"]
    os.utime(os.path.join(sound.folder, "0", ".trash", "first"), (1000, 1000))
    (deleted,) = list_deleted_runs(0, runs_dir=sound.folder)
    repair_store(sound.folder)
    assert sound.findings() == []
    assert list_deleted_runs(0, runs_dir=sound.folder) == [deleted]  # rule T2: the folder's time says when


def test_a_run_can_be_resumed_after_a_repair_and_waits_for_one(sound):
    write(sound.loss, content(sound.loss)[:-5])
    started, ready = threading.Event(), threading.Event()
    mend = mending.close_metric

    def slow(path):
        ready.set()
        started.wait(10)
        mend(path)

    mending.close_metric = slow
    try:
        thread = threading.Thread(target=repair_store, args=(sound.folder,))
        thread.start()
        assert ready.wait(10)
        script = "import sys; from mini_mlflow import Run; r = Run(runs_dir=sys.argv[1], run_id='first'); "
        script += "r.log_metric('loss', 77.0, step=5000); r.end()"
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
        process = subprocess.Popen([sys.executable, "-c", script, sound.folder], env=environment)
        started.set()
        thread.join(20)
        assert process.wait(60) == 0
    finally:
        mending.close_metric = mend
    assert 77.0 in [row.value for row in sound.rows()]
    assert sound.findings() == []


def test_two_repairs_at_once_mend_everything_once_and_lose_nothing(sound):
    rows = sound.rows()
    data = content(sound.loss)
    write(sound.loss, data[: data.rindex(b"\n]")])
    write(sound.path("params", "empty.json"), "")
    threads = [threading.Thread(target=repair_store, args=(sound.folder,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sound.findings() == []
    assert sound.rows() == rows


@pytest.mark.parametrize("number", range(40))
def test_h25_a_repair_that_is_killed_at_any_call_leaves_what_the_next_one_mends(sound, at_once, number):
    rows, params = sound.rows(), sound.read().params
    data = content(sound.loss)
    write(sound.loss, data[: data.rindex(b"\n]")] + b"\0" * 30)
    os.rename(sound.path("metrics", "acc.json"), sound.path("metrics", "ACC.json"))
    write(sound.path("params", "empty.json"), "")
    write(sound.path("params", ".tmp-0123456789abcdef"), "x")
    os.makedirs(os.path.join(sound.folder, ".tmp-0123456789abcdef", "x"))
    script = """
import os, sys
from mini_mlflow.check import artifact_tree, leftovers, stores
leftovers.LEFTOVER_S = artifact_tree._LEFTOVER_S = stores._HIDDEN_S = -1.0
left = [int(sys.argv[2])]
def counted(call):
    def counting(*arguments, **more):
        if left[0] == 0:
            os.kill(os.getpid(), 9)
        left[0] -= 1
        return call(*arguments, **more)
    return counting
for name in ("rename", "replace", "link", "unlink", "fsync", "write", "utime", "mkdir", "rmdir"):
    setattr(os, name, counted(getattr(os, name)))
stores.repair_store(sys.argv[1])
"""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    arguments = [sys.executable, "-c", script, sound.folder, str(number)]
    code = subprocess.run(arguments, env=environment, check=False).returncode
    assert code in (-9, 0)
    repair_store(sound.folder)
    assert check_store(sound.folder).findings == []
    assert sound.rows() == rows
    assert sound.read().params == params
    assert sound.read().metrics["acc"] == 0.5
