"""A name may be a folder of another, and differ by case alone."""

from observing import mlflow, note

with mlflow.start_run() as run:
    mlflow.log_params({"Loss": 1, "loss": 2, "LOSS": 3})
    mlflow.log_metric("acc", 1)
    mlflow.log_metric("ACC", 2)
    mlflow.log_metric("con", 3)
read = mlflow.get_run(run.info.run_id)
note("params", read.data.params)
note("metrics", read.data.metrics)
