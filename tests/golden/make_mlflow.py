"""Make one of the stores ``mlflow-*`` with the MLflow that is installed, and write down what that MLflow reads in it.

    python make_mlflow.py NEW_FOLDER

Run in a folder that is no git repository, with MLFLOW_ALLOW_FILE_STORE=true for MLflow 3. Python 3.6 to 3.11.
"""

import json
import os
import sys

os.environ.update(LOGNAME="anna", USER="anna", MLFLOW_ALLOW_FILE_STORE="true", GIT_PYTHON_REFRESH="quiet")

import mlflow  # noqa: E402 - reads the environment
from mlflow.entities import ViewType  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402

T0 = 1795510800000
MAJOR = int(mlflow.__version__.split(".")[0])
IS_FIRST = mlflow.__version__ == "1.0.0"  # which has no experiment tags, and cannot read what holds a line break
ODD = "gr\u00f6\u00dfe 100% = \U0001f600" + ("" if IS_FIRST else " \u2028")
FILTERS = [
    "metrics.loss < 0.4",
    "metrics.loss >= 0.5",
    "metrics.broken != 1",
    "params.lr = '0.1'",
    "params.lr != '0.1'",
    "params.odd = '%s'" % ODD,
    "tags.team = 'vision'",
    "params.lr = '0.1' and metrics.loss < 0.4",
]
LATER_FILTERS = [
    "metrics.`val/acc` = 0.75",
    "attributes.status = 'FINISHED'",
    "attributes.status = 'RUNNING'",
    "params.lr LIKE '0.%'",
    "tags.team ILIKE 'VIS%'",
    "attributes.run_name = 'renamed'",
    "attributes.start_time > 0",
]
ORDERS = ["metrics.loss ASC", "metrics.loss DESC", "metrics.broken ASC", "params.lr DESC", "tags.team ASC"]


def make(folder):
    """Write the store."""
    sys.argv[0] = "train.py"  # MLflow keeps it as a tag
    mlflow.set_tracking_uri("file://" + folder)
    client = MlflowClient()
    vision, language, gone = (client.create_experiment(name) for name in ("vision", "language", "gone"))
    mlflow.set_experiment("vision")
    with mlflow.start_run(run_name="first run") as run:
        run_id = run.info.run_id
        params = {"lr": 0.1, "model/depth": 3, "two words": "x", "none": None, "text-number": "007"}
        params["odd"] = ODD
        if not IS_FIRST:
            params.update({"lines": "one\ntwo\n", "blank": " x \t"})
        mlflow.log_params(params)
        mlflow.set_tag("team", "vision")
        mlflow.set_tag("nested/tag", "{\"json\": [1]}")
        for step, value in [(0, 1.0), (1, 0.5), (3, 0.25), (2, 0.125), (3, 0.375)]:
            client.log_metric(run_id, "loss", value, T0 + step, step)
        for key, value, step in [("val/acc", 0.75, 0), ("a.json", 2, 0), ("a", 1, -5), ("a", 3, -7)]:
            client.log_metric(run_id, key, value, T0, step)
        client.log_metric(run_id, "broken", float("nan"), T0, 0)
        if not IS_FIRST:  # which refuses infinities
            client.log_metric(run_id, "up", float("inf"), T0, 0)
            client.log_metric(run_id, "up", float("-inf"), T0 - 1, 1)
        if MAJOR >= 2:
            import numpy

            data = mlflow.data.from_numpy(numpy.zeros(2), name="digits")
            mlflow.log_input(data, context="training")
            if MAJOR >= 3:
                mlflow.log_metric("test_loss", 0.5, step=0, dataset=data)
    parent = run_id

    run_id = client.create_run(vision, start_time=T0).info.run_id
    client.log_param(run_id, "lr", "0.01")
    client.log_metric(run_id, "loss", 0.625, T0, 0)
    if MAJOR >= 2:
        client.update_run(run_id, name="renamed")
    else:
        client.set_tag(run_id, "mlflow.runName", "renamed")
    client.set_terminated(run_id, "FAILED", T0 + 5000)

    run_id = client.create_run(vision, start_time=T0 + 1, tags={"mlflow.runName": "deleted"}).info.run_id
    client.log_metric(run_id, "loss", 0.0625, T0, 0)
    client.set_terminated(run_id, "KILLED", T0 + 6000)
    client.delete_run(run_id)

    run_id = client.create_run(vision, start_time=T0 + 2, tags={"mlflow.parentRunId": parent}).info.run_id
    client.log_metric(run_id, "broken", 2.0, T0, 0)

    run_id = client.create_run(language, start_time=T0 + 3, tags={"mlflow.runName": "12:30"}).info.run_id
    client.log_param(run_id, "lr", "0.1")
    client.set_terminated(run_id, "FINISHED", T0 + 7000)
    if not IS_FIRST:
        client.set_experiment_tag(language, "team/lead", "anna")
    client.create_run(gone, start_time=T0 + 4)
    client.delete_experiment(gone)
    return client, [vision, language, gone]


def read(client, experiment_ids):
    """Return what MLflow reads: experiments, runs, histories, and which runs each filter and order gives."""
    told = {"mlflow": mlflow.__version__, "experiments": {}, "runs": {}, "filters": {}, "orders": {}}
    for experiment_id in experiment_ids:
        each = client.get_experiment(experiment_id)
        told["experiments"][experiment_id] = {
            "name": each.name,
            "lifecycle_stage": each.lifecycle_stage,
            "creation_time": getattr(each, "creation_time", None),
            "tags": dict(getattr(each, "tags", None) or {}),
        }
        if experiment_id == experiment_ids[-1]:
            continue
        for run in client.search_runs([experiment_id], "", ViewType.ALL):
            told["runs"][run.info.run_id] = read_run(client, run)
    live = experiment_ids[:2]
    for text in FILTERS + (LATER_FILTERS if not IS_FIRST else []):
        told["filters"][text] = [run.info.run_id for run in client.search_runs(live, text)]
    for order in ORDERS if not IS_FIRST else []:
        told["orders"][order] = [run.info.run_id for run in client.search_runs(live, "", order_by=[order])]
    return told


def read_run(client, run):
    """Return what MLflow reads of one run."""
    info = run.info
    inputs = getattr(getattr(run, "inputs", None), "dataset_inputs", [])
    status = info.status
    return {
        "experiment_id": info.experiment_id,
        "run_name": getattr(info, "run_name", None) or getattr(info, "name", None),
        "status": status if isinstance(status, str) else mlflow.entities.RunStatus.to_string(status),
        "start_time": info.start_time,
        "end_time": info.end_time,
        "lifecycle_stage": info.lifecycle_stage,
        "user_id": info.user_id,
        "params": run.data.params,
        "metrics": run.data.metrics,
        "tags": run.data.tags,
        "datasets": [[each.dataset.name, each.dataset.digest] for each in inputs],
        "histories": {
            key: [[row.step, row.timestamp, row.value] for row in client.get_metric_history(info.run_id, key)]
            for key in run.data.metrics
        },
    }


if __name__ == "__main__":
    target = os.path.abspath(sys.argv[1])
    expected = read(*make(os.path.join(target, "store", "mlruns")))
    with open(os.path.join(target, "expected.json"), "w") as file:
        json.dump(expected, file, indent=1, sort_keys=True)
        file.write("\n")
