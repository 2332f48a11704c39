"""What keeps the words of a script never hangs it or ends it, and several at once do not get in each other's way."""

import os
import signal
import subprocess

import pytest

from console_scripts import BEGIN, DEADLINE_S, folder, helpers, log, needs_proc, play, posix_only, script, wait_until

__all__ = ["folder"]
pytestmark = posix_only


# What must not hang or kill the training -------------------------------------------------------------------------


def test_code_that_prints_much_while_it_holds_the_interpreter_does_not_wait_for_ever(tmp_path, folder):
    """A thread of the process itself could not read: the pipe would fill, and both would wait."""
    code = """
    text = b"y" * 5_000_000 + b"\\n"
    ctypes.PyDLL(None).write(1, text, len(text))
    capture.stop()
    """
    shown = play(tmp_path, code)
    assert log(folder) == shown
    assert len(shown) >= 65536


@needs_proc
def test_whoever_kills_the_process_that_keeps_the_words_does_not_harm_the_training(tmp_path, folder):
    code = """
    print("one", flush=True)
    input()
    print("two", flush=True)
    input()
    for number in range(30000):
        print("line", number)
    capture.stop()
    print("end")
    """
    process = subprocess.Popen(
        script(tmp_path, code), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout.readline() == b"one\n"
    wait_until(lambda: len(helpers(folder)) == 2 and log(folder) == b"one\n")
    watcher, worker = helpers(folder)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # as `killall python` sends them
        os.kill(watcher, number)
        os.kill(worker, number)
    process.stdin.write(b"\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"two\n"
    wait_until(lambda: log(folder) == b"one\ntwo\n")
    assert helpers(folder) == [watcher, worker]
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: worker not in helpers(folder) and len(helpers(folder)) == 2)
    os.kill(watcher, signal.SIGKILL)
    shown = process.communicate(b"\n", timeout=DEADLINE_S)[0]
    assert process.returncode == 0, shown
    assert shown == b"".join(b"line %d\n" % number for number in range(30000)) + b"end\n"
    assert log(folder) == b"one\ntwo\n" + shown[: -len(b"end\n")]


def test_a_reader_that_goes_away_does_not_end_the_training(tmp_path, folder):
    code = """
    for number in range(20000):
        print(number, flush=True)
    capture.stop()
    open(sys.argv[1] + "/done", "w").close()
    """
    process = subprocess.Popen(script(tmp_path, code), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout.readline() == b"0\n"
    process.stdout.close()
    assert process.wait(DEADLINE_S) == 0
    assert (folder / "done").exists()
    assert log(folder).endswith(b"19999\n")


def test_no_process_is_left_and_none_is_a_child_of_the_script(tmp_path, folder):
    code = """
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        print("no child")
    capture.stop()
    """
    assert play(tmp_path, code) == b"no child\n"
    if os.path.isdir("/proc/self/fd"):
        wait_until(lambda: helpers(folder) == [])


@pytest.mark.parametrize(
    "setting", ["sys.executable = ''", "sys.executable = '/usr/bin/uwsgi'", "sys.executable = '/x/python'"]
)
def test_where_no_other_process_can_be_started_what_python_prints_is_still_kept(tmp_path, folder, setting):
    begin = BEGIN.replace("capture =", setting + "\ncapture =")
    code = "print('out')\nsys.stderr.write('err\\n')\ncapture.stop()\nprint('after')"
    assert sorted(play(tmp_path, code, begin).split()) == [b"after", b"err", b"out"]
    assert log(folder) == b"out\nerr\n"


# Several at once -------------------------------------------------------------------------------------------------


def test_a_nested_run_and_the_run_around_it_each_keep_all_of_their_time(tmp_path):
    begin = """
import sys
from mini_mlflow import start_run
with start_run(run_id="outer", runs_dir=sys.argv[1], capture_console=True):
    print("1")
    with start_run(run_id="inner", nested=True, runs_dir=sys.argv[1], capture_console=True):
        print("2")
    print("3")
print("4")
"""
    assert play(tmp_path, "", begin) == b"1\n2\n3\n4\n"
    experiment = tmp_path / "artifacts" / "0"
    assert log(experiment / "outer" / "artifacts") == b"1\n2\n3\n"
    assert log(experiment / "inner" / "artifacts") == b"2\n"


def test_captures_may_end_in_any_order(tmp_path, folder):
    code = """
    second = console.start(sys.argv[1] + "/second")
    print("both", flush=True)
    capture.stop()
    print("second", flush=True)
    second.stop()
    print("none")
    """
    assert play(tmp_path, code) == b"both\nsecond\nnone\n"
    assert log(folder / "second") == b"both\nsecond\n"
    assert log(folder).startswith(b"both\n") or log(folder) == b""


def test_one_run_after_the_other_each_has_its_own(tmp_path, folder):
    code = """
    capture.stop()
    for number in range(3):
        each = console.start(sys.argv[1] + "/%d" % number)
        print(number)
        each.stop()
        print("between")
    """
    play(tmp_path, code)
    assert [log(folder / str(number)) for number in range(3)] == [b"0\n", b"1\n", b"2\n"]


def test_a_run_that_is_continued_goes_on_with_its_log(tmp_path, folder):
    code = """
    print("first")
    capture.stop()
    again = console.start(sys.argv[1])
    print("second")
    again.stop()
    """
    play(tmp_path, code)
    assert log(folder) == b"first\nsecond\n"
    assert sorted(os.listdir(str(folder))) == ["console.log"]


def test_two_processes_of_one_run_have_a_log_each(tmp_path, folder):
    code = """
    other = subprocess.run([sys.executable, *sys.argv, "other"]) if len(sys.argv) == 2 else None
    print("other" if other is None else "first")
    capture.stop()
    """
    play(tmp_path, code)
    assert log(folder, "console-2.log") == b"other\n"
    assert log(folder) == b"other\nfirst\n"


@pytest.mark.parametrize("action", ["os._exit(0)", "capture.stop(); os._exit(0)"])
def test_h16_a_forked_child_is_kept_and_stops_nothing(tmp_path, folder, action):
    code = """
    child = os.fork()
    if not child:
        print("child", flush=True)
        %s
    os.waitpid(child, 0)
    print("parent")
    capture.stop()
    """
    assert play(tmp_path, code % action) == b"child\nparent\n"
    assert log(folder) == b"child\nparent\n"
