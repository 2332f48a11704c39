"""Logged to a run that is not the active one."""

from observing import mlflow, note

with mlflow.start_run(run_name="one") as one:
    pass
with mlflow.start_run(run_name="two"):
    mlflow.log_metric("m", 1, run_id=one.info.run_id)
    mlflow.log_metrics({"n": 2}, step=4, run_id=one.info.run_id)
    mlflow.log_params({"p": 3}, run_id=one.info.run_id)
    mlflow.log_text("x", "x.txt", run_id=one.info.run_id)
    mlflow.log_dict({"x": 1}, "x.json", run_id=one.info.run_id)
    mlflow.log_metric("own", 1)
with open("file.txt", "w", encoding="utf-8") as file:
    file.write("file")
mlflow.log_artifact("file.txt", run_id=one.info.run_id)
note("no run was started", mlflow.active_run())
note("status stays", mlflow.get_run(one.info.run_id).info.status)
