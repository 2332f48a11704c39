"""What a writer sees to about once a second, beside writing values."""

import errno
import os
import threading

import pytest
from logged import Clock, content, log, metric_path, open_writer, values

from mini_mlflow import InvalidValueError, Run, StorageWarning
from mini_mlflow.store import opening
from mini_mlflow.store.descriptors import DescriptorPool

pytestmark = pytest.mark.usefixtures("synced_ends")


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def writer(tmp_path, clock):
    """A writer with one metric, a second after its first value."""
    writer = open_writer(tmp_path)
    log(writer, "loss", 0.5)
    clock.now_ms += 1500
    yield writer
    writer.release()


class Chore:
    """Something to be done, that counts its calls and is done with the *last* one."""

    def __init__(self, last=10**9, error=None):
        self.calls = 0
        self.last = last
        self.error = error

    def __call__(self):
        self.calls += 1
        if self.error is not None:
            raise self.error
        return self.calls >= self.last


def test_a_chore_is_called_once_a_second_by_whichever_metric_comes_first(writer, clock):
    chore = Chore()
    writer.chores.append(chore)
    for _ in range(5):
        for step in range(50):
            log(writer, "loss", step)
            log(writer, "acc", step)
        clock.now_ms += 1000
    assert chore.calls == 5


def test_a_param_sees_to_chores_too(writer):
    chore = Chore()
    writer.chores.append(chore)
    writer.write_value("params", "lr", 0.1)
    assert chore.calls == 1


def test_a_chore_that_is_done_is_not_called_again_and_the_others_are(writer, clock):
    short, long = Chore(last=2), Chore(last=4)
    writer.chores.extend([short, long])
    for _ in range(6):
        log(writer, "loss", 1.0)
        clock.now_ms += 1000
    assert (short.calls, long.calls) == (2, 4)
    assert writer.chores == []


def test_a_clock_that_was_set_back_stops_no_chore(writer, clock):
    chore = Chore()
    writer.chores.append(chore)
    log(writer, "loss", 1.0)
    clock.now_ms -= 10**9
    log(writer, "loss", 1.0)
    assert chore.calls == 2


def test_a_chore_may_log_and_write_meta_yaml(writer):
    """What it logs is written before the call that it came with returns (rule P1)."""

    def chore():
        writer.write_value("tags", "commit", "abc")
        writer.write_row("chore", "1", None, None, 1)
        writer.write_meta(dirty=True)
        return True

    writer.chores.append(chore)
    log(writer, "loss", 0.25)
    assert b'"abc"' in content(os.path.join(writer.folder, "tags", "commit.json"))
    assert values(writer, "chore") == [1]
    assert values(writer, "loss") == [0.5, 0.25]
    assert b"dirty: true\n" in content(os.path.join(writer.folder, "meta.yaml"))


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), InvalidValueError("odd")])
def test_a_chore_that_cannot_do_its_work_is_told_once_and_tried_again_and_values_are_written(writer, clock, error):
    """Rule P4."""
    chore = Chore(error=error)
    writer.chores.append(chore)
    with pytest.warns(StorageWarning, match="beside its values") as told:
        for step in range(3):
            log(writer, "loss", step)
            clock.now_ms += 1000
    assert (len(told), chore.calls) == (1, 3)
    assert values(writer, "loss") == [0.5, 0, 1, 2]


