"""Which machine is this, which process, which disk."""

import io
import os
import shutil
import signal
import subprocess
import sys

import pytest

from mini_mlflow.store import machine

needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="only Linux tells in /proc")


@pytest.fixture(autouse=True)
def unknown_devices():
    """Let what is asked of a device be looked up, also after the test that changed what is found."""
    machine._kind_of_device.cache_clear()
    yield
    machine._kind_of_device.cache_clear()


@pytest.fixture
def sleeper():
    """Start programs that do nothing until they are killed."""
    processes = []

    def start(program=sys.executable, *arguments):
        command = [program, *(arguments or ("-c", "import time; time.sleep(600)"))]
        processes.append(subprocess.Popen(command))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


@needs_proc
def test_the_boot_id_is_the_kernels():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        assert machine.boot_id("any") == file.read().strip()


def test_without_proc_the_host_name_stands_for_the_boot(monkeypatch):
    """Attack H27."""
    monkeypatch.setattr(machine, "open", refuse_to_open, raising=False)
    assert machine.boot_id.__wrapped__("host-a") == "host-a"
    assert machine.process_start(os.getpid()) is None
    assert machine.is_local_device(os.stat(".").st_dev) is False


def refuse_to_open(path, mode):
    raise FileNotFoundError(path)


@needs_proc
def test_a_process_has_one_start():
    assert machine.process_start(os.getpid()) == machine.process_start(os.getpid()) > 0


@needs_proc
def test_a_program_with_brackets_and_spaces_in_its_name_has_a_start(tmp_path, sleeper):
    program = str(tmp_path / "a) R 1 (b")
    shutil.copy(shutil.which("sleep"), program)
    process = sleeper(program, "600")
    assert machine.process_start(process.pid) >= machine.process_start(os.getpid())
    assert not machine.is_process_gone(process.pid, machine.process_start(process.pid))


@needs_proc
def test_a_process_that_runs_is_not_gone():
    assert not machine.is_process_gone(os.getpid(), machine.process_start(os.getpid()))
    assert not machine.is_process_gone(os.getpid(), None)


@needs_proc
def test_a_process_that_is_stopped_is_not_gone(sleeper):
    process = sleeper()
    start = machine.process_start(process.pid)
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    assert not machine.is_process_gone(process.pid, start)


@needs_proc
def test_a_process_that_ended_is_gone(sleeper):
    process = sleeper()
    start = machine.process_start(process.pid)
    process.kill()
    process.wait()
    assert machine.is_process_gone(process.pid, start)


@needs_proc
def test_a_process_that_ended_is_gone_though_its_parent_has_not_asked(sleeper):
    """Rule L1: it runs no more, only its number is kept."""
    process = sleeper()
    start = machine.process_start(process.pid)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert machine.is_process_gone(process.pid, start)


@needs_proc
def test_h20_a_process_that_started_at_another_time_is_another():
    assert machine.is_process_gone(os.getpid(), machine.process_start(os.getpid()) + 1)


@needs_proc
@pytest.mark.parametrize("pid", [2**31, 2**70])
def test_a_number_that_no_process_can_have_is_no_proof(pid):
    assert not machine.is_process_gone(pid, 1)


@needs_proc
def test_g11_a_process_that_we_may_not_ask_is_not_gone(monkeypatch):
    def refuse(pid, number):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "kill", refuse)
    assert not machine.is_process_gone(1, 1)


MOUNTS = b"""\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 1 0:50 / /home rw,relatime shared:2 master:3 - nfs4 server:/home rw,vers=4.2
23 1 0:51 / /scratch rw - lustre server rw
24 1 0:52 / /tmp rw - tmpfs tmpfs rw
25 1 0:53 / /merged rw - overlay overlay rw
26 1 0:54 / /odd rw - \xff\xfe x rw
"""


@pytest.mark.skipif(not hasattr(os, "makedev"), reason="devices have no numbers here")
@pytest.mark.parametrize(
    ("device", "is_local"),
    [((8, 1), True), ((0, 52), True), ((0, 50), False), ((0, 51), False), ((0, 53), False), ((0, 54), False),
     ((8, 2), False)],
)  # fmt: skip
def test_a_disk_is_local_only_where_its_file_system_is_known_to_be(monkeypatch, device, is_local):
    """Rule W4 (b): the disk is known to be local."""
    monkeypatch.setattr(machine, "open", lambda path, mode: io.BytesIO(MOUNTS), raising=False)
    assert machine.is_local_device(os.makedev(*device)) is is_local


@pytest.mark.skipif(not hasattr(os, "makedev"), reason="devices have no numbers here")
@pytest.mark.parametrize(
    ("device", "has_times"), [((8, 1), True), ((0, 50), True), ((0, 53), True), ((0, 54), False), ((8, 2), True)]
)
def test_folders_have_times_where_their_file_system_keeps_them_or_is_not_named(monkeypatch, device, has_times):
    monkeypatch.setattr(machine, "open", lambda path, mode: io.BytesIO(MOUNTS), raising=False)
    assert machine.has_folder_times(os.makedev(*device)) is has_times


@pytest.mark.skipif(not hasattr(os, "makedev"), reason="devices have no numbers here")
def test_a_table_of_mounts_in_another_form_tells_nothing(monkeypatch):
    monkeypatch.setattr(machine, "open", lambda path, mode: io.BytesIO(b"x\n"), raising=False)
    assert machine.is_local_device(os.makedev(8, 1)) is False
