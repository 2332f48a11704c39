"""Nobody starts a run: the first thing logged does."""

from observing import mlflow, note

note("before", [mlflow.active_run(), mlflow.last_active_run()])
mlflow.log_param("lr", 0.1)
run = mlflow.active_run()
note("started", [run is not None, run.info.status, run.data.params])
mlflow.log_metric("loss", 3)
note("the same", mlflow.active_run().info.run_id == run.info.run_id)
mlflow.end_run()
note("after", [mlflow.active_run(), mlflow.last_active_run().info.run_id == run.info.run_id])
last = mlflow.last_active_run()
note("last", [last.info.status, last.data.params, last.data.metrics])
mlflow.set_tag("a new one", True)
note("another run", mlflow.active_run().info.run_id != run.info.run_id)
