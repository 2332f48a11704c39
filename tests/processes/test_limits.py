"""What does a process log that may open no file, write no more bytes, get no memory, or has lost its current folder?"""

import importlib.util
import json
import os
import signal
import sys

import pytest

from mini_mlflow import ExperimentTracker, Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits and names that it sets are Linux's")
COUNT = 300
ALL = os.environ.get("FAULTS") == "all"


def finish(process):
    """Wait for a script; return the last line it printed as JSON, and what it warned of."""
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return json.loads(output.splitlines()[-1]), errors


LIMITED = """
import json, os, resource, sys, warnings
from mini_mlflow import Run
warnings.simplefilter("always")
kind = getattr(resource, sys.argv[2])
soft, hard = resource.getrlimit(kind)
run = Run(run_id="r", runs_dir=sys.argv[1])
if sys.argv[4] == "late":
    run.log_metric("loss", -1.0)
number = len(os.listdir("/proc/self/fd")) - 1 if sys.argv[3] == "tight" else int(sys.argv[3])
resource.setrlimit(kind, (number, hard))
for step in range(300):
    run.log_metric("loss", float(step))
    run.log_metric("acc", step)
    run.log_param("p%d" % (step % 3), step)
if sys.argv[5] == "back":
    resource.setrlimit(kind, (soft, hard))
    with open(os.devnull) as file:
        pass
run.end()
print(json.dumps(run.status))
"""


def start(script, store, *arguments):
    code = LIMITED.replace("import json", "import warnings; warnings.simplefilter('always')\nimport json", 1)
    return script(code, store, *arguments)


@pytest.mark.parametrize("moment", ["early", "late"])
@pytest.mark.parametrize(("kind", "number"), [("RLIMIT_NOFILE", "tight"), ("RLIMIT_FSIZE", "3000")])
def test_h02_what_a_limit_keeps_from_the_disk_is_written_when_the_limit_is_lifted(script, store, kind, number, moment):
    """Rule P4: too many open files, files too large; SIGXFSZ ends nobody."""
    status, told = finish(start(script, store, kind, number, moment, "back"))
    assert status == "FINISHED"
    assert told.count("Training goes on; values are kept in memory and written when it can be.") <= 1
    assert "could not be written" not in told
    first = [-1.0] if moment == "late" else []
    tracker = ExperimentTracker(runs_dir=store)
    assert [row.value for row in tracker.history("r", "loss")] == first + [float(step) for step in range(COUNT)]
    assert [row.value for row in tracker.history("r", "acc")] == list(range(COUNT))
    assert tracker.get_run("r")["params"] == {"p0": 297, "p1": 298, "p2": 299}


@pytest.mark.parametrize(("kind", "number"), [("RLIMIT_NOFILE", "tight"), ("RLIMIT_FSIZE", "3000")])
def test_h02_what_a_limit_keeps_from_the_disk_to_the_end_is_counted_and_told(script, store, kind, number):
    """Rule P4."""
    status, told = finish(start(script, store, kind, number, "late", "never"))
    assert status == "FINISHED"
    assert told.count("Training goes on; values are kept in memory and written when it can be.") == 1
    tracker = ExperimentTracker(runs_dir=store)
    record = tracker.get_run("r")
    assert "these values could not be written" in told
    for key, logged in (("loss", [-1.0] + [float(step) for step in range(COUNT)]), ("acc", list(range(COUNT)))):
        there = [row.value for row in tracker.history("r", key)] if key in record["metrics"] else []
        assert there == logged[: len(there)]
        assert len(there) == len(logged) or "%d of %r" % (len(logged) - len(there), key) in told
    for number_of_param in range(3):
        key = "p%d" % number_of_param
        assert record["params"].get(key) == 297 + number_of_param or "of %r" % key in told


def test_h09_a_run_that_may_open_no_file_is_refused_at_its_start(script, store):
    process = script(
        """
        import json, os, resource, sys
        from mini_mlflow import Run
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1, 4096))
        try:
            Run(run_id="r", runs_dir=sys.argv[1])
        except OSError as error:
            print(json.dumps(error.strerror))
        """,
        store,
    )
    assert finish(process)[0] == "Too many open files"


