"""A run is ended with a status that is none."""

from observing import mlflow, note, trial

mlflow.start_run(run_name="badly ended")
trial("bad status", mlflow.end_run, "GONE", says=("GONE",))
note("active", mlflow.active_run())
trial("a run that goes on is no end", mlflow.end_run, "RUNNING")
