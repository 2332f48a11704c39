"""Which parent a run may have, and keeps; which name it gets. Other ids are looked at in test_run."""

import os

import pytest

from mini_mlflow import Run, active, end_run, identity, keys, start_run
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


# Names for people ------------------------------------------------------------------------------------------------


def test_a_generated_name_is_two_words_and_a_number_and_a_legal_label_and_id():
    for _ in range(200):
        name = identity.generated_name()
        quality, thing, number = name.split("-")
        assert (quality + thing).isalpha()
        assert (name.islower(), name.isascii(), number.isdigit(), len(number)) == (True, True, True, 3)
        assert keys.check_label(name, "Run name") == keys.check_run_id(name) == name


def test_the_words_are_many_different_and_in_order():
    for words in (identity._QUALITIES.split(), identity._THINGS.split()):
        assert len(words) >= 64
        assert words == sorted(set(words))
        assert max(map(len, words)) <= 9
    assert set(identity._QUALITIES.split()).isdisjoint(identity._THINGS.split())


def test_every_word_and_number_is_as_likely_as_every_other():
    names = [identity.generated_name().split("-") for _ in range(20000)]
    assert {quality for quality, _, _ in names} == set(identity._QUALITIES.split())
    assert {thing for _, thing, _ in names} == set(identity._THINGS.split())
    assert {number for _, _, number in names} == {"%03d" % number for number in range(1000)}
    assert len({tuple(name) for name in names}) > 19900


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (bytes(8), "able-acorn-000"),
        ((999).to_bytes(8, "big"), "able-acorn-999"),
        ((1000).to_bytes(8, "big"), "agile-acorn-000"),
    ],
)
def test_a_name_is_what_the_random_source_says(monkeypatch, raw, name):
    monkeypatch.setattr(os, "urandom", lambda count: raw[:count])
    assert identity.generated_name() == name
