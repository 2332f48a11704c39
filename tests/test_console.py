"""What a script prints is kept with its run, and its user sees what they saw before: real scripts, real descriptors."""

import os
import re
import select
import signal
import subprocess
import time

import pytest

from console_scripts import BEGIN, DEADLINE_S, folder, log, play, posix_only, script, wait_until

__all__ = ["folder"]
pytestmark = posix_only


EVERYTHING = """
print("print")
sys.stderr.write("error\\n")
os.write(1, b"descriptor\\n")
sys.stdout.flush()
libc.puts(b"from C")
libc.fflush(None)
subprocess.run(["sh", "-c", "echo child; echo its error >&2"])
print("\\xe4 \\x1b[31mred\\x1b[0m")
for percent in range(3):
    print("\\r%d%%" % percent, end="")
print()
"""


def test_python_c_code_and_children_are_all_kept_in_order_and_shown_as_before(tmp_path, folder):
    before = play(tmp_path, EVERYTHING, BEGIN.replace("console.start(sys.argv[1])", "None"))
    shown = play(tmp_path, EVERYTHING + "capture.stop()")
    assert sorted(shown.split(b"\n")) == sorted(before.split(b"\n"))
    assert shown.count(b"print") == 1
    kept = log(folder)
    assert kept == shown.replace(b"\r0%\r1%\r2%", b"2%")
    assert kept.split(b"\n").index(b"child") < kept.split(b"\n").index(b"its error")


def test_before_start_and_after_stop_nothing_is_kept_and_the_descriptors_are_as_they_were(tmp_path, folder):
    code = """
    states = [os.fstat(1).st_ino, os.fstat(2).st_ino, len(os.listdir("/dev/fd"))]
    print("kept")
    capture.stop()
    capture.stop()
    print("after")
    print([os.fstat(1).st_ino, os.fstat(2).st_ino] == before[:2], states[:2] == before[:2])
    print(len(os.listdir("/dev/fd")) - before[2])
    """
    begin = BEGIN.replace(
        "capture =",
        'before = [os.fstat(1).st_ino, os.fstat(2).st_ino, len(os.listdir("/dev/fd"))]\nprint("before")\ncapture =',
    )
    assert play(tmp_path, code, begin) == b"before\nkept\nafter\nTrue False\n0\n"
    assert log(folder) == b"kept\n"


def test_what_c_code_has_not_flushed_yet_is_kept_by_stop_and_what_it_had_before_start_is_not(tmp_path, folder):
    begin = BEGIN.replace("capture =", "libc.puts(b'before')\ncapture =")
    shown = play(tmp_path, "libc.puts(b'from C')\ncapture.stop()\nprint('after')", begin)
    assert shown == b"before\nfrom C\nafter\n"
    assert log(folder) == b"from C\n"


def test_two_streams_that_lead_to_different_places_still_do(tmp_path, folder):
    process = subprocess.run(
        script(tmp_path, "print('out')\nsys.stderr.write('err')\ncapture.stop()"),
        capture_output=True,
        check=True,
        timeout=DEADLINE_S,
    )
    assert (process.stdout, process.stderr) == (b"out\n", b"err")
    assert sorted(re.findall(b"out|err", log(folder))) == [b"err", b"out"]


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_stay_closed_and_the_script_runs(tmp_path, folder, redirection):
    code = "capture.stop()\nopen(sys.argv[1] + '/done', 'w').close()"
    command = " ".join(script(tmp_path, code)) + " " + redirection
    assert subprocess.run(command, shell=True, check=False, timeout=DEADLINE_S).returncode == 0
    assert (folder / "done").exists()


# A terminal ------------------------------------------------------------------------------------------------------


def play_in_terminal(tmp_path, code, size=(33, 77), act=lambda terminal, shown: None):
    """Run a script in a terminal and return what it shows."""
    import fcntl
    import struct
    import termios

    terminal, side = os.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    process = subprocess.Popen(script(tmp_path, code), stdin=side, stdout=side, stderr=side, start_new_session=True)
    os.close(side)
    shown = b""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        assert time.monotonic() < deadline, shown
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            data = os.read(terminal, 4096)
        except OSError:  # nobody has it open any more
            break
        if not data:
            break
        shown += data
        act(terminal, shown)
    os.close(terminal)
    assert process.wait(DEADLINE_S) == 0, shown
    return shown


def test_in_a_terminal_both_streams_are_terminals_of_its_size_and_nothing_is_changed_on_the_way(tmp_path, folder):
    code = """
    print([os.isatty(each) for each in (0, 1, 2)], sys.stdout.isatty(), tuple(os.get_terminal_size()))
    sys.stderr.write("one\\ttwo\\x1b[32m\\r\\n")
    for number in range(50):
        print("out", number)
        print("err", number, file=sys.stderr)
    subprocess.run([sys.executable, "-c", "import sys; print(sys.stdout.isatty())"])
    capture.stop()
    """
    shown = play_in_terminal(tmp_path, code)
    both = "".join("out %d\nerr %d\n" % (number, number) for number in range(50))
    expected = "[True, True, True] True (77, 33)\none\ttwo\x1b[32m\r\n%sTrue\n" % both
    assert shown.decode() == expected.replace("\n", "\r\n")
    assert log(folder).decode() == expected.replace("\r", "")


