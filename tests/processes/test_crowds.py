"""Many processes and threads into one store, one run, one metric; and a reader in the middle of it."""

import json
import multiprocessing
import os
import threading
from collections import Counter

import pytest

from mini_mlflow import ExperimentTracker, Run, RunEndedError, end_run, log_metric, start_run
from mini_mlflow.store import experiments, reader

PROCESSES, THREADS = 8, 8
VALUES = 10000 if os.environ.get("FAULTS") == "all" else 400


def value_from(number, thread, value):
    """Return a number that tells who logged it, and when."""
    return float((number * THREADS + thread) * VALUES + value)


def log_from_threads(run, number):
    """Log different values from several threads into one metric."""

    def log(thread):
        for value in range(VALUES):
            run.log_metric("loss", value_from(number, thread, value))

    threads = [threading.Thread(target=log, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def check_that_all_is_there(store, run_id, processes=PROCESSES):
    rows = reader.get_history(os.path.join(store, "0", run_id), run_id, "loss")
    wanted = [
        value_from(number, thread, value)
        for number in range(processes)
        for thread in range(THREADS)
        for value in range(VALUES)
    ]
    assert sorted(row.value for row in rows) == wanted
    for folder, _, names in os.walk(os.path.join(store, "0", run_id, "")):
        for name in names:
            if name == "loss.json":
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    json.load(file)


def work_on_a_pickled_run(run, number):
    log_from_threads(run, number)
    run.end()


@pytest.mark.long
def test_64_processes_that_start_together_in_an_empty_folder_have_a_run_each(together, store):
    """Rules D1, E2 and E4."""

    def live(number):
        with ExperimentTracker(runs_dir=store).start_run(run_name="n%d" % number) as run:
            log_metric("loss", float(number))
        return run.run_id

    ids = together(64, live)
    tracker = ExperimentTracker(runs_dir=store)
    assert len(set(ids)) == 64
    assert sorted(tracker.list_runs()) == sorted(ids)
    for number, run_id in enumerate(ids):
        found = tracker.get_run(run_id)
        assert (found["metadata"]["status"], found["metadata"]["name"]) == ("FINISHED", "n%d" % number)
        assert found["metrics"] == {"loss": number}
        assert not os.path.exists(os.path.join(store, "0", run_id, "writers"))


@pytest.mark.long
def test_64_processes_that_start_together_in_an_empty_folder_share_a_run_of_one_id(together, store):
    """Rules W2, W6 and W7."""
    kept = []

    def live(number):
        kept.append(start_run(run_id="shared", runs_dir=store))
        log_metric("loss", float(number), step=number)
        return bool(kept[0].writer.meta_folder)

    assert sum(together(64, live)) == 1
    rows = reader.get_history(os.path.join(store, "0", "shared"), "shared", "loss")
    assert [(row.step, row.value) for row in rows] == [(number, float(number)) for number in range(64)]
    assert len(os.listdir(os.path.join(store, "0", "shared", "writers"))) == 63


@pytest.mark.long
def test_64_processes_that_name_one_experiment_together_get_one(together, store):
    """Rule E1."""
    ids = together(64, lambda number: experiments.create(store, "digits", 1).experiment_id)
    assert len(set(ids)) == 1
    assert os.listdir(store) == [str(ids[0])]


def test_8_processes_of_8_threads_into_one_run_and_one_metric(together, store):
    """Rules W1, W7 and W8."""
    creator = Run(run_id="r", runs_dir=store)

    def live(number):
        run = Run(run_id="r", runs_dir=store)
        log_from_threads(run, number)
        run.end()

    together(PROCESSES, live)
    creator.end()
    check_that_all_is_there(store, "r")


def test_8_forked_processes_of_8_threads_go_on_with_the_run_of_their_parent(together, store):
    """Rule W10."""
    run = Run(run_id="r", runs_dir=store)
    together(PROCESSES, lambda number: log_from_threads(run, number))
    assert len(os.listdir(os.path.join(store, "0", "r", "writers"))) == PROCESSES
    run.end()
    check_that_all_is_there(store, "r")


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_run_that_is_handed_to_processes_of_multiprocessing(store, method):
    """Rules W7 and W10: pickled, or inherited."""
    context = multiprocessing.get_context(method)
    run = Run(run_id="r", runs_dir=store)
    processes = [context.Process(target=work_on_a_pickled_run, args=(run, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert run.status == "RUNNING"
    assert reader.read_run(store, 0, "r").metadata["status"] == "RUNNING"
    run.end()
    assert reader.read_run(store, 0, "r").metadata["status"] == "FINISHED"
    check_that_all_is_there(store, "r", processes=4)


def test_threads_of_one_process_have_runs_of_their_own(store):
    def live(number):
        start_run(run_id="t%d" % number, runs_dir=store)
        for step in range(400):
            log_metric("loss", float(number * 1000 + step))
        end_run()

    threads = [threading.Thread(target=live, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(8):
        rows = reader.get_history(os.path.join(store, "0", "t%d" % number), "", "loss")
        assert [row.value for row in rows] == [float(number * 1000 + step) for step in range(400)]


def test_threads_that_outlive_the_run_are_told_and_lose_nothing_that_was_acknowledged(store):
    """Rule P1: whoever logs after the end gets RunEndedError, and nothing else."""
    run = Run(run_id="r", runs_dir=store)
    done, surprises = [0] * THREADS, []
    are_under_way = threading.Barrier(THREADS + 1)

    def log(thread):
        try:
            for value in range(10**7):
                run.log_metric("loss", float(thread * 10**7 + value), step=value)
                run.log_metric("t%d" % thread, value)
                done[thread] = value + 1
                if value == 50:
                    are_under_way.wait(60)
        except RunEndedError:
            return
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shall show it
            surprises.append(error)

    threads = [threading.Thread(target=log, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    are_under_way.wait(60)
    run.end()
    for thread in threads:
        thread.join()
    assert surprises == []
    assert reader.read_run(store, 0, "r").metadata["status"] == "FINISHED"
    folder = os.path.join(store, "0", "r")
    there = {row.value for row in reader.get_history(folder, "r", "loss")}
    for thread in range(THREADS):
        rows = reader.get_history(folder, "r", "t%d" % thread)
        assert [row.value for row in rows] == list(range(len(rows)))
        assert done[thread] <= len(rows) <= done[thread] + 1
        assert there >= {float(thread * 10**7 + value) for value in range(done[thread])}


STEPS = 250  # more than two pages


def value_of(step):
    return [step * 0.1, float(step), 1.0 / (step + 1)][step % 3]


@pytest.mark.long
def test_a_reader_in_the_middle_of_it_sees_correct_prefixes_and_no_error(together, store):
    """Rules M8, D1, D2 and W8."""
    done = os.path.join(store, "done")

    def live(number):
        if number == 3:
            return read_on(store, done)
        for life in range(3):
            run_id = "run-%d-%d" % (number, life)
            for _ in range(2):
                run = Run(run_id=run_id, runs_dir=store, name="n")
                for step in range(STEPS):
                    run.log_metric("loss", value_of(step), step=step)
                    run.log_param("p%d" % (step % 5), step)
                run.end()
        os.makedirs(os.path.join(done, str(number)))
        return None

    looks, rows = together(4, live)[3]
    assert looks > 10
    assert rows > 100


def read_on(store, done):
    looks = rows_seen = 0
    while True:
        is_over = os.path.isdir(done) and len(os.listdir(done)) == 3
        for run_id in reader.list_run_ids(store, 0):
            folder = os.path.join(store, "0", run_id)
            problems = []
            rows = reader.read_history(folder, "loss", problems)
            assert problems == []
            check_prefix(rows)
            rows_seen += len(rows)
            record = reader.read_run(store, 0, run_id)
            assert record.problems == []
            assert record.metadata["name"] == "n"
            assert record.metadata["status"] in ("RUNNING", "FINISHED", "LOST")
            assert all(0 <= value < STEPS for value in record.params.values())
            if record.metrics:
                assert record.metrics["loss"] in LEGAL
            looks += 1
        if is_over:
            return looks, rows_seen


LEGAL = {value_of(step) for step in range(STEPS)}


def check_prefix(rows):
    """The run was logged once, or once and a part of the second time."""
    steps = [row.step for row in rows]
    once = sorted(set(steps))
    assert once == list(range(len(once)))
    twice = sorted(step for step, count in Counter(steps).items() if count > 1)
    assert twice == list(range(len(twice)))
    assert len(once) == STEPS or not twice
    assert all(row.value == value_of(row.step) for row in rows)
