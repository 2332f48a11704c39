"""A script that ends no run."""

from observing import mlflow, note

mlflow.start_run(run_name="left open")
mlflow.log_metric("loss", 1)
mlflow.start_run(run_name="within", nested=True)
note("status", mlflow.active_run().info.status)
