"""Infinities come back as such, or as the greatest double."""

from observing import mlflow, note

with mlflow.start_run() as run:
    mlflow.log_metrics({"up": float("inf"), "down": float("-inf")})
    mlflow.log_metric("loss", float("nan"), step=0)
    mlflow.log_metric("loss", 0.5, step=1)
read = mlflow.get_run(run.info.run_id).data.metrics
note("beyond all", [read["up"] > 1e308, read["down"] < -1e308, read["loss"]])
