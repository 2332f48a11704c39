"""A store, its index, and a clock that tests move."""

import os
import shutil
import time

from mini_mlflow import Run
from mini_mlflow.index import fingerprints, reading
from mini_mlflow.search import scanning

TICK_MS = 2500  # of the clock that the disk seems to have, where it is a coarse one


class IndexedStore:
    """A store that is asked through its index and by its files."""

    def __init__(self, folder, monkeypatch):
        self.folder = str(folder)
        self.later_ms = 0
        self.read = []
        os.makedirs(self.folder)
        self._read_entry = reading.read_entry
        monkeypatch.setattr(scanning, "time", lambda: time.time() + self.later_ms / 1000)
        monkeypatch.setattr("mini_mlflow.index.reading.read_entry", self._note)

    def _note(self, runs_dir, experiment_id, name, **given):
        self.read.append(name)
        return self._read_entry(runs_dir, experiment_id, name, **given)

    def wait(self, ms=TICK_MS):
        self.later_ms += ms

    def make(self, run_id, experiment_id=0, **params):
        """Make a run that ends at once."""
        with Run(run_id=run_id, experiment_id=experiment_id, runs_dir=self.folder) as run:
            run.log_params(params or {"lr": 0.1})
            run.log_metric("loss", 0.5)
            run.log_metric("loss", 0.25)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def ask(self, ids=(0,), stages=("active",), *, is_refreshed=False):
        """Return the runs as a search gives them, and forget which were read for another answer."""
        self.read.clear()
        return self._sorted(
            scanning.ask(
                self.folder, ids, stages, lambda table: table.runs(range(table.count)), is_refreshed=is_refreshed
            )
        )

    def files(self, ids=(0,), stages=("active",)):
        """Return the runs as their files have them."""
        read = list(self.read)
        table = scanning.read_table(self.folder, ids, stages)
        self.read[:] = read
        return self._sorted(table.runs(range(table.count)))

    def settle(self, ids=(0,)):
        """Let the index be sure of all it has."""
        for _ in range(3):
            self.ask(ids)
            self.wait()
        assert self.ask(ids) == self.files(ids)
        self.read.clear()

    @staticmethod
    def _sorted(runs):
        return sorted(
            runs, key=lambda run: (str(run.info.experiment_id), run.info.lifecycle_stage, run.info.artifact_uri)
        )


def replace(path, text):
    """Change a file as editors and ``sed -i`` do."""
    with open(path + "~", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + "~", path)


def give_coarse_clock(monkeypatch, store):
    """Let the disk note times to the tick of the store's clock alone, so that changes between look as if at once."""
    ticks = []

    def now_ns():
        """Return the time that the disk gives a file now; never the same as before."""
        path = os.path.join(os.path.dirname(store.folder), "tick")
        while True:
            with open(path, "w", encoding="ascii"):
                pass
            found = os.stat(path).st_ctime_ns
            os.unlink(path)
            if not ticks or found > ticks[-1]:
                return found
            time.sleep(0.001)  # the kernel's own tick

    wait = store.wait

    def wait_for_tick(ms=TICK_MS):
        wait(ms)
        ticks.append(now_ns())
        time.sleep(0.005)

    def text(state):
        return b"%d,%d,%d;" % (
            sum(tick < state.st_mtime_ns for tick in ticks),
            sum(tick < state.st_ctime_ns for tick in ticks),
            state.st_ino,
        )

    monkeypatch.setattr(store, "wait", wait_for_tick)
    monkeypatch.setattr(fingerprints, "_text", text)
    monkeypatch.setattr(fingerprints, "RECENT_MS", 1 << 60)


def copy_run(source, target, *, is_time_kept=True):
    """Copy a run as ``rsync -a`` and ``cp -r`` do."""
    shutil.copytree(source, target, copy_function=shutil.copy2 if is_time_kept else shutil.copyfile)
