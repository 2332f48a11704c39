"""A run's writer without the floors above it, and what its files hold."""

import json
import os

from mini_mlflow import clock
from mini_mlflow.records import Metric
from mini_mlflow.store import appender, documents, open_file, opening, reader
from mini_mlflow.store.descriptors import DescriptorPool

NUMBERS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def pool_of(bound=None):
    """Return a pool, one that keeps at most *bound* files open."""
    pool = DescriptorPool()
    if bound is not None:
        pool._bound, pool._base = bound, 64
    return pool


def open_writer(store, bound=None, run_id="r"):
    """Create a run, or go on with it, and return its writer."""
    fields = {"format": 1, "run_id": run_id, "experiment_id": 0, "status": "RUNNING", "generation": 0}
    return opening.open_run(str(store), 0, run_id, lambda: dict(fields), pool_of(bound), None).writer


def log(writer, key, value, step=None, timestamp=None):
    """Log a number as a run does."""
    there = writer.appenders.get(key)
    if there is None:
        writer.write_number(key, value, step, timestamp)
    else:
        there.append(value, step, timestamp)


def metric_path(writer, key):
    """Return where a metric of the run's own share lies."""
    return os.path.join(writer.folder, "metrics", key + ".json")


def content(path):
    """Return the bytes of a file."""
    with open(path, "rb") as file:
        return file.read()


def parsed(path_or_data):
    """Return a metric's document as plain ``json`` reads it; the numbers that JSON lacks are floats again."""
    data = path_or_data if isinstance(path_or_data, bytes) else content(path_or_data)
    document = json.loads(data.decode("utf-8"))
    document["history"] = [
        Metric(step, timestamp, NUMBERS.get(value, value) if isinstance(value, str) else value)
        for step, timestamp, value in document["history"]
    ]
    return document


def texts(rows):
    """Return rows in a form in which NaN equals NaN, and 1 is not 1.0."""
    return [(row[0], row[1], repr(row[2])) for row in rows]


def values(writer, key):
    """Return the values of a metric over all shares, as the reader gives them."""
    return [row.value for row in reader.get_history(writer.folder, "r", key)]


def spy_on_writes(monkeypatch, before):
    """Call *before* with (descriptor, data, offset) ahead of every write into a metric file.

    What *before* returns, if not None, is what the write returns, and nothing is written then.
    """

    def pwrite(descriptor, data, offset):
        result = before(descriptor, data, offset)
        return os.pwrite(descriptor, data, offset) if result is None else result

    monkeypatch.setattr(appender, "pwrite", pwrite)
    monkeypatch.setattr(open_file, "pwrite", pwrite)


def spy_on_calls(monkeypatch, calls, before=lambda name: None):
    """Put the name of every system call of the logging path on a list, and call *before* ahead of it."""

    def spied(name, real):
        def call(*arguments, **options):
            calls.append(name)
            before(name)
            return real(*arguments, **options)

        return call

    for name in ("open", "stat", "fstat", "close", "link", "unlink"):
        monkeypatch.setattr(os, name, spied(name, getattr(os, name)))
    monkeypatch.setattr(documents, "read_at", spied("pread", documents.read_at))
    for module in (appender, open_file):
        monkeypatch.setattr(module, "pwrite", spied("pwrite", module.pwrite))


class Clock:
    """The clock of the logging path, in the test's hand."""

    def __init__(self, monkeypatch, start_ms=1795425502982):
        self.now_ms = start_ms
        monkeypatch.setattr(appender, "time_ns", self)
        monkeypatch.setattr(clock, "time_ns", self)

    def __call__(self):
        return self.now_ms * 1000000
