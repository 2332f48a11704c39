"""Where runs go, by address and by path."""

import os
import pathlib

from observing import mlflow, note

note("given by the environment", mlflow.get_tracking_uri().startswith(("file://", "sqlite:")))
note("is set", mlflow.is_tracking_uri_set())
mlflow.set_tracking_uri("file://" + os.path.abspath("by_url"))
note("url", mlflow.get_tracking_uri())
with mlflow.start_run(run_name="by url") as run:
    mlflow.log_param("a", 1)
note("address", [run.info.artifact_uri.startswith("file://"), "by_url" in run.info.artifact_uri])
mlflow.set_tracking_uri(pathlib.Path("by_path"))
note("path", mlflow.get_tracking_uri())
with mlflow.start_run(run_name="by path"):
    pass
note("in the second", [each.info.run_name for each in mlflow.search_runs(output_format="list")])
client = mlflow.MlflowClient(tracking_uri="file://" + os.path.abspath("by_url"))
note("in the first", [[each.info.run_name, each.data.params] for each in client.search_runs(["0"])])
note("client's", client.tracking_uri)
mlflow.set_tracking_uri("by_text")
note("text", mlflow.get_tracking_uri())
with mlflow.start_run(run_name="by text"):
    pass
note("folders", [os.path.isdir(each) for each in ("by_url", "by_path", "by_text")])
