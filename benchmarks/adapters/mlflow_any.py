"""MLflow with its store named by MLFLOW_TRACKING_URI, in which {folder} stands for the benchmark's folder."""

import os

import mlflow
from adapters.verbs import Verbs


def run(folder, body):
    """Start a run in *folder*, let *body* log, end the run."""
    mlflow.set_tracking_uri(os.environ["BENCHMARK_TRACKING_URI"].format(folder=folder))
    os.chdir(folder)
    mlflow.start_run(run_name="bench")
    body(Verbs(_log_value, _log_step, mlflow.log_param, mlflow.set_tag))
    mlflow.end_run()


# In MLflow's own signatures the step is the third argument, but newer versions warn of positional ones.
def _log_value(key, value, step):
    mlflow.log_metric(key, value, step=step)


def _log_step(metrics, step):
    mlflow.log_metrics(metrics, step=step)


def search(folder, limit, **query):
    """Return how many runs a query finds, at most *limit*."""
    mlflow.set_tracking_uri(os.environ["BENCHMARK_TRACKING_URI"].format(folder=folder))
    return len(mlflow.search_runs(experiment_ids=["0"], max_results=limit, output_format="list", **query))


def read(folder, key):
    """Return how many values of *key* the newest run in *folder* holds."""
    mlflow.set_tracking_uri(os.environ["BENCHMARK_TRACKING_URI"].format(folder=folder))
    (newest,) = mlflow.search_runs(
        experiment_ids=["0"], max_results=1, order_by=["attributes.start_time DESC"], output_format="list"
    )
    return len(mlflow.MlflowClient().get_metric_history(newest.info.run_id, key))
