"""Who owns a folder: how owner.json is born, kept and given up."""

import json
import os
import platform
import shutil
import sys
from time import time

import pytest
from forged_owners import RECORD_BYTES, bytes_of, can_lock, forge, path_in, record_in

from mini_mlflow.errors import BrokenFileError
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


# Birth


def test_owner_json_names_its_writer_and_has_2048_bytes(folder):
    """Rule W2."""
    claim = owner.claim_new(folder, 3)
    state = os.stat(path_in(folder))
    assert state.st_size == RECORD_BYTES
    assert bytes_of(folder).endswith(b" \n")
    record = record_in(folder)
    assert record.pop("skew_ms") in range(-1000, 1001)
    assert record == {
        "host": platform.node(),
        "boot_id": machine.boot_id(platform.node()),
        "pid_namespace": machine.pid_namespace(),
        "pid": os.getpid(),
        "started": machine.process_start(os.getpid()),
        "jobs": {},
        "generation": 3,
        "device": state.st_dev,
        "inode": state.st_ino,
        "is_locked": True,
    }
    claim.release()


def test_owner_json_is_locked_and_whole_before_it_has_its_name(folder, monkeypatch):
    """Rule W2: it is born locked."""
    seen = []
    link = os.link

    def looking_link(source, target):
        seen.append((can_lock(source, shared=True), os.path.getsize(source), os.path.exists(target)))
        link(source, target)

    monkeypatch.setattr(os, "link", looking_link)
    owner.claim_new(folder, 0).release()
    assert seen == [(False, RECORD_BYTES, False)]


def test_who_finds_an_owner_json_is_not_the_owner(folder):
    """Rule W2."""
    claim = owner.claim_new(folder, 0)
    before = bytes_of(folder)
    with pytest.raises(FileExistsError):
        owner.claim_new(folder, 0)
    assert bytes_of(folder) == before
    assert claim.is_held()
    assert os.listdir(folder) == ["owner.json"]
    claim.release()


def test_owner_json_has_one_name_only(folder):
    """Rule W4 asks for one link."""
    claim = owner.claim_new(folder, 0)
    assert os.stat(path_in(folder)).st_nlink == 1
    claim.release()


def test_the_schedulers_ids_stand_in_owner_json(folder, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    owner.claim_new(folder, 0).release()
    assert record_in(folder)["jobs"] == {"SLURM_JOB_ID": "4711"}


def test_owner_json_keeps_its_size_however_long_the_schedulers_ids_are(folder, monkeypatch):
    """Rule W2."""
    for name in ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT"):
        monkeypatch.setenv(name, "\x01" * 100)
    claim = owner.claim_new(folder, 0)
    assert os.path.getsize(path_in(folder)) == RECORD_BYTES
    assert claim.is_held()
    claim.release()


def test_where_a_file_system_has_no_locks_the_owner_says_so(folder, monkeypatch):
    """Rule W2 and attack H21."""
    monkeypatch.setattr(locks, "try_lock", lambda descriptor, shared=False: None)
    owner.claim_new(folder, 0).release()
    assert record_in(folder)["is_locked"] is False


# Holding on and letting go


def test_a_claim_is_held_while_the_file_is_ours(folder):
    claim = owner.claim_new(folder, 0)
    assert claim.is_held()
    claim.release()


@pytest.mark.parametrize(
    "disturb",
    [
        os.unlink,
        lambda path: documents.replace(path, b"x"),
        lambda path: forge(os.path.dirname(path), generation=9),
        lambda path: shutil.move(path, path + ".old"),
    ],
    ids=["removed", "replaced", "rewritten", "moved"],
)
def test_a_claim_is_lost_when_somebody_changes_the_file(folder, disturb):
    """Rule W11."""
    claim = owner.claim_new(folder, 0)
    disturb(path_in(folder))
    assert not claim.is_held()
    claim.release()


def test_a_released_claim_leaves_the_record_and_frees_the_lock(folder):
    claim = owner.claim_new(folder, 0)
    before = bytes_of(folder)
    claim.release()
    claim.release()
    assert bytes_of(folder) == before
    assert can_lock(path_in(folder)) is True


def test_release_frees_the_lock_though_a_copy_of_the_descriptor_lives_on(folder):
    """Rule W3: everyone unlocks before closing."""
    claim = owner.claim_new(folder, 0)
    copy = os.dup(claim._descriptor)
    claim.release()
    assert can_lock(path_in(folder)) is True
    os.close(copy)


def test_a_withdrawn_claim_leaves_nothing(folder):
    owner.claim_new(folder, 0).withdraw()
    assert os.listdir(folder) == []


def test_forgetting_a_claim_leaves_the_lock_to_whoever_shares_it(folder):
    """Rule W10: a forked child closes its copy without unlocking it."""
    claim = owner.claim_new(folder, 0)
    parents = os.dup(claim._descriptor)
    claim.forget()
    assert can_lock(path_in(folder)) is False
    os.close(parents)
    assert can_lock(path_in(folder)) is True


def test_a_sign_of_life_is_given_when_the_last_is_older_than_30_seconds(folder):
    """Rule L2."""
    claim = owner.claim_new(folder, 0)
    now = time()
    os.utime(path_in(folder), (1, 1))
    claim.touch(now + 29)
    assert os.stat(path_in(folder)).st_mtime == 1
    claim.touch(now + 31)
    assert os.stat(path_in(folder)).st_mtime > now - 60
    os.utime(path_in(folder), (1, 1))
    claim.touch(now + 32)
    assert os.stat(path_in(folder)).st_mtime == 1
    claim.release()


def test_a_sign_of_life_is_given_when_the_clock_went_back(folder):
    """Attack H18."""
    claim = owner.claim_new(folder, 0)
    os.utime(path_in(folder), (1, 1))
    claim.touch(time() - 86400)
    assert os.stat(path_in(folder)).st_mtime > 1
    claim.release()


# What owner.json may say


def test_a_folder_without_owner_json_has_no_owner(folder):
    assert owner.read_owner(folder) is None


VALID = {
    "host": "h",
    "boot_id": "b",
    "pid_namespace": None,
    "pid": 1,
    "started": None,
    "jobs": {},
    "generation": 0,
    "device": 1,
    "inode": 1,
    "skew_ms": 0,
    "is_locked": True,
}


def test_further_fields_are_borne():
    assert owner.decode(json.dumps(dict(VALID, colour="red")).encode(), "p").pid == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"pid": 0}, {"pid": -1}, {"pid": "1"}, {"pid": True}, {"generation": -1}, {"generation": 1.5},
        {"device": None}, {"inode": "x"}, {"skew_ms": 0.5}, {"skew_ms": 10**350}, {"skew_ms": -(2**63) - 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_record_with_a_number_that_is_none_is_refused_by_its_path(changes):
    with pytest.raises(BrokenFileError, match=r"the/path"):
        owner.decode(json.dumps(dict(VALID, **changes)).encode(), "the/path")


@pytest.mark.parametrize("missing", sorted(VALID))
def test_a_record_that_lacks_a_field_is_refused(missing):
    fields = dict(VALID)
    del fields[missing]
    with pytest.raises(BrokenFileError, match=missing):
        owner.decode(json.dumps(fields).encode(), "the/path")


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b'"x"', b"{", b"\xff", b"\0" * 2048, b"[" * 100000])
def test_what_is_no_record_is_refused(data):
    with pytest.raises(BrokenFileError):
        owner.decode(data, "the/path")
