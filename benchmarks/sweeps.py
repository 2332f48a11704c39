"""How does a tracker come to hold a sweep that its page then shows? In the tracker's own environment."""

import itertools
import math
import os
import random
import sqlite3
import time
from time import perf_counter

import fill

FIRST_MS = 1700000000000
_META = os.path.join(".", "meta.yaml")  # as fill.template names it
MOST_LOGGED = 200  # of ours; any more are copies
BATCH = 1000  # what MLflow takes in one call


def write(tracker, folder, runs, metrics, steps):
    """Write *runs* runs that train for *steps* steps and log *metrics* metrics at each; tell how long it took."""
    keys = ["metric_%d" % number for number in range(metrics)]
    began = perf_counter()
    _WRITERS[tracker.__name__.rsplit(".", 1)[-1]](folder, runs, keys, steps)
    return {"write_s": perf_counter() - began}


def _name(run):
    return "run-%02d" % run


def _curves(run, keys, steps):
    """Return the curve of each key: it falls to a floor of its own, with noise; each run's is another."""
    rng = random.Random(run)
    curves = {}
    for number, key in enumerate(keys):
        floor = 0.2 + 0.02 * run + 0.1 * number
        curves[key] = [floor + 2 * math.exp(-6.0 * step / steps) + rng.gauss(0, 0.03) for step in range(steps)]
    return curves


def _write_ours(folder, runs, keys, steps):
    import mini_mlflow

    for run in range(min(runs, MOST_LOGGED)):
        curves = _curves(run, keys, steps)
        with mini_mlflow.start_run(run_name=_name(run), runs_dir=os.path.join(folder, "mlruns")):
            mini_mlflow.log_params({"lr": 10.0 ** -(1 + run % 4), "seed": run})
            for step in range(steps):
                mini_mlflow.log_metrics({key: curve[step] for key, curve in curves.items()}, step=step)
    if runs > MOST_LOGGED:
        home = os.path.join(folder, "mlruns", "0")
        originals = {name: fill.template(os.path.join(home, name)) for name in fill.run_names(home)}
        for _, name in zip(range(runs - MOST_LOGGED), itertools.cycle(originals)):
            fill.copy(home, name, *originals[name])
        mini_mlflow.search_runs(max_results=1, output_format="list", runs_dir=os.path.join(folder, "mlruns"))


def _write_trackio(folder, runs, keys, steps):
    from trackio.sqlite_storage import SQLiteStorage

    stamps = [time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(FIRST_MS / 1000 + step)) for step in range(steps)]
    for run in range(runs):
        curves = _curves(run, keys, steps)
        rows = [{key: curve[step] for key, curve in curves.items()} for step in range(steps)]
        SQLiteStorage.bulk_log(
            "bench", _name(run), rows, steps=list(range(steps)), timestamps=stamps,
            config={"lr": 10.0 ** -(1 + run % 4), "seed": run},
        )  # fmt: skip


def _write_mlflow(folder, runs, keys, steps):
    """Let MLflow write the first run; the others are copies of its rows or files, with numbers of their own."""
    import mlflow
    from mlflow.entities import Metric, Param

    mlflow.set_tracking_uri(os.environ["BENCHMARK_TRACKING_URI"].format(folder=folder))
    client = mlflow.MlflowClient()
    run_id = client.create_run("0", run_name=_name(0)).info.run_id
    client.log_batch(run_id, params=[Param("lr", "0.1"), Param("seed", "0")])
    for key, curve in _curves(0, keys, steps).items():
        for at in range(0, steps, BATCH):
            some = [Metric(key, curve[step], FIRST_MS + step, step) for step in range(at, min(steps, at + BATCH))]
            client.log_batch(run_id, metrics=some)
    client.set_terminated(run_id)
    if os.environ["BENCHMARK_TRACKING_URI"].startswith("sqlite"):
        database = os.path.join(folder, "mlflow.db")
        fill.copy_rows(database, runs)
        _set_rows(database, keys, steps)
    else:
        _copy_files(os.path.join(folder, "mlruns", "0"), run_id, runs, keys, steps)


def _set_rows(database, keys, steps):
    connection = sqlite3.connect(database)
    ids = [row[0] for row in connection.execute("SELECT run_uuid FROM runs ORDER BY rowid")]
    for run, run_id in enumerate(ids):
        connection.execute("UPDATE runs SET name = ? WHERE run_uuid = ?", (_name(run), run_id))
        connection.execute(
            "UPDATE tags SET value = ? WHERE run_uuid = ? AND key = 'mlflow.runName'", (_name(run), run_id)
        )
        connection.execute("UPDATE params SET value = ? WHERE run_uuid = ? AND key = 'seed'", (str(run), run_id))
    for table in ("metrics", "latest_metrics"):
        # As the curves of the others: the run's floor higher, and noise of its own.
        connection.execute(
            "UPDATE %s SET value = value + 0.02 * (SELECT count(*) FROM runs AS other WHERE other.name < "
            "(SELECT name FROM runs WHERE runs.run_uuid = %s.run_uuid)) + 0.03 * (random() / 9223372036854775807.0)"
            % (table, table)
        )
    connection.commit()
    connection.close()


def _copy_files(home, first, runs, keys, steps):
    files, folders = fill.template(os.path.join(home, first))
    for run in range(1, runs):
        its = dict(files)
        for key, curve in _curves(run, keys, steps).items():
            lines = ["%d %r %d\n" % (FIRST_MS + step, value, step) for step, value in enumerate(curve)]
            its[os.path.join("metrics", key)] = "".join(lines).encode()
        its[os.path.join("params", "seed")] = str(run).encode()
        its[os.path.join("tags", "mlflow.runName")] = _name(run).encode()
        its[_META] = its[_META].replace(_name(0).encode(), _name(run).encode())
        fill.copy(home, first, its, folders)


_WRITERS = {
    "mini_mlflow_here": _write_ours,
    "trackio_local": _write_trackio,
    "mlflow_any": _write_mlflow,
}
