"""Long params and tags."""

from observing import mlflow, note, trial

with mlflow.start_run() as run:
    note("param of 6000", len(mlflow.log_param("p", "x" * 6000)))
    trial("tag of 8000", mlflow.set_tag, "t", "x" * 8000)
    mlflow.log_params({"p%d" % number: number for number in range(300)})
    mlflow.set_tags({"t%d" % number: number for number in range(300)})
    mlflow.log_metrics({"m%d" % number: number for number in range(300)})
read = mlflow.get_run(run.info.run_id)
note("lengths", [len(read.data.params["p"]), len(read.data.tags["t"])])
note("counts", [len(read.data.params), len(read.data.metrics)])
with mlflow.start_run() as run:
    mlflow.log_param("cut", "x" * 7000)
    mlflow.set_tag("cut", "x" * 9000)
read = mlflow.get_run(run.info.run_id)
note("longer", [len(read.data.params["cut"]), len(read.data.tags["cut"])])
