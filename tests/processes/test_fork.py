"""What a forked child does to its parent's run: nothing, whatever the child does."""

import json
import os
import threading

import pytest

from mini_mlflow import Run, active_run, log_metric, start_run
from mini_mlflow.store import locks, reader
from mini_mlflow.tracker import _set_active_run


@pytest.fixture
def run(store):
    run = Run(run_id="r", runs_dir=store)
    run.log_param("lr", 0.5)
    for step in range(200):
        run.log_metric("loss", float(step))
    yield run
    if run.status == "RUNNING":
        run.end()


def folder_of(run):
    return os.path.join(run.runs_dir, "0", run.run_id)


def main_files(run):
    """Return inode, times and bytes of the run's own files."""
    found = {}
    for folder, folders, names in os.walk(folder_of(run)):
        if "writers" in folders:
            folders.remove("writers")
        for name in names:
            path = os.path.join(folder, name)
            state = os.stat(path)
            with open(path, "rb") as file:
                found[path] = state.st_ino, state.st_mtime_ns, file.read()
    return found


def in_child(work):
    """Do *work* in a forked child; returns its exit status."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1]


def share_of(run):
    (name,) = os.listdir(os.path.join(folder_of(run), "writers"))
    return os.path.join(folder_of(run), "writers", name)


def log_a_little(run):
    for step in range(200):
        run.log_metric("loss", -float(step))
    run.log_param("lr", 99)


@pytest.mark.parametrize(
    "work",
    [
        lambda run: None,
        log_a_little,
        lambda run: run.end(),
        lambda run: (log_a_little(run), run.end("FAILED")),
        lambda run: (log_a_little(run), run.__del__()),
    ],
    ids=["does nothing", "logs", "ends the run", "logs and ends", "logs and drops it"],
)
def test_h16_a_child_leaves_its_parents_files_byte_for_byte(run, work):
    """Rule W10."""
    before = main_files(run)
    assert in_child(lambda: work(run)) == 0
    assert main_files(run) == before
    assert run.status == "RUNNING"
    assert reader.read_run(run.runs_dir, 0, "r").metadata["status"] == "RUNNING"
    run.log_metric("loss", 200.0)
    run.end()
    with open(os.path.join(folder_of(run), "metrics", "loss.json"), encoding="utf-8") as file:
        assert [row[2] for row in json.load(file)["history"]] == [float(step) for step in range(201)]
    assert reader.read_run(run.runs_dir, 0, "r").metadata["status"] == "FINISHED"


def test_a_child_logs_as_a_joiner_that_counts_its_own_steps(run):
    """Rules W7, W9 and W10."""
    assert in_child(lambda: log_a_little(run)) == 0
    rows = reader.read_history(folder_of(run), "loss", [])
    assert len(rows) == 400
    assert [row.step for row in rows if row.value < 0] == list(range(1, 200))
    assert sorted(os.listdir(share_of(run))) == ["metrics", "owner.json", "params"]


def test_a_child_that_logs_nothing_leaves_nothing(run):
    """Rule W7: made when its first value comes."""
    assert in_child(run.end) == 0
    assert not os.path.exists(os.path.join(folder_of(run), "writers"))


def test_a_child_keeps_the_active_run_of_the_thread_that_forked(store):
    run = start_run(run_id="r", runs_dir=store)
    try:
        assert in_child(lambda: log_metric("loss", float(active_run() is run))) == 0
        assert [row.value for row in reader.read_history(folder_of(run), "loss", [])] == [1.0]
    finally:
        _set_active_run(None)
        run.end()


def test_a_child_of_a_child_logs_too(run):
    """Rule W10."""

    def live():
        run.log_metric("loss", -1.0)
        assert in_child(lambda: run.log_metric("loss", -2.0)) == 0
        run.log_metric("loss", -3.0)

    assert in_child(live) == 0
    assert len(os.listdir(os.path.join(folder_of(run), "writers"))) == 2
    rows = reader.read_history(folder_of(run), "loss", [])
    assert [row.value for row in rows if row.value < 0] == [-1.0, -2.0, -3.0]


def test_a_child_does_not_keep_its_parents_run_alive(store, script):
    """Rule W10: it closes its copies, and the lock goes with the parent."""
    process = script(
        """
        import os, sys, time
        from mini_mlflow import Run
        run = Run(run_id="r", runs_dir=sys.argv[1])
        run.log_metric("loss", 1.0)
        if not os.fork():
            run.log_metric("loss", 2.0)
            print("ready", flush=True)
            sys.stdin.read()
            os._exit(0)
        os.kill(os.getpid(), 9)
        """,
        store,
    )
    assert process.stdout.readline() == "ready\n"
    process.wait()
    folder = os.path.join(store, "0", "r")
    descriptor = os.open(os.path.join(folder, "owner.json"), os.O_RDWR)
    assert locks.try_lock(descriptor) is True
    os.close(descriptor)
    assert reader.read_run(store, 0, "r").metadata["status"] == "LOST"
    heir = Run(run_id="r", runs_dir=store)
    assert heir.writer.meta_folder.startswith(os.path.join(folder, "writers"))  # above the child's share (rule W5)
    heir.end()
    assert reader.read_run(store, 0, "r").metadata["status"] == "FINISHED"
    process.communicate()


def test_a_child_may_fork_while_threads_log(run):
    """Attack H16: the locks of threads that the child does not have hold it up nowhere."""
    stop = threading.Event()
    counts = [0] * 4

    def log(number):
        while not stop.is_set():
            run.log_metric("metric %d" % number, float(counts[number]))
            counts[number] += 1

    threads = [threading.Thread(target=log, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads, which is what is tested
            for number in range(40):
                assert in_child(lambda number=number: log_from_child(run, number)) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    run.end()
    for number in range(4):
        with open(os.path.join(folder_of(run), "metrics", "metric %d.json" % number), encoding="utf-8") as file:
            assert [row[2] for row in json.load(file)["history"]] == [float(n) for n in range(counts[number])]
    rows = reader.read_history(folder_of(run), "child", [])
    assert sorted(row.value for row in rows) == sorted(float(n) for number in range(40) for n in (number, number))


def log_from_child(run, number):
    run.log_metric("child", float(number))
    run.log_metric("child", float(number))
    if number % 2:
        run.end()


ENDINGS = {
    "normal": "pass",
    "os._exit": "os._exit(0)",
    "sys.exit": "sys.exit(0)",
    "exception": "os.close(2); raise ValueError",
    "SIGKILL": "os.kill(os.getpid(), 9)",
    "SIGTERM": "os.kill(os.getpid(), 15)",
}


@pytest.mark.parametrize("ending", sorted(ENDINGS))
def test_h16_however_a_child_ends_its_parents_run_goes_on(store, script, ending):
    """Rule W10."""
    process = script(
        """
        import os, sys
        from mini_mlflow import Run
        run = Run(run_id="r", runs_dir=sys.argv[1])
        run.log_metric("loss", 1.0)
        pid = os.fork()
        if not pid:
            run.log_metric("loss", 2.0)
            %s
            sys.exit(0)
        os.waitpid(pid, 0)
        print(run.status, flush=True)
        sys.stdin.readline()
        run.log_metric("loss", 3.0)
        run.end("KILLED")
        """
        % ENDINGS[ending],
        store,
    )
    assert process.stdout.readline() == "RUNNING\n"
    assert reader.read_run(store, 0, "r").metadata["status"] == "RUNNING"
    assert process.communicate("go on\n") == ("", "")
    assert process.returncode == 0
    record = reader.read_run(store, 0, "r")
    assert (record.metadata["status"], record.problems) == ("KILLED", [])
    rows = reader.read_history(os.path.join(store, "0", "r"), "loss", [])
    assert sorted(row.value for row in rows) == [1.0, 2.0, 3.0]
