"""A run goes on where it was."""

from observing import mlflow, note, trial

mlflow.set_experiment("resumed")
with mlflow.start_run(run_name="long") as run:
    mlflow.log_param("lr", 0.1)
    mlflow.log_metric("loss", 3, step=0)
first = mlflow.get_run(run.info.run_id)
with mlflow.start_run(run.info.run_id) as again:
    note("by position", [again.info.run_id == run.info.run_id, again.info.status, again.info.run_name])
    note("what it holds", [again.data.params, again.data.metrics])
    mlflow.log_metric("loss", 2, step=1)
    mlflow.set_tag("resumed", True)
done = mlflow.get_run(run.info.run_id)
note("start stays", done.info.start_time == first.info.start_time)
note("done", [done.info.status, done.data.metrics])
with mlflow.start_run(run_id=run.info.run_id, tags={"third": 3}, description="third time"):
    mlflow.log_metric("loss", 1, step=2)
trial("unknown", mlflow.start_run, run_id="0" * 32, says=("not found",))
trial("bad id", mlflow.start_run, run_id="../x")
mlflow.set_experiment("elsewhere")
trial("of another experiment", mlflow.start_run, run_id=run.info.run_id, says=("active experiment",))
note("history", sorted(row.step for row in mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")))
