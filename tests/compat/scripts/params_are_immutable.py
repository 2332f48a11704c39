"""A param keeps its first value; the same again is no error, another is."""

from observing import mlflow, note, trial

with mlflow.start_run() as run:
    mlflow.log_param("lr", 0.1)
    trial("same", mlflow.log_param, "lr", 0.1)
    trial("same as text", mlflow.log_param, "lr", "0.1")
    trial("other", mlflow.log_param, "lr", 0.2, says=("lr", "0.1", "0.2", "Changing param values is not allowed"))
    trial("other, in several", mlflow.log_params, {"new": 1, "lr": 0.3}, says=("lr",))
    trial("same, in several", mlflow.log_params, {"newer": 1, "lr": 0.1})
    mlflow.log_param("n", 1)
    trial("int and float", mlflow.log_param, "n", 1.0)
    trial("int and bool", mlflow.log_param, "n", True)
    trial("by client", mlflow.MlflowClient().log_param, run.info.run_id, "lr", 5)
with mlflow.start_run(run_id=run.info.run_id):
    trial("after a resume", mlflow.log_param, "lr", 0.4)
    trial("same after a resume", mlflow.log_param, "lr", 0.1)
note("read", {key: value for key, value in mlflow.get_run(run.info.run_id).data.params.items() if key != "new"})
