"""Logged in the background, waited for."""

from observing import mlflow, note

with mlflow.start_run() as run:
    operations = [
        mlflow.log_metric("loss", 0.5, step=1, synchronous=False),
        mlflow.log_metrics({"a": 1, "b": 2}, synchronous=False),
        mlflow.log_param("lr", 0.1, synchronous=False),
        mlflow.log_params({"c": 1, "d": 2}, synchronous=False),
        mlflow.set_tag("t", 1, synchronous=False),
        mlflow.set_tags({"u": 1}, synchronous=False),
    ]
    note("returned", [type(each).__name__ for each in operations])
    note("waited", [each.wait() for each in operations])
    mlflow.flush_async_logging()
read = mlflow.get_run(run.info.run_id)
note("params", read.data.params)
note("metrics", read.data.metrics)
