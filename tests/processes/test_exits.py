"""What is known of how a script ended that uses the functions and ends no run itself: its errors and its sys.exit."""

import sys

import pytest

from mini_mlflow import Run
from mini_mlflow.store import reader

START = """
import os, signal, sys, threading
from mini_mlflow import end_run, log_metric, start_run
start_run(run_id="r", runs_dir=sys.argv[1])
log_metric("loss", 1.0)
"""


@pytest.fixture
def ended(script, store):
    """Run a script that has an active run; returns its exit status and the status of the run."""

    def run(code, before=""):
        process = script(before + START + code, store)
        process.communicate(timeout=60)
        record = reader.read_run(store, 0, "r")
        assert (record.metrics, record.problems) == ({"loss": 1.0}, [])
        return process.returncode, record.metadata["status"]

    return run


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("sys.exit()", (0, "FINISHED")),
        ("sys.exit(0)", (0, "FINISHED")),
        ("sys.exit(None)", (0, "FINISHED")),
        ("sys.exit(3)", (3, "FAILED")),
        ("sys.exit('no data')", (1, "FAILED")),
        ("sys.exit(False)", (0, "FINISHED")),
        ("def main():\n    return 2\nsys.exit(main())", (2, "FAILED")),
        ("def main():\n    sys.exit(2)\nmain()", (2, "FAILED")),
        ("import argparse\nargparse.ArgumentParser().parse_args(['--no-such'])", (2, "FAILED")),
        ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    sys.exit(1)", (1, "FAILED")),
        ("try:\n    sys.exit(4)\nfinally:\n    log_metric('loss', 1.0)", (4, "FAILED")),
        ("try:\n    sys.exit(4)\nexcept SystemExit:\n    raise", (4, "FAILED")),
    ],
)
def test_sys_exit_of_a_script_tells_how_it_ended(ended, code, found):
    assert ended(code) == found


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    sys.exit(3)\nexcept SystemExit:\n    pass",
        "try:\n    sys.exit(3)\nexcept SystemExit:\n    sys.exit(0)",
        "try:\n    try:\n        sys.exit(3)\n    finally:\n        raise ValueError\nexcept ValueError:\n    pass",
        "thread = threading.Thread(target=sys.exit, args=(3,))\nthread.start()\nthread.join()",
        "def f():\n    try:\n        sys.exit(3)\n    except SystemExit:\n        return\nf()",
    ],
)
def test_a_sys_exit_that_was_caught_says_nothing(ended, code):
    assert ended(code) == (0, "FINISHED")


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "exit(3)", "from builtins import quit\nquit(3)"])
def test_a_system_exit_that_did_not_go_through_sys_exit_is_not_known(ended, code):
    """Nothing tells it to atexit; through a block it is known."""
    assert ended(code) == (3, "FINISHED")


def test_a_sys_exit_imported_by_name_before_the_run_is_not_known_and_after_it_is(ended):
    assert ended("leave(3)", before="from sys import exit as leave") == (3, "FINISHED")
    assert ended("from sys import exit as leave\nleave(3)") == (3, "FAILED")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("raise ValueError", "FAILED"),
        ("def f():\n    raise KeyboardInterrupt\nf()", "KILLED"),
        ("sys.excepthook = lambda *_: None\nraise ValueError", "FAILED"),
        ("class Own(BaseException): pass\nraise Own", "FAILED"),
        ("try:\n    sys.exit(0)\nexcept SystemExit:\n    raise ValueError", "FAILED"),
        ("try:\n    raise ValueError\nexcept ValueError as error:\n    raise KeyError from error", "FAILED"),
        ("raise ExceptionGroup('g', [ValueError()])" if sys.version_info > (3, 11) else "raise ValueError", "FAILED"),
        ("def g():\n    try:\n        yield\n    finally:\n        1 / 0\nfor _ in g(): break", "FINISHED"),
        ("class C:\n    def __del__(self): 1 / 0\nC()", "FINISHED"),
    ],
)
def test_an_error_that_nobody_caught_tells_how_a_script_ended(ended, code, found):
    assert ended(code, before="import gc")[1] == found


