"""Runs as a pandas table."""

from observing import mlflow, note

for number in range(3):
    with mlflow.start_run(run_name="r%d" % number):
        mlflow.log_param("n", number)
        if number:
            mlflow.log_metric("m", number / 2)
            mlflow.set_tag("t", number)
table = mlflow.search_runs(order_by=["start_time ASC"])
note("columns", sorted(each for each in table.columns if "git" not in each))
note("first columns", list(table.columns[:6]))
note("names", table["tags.mlflow.runName"].tolist())
note("params", table["params.n"].tolist())
note("metrics", table["metrics.m"].fillna(-1).tolist())
note("tags", [value if isinstance(value, str) else "missing" for value in table["tags.t"].tolist()])
note("kinds", [str(table["metrics.m"].dtype), str(table["start_time"].dt.tz)])
empty = mlflow.search_runs(filter_string="metrics.m > 100")
note("empty", [len(empty), list(empty.columns)])
note("best", table.sort_values("metrics.m", ascending=False).iloc[0]["params.n"])
