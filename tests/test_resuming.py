"""Which run goes on when the same is asked for again."""

import re

import pytest

from mini_mlflow import InvalidValueError, config, keys, resuming

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
    assert resuming.resumable_id("auto") == run_id == keys.check_run_id(run_id)
    named = resuming.resumable_id("auto", "Evaluation 2")
    assert re.fullmatch(re.escape(run_id.replace("_", "-").replace(".", "-")) + "-evaluation-2-[0-9a-f]{16}", named)
    assert named == resuming.resumable_id("auto", "Evaluation 2") == keys.check_run_id(named)


@pytest.mark.parametrize(
    "ids", [{"PBS_JOBID": "12[3].server", "PBS_ARRAY_INDEX": "3"}, {"SLURM_JOB_ID": "1", "SLURM_CLUSTER_NAME": "Nörd"}]
)
def test_a_job_whose_name_no_folder_may_have_gets_an_id_that_resembles_it(monkeypatch, ids):
    monkeypatch.setattr(config, "job_ids", lambda: ids)
    run_id = resuming.resumable_id("auto")
    assert re.fullmatch("pbs-12-3-server-3-[0-9a-f]{16}|slurm-n-rd-1-[0-9a-f]{16}", run_id)
    assert keys.check_run_id(run_id) == run_id


@pytest.mark.parametrize("ids", [{}, {"SLURM_RESTART_COUNT": "1"}, {"SLURM_JOB_ID": ""}, {"PBS_ARRAY_INDEX": "1"}])
def test_where_there_is_no_job_auto_is_a_new_run(monkeypatch, ids):
    monkeypatch.setattr(config, "job_ids", lambda: ids)
    assert resuming.resumable_id("auto") is None
    assert resuming.resumable_id("auto", "name") is None


def test_no_resume_is_a_new_run():
    assert resuming.resumable_id(None, "name") is None


@pytest.mark.parametrize("name", ["baseline", "run-7", "a", "x" * 128, "v1.0_b", "0" * 32, "brave-otter-417", "auto2"])
def test_a_plain_name_is_the_id(name):
    assert resuming.resumable_id(name) == resuming.resumable_id(name, "any") == name


AWKWARD = [
    "Baseline", "BASELINE", "a b", "a/b", "a\\b", "a-b ", " a-b", "../x", ".hidden", "-rf", "nul", "NUL.txt",
    "con", "params", "meta.yaml", "x.", "模型", "模", "é", "e\u0301", "\ud800", "\0", "x" * 129, "x" * 130,
    "X" * 128, "slurm-4711", "pbs-1", "lsf-1", "sge-1", "a-0123456789abcdef", "a-b-0123456789abcdef", "a\nb",
    "AUTO", "Auto", "🙂", "~", "a%2Fb", "a:b", "ß", "SS",
]  # fmt: skip


@pytest.mark.parametrize("name", AWKWARD)
def test_any_other_name_gives_a_legal_id_on_every_disk(name):
    run_id = resuming.resumable_id(name)
    assert run_id == resuming.resumable_id(name)
    assert keys.check_run_id(run_id) == run_id == run_id.lower()
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,101}-[0-9a-f]{16}", run_id)


def test_two_names_or_jobs_never_give_the_same_id(monkeypatch):
    ids = []
    for job, _ in JOBS[1:]:
        monkeypatch.setattr(config, "job_ids", lambda job=job: job)
        ids += [
            resuming.resumable_id("auto", name) for name in (None, "", "x", "1", "4711", "_2", "a b", "a-b", "A-b", 5)
        ]
    names = {*AWKWARD, "baseline", "a-b", "x", "b", "run", *ids, *map(resuming.resumable_id, AWKWARD)}
    ids += map(resuming.resumable_id, names)
    assert len({each.casefold() for each in ids}) == len(ids) > 250


@pytest.mark.parametrize("resume", ["", 5, True, False, b"auto", ["auto"], 0])
def test_what_is_no_name_is_refused_with_what_to_give(resume):
    with pytest.raises(InvalidValueError, match="resume must be 'auto'"):
        resuming.resumable_id(resume)
