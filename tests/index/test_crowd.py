import os
import subprocess
import sys
import threading
import time

import pytest

from mini_mlflow import search_runs, start_run
from mini_mlflow.index import crowd, workers

MANY = 3000
DONE_BY = "__import__('os').getpid()"


def itself(value):
    return value


def negate(number):
    return -number


def evaluate(text):
    return eval(text)


NEGATE = crowd.Work(__name__ + ":NEGATE", negate, itself, itself)
EVALUATE = crowd.Work(__name__ + ":EVALUATE", evaluate, itself, tuple)


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(workers, "_count", lambda: 2)


def test_little_work_and_work_that_computes_for_a_moment_is_done_by_the_thread_that_asks():
    seen = set()

    def note(sign, number):
        seen.add(threading.get_ident())
        return sign * number

    work = NEGATE._replace(function=note)
    assert list(crowd.map_many(work, [-1], [[each] for each in range(MANY)])) == [-each for each in range(MANY)]
    assert seen == {threading.get_ident()}


def test_work_that_waits_is_shared_by_threads_and_comes_in_order():
    seen = set()

    def wait(number):
        seen.add(threading.get_ident())
        time.sleep(0.001)
        return -number

    given = [[each] for each in range(MANY // 10)]
    assert list(crowd.map_many(NEGATE._replace(function=wait), [], given)) == [-each for each in range(MANY // 10)]
    assert len(seen) == 1 + crowd._THREADS


def test_a_core_that_another_program_has_for_a_moment_is_not_taken_for_a_disk_that_waits(monkeypatch):
    monkeypatch.setattr(crowd, "_map_in_threads", None)
    times = iter([10.0, 10.01, 20.0])
    monkeypatch.setattr(crowd, "perf_counter", lambda: next(times))
    monkeypatch.setattr(crowd, "process_time", lambda: 0.0)
    given = [[each] for each in range(100)]
    assert list(crowd.map_many(NEGATE, [], given)) == [-each for each in range(100)]


def test_work_that_computes_for_long_is_shared_by_processes_and_comes_in_order(monkeypatch, two_cores):
    monkeypatch.setattr(crowd, "_LONG_S", 0.0)
    found = list(crowd.map_many(EVALUATE, [], [["(%d, %s)" % (each, DONE_BY)] for each in range(MANY)]))
    assert [number for number, _ in found] == list(range(MANY))
    others = {pid for _, pid in found} - {os.getpid()}
    assert len(others) == 2
    for pid in others:
        with pytest.raises(ProcessLookupError):  # and waited for, so that none is left as a zombie
            os.kill(pid, 0)


@pytest.mark.parametrize(
    "trouble",
    [
        "__import__('os')._exit(3)",
        "__import__('os').kill(%s, 9)" % DONE_BY,
        "lambda: 'no JSON'",
        "__import__('os').write(1, b'no answer') and 7",
        "print('no answer') or 7",
        "{}['raises there']",
    ],
)
def test_what_goes_wrong_in_a_process_is_done_by_the_one_that_asks(two_cores, trouble):
    text = "7 if %s == %d else %s" % (DONE_BY, os.getpid(), trouble)
    assert list(workers.map_in_processes(EVALUATE._replace(decode=itself), [], [[text]] * 200)) == [7] * 200


def test_what_raises_does_so_for_the_one_who_asks(two_cores):
    with pytest.raises(ZeroDivisionError):
        list(workers.map_in_processes(EVALUATE, [], [["[1]"]] * 100 + [["[1 // 0]"]] + [["[1]"]] * 100))


@pytest.mark.parametrize("program", ["#!/bin/sh\nexit 0\n", "#!/bin/sh\necho no answer\n", None])
def test_a_python_that_is_none_costs_no_answer(tmp_path, monkeypatch, two_cores, program):
    path = tmp_path / "python3"
    if program is not None:
        path.write_text(program)
        path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))
    assert list(workers.map_in_processes(NEGATE, [], [[each] for each in range(200)])) == [-each for each in range(200)]


@pytest.mark.parametrize("program", ["/usr/bin/blender", "", None])
def test_a_program_with_python_in_it_is_never_started(monkeypatch, program):
    monkeypatch.setattr(sys, "executable", program)
    monkeypatch.setattr(subprocess, "Popen", None)
    assert workers._count() == 0
    assert list(workers.map_in_processes(NEGATE, [], [[1], [2]])) == [-1, -2]


def test_who_stops_asking_leaves_no_process(two_cores):
    asked = workers.map_in_processes(EVALUATE._replace(decode=itself), [], [[DONE_BY]] * MANY)
    pids = {next(asked) for _ in range(100)}
    asked.close()
    for pid in pids - {os.getpid()}:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_an_index_made_by_processes_is_the_one_made_here(tmp_path, monkeypatch, two_cores):
    for number in range(100):
        with start_run(runs_dir=tmp_path / "store") as run:
            run.log_param("number", number)
            run.log_metric("loss", number / 7)
    found = []
    for long_s in (1000.0, 0.0):
        monkeypatch.setattr(crowd, "_LONG_S", long_s)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / str(long_s)))
        found.append(search_runs(runs_dir=tmp_path / "store", output_format="list"))
    assert found[0] == found[1]
    assert sorted(run.data.params["number"] for run in found[1]) == list(range(100))
