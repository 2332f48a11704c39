"""What a process keeps while it lives: each thread's active runs, the runs it has opened, the last start time."""

import gc
import os
import signal
import threading
import time

import pytest

from mini_mlflow import Run, active


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    """The state of a fresh process, before and after; the current folder is empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINI_MLFLOW_DIR", raising=False)
    active.reset()
    yield
    for run in active.live_runs():
        if run.status == "RUNNING":
            run.end()
    active.reset()


def test_the_run_pushed_last_is_the_current_one_until_it_ends():
    first, second = Run(), Run()
    assert active.current() is None
    active.push(first)
    active.push(second)
    assert active.current() is second
    second.end()
    assert active.current() is first
    first.end()
    assert active.current() is None


def test_runs_that_ended_below_are_passed_over():
    runs = [Run() for _ in range(3)]
    for run in runs:
        active.push(run)
    runs[0].end()
    runs[1].end()
    assert active.current() is runs[2]
    runs[2].end()
    assert active.current() is None


def test_clearing_leaves_the_runs_running():
    run = Run()
    active.push(run)
    active.clear()
    assert active.current() is None
    assert run.status == "RUNNING"
    assert active.live_runs() == [run]


def test_each_thread_has_a_stack_of_its_own():
    run = Run()
    active.push(run)
    seen = []

    def look():
        seen.append(active.current())
        active.push(run)
        active.clear()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [None]
    assert active.current() is run


def test_a_run_is_known_until_it_ends():
    run, other = Run(), Run()
    assert set(active.live_runs()) == {run, other}
    run.end()
    assert active.live_runs() == [other]


def test_a_run_that_nobody_holds_is_kept_until_it_ends():
    Run(run_id="r").log_metric("loss", 1)
    gc.collect()
    (run,) = active.live_runs()
    assert (run.run_id, run.status) == ("r", "RUNNING")
    run.end()
    del run
    gc.collect()
    assert active.live_runs() == []


def test_of_more_runs_than_are_kept_the_oldest_lives_as_long_as_somebody_holds_it(monkeypatch):
    monkeypatch.setattr(active, "MOST_KEPT", 2)
    held = Run(run_id="a")
    for run_id in "bcde":
        Run(run_id=run_id)
    gc.collect()
    assert [run.run_id for run in active.live_runs()] == ["a", "d", "e"]
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    del held
    gc.collect()
    assert [run.run_id for run in active.live_runs()] == ["d", "e"]
    if before is not None:
        assert len(os.listdir("/proc/self/fd")) < before


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer signals")
def test_a_signal_handler_may_start_and_end_runs_while_the_main_thread_is_inside():
    ended = []

    def answer(number, frame):
        assert active._process.lock.acquire(timeout=10)
        active._process.lock.release()
        with Run() as run:
            run.log_metric("loss", 1)
        ended.append(run.status)

    before = signal.signal(signal.SIGALRM, answer)
    try:
        with active._process.lock:  # as in the middle of ``register``
            os.kill(os.getpid(), signal.SIGALRM)
            deadline = time.monotonic() + 60
            while not ended:
                assert time.monotonic() < deadline
    finally:
        signal.signal(signal.SIGALRM, before)
    assert ended == ["FINISHED"]


def test_no_two_runs_get_one_start_time_even_if_the_clock_stands_or_goes_back(monkeypatch):
    """Rule S6."""
    times = iter([10.0, 10.0, 9.0, 10.000001, 11.0])
    monkeypatch.setattr(active, "time", lambda: next(times))
    assert [active.next_start_us() for _ in range(5)] == [10000000, 10000001, 10000002, 10000003, 11000000]


def test_a_reset_forgets_all_of_it():
    run = Run()
    active.push(run)
    pool = active.pool()
    active.reset()
    assert active.current() is None
    assert active.live_runs() == []
    assert active.pool() is not pool
    run.end()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_has_a_pool_of_its_own_and_its_active_run_goes_on():
    """Rule W10."""
    run = Run(run_id="r")
    active.push(run)
    run.log_metric("loss", 1)
    parents = active.pool()
    child = os.fork()
    if child == 0:
        try:
            assert active.current() is run
            assert active.pool() is not parents
            run.log_metric("loss", 2)
            run.end("FAILED")
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert run.status == "RUNNING"
    run.log_metric("loss", 3)
    assert sorted(row.value for row in run.history("loss")) == [1, 2, 3]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_h16_a_lock_that_another_thread_held_at_the_fork_does_not_stop_the_child():
    run = Run(run_id="r")
    held, may_go = threading.Event(), threading.Event()

    def hold():
        with active._process.lock, run.writer.lock:
            held.set()
            may_go.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # a child that waits for the lock in vain dies of this
        try:
            run.log_metric("loss", 2)
            Run(run_id="child").end()
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    may_go.set()
    thread.join()
    assert status == 0
