"""How a run ends when nobody ends it: its status after each way that a process can go."""

import os

import pytest

from mini_mlflow import Run
from mini_mlflow.store import reader


def run_script(script, code, store, *, before=""):
    """Run a script that has a run as ``run``; returns its exit status and what it wrote to stderr."""
    head = """
import os, signal, sys, threading
from mini_mlflow import ExperimentTracker, Run, log_metric, start_run
store = sys.argv[1]
"""
    process = script(
        head + before + "\nrun = Run(run_id='r', runs_dir=store)\nrun.log_metric('loss', 1.0)\n" + code, store
    )
    _, errors = process.communicate()
    return process.returncode, errors


def status(store, run_id="r"):
    record = reader.read_run(store, 0, run_id)
    assert record.problems == []
    assert record.metrics == {"loss": 1.0}
    return record.metadata["status"]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("", "FINISHED"),
        ("sys.exit(0)", "FINISHED"),
        ("sys.exit()", "FINISHED"),
        ("raise ValueError('x')", "FAILED"),
        ("raise KeyboardInterrupt", "KILLED"),
        ("os.kill(os.getpid(), signal.SIGINT)\nwhile True: pass", "KILLED"),
        ("os._exit(0)", "LOST"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "LOST"),
        ("os.abort()", "LOST"),
        ("run.end('FAILED')", "FAILED"),
        ("run.end('KILLED'); raise ValueError", "KILLED"),
        ("del run", "FINISHED"),
        ("run = None; raise ValueError", "FAILED"),
        ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    pass", "FINISHED"),
    ],
    ids=range(14),
)
def test_the_way_a_process_ends_is_the_status_of_its_run(script, store, code, found):
    run_script(script, code, store)
    assert status(store) == found


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("raise ValueError('x')", "ValueError: x (script_0.py:8)"),
        ("sys.exit(3)", "exit code 3"),
        ("sys.exit('no data')", "no data"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (script_0.py:8)"),
        ("os.kill(os.getpid(), signal.SIGTERM)\nsignal.pause()", "SIGTERM"),
        ("run.end('FAILED')", None),
        ("os._exit(1)", None),
        ("", None),
    ],
)
def test_what_ended_a_process_is_told_by_its_run(script, store, monkeypatch, code, wanted):
    """Rule Y3."""
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", "on")
    run_script(script, code, store)
    assert reader.read_run(store, 0, "r").metadata.get("ended_by") == wanted


@pytest.mark.parametrize(
    ("code", "found", "returncode"),
    [
        ("pass", "FINISHED", 0),
        ("sys.exit(0)", "FINISHED", 0),
        ("sys.exit(None)", "FINISHED", 0),
        ("sys.exit(3)", "FAILED", 3),
        ("sys.exit('no data')", "FAILED", 1),
        ("raise ValueError", "FAILED", 1),
        ("raise KeyboardInterrupt", "KILLED", None),
        ("raise GeneratorExit", "FAILED", 1),
        ("run.end('KILLED'); raise ValueError", "KILLED", 1),
    ],
)
@pytest.mark.parametrize("block", ["with run:", "with ExperimentTracker(runs_dir=store) as other:"])
def test_the_way_a_block_is_left_is_the_status_of_its_run(script, store, block, code, found, returncode):
    if "other" in block:
        code = "other.log_metric('loss', 1.0)\n    " + code.replace("run.end", "other.end")
    ended = run_script(script, "%s\n    %s" % (block, code), store)[0]
    if returncode is not None:
        assert ended == returncode
    ids = [name for name in reader.list_run_ids(store, 0) if name != "r" or "other" not in block]
    assert [status(store, run_id) for run_id in ids] == [found]


def test_every_open_run_of_a_process_ends_with_it(script, store):
    code = """
kept = [Run(run_id="n%d" % number, runs_dir=store) for number in range(3)]
for each in kept:
    each.log_metric("loss", 1.0)
raise ValueError
"""
    run_script(script, code, store)
    assert [status(store, run_id) for run_id in ("r", "n0", "n1", "n2")] == ["FAILED"] * 4


