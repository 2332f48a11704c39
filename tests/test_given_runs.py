"""Which runs does a caller mean?"""

import os

import pytest

from mini_mlflow import (
    AmbiguousRunError,
    InvalidValueError,
    Run,
    RunNotFoundError,
    delete_run,
    get_run,
    list_deleted_runs,
    restore_run,
)
from mini_mlflow.given_runs import find_given


def make_run(store, run_id, experiment_id=0):
    run = Run(run_id=run_id, experiment_id=experiment_id, runs_dir=store)
    run.end()
    return run


class Frame(dict):
    """What a DataFrame has of which use is made: columns by name."""

    columns = property(dict.keys)


def places(runs, store, experiment_id=None):
    return [(run.experiment_id, run.run_id) for run in find_given(runs, experiment_id, str(store))]


def test_a_table_of_runs_means_its_runs_in_their_experiments(tmp_path):
    for experiment_id in (0, 1):
        make_run(tmp_path, "a", experiment_id)
    make_run(tmp_path, "b", 1)
    assert places(Frame(run_id=["b", "a"], experiment_id=["1", "0"]), tmp_path) == [(1, "b"), (0, "a")]
    assert places(Frame(run_id=["b"]), tmp_path) == [(1, "b")]


def test_a_run_that_is_given_twice_counts_once(tmp_path):
    run = make_run(tmp_path, "a")
    assert places(["a", run, get_run("a", runs_dir=tmp_path)], tmp_path) == [(0, "a")]


def test_two_runs_of_one_id_cannot_be_told_apart(tmp_path):
    runs = [make_run(tmp_path, "a", experiment_id) for experiment_id in (0, 1)]
    with pytest.raises(AmbiguousRunError, match="one by one"):
        find_given(runs, None, str(tmp_path))


def test_a_run_that_was_moved_since_it_was_read_is_looked_for(tmp_path):
    make_run(tmp_path, "a")
    delete_run("a", runs_dir=tmp_path)
    restore_run("a", runs_dir=tmp_path)
    moved = get_run("a", runs_dir=tmp_path)
    moved = moved._replace(info=moved.info._replace(artifact_uri=str(tmp_path / "gone" / "artifacts")))
    (found,) = find_given([moved], None, str(tmp_path))
    assert found.folder == str(tmp_path / "0" / "a")


def test_what_is_no_list_of_runs_is_refused(tmp_path):
    with pytest.raises(InvalidValueError, match="Runs must be ids or runs, got 7"):
        find_given(7, None, str(tmp_path))


def test_a_table_of_deleted_runs_means_them_where_they_lie_and_no_other_folder(tmp_path):
    for run_id in "ab":
        make_run(tmp_path, run_id)
        delete_run(run_id, runs_dir=tmp_path)
    (deleted,) = [each.folder for each in list_deleted_runs(runs_dir=tmp_path) if each.run_id == "a"]
    uri = os.path.join(deleted, "artifacts")
    found = find_given(Frame(run_id=["a"], experiment_id=["0"], artifact_uri=[uri]), None, str(tmp_path))
    assert [(each.folder, each.stored.info.lifecycle_stage) for each in found] == [(deleted, "deleted")]
    other = os.path.join(os.path.dirname(deleted), "b", "artifacts")
    for elsewhere in (other, str(tmp_path / "0" / "a" / "artifacts"), None, uri + "/../../b/artifacts"):
        with pytest.raises(RunNotFoundError, match="is deleted"):
            find_given(Frame(run_id=["a"], experiment_id=["0"], artifact_uri=[elsewhere]), None, str(tmp_path))
