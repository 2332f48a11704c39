"""Does a run's status tell the truth about its process? Killed, stopped, dropped, its lock kept by a child."""

import gc
import os
import pathlib
import shutil
import signal
import subprocess
import time
import uuid

import pytest

from mini_mlflow import Run, active
from mini_mlflow.store import machine, reader

LIVE = """
import os, sys, time
from mini_mlflow import Run
run = Run(run_id="r", runs_dir=sys.argv[1])
run.log_metric("loss", 1.0)
print("ready", flush=True)
if sys.stdin.readline() == "sleep\\n":
    time.sleep(1.1)
run.log_metric("loss", 2.0)
print("logged", flush=True)
sys.stdin.readline()
"""


FIRST_THREAD_ENDS = """
import ctypes, threading, time
def work():
    time.sleep(0.2)
    print("working", flush=True)
    time.sleep(60)
threading.Thread(target=work).start()
ctypes.CDLL(None).pthread_exit(None)
"""


def status(store):
    return reader.read_run(store, 0, "r").metadata["status"]


@pytest.fixture
def owner_process(script, store):
    process = script(LIVE, store)
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process):
    process.kill()
    process.wait()


def test_a_run_whose_process_lives_runs_and_one_whose_process_was_killed_is_lost(owner_process, store):
    """Rules L1 and L4."""
    assert status(store) == "RUNNING"
    kill(owner_process)
    assert status(store) == "LOST"


def test_a_killed_process_that_nobody_has_asked_about_is_lost_too(owner_process, store):
    """Rule L1."""
    owner_process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, owner_process.pid, os.WEXITED | os.WNOWAIT)
    assert status(store) == "LOST"


def test_h19_a_process_that_is_stopped_runs_however_long_it_is_silent(owner_process, store):
    """Rule L1."""
    owner_process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, owner_process.pid, os.WSTOPPED | os.WNOWAIT)
    os.utime(os.path.join(store, "0", "r", "owner.json"), (1, 1))
    assert status(store) == "RUNNING"
    assert Run(run_id="r", runs_dir=store).writer.meta_folder == ""
    owner_process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("is_waited_for", [True, False])
def test_a_child_of_foreign_code_that_keeps_the_lock_keeps_nothing_alive(script, store, is_waited_for):
    """Rule L1: a child keeps the lock."""
    process = script(
        """
        import os, subprocess, sys
        from mini_mlflow import Run
        run = Run(run_id="r", runs_dir=sys.argv[1])
        run.log_metric("loss", 1.0)
        numbers = [int(name) for name in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + name)]
        inode = os.stat(os.path.join(sys.argv[1], "0", "r", "owner.json")).st_ino
        (lock,) = [number for number in numbers if os.fstat(number).st_ino == inode]
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=[lock],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        print(child.pid, flush=True)
        os.kill(os.getpid(), 9)
        """,
        store,
    )
    child = int(process.stdout.readline())
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        if is_waited_for:
            process.wait()
        assert status(store) == "LOST"
        run = Run(run_id="r", runs_dir=store)
        assert os.path.basename(os.path.dirname(run.writer.meta_folder)) == "writers"
        run.log_metric("loss", 2.0)
        assert status(store) == "RUNNING"
        run.end()
        assert status(store) == "FINISHED"
        rows = reader.read_history(os.path.join(store, "0", "r"), "loss", [])
        assert [(row.step, row.value) for row in rows] == [(0, 1.0), (1, 2.0)]
    finally:
        os.kill(child, signal.SIGKILL)


def open_files(pid):
    found = []
    for name in os.listdir("/proc/%d/fd" % pid):
        try:
            found.append(os.readlink("/proc/%d/fd/%s" % (pid, name)))
        except FileNotFoundError:
            continue  # it is just starting, and closed one
    return found


def test_a_programs_children_do_not_inherit_the_lock(script, store):
    process = script(
        """
        import os, subprocess, sys
        from mini_mlflow import Run
        run = Run(run_id="r", runs_dir=sys.argv[1])
        run.log_metric("loss", 1.0)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], close_fds=False,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        print(child.pid, flush=True)
        os.kill(os.getpid(), 9)
        """,
        store,
    )
    child = int(process.stdout.readline())
    try:
        process.wait()
        assert [path for path in open_files(child) if path.startswith(store)] == []
    finally:
        os.kill(child, signal.SIGKILL)


