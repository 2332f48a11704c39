"""Is a run that somebody writes left alone, and one that nobody writes kept from being taken over meanwhile?"""

import os
import subprocess
import sys
from time import time

import pytest
from forged_owners import FOREIGN_BOOT, can_lock, forge, left_by_the_dead

from mini_mlflow import Run
from mini_mlflow.errors import ActiveRunError, BrokenFileError, UnsupportedFormatError
from mini_mlflow.store import folders, locks, meta, owner, unowned


@pytest.fixture
def folder(tmp_path):
    run = Run(run_id="r", name="before", runs_dir=tmp_path)
    run.log_metric("loss", 1)
    run.end()
    return os.path.join(str(tmp_path), "0", "r")


def fields_of(folder):
    return folders.read_meta(folder)[0]


def test_nobody_writes_a_run_that_has_ended(folder):
    """Rule L1."""
    assert unowned.find_writer(folder) is None
    unowned.refuse_if_written(folder, "r", "changed")


def test_who_writes_is_named_with_the_machine_and_what_to_do(folder):
    """Rule L2: also one who logs beside."""
    share = os.path.join(folder, "writers", "other-7-00000000")
    os.makedirs(share)
    left_by_the_dead(share)
    forge(share, boot_id=FOREIGN_BOOT, pid=77)
    message = "Run r is being written by process 77 on elsewhere, so it cannot be changed now. End it there, or wait"
    with pytest.raises(ActiveRunError, match=message):
        unowned.refuse_if_written(folder, "r", "changed")
    forge(share, age_s=601)
    assert unowned.find_writer(folder) is None


@pytest.mark.parametrize("is_broken", [False, True])
def test_an_owner_json_or_meta_yaml_that_cannot_be_read_says_nothing(folder, is_broken):
    forge(folder, boot_id=FOREIGN_BOOT)
    assert unowned.find_writer(folder) is None
    with open(os.path.join(folder, "meta.yaml"), "wb") as file:
        file.write(b"[" * 30000)
    assert unowned.find_writer(folder).host == "elsewhere"
    if is_broken:
        with open(os.path.join(folder, "owner.json"), "w") as file:
            file.write("{")
        assert unowned.find_writer(folder) is None


@pytest.mark.skipif(os.name == "nt", reason="its locks are of another kind")
def test_within_the_block_nobody_takes_the_run_over_and_then_everybody_may(folder, monkeypatch):
    """Rules T3 and L1: nor does anybody take the owner, who is gone, for a living one."""
    monkeypatch.setattr(locks, "_PATIENCE_S", 0.01)
    share = os.path.join(folder, "writers", "w")
    os.makedirs(share)
    left_by_the_dead(share)
    with unowned.kept_still(folder, "r", "changed"):
        for each in (folder, share):
            assert not can_lock(os.path.join(each, "owner.json"))
            assert owner.take_over(each, 1, patience_s=0) is None
            assert owner.liveness(each, owner.read_owner(each), time()) == owner.GONE
    for each in (folder, share):
        assert can_lock(os.path.join(each, "owner.json"))


def test_a_run_without_an_owner_json_is_kept_still_as_well_as_can_be(tmp_path):
    with unowned.kept_still(str(tmp_path), "r", "changed"):
        pass


HOLDER = """
import os, sys, time
from mini_mlflow.store import locks
descriptor = os.open(sys.argv[1], os.O_RDWR)
assert locks.try_lock(descriptor)
sys.stdout.write("held\\n"); sys.stdout.flush()
sys.stdin.readline()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process can be known to be gone")
def test_a_lock_that_a_child_of_a_dead_owner_keeps_holds_nobody_up_for_long(folder, monkeypatch):
    """Rule L1."""
    path = os.path.join(folder, "owner.json")
    forge(folder, pid=2**22 + 1)
    monkeypatch.setattr(unowned, "_PATIENCE_S", 0.01)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with unowned.kept_still(folder, "r", "changed"):
            assert not can_lock(path, shared=True)
        holder.communicate("go\n")


def test_changed_fields_are_written_and_all_others_stay(folder):
    """Rule Y3."""
    before = fields_of(folder)
    unowned.change_meta(folder, "r", {"name": "after"})
    assert fields_of(folder) == dict(before, name="after")


def test_the_meta_yaml_that_counts_is_changed(folder):
    """Rule L4: that of the highest generation, wherever it lies."""
    share = os.path.join(folder, "writers", "w")
    os.makedirs(share)
    left_by_the_dead(share, generation=3)
    resumed = meta.encode(dict(fields_of(folder), generation=3, name="resumed"))
    with open(os.path.join(share, "meta.yaml"), "wb") as file:
        file.write(resumed)
    unowned.change_meta(folder, "r", {"name": "after"})
    assert meta.read_meta(os.path.join(share, "meta.yaml"))["name"] == "after"
    assert meta.read_meta(os.path.join(folder, "meta.yaml"))["name"] == "before"


def test_a_run_of_0_1_0_stays_one(tmp_path):
    """Rule F1."""
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "lr.json").write_text('{"value": 1, "timestamp": "2026-01-01T00:00:00"}')
    unowned.change_meta(str(tmp_path), "r", {"name": "after"})
    assert fields_of(str(tmp_path)) == {"name": "after"}


def test_a_folder_without_anything_becomes_a_run_of_today(tmp_path):
    """Rule S5."""
    unowned.change_meta(str(tmp_path), "r", {"name": "after"})
    assert fields_of(str(tmp_path)) == {"format": 1, "name": "after"}


@pytest.mark.parametrize(
    ("content", "error"), [(b"[" * 30000, BrokenFileError), (b"format: 99\n", UnsupportedFormatError)]
)
def test_what_cannot_be_read_is_not_overwritten(folder, content, error):
    """Rule S5."""
    with open(os.path.join(folder, "meta.yaml"), "wb") as file:
        file.write(content)
    with pytest.raises(error):
        unowned.change_meta(folder, "r", {"name": "after"})
    with open(os.path.join(folder, "meta.yaml"), "rb") as file:
        assert file.read() == content


def test_who_resumes_a_run_at_the_moment_of_a_change_is_told_of(folder, tmp_path, monkeypatch):
    """Rule T3: a run without an owner.json has no lock that could be held."""
    os.unlink(os.path.join(folder, "owner.json"))
    replace, heirs = unowned.documents.replace, []

    def meanwhile(path, data, **options):
        if not heirs:
            heirs.append(None)
            heirs.append(Run(run_id="r", runs_dir=tmp_path))
        replace(path, data, **options)

    monkeypatch.setattr(unowned.documents, "replace", meanwhile)
    with pytest.raises(ActiveRunError):
        unowned.change_meta(folder, "r", {"name": "after"})
    heirs[1].end()
    assert fields_of(folder)["name"] == "before"
