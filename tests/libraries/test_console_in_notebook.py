"""What a real notebook kernel prints is kept: Python, C code and children, once each, and shown as before."""

import time

import pytest
from jupyter_client.manager import start_new_kernel

DEADLINE_S = 120


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # under which a kernel does not bring back what its descriptors get
    manager, client = start_new_kernel(startup_timeout=DEADLINE_S, cwd=str(tmp_path))
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def shown_by(client, code):
    """Run a cell and return all that the notebook shows of it."""
    texts = []

    def take(message):
        if message["msg_type"] == "stream":
            texts.append(message["content"]["text"])

    reply = client.execute_interactive(code, timeout=DEADLINE_S, output_hook=take)
    assert reply["content"]["status"] == "ok", reply["content"]
    return "".join(texts)


def test_a_cell_is_kept_once_whatever_prints_and_shown_as_before(kernel, tmp_path):
    begin = """
import ctypes, os, subprocess, sys, time
from mini_mlflow import start_run, end_run
run = start_run(run_id="r", runs_dir=%r, capture_console=True)
""" % str(tmp_path / "store")
    cell = """
print("from python")
sys.stderr.write("an error\\n")
subprocess.run(["echo", "from a child"])
ctypes.CDLL(None).puts(b"from C")
ctypes.CDLL(None).fflush(None)
"""
    words = ["from python", "an error", "from a child", "from C"]
    path = tmp_path / "store" / "0" / "r" / "artifacts" / "console.log"
    shown_by(kernel, begin)
    shown = shown_by(kernel, cell)
    deadline = time.monotonic() + DEADLINE_S
    while not all(word in path.read_text() for word in words):  # the kernel brings C's output in its own time
        assert time.monotonic() < deadline, path.read_text()
        time.sleep(0.05)
    assert shown.count("from python") == shown.count("an error") == 1
    shown_by(kernel, "end_run()\nprint('after')")
    assert sorted(path.read_text().split("\n")) == sorted([*words, ""])
