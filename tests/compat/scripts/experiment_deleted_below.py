"""A run of an experiment that is deleted."""

from observing import mlflow, note, trial

client = mlflow.MlflowClient()
made = mlflow.create_experiment("gone")
with mlflow.start_run(experiment_id=made) as run:
    mlflow.log_metric("a", 1)
mlflow.delete_experiment(made)
trial("log", client.log_metric, run.info.run_id, "a", 2, step=1)
note("stage", client.get_run(run.info.run_id).info.lifecycle_stage)
