"""What the children of the fault tests do: short runs, each call acknowledged after it has returned."""

import ctypes
import os
import time

from mini_mlflow import ExperimentTracker, Run, packs, upkeep

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


def moved_run(store, acknowledge):
    """Move a run that has ended into experiment 7."""
    upkeep.move_run(RUN_ID, 7, runs_dir=store)
    acknowledge(["moved"])


def packed_runs(store, acknowledge):
    """Pack the runs that have ended."""
    result = packs.pack(0, runs_dir=store)
    acknowledge(["packed"])
    return [sorted(result.run_ids), result.passed_over]


def unpacked_runs(store, acknowledge):
    """Unpack all runs."""
    result = packs.unpack(0, runs_dir=store)
    acknowledge(["unpacked"])
    return [sorted(result.run_ids), result.passed_over]


def resumed_packed_run(store, acknowledge):
    """Go on with a run that lies in a pack."""
    run = Run(run_id="a", experiment_id=0, runs_dir=store)
    acknowledge(["started"])
    run.log_metric("loss", 77.0, step=77)
    acknowledge(["logged"])
    run.end()
    return run.status


def deleted_packed_run(store, acknowledge):
    """Delete a run that lies in a pack."""
    upkeep.delete_run("a", runs_dir=store)
    acknowledge(["deleted"])


def merged_store(store, acknowledge):
    """Merge the store beside into this one."""
    from mini_mlflow.merging import merge

    found = merge(os.path.join(os.path.dirname(store), "theirs"), store)
    acknowledge(["merged"])
    return sorted([run.run_id, run.outcome] for run in found.runs)


def imported_store(store, acknowledge):
    """Bring the runs of the MLflow store beside into this one."""
    from mini_mlflow.importing.sources import import_mlflow

    found = import_mlflow(os.path.join(os.path.dirname(store), "theirs"), store)
    acknowledge(["imported"])
    return sorted([run.run_id, run.outcome] for run in found.runs)


def exported_store(store, acknowledge):
    """Write the runs of the store beside into this folder as MLflow's files."""
    from mini_mlflow import search_runs
    from mini_mlflow.exporting import mlflow_files

    theirs = os.path.join(os.path.dirname(store), "theirs")
    runs = search_runs(output_format="list", search_all_experiments=True, runs_dir=theirs)
    written = mlflow_files.write(store, runs, {}, lambda _: None)
    acknowledge(["exported"])
    return sorted(written.added)
