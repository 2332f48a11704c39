"""An exception that nobody catches, within a block."""

from observing import mlflow

with mlflow.start_run(run_name="died within"):
    mlflow.log_metric("loss", 1)
    raise ValueError("boom")
