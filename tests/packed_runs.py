"""Runs for the tests of packs, and what lies in a store."""

import os
import zipfile

from mini_mlflow import Run
from mini_mlflow.store import packed


def ended_run(store, run_id="r", experiment_id=0, value=0.5):
    """Make a run that has ended, with all that a run may have; return its folder."""
    with Run(run_id=run_id, experiment_id=experiment_id, name="name of " + run_id, runs_dir=store) as run:
        for step in range(3):
            run.log_metric("loss", value + step, step=step)
        run.log_metric("acc", float("nan"))
        run.log_params({"lr": 0.1, "model": "resnet", "ключ": [1, 2, {"a": None}]})
        run.set_tag("note", "a note")
        run.log_text("content of " + run_id, "notes/first.txt")
        run.log_text("", "empty.txt")
    return os.path.join(str(store), str(experiment_id), run_id)


def tree_below(folder):
    """Return every file below a folder by path, and every folder, whose path ends in a slash."""
    found = {}
    for path, folders, names in os.walk(str(folder)):
        inside = os.path.relpath(path, str(folder)).replace(os.sep, "/")
        found.update(("%s/%s/" % (inside, name), None) for name in folders)
        for name in names:
            with open(os.path.join(path, name), "rb") as file:
                found["%s/%s" % (inside, name)] = file.read()
    return found


def times_below(folder):
    """Return when each file below a folder was modified, to what a pack keeps: 100 ns."""
    found = {}
    for path, _, names in os.walk(str(folder)):
        for name in names:
            full = os.path.join(path, name)
            found[os.path.relpath(full, str(folder))] = os.stat(full).st_mtime_ns // 100
    return found


def packs_of(store, experiment_id=0):
    return packed.list_packs(os.path.join(str(store), str(experiment_id)))


def put_pack(store, entries, experiment_id=0, name="r-0123456789abcdef.zip"):
    """Put an archive with these entries, pairs of a name or ZipInfo and bytes, where packs lie; return its path."""
    folder = os.path.join(str(store), str(experiment_id), ".packs")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with zipfile.ZipFile(path, "w") as archive:
        for each, data in entries:
            archive.writestr(each, data)
    return path
