"""An exception that nobody catches, without a block."""

from observing import mlflow

mlflow.start_run(run_name="died")
mlflow.log_metric("loss", 1)
raise ValueError("boom")
