"""Tags are text, may change, and can be taken away."""

from observing import mlflow, note, tags_of, trial

with mlflow.start_run(run_name="tagged", tags={"team": "vision", "n": 1}, description="what it is for") as run:
    note("at the start", tags_of(run))
    mlflow.set_tag("team", "speech")
    mlflow.set_tags({"yes": True, "none": None, "list": [1], "ratio": 0.5, "empty": ""})
    mlflow.set_tag("gone", 1)
    mlflow.delete_tag("gone")
    trial("delete what is not there", mlflow.delete_tag, "never", says=("never",))
    mlflow.set_tag("mlflow.note.content", "changed")
read = tags_of(mlflow.get_run(run.info.run_id))
note("read", read)
client = mlflow.MlflowClient()
client.set_tag(run.info.run_id, "later", "after the end")
client.delete_tag(run.info.run_id, "yes")
note("after the end", tags_of(client.get_run(run.info.run_id)))
note("status stays", client.get_run(run.info.run_id).info.status)