def test_a_run_that_a_thread_ends_at_the_last_moment_keeps_no_other_from_ending(script, store):
    before = """
from mini_mlflow import active
"""
    code = """
kept = [Run(run_id="n%d" % number, runs_dir=store) for number in range(3)]
for each in kept:
    each.log_metric("loss", 1.0)
end = Run.end
def race(self, status="FINISHED"):
    end(self, status)
    end(self, status)
Run.end = race
"""
    assert run_script(script, code, store, before=before) == (0, "")
    assert [status(store, run_id) for run_id in ("r", "n0", "n1", "n2")] == ["FINISHED"] * 4


def test_an_exception_in_a_thread_is_not_the_end_of_the_process(script, store):
    code = """
def fail():
    raise ValueError
thread = threading.Thread(target=fail)
thread.start()
thread.join()
"""
    run_script(script, code, store)
    assert status(store) == "FINISHED"


def test_a_daemon_thread_that_logs_to_the_last_moment_disturbs_no_ending(script, store):
    """Attack H15."""
    code = """
ready = threading.Event()
def log():
    try:
        while True:
            run.log_metric("more", 0.5)
            ready.set()
    except ValueError:
        pass
threading.Thread(target=log, daemon=True).start()
ready.wait()
"""
    assert run_script(script, code, store) == (0, "")
    record = reader.read_run(store, 0, "r")
    assert (record.metadata["status"], record.metrics, record.problems) == ("FINISHED", {"loss": 1.0, "more": 0.5}, [])


def test_a_run_that_is_started_while_the_process_ends_ends_too_or_is_lost(script, store):
    code = """
import atexit
def late():
    global other
    other = Run(run_id="late", runs_dir=store)
    other.log_metric("loss", 1.0)
atexit.register(late)
"""
    assert run_script(script, code, store) == (0, "")
    assert status(store) == "FINISHED"
    assert status(store, "late") == "FINISHED"


def test_logging_from_a_destructor_of_a_dying_interpreter_raises_nothing_but_what_it_may(script, store):
    """Attack H15."""
    code = """
class Last:
    def __del__(self, run=run):
        try:
            run.log_metric("loss", 2.0)
        except ValueError:
            print("refused", flush=True)
last = Last()
"""
    assert run_script(script, code, store) == (0, "")
    assert status(store) == "FINISHED"


def test_a_run_ends_with_the_process_that_resumed_it(script, store):
    run_script(script, "os._exit(0)", store)
    assert status(store) == "LOST"
    run_script(script, "raise ValueError", store)
    assert status(store) == "FAILED"
    run_script(script, "", store)
    assert status(store) == "FINISHED"
    assert not os.path.exists(os.path.join(store, "0", "r", "writers"))


def test_a_joiner_that_fails_does_not_say_how_the_run_ends(script, store):
    """Rule W7."""
    with Run(run_id="r", runs_dir=store) as run:
        run.log_metric("loss", 1.0)
        run_script(script, "raise ValueError", store)
        assert status(store) == "RUNNING"
    assert status(store) == "FINISHED"


def test_a_run_that_a_thread_or_a_function_left_open_ends_with_the_process(script, store):
    code = """
from mini_mlflow import active
def leave(run_id):
    start_run(run_id=run_id, runs_dir=store)
    log_metric("loss", 1.0)
thread = threading.Thread(target=leave, args=("of-a-thread",))
thread.start()
thread.join()
leave("of-a-function")
active.clear()
"""
    assert run_script(script, code, store) == (0, "")
    assert [status(store, run_id) for run_id in ("of-a-thread", "of-a-function")] == ["FINISHED", "FINISHED"]


def test_of_more_open_runs_than_are_kept_the_oldest_that_nobody_holds_is_lost(script, store):
    code = """
from mini_mlflow import active
for number in range(active.MOST_KEPT):
    Run(run_id="n%d" % number, runs_dir=store).log_metric("loss", 1.0)
"""
    assert run_script(script, code, store) == (0, "")
    assert [status(store, run_id) for run_id in ("r", "n0", "n255")] == ["FINISHED"] * 3
    code += 'Run(run_id="last", runs_dir=store).log_metric("loss", 1.0)'
    assert run_script(script, code.replace("n%d", "m%d"), store) == (0, "")
    assert [status(store, run_id) for run_id in ("r", "m0", "m1", "last")] == ["FINISHED", "LOST"] + ["FINISHED"] * 2
