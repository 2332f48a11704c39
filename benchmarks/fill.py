"""How does a store come to hold very many runs, in bounded time? By copies of one that the tracker made itself."""

import os
import re
import sqlite3
import uuid
from time import perf_counter

from probe import KEY


def fill(tracker, folder, runs, budget_s):
    """Let the store in *folder* hold *runs* runs, or as many as fit the budget; return how many there are."""
    database = os.path.join(folder, "mlflow.db")
    if "sqlite" in os.environ.get("BENCHMARK_TRACKING_URI", ""):
        if not os.path.exists(database):
            tracker.run(folder, _log_some)
        return {"runs": copy_rows(database, runs)}
    home = os.path.join(folder, "mlruns", "0")
    if not os.path.exists(home):
        tracker.run(folder, _log_some)
    names = run_names(home)
    files, folders = template(os.path.join(home, names[0]))
    there, began = len(names), perf_counter()
    while there < runs and perf_counter() - began < budget_s:
        for _ in range(min(100, runs - there)):
            copy(home, names[0], files, folders)
            there += 1
    return {"runs": there}


def run_names(home):
    """Return the runs of an experiment."""
    return [name for name in os.listdir(home) if os.path.exists(os.path.join(home, name, "meta.yaml"))]


def _log_some(given):
    given.log_value(KEY, 0.5, 0)
    given.log_param("setting", "a")


def template(run_folder):
    """Return the folders of a run and the content of its files, by their paths within it."""
    files, folders = {}, []
    for path, names, contents in os.walk(run_folder):
        inner = os.path.relpath(path, run_folder)
        folders += [os.path.join(inner, name) for name in names]
        for name in contents:
            with open(os.path.join(path, name), "rb") as file:
                files[os.path.join(inner, name)] = file.read()
    return files, folders


def copy(home, old_id, files, folders):
    """Write one more run: the same files, with its own id wherever the old one stands."""
    run_id = uuid.uuid4().hex
    folder = os.path.join(home, run_id)
    os.mkdir(folder)
    for inner in folders:
        os.mkdir(os.path.join(folder, inner))
    for inner, data in files.items():
        descriptor = os.open(os.path.join(folder, inner), os.O_WRONLY | os.O_CREAT, 0o666)
        os.write(descriptor, re.sub(old_id.encode(), run_id.encode(), data))
        os.close(descriptor)


def copy_rows(database, runs):
    """Copy the first run's rows in MLflow's tables until there are *runs* runs."""
    connection = sqlite3.connect(database)
    there = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    old_id = connection.execute("SELECT run_uuid FROM runs ORDER BY start_time LIMIT 1").fetchone()[0]
    columns = {
        table: [row[1] for row in connection.execute("PRAGMA table_info(%s)" % table)]
        for table in ("runs", "metrics", "latest_metrics", "params", "tags")
    }
    connection.execute("CREATE TEMP TABLE fresh (id TEXT)")
    new_ids = [(uuid.uuid4().hex,) for _ in range(runs - there)]
    connection.executemany("INSERT INTO fresh VALUES (?)", new_ids)
    statement = "INSERT INTO %s (%s) SELECT %s FROM fresh, %s AS old WHERE old.run_uuid = ?"
    for table, names in columns.items():
        taken = ["fresh.id" if name == "run_uuid" else "old.%s" % name for name in names]
        connection.execute(statement % (table, ", ".join(names), ", ".join(taken), table), (old_id,))
    connection.commit()
    connection.close()
    return there + len(new_ids)
