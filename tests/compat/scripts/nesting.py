"""Runs within runs: by nested=True, by the parent's id, and not without."""

from observing import mlflow, note, trial

with mlflow.start_run(run_name="outer") as outer:
    trial("second without nested", mlflow.start_run, says=("already active", "end_run", "nested=True"))
    with mlflow.start_run(run_name="inner", nested=True) as inner:
        with mlflow.start_run(run_name="innermost", nested=True) as innermost:
            note("innermost's parent", innermost.data.tags["mlflow.parentRunId"] == inner.info.run_id)
            mlflow.log_metric("depth", 3)
        note("active", mlflow.active_run().info.run_id == inner.info.run_id)
        trial("other parent", mlflow.start_run, nested=True, parent_run_id=outer.info.run_id, says=("parent",))
    mlflow.log_metric("depth", 1)
with mlflow.start_run(run_name="late child", parent_run_id=outer.info.run_id) as late:
    note("late child's parent", late.data.tags["mlflow.parentRunId"] == outer.info.run_id)
with mlflow.start_run(run_name="nested in nothing", nested=True) as alone:
    note("nested in nothing", "mlflow.parentRunId" in alone.data.tags)
trial("unknown parent", mlflow.start_run, parent_run_id="0" * 32)
mlflow.start_run(run_name="opened")
mlflow.start_run(run_name="opened within", nested=True)
mlflow.end_run()
note("the outer one is active", mlflow.active_run().info.run_name)
mlflow.end_run("FAILED")
note("parent", mlflow.get_parent_run(late.info.run_id).info.run_id == outer.info.run_id)
