"""A run is deleted and restored."""

from observing import mlflow, note, trial

client = mlflow.MlflowClient()
with mlflow.start_run(run_name="kept"):
    pass
with mlflow.start_run(run_name="deleted") as run:
    mlflow.log_param("a", 1)
    mlflow.log_metric("m", 1)
run_id = run.info.run_id
mlflow.delete_run(run_id)
VIEWS = mlflow.entities.ViewType


def names(view):
    return sorted(each.info.run_name for each in client.search_runs(["0"], run_view_type=view))


note("active", names(VIEWS.ACTIVE_ONLY))
note("deleted", names(VIEWS.DELETED_ONLY))
note("all", names(VIEWS.ALL))
deleted = client.get_run(run_id)
note("read", [deleted.info.lifecycle_stage, deleted.info.status, deleted.data.params, deleted.data.metrics])
trial("log to it", client.log_param, run_id, "b", 1, says=("active",))
trial("log a metric to it", client.log_metric, run_id, "b", 1)
trial("start it", mlflow.start_run, run_id=run_id, says=("deleted",))
trial("child of it", mlflow.start_run, parent_run_id=run_id)
client.restore_run(run_id)
note("restored", [client.get_run(run_id).info.lifecycle_stage, names(VIEWS.ACTIVE_ONLY)])
trial("delete unknown", client.delete_run, "0" * 32)
client.delete_run(run_id)
