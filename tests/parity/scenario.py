"""What a scenario is: calls as users of 0.1.0 make them, and what those users see.

Nothing here is imported that only one of the two versions has, so that the interpreter of either can run it.
"""

from mini_mlflow.storage import load_run

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def call(function, *arguments, **named):
    """Return what a call gives: its value, or which exceptions it would be caught as, and the message."""
    try:
        return {"value": function(*arguments, **named)}
    except BaseException as error:  # noqa: BLE001 - what is raised is what is looked at
        return {"caught_as": [base.__name__ for base in type(error).__mro__], "message": str(error)}


def fields(run):
    names = ("run_id", "experiment_id", "name", "version", "status", "runs_dir")
    return dict({name: getattr(run, name) for name in names}, has_ended=run.end_time is not None)


def seen(run_id, experiment_id=0, runs_dir="mlruns"):
    """Return what is read of a run, less what only the clock decides."""
    data = load_run(run_id, experiment_id, runs_dir=runs_dir)
    names = ("name", "version", "status", "run_id", "experiment_id")
    metadata = {name: data["metadata"].get(name) for name in names}
    metadata["has_ended"] = bool(data["metadata"].get("end_time"))
    return {"metadata": metadata, "params": data["params"], "metrics": data["metrics"]}