def test_a_chore_that_is_wrong_itself_raises_once_after_the_value_is_written(writer, clock):
    writer.chores.append(Chore(error=ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        log(writer, "loss", 1.0)
    clock.now_ms += 1000
    log(writer, "loss", 2.0)
    assert values(writer, "loss") == [0.5, 1.0, 2.0]


def test_a_chore_may_end_the_run(writer):
    writer.chores.append(lambda: bool(writer.close(status="FINISHED")) or True)
    log(writer, "loss", 1.0)
    assert writer.is_closed
    assert values(writer, "loss") == [0.5, 1.0]


def test_a_fork_does_not_do_its_parents_chores(writer, clock, monkeypatch):
    """Rule W10."""
    chore = Chore()
    writer.chores.append(chore)
    writer.extra_files.append("artifact")
    writer.lock.acquire()  # a child gets a lock of its own
    writer.become_child(DescriptorPool())
    log(writer, "loss", 1.0)
    assert (chore.calls, writer.chores, len(writer.extra_files)) == (0, [], 0)


@pytest.fixture
def synced(tmp_path, monkeypatch):
    """The paths that were brought to the disk, below the store, in order."""
    found = []
    fsync = os.fsync

    def seen(descriptor):
        found.append(os.path.relpath(os.readlink("/proc/self/fd/%d" % descriptor), str(tmp_path)))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", seen)
    return found


def save_artifact(folder, name):
    path = os.path.join(folder, "artifacts", *name.split("/"))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write("weights")
    return path


needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="the names of open files stand in /proc")


@needs_proc
def test_further_files_are_brought_to_the_disk_at_the_end_with_the_folders_that_name_them(tmp_path, synced):
    """Rule P2."""
    run = Run(run_id="r", runs_dir=tmp_path)
    run._writer.extra_files.append(save_artifact(run._folder, "a/b/model.pt"))
    assert synced == []
    run.end()
    expected = ["artifacts/a/b/model.pt", "artifacts/a/b", "artifacts/a", "artifacts"]
    assert [path for path in synced if "artifacts" in path] == ["0/r/" + path for path in expected]
    assert synced.index("0/r/artifacts") < synced.index("0/r")


@needs_proc
def test_with_fsync_off_further_files_are_left_to_the_kernel_too(tmp_path, synced, monkeypatch):
    """Rule P2."""
    monkeypatch.setenv("MINI_MLFLOW_FSYNC", "off")
    run = Run(run_id="r", runs_dir=tmp_path)
    run._writer.extra_files.append(save_artifact(run._folder, "model.pt"))
    run.end()
    assert synced == []


@needs_proc
def test_a_joiner_without_a_value_brings_its_artifacts_to_the_disk(tmp_path, synced):
    """Rules P2 and W7: it has no share, and saved a file all the same."""
    run = Run(run_id="r", runs_dir=tmp_path)
    joiner = Run(run_id="r", runs_dir=tmp_path)
    joiner._writer.extra_files.append(save_artifact(run._folder, "model.pt"))
    joiner.end()
    assert synced[0] == "0/r/artifacts/model.pt"
    assert "0/r/artifacts" in synced
    assert not os.path.exists(os.path.join(run._folder, "writers"))
    run.end()


@needs_proc
def test_a_file_that_is_gone_when_the_run_ends_is_passed_over(tmp_path, synced):
    run = Run(run_id="r", runs_dir=tmp_path)
    run._writer.extra_files.append(os.path.join(run._folder, "artifacts", "gone"))
    run.end()
    assert "0/r/owner.json" in synced


@needs_proc
def test_a_periodic_sync_brings_each_further_file_to_the_disk_once(tmp_path, clock, synced):
    """Rule P2: a number of seconds."""
    opened = opening.open_run(str(tmp_path), 0, "r", lambda: {"format": 1, "run_id": "r"}, DescriptorPool(), 5)
    opened.writer.extra_files.append(save_artifact(opened.writer.folder, "model.pt"))
    for _ in range(20):
        opened.writer.write_value("params", "lr", 1)
        clock.now_ms += 1000
    assert synced.count("0/r/artifacts/model.pt") == 1
    opened.writer.close()
    assert synced.count("0/r/artifacts/model.pt") == 1


def test_a_thread_that_logs_while_a_chore_runs_waits_for_it(writer, clock):
    """A chore has the run to itself, as meta.yaml has one writer at a time."""
    other = threading.Thread(target=log, args=(writer, "acc", 1.0))

    def chore():
        other.start()
        other.join(0.05)
        assert other.is_alive()
        return True

    writer.chores.append(chore)
    log(writer, "loss", 1.0)
    other.join(20)
    assert not other.is_alive()
    assert content(metric_path(writer, "acc"))


def test_a_further_file_that_is_logged_again_and_again_is_kept_in_mind_once(tmp_path):
    with Run(run_id="r", runs_dir=tmp_path) as run:
        for number in range(10):
            run.log_text("x", "a%d.txt" % (number % 2))
        assert len(run.writer.extra_files) == 2


def test_with_fsync_off_no_further_file_is_kept_in_mind(tmp_path, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_FSYNC", "off")
    with Run(run_id="r", runs_dir=tmp_path) as run:
        run.log_text("x", "a.txt")
        assert len(run.writer.extra_files) == 0
