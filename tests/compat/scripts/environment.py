"""The environment names the experiment, and the run to go on with."""

import os

from observing import mlflow, note

os.environ["MLFLOW_EXPERIMENT_NAME"] = "from the environment"
with mlflow.start_run(run_name="first") as run:
    note("experiment", mlflow.get_experiment(run.info.experiment_id).name)
os.environ["MLFLOW_RUN_ID"] = run.info.run_id
with mlflow.start_run() as again:
    note("the same run", again.info.run_id == run.info.run_id)
    mlflow.log_param("resumed", 1)
with mlflow.start_run(run_name="second") as other:
    note("only once", other.info.run_id != run.info.run_id)
del os.environ["MLFLOW_EXPERIMENT_NAME"]
os.environ["MLFLOW_EXPERIMENT_ID"] = mlflow.create_experiment("by id")
with mlflow.start_run() as run:
    note("by id", mlflow.get_experiment(run.info.experiment_id).name)
mlflow.set_experiment("set by code")
with mlflow.start_run() as run:
    note("code wins", mlflow.get_experiment(run.info.experiment_id).name)
