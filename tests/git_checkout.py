"""What the tests of provenance stand on: repositories made by the real git, and questions to them."""

import os
import shutil
import subprocess
import time

from mini_mlflow import repository
from mini_mlflow.probe import Probe

DEADLINE_S = 60
GIT = shutil.which("git")


class Checkout:
    """A repository with one commit, of ``train.py``."""

    def __init__(self, folder, *options):
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", *options)
        self.git("symbolic-ref", "HEAD", "refs/heads/main")
        self.write("train.py", "lr = 0.1\n")
        self.commit()

    def git(self, *arguments, **variables):
        environ = dict(os.environ, GIT_CONFIG_NOSYSTEM="1", **variables)
        for role in ("AUTHOR", "COMMITTER"):
            environ.update({"GIT_%s_NAME" % role: "A", "GIT_%s_EMAIL" % role: "a@b.c"})
        command = [GIT, "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(command, cwd=str(self.folder), env=environ, stdout=subprocess.PIPE, check=True)
        return done.stdout.decode().strip()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))
        return path

    def commit(self):
        self.git("add", "-f", ".")
        self.git("commit", "-q", "-m", "x", "--no-verify")
        return self.head()

    def head(self):
        return self.git("rev-parse", "HEAD")

    def find(self):
        return repository.find(os.path.realpath(str(self.folder)))

    def ask(self):
        """Return what a probe says: the fields, and the diff as text."""
        return answer(Probe(self.find()))

    def state(self):
        """Return everything that lies there, with sizes, times and content."""
        found = {}
        for folder, _, names in sorted(os.walk(str(self.folder))):
            for path in [folder, *(os.path.join(folder, name) for name in names)]:
                status = os.lstat(path)
                content = None
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        content = file.read()
                found[path] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, content)
        return found


def answer(probe):
    result = probe.wait(DEADLINE_S)
    assert result is not None
    return result.fields, None if result.diff is None else result.diff.decode("utf-8", "surrogateescape")


def own_places(tmp_path, monkeypatch):
    """Give the test a home and a place for temporary files of its own, and nothing that steers git."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name in ("HOME", "TMPDIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))


def write_program(path, *lines):
    """Write a shell script that can be run, and return its path."""
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return str(path)


def wait_until(is_so):
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def is_alive(pid):
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False
