"""The plain objects that scripts make and look at."""

from observing import mlflow, note, trial

entities = mlflow.entities
metric = entities.Metric("loss", 0.5, 1000, 3)
note("metric", [metric.key, metric.value, metric.timestamp, metric.step])
note("metric by name", entities.Metric(key="a", value=1, timestamp=2, step=3).step)
note("metrics equal", [entities.Metric("a", 1, 2, 3) == entities.Metric("a", 1, 2, 3), metric == 5])
note(
    "metric as dict",
    {key: value for key, value in metric.to_dictionary().items() if key in ("key", "value", "step", "timestamp")},
)
note(
    "param",
    [
        entities.Param("a", "1").key,
        entities.Param("a", "1").value,
        entities.Param("a", "1") == entities.Param("a", "1"),
    ],
)
note("tag", [entities.RunTag("a", "1").key, entities.RunTag("a", "1") == entities.RunTag("a", "2")])
status = entities.RunStatus
note("status", [status.to_string(status.FINISHED), status.from_string("FAILED") == status.FAILED, status.RUNNING])
note("ended", [status.is_terminated(status.KILLED), status.is_terminated(status.RUNNING)])
trial("unknown status", status.from_string, "GONE")
note("views", [entities.ViewType.ACTIVE_ONLY, entities.ViewType.DELETED_ONLY, entities.ViewType.ALL])
note("stages", [entities.LifecycleStage.ACTIVE, entities.LifecycleStage.DELETED])
with mlflow.start_run(run_name="looked at") as run:
    mlflow.log_metric("m", 1)
    mlflow.log_param("p", 1)
read = mlflow.get_run(run.info.run_id)
note("run as dict", sorted(read.to_dictionary()))
note("data as dict", {key: value for key, value in read.data.to_dictionary().items() if key != "tags"})
note("info as dict", sorted(key for key in dict(read.info) if key != "run_uuid"))
note("shown", ["<Run:" in repr(read), "run_name='looked at'" in repr(read.info), "status='FINISHED'" in repr(read)])
note(
    "active run is a run",
    [isinstance(run, entities.Run), isinstance(run, mlflow.ActiveRun), isinstance(read, mlflow.ActiveRun)],
)
error = mlflow.exceptions.MlflowException("no")
note("error", [str(error), error.error_code, error.message, isinstance(error, Exception)])
note("error is the same", mlflow.MlflowException is mlflow.exceptions.MlflowException)
note("clients", mlflow.MlflowClient is mlflow.tracking.MlflowClient)
