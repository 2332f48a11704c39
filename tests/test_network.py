"""Does anything of it ever reach for a network, or for a file outside of the store that a file of the store names?"""

import json
import subprocess
import sys

import pytest

from mini_mlflow import InvalidValueError, Run, delete_run, gc, set_tracking_uri, start_run
from mini_mlflow.config import runs_dir

SCRIPT = """
import socket, sys

tried = []

def refuse(*arguments, **options):
    tried.append(str(arguments))
    raise OSError("there is no network")

class NoSocket(socket.socket):
    def __init__(self, *arguments, **options):
        refuse(*arguments)

socket.socket = NoSocket
for name in ("getaddrinfo", "gethostbyname", "gethostbyaddr", "getfqdn", "create_connection", "socketpair"):
    setattr(socket, name, refuse)
if hasattr(sys, "addaudithook"):
    sys.addaudithook(lambda event, arguments: event.startswith("socket.") and refuse(event, arguments))

import mini_mlflow as mm
from mini_mlflow.compat import mlflow

mm.set_experiment("quiet")
with mm.start_run(capture_console=True, description="d") as run:
    mm.log_params({"lr": 0.1, "path": "http://example.invalid/x"})
    for step in range(3):
        mm.log_metric("loss", 1.0 / (1 + step))
    mm.log_text("a", "a.txt")
    mm.log_dict({"a": 1}, "a.json")
    print(run.data)
mm.delete_run(run.run_id)
mm.gc()
with mlflow.start_run():
    mlflow.log_metric("a/b", 1)
    mlflow.log_artifact(__file__)
mlflow.search_runs(output_format="list")
tracker = mm.ExperimentTracker(runs_dir="mlruns")
for run_id in tracker.list_runs():
    tracker.get_run(run_id)
assert tried == [], tried
"""


@pytest.mark.parametrize("provenance", ["on", "off"])
def test_e12_without_sockets_and_names_everything_works_and_nothing_is_tried(provenance, tmp_path, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", provenance)
    for name in ("MINI_MLFLOW_DIR", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    script = tmp_path / "quiet.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)], cwd=str(tmp_path), stderr=subprocess.PIPE, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")


@pytest.mark.parametrize(
    "url",
    ["simplecache::file:///etc", "reference://", "zip://x::s3://b", "s3://bucket/runs", "FILE:///etc", "memory://"],
)
def test_a23_a_store_is_a_folder_and_no_chain_of_addresses(url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidValueError, match="runs_dir must be the path of a folder"):
        runs_dir(url)
    for door in (lambda: Run(runs_dir=url), lambda: start_run(runs_dir=url)):
        with pytest.raises(InvalidValueError):
            door()
    if not url.startswith("FILE:"):
        with pytest.raises(InvalidValueError):
            set_tracking_uri(url)
    assert list(tmp_path.iterdir()) == []


def test_a11_an_address_of_artifacts_in_meta_yaml_is_text_and_nothing_follows_it(tmp_path):
    outside = tmp_path / "home"
    outside.mkdir()
    (outside / "thesis.tex").write_text("years of work")
    store = tmp_path / "mlruns"
    with Run(run_id="r", runs_dir=str(store)) as run:
        run.log_text("mine", "mine.txt")
    meta = store / "0" / "r" / "meta.yaml"
    meta.write_text(meta.read_text() + "artifact_uri: %s\n" % json.dumps("file://" + str(outside)))
    with Run(run_id="r", runs_dir=str(store)) as run:
        run.log_text("more", "more.txt")
        assert [file.path for file in run.list_artifacts()] == ["mine.txt", "more.txt"]
        assert run.info.artifact_uri == str(store / "0" / "r" / "artifacts")
    delete_run("r", runs_dir=str(store))
    assert [removed.run_id for removed in gc(runs_dir=str(store))] == ["r"]
    assert [path.name for path in outside.iterdir()] == ["thesis.tex"]
