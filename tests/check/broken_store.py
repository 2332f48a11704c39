"""A sound store with all kinds of files, and how each of them is read."""

import os
import time

from mini_mlflow import Run
from mini_mlflow.check.stores import check_store
from mini_mlflow.store import reader

ROWS = 300  # of the long metric: three pages
LONG_AGO = 1_000_000_000


class Sound:
    """A store with a run of two writers, a resumed one and a deleted one, none of them alive."""

    def __init__(self, folder):
        self.folder = str(folder)
        run = Run(runs_dir=self.folder, run_id="first", name="calm-otter")
        run.log_params({"lr": 0.015625, "text": "päram", "many": [1, {"x": None}]})
        run.set_tag("team", "blue")
        for step in range(ROWS):
            run.log_metric("loss", step * 1.5, timestamp=10**12 + step)
        run.log_metric("acc", 0.5)
        run.log_text("hello", "notes/a.txt")
        joiner = Run(runs_dir=self.folder, run_id="first")
        joiner.log_metric("loss", -7.0, step=1000, timestamp=10**12 + 1000)
        joiner.log_param("beside", 12345)
        joiner.end()
        run.end()
        second = Run(runs_dir=self.folder, run_id="second")
        second.log_metric("loss", 1)
        second.end()
        second = Run(runs_dir=self.folder, run_id="second")
        second.log_metric("loss", 2)
        second.end()
        self.run = os.path.join(self.folder, "0", "first")
        self.loss = self.path("metrics", "loss.json")

    def path(self, *parts):
        """Return a path within the first run."""
        return os.path.join(self.run, *parts)

    def writer(self):
        """Return the folder of the process that logged beside the owner of the first run."""
        writers = self.path("writers")
        return os.path.join(writers, min(os.listdir(writers)))

    def findings(self):
        return check_store(self.folder).findings

    def rules(self):
        return [finding.rule for finding in self.findings()]

    def read(self, run_id="first"):
        return reader.read_run(self.folder, 0, run_id)

    def rows(self, key="loss"):
        return reader.read_history(self.run, key, [])


def write(path, data):
    """Put bytes or text into a file, in place."""
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"))


def content(path):
    with open(path, "rb") as file:
        return file.read()


def change(path, old, new):
    """Replace a text in a file, which must be there."""
    data = content(path)
    assert old.encode() in data
    write(path, data.replace(old.encode(), new.encode()))


def make_old(folder, age_s=7200):
    """Let everything in a folder be as old as what was left long ago; the change times are what they are."""
    past = time.time() - age_s
    for place, folders, files in os.walk(str(folder)):
        for name in [*folders, *files]:
            os.utime(os.path.join(place, name), (past, past), follow_symlinks=False)


def files_in(folder):
    """Return the content of every file by its path."""
    found = {}
    for place, _, files in os.walk(str(folder)):
        for name in files:
            path = os.path.join(place, name)
            found[os.path.relpath(path, str(folder))] = None if os.path.islink(path) else content(path)
    return found
