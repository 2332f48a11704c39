"""mini-mlflow 0.1.0, from the package index."""

import json
import os

from adapters.verbs import Verbs

import mini_mlflow


def run(folder, body):
    """Start a run in *folder*, let *body* log, end the run."""
    os.chdir(folder)  # its functions write to mlruns/ of the current folder
    mini_mlflow.start_run(run_name="bench")
    body(Verbs(_log_value, _log_step, mini_mlflow.log_param, None))
    mini_mlflow.end_run()


def _log_value(key, value, step):  # it knows no steps
    mini_mlflow.log_metric(key, value)


def _log_step(metrics, step):
    for key, value in metrics.items():
        mini_mlflow.log_metric(key, value)


def read(folder, key):
    """Return how many values of *key* the newest run in *folder* has taken.

    It keeps the latest alone; the values are 0, 1, 2 ... where this is asked, so that the last one tells.
    """
    runs_dir = os.path.join(folder, "mlruns", "0")
    newest = max(os.listdir(runs_dir), key=lambda name: os.stat(os.path.join(runs_dir, name)).st_mtime_ns)
    try:
        with open(os.path.join(runs_dir, newest, "metrics", key + ".json"), encoding="utf-8") as file:
            return int(json.load(file)["value"]) + 1
    except FileNotFoundError:
        return 0
