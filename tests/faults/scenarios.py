"""What the children of the fault tests do: short runs, each call acknowledged after it has returned."""

import os

from mini_mlflow import ExperimentTracker, Run

RUN_ID = "run"
LOSSES = 130  # two pages of rows


def whole_run(store, acknowledge):
    """Log params, tags and metrics over a page boundary, and end."""
    run = Run(run_id=RUN_ID, experiment_id=0, runs_dir=store)
    acknowledge(["started"])
    log_all(run, acknowledge)
    run.end()
    acknowledge(["ended"])
    return run.status


def log_all(run, acknowledge, first=0):
    """Log what ``expected`` returns, and acknowledge each value."""
    for key, value in (("lr", first), ("lr", first + 0.5), ("model", "resnet")):
        run.log_param(key, value)
        acknowledge(["param", key, value])
    run.set_tag("note", "first" if not first else "second")
    acknowledge(["tag", "note", "first" if not first else "second"])
    for step in range(first, first + LOSSES):
        run.log_metric("loss", step + 0.25, step=step)
        acknowledge(["loss", step, step + 0.25])
    for step in range(first, first + 5):
        run.log_metrics({"acc": step / 8, "Loss": -step}, step=step)
        acknowledge(["acc", step, step / 8])
        acknowledge(["Loss", step, -step])


def resumed_run(store, acknowledge):
    """Go on with a run that is there and whose owner is gone, and end it."""
    run = Run(run_id=RUN_ID, experiment_id=0, runs_dir=store)
    acknowledge(["started"])
    log_all(run, acknowledge, first=1000)
    run.end()
    acknowledge(["ended"])
    return run.status


def left_run(store, acknowledge):
    """Log, and leave without ending: as a killed process does."""
    run = Run(run_id=RUN_ID, experiment_id=0, runs_dir=store)
    log_all(run, acknowledge)
    os._exit(0)


def read_run(store, acknowledge):
    """Read everything of a run."""
    tracker = ExperimentTracker(runs_dir=store)
    found = []
    for run_id in tracker.list_runs():
        record = tracker.get_run(run_id)
        found.append([run_id, sorted(record["params"]), sorted(record["metrics"])])
        acknowledge(found[-1])
    return found
