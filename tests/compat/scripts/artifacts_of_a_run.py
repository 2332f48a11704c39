"""Files, folders, texts and dicts kept with a run, listed and fetched again."""

import os

from observing import mlflow, note, trial

os.makedirs("made/sub")
for name, text in (("made/a.txt", "a"), ("made/sub/b.txt", "bb"), ("made/empty.txt", ""), ("plain.txt", "plain")):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
client = mlflow.MlflowClient()


def content(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def listed(path=None):
    return [[each.path, each.is_dir, each.file_size] for each in client.list_artifacts(run.info.run_id, path)]


with mlflow.start_run() as run:
    note("none yet", listed())
    mlflow.log_artifact("plain.txt")
    mlflow.log_artifact("plain.txt", "deep/er")
    mlflow.log_artifact("plain.txt", artifact_path="deep")
    mlflow.log_artifacts("made")
    mlflow.log_artifacts("made", "copied")
    mlflow.log_artifact("made")
    mlflow.log_text("first", "notes/n.txt")
    mlflow.log_text("second", "notes/n.txt")
    mlflow.log_dict({"lr": 0.1, "layers": [1, 2]}, "config.json")
    mlflow.log_dict({"lr": 0.1, "layers": [1, 2]}, "config.yaml")
    mlflow.log_dict([1, 2], "list.json")
    mlflow.log_dict({"a": 1}, "no ending")
    trial("file that is not there", mlflow.log_artifact, "absent.txt")
    trial("outside", mlflow.log_text, "x", "../outside.txt")
    trial("outside, by path", mlflow.log_artifact, "plain.txt", "../..")
    trial("absolute", mlflow.log_text, "x", "/tmp/absolute-compat.txt")
note("top", sorted(listed()))
note("folder", listed("made"))
note("file", listed("plain.txt"))
note("nothing", listed("nothing"))
trial("list outside", client.list_artifacts, run.info.run_id, "../..")
path = client.download_artifacts(run.info.run_id, "deep/er/plain.txt")
note("fetched", [os.path.basename(path), content(path)])
os.mkdir("target")
path = client.download_artifacts(run.info.run_id, "made", "target")
note("fetched folder", [path, sorted(os.listdir(path))])
trial("fetch nothing", client.download_artifacts, run.info.run_id, "nothing.txt")
path = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="notes/n.txt", dst_path="target")
note("fetched by module", content(path))
uri = run.info.artifact_uri + "/plain.txt"
note("text by address", mlflow.artifacts.load_text(uri))
note("dict by address", mlflow.artifacts.load_dict(run.info.artifact_uri + "/config.json"))
note("by runs address", mlflow.artifacts.load_text("runs:/%s/plain.txt" % run.info.run_id))
note("list by module", sorted(each.path for each in mlflow.artifacts.list_artifacts(run_id=run.info.run_id)))