def test_an_error_that_was_printed_on_the_way_did_not_end_the_script(ended):
    """What a callback of code in C prints, and a debugger keeps, is the interpreter's last error too."""
    printed = """
def callback():
    1 / 0
try:
    callback()
except ZeroDivisionError as error:
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__.tb_next
"""
    assert ended(printed) == (0, "FINISHED")
    assert ended(printed + "sys.exit(2)") == (2, "FAILED")
    assert ended(printed + "raise KeyboardInterrupt")[1] == "KILLED"


def test_a_module_that_is_run_by_name_ends_as_a_script_does(script, store, tmp_path):
    (tmp_path / "trainer.py").write_text(START + "sys.exit(int(sys.argv[2]))\n", encoding="utf-8")
    for code, found in (("0", "FINISHED"), ("5", "FAILED")):
        launcher = "import subprocess, sys\ncommand = [sys.executable, '-m', 'trainer', *sys.argv[1:3]]\n"
        launcher += "sys.exit(subprocess.call(command, cwd=sys.argv[3]))"
        process = script(launcher, store, code, str(tmp_path))
        process.communicate(timeout=60)
        assert process.returncode == int(code)
        assert reader.read_run(store, 0, "r").metadata["status"] == found


def test_sys_exit_raises_what_it_always_raised(script, store):
    before = """
import sys
def outcome(leave, arguments):
    try:
        leave(*arguments)
    except BaseException as error:
        return type(error), error.args, getattr(error, "code", None)
native = sys.exit
"""
    code = """
assert sys.exit is not native
for arguments in ((), (None,), (3,), ("text",), ((1, 2),), (1, 2)):
    assert outcome(sys.exit, arguments) == outcome(native, arguments)
"""
    assert script(before + START + code, store).communicate(timeout=60) == ("", "")


def test_importing_alone_leaves_sys_exit_and_every_signal_alone(script):
    code = """
import signal, sys
before = sys.exit, [signal.getsignal(number) for number in range(1, signal.NSIG)]
import mini_mlflow
assert before[0] is sys.exit
assert all(old is new for old, new in zip(before[1], [signal.getsignal(n) for n in range(1, signal.NSIG)]))
"""
    assert script(code).communicate(timeout=60) == ("", "")


def test_nested_runs_and_runs_of_threads_end_as_their_script_does(script, store):
    code = """
start_run(run_id="child", nested=True, runs_dir=sys.argv[1])
def work():
    start_run(run_id="of-a-thread", runs_dir=sys.argv[1])
thread = threading.Thread(target=work)
thread.start()
thread.join()
raise ValueError
"""
    script(START + code, store).communicate(timeout=60)
    found = [reader.read_run(store, 0, run_id).metadata["status"] for run_id in ("r", "child", "of-a-thread")]
    assert found == ["FAILED"] * 3


def test_an_exception_in_a_thread_ends_the_run_of_its_own_block_alone(script, store):
    code = """
def work():
    with start_run(run_id="of-a-thread", runs_dir=sys.argv[1]):
        raise ValueError
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
    script(START + code, store).communicate(timeout=60)
    found = [reader.read_run(store, 0, run_id).metadata["status"] for run_id in ("r", "of-a-thread")]
    assert found == ["FINISHED", "FAILED"]


def test_a_run_that_outlives_the_interpreters_modules_does_nothing_any_more(store):
    """What it would call may be gone by then; the system lets go of its files and locks."""
    run = Run(run_id="r", runs_dir=store)
    run.__del__(lambda: True)
    assert not run.writer.is_closed
    run.log_metric("loss", 1.0)
    run.__del__()
    assert run.writer.is_closed
