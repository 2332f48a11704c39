"""A step may be a float, if it is a whole number."""

from observing import mlflow, note, trial

client = mlflow.MlflowClient()
with mlflow.start_run() as run:
    trial("one", mlflow.log_metric, "one", 1, step=3.0)
    trial("several", mlflow.log_metrics, {"several": 1}, step=4.0)
    mlflow.log_metric("again", 1.0, step=1)
    trial("again", mlflow.log_metric, "again", 2.0, step=2.0)
for key in ("one", "several", "again"):
    trial(key + ", steps", lambda key=key: [row.step for row in client.get_metric_history(run.info.run_id, key)])
with mlflow.start_run() as between:
    trial("between", mlflow.log_metric, "between", 1, step=1.5)
note("last", True)
