"""The loop of a quickstart: an experiment by name, params, a loss per epoch, a tag, a text."""

from observing import mlflow, note

mlflow.set_experiment("quickstart")
config = {"learning_rate": 0.01, "epochs": 3, "optimizer": "adam", "shuffle": True, "seed": None}
with mlflow.start_run(run_name="first") as run:
    mlflow.log_params(config)
    for epoch in range(config["epochs"]):
        mlflow.log_metric("loss", 1.0 / (epoch + 1), step=epoch)
        mlflow.log_metrics({"accuracy": 0.5 + epoch / 10, "rank": epoch}, step=epoch)
    mlflow.set_tag("stage", "trial")
    mlflow.log_text("it went well", "notes.txt")
    note("status inside", run.info.status)
    note("name", run.info.run_name)

done = mlflow.get_run(run.info.run_id)
note("status", done.info.status)
note("params", done.data.params)
note("metrics", done.data.metrics)
note(
    "types",
    [type(done.info.experiment_id).__name__, type(done.info.run_id).__name__, type(done.info.start_time).__name__],
)
note("times in order", done.info.start_time <= done.info.end_time)
note("nothing active", mlflow.active_run() is None)
