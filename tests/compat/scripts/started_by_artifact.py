"""A tag taken away, an artifact and its address start a run too."""

from observing import mlflow, note

note("address ends with artifacts", mlflow.get_artifact_uri().endswith("/artifacts"))
note("active", mlflow.active_run() is not None)
mlflow.end_run()
mlflow.log_dict({"a": 1}, "a.json")
note("active again", mlflow.active_run() is not None)
mlflow.end_run()
mlflow.set_tags({"a": 1, "b": None})
mlflow.end_run()
mlflow.log_metrics({"a": 1})
