"""Figures, images and tables."""

import numpy as np
import pandas as pd
import PIL.Image
from matplotlib.figure import Figure
from observing import mlflow, note, trial

figure = Figure()
figure.subplots().plot([0, 1], [1, 0])
pixels = np.zeros((8, 8, 3), dtype=np.uint8)
with mlflow.start_run() as run:
    mlflow.log_figure(figure, "plots/loss.png")
    mlflow.log_figure(figure, "loss.pdf", save_kwargs={"dpi": 50})
    mlflow.log_image(pixels, "black.png")
    mlflow.log_image(PIL.Image.new("RGB", (4, 4)), "pil.png")
    mlflow.log_image(pixels, key="sample/one", step=2, timestamp=5)
    mlflow.log_image(np.zeros((8, 8)), artifact_file="floats.png")
    trial("neither name nor key", mlflow.log_image, pixels)
    trial("both", mlflow.log_image, pixels, artifact_file="a.png", key="b")
    trial("bad figure", mlflow.log_figure, "no figure", "x.png")
    mlflow.log_table({"question": ["a", "b"], "score": [1, 2]}, "table.json")
    mlflow.log_table(pd.DataFrame({"question": ["c"], "score": [3]}), "table.json")
    trial("bad table", mlflow.log_table, 5, "other.json")
loaded = mlflow.load_table("table.json")
note("table", loaded.to_dict("list"))
loaded = mlflow.load_table("table.json", run_ids=[run.info.run_id], extra_columns=["run_id"])
note("table of the run", list(loaded.columns))
