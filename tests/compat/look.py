"""Read a whole store as a later process does, and keep what is there as facts."""

import json

from observing import files_of, mlflow, note, plain, tags_of

ALL = mlflow.entities.ViewType.ALL
client = mlflow.MlflowClient()


def described(run, names):
    """Return all that a client sees of a run; its parent by name."""
    tags = tags_of(run)
    if "mlflow.parentRunId" in tags:
        tags["mlflow.parentRunId"] = names.get(tags["mlflow.parentRunId"], "?")
    run_id = run.info.run_id
    histories = {}
    for key in run.data.metrics:
        histories[key] = sorted([row.step, plain(row.value)] for row in client.get_metric_history(run_id, key))
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "stage": run.info.lifecycle_stage,
        "has_ended": run.info.end_time is not None,
        "params": run.data.params,
        "metrics": run.data.metrics,
        "histories": histories,
        "tags": tags,
        "artifacts": files_of(client, run_id) if run.info.lifecycle_stage == "active" else None,
    }


experiments = sorted(client.search_experiments(view_type=ALL), key=lambda each: each.name)
found = {}
for experiment in experiments:
    for run in client.search_runs([experiment.experiment_id], run_view_type=ALL):
        found[run.info.run_id] = (experiment, run)
all_names = {run_id: run.info.run_name for run_id, (_, run) in found.items()}
for experiment in experiments:
    note("experiment " + experiment.name, {"stage": experiment.lifecycle_stage, "tags": experiment.tags})
    runs = [described(run, all_names) for owner, run in found.values() if owner is experiment]
    for number, run in enumerate(sorted(map(plain, runs), key=json.dumps)):
        for part, value in run.items():
            note("%s, run %d, %s" % (experiment.name, number + 1, part), value)
