"""Workers that are forked while a run is active have none, and start runs of their own."""

import os

from observing import mlflow, note

with mlflow.start_run(run_name="parent") as parent:
    mlflow.log_metric("loss", 1.0)
    for number in range(2):
        child = os.fork()
        if not child:
            try:
                note("active in %d" % number, mlflow.active_run() is not None)
                with mlflow.start_run(run_name="worker %d" % number, tags={"mlflow.parentRunId": parent.info.run_id}):
                    mlflow.log_metric("loss", 2.0 + number)
                note("active after %d" % number, mlflow.active_run() is not None)
                mlflow.log_metric("loss", 7.0)
                mlflow.set_tag("mlflow.runName", "started by logging in %d" % number)
                mlflow.end_run()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    note("active here", mlflow.active_run().info.run_id == parent.info.run_id)
    mlflow.log_metric("loss", 0.5, step=1)
