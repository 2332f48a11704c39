"""Four short tours of Mini MLflow: the functions, the context manager, several runs, and reading back.

Run it anywhere: ``python examples/basic_usage.py``. It writes six runs below ``mlruns/`` in the current folder.
"""

import math
from typing import Iterator

from mini_mlflow import (
    ExperimentTracker,
    active_run,
    end_run,
    log_metric,
    log_metrics,
    log_param,
    log_params,
    start_run,
)


def descend(learning_rate: float, steps: int = 20) -> Iterator[float]:
    """Minimise (x - 3)² from x = 0 by gradient descent, and yield the loss before each step."""
    x = 0.0
    for _ in range(steps):
        yield (x - 3.0) ** 2
        x -= learning_rate * 2.0 * (x - 3.0)


def use_the_functions() -> None:
    """1. Functions that log to the active run of this thread."""
    print("1. The functions")
    run = start_run(run_name="functions")
    log_param("learning_rate", 0.1)
    log_params({"start": 0.0, "target": 3.0})
    for step, loss in enumerate(descend(0.1)):
        log_metrics({"loss": loss, "distance": math.sqrt(loss)}, step=step)
    log_metric("steps_done", step + 1)
    print("   the active run is", active_run() is run and run.name)
    end_run()
    print("   it ended as", run.status)


def use_the_context_manager() -> None:
    """2. A run that ends with its block, as FAILED where the block raises."""
    print("2. The context manager")
    with ExperimentTracker(run_name="context_manager") as run:
        run.log_param("learning_rate", 0.2)
        for loss in descend(0.2):
            run.log_metric("loss", loss)
    print("   it ended as", run.status)

    try:
        with ExperimentTracker(run_name="diverging") as run:
            run.log_param("learning_rate", 1.5)
            for loss in descend(1.5, steps=200):
                run.log_metric("loss", loss)
                if loss > 1e6:
                    raise OverflowError("the loss diverges")
    except OverflowError as error:
        print(f"   after an exception ({error}) it ended as {run.status}")


def compare_several_runs() -> None:
    """3. One tracker, used again and again: each block is a new run of the same experiment."""
    print("3. Several runs in one experiment")
    tracker = ExperimentTracker(run_name="sweep", experiment_id=1)
    for learning_rate in (0.01, 0.1, 0.4):
        with tracker as run:
            run.log_param("learning_rate", learning_rate)
            for loss in descend(learning_rate):
                run.log_metric("loss", loss)
        print("   learning rate {:<5} ends at loss {:.2e}".format(learning_rate, run.summary("loss").last))


def retrieve_past_runs() -> None:
    """4. What is in the files, read back by another tracker."""
    print("4. Retrieving past runs")
    tracker = ExperimentTracker(experiment_id=1)
    run_ids = tracker.list_runs()
    print("   runs in experiment 1:", len(run_ids))
    best = min(run_ids, key=lambda run_id: tracker.summary(run_id, "loss").last)
    data = tracker.get_run(best)
    print("   best run:", data["metadata"]["name"], data["params"])
    print("   its status:", data["metadata"]["status"])
    print("   its latest loss: {:.2e}".format(data["metrics"]["loss"]))
    print("   its history starts with", [round(point.value, 3) for point in tracker.history(best, "loss")[:3]])


if __name__ == "__main__":
    use_the_functions()
    use_the_context_manager()
    compare_several_runs()
    retrieve_past_runs()
