"""Locks: who gets one, who waits, who is turned away."""

import errno
import os
import sys

import pytest

from mini_mlflow.store import locks

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has exclusive locks only")


@pytest.fixture
def opened(tmp_path):
    """Open the same file as often as asked, each time as another process would."""
    path = str(tmp_path / "file")
    descriptors = []

    def open_again():
        descriptors.append(os.open(path, os.O_RDWR | os.O_CREAT))
        return descriptors[-1]

    yield open_again
    for descriptor in descriptors:
        os.close(descriptor)


@pytest.fixture
def waits(monkeypatch):
    """Count the waits, and let each take no time."""
    durations = []
    monkeypatch.setattr(locks, "sleep", durations.append)
    return durations


def test_an_exclusive_lock_forbids_both_kinds(opened):
    assert locks.try_lock(opened()) is True
    other = opened()
    assert locks.try_lock(other) is False
    assert locks.try_lock(other, shared=True) is False


def test_shared_locks_forbid_only_the_exclusive_one(opened):
    assert locks.try_lock(opened(), shared=True) is True
    assert locks.try_lock(opened(), shared=True) is True
    assert locks.try_lock(opened()) is False


def test_a_lock_survives_the_close_of_another_descriptor_of_the_file(opened):
    """Rule W2: flock, not lockf."""
    assert locks.try_lock(opened()) is True
    os.close(os.dup(opened()))
    assert locks.try_lock(opened()) is False


def test_unlocking_lets_go_though_a_copy_of_the_descriptor_is_open(opened):
    """Rule W3."""
    first = opened()
    locks.try_lock(first)
    copy = os.dup(first)
    locks.unlock(first)
    assert locks.try_lock(opened()) is True
    os.close(copy)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_h21_a_file_system_without_locks_answers_neither_yes_nor_no(opened, monkeypatch, number):
    def refuse(descriptor, *, shared=False):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(locks, "_try", refuse)
    monkeypatch.setattr(locks, "_drop", refuse)
    assert locks.try_lock(opened()) is None
    assert locks.lock_as_owner(opened()) is None
    locks.unlock(opened())


def test_a_free_lock_is_had_at_once(opened, waits):
    assert locks.lock_as_owner(opened()) is True
    assert waits == []


def test_nobody_waits_for_an_owner(opened, waits):
    """Rule W3: refused a shared lock as well, an owner lives."""
    locks.try_lock(opened())
    assert locks.lock_as_owner(opened()) is False
    assert waits == []


def test_an_owner_to_be_waits_for_a_reader_0_to_2_ms_at_a_time(opened, monkeypatch):
    """Rule W3."""
    reader = opened()
    locks.try_lock(reader, shared=True)
    durations = []

    def wait(duration_s):
        durations.append(duration_s)
        if len(durations) == 20:
            locks.unlock(reader)

    monkeypatch.setattr(locks, "sleep", wait)
    assert locks.lock_as_owner(opened()) is True
    assert len(durations) == 20
    assert 0 <= min(durations) < max(durations) <= 0.002


def test_while_it_waits_for_readers_it_holds_no_lock(opened, monkeypatch):
    """Rule W3: unlock, try again; two who wait must not turn each other away."""
    reader, third = opened(), opened()
    locks.try_lock(reader, shared=True)
    free = []

    def wait(duration_s):
        locks.unlock(reader)
        free.append(locks.try_lock(third))
        locks.unlock(third)

    monkeypatch.setattr(locks, "sleep", wait)
    assert locks.lock_as_owner(opened()) is True
    assert free == [True]


def test_patience_ends_after_a_second(opened, waits, monkeypatch):
    """Rule W3: for up to 1 s."""
    locks.try_lock(opened(), shared=True)
    ticks = iter(range(100))
    monkeypatch.setattr(locks, "monotonic", lambda: next(ticks) / 10)
    assert locks.lock_as_owner(opened()) is False
    assert len(waits) == 10
    assert locks.try_lock(opened(), shared=True) is True
