"""Where artifacts are said to lie."""

import io

from observing import mlflow, note

with mlflow.start_run() as run:
    mlflow.log_text("x", "a/b.txt")
    mlflow.log_stream(io.BytesIO(b"streamed"), "a/streamed.txt")
    note("run's", mlflow.get_artifact_uri() == run.info.artifact_uri)
    note("ending", run.info.artifact_uri.endswith("%s/artifacts" % run.info.run_id))
    note("below", mlflow.get_artifact_uri("a/b.txt") == run.info.artifact_uri + "/a/b.txt")
    note("no slash at the end", not mlflow.get_artifact_uri().endswith("/"))
