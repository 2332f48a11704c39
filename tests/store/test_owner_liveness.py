"""Does the owner of a folder live? What the lock, the process number and the heartbeat say."""

import os
import subprocess
import sys
from time import time

import pytest
from forged_owners import FOREIGN_BOOT, forge, record_in

from mini_mlflow.store import locks, machine, owner

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs flock and /proc")


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path)


@pytest.fixture
def claim(folder):
    claim = owner.claim_new(folder, 0)
    yield claim
    claim.release()


@pytest.fixture
def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def liveness(folder, *, now=None, **options):
    return owner.liveness(folder, owner.read_owner(folder), time() if now is None else now, **options)


def test_while_the_lock_is_held_the_owner_lives(folder, claim):
    """Rule L1."""
    assert liveness(folder) == owner.ALIVE


def test_looking_takes_nothing_from_the_owner(folder, claim):
    """Rule W3."""
    before = os.stat(os.path.join(folder, "owner.json"))
    for _ in range(100):
        liveness(folder)
    after = os.stat(os.path.join(folder, "owner.json"))
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    assert claim.is_held()


def test_when_the_lock_is_free_the_owner_is_gone_however_fresh_its_heartbeat(folder, claim):
    """Rule L1."""
    claim.release()
    assert liveness(folder) == owner.GONE


def test_a_look_leaves_the_lock_free(folder, claim):
    """Rule W3: everyone unlocks before closing."""
    claim.release()
    liveness(folder)
    owner.take_over(folder, 1).release()


def test_a_held_lock_keeps_an_owner_alive_however_old_its_heartbeat(folder, claim):
    """Rule L1: a process that is stopped, or sleeps with its machine, still holds the lock."""
    os.utime(os.path.join(folder, "owner.json"), (1, 1))
    assert liveness(folder) == owner.ALIVE


def test_an_owner_is_gone_when_the_lock_is_held_but_its_process_is_no_more(folder, claim, dead_pid):
    """Rule L1: a child keeps the lock."""
    forge(folder, pid=dead_pid)
    assert liveness(folder) == owner.GONE


def test_h20_a_process_number_that_was_given_again_is_another_process(folder, claim):
    """Rule L1."""
    forge(folder, started=record_in(folder)["started"] - 1)
    assert liveness(folder) == owner.GONE


def test_h20_on_another_machine_the_lock_says_nothing_and_the_heartbeat_tells(folder, claim):
    """Rule L2."""
    claim.release()
    forge(folder, boot_id=FOREIGN_BOOT, age_s=3600)
    assert liveness(folder) == owner.SILENT


def test_h20_after_a_reboot_an_owner_on_a_local_disk_is_gone_at_once(folder, claim, monkeypatch):
    """Rule L1: nobody else can write there, and its machine was started anew."""
    forge(folder, boot_id=FOREIGN_BOOT, host=record_in(folder)["host"])
    assert liveness(folder) == owner.ALIVE  # somebody holds the lock: an heir that has not signed yet
    claim.release()
    assert liveness(folder) == owner.GONE
    monkeypatch.setattr(machine, "is_local_device", lambda device: False)
    assert liveness(folder) == owner.ALIVE  # two machines of one name may share that disk


def test_g11_a_forged_pid_1_is_asked_for_and_never_signalled(folder, claim, monkeypatch):
    signals = []
    kill = os.kill
    monkeypatch.setattr(os, "kill", lambda pid, number: (signals.append(number), kill(pid, number)))
    forge(folder, pid=1, started=None)
    assert liveness(folder) == owner.ALIVE
    assert set(signals) <= {0}


def test_g11_the_numbers_of_another_namespace_say_nothing(folder, claim, dead_pid):
    """Rule L1: in our own numbering of processes."""
    forge(folder, pid=dead_pid, pid_namespace="pid:[1]")
    assert liveness(folder) == owner.ALIVE


def test_g11_a_process_that_we_may_not_ask_is_alive(folder, claim, monkeypatch):
    def refuse(pid, number):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "kill", refuse)
    forge(folder, pid=1, started=1)
    assert liveness(folder) == owner.ALIVE


