"""How does a test open the same run again and again, each time as another process would?"""

import os

from mini_mlflow.store import meta, opening, reader
from mini_mlflow.store.descriptors import DescriptorPool

FIELDS = {"format": 1, "run_id": "r", "experiment_id": 0, "name": "n", "status": "RUNNING", "generation": 0,
          "start_time": "2026-11-24T09:30:00.000000Z", "end_time": None}  # fmt: skip


class Store:
    """A store with one run, opened as often as asked, each time as by another process."""

    def __init__(self, root):
        self.root = root
        self.folder = os.path.join(root, "0", "r")
        self.opened = []

    def open(self):
        fields = dict(FIELDS)
        opened = opening.open_run(self.root, 0, "r", lambda: fields, DescriptorPool(), None)
        self.opened.append(opened.writer)
        return opened

    def log(self, opened, value, step=None):
        opened.writer.write_row("loss", repr(value), step, None, 1795425502982)

    def values(self):
        return [row.value for row in reader.read_history(self.folder, "loss", [])]

    def main_files(self):
        """Return the bytes of the run's own files."""
        found = {}
        for folder, folders, names in os.walk(self.folder):
            if "writers" in folders:
                folders.remove("writers")
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    found[path] = file.read(), os.stat(path).st_ino
        return found

    def shares(self):
        try:
            return sorted(name for name in os.listdir(os.path.join(self.folder, "writers")) if not name.startswith("."))
        except FileNotFoundError:
            return []

    def share(self):
        (name,) = self.shares()
        return os.path.join(self.folder, "writers", name)

    def fields(self, folder=None):
        return meta.read_meta(os.path.join(folder or self.folder, "meta.yaml"))
