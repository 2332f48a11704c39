"""Do the ways of Windows hold together, as far as another system can act them out?

There, an open file is neither renamed nor removed, and a lock is on one byte. No test here has run on a real Windows.
"""

import importlib.util
import os
import sys
import types

import pytest

from mini_mlflow import ExperimentTracker, Run
from mini_mlflow.store import documents, locks, owner


@pytest.fixture
def windows(monkeypatch):
    """Act like Windows where the package asks, and refuse what Windows refuses."""
    monkeypatch.setattr(documents, "IS_WINDOWS", True)
    real = {name: getattr(os, name) for name in ("rename", "replace", "unlink", "link")}

    def is_open(path):
        links = [os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
        return any(os.path.realpath(link) == os.path.realpath(str(path)) for link in links if os.path.islink(link))

    def refuse_open(name):
        def act(*paths, **options):
            if any(is_open(path) for path in paths[: 2 if name != "rename" else 1]):
                raise PermissionError(13, "The process cannot access the file", str(paths[0]))
            if name == "rename" and os.path.exists(paths[1]):
                raise FileExistsError(17, "exists", str(paths[1]))
            return real[name](*paths, **options)

        return act

    for name in ("rename", "replace", "unlink"):
        monkeypatch.setattr(os, name, refuse_open(name))
    monkeypatch.setattr(documents, "sleep", lambda seconds: None)


needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs /proc to see what is open")


@needs_proc
def test_an_owner_is_locked_from_its_birth_to_its_end(tmp_path, windows):
    """Rule W2: the file is closed to be renamed, and locked again before anybody is told that it is ours."""
    claim = owner.claim_new(str(tmp_path), 0)
    other = os.open(claim.path, os.O_RDWR)
    assert locks.try_lock(other) is False
    claim.release()
    assert locks.try_lock(other) is True
    os.close(other)


@needs_proc
def test_who_loses_the_lock_in_between_is_not_the_owner(tmp_path, windows, monkeypatch):
    """Rule W2."""
    answers = iter([True, False])
    monkeypatch.setattr(locks, "try_lock", lambda descriptor, shared=False: next(answers))
    with pytest.raises(FileExistsError):
        owner.claim_new(str(tmp_path), 0)


@needs_proc
def test_a_run_is_logged_continued_and_read(tmp_path, windows):
    for first in (0, 200):
        with Run(run_id="r", runs_dir=tmp_path) as run:
            assert ExperimentTracker(runs_dir=tmp_path).get_run("r")["metadata"]["status"] == "RUNNING"
            for step in range(first, first + 200):
                run.log_metric("loss", step / 8, step=step)
            run.log_param("lr", first)
    tracker = ExperimentTracker(runs_dir=tmp_path)
    assert [row.value for row in tracker.history("r", "loss")] == [step / 8 for step in range(400)]
    assert tracker.get_run("r")["params"] == {"lr": 200}
    assert tracker.get_run("r")["metadata"]["status"] == "FINISHED"


@needs_proc
def test_a_claim_is_withdrawn_and_its_file_removed(tmp_path, windows):
    claim = owner.claim_new(str(tmp_path), 0)
    claim.withdraw()
    assert not os.path.exists(claim.path)


def test_the_lock_is_on_one_byte_far_beyond_the_end_and_moves_no_position(tmp_path, monkeypatch):
    """Rule W2: what is written next goes where it would have gone."""
    taken = []

    def locking(descriptor, mode, count):
        taken.append((mode, os.lseek(descriptor, 0, os.SEEK_CUR), count))

    fake = types.SimpleNamespace(locking=locking, LK_NBLCK=2, LK_UNLCK=0)
    monkeypatch.setitem(sys.modules, "msvcrt", fake)
    monkeypatch.setattr(sys, "platform", "win32")
    spec = importlib.util.spec_from_file_location("locks_of_windows", locks.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    descriptor = os.open(str(tmp_path / "file"), os.O_RDWR | os.O_CREAT)
    os.write(descriptor, b"12345")
    assert module.try_lock(descriptor) is True
    module.unlock(descriptor)
    os.write(descriptor, b"67")
    os.close(descriptor)
    assert taken == [(2, 1 << 30, 1), (0, 1 << 30, 1)]
    assert (tmp_path / "file").read_bytes() == b"1234567"
