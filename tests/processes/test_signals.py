"""What do signals other than SIGTERM do to a run, and what do handlers of others do, before and after ours?"""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from mini_mlflow.store import reader

HEAD = """
import os, signal, sys, threading, time
from mini_mlflow import Run, active
store = sys.argv[1]
def start():
    global run
    run = Run(run_id="r", runs_dir=store)
    run.log_metric("loss", 1.0)
"""
LIVE = "print('ready', flush=True)\nsys.stdin.readline()\n"


@pytest.fixture
def signalled(script, store):
    """Run a script up to its first line of input, send it signals; returns its exit status and the run's."""

    def run(code, *numbers, answer="\n"):
        process = script(HEAD + code + LIVE, store)
        assert process.stdout.readline() == "ready\n"
        for number in numbers:
            process.send_signal(number)
        try:
            process.communicate(answer, timeout=60)
        except BrokenPipeError:  # it has gone meanwhile
            process.wait()
        return process.returncode, status(store)

    return run


def status(store):
    record = reader.read_run(store, 0, "r")
    assert (record.metrics, record.problems) == ({"loss": 1.0}, [])
    return record.metadata["status"]


@pytest.mark.parametrize(
    ("name", "found"),
    [("SIGHUP", "KILLED"), ("SIGTERM", "KILLED"), ("SIGKILL", "LOST"), ("SIGQUIT", "LOST"), ("SIGUSR1", "LOST"),
     ("SIGUSR2", "LOST"), ("SIGXCPU", "LOST"), ("SIGALRM", "LOST"), ("SIGSEGV", "LOST"), ("SIGBUS", "LOST")],
)  # fmt: skip
def test_a_signal_that_ends_a_process_ends_its_run_or_leaves_it_lost(signalled, name, found):
    """What asks for the end and leaves time for it is KILLED; the rest ends at once, which the lock shows (rule L1)."""
    code = "import resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\nstart()\n"
    assert signalled(code, getattr(signal, name)) == (-getattr(signal, name), found)


def test_ctrl_c_ends_a_run_as_killed(signalled):
    assert signalled("start()\n", signal.SIGINT) == (-signal.SIGINT if sys.version_info >= (3, 8) else 1, "KILLED")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("with run: time.sleep(60)", "KILLED"),
        ("time.sleep(60)", "KILLED"),
        ("sum(map(int, iter(lambda: '1', '')))", "KILLED"),  # within loops of code in C
        ("threading.Event().wait(60)", "KILLED"),
        ("try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    pass", "FINISHED"),
        ("try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    sys.exit(130)", "FAILED"),
    ],
)
def test_ctrl_c_wherever_it_comes_is_the_end_unless_it_is_caught(script, store, code, found):
    send = "start()\nthreading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
    script(HEAD + send + code, store).communicate(timeout=60)
    assert status(store) == found


def test_a_handler_of_ctrl_c_that_only_takes_note_lets_the_run_finish(signalled):
    code = "start()\nsignal.signal(signal.SIGINT, lambda *_: None)\n"
    assert signalled(code, signal.SIGINT) == (0, "FINISHED")


def test_a_script_that_gave_ctrl_c_back_to_the_system_before_the_run_ends_it_as_killed(signalled):
    code = "signal.signal(signal.SIGINT, signal.SIG_DFL)\nstart()\n"
    assert signalled(code, signal.SIGINT) == (-signal.SIGINT, "KILLED")


def test_a_signal_that_is_ignored_ends_nothing(signalled):
    """So `nohup` does it for SIGHUP."""
    code = "signal.signal(signal.SIGHUP, signal.SIG_IGN)\nstart()\n"
    assert signalled(code, signal.SIGHUP) == (0, "FINISHED")


@pytest.mark.skipif(not shutil.which("nohup"), reason="there is no nohup")
def test_a_script_under_nohup_outlives_its_terminal(script, store, tmp_path):
    (tmp_path / "train.py").write_text(HEAD + "start()\n" + LIVE, encoding="utf-8")
    process = subprocess.Popen(
        ["nohup", sys.executable, str(tmp_path / "train.py"), store],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGHUP)
    process.communicate("\n", timeout=60)
    assert (process.returncode, status(store)) == (0, "FINISHED")


@pytest.mark.skipif(not shutil.which("timeout"), reason="there is no timeout")
@pytest.mark.parametrize(("name", "found"), [("TERM", "KILLED"), ("KILL", "LOST")])
def test_the_timeout_command_ends_a_run(store, tmp_path, name, found):
    """What it sends first is SIGTERM, unless it was asked for another."""
    (tmp_path / "train.py").write_text(HEAD + "start()\ntime.sleep(600)\n", encoding="utf-8")
    for seconds in ("0.3", "2", "10"):  # until the machine is quick enough
        command = ["timeout", "-s", name, seconds, sys.executable, str(tmp_path / "train.py"), store]
        assert subprocess.run(command, check=False).returncode in (124, -signal.SIGKILL, 128 + signal.SIGKILL)
        if os.path.exists(os.path.join(store, "0", "r", "metrics", "loss.json")):
            break
    deadline = time.monotonic() + 60
    while status(store) == "RUNNING" and time.monotonic() < deadline:  # by SIGKILL the command goes before its child
        time.sleep(0.01)
    assert status(store) == found


def test_a_run_whose_process_is_stopped_runs_and_goes_on(script, store):
    process = script(HEAD + "start()\n" + LIVE, store)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    assert status(store) == "RUNNING"
    process.send_signal(signal.SIGTERM)  # waits until the process goes on
    assert status(store) == "RUNNING"
    process.send_signal(signal.SIGCONT)
    process.wait(timeout=60)
    assert (process.returncode, status(store)) == (-signal.SIGTERM, "KILLED")


