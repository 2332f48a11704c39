"""How runs end: by status, by exceptions, twice, not at all."""

from observing import mlflow, note


def status(run):
    return mlflow.get_run(run.info.run_id).info.status


for how in ("FINISHED", "FAILED", "KILLED"):
    run = mlflow.start_run()
    mlflow.end_run(how)
    note("ended " + how, status(run))
run = mlflow.start_run()
mlflow.end_run(status=mlflow.entities.RunStatus.to_string(mlflow.entities.RunStatus.KILLED))
note("ended by number", status(run))
note("nothing to end", mlflow.end_run())
for error in (ValueError("no"), AssertionError(), MemoryError()):
    try:
        with mlflow.start_run() as run:
            mlflow.log_metric("loss", 1)
            raise error
    except (ValueError, AssertionError, MemoryError) as caught:
        note("passed on, " + type(error).__name__, [caught is error, status(run)])
with mlflow.start_run() as run:
    mlflow.end_run("FAILED")
note("ended within its block", status(run))
with mlflow.start_run() as run:
    try:
        mlflow.log_metric("bad", "abc")
    except Exception:  # noqa: BLE001 - as such scripts do
        note("went on", True)
note("after a caught error", status(run))
