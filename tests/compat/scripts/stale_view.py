"""A run that start_run returned shows what it held at the start."""

from observing import mlflow, note

with mlflow.start_run() as run:
    mlflow.log_param("a", 1)
    mlflow.log_metric("m", 1)
    note("within", [run.data.params, run.data.metrics, run.info.end_time])
note("after", [run.data.params, run.data.metrics, run.info.status])
note("read anew", mlflow.get_run(run.info.run_id).data.params)
