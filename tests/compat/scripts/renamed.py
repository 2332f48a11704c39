"""A run's name is its tag, and the other way round."""

from observing import mlflow, note, tags_of

client = mlflow.MlflowClient()
with mlflow.start_run(run_name="before") as run:
    mlflow.set_tag("mlflow.runName", "by tag")
read = client.get_run(run.info.run_id)
note("by tag", [read.info.run_name, read.data.tags["mlflow.runName"]])
client.update_run(run.info.run_id, name="by client")
read = client.get_run(run.info.run_id)
note("by client", [read.info.run_name, read.data.tags["mlflow.runName"], read.info.status])
with mlflow.start_run(run_id=run.info.run_id, run_name="by resume"):
    pass
read = client.get_run(run.info.run_id)
note("by resume", [read.info.run_name, read.data.tags["mlflow.runName"]])
with mlflow.start_run() as unnamed:
    note("unnamed", [unnamed.info.run_name, unnamed.data.tags["mlflow.runName"] == unnamed.info.run_name])
with mlflow.start_run(run_name=""):
    pass
with mlflow.start_run(run_name="twin"):
    pass
with mlflow.start_run(run_name="twin") as twin:
    note("own tags", sorted(tags_of(twin)))
