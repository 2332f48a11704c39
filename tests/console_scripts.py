"""How is a script run whose console is kept, and what became of it?"""

import os
import subprocess
import sys
import textwrap
import time

import pytest

DEADLINE_S = 60
BEGIN = """
import ctypes, os, signal, subprocess, sys, time
from mini_mlflow import console
libc = ctypes.CDLL(None)
capture = console.start(sys.argv[1])
"""

posix_only = pytest.mark.skipif(os.name != "posix", reason="elsewhere nothing is led through another process")


@pytest.fixture
def folder(tmp_path):
    """The artifacts of a run."""
    return tmp_path / "artifacts"


def script(tmp_path, code, begin=BEGIN):
    path = tmp_path / "train.py"
    path.write_text(begin + textwrap.dedent(code), encoding="utf-8")
    return [sys.executable, str(path), str(tmp_path / "artifacts")]


def play(tmp_path, code, begin=BEGIN, status=0, **options):
    """Run a script and return what its user sees, standard output and standard error in their order."""
    options.setdefault("env", {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"})
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.STDOUT)
    process = subprocess.run(script(tmp_path, code, begin), check=False, timeout=DEADLINE_S, **options)
    assert process.returncode == status, process.stdout
    return process.stdout


def log(folder, name="console.log"):
    return (folder / name).read_bytes()


def wait_until(is_true):
    deadline = time.monotonic() + DEADLINE_S
    while not is_true():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.01)


def helpers(folder):
    """Return the ids of the processes that tee into a log of *folder*, the one that watches the other first."""
    found = []
    for each in os.listdir("/proc"):
        try:
            links = [os.readlink(f"/proc/{each}/fd/{fd}") for fd in os.listdir(f"/proc/{each}/fd")]
            with open(f"/proc/{each}/cmdline", "rb") as file:
                if b"console_tee" in file.read() and str(folder / "console.log") in links:
                    found.append(int(each))
        except (OSError, ValueError):
            continue
    return sorted(found)


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="there is no /proc")