@pytest.mark.parametrize("changes", [{"boot_id": FOREIGN_BOOT}, {"inode": 1}, {"device": 1}, {"is_locked": False}])
@pytest.mark.parametrize(
    ("age_s", "found"), [(0, owner.ALIVE), (590, owner.ALIVE), (610, owner.SILENT), (10**7, owner.SILENT)]
)
def test_where_the_lock_cannot_tell_ten_minutes_without_a_heartbeat_mean_gone(folder, claim, changes, age_s, found):
    """Rules L2 and L3."""
    forge(folder, age_s=age_s, **changes)
    assert liveness(folder) == found


@pytest.mark.parametrize("skew_ms", [-600000, 600000])
def test_h18_a_file_servers_clock_that_is_ten_minutes_off_is_reckoned_with(folder, claim, skew_ms):
    """Rule L3: measured by the reader's clock + skew_ms."""
    forge(folder, boot_id=FOREIGN_BOOT, skew_ms=skew_ms, age_s=-skew_ms / 1000 + 590)
    assert liveness(folder) == owner.ALIVE
    forge(folder, boot_id=FOREIGN_BOOT, skew_ms=skew_ms, age_s=-skew_ms / 1000 + 610)
    assert liveness(folder) == owner.SILENT


def test_h19_a_silent_owner_lives_again_after_its_next_heartbeat(folder, claim):
    """Rule L3: gone until the next one."""
    forge(folder, boot_id=FOREIGN_BOOT)
    later = time() + 8 * 3600
    assert liveness(folder, now=later) == owner.SILENT
    os.utime(os.path.join(folder, "owner.json"), (later - 1, later - 1))
    assert liveness(folder, now=later) == owner.ALIVE


def test_the_last_heartbeat_of_a_run_that_has_ended_tells_nothing(folder, claim):
    forge(folder, boot_id=FOREIGN_BOOT)
    assert liveness(folder) == owner.ALIVE
    assert liveness(folder, has_ended=True) == owner.SILENT


def test_without_locks_the_heartbeat_tells(folder, claim, monkeypatch):
    """Attack H21."""
    monkeypatch.setattr(locks, "try_lock", lambda descriptor, shared=False: None)
    assert liveness(folder) == owner.ALIVE
    os.utime(os.path.join(folder, "owner.json"), (1, 1))
    assert liveness(folder) == owner.SILENT


def test_an_owner_json_that_vanished_is_silent(folder, claim):
    record = owner.read_owner(folder)
    os.unlink(os.path.join(folder, "owner.json"))
    assert owner.liveness(folder, record, time()) == owner.SILENT


def test_where_processes_cannot_be_asked_for_a_held_lock_is_alive(folder, claim, monkeypatch, dead_pid):
    monkeypatch.setattr(machine, "is_process_gone", lambda pid, start: False)
    forge(folder, pid=dead_pid)
    assert liveness(folder) == owner.ALIVE


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ({"SLURM_JOB_ID": "7"}, {"SLURM_JOB_ID": "7", "SLURM_RESTART_COUNT": "1"}, "gone"),
        (
            {"SLURM_JOB_ID": "7", "SLURM_RESTART_COUNT": "1"},
            {"SLURM_JOB_ID": "7", "SLURM_RESTART_COUNT": "2"},
            "gone",
        ),
        ({"SLURM_JOB_ID": "7"}, {"SLURM_JOB_ID": "7"}, "alive"),
        ({"SLURM_JOB_ID": "7"}, {"SLURM_JOB_ID": "8", "SLURM_RESTART_COUNT": "1"}, "alive"),
        (
            {"SLURM_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "1"},
            {"SLURM_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2", "SLURM_RESTART_COUNT": "1"},
            "alive",
        ),
        ({}, {"SLURM_RESTART_COUNT": "1"}, "alive"),
        ({"SLURM_JOB_ID": "7"}, {"SLURM_JOB_ID": "7", "SLURM_RESTART_COUNT": "x"}, "alive"),
    ],
)
def test_the_attempt_before_ours_at_a_requeued_job_is_gone(folder, claim, monkeypatch, theirs, ours, expected):
    """Rule L1: Slurm ends an attempt before it starts the next, on whichever machine that is."""
    forge(folder, boot_id=FOREIGN_BOOT, jobs=theirs)
    monkeypatch.setattr(owner, "job_ids", lambda: ours)
    assert liveness(folder) == expected