def test_a_terminal_whose_size_changes_tells_it(tmp_path):
    code = """
    print("ready")
    for _ in range(1000):
        time.sleep(0.02)
        if os.get_terminal_size() == (100, 40):
            break
    print(tuple(os.get_terminal_size()))
    capture.stop()
    """

    def resize(terminal, shown):
        import fcntl
        import struct
        import termios

        if b"ready" in shown:
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))

    assert b"(100, 40)" in play_in_terminal(tmp_path, code, act=resize)


def test_only_the_stream_that_was_a_terminal_is_one(tmp_path, folder):
    code = """
    capture.stop()
    os.dup2(os.open(sys.argv[1] + "/err.txt", os.O_CREAT | os.O_WRONLY), 2)
    capture = console.start(sys.argv[1])
    print(sys.stdout.isatty(), os.isatty(2))
    sys.stderr.write("error")
    capture.stop()
    """
    assert play_in_terminal(tmp_path, code) == b"True False\r\n"
    assert (folder / "err.txt").read_bytes() == b"error"
    assert sorted(re.findall(b"True False|error", log(folder))) == [b"True False", b"error"]


# Ways to end -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)", "sys.exit(0)", "libc.abort()"])
def test_the_last_words_are_kept_however_the_process_ends(tmp_path, folder, end):
    code = "print('x' * 100000)\nprint('last words', end='', flush=True)\n" + end
    status = {"os._k": -signal.SIGKILL, "os.ki": -signal.SIGKILL, "libc.": -signal.SIGABRT}.get(end[:5], 0)
    shown = play(tmp_path, code, status=status)
    assert shown.startswith(b"x" * 100000 + b"\nlast words")
    wait_until(lambda: log(folder).startswith(b"x" * 100000 + b"\nlast words"))


def test_a_child_that_outlives_the_process_prints_on_and_is_kept(tmp_path, folder):
    """Nobody gets a broken pipe, and nobody waits for a reader that is gone."""
    code = """
    child = "sleep 0.3; i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo end"
    subprocess.Popen(["sh", "-c", child])
    print("parent", flush=True)
    os._exit(0)
    """
    shown = play(tmp_path, code)
    assert shown.endswith(b"line 19999\nend\n")
    wait_until(lambda: log(folder) == shown)


def test_a_child_that_outlives_the_run_prints_on_and_is_no_longer_kept(tmp_path, folder):
    code = """
    child = subprocess.Popen(["sh", "-c", "read x; echo late"], stdin=subprocess.PIPE)
    print("run")
    capture.stop()
    child.communicate(b"go\\n")
    print("end")
    """
    assert sorted(play(tmp_path, code).split()) == [b"end", b"late", b"run"]
    assert log(folder) == b"run\n"


def test_an_exception_that_leaves_the_block_of_a_run_is_kept_though_it_is_printed_later(tmp_path):
    begin = """
import sys
from mini_mlflow import start_run
with start_run(run_id="r", runs_dir=sys.argv[1], capture_console=True) as run:
    print("training")
    1 / 0
"""
    shown = play(tmp_path, "", begin, status=1)
    kept = log(tmp_path / "artifacts" / "0" / "r" / "artifacts")
    assert kept.startswith(b"training\nTraceback")
    assert kept.endswith(b"ZeroDivisionError: division by zero\n")
    assert shown.count(b"Traceback") == 1


def test_a_script_without_a_block_keeps_what_it_prints_to_its_very_end(tmp_path):
    begin = """
import atexit, os, sys
from mini_mlflow import start_run
os.environ["MINI_MLFLOW_CONSOLE"] = "on"
start_run(run_id="r", runs_dir=sys.argv[1])
atexit.register(print, "at exit")
print("training", flush=True)
raise KeyError("x")
"""
    shown = play(tmp_path, "", begin, status=1)
    assert {b"training", b"KeyError: 'x'", b"at exit"} <= set(shown.split(b"\n"))
    assert log(tmp_path / "artifacts" / "0" / "r" / "artifacts") == shown


def test_ctrl_c_and_sigterm_are_for_the_script_and_not_for_what_keeps_its_words(tmp_path, folder):
    code = """
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: print("terminated", flush=True))
    os.killpg(0, signal.SIGTERM)
    capture.stop()
    """
    process = subprocess.Popen(
        script(tmp_path, code), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    assert process.stdout.readline() == b"ready\n"
    os.killpg(process.pid, signal.SIGINT)
    shown = process.communicate(timeout=DEADLINE_S)[0]
    assert shown == b"interrupted\nterminated\n"
    assert log(folder) == b"ready\n" + shown
