"""What each logging call gives back."""

from observing import mlflow, note

with mlflow.start_run() as run:
    note("log_param", mlflow.log_param("a", 1))
    note("log_param of a list", mlflow.log_param("b", [1, 2]))
    note("log_params", mlflow.log_params({"c": 1}))
    note("log_metric", mlflow.log_metric("m", 1))
    note("log_metrics", mlflow.log_metrics({"n": 1}))
    note("set_tag", mlflow.set_tag("t", 1))
    note("set_tags", mlflow.set_tags({"u": 1}))
    note("delete_tag", mlflow.delete_tag("u"))
    note("log_text", mlflow.log_text("x", "x.txt"))
    note("log_dict", mlflow.log_dict({"x": 1}, "x.json"))
    note("same run", [mlflow.active_run() is run, mlflow.active_run().info.run_id == run.info.run_id])
    client = mlflow.MlflowClient()
    note("client", [client.log_param(run.info.run_id, "d", 2), client.log_metric(run.info.run_id, "m", 2)])
    note("client, tags", [client.set_tag(run.info.run_id, "v", 2), client.log_batch(run.info.run_id)])
note("end_run", mlflow.end_run())
