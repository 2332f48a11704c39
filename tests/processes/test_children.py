"""How do the runs of child processes end, and what do children do to their parent's: multiprocessing, pools, exec."""

import os
import sys

import pytest

from mini_mlflow.store import reader

METHODS = ["fork", "spawn", "forkserver"]
HEAD = """
import concurrent.futures, multiprocessing, os, signal, sys, time, warnings
from mini_mlflow import Run, log_metric, start_run
warnings.filterwarnings("ignore", category=DeprecationWarning)  # of forks beside the threads of pools
store = sys.argv[1]
"""
MAIN = """
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[2])
    def start(target, *arguments):
        process = context.Process(target=target, args=arguments)
        process.start()
        return process
"""


@pytest.fixture
def play(script, store):
    """Run a script: functions, and what its main part does; returns what it printed."""

    def run(functions, main, method="fork"):
        process = script(HEAD + functions + MAIN + main, store, method)
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        return output.split()

    return run


def status(store, run_id):
    record = reader.read_run(store, 0, run_id)
    assert record.problems == []
    return record.metadata["status"]


def values(store, run_id, key="loss"):
    return sorted(row.value for row in reader.read_history(os.path.join(store, "0", run_id), key, []))


WORK = """
def work(run_id, how):
    start_run(run_id=run_id, runs_dir=store)
    log_metric("loss", 1.0)
    if how == "error":
        sys.stderr = open(os.devnull, "w")
        raise ValueError
    elif how.startswith("exit"):
        sys.exit(int(how[4:]))
    elif how == "os._exit":
        os._exit(0)
    elif how == "wait":
        time.sleep(60)
"""
ENDINGS = {"return": "FINISHED", "error": "FAILED", "exit0": "FINISHED", "exit3": "FAILED", "os._exit": "LOST"}


@pytest.mark.parametrize("method", METHODS)
def test_a_run_that_a_process_of_multiprocessing_started_ends_as_that_process_does(play, store, method):
    """Such a process leaves without atexit where it is forked, and prints its error itself."""
    main = "    for each in [start(work, how, how) for how in %r]:\n        each.join()\n" % sorted(ENDINGS)
    play(WORK, main, method)
    assert {how: status(store, how) for how in ENDINGS} == ENDINGS


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_process_of_multiprocessing_that_is_terminated_ends_its_run_as_killed(play, store, method):
    main = """
    terminated, killed = start(work, "terminated", "wait"), start(work, "killed", "wait")
    while not all(os.path.exists(os.path.join(store, "0", name, "metrics", "loss.json")) for name in
                  ("terminated", "killed")):
        time.sleep(0.01)
    terminated.terminate()
    killed.kill()
    for each in (terminated, killed):
        each.join()
        print(each.exitcode)
"""
    assert play(WORK, main, method) == ["-15", "-9"]
    assert (status(store, "terminated"), status(store, "killed")) == ("KILLED", "LOST")


@pytest.mark.parametrize("method", METHODS)
def test_children_that_begin_before_the_run_or_after_it_leave_their_parents_run_alone(play, store, method):
    """Rule W10, however they end."""
    functions = """
def work(run, how):
    if run is not None:
        run.log_metric("loss", 2.0)
    if how == "error":
        sys.stderr = open(os.devnull, "w")
        raise ValueError
    if how == "end":
        run.end("FAILED")
    if how == "os._exit":
        os._exit(1)
"""
    main = """
    early = [start(work, None, "return")]
    run = start_run(run_id="r", runs_dir=store)
    for each in early + [start(work, run, how) for how in ("return", "error", "end", "os._exit")]:
        each.join()
    print(run.status)
    run.log_metric("loss", 1.0)
    sys.exit(0)
"""
    assert play(functions, main, method) == ["RUNNING"]
    assert status(store, "r") == "FINISHED"
    assert values(store, "r") == [1.0, 2.0, 2.0, 2.0, 2.0]


