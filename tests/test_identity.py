"""Which parent a run may have, and keeps; ids are looked at in test_run."""

import pytest

from mini_mlflow import Run, active, end_run, identity, start_run
from mini_mlflow.storage import save_metadata


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty current folder, where `mlruns` goes; no run is open afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINI_MLFLOW_DIR", raising=False)
    yield str(tmp_path / "mlruns")
    for run in active.live_runs():
        if run.status == "RUNNING":
            run.end()
    active.clear()


def make(*chain, experiment_id=0):
    """Make ended runs, each the child of the one before."""
    for parent, run_id in zip((None, *chain), chain):
        Run(run_id=run_id, parent_run_id=parent, experiment_id=experiment_id).end()


def test_a_run_that_is_continued_within_another_keeps_the_parent_it_has():
    make("first", "child")
    start_run(run_id="second")
    assert start_run(run_id="child", nested=True).parent_run_id == "first"
    end_run()
    assert Run(run_id="child").parent_run_id == "first"


def test_a_run_without_a_parent_gets_one_when_it_is_continued_within_another():
    make("child")
    start_run(run_id="outer")
    assert start_run(run_id="child", nested=True).parent_run_id == "outer"
    end_run()
    assert Run(run_id="child").parent_run_id == "outer"


def test_no_run_becomes_its_own_ancestor():
    make("top", "middle", "bottom")
    outer = start_run(run_id="bottom")
    assert outer.parent_run_id == "middle"
    assert start_run(run_id="top", nested=True).parent_run_id is None
    end_run()
    end_run()
    assert Run(run_id="top").parent_run_id is None


def test_a_new_run_does_not_become_its_own_ancestor_either():
    Run(run_id="a", parent_run_id="b").end()
    assert Run(run_id="b", parent_run_id="a").parent_run_id is None


def test_no_run_becomes_its_own_parent():
    assert Run(run_id="r", parent_run_id="r").parent_run_id is None
    start_run(run_id="s")
    assert start_run(run_id="s", nested=True).parent_run_id is None


def test_an_ancestor_is_found_in_another_experiment(store):
    make("top", "middle", experiment_id=5)
    Run(run_id="bottom", parent_run_id="middle").end()
    assert not identity.may_be_parent(store, "bottom", "top")
    assert identity.may_be_parent(store, "top", "bottom")


@pytest.mark.parametrize("parent", ["gone", "..", "", 5, None, "a/b", "\ud800"])
def test_a_parent_that_leads_nowhere_is_no_obstacle(store, parent):
    assert identity.may_be_parent(store, parent, "r")


def test_a_circle_that_is_there_already_is_gone_round_once(store):
    Run(run_id="a", parent_run_id="b").end()
    Run(run_id="b").end()
    save_metadata("b", 0, {"parent_run_id": "a"})
    assert identity.may_be_parent(store, "a", "r")
