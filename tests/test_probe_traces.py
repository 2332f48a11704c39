"""Does the user's process see nothing of the program that asks git, whatever it does with its children and files?"""

import os
import signal
import subprocess
import sys

import pytest

from git_checkout import DEADLINE_S, GIT, Checkout, answer, is_alive, own_places, wait_until, write_program
from mini_mlflow.probe import Probe, ProbeResult

pytestmark = [
    pytest.mark.skipif(GIT is None or os.name == "nt", reason="needs git, and programs that are shell scripts"),
    pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux shows what a process holds"),
]
NOTHING = ProbeResult({}, None)
ASK = """
import os, signal, sys, time
from mini_mlflow import repository
from mini_mlflow.probe import Probe
found = repository.find(sys.argv[1])
"""


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    own_places(tmp_path, monkeypatch)


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "code")


@pytest.fixture
def hung(tmp_path, monkeypatch):
    """A file with the id of a git that hangs, once that runs."""
    started = tmp_path / "started"
    (tmp_path / "programs").mkdir()
    lines = ["echo $$ >%s.part; mv %s.part %s" % (started, started, started), "exec sleep 1000"]
    write_program(tmp_path / "programs" / "git", *lines)
    monkeypatch.setenv("PATH", "%s%s%s" % (tmp_path / "programs", os.pathsep, os.environ["PATH"]))
    return started


def play(checkout, code):
    command = [sys.executable, "-c", ASK + code, checkout.find().root]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=DEADLINE_S).stdout.decode().split()


# Files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("then", ["poll", "forget"])
def test_h10_a_file_that_gets_the_number_of_the_answer_is_neither_read_nor_closed(checkout, tmp_path, then):
    probe = Probe(checkout.find())
    number = probe._descriptor.number
    (tmp_path / "checkpoint").write_bytes(b'{"found": {"git_dirty": true}, "diff_bytes": 0}\n')
    os.close(number)
    users = os.open(str(tmp_path / "checkpoint"), os.O_RDWR)
    os.dup2(users, number)
    os.close(users)
    try:
        os.lseek(number, 5, os.SEEK_SET)
        if then == "poll":
            assert probe.wait(DEADLINE_S) == NOTHING
        else:
            getattr(probe, then)()
        assert os.lseek(number, 0, os.SEEK_CUR) == 5
    finally:
        os.close(number)


def test_h10_the_number_of_the_answer_is_a_high_one(checkout):
    probe = Probe(checkout.find())
    assert probe._descriptor.number >= 64
    answer(probe)


# Children -------------------------------------------------------------------------------------------------------


def test_a_script_that_waits_for_any_child_gets_its_own(checkout, hung):
    code = """
probe = Probe(found)
child = os.fork()
if not child:
    os._exit(7)
pid, status = os.wait()
print(pid == child, os.WEXITSTATUS(status))
try:
    os.wait()
except ChildProcessError:
    print("none")
"""
    assert play(checkout, code) == ["True", "7", "none"]


@pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="this system cannot take a signal back")
def test_a_handler_of_sigchld_hears_of_the_scripts_own_children_alone(checkout):
    code = """
heard = []
signal.signal(signal.SIGCHLD, lambda *_: heard.append(1))
probe = Probe(found)
probe.wait(60)
print(len(heard), probe.poll().fields["git_dirty"])
child = os.fork()
if not child:
    os._exit(7)
while not heard:
    time.sleep(0.001)
print(len(heard), os.WEXITSTATUS(os.wait()[1]), signal.pthread_sigmask(signal.SIG_BLOCK, []) == set())
"""
    assert play(checkout, code) == ["0", "False", "1", "7", "True"]


def test_a_handler_of_sigchld_hears_of_a_child_that_ends_at_the_same_moment(checkout):
    code = """
heard = []
signal.signal(signal.SIGCHLD, lambda *_: heard.append(1))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
child = os.fork()
if not child:
    os._exit(7)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
from mini_mlflow import probe as probes
probes._let_sigchld_through(set())
print(len(heard), os.WEXITSTATUS(os.wait()[1]))
"""
    assert play(checkout, code) == ["1", "7"]


def test_the_first_process_of_a_container_which_gets_the_orphans_keeps_no_zombie(checkout):
    """What such a process is, PR_SET_CHILD_SUBREAPER (36) makes of any."""
    code = """
import ctypes
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0
probe = Probe(found)
assert probe.wait(60).fields
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("none")
"""
    assert play(checkout, code) == ["none"]


# Short runs -----------------------------------------------------------------------------------------------------


def test_e03_many_short_runs_ask_a_git_that_hangs_once_and_wait_once(checkout, hung, tmp_path, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", "on")
    (checkout.folder / "run.py").write_text(
        "import os, sys, time, mini_mlflow\n"
        "begun = time.monotonic()\n"
        "for _ in range(30):\n"
        "    with mini_mlflow.start_run(runs_dir=sys.argv[1]): pass\n"
        "print(time.monotonic() - begun < 30 * 0.2)\n"
        "from mini_mlflow import provenance\n"
        "print(provenance.start_probe().asked_at < begun + 1)\n"
        "try: os.wait()\n"
        "except ChildProcessError: print('none')\n"
    )
    command = [sys.executable, str(checkout.folder / "run.py"), str(tmp_path / "mlruns")]
    shown = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=DEADLINE_S).stdout
    assert shown.split() == [b"True", b"True", b"none"]


def test_the_program_and_git_end_with_the_script_that_asked(checkout, hung, tmp_path):
    code = "import time\nprobe = Probe(found)\nwhile not os.path.exists(%r): time.sleep(0.001)\nprint('asked')"
    assert play(checkout, code % str(hung)) == ["asked"]
    wait_until(lambda: hung.read_text().strip())
    pid = int(hung.read_text())
    wait_until(lambda: not is_alive(pid))
