"""Does a job that a scheduler puts back into the queue go on with its run: resume="auto", and steps logged again?"""

import importlib.util
import os
import signal
import sys

import pytest

from mini_mlflow.store import folders, metric_file, owner, reader
from mini_mlflow.summary import latest_per_step

_path = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "store", "forged_owners.py")
_spec = importlib.util.spec_from_file_location("forged_owners", _path)
forged_owners = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(forged_owners)

TRAIN = """
import os, sys
from mini_mlflow import start_run
first, last = int(sys.argv[2]), int(sys.argv[3])
run = start_run(resume=sys.argv[4], run_name="train", runs_dir=sys.argv[1])
for step in range(first, last):
    run.log_metric("loss", step + 0.1 * run.resume_count, step=step)
print(run.run_id, run.resume_count, flush=True)
if sys.stdin.readline() == "die\\n":
    os.kill(os.getpid(), 9)
run.end()
"""


@pytest.fixture(autouse=True)
def job(monkeypatch):
    """What Slurm says to the job; ``job(SLURM_RESTART_COUNT=1)`` says more."""
    for name in list(os.environ):
        if name.startswith(("SLURM_", "PBS_", "LSB_")) or name in ("JOB_ID", "SGE_TASK_ID"):
            monkeypatch.delenv(name)

    def say(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, str(value))

    say(SLURM_JOB_ID=4711, SLURM_JOB_NAME="train")
    return say


@pytest.fixture
def attempt(script, store):
    """Let one attempt of a job log some steps; returns its run's id and resume count."""

    def run(first, last, order="end\n", resume="auto"):
        process = script(TRAIN, store, str(first), str(last), resume)
        answer = process.stdout.readline().split()
        _, errors = process.communicate(order, timeout=60)
        assert errors == ""
        assert process.returncode == (-signal.SIGKILL if order == "die\n" else 0)
        return answer[0], int(answer[1])

    return run


def status(store, run_id):
    record = reader.read_run(store, 0, run_id)
    assert record.problems == []
    return record.metadata["status"]


def rows_of(store, run_id):
    """Return every row, and the view that has one for each step."""
    folder = os.path.join(store, "0", run_id)
    parts = [
        (owner.read_owner(part.folder).generation, metric_file.read_history(path).rows)
        for part in folders.list_parts(folder)
        for path in folders.find_documents(part.folder, "metrics", "loss")
    ]
    everything = [(row.step, row.value) for row in reader.read_history(folder, "loss", [])]
    return everything, [(row.step, row.value) for row in latest_per_step(parts)]


def move_elsewhere(store, run_id):
    """Let the owner of a run look like one of another machine that gave a sign of life just now."""
    forged_owners.forge(os.path.join(store, "0", run_id), boot_id=forged_owners.FOREIGN_BOOT)


@pytest.mark.parametrize("place", ["here", "elsewhere"])
def test_a_job_that_was_killed_and_put_back_goes_on_with_its_run(attempt, job, store, place):
    """Rules L1, W5 and W6: Slurm ends an attempt before the next; its last sign of life counts for nothing."""
    run_id, count = attempt(0, 10, "die\n")
    assert count == 0
    assert status(store, run_id) == "LOST"
    if place == "elsewhere":
        move_elsewhere(store, run_id)
    job(SLURM_RESTART_COUNT=1)
    assert attempt(5, 12) == (run_id, 1)
    assert status(store, run_id) == "FINISHED"
    assert os.listdir(os.path.join(store, "0")).count(run_id) == 1
    everything, view = rows_of(store, run_id)
    again = [(step, step + 0.1) for step in range(5, 12)]
    assert sorted(everything) == sorted([(step, float(step)) for step in range(10)] + again)
    assert view == [(step, float(step)) for step in range(5)] + again
    assert os.path.exists(os.path.join(store, "0", run_id, "writers")) == (place == "elsewhere")


def test_the_third_attempt_counts_above_the_second(attempt, job, store):
    """Rule W6."""
    run_id = attempt(0, 8, "die\n")[0]
    move_elsewhere(store, run_id)
    job(SLURM_RESTART_COUNT=1)
    attempt(4, 8, "die\n")
    job(SLURM_RESTART_COUNT=2)
    assert attempt(2, 6) == (run_id, 2)
    everything, view = rows_of(store, run_id)
    assert len(everything) == 8 + 4 + 4
    assert view == [(0, 0.0), (1, 1.0), (2, 2.2), (3, 3.2), (4, 4.2), (5, 5.2), (6, 6.1), (7, 7.1)]
    assert status(store, run_id) == "FINISHED"


def test_an_attempt_that_slurm_terminated_is_continued_too(script, attempt, job, store):
    process = script(TRAIN, store, "0", "3", "auto")
    run_id = process.stdout.readline().split()[0]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert status(store, run_id) == "KILLED"
    job(SLURM_RESTART_COUNT=1)
    assert attempt(2, 4) == (run_id, 1)
    assert status(store, run_id) == "FINISHED"


