"""How do several real processes begin at the same moment, and how does a script run by itself?"""

import json
import os
import select
import signal
import subprocess
import sys
import textwrap
import time
import traceback

import pytest

DEADLINE_S = 1200 if os.environ.get("FAULTS") == "all" else 60


def pytest_collection_modifyitems(items):
    if not hasattr(os, "fork"):
        for item in items:
            if "processes" in str(item.fspath):
                item.add_marker(pytest.mark.skip(reason="there is no fork on this system"))


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "mlruns")


@pytest.fixture
def together():
    """Run a function in several forked processes that begin at the same moment and leave when all are done.

    ``together(count, work)`` returns what ``work(number)`` returned in each of them.
    """
    return run_together


def run_together(count, work, meanwhile=None):
    start, leave = os.pipe(), os.pipe()
    children = []
    try:
        for number in range(count):
            answer = os.pipe()
            pid = os.fork()
            if not pid:
                be_one_of_them(number, work, start, leave, answer)
            os.close(answer[1])
            children.append((pid, answer[0]))
        os.close(start[1])
        answers = [receive(descriptor, meanwhile) for _, descriptor in children]
        os.close(leave[1])
        for descriptor in (start[0], leave[0]):
            os.close(descriptor)
        for pid, _ in children:
            os.waitpid(pid, 0)
    except BaseException:
        for pid, _ in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        raise
    failures = [answer["error"] for answer in answers if "error" in answer]
    assert not failures, "%d of %d failed:\n%s" % (len(failures), count, failures[0])
    return [answer["value"] for answer in answers]


def be_one_of_them(number, work, start, leave, answer):
    try:
        os.close(start[1])
        os.close(leave[1])
        os.read(start[0], 1)
        found = {"value": work(number)}
    except BaseException:  # noqa: BLE001 - whatever it is, the test shall show it
        found = {"error": traceback.format_exc()}
    try:
        os.write(answer[1], json.dumps(found).encode() + b"\n")
        os.read(leave[0], 1)
    finally:
        os._exit(0)


def receive(descriptor, meanwhile):
    data = b""
    deadline = time.monotonic() + DEADLINE_S
    while not data.endswith(b"\n"):
        if meanwhile is not None and not select.select([descriptor], [], [], 0)[0]:
            meanwhile()
            continue
        assert select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0], "a process hangs"
        part = os.read(descriptor, 65536)
        assert part, "a process died"
        data += part
    os.close(descriptor)
    return json.loads(data.decode())


@pytest.fixture
def script(tmp_path):
    """Run a script in an interpreter of its own: ``script(code, *arguments)`` returns the process."""
    processes = []

    def start(code, *arguments):
        path = tmp_path / ("script_%d.py" % len(processes))
        path.write_text(textwrap.dedent(code), encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-W", "error", str(path), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()