POOLED = """
def work(number):
    with start_run(nested=True, run_id="task-%d" % number, runs_dir=store):
        log_metric("loss", float(number))
    return number
def leave(number):
    start_run(nested=True, run_id="left-%d" % number, runs_dir=store)
    return number
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_tasks_of_a_pool_have_runs_of_their_own_and_none_is_left_running(play, store, method):
    main = """
    run = start_run(run_id="r", runs_dir=store)
    with context.Pool(2) as pool:
        assert pool.map(work, range(4)) == [0, 1, 2, 3]
        pool.close()
        pool.join()
    with context.Pool(1) as pool:
        pool.map(leave, [0])
    with concurrent.futures.ProcessPoolExecutor(1, **({"mp_context": context})) as pool:
        list(pool.map(work, [4]))
        list(pool.map(leave, [1]))
    print(run.status)
"""
    assert play(POOLED, main, method) == ["RUNNING"]
    assert [status(store, "task-%d" % number) for number in range(5)] == ["FINISHED"] * 5
    assert status(store, "left-0") in ("KILLED", "FINISHED")  # the pool's block terminates its workers
    assert status(store, "left-1") == "FINISHED"
    assert status(store, "r") == "FINISHED"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_loaders_workers_log_into_the_run_and_never_end_it(play, store, method):
    """As a DataLoader's: each waits for work, and is terminated where it does not leave by itself."""
    functions = """
class Data:
    def __init__(self, run):
        self.run = run
    def __getitem__(self, index):
        self.run.log_metric("loss", float(index))
        return index
def serve(data, tasks):
    while True:
        index = tasks.recv()
        if index is None:
            return
        tasks.send(data[index])
"""
    main = """
    run = start_run(run_id="r", runs_dir=store)
    for epoch in range(2):
        pipes = [context.Pipe() for _ in range(2)]
        workers = [start(serve, Data(run), theirs) for _, theirs in pipes]
        for index in range(6):
            pipes[index % 2][0].send(index)
        assert sorted(pipes[index % 2][0].recv() for index in range(6)) == list(range(6))
        workers[0].terminate()
        pipes[1][0].send(None)
        for worker in workers:
            worker.join()
        run.log_metric("epoch", epoch)
    print(run.status)
"""
    assert play(functions, main, method) == ["RUNNING"]
    assert status(store, "r") == "FINISHED"
    assert values(store, "r") == sorted(float(index) for _ in range(2) for index in range(6))
    assert values(store, "r", "epoch") == [0, 1]


def test_a_process_that_becomes_another_program_loses_its_run_at_once(script, store):
    """Rule L1: the lock is not handed on, though the process lives."""
    code = """
run = Run(run_id="r", runs_dir=store)
run.log_metric("loss", 1.0)
if sys.argv[2] == "end":
    run.end()
os.execv(sys.executable, [sys.executable, "-c", "print('ready', flush=True); input()"])
"""
    for how, found in (("leave", "LOST"), ("end", "FINISHED")):
        process = script(HEAD + code, store, how)
        assert process.stdout.readline() == "ready\n"
        assert status(store, "r") == found
        process.communicate("\n", timeout=60)


def test_a_run_that_a_forked_child_started_is_its_own(script, store):
    code = """
parent = Run(run_id="r", runs_dir=store)
child = os.fork()
if not child:
    Run(run_id="child", runs_dir=store).log_metric("loss", 1.0)
    raise ValueError  # and so through atexit
os.waitpid(child, 0)
parent.log_metric("loss", 2.0)
"""
    script(HEAD + code, store).communicate(timeout=60)
    assert (status(store, "child"), status(store, "r")) == ("FAILED", "FINISHED")
    assert (values(store, "child"), values(store, "r")) == ([1.0], [2.0])


def test_starting_logging_and_ending_runs_starts_no_thread_and_so_no_fork_is_warned_of(script, store):
    """On a local disk; on others a thread gives the signs of life (rule L2)."""
    code = """
import threading
warnings.resetwarnings()
warnings.simplefilter("error")
run = start_run(run_id="r", runs_dir=store)
run.log_metric("loss", 1.0)
run.log_param("lr", 0.1)
tasks = os.listdir("/proc/self/task") if os.path.isdir("/proc/self/task") else [0]
print(threading.active_count(), len(tasks))
child = os.fork()
if not child:
    run.log_metric("loss", 2.0)
    os._exit(0)
print(os.waitpid(child, 0)[1])
run.end()
print(threading.active_count())
"""
    if sys.platform != "linux":
        pytest.skip("elsewhere no disk is known to be local")
    output, errors = script(HEAD + code, store).communicate(timeout=60)
    assert (output.split(), errors) == (["1", "1", "0", "1"], "")
