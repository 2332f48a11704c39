"""What does it cost to find runs among very many? In a tracker's own environment, on a store filled by copies."""

import os
import pty
import random
import re
import sqlite3
import sys
import time
from time import perf_counter

import fill
import probe

# Stand for what differs from run to run: each copy has numbers of its own in their place.
MARK = 0.123456789
MODELS = ("resnet", "vit")
PARAMS = ("lr", "depth", "seed", "dropout", "batch", "epochs", "decay")
METRICS = ("loss", "acc", "val_loss", "val_acc", "seconds")
QUERY = {"filter_string": "metrics.loss > 0.5 and params.model = 'vit'", "order_by": ["metrics.val_acc DESC"]}
LIMIT = 100
ROUNDS = 5


def fill_runs(tracker, folder, runs, budget_s):
    """Let the store in *folder* hold *runs* runs of 8 params and 5 metrics, or as many as fit the budget."""
    database = os.path.join(folder, "mlflow.db")
    is_database = "sqlite" in os.environ.get("BENCHMARK_TRACKING_URI", "")
    home = os.path.join(folder, "mlruns", "0")
    if not os.path.exists(database if is_database else home):
        tracker.run(folder, _log_marks)
    if is_database:
        there = fill.copy_rows(database, runs)
        _set_numbers(database)
        return {"runs": there}
    names = fill.run_names(home)
    files, folders = fill.template(os.path.join(home, names[0]))
    there, began, rng = len(names), perf_counter(), random.Random(0)
    while there < runs and perf_counter() - began < budget_s:
        fill.copy(home, names[0], {inner: _varied(data, rng) for inner, data in files.items()}, folders)
        there += 1
    return {"runs": there}


def search(tracker, folder):
    """Time the first search of this process, and later ones; the most memory that it took."""
    began = perf_counter()
    found = tracker.search(folder, LIMIT, **QUERY)
    first_s, later = perf_counter() - began, []
    for _ in range(ROUNDS):
        began = perf_counter()
        tracker.search(folder, LIMIT, **QUERY)
        later.append(perf_counter() - began)
    return {"first_s": first_s, "again_s": sorted(later)[ROUNDS // 2], "found": found, "memory": probe.peak_memory()}


def first_search(tracker, folder):
    """Time one search; *folder* may never have been searched."""
    began = perf_counter()
    found = tracker.search(folder, LIMIT, **QUERY)
    return {"first_s": perf_counter() - began, "found": found, "memory": probe.peak_memory()}


def read_once(tracker, folder):
    """Time what reading every file of every run costs without any use of what is read."""
    began = perf_counter()
    count = 0
    for path, _, names in os.walk(os.path.join(folder, "mlruns")):
        for name in names:
            with open(os.path.join(path, name), "rb") as file:
                file.read()
            count += 1
    return {"first_s": perf_counter() - began, "files": count}


def change(tracker, folder, runs):
    """Log a param into runs that have ended, and time the search that must find it."""
    home = os.path.join(folder, "mlruns", "0")
    for name in random.Random(1).sample(sorted(fill.run_names(home)), runs):
        tracker.change(folder, name)
    return first_search(tracker, folder)


def list_on_terminal(tracker, folder):
    """Time what `mini-mlflow ls` takes on a terminal, and what Python itself takes, as whole processes by turns."""
    listing = [sys.executable, "-m", "mini_mlflow", "ls", "-d", os.path.join(folder, "mlruns"), "0"]
    times = {"list_s": [], "bare_s": []}
    _on_terminal(listing)  # which reads the histories of what it shows
    for _ in range(ROUNDS):
        times["bare_s"].append(_on_terminal([sys.executable, "-c", "pass"]))
        times["list_s"].append(_on_terminal(listing))
    return {what: sorted(some)[ROUNDS // 2] for what, some in times.items()}


def _on_terminal(command):
    began = perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        try:
            os.environ.update(TERM="xterm", COLUMNS="120", LINES="40")
            os.execv(command[0], command)
        finally:
            os._exit(127)
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:  # how a terminal says on Linux that nobody writes any more
        pass
    os.close(terminal)
    if os.waitpid(pid, 0)[1] != 0:
        raise RuntimeError("failed: " + " ".join(command))
    return perf_counter() - began


def pause(tracker, folder, seconds):
    """Let the disk's clock go on, so that what was just written is told apart from what comes."""
    time.sleep(seconds)
    return {}


def _log_marks(given):
    for name in PARAMS:
        given.log_param(name, MARK)
    given.log_param("model", "MODEL")
    for name in METRICS:
        given.log_value(name, MARK, 0)


def _varied(data, rng):
    """Return the content of a file with numbers of its own."""
    data = data.replace(b"MODEL", rng.choice(MODELS).encode())
    return re.sub(re.escape(repr(MARK).encode()), lambda _: repr(rng.random()).encode(), data)


def _set_numbers(database):
    """Give each row of MLflow's tables a number of its own."""
    connection = sqlite3.connect(database)
    some = "abs(random()) / 9223372036854775807.0"
    for table in ("metrics", "latest_metrics"):
        connection.execute("UPDATE %s SET value = %s" % (table, some))
    connection.execute("UPDATE params SET value = %s WHERE key <> 'model'" % some)
    connection.execute(
        "UPDATE params SET value = CASE random() & 1 WHEN 0 THEN '%s' ELSE '%s' END WHERE key = 'model'" % MODELS
    )
    connection.commit()
    connection.close()
