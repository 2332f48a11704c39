"""A run that only a client knows: created, logged to, ended; never active."""

from observing import mlflow, note, tags_of, trial

client = mlflow.MlflowClient()
experiment_id = client.create_experiment("by client", tags={"team": "a"})
run = client.create_run(experiment_id, run_name="made", tags={"k": "v"})
run_id = run.info.run_id
note("created", [run.info.status, run.info.run_name, tags_of(run), run.info.end_time])
note("not active", mlflow.active_run())
client.log_param(run_id, "lr", 0.1)
client.log_metric(run_id, "loss", 0.5)
client.log_metric(run_id, "loss", 0.4, step=1)
client.log_metric(run_id, "at", 1.0, 12345, 7)
client.log_dict(run_id, {"a": [1, 2]}, "conf/a.json")
client.log_text(run_id, "hello", "a.txt")
note("running", client.get_run(run_id).info.status)
client.set_terminated(run_id, "FAILED", end_time=run.info.start_time + 5000)
done = client.get_run(run_id)
note("ended", [done.info.status, done.info.end_time - done.info.start_time])
client.log_metric(run_id, "late", 1)
client.log_param(run_id, "late", "yes")
note("logged after the end", [client.get_run(run_id).info.status, client.get_run(run_id).data.params])
client.update_run(run_id, status="FINISHED", name="renamed")
done = client.get_run(run_id)
note("updated", [done.info.status, done.info.run_name, done.data.tags.get("mlflow.runName")])
trial("unknown run", client.get_run, "f" * 32, says=("not found",))
trial("unknown run, logged", client.log_param, "f" * 32, "a", 1)
trial("bad run id", client.get_run, "../x")
start = client.create_run(experiment_id, start_time=1000).info.start_time
note("given start", start)