# Handlers of others ----------------------------------------------------------------------------------------------

CHAINED = """
def answer(number, frame):
    os.write(1, b"answered %s\\n" % run.status.encode())  # print() may be at work on "ready" still
    if callable(before):
        before(number, frame)
"""


def test_a_handler_that_calls_the_one_before_it_ends_the_run_and_the_process(script, store):
    code = "start()\n" + CHAINED + "before = signal.signal(signal.SIGTERM, answer)\n"
    process = script(HEAD + code + LIVE, store)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60)[0] == "answered RUNNING\n"
    assert (process.returncode, status(store)) == (-signal.SIGTERM, "KILLED")


def test_a_handler_that_was_replaced_for_a_while_is_put_back(signalled):
    code = """
start()
before = signal.signal(signal.SIGTERM, lambda *_: None)
os.kill(os.getpid(), signal.SIGTERM)
assert signal.signal(signal.SIGTERM, before)
assert signal.getsignal(signal.SIGTERM) is before and before is not signal.SIG_DFL
"""
    assert signalled(code, signal.SIGTERM) == (-signal.SIGTERM, "KILLED")


@pytest.mark.parametrize("give_up", ["signal.signal(number, before)", "signal.signal(number, signal.SIG_DFL)"])
def test_a_handler_that_does_its_part_and_then_sends_the_signal_again_dies_of_it(signalled, give_up):
    code = """
start()
def answer(number, frame):
    %s
    os.kill(os.getpid(), number)
before = signal.signal(signal.SIGTERM, answer)
"""
    found = "KILLED" if "before" in give_up else "LOST"
    assert signalled(code % give_up, signal.SIGTERM) == (-signal.SIGTERM, found)


def test_to_others_our_handler_is_the_default(signalled):
    """So a framework that handles SIGTERM only where nobody else does, does so, and calls nobody before it."""
    code = """
start()
for name in ("SIGTERM", "SIGHUP"):
    there = signal.getsignal(getattr(signal, name))
    assert there is not signal.SIG_DFL and callable(there)
    assert there == signal.SIG_DFL and there in (None, signal.SIG_DFL) and not there != signal.SIG_DFL
    assert there != signal.SIG_IGN and there not in (None, signal.SIG_IGN, signal.default_int_handler) and there != 5
    assert there == there and len({there, there}) == 1
"""
    assert signalled(code) == (0, "FINISHED")


FRAMEWORK = """
class Connector:  # as Lightning's: composes its handler with one that is there, unless that is the default
    def __init__(self):
        self.is_told = False
        self.originals = {number: signal.getsignal(number) for number in signal.valid_signals()
                          if number not in (signal.SIGKILL, signal.SIGSTOP)}
        handlers = [self.note]
        if signal.getsignal(signal.SIGTERM) not in (None, signal.SIG_DFL):
            handlers.append(signal.getsignal(signal.SIGTERM))
        signal.signal(signal.SIGTERM, lambda number, frame: [handler(number, frame) for handler in handlers])
    def note(self, number, frame):
        self.is_told = True
    def teardown(self):
        for number, handler in self.originals.items():
            if handler is not None:
                signal.signal(number, handler)
start()
connector = Connector()
"""


@pytest.mark.skipif(sys.version_info < (3, 8), reason="signal.valid_signals came with Python 3.8")
def test_a_framework_that_stops_in_its_own_time_after_sigterm_does_so(signalled):
    """What Lightning does: it takes note, ends its step, saves, and leaves."""
    code = FRAMEWORK + "os.kill(os.getpid(), signal.SIGTERM)\nassert connector.is_told\nrun.log_metric('loss', 1.0)\n"
    assert signalled(code + "run.end('KILLED')\n") == (0, "KILLED")


@pytest.mark.skipif(sys.version_info < (3, 8), reason="signal.valid_signals came with Python 3.8")
def test_a_framework_that_puts_the_handlers_back_puts_ours_back(signalled):
    code = FRAMEWORK + "connector.teardown()\n"
    assert signalled(code, signal.SIGTERM) == (-signal.SIGTERM, "KILLED")


def test_a_handler_that_code_in_c_has_installed_is_left_alone(signalled):
    """Python takes it for the default: only the kernel tells."""
    code = """
import ctypes
answer = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda number: os._exit(9))
libc = ctypes.CDLL(None)
libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.signal(signal.SIGTERM, ctypes.cast(answer, ctypes.c_void_p))
start()
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
assert signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL
"""
    if sys.platform != "linux":
        pytest.skip("elsewhere nothing tells of it")
    assert signalled(code, signal.SIGTERM) == (9, "LOST")


def test_two_signals_at_once_end_the_run_once(signalled):
    code, found = signalled("start()\n", signal.SIGHUP, signal.SIGTERM, signal.SIGHUP)
    assert -code in (signal.SIGHUP, signal.SIGTERM)
    assert found == "KILLED"


def test_a_user_who_saves_on_a_schedulers_warning_and_is_terminated_later(signalled):
    """Slurm: SIGUSR1 comes some time before SIGTERM."""
    code = "start()\nsignal.signal(signal.SIGUSR1, lambda *_: run.set_tag('saved', True))\n"
    assert signalled(code, signal.SIGUSR1, signal.SIGTERM) == (-signal.SIGTERM, "KILLED")
