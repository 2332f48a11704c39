"""What must be true of a store after a case, whatever happened in it."""

import json
import os
import warnings

import scenarios

from mini_mlflow import ExperimentTracker, MetricNotFoundError, RunNotFoundError, StorageWarning


def stored(store):
    """Return what the reader finds: ``values``, items as acknowledged, ``status`` and ``warnings``."""
    tracker = ExperimentTracker(runs_dir=store)
    found = {"values": [], "status": None, "warnings": []}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", StorageWarning)
        try:
            record = tracker.get_run(scenarios.RUN_ID)
        except RunNotFoundError:
            return found
        found["warnings"] = [str(each.message) for each in caught]
    found["status"] = record["metadata"].get("status")
    found["values"] += [["param", key, value] for key, value in record["params"].items()]
    found["values"] += [["tag", key, value] for key, value in record["tags"].items()]
    for key in ("loss", "acc", "Loss"):
        try:
            history = tracker.history(scenarios.RUN_ID, key)
        except MetricNotFoundError:
            continue
        found["values"] += [[key, row.step, row.value] for row in history]
    return found


def check_nothing_lost(store, acknowledged):
    """Every acknowledged row is there, once and in order, and so is the last acknowledged value of each param and tag.

    What was under way when the process died may be there or not.
    """
    found = stored(store)
    assert found["warnings"] == []
    for key in ("loss", "acc", "Loss"):
        rows = [item for item in found["values"] if item[0] == key]
        wanted = [item for item in acknowledged if item[0] == key]
        assert rows[: len(wanted)] == wanted
        assert len(rows) <= len(wanted) + 1
    for kind in ("param", "tag"):
        last = {item[1]: item for item in acknowledged if item[0] == kind}
        there = {item[1]: item for item in found["values"] if item[0] == kind}
        under_way = 0
        for name, item in last.items():
            assert name in there
            under_way += there[name] != item
        assert under_way <= 1
    return found


def check_files(store, *, padding=0):
    """Every document is whole: valid JSON, but for *padding* metric files in the state of rule M4."""
    broken = []
    for folder, _, names in os.walk(str(store)):
        for name in names:
            path = os.path.join(folder, name)
            if name.startswith(".tmp-"):
                continue
            with open(path, "rb") as file:
                data = file.read()
            assert data, path
            if name.endswith(".json"):
                try:
                    json.loads(data.decode("utf-8"))
                except ValueError:
                    assert data.rstrip(b" ").endswith(b"]"), path
                    broken.append(path)
    assert len(broken) <= padding, broken
    return broken
