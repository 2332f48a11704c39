"""A sweep: a parent with a child per setting, and the best of them looked for."""

from observing import mlflow, note

experiment = mlflow.set_experiment("sweep")
with mlflow.start_run(run_name="sweep") as parent:
    for depth in (2, 4, 8):
        with mlflow.start_run(run_name="depth is %d" % depth, nested=True) as child:
            mlflow.log_param("max_depth", depth)
            mlflow.log_metric("rmse", abs(depth - 5) / 10)
            note("parent tag of %d" % depth, child.data.tags["mlflow.parentRunId"] == parent.info.run_id)
    note("active is the parent again", mlflow.active_run().info.run_id == parent.info.run_id)

query = "tags.mlflow.parentRunId = '%s'" % parent.info.run_id
children = mlflow.search_runs(
    [experiment.experiment_id], filter_string=query, order_by=["metrics.rmse ASC"], output_format="list"
)
note("children, best first", [run.info.run_name for run in children])
best = mlflow.search_runs(filter_string=query + " and metrics.rmse < 0.2", output_format="list")
note("the good one", [run.data.params for run in best])
note("parents of the best", mlflow.get_parent_run(best[0].info.run_id).info.run_name)
note("parent of the parent", mlflow.get_parent_run(parent.info.run_id))
