"""Fixtures of the fault tests: the interposer, built once, a process that forks one child per case, and scripts."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(autouse=True, scope="module")
def faults_at_the_end(synced_ends):
    """Let faults come there, too."""


@pytest.fixture(scope="session")
def interposer(tmp_path_factory):
    """Return the path of the interposer, compiled; in CI a missing compiler is a failure."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        message = "the fault tests need Linux and a C compiler (Debian: apt-get install gcc libc6-dev)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    library = tmp_path_factory.mktemp("interposer") / "interposer.so"
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(HERE / "interposer.c"), "-ldl"]
    subprocess.run(command, check=True)
    return library


class Cases:
    """Runs cases in forked children of one process that has imported the package and loaded the interposer."""

    def __init__(self, library):
        environment = dict(os.environ, LD_PRELOAD=str(library), PYTHONHASHSEED="0")
        environment.pop("MINI_MLFLOW_DIR", None)
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "case_server.py"), str(library)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            universal_newlines=True,
        )

    def run(self, scenario, store, *, at=0, forever=False, action="", only="", log=""):
        """Run a scenario of ``scenarios.py`` in a child with one of its calls meddled with, or more (see interposer.c).

        Returns:
            A dict: ``signal`` (0 or what killed it), ``count`` (of calls; 0 where it was killed), ``result`` (what the
            scenario returned), ``error`` (the exception it raised, as text), ``acknowledged`` (what it wrote to its
            pipe, one item per call that had returned), ``warnings``.
        """
        case = {"scenario": scenario, "store": str(store), "at": at, "forever": forever, "action": str(action)}
        case.update(only=only, log=str(log))
        self._process.stdin.write(json.dumps(case) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=60)


@pytest.fixture(scope="module")
def cases(interposer):
    """Return a runner of cases."""
    server = Cases(interposer)
    yield server
    server.close()


@pytest.fixture
def meddled(interposer, tmp_path):
    """Run scripts under the interposer: ``meddled(code, *arguments, FAULTS_AT=1, ...)`` returns the process."""
    processes = []

    def start(code, *arguments, **faults):
        path = tmp_path / ("script_%d.py" % len(processes))
        path.write_text(textwrap.dedent(code), encoding="utf-8")
        environment = dict(os.environ, LD_PRELOAD=str(interposer), FAULTS_PREFIX=str(tmp_path / "store"))
        environment.update((name, str(value)) for name, value in faults.items())
        process = subprocess.Popen(
            [sys.executable, str(path), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            universal_newlines=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()
