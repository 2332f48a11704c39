"""A training loop as written for a text book: early stopping, checkpoints, a best value."""

import json
import os
import random

from observing import mlflow, note

random.seed(0)
mlflow.set_experiment(experiment_name="early stopping")
params = {"lr": 3e-4, "batch_size": 64, "patience": 2, "model": {"layers": 2}}
best, waited = float("inf"), 0
with mlflow.start_run(run_name="baseline", tags={"dataset": "toy"}, description="a *baseline*"):
    mlflow.log_params(params)
    mlflow.log_dict(params, "params.json")
    for epoch in range(100):
        loss = (epoch - 5) ** 2 / 25 + 0.1
        mlflow.log_metrics({"train/loss": loss, "val/loss": loss + 0.05}, step=epoch)
        if loss < best:
            best, waited = loss, 0
            os.makedirs("checkpoints", exist_ok=True)
            with open(os.path.join("checkpoints", "best.json"), "w", encoding="utf-8") as file:
                json.dump({"epoch": epoch, "loss": loss}, file)
            mlflow.log_artifacts("checkpoints", artifact_path="checkpoints")
        else:
            waited += 1
        if waited > params["patience"]:
            mlflow.set_tag("stopped_at", epoch)
            break
    mlflow.log_metric("best_loss", best)
run = mlflow.last_active_run()
note("best", run.data.metrics["best_loss"])
note("tags", [run.data.tags["stopped_at"], run.data.tags["mlflow.note.content"]])
checkpoint = mlflow.artifacts.load_dict("runs:/%s/checkpoints/best.json" % run.info.run_id)
note("checkpoint", checkpoint)
