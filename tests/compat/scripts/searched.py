"""Runs looked for: by filter, in order, so many, as a list or a table."""

from observing import mlflow, note, trial

mlflow.set_experiment("searched")
rows = [("a", "sgd", 0.1, 0.7), ("b", "adam", 0.01, 0.9), ("c", "adam", 0.1, 0.8), ("d", "sgd", 1, None)]
for name, optimizer, rate, accuracy in rows:
    with mlflow.start_run(run_name=name, tags={"model": "m-" + optimizer, "odd key": name}):
        mlflow.log_params({"optimizer": optimizer, "lr": rate})
        if accuracy is not None:
            mlflow.log_metric("val/acc", accuracy)
            mlflow.log_metric("acc", accuracy, step=3)
with mlflow.start_run(run_name="e") as run:
    mlflow.log_metric("acc", float("nan"))
    mlflow.end_run("FAILED")


def names(filter_string="", **more):
    return [
        each.info.run_name for each in mlflow.search_runs(filter_string=filter_string, output_format="list", **more)
    ]


FILTERS = (
    "metrics.acc > 0.75", "metrics.acc >= 0.8 and metrics.acc < 0.9", "metrics.acc != 0.7", "metric.acc = 0.7",
    "params.optimizer = 'adam'", "params.optimizer != 'adam'", 'param.optimizer = "sgd"', "params.lr = '0.1'",
    "tags.model = 'm-sgd'", "tags.model LIKE 'm-%'", "tags.model ILIKE 'M-A%'", "tag.`odd key` = 'a'",
    "metrics.`val/acc` > 0.75", 'metrics."val/acc" < 0.75', "attributes.status = 'FAILED'", "status = 'FINISHED'",
    "attributes.run_name = 'a'", "run_name LIKE 'b'", "attributes.start_time > 0",
    "attributes.run_id = '%s'" % run.info.run_id,
    "params.optimizer = 'adam' AND metrics.acc > 0.85 AND tags.model = 'm-adam'", "metrics.acc > -1e3",
    "attributes.run_id IN ('%s')" % run.info.run_id, "params.unknown = 'x'",
)  # fmt: skip
for text in FILTERS:
    note(text.replace(run.info.run_id, "RUN"), sorted(names(text)))
BAD = (
    "  ", "metrics.acc", "acc > 1", "params.lr > 0.05", "metrics.acc > 'x'", "params.a = 1",
    "metrics.acc > 0.5 or metrics.acc < 0.1", "unknown.acc > 1", "metrics.acc >", "params.a = unquoted",
    "attributes.unknown = 'x'",
)  # fmt: skip
for text in BAD:
    trial("bad: " + text, names, text)
note("newest first", names())
ORDERS = (
    ["metrics.acc"], ["metrics.acc DESC"], ["metrics.acc ASC", "start_time DESC"],
    ["params.optimizer ASC", "metrics.acc DESC"],
    ["attributes.start_time ASC"], ["start_time"], ["run_name DESC"], ["tags.model", "attributes.run_name"],
    ["params.lr", "run_name"],
    ["metrics.`val/acc` DESC", "run_name"],
)  # fmt: skip
for order in ORDERS:
    note(" and ".join(order), names(order_by=order))
trial("bad order", names, order_by=["nothing"])
trial("bad direction", names, order_by=["metrics.acc UP"])
note("two", names(max_results=2))
note("by name of the experiment", names(experiment_names=["searched"]))
note("in none", names(experiment_names=["unknown"]))
note("everywhere", sorted(names(search_all_experiments=True)))
trial("names and ids", names, experiment_ids=["0"], experiment_names=["searched"])
client = mlflow.MlflowClient()
searched = mlflow.get_experiment_by_name("searched").experiment_id
page = client.search_runs([searched], max_results=2)
note("page", [[each.info.run_name for each in page], bool(page.token)])
page = client.search_runs([searched], max_results=2, page_token=page.token)
note("second page", [[each.info.run_name for each in page], bool(page.token)])
page = client.search_runs([searched], max_results=2, page_token=page.token)
note("last page", [[each.info.run_name for each in page], bool(page.token)])
note("one id as text", len(client.search_runs(searched)))
trial("bad format", mlflow.search_runs, output_format="xml")
trial("bad view", client.search_runs, [searched], max_results=0)
