"""Values as numpy gives them."""

import numpy as np
from observing import mlflow, note, trial

with mlflow.start_run() as run:
    mlflow.log_metric("float64", np.float64(0.1))
    mlflow.log_metric("float32", np.float32(0.5))
    mlflow.log_metric("int64", np.int64(7))
    mlflow.log_metric("zero dimensions", np.array(0.25))
    mlflow.log_metrics({"mean": np.mean([1, 2]), "max": np.max([1, 2])}, step=np.int64(3))
    trial("one element", mlflow.log_metric, "one element", np.array([1.5]))
    trial("two elements", mlflow.log_metric, "two elements", np.array([1.5, 2.5]))
    mlflow.log_param("seed", np.int64(7))
    mlflow.log_param("rate", np.float32(0.1))
    mlflow.log_param("grid", np.array([1, 2]))
read = mlflow.get_run(run.info.run_id)
note("metrics", read.data.metrics)
note("params", read.data.params)
