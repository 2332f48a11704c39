"""When does what was logged reach the disk, and in which order?"""

import errno
import os
import sys
import time

import pytest

from mini_mlflow import Run, RunEndedError, StorageWarning, active
from mini_mlflow.store import reader
from mini_mlflow.store.writer import RunWriter

pytestmark = [
    pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="the names of open files stand in /proc"),
    pytest.mark.usefixtures("synced_ends"),
]


@pytest.fixture
def events(tmp_path, monkeypatch):
    """What happens to files, in order: ("sync", path) and ("replace", path), below the store's parent."""
    found = []
    fsync, replace = os.fsync, os.replace

    def name_of(descriptor):
        return os.path.relpath(os.readlink("/proc/self/fd/%d" % descriptor), str(tmp_path))

    def seen_fsync(descriptor):
        found.append(("sync", name_of(descriptor)))
        fsync(descriptor)

    def seen_replace(source, target):
        replace(source, target)
        found.append(("replace", os.path.relpath(target, str(tmp_path))))

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(os, "replace", seen_replace)
    return found


def logged_run(tmp_path):
    run = Run(run_id="r", runs_dir=str(tmp_path / "mlruns"))
    run.log_param("lr", 0.1)
    run.set_tag("t", "x")
    for step in range(300):
        run.log_metric("loss", step)
        run.log_metric("acc", step)
    return run


FILES = {"params/lr.json", "tags/t.json", "metrics/loss.json", "metrics/acc.json", "owner.json"}
FOLDERS = {"params", "tags", "metrics", "."}


def under_run(path):
    return os.path.relpath(path, os.path.join("mlruns", "0", "r"))


def test_nothing_is_synced_while_a_run_lives(tmp_path, events):
    """Rule P2."""
    run = logged_run(tmp_path)
    assert [event for event in events if event[0] == "sync"] == []
    run.end()


def test_at_the_end_files_come_first_then_meta_yaml_then_its_folder(tmp_path, events):
    """Rule P2."""
    run = logged_run(tmp_path)
    del events[:]
    run.end()
    meta_at = events.index(("replace", "mlruns/0/r/meta.yaml"))
    before = {under_run(path) for kind, path in events[: meta_at - 1] if kind == "sync"}
    assert before >= FILES
    assert before >= FOLDERS
    assert before >= {"..", "../..", "../../.."}  # the experiment, the store, and the folder that names the store
    assert events[meta_at - 1][0] == "sync"
    assert os.path.basename(events[meta_at - 1][1]).startswith(".tmp-")  # whole on the disk before it has its name
    assert events[meta_at + 1 :] == [("sync", "mlruns/0/r")]


def test_each_folder_is_synced_after_the_files_that_it_names(tmp_path, events):
    """Rule P2."""
    run = logged_run(tmp_path)
    del events[:]
    run.end()
    order = [path for kind, path in events if kind == "sync"]
    for path in order:
        if path.endswith(".json"):
            assert order.index(path) < order.index(os.path.dirname(path))


def test_a_joiner_syncs_its_share_and_writes_no_meta_yaml(tmp_path, events):
    """Rules P2 and W7."""
    run = Run(run_id="r", runs_dir=str(tmp_path / "mlruns"))
    joiner = logged_run(tmp_path)
    del events[:]
    joiner.end()
    (name,) = os.listdir(str(tmp_path / "mlruns" / "0" / "r" / "writers"))
    share = os.path.join("writers", name)
    synced = {under_run(path) for kind, path in events if kind == "sync"}
    assert synced >= {os.path.join(share, path) for path in FILES} | {share, "writers", "."}
    assert "meta.yaml" not in synced
    assert [path for kind, path in events if kind == "replace"] == []
    run.end()


def test_with_fsync_off_nothing_is_ever_synced(tmp_path, events, monkeypatch):
    """Rule P2."""
    monkeypatch.setenv("MINI_MLFLOW_FSYNC", "off")
    logged_run(tmp_path).end()
    assert [event for event in events if event[0] == "sync"] == []


def test_a_number_of_seconds_syncs_while_the_run_lives_too(tmp_path, events, monkeypatch):
    """Rule P2."""
    monkeypatch.setenv("MINI_MLFLOW_FSYNC", "0.001")
    run = logged_run(tmp_path)
    clock = sys.modules["mini_mlflow.store.appender"]
    now = time.time_ns()
    monkeypatch.setattr(clock, "time_ns", lambda: now + 10**10)
    run.log_metric("loss", 1)
    synced = {under_run(path) for kind, path in events if kind == "sync"}
    assert synced >= {"params/lr.json", "metrics/loss.json", "metrics"}
    run.end()


def test_ctrl_c_in_a_slow_sync_leaves_a_run_that_has_ended(tmp_path, monkeypatch):
    """Rule P2: how it ended is known, and is said; only the sync of its values was broken off."""
    store = str(tmp_path)
    run = Run(run_id="r", runs_dir=store)
    run.log_metric("loss", 0.5)

    def interrupt(self, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(RunWriter, "sync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run.end()
    record = reader.read_run(store, 0, "r")
    assert (record.metadata["status"], record.metrics) == ("FINISHED", {"loss": 0.5})
    with pytest.raises(RunEndedError):
        run.log_metric("loss", 1.0)
    assert run not in active.live_runs()


def test_h04_a_file_whose_sync_fails_is_written_anew_and_it_is_told(tmp_path, monkeypatch):
    """Rule P2: a second sync of the same file would succeed without having written what the first one dropped."""
    run = Run(run_id="r", runs_dir=tmp_path)
    for step in range(200):
        run.log_metric("loss", step / 8)
    path = tmp_path / "0" / "r" / "metrics" / "loss.json"
    before = path.stat().st_ino, path.read_bytes()
    fsync = os.fsync

    def fail_for_the_metric(descriptor):
        if os.fstat(descriptor).st_ino == before[0]:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_for_the_metric)
    with pytest.warns(StorageWarning, match="not brought to the disk"):
        run.end()
    assert path.stat().st_ino != before[0]
    assert path.read_bytes() == before[1]