@pytest.mark.skipif(importlib.util.find_spec("_testcapi") is None, reason="this Python cannot refuse memory on demand")
def test_h17_memory_that_is_refused_at_any_allocation_leaves_whole_files_and_no_lock(script, store):
    """Rules P1 and M1: the call may raise MemoryError; what returned before is there, and the run goes on after it.

    Some interpreters crash by themselves at some of these; that counts as a kill.
    """
    process = script(
        """
        import json, os, sys, _testcapi
        from mini_mlflow import Run

        def live(number, answer):
            run = Run(run_id="r%d" % number, runs_dir=sys.argv[1])
            run.log_metric("old", 0.5)
            refused = 0
            _testcapi.set_nomemory(number, number + 1)
            try:
                for step in range(40):
                    run.log_metric("old", step + 0.5, step=step)
                    run.log_metric("new", step, step=step)
                    run.log_param("p", step)
                    os.write(answer, b".")
            except (MemoryError, SystemError):  # the interpreter itself forgets to say which, now and then
                refused = 1
            finally:
                _testcapi.remove_mem_hooks()
            run.log_metric("old", 99.5, step=99)
            run.log_metric("new", 99, step=99)
            run.end()
            os.write(answer, b"r" if refused else b"e")
            os._exit(0)

        done = []
        for number in range(1, int(sys.argv[2]), int(sys.argv[3])):
            reading, writing = os.pipe()
            child = os.fork()
            if not child:
                live(number, writing)
            os.close(writing)
            with open(reading) as file:
                done.append([number, file.read()])
            os.waitpid(child, 0)
        print(json.dumps(done))
        """,
        store,
        "1200" if ALL else "300",
        "1" if ALL else "7",
    )
    done = finish(process)[0]
    assert sum(found.endswith("r") for _, found in done) > 15
    tracker = ExperimentTracker(runs_dir=store)
    for number, found in done:
        run_id, logged, has_ended = "r%d" % number, found.count("."), found.endswith(("r", "e"))
        status = tracker.get_run(run_id)["metadata"]["status"]
        assert status in (["FINISHED"] if has_ended else ["LOST", "FAILED"])
        Run(run_id=run_id, runs_dir=store).end()  # nobody holds its lock any more
        assert tracker.get_run(run_id)["metadata"]["generation"] == 1
        for key in ("old", "new") if has_ended or logged else ("old",):
            steps = [row.step for row in tracker.history(run_id, key)][key == "old" :]
            assert 99 in steps or not has_ended
            steps = [step for step in steps if step != 99]
            assert steps in ([*range(logged)], [*range(logged + 1)])
        for name in os.listdir(os.path.join(store, "0", run_id, "metrics")):
            with open(os.path.join(store, "0", run_id, "metrics", name), encoding="utf-8") as file:
                json.load(file)


def test_h27_a_process_whose_current_folder_is_gone_logs_into_a_store_that_it_can_name(script, store, tmp_path):
    process = script(
        """
        import json, os, sys
        os.mkdir(sys.argv[2])
        os.chdir(sys.argv[2])
        os.rmdir(sys.argv[2])
        import mini_mlflow
        answers = []
        try:
            mini_mlflow.start_run()
        except FileNotFoundError as error:
            answers.append(type(error).__name__)
        with mini_mlflow.start_run(run_id="r", runs_dir=sys.argv[1]) as run:
            mini_mlflow.log_metric("loss", 1.5)
        answers.append(run.status)
        print(json.dumps(answers))
        """,
        store,
        str(tmp_path / "gone"),
    )
    assert finish(process)[0] == ["FileNotFoundError", "FINISHED"]
    assert ExperimentTracker(runs_dir=store).get_run("r")["metrics"] == {"loss": 1.5}


def test_h27_a_store_in_a_folder_whose_name_is_no_text_works(tmp_path, monkeypatch):
    """Rule S1: nothing in a file depends on where the store lies."""
    store = os.path.join(str(tmp_path), os.fsdecode(b"\xff\xfe"), "mlruns")
    monkeypatch.setenv("MINI_MLFLOW_DIR", store)
    with Run(run_id="r") as run:
        run.log_metric("loss", 1.5)
        run.log_param("lr", 0.1)
        child = os.fork()
        if not child:
            run.log_metric("loss", 2.5)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    Run(run_id="r").end()
    record = ExperimentTracker().get_run("r")
    assert (record["metadata"]["status"], record["params"]) == ("FINISHED", {"lr": 0.1})
    assert [row.value for row in ExperimentTracker().history("r", "loss")] == [1.5, 2.5]


def test_h27_the_core_needs_neither_ssl_nor_sqlite_nor_a_user_name(script, store):
    process = script(
        """
        import json, os, sys
        for name in ("ssl", "_ssl", "sqlite3", "_sqlite3", "pwd", "hashlib", "uuid", "ctypes"):
            sys.modules[name] = None
        for name in ("HOME", "USER", "LOGNAME"):
            os.environ.pop(name, None)
        import mini_mlflow
        with mini_mlflow.start_run(run_id="r", runs_dir=sys.argv[1]) as run:
            mini_mlflow.log_metric("loss", 1.5)
        print(json.dumps(mini_mlflow.ExperimentTracker(runs_dir=sys.argv[1]).get_run("r")["metrics"]))
        """,
        store,
    )
    assert finish(process)[0] == {"loss": 1.5}


def test_h19_a_machine_that_was_suspended_goes_on_with_its_run(script, store):
    """Rules L1 to L3: stopped, its clock a night further and no sign of life in between."""
    process = script(
        """
        import json, os, sys, time
        from mini_mlflow import Run
        from mini_mlflow.store import open_file
        run = Run(run_id="r", runs_dir=sys.argv[1])
        run.log_metric("loss", 1.0)
        print("ready", flush=True)
        sys.stdin.readline()
        for step in range(3):
            run.log_metric("loss", 2.0 + step)
        run.end()
        print(json.dumps(run.status))
        """,
        store,
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    owner = os.path.join(store, "0", "r", "owner.json")
    os.utime(owner, (os.stat(owner).st_mtime - 8 * 3600,) * 2)
    tracker = ExperimentTracker(runs_dir=store)
    assert tracker.get_run("r")["metadata"]["status"] == "RUNNING"  # its lock tells, on this machine
    process.send_signal(signal.SIGCONT)
    process.stdin.write("go\n")
    assert finish(process)[0] == "FINISHED"
    assert [row.value for row in tracker.history("r", "loss")] == [1.0, 2.0, 3.0, 4.0]
    assert not os.path.exists(os.path.join(store, "0", "r", "writers"))
