"""Which parent a run may have, and keeps; which name it gets; which id goes on. Other ids are looked at in test_run."""

import os
import re

import pytest

from mini_mlflow import InvalidValueError, Run, active, config, end_run, identity, keys, start_run
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


# Runs that go on -------------------------------------------------------------------------------------------------

JOBS = [
    ({"SLURM_JOB_ID": "4711"}, "slurm-4711"),
    ({"SLURM_JOB_ID": "4711", "SLURM_RESTART_COUNT": "3"}, "slurm-4711"),
    ({"SLURM_JOB_ID": "4713", "SLURM_ARRAY_JOB_ID": "4711", "SLURM_ARRAY_TASK_ID": "2"}, "slurm-4711_2"),
    ({"SLURM_JOB_ID": "4713", "SLURM_ARRAY_JOB_ID": "4711", "SLURM_ARRAY_TASK_ID": "0"}, "slurm-4711_0"),
    ({"SLURM_JOB_ID": "4711", "SLURM_CLUSTER_NAME": "north"}, "slurm-north-4711"),
    ({"PBS_JOBID": "12.server"}, "pbs-12.server"),
    ({"LSB_JOBID": "12", "LSB_JOBINDEX": "0"}, "lsf-12"),
    ({"LSB_JOBID": "12", "LSB_JOBINDEX": "3"}, "lsf-12-3"),
    ({"JOB_ID": "12", "SGE_TASK_ID": "undefined"}, "sge-12"),
    ({"JOB_ID": "12", "SGE_TASK_ID": "3"}, "sge-12-3"),
]


@pytest.mark.parametrize(("ids", "run_id"), JOBS)
def test_a_job_is_known_by_what_stays_when_it_is_put_back_into_the_queue(monkeypatch, ids, run_id):
    monkeypatch.setattr(config, "job_ids", lambda: ids)
    assert identity.resumable_id("auto") == run_id == keys.check_run_id(run_id)
    named = identity.resumable_id("auto", "Evaluation 2")
    assert re.fullmatch(re.escape(run_id.replace("_", "-").replace(".", "-")) + "-evaluation-2-[0-9a-f]{16}", named)
    assert named == identity.resumable_id("auto", "Evaluation 2") == keys.check_run_id(named)


@pytest.mark.parametrize(
    "ids", [{"PBS_JOBID": "12[3].server", "PBS_ARRAY_INDEX": "3"}, {"SLURM_JOB_ID": "1", "SLURM_CLUSTER_NAME": "Nörd"}]
)
def test_a_job_whose_name_no_folder_may_have_gets_an_id_that_resembles_it(monkeypatch, ids):
    monkeypatch.setattr(config, "job_ids", lambda: ids)
    run_id = identity.resumable_id("auto")
    assert re.fullmatch("pbs-12-3-server-3-[0-9a-f]{16}|slurm-n-rd-1-[0-9a-f]{16}", run_id)
    assert keys.check_run_id(run_id) == run_id


@pytest.mark.parametrize("ids", [{}, {"SLURM_RESTART_COUNT": "1"}, {"SLURM_JOB_ID": ""}, {"PBS_ARRAY_INDEX": "1"}])
def test_where_there_is_no_job_auto_is_a_new_run(monkeypatch, ids):
    monkeypatch.setattr(config, "job_ids", lambda: ids)
    assert identity.resumable_id("auto") is None
    assert identity.resumable_id("auto", "name") is None


def test_no_resume_is_a_new_run():
    assert identity.resumable_id(None, "name") is None


@pytest.mark.parametrize("name", ["baseline", "run-7", "a", "x" * 128, "v1.0_b", "0" * 32, "brave-otter-417", "auto2"])
def test_a_plain_name_is_the_id(name):
    assert identity.resumable_id(name) == identity.resumable_id(name, "any") == name


AWKWARD = [
    "Baseline", "BASELINE", "a b", "a/b", "a\\b", "a-b ", " a-b", "../x", ".hidden", "-rf", "nul", "NUL.txt",
    "con", "params", "meta.yaml", "x.", "模型", "模", "é", "e\u0301", "\ud800", "\0", "x" * 129, "x" * 130,
    "X" * 128, "slurm-4711", "pbs-1", "lsf-1", "sge-1", "a-0123456789abcdef", "a-b-0123456789abcdef", "a\nb",
    "AUTO", "Auto", "🙂", "~", "a%2Fb", "a:b", "ß", "SS",
]  # fmt: skip


@pytest.mark.parametrize("name", AWKWARD)
def test_any_other_name_gives_a_legal_id_on_every_disk(name):
    run_id = identity.resumable_id(name)
    assert run_id == identity.resumable_id(name)
    assert keys.check_run_id(run_id) == run_id == run_id.lower()
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,101}-[0-9a-f]{16}", run_id)


def test_two_names_or_jobs_never_give_the_same_id(monkeypatch):
    ids = []
    for job, _ in JOBS[1:]:
        monkeypatch.setattr(config, "job_ids", lambda job=job: job)
        ids += [
            identity.resumable_id("auto", name) for name in (None, "", "x", "1", "4711", "_2", "a b", "a-b", "A-b", 5)
        ]
    names = {*AWKWARD, "baseline", "a-b", "x", "b", "run", *ids, *map(identity.resumable_id, AWKWARD)}
    ids += map(identity.resumable_id, names)
    assert len({each.casefold() for each in ids}) == len(ids) > 250


@pytest.mark.parametrize("resume", ["", 5, True, False, b"auto", ["auto"], 0])
def test_what_is_no_name_is_refused_with_what_to_give(resume):
    with pytest.raises(InvalidValueError, match="resume must be 'auto'"):
        identity.resumable_id(resume)
