"""Switches that most scripts have at the top."""

from observing import mlflow, note

mlflow.disable_system_metrics_logging()
mlflow.set_system_metrics_sampling_interval(5)
mlflow.set_system_metrics_samples_before_logging(2)
mlflow.set_system_metrics_node_id("node-1")
with mlflow.start_run(log_system_metrics=False) as run:
    mlflow.log_metric("m", 1)
note("metrics", sorted(mlflow.get_run(run.info.run_id).data.metrics))
note("version is text", [isinstance(mlflow.__version__, str), mlflow.__version__.count(".")])