def test_h20_a_run_whose_process_number_was_given_again_is_lost(owner_process, store):
    """Rule L1."""
    path = os.path.join(store, "0", "r", "owner.json")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    kill(owner_process)
    with open(path, "r+", encoding="utf-8") as file:
        file.write(text.replace('"pid": %d,' % owner_process.pid, '"pid": %d,' % os.getpid()).ljust(2047)[:2047] + "\n")
    assert status(store) == "LOST"


@pytest.mark.parametrize("is_local", [True, False])
def test_in_a_copy_a_run_is_lost_as_soon_as_its_process_is_gone(owner_process, store, tmp_path, monkeypatch, is_local):
    """Rule L1: the copy's file is not the one that is locked."""
    monkeypatch.setattr(machine, "is_local_device", lambda device: is_local)
    copy = str(tmp_path / "copy")
    subprocess.check_call(["cp", "-a", store, copy])
    assert (status(store), status(copy)) == ("RUNNING", "RUNNING")
    kill(owner_process)
    assert (status(store), status(copy)) == ("LOST", "LOST" if is_local else "RUNNING")
    os.utime(os.path.join(copy, "0", "r", "owner.json"), (time.time() - 70, time.time() - 70))
    assert status(copy) == "LOST"


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="only Linux has such processes")
def test_a_process_whose_first_thread_has_ended_lives_as_long_as_another(script):
    """Rule L1."""
    process = script(FIRST_THREAD_ENDS)
    assert process.stdout.readline() == "working\n"
    until = time.monotonic() + 20
    while b") Z" not in pathlib.Path("/proc/%d/stat" % process.pid).read_bytes() and time.monotonic() < until:
        time.sleep(0.01)
    assert b") Z" in pathlib.Path("/proc/%d/stat" % process.pid).read_bytes()
    assert not machine.is_process_gone(process.pid, machine.process_start(process.pid))
    kill(process)
    assert machine.is_process_gone(process.pid, None)


def test_a_copy_from_another_machine_falls_to_the_heartbeat(owner_process, store, tmp_path):
    """Rule L2: neither its lock nor its process is known here."""
    copy = str(tmp_path / "copy")
    subprocess.check_call(["cp", "-a", store, copy])
    path = os.path.join(copy, "0", "r", "owner.json")
    text = pathlib.Path(path).read_text(encoding="utf-8")
    state = os.stat(path)
    pathlib.Path(path).write_text(text.replace(machine.boot_id(""), str(uuid.uuid4())), encoding="utf-8")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    kill(owner_process)
    assert (status(store), status(copy)) == ("LOST", "RUNNING")
    os.utime(path, (time.time() - 610, time.time() - 610))
    assert status(copy) == "LOST"
    os.utime(path)
    assert status(copy) == "RUNNING"


def test_h19_an_owner_that_wakes_after_it_was_succeeded_elsewhere_keeps_its_values(owner_process, store):
    """Rules W5 and W8; attack H19: the same run goes on."""
    folder = os.path.join(store, "0", "r")
    record = os.path.join(folder, "owner.json")
    shutil.copy(record, record + "~")
    os.rename(record + "~", record)  # as on a disk whose locks nobody sees
    os.utime(record, (1, 1))
    heir = Run(run_id="r", runs_dir=store)
    heir.log_metric("loss", 10.0, step=10)
    owner_process.stdin.write("sleep\n")  # for longer than the second of rule M12
    owner_process.stdin.flush()
    assert owner_process.stdout.readline() == "logged\n"
    heir.end("FAILED")
    rows = reader.read_history(folder, "loss", [])
    assert [row.value for row in rows] == [1.0, 2.0, 10.0]
    kill(owner_process)
    assert status(store) == "FAILED"


def test_a_run_that_nobody_holds_any_more_is_lost_and_can_be_resumed(store):
    """Rule L1."""
    run = Run(run_id="r", runs_dir=store)
    run.log_metric("loss", 1.0)
    assert status(store) == "RUNNING"
    active.forget(run)  # as when 256 newer ones are open
    del run
    gc.collect()
    assert status(store) == "LOST"
    with Run(run_id="r", runs_dir=store) as run:
        run.log_metric("loss", 2.0)
        assert status(store) == "RUNNING"
    assert status(store) == "FINISHED"
    assert not os.path.exists(os.path.join(store, "0", "r", "writers"))


def test_nobody_signals_the_owner_by_looking(owner_process, store):
    """Attack G11."""
    for _ in range(50):
        status(store)
    assert owner_process.poll() is None
    out, err = owner_process.communicate("\n\n")
    assert (out, err, owner_process.returncode) == ("logged\n", "", 0)
    assert status(store) == "FINISHED"
