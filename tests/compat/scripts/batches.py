"""What a client logs at once, and the limits of it."""

import time

from observing import mlflow, note, trial

Metric, Param, RunTag = mlflow.entities.Metric, mlflow.entities.Param, mlflow.entities.RunTag
client = mlflow.tracking.MlflowClient()
run = client.create_run(client.create_experiment("batches"))
run_id = run.info.run_id
now = int(time.time() * 1000)
metrics = [Metric("loss", 1.0 / (step + 1), now + step, step) for step in range(1500)]
params = [Param("p%03d" % number, str(number)) for number in range(150)]
tags = [RunTag("t%d" % number, "x") for number in range(120)]
trial("large", client.log_batch, run_id, metrics=metrics, params=params, tags=tags)
trial("positional", client.log_batch, run_id, [Metric("acc", 0.5, now, 0)], [Param("q", "1")], [RunTag("s", "1")])
trial("a param twice", client.log_batch, run_id, params=[Param("x", "1"), Param("x", "2")], says=("uplicate", "x"))
trial("a param changed", client.log_batch, run_id, params=[Param("p000", "7")], says=("p000",))
trial("bad key", client.log_batch, run_id, metrics=[Metric("a=b", 1, now, 0)])
trial("bad value", client.log_batch, run_id, metrics=[Metric("m", "abc", now, 0)])
trial("no run", client.log_batch, "0" * 32, metrics=[Metric("m", 1, now, 0)])
client.set_terminated(run_id)
read = client.get_run(run_id)
history = client.get_metric_history(run_id, "loss")
note("read", [len(read.data.params), len(history), history[-1].step, "x" in read.data.params])
note("metrics", read.data.metrics)
