"""A run that a client creates and never ends."""

from observing import mlflow, note

client = mlflow.MlflowClient()
run = client.create_run("0", run_name="never ended")
client.log_metric(run.info.run_id, "loss", 1)
note("status", client.get_run(run.info.run_id).info.status)
