"""What SIGTERM does to the runs of a process, and who else may answer it."""

import os
import signal

import pytest

from mini_mlflow import Run
from mini_mlflow.store import reader

HEAD = """
import os, signal, sys, threading, time
from mini_mlflow import Run, active
store = sys.argv[1]
"""
START = """
run = Run(run_id="r", runs_dir=store)
run.log_metric("loss", 1.0)
"""
TERM = """
os.kill(os.getpid(), signal.SIGTERM)
while True: time.sleep(0.01)
"""


@pytest.fixture
def terminate(script, store):
    """Run a script between the imports and a SIGTERM to itself; returns its exit status and what it wrote to stderr."""

    def run(code, last=TERM):
        process = script(HEAD + code + last, store)
        _, errors = process.communicate(timeout=60)
        return process.returncode, errors

    return run


def status(store, run_id="r"):
    record = reader.read_run(store, 0, run_id)
    assert (record.metrics, record.problems) == ({"loss": 1.0}, [])
    return record.metadata["status"]


def test_sigterm_ends_every_run_as_killed_and_the_exit_status_is_the_signals(terminate, store):
    more = "other = Run(run_id='other', runs_dir=store)\nother.log_metric('loss', 1.0)\n"
    assert terminate(START + more) == (-signal.SIGTERM, "")
    assert [status(store), status(store, "other")] == ["KILLED", "KILLED"]


def test_a_killed_run_can_be_continued(terminate, store):
    terminate(START)
    with Run(run_id="r", runs_dir=store):
        assert status(store) == "RUNNING"
    assert status(store) == "FINISHED"
    assert not os.path.exists(os.path.join(store, "0", "r", "writers"))


def test_sigterm_in_the_middle_of_logging_ends_the_run_with_all_that_was_logged(terminate, store):
    code = (
        START
        + """
def send():
    time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=send).start()
step = 0
while True:
    run.log_metric("steps", step, step=step)
    step += 1
"""
    )
    assert terminate(code, last="") == (-signal.SIGTERM, "")
    record = reader.read_run(store, 0, "r")
    assert (record.metadata["status"], record.problems) == ("KILLED", [])
    history = reader.read_history(os.path.join(store, "0", "r"), "steps", [])
    assert [row.value for row in history] == list(range(len(history)))
    assert len(history) > 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_handler_of_the_users_own_is_never_touched(terminate, store, when):
    handler = """
def answer(number, frame):
    print(run.status, file=sys.stderr)
    sys.exit(7)
signal.signal(signal.SIGTERM, answer)
"""
    code = handler + START if when == "before" else START + handler
    code += "Run(run_id='later', runs_dir=store)\nassert signal.getsignal(signal.SIGTERM) is answer\n"
    assert terminate(code) == (7, "RUNNING\n")
    assert status(store) == "FAILED"


@pytest.mark.parametrize("choice", ["SIG_IGN", "SIG_DFL"])
def test_a_users_own_disposition_stays(terminate, store, choice):
    setting = "signal.signal(signal.SIGTERM, signal.%s)\n" % choice
    code = setting + START if choice == "SIG_IGN" else START + setting
    code += "Run(run_id='later', runs_dir=store)\nassert signal.getsignal(signal.SIGTERM) is signal.%s\n" % choice
    last = "os.kill(os.getpid(), signal.SIGTERM)\n"
    assert terminate(code, last) == ((0, "") if choice == "SIG_IGN" else (-signal.SIGTERM, ""))
    assert status(store) == ("FINISHED" if choice == "SIG_IGN" else "LOST")


def test_a_run_started_in_another_thread_leaves_the_signal_alone_until_the_main_thread_starts_one(terminate, store):
    code = """
def start():
    global run
    run = Run(run_id="r", runs_dir=store)
    run.log_metric("loss", 1.0)
thread = threading.Thread(target=start)
thread.start()
thread.join()
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
other = Run(run_id="other", runs_dir=store)
assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
"""
    assert terminate(code) == (-signal.SIGTERM, "")
    assert status(store) == "KILLED"


def test_importing_and_reading_leave_the_signal_alone(terminate, store):
    code = "from mini_mlflow import ExperimentTracker\nExperimentTracker(runs_dir=store).list_runs()\n"
    code += "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL"
    assert terminate(code, last="") == (0, "")


def test_a_second_signal_does_not_cut_the_endings_short(terminate, store):
    code = (
        START
        + """
end = Run.end
def slowly(self, status):
    os.kill(os.getpid(), signal.SIGTERM)
    end(self, status)
Run.end = slowly
"""
    )
    assert terminate(code) == (-signal.SIGTERM, "")
    assert status(store) == "KILLED"


def test_sigterm_while_a_run_is_ending_comes_after_that_ending(terminate, store):
    code = (
        START
        + """
from mini_mlflow.store.writer import RunWriter
other = Run(run_id="other", runs_dir=store)
other.log_metric("loss", 1.0)
close = RunWriter.close
def interrupted(self, **final):
    RunWriter.close = close
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0)
    close(self, **final)
RunWriter.close = interrupted
"""
    )
    assert terminate(code, last="run.end()\nos._exit(0)") == (-signal.SIGTERM, "")
    assert [status(store), status(store, "other")] == ["FINISHED", "KILLED"]


def test_a_forked_child_that_is_terminated_ends_its_own_part_alone(terminate, store):
    """Rule W10."""
    code = (
        START
        + """
child = os.fork()
if child == 0:
    signal.alarm(60)
    run.log_metric("childs", 2.0)
    os.kill(os.getpid(), signal.SIGTERM)
    while True: time.sleep(0.01)
assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM
assert run.status == "RUNNING"
run.log_metric("after", 3.0)
"""
    )
    assert terminate(code, last="") == (0, "")
    record = reader.read_run(store, 0, "r")
    assert record.metrics == {"loss": 1.0, "childs": 2.0, "after": 3.0}
    assert (record.metadata["status"], record.problems) == ("FINISHED", [])


def test_a_fork_that_does_not_know_it_yet_ends_no_run_of_its_parent(terminate, store):
    code = (
        START
        + """
from mini_mlflow import endings
active._process.pid += 1  # as in a child whose fork hook has not run
endings.end_all()
assert run.status == "RUNNING"
active._process.pid -= 1
"""
    )
    assert terminate(code, last="") == (0, "")
    assert status(store) == "FINISHED"
