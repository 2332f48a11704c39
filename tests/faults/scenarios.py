"""What the children of the fault tests do: short runs, each call acknowledged after it has returned."""

import ctypes
import os
import time

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


def slow_run(store, acknowledge):
    """Do what ``whole_run`` does with two seconds between each ten values and the next."""
    shift = ctypes.CDLL(None).faults_shift_clock  # the interposer's
    count = [0]

    def pause(item):
        acknowledge(item)
        count[0] += 1
        shift(ctypes.c_long(count[0] // 10 * 2))

    return whole_run(store, pause)


DAY_S = 86400
CLOCKS = [0, -DAY_S, DAY_S, 1000 - int(time.time()), 2177452800 - int(time.time())]  # 1970 and 2039 the last two


def run_under_a_jumping_clock(store, acknowledge):
    """Log while somebody sets the clock of the machine again and again, and tell what the run looks like meanwhile."""
    shift = ctypes.CDLL(None).faults_shift_clock  # the interposer's
    run = Run(run_id=RUN_ID, experiment_id=0, runs_dir=store)
    for round_, seconds in enumerate([*CLOCKS, 0]):
        shift(ctypes.c_long(seconds))
        for step in range(round_ * 30, round_ * 30 + 30):
            run.log_metric("loss", step + 0.25, step=step)
            acknowledge(["loss", step, step + 0.25])
        run.log_param("lr", seconds)
        acknowledge(["param", "lr", seconds])
        acknowledge(["status", ExperimentTracker(runs_dir=store).get_run(RUN_ID)["metadata"]["status"]])
    shift(ctypes.c_long(-DAY_S))
    run.end()
    return run.status


def unsynced_run(store, acknowledge):
    """Do as ``whole_run`` does, and leave it to the kernel when files reach the disk."""
    os.environ["MINI_MLFLOW_FSYNC"] = "off"
    return whole_run(store, acknowledge)
