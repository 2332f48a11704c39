"""Names of files and contents of dicts that are out of the ordinary."""

from observing import mlflow, note, trial

with mlflow.start_run() as run:
    trial("folder that is not there", mlflow.log_artifacts, "missing")
    mlflow.log_text("x", "./sub/dot.txt")
    mlflow.log_dict({"a": 1}, "./dot.json")
    for name in ("con.txt", "a:b.txt", "dot./x.txt"):
        trial("file " + name, mlflow.log_text, "x", name)
    trial("folder in ./", mlflow.log_artifacts, ".", "./sub")
    mlflow.log_dict({"nan": float("nan"), "deep": [float("inf")]}, "nan.json")
    mlflow.log_dict({"pair": (1, 2)}, "pair.yml")
uri = run.info.artifact_uri
note("dot", mlflow.artifacts.load_text(uri + "/sub/dot.txt"))
note("dot, dict", mlflow.artifacts.load_dict(uri + "/dot.json"))
note("nan", mlflow.artifacts.load_dict(uri + "/nan.json"))
note("pair", mlflow.artifacts.load_text(uri + "/pair.yml"))
