"""Mini MLflow of this checkout."""

import glob
import os

from adapters.verbs import Verbs

import mini_mlflow
from mini_mlflow import storage


def run(folder, body):
    """Start a run in *folder*, let *body* log, end the run."""
    mini_mlflow.start_run(run_name="bench", runs_dir=os.path.join(folder, "mlruns"))
    body(Verbs(mini_mlflow.log_metric, mini_mlflow.log_metrics, mini_mlflow.log_param, mini_mlflow.set_tag))
    mini_mlflow.end_run()


def search(folder, limit, **query):
    """Return how many runs a query finds, at most *limit*."""
    given = {"output_format": "list", "runs_dir": os.path.join(folder, "mlruns"), "experiment_ids": [0]}
    return len(mini_mlflow.search_runs(max_results=limit, **query, **given))


def change(folder, run_id):
    """Add a param to a run that has ended."""
    storage.save_param(run_id, 0, "late", 1, os.path.join(folder, "mlruns"))


def read(folder, key):
    """Return how many values of *key* the newest run in *folder* holds."""
    tracker = mini_mlflow.ExperimentTracker(runs_dir=os.path.join(folder, "mlruns"))
    run_id = tracker.list_runs()[0]
    if not glob.glob(os.path.join(folder, "mlruns", "*", run_id, "metrics", "*.json")):
        return 0
    return len(tracker.history(run_id, key))
