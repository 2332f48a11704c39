"""Without a step it is 0; the latest is that of the greatest step, then time, then value."""

from observing import mlflow, note

with mlflow.start_run() as run:
    for value in (3, 2, 1):
        mlflow.log_metric("no step", value, timestamp=1000)
    mlflow.log_metric("backwards", 0.9, step=10, timestamp=1000)
    mlflow.log_metric("backwards", 0.5, step=5, timestamp=2000)
    mlflow.log_metric("one step", 5.0, step=1, timestamp=3000)
    mlflow.log_metric("one step", 9.0, step=1, timestamp=2000)
    mlflow.log_metric("one moment", 5.0, step=1, timestamp=2000)
    mlflow.log_metric("one moment", 9.0, step=1, timestamp=2000)
    mlflow.log_metric("one moment", 7.0, step=1, timestamp=2000)
    mlflow.log_metric("negative", 1.0, step=-5)
    mlflow.log_metric("negative", 2.0, step=-9)
    mlflow.log_metric("none", 1.0, step=None)
read = mlflow.get_run(run.info.run_id)
note("latest", read.data.metrics)
client = mlflow.MlflowClient()
history = client.get_metric_history(run.info.run_id, "one step")
note("rows", sorted([row.step, row.timestamp, row.value] for row in history))
note("row fields", [history[0].key, type(history[0].value).__name__, type(history[0].step).__name__])
note("unknown", client.get_metric_history(run.info.run_id, "unknown"))
