"""Who becomes the owner of a folder whose owner is gone, and when nobody may."""

import os
import shutil
import sys
from time import time

import pytest
from forged_owners import FOREIGN_BOOT, RECORD_BYTES, bytes_of, can_lock, forge, left_by_the_dead, path_in, record_in

from mini_mlflow import config
from mini_mlflow.store import documents, locks, machine, owner

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no flock and no inode that outlives a name"
)


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path)


@pytest.fixture
def is_local(monkeypatch):
    """Say whether the disk is known to be of this machine alone."""

    def say(answer):
        monkeypatch.setattr(machine, "is_local_device", lambda device: answer)

    return say


def test_a_takeover_rewrites_the_same_file_in_place(folder):
    """Rules W2 and W4 (a)."""
    left_by_the_dead(folder)
    forge(folder, pid=2**22 + 1, started=1, host="old")
    inode = os.stat(path_in(folder)).st_ino
    claim = owner.take_over(folder, 7)
    state = os.stat(path_in(folder))
    assert (state.st_ino, state.st_size, state.st_nlink) == (inode, RECORD_BYTES, 1)
    assert record_in(folder)["pid"] == os.getpid()
    assert record_in(folder)["generation"] == claim.generation == 7
    assert claim.is_held()
    assert can_lock(path_in(folder), shared=True) is False
    assert os.listdir(folder) == ["owner.json"]
    claim.release()


def test_a_takeover_without_a_generation_keeps_the_old_ones(folder):
    left_by_the_dead(folder, 4)
    claim = owner.take_over(folder)
    assert record_in(folder)["generation"] == claim.generation == 4
    claim.release()


def test_a_takeover_is_a_sign_of_life(folder):
    left_by_the_dead(folder)
    os.utime(path_in(folder), (1, 1))
    owner.take_over(folder, 1).release()
    assert os.stat(path_in(folder)).st_mtime > time() - 60
    assert abs(record_in(folder)["skew_ms"]) < 60000  # measured after it


def test_an_owner_is_never_displaced(folder):
    """Rules W2 and W3."""
    claim = owner.claim_new(folder, 0)
    before = bytes_of(folder)
    assert owner.take_over(folder, 1) is None
    assert bytes_of(folder) == before
    assert claim.is_held()
    claim.release()


def test_a_folder_without_owner_json_is_never_taken_over(folder):
    """Rule W4."""
    assert owner.take_over(folder, 1) is None
    assert os.listdir(folder) == []


def test_the_temporary_name_that_a_kill_left_is_no_second_owner(folder):
    """Rules D1 and W4: a kill between the link and the unlink leaves both names."""
    left_by_the_dead(folder)
    leftover = os.path.join(folder, ".tmp-0123456789abcdef")
    os.link(path_in(folder), leftover)
    owner.take_over(folder, 1).release()
    assert not os.path.exists(leftover)


def test_an_owner_json_with_a_second_hard_link_is_not_taken_over(folder):
    """Rule W4: the other link is a backup (H12)."""
    left_by_the_dead(folder)
    os.link(path_in(folder), os.path.join(folder, "backup"))
    before = bytes_of(folder)
    assert owner.take_over(folder, 1) is None
    assert bytes_of(folder) == before
    assert can_lock(path_in(folder)) is True


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\0" * RECORD_BYTES, b"junk"])
def test_an_owner_json_that_says_nothing_is_not_taken_over(folder, content):
    with open(path_in(folder), "wb") as file:
        file.write(content)
    assert owner.take_over(folder, 1) is None
    assert bytes_of(folder) == content


def test_a_file_that_changes_while_it_is_locked_is_looked_at_again(folder, monkeypatch):
    """Rule W4: it is compared with its path, else start over."""
    left_by_the_dead(folder)
    tries = []
    lock_as_owner = locks.lock_as_owner

    def replace_first(descriptor):
        if not tries:
            os.unlink(path_in(folder))
            left_by_the_dead(folder, 5)
        tries.append(descriptor)
        return lock_as_owner(descriptor)

    monkeypatch.setattr(locks, "lock_as_owner", replace_first)
    claim = owner.take_over(folder)
    assert len(tries) == 2
    assert claim.generation == 5
    assert claim.is_held()
    claim.release()


def test_only_the_owner_that_was_seen_is_succeeded(folder):
    """Rule W6: a generation is given once."""
    left_by_the_dead(folder, 2)
    assert owner.take_over(folder, 2, seen=1) is None
    claim = owner.take_over(folder, 3, seen=2)
    assert claim.generation == 3
    claim.release()


@pytest.mark.parametrize(
    ("changes", "local", "age_s", "is_allowed"),
    [
        ({}, False, 0, True),
        ({}, True, 0, True),
        ({"boot_id": FOREIGN_BOOT}, True, 0, False),
        ({"boot_id": FOREIGN_BOOT}, True, 590, False),
        ({"boot_id": FOREIGN_BOOT}, True, 610, True),
        ({"boot_id": FOREIGN_BOOT}, False, 610, False),
        ({"boot_id": FOREIGN_BOOT}, False, 10**6, False),
        ({"boot_id": FOREIGN_BOOT, "host": config.host_name()}, True, 0, True),
        ({"boot_id": FOREIGN_BOOT, "host": config.host_name()}, False, 0, False),
        ({"boot_id": FOREIGN_BOOT, "host": config.host_name(), "inode": 1}, True, 0, False),
        ({"inode": 1}, True, 0, False),
        ({"inode": 1}, True, 610, True),
        ({"inode": 1}, False, 610, False),
        ({"device": 1}, True, 0, False),
        ({"is_locked": False}, True, 0, False),
        ({"is_locked": False}, True, 610, True),
        ({"boot_id": FOREIGN_BOOT, "skew_ms": -600000}, True, 1190, False),
        ({"boot_id": FOREIGN_BOOT, "skew_ms": -600000}, True, 1210, True),
        ({"boot_id": FOREIGN_BOOT, "skew_ms": 600000}, True, 10, True),
    ],
)
def test_a_takeover_needs_a_lock_that_proves_or_a_long_silence_on_a_local_disk(
    folder, is_local, changes, local, age_s, is_allowed
):
    """Rule W4 (a) and (b), with the skew of rule L3."""
    left_by_the_dead(folder)
    forge(folder, age_s=age_s, **changes)
    is_local(local)
    before = bytes_of(folder)
    claim = owner.take_over(folder, 1)
    assert (claim is not None) is is_allowed
    if claim is None:
        assert bytes_of(folder) == before
        assert can_lock(path_in(folder)) is True
    else:
        claim.release()


def test_a_copied_folder_is_not_the_one_that_was_locked(folder, tmp_path, is_local):
    """Rule W4: device and inode are those of the file itself."""
    source, copy = tmp_path / "a", tmp_path / "b"
    source.mkdir()
    left_by_the_dead(str(source))
    shutil.copytree(str(source), str(copy))
    is_local(True)
    assert owner.take_over(str(copy), 1) is None
    owner.take_over(str(source), 1).release()


def test_a_failed_write_of_the_record_gives_the_lock_back(folder, monkeypatch):
    left_by_the_dead(folder)

    def fail(descriptor, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(documents, "write_all", fail)
    with pytest.raises(OSError, match="No space"):
        owner.take_over(folder, 1)
    monkeypatch.undo()
    assert can_lock(path_in(folder)) is True
