import os
import subprocess
import sys
import threading
import time

import pytest

from mini_mlflow import StorageWarning, search_runs, start_run
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
    assert 2 < len(seen) <= 1 + crowd._THREADS  # no more start where the first are idle again


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
        "__import__('time').sleep(0.001) or {}['then raises']",
        "{}['raises there']",
    ],
)
def test_what_goes_wrong_in_a_process_is_done_by_the_one_that_asks(two_cores, trouble):
    text = "7 if %s == %d else %s" % (DONE_BY, os.getpid(), trouble)
    assert list(workers.map_in_processes(EVALUATE._replace(decode=itself), [], [[text]] * 200)) == [7] * 200


def test_what_raises_does_so_for_the_one_who_asks(two_cores):
    with pytest.raises(ZeroDivisionError):
        list(workers.map_in_processes(EVALUATE, [], [["[1]"]] * 100 + [["[1 // 0]"]] + [["[1]"]] * 100))


REAL = sys.executable


@pytest.mark.skipif(sys.platform == "win32", reason="it has no /bin/sh")
@pytest.mark.parametrize(
    "program",
    [
        None,
        "exit 0",
        "echo no answer",
        "cat",  # says what it is asked
        "yes",
        "echo '[]'; exec %s \"$@\"" % REAL,
        'exec %s "$@" | (read -r kind; echo "$kind"; echo \'[7,[%s],[]]\'; cat)' % (REAL, ",".join(["9"] * 32)),
        "exec %s \"$@\" | sed -u 's/\\[0,/[1,/'" % REAL,
        "exec %s \"$@\" | sed -u 's/0\\.[0-9]*\\.[0-9]*/0.1.9/'" % REAL,
        'exec %s "$@" | head -n 1' % REAL,
    ],
    ids=["missing", "ends", "other", "echo", "endless", "talks first", "late", "number", "version", "dies"],
)
def test_a_python_that_is_none_or_another_costs_no_answer(tmp_path, monkeypatch, two_cores, program):
    path = tmp_path / "python3"
    if program is not None:
        path.write_text("#!/bin/sh\n%s\n" % program)
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
    assert pids - {os.getpid()}
    for pid in pids - {os.getpid()}:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_what_a_process_warns_of_is_told_here(two_cores):
    text = "__import__('mini_mlflow').errors.warn('told', stacklevel=1) or 1"
    with pytest.warns(StorageWarning, match="told"):
        assert list(workers.map_in_processes(EVALUATE._replace(decode=itself), [], [[text]])) == [1]


@pytest.mark.skipif(sys.platform == "win32", reason="its file names are texts anyway")
def test_names_mean_the_same_in_both_whatever_the_locale():
    code = """import os, sys, test_crowd
from mini_mlflow.index import workers
workers._count = lambda: 2
text = "(__import__('sys').getfilesystemencoding(), __import__('os').getpid())"
work = test_crowd.EVALUATE._replace(decode=test_crowd.itself)
found = list(workers.map_in_processes(work, [], [[text]] * 64))
print({encoding for encoding, _ in found} == {sys.getfilesystemencoding()}, {pid for _, pid in found} != {os.getpid()})
"""
    for flags in ([], ["-X", "utf8"], ["-X", "utf8=0"]):
        for locale in ("C", "de_DE.ISO-8859-1"):
            environ = dict(os.environ, LC_ALL=locale, PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
            command = [sys.executable, *flags, "-c", code]
            found = subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True).stdout.split()
            assert found == [b"True", b"True"], (flags, locale)


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
