"""How is a file given that shall be kept, and who counts as alive by keeping one?"""

import json
import os

import pytest

from kept_files import write
from mini_mlflow import Run
from mini_mlflow.errors import InvalidArtifactPathError, InvalidValueError
from mini_mlflow.store import lock_file, locks


@pytest.fixture
def run(tmp_path):
    with Run(run_id="r", runs_dir=tmp_path / "mlruns") as run:
        yield run


def kept(run):
    return sorted(file.path for file in run.list_artifacts())


def test_a_folder_may_be_given_by_bytes_and_its_place_by_a_path_object(run, tmp_path):
    write(tmp_path / "model" / "weights", b"w")
    run.log_artifact(os.fsencode(str(tmp_path / "model")))
    run.log_artifact(tmp_path / "model", tmp_path.__class__("best"))
    run.log_artifacts(os.fsencode(str(tmp_path / "model")), "all")
    assert kept(run) == ["all", "best", "model"]
    assert [file.path for file in run.list_artifacts("best/model")] == ["best/model/weights"]


@pytest.mark.parametrize("method", ["log_artifact", "log_artifacts"])
@pytest.mark.parametrize("path", [None, 5, {"a": 1}, ""])
def test_what_is_no_path_is_refused_with_advice(run, method, path):
    with pytest.raises(InvalidValueError, match=r"[Tt]he path of a file to keep|given by its path, got"):
        getattr(run, method)(path)


def test_the_place_of_a_folder_is_checked_as_that_of_a_file_is(run, tmp_path):
    (tmp_path / "model").mkdir()
    for place in (b"x", "../x", 5):
        with pytest.raises(InvalidArtifactPathError):
            run.log_artifact(tmp_path / "model", place)


def test_one_who_logs_beside_the_owner_has_a_share_before_its_first_file_is_there(run, tmp_path, monkeypatch):
    """Rule W7."""
    joiner = Run(run_id="r", runs_dir=tmp_path / "mlruns")
    writers = os.path.join(os.path.dirname(run.get_artifact_uri()), "writers")
    assert not os.path.exists(writers)
    with pytest.raises(InvalidArtifactPathError):
        joiner.log_text("x", "../a.txt")
    shares = os.listdir(writers)
    assert [os.listdir(os.path.join(writers, share)) for share in shares] == [["owner.json"]]
    joiner.log_text("x", "a.txt")
    joiner.log_metric("loss", 1.0)
    assert os.listdir(writers) == shares
    joiner.end()
    run.log_text("x", "b.txt")
    assert os.listdir(writers) == shares


def test_a_table_that_somebody_else_writes_is_waited_for_and_told_after_a_minute(run, monkeypatch):
    """Rule A2."""
    run.log_table({"a": [1]}, "t.json")
    other = os.open(os.path.join(os.path.dirname(run.get_artifact_uri()), ".lock"), os.O_RDWR)
    assert locks.try_lock(other)
    clock = iter([0.0, 1.0, 61.0])
    monkeypatch.setattr(lock_file, "monotonic", lambda: next(clock))
    with pytest.raises(TimeoutError, match="tables of the run for 60 seconds; try again"):
        run.log_table({"a": [2]}, "t.json")
    os.close(other)
    monkeypatch.undo()
    run.log_table({"a": [3]}, "t.json")
    with open(run.artifact_path("t.json")) as file:
        assert json.load(file) == {"columns": ["a"], "data": [[1], [3]]}
    assert kept(run) == ["t.json"]


def test_where_the_disk_has_no_locks_a_table_is_written_without(run, monkeypatch):
    monkeypatch.setattr(locks, "try_lock", lambda descriptor, shared: None)
    run.log_table({"a": [1]}, "t.json")
    assert kept(run) == ["t.json"]
