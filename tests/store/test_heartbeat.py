"""The thread that shows other machines that a run lives."""

import gc
import os
import sys
import threading
import time

import pytest

from mini_mlflow import Run, active
from mini_mlflow.store import heartbeat, machine, owner, watch

DEADLINE_S = 20


class Heart:
    """Counts its beats."""

    def __init__(self):
        self.beats = 0
        self.has_beaten = threading.Event()

    def beat(self):
        self.beats += 1
        self.has_beaten.set()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(heartbeat, "HEARTBEAT_S", 0.005)
    monkeypatch.setattr(owner, "HEARTBEAT_S", 0.0)
    monkeypatch.setenv("MINI_MLFLOW_FSYNC", "off")
    join_all()  # those that earlier tests have stopped, and that have not noticed yet
    yield
    join_all()


@pytest.fixture
def shared_disk(monkeypatch):
    monkeypatch.setattr(machine, "is_local_device", lambda device: False)


@pytest.fixture
def local_disk(monkeypatch):
    monkeypatch.setattr(machine, "is_local_device", lambda device: True)


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "mini-mlflow heartbeat"]


def join_all():
    for thread in threads():
        thread.join(DEADLINE_S)
    assert threads() == []


def wait_for_a_beat(path):
    """Wait until owner.json is touched by nobody but the thread."""
    os.utime(path, (1, 1))
    deadline = time.monotonic() + DEADLINE_S
    while os.stat(path).st_mtime == 1:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def owner_json(run):
    return os.path.join(run.runs_dir, str(run.experiment_id), run.run_id, "owner.json")


def test_no_thread_starts_on_a_disk_of_this_machine(local_disk):
    """Rule L2."""
    watch.Watch(None).start(0, Heart().beat)
    assert threads() == []


def test_a_thread_beats_where_the_disk_is_not_known_to_be_local(shared_disk):
    """Rule L2."""
    heart, beating = Heart(), watch.Watch(None)
    beating.start(0, heart.beat)
    beating.start(0, heart.beat)
    assert len(threads()) == 1
    assert threads()[0].daemon
    assert heart.has_beaten.wait(DEADLINE_S)
    beating.stop()
    beating.stop()


def test_a_stopped_heart_beats_no_more_and_can_start_again(shared_disk):
    heart, beating = Heart(), watch.Watch(None)
    beating.start(0, heart.beat)
    beating.stop()
    join_all()
    beating.start(0, heart.beat)
    heart.has_beaten.clear()
    assert heart.has_beaten.wait(DEADLINE_S)
    beating.stop()


def test_the_thread_ends_when_what_it_beats_for_is_gone(shared_disk):
    heart = Heart()
    watch.Watch(None).start(0, heart.beat)
    assert heart.has_beaten.wait(DEADLINE_S)
    del heart
    gc.collect()
    join_all()


def test_a_run_that_logs_nothing_gives_signs_of_life_until_it_ends(tmp_path, shared_disk):
    """Rule L2."""
    run = Run(runs_dir=str(tmp_path))
    wait_for_a_beat(owner_json(run))
    wait_for_a_beat(owner_json(run))
    run.end()
    join_all()
    os.utime(owner_json(run), (1, 1))
    assert os.stat(owner_json(run)).st_mtime == 1


def test_a_run_that_nobody_holds_gives_no_signs_of_life(tmp_path, shared_disk):
    run = Run(runs_dir=str(tmp_path))
    path = owner_json(run)
    wait_for_a_beat(path)
    active.forget(run)  # as when 256 newer ones are open
    del run
    gc.collect()
    join_all()


def test_a_joiner_gives_signs_of_life_of_its_own(tmp_path, shared_disk):
    """Rules L2 and W7."""
    run = Run(runs_dir=str(tmp_path))
    joiner = Run(run_id=run.run_id, runs_dir=str(tmp_path))
    assert len(threads()) == 1
    joiner.log_metric("loss", 1.0)
    assert len(threads()) == 2
    (name,) = os.listdir(os.path.join(os.path.dirname(owner_json(run)), "writers"))
    wait_for_a_beat(os.path.join(os.path.dirname(owner_json(run)), "writers", name, "owner.json"))
    joiner.end()
    run.end()


def test_a_log_call_gives_a_sign_of_life_where_there_is_no_thread(tmp_path, local_disk):
    """Rule L2: log calls touch it."""
    run = Run(runs_dir=str(tmp_path))
    os.utime(owner_json(run), (1, 1))
    run.log_metric("loss", 1.0)
    assert os.stat(owner_json(run)).st_mtime > 1
    run.end()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere no disk is known to be local")
def test_a_run_on_this_machines_own_disk_has_no_thread(tmp_path):
    if not machine.is_local_device(os.stat(str(tmp_path)).st_dev):
        pytest.skip("the tests do not lie on such a disk")
    with Run(runs_dir=str(tmp_path)):
        assert threads() == []