@pytest.mark.parametrize("place", ["here", "elsewhere"])
def test_while_an_attempt_lives_others_of_the_job_join_it(script, attempt, store, place):
    """Rule W7: so the ranks of a job on other nodes do."""
    process = script(TRAIN, store, "0", "3", "auto")
    run_id = process.stdout.readline().split()[0]
    if place == "elsewhere":
        move_elsewhere(store, run_id)
    assert attempt(3, 5)[0] == run_id
    assert status(store, run_id) == "RUNNING"
    process.communicate("end\n", timeout=60)


def test_another_job_another_task_and_another_name_have_other_runs(attempt, job):
    found = [attempt(0, 1)[0]]
    job(SLURM_ARRAY_JOB_ID=4711, SLURM_ARRAY_TASK_ID=1)
    found.append(attempt(0, 1)[0])
    job(SLURM_ARRAY_TASK_ID=2)
    found.append(attempt(0, 1)[0])
    job(SLURM_ARRAY_JOB_ID="", SLURM_JOB_ID=4712)
    found.append(attempt(0, 1)[0])
    found.append(attempt(0, 1, resume="mine")[0])
    assert len(set(found)) == 5


def test_a_name_of_the_users_continues_its_run_without_any_scheduler(attempt, monkeypatch, store):
    monkeypatch.delenv("SLURM_JOB_ID")
    assert attempt(0, 4, "die\n", resume="baseline") == ("baseline", 0)
    assert attempt(2, 6, resume="baseline") == ("baseline", 1)
    assert attempt(6, 7, resume="baseline") == ("baseline", 2)
    assert rows_of(store, "baseline")[1] == [(0, 0.0), (1, 1.0), (2, 2.1), (3, 3.1), (4, 4.1), (5, 5.1), (6, 6.2)]


def test_outside_of_a_scheduler_auto_is_a_new_run_each_time(attempt, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID")
    assert attempt(0, 1)[0] != attempt(0, 1)[0]


RANK = """
import sys
from mini_mlflow import start_run
sys.stdin.readline()
run = start_run(resume="auto", runs_dir=sys.argv[1])
run.log_metric("loss", float(sys.argv[2]), step=int(sys.argv[2]))
print(run.run_id, run.resume_count, bool(run.writer.meta_folder), flush=True)
sys.stdin.readline()
run.end()
"""


def let_ranks_start(script, store):
    """Let 8 ranks of a job start the run at once; returns ids, resume counts and how many of them own the run."""
    ranks = [script(RANK, store, str(number)) for number in range(8)]
    for rank in ranks:
        rank.stdin.write("start\n")
        rank.stdin.flush()
    answers = [rank.stdout.readline().split() for rank in ranks]
    for rank in ranks:
        assert rank.communicate("end\n", timeout=60)[1] == ""
    ids, counts, owners = zip(*answers)
    return set(ids), set(counts), owners.count("True")


@pytest.mark.parametrize("place", ["here", "elsewhere"])
def test_of_the_ranks_of_a_job_that_start_together_one_owns_the_run_and_the_others_join(script, store, job, place):
    """Rules W2 and W7. In the next attempt several may find the run without an owner at the same moment (rule W6)."""
    assert let_ranks_start(script, store) == ({"slurm-4711"}, {"0"}, 1)
    assert status(store, "slurm-4711") == "FINISHED"
    if place == "elsewhere":
        move_elsewhere(store, "slurm-4711")
    job(SLURM_RESTART_COUNT=1)
    ids, counts, owners = let_ranks_start(script, store)
    assert ids == {"slurm-4711"}
    assert counts == {"1"}
    assert owners == 1
    assert status(store, "slurm-4711") == "FINISHED"
    assert len(rows_of(store, "slurm-4711")[0]) == 16


@pytest.mark.skipif(sys.platform != "linux", reason="a run killed elsewhere is known by its lock on Linux alone")
def test_a_run_that_was_killed_elsewhere_outside_of_a_scheduler_is_joined_until_it_is_silent(
    attempt, monkeypatch, store
):
    """Rule L3: nothing but ten minutes of silence tells that it is gone."""
    monkeypatch.delenv("SLURM_JOB_ID")
    attempt(0, 4, "die\n", resume="baseline")
    folder = os.path.join(store, "0", "baseline")
    forged_owners.forge(folder, boot_id=forged_owners.FOREIGN_BOOT, age_s=1)
    assert attempt(4, 5, resume="baseline") == ("baseline", 0)
    forged_owners.forge(folder, age_s=700)
    assert attempt(4, 5, resume="baseline") == ("baseline", 1)
    assert status(store, "baseline") == "FINISHED"
