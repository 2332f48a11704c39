"""The functions log to the active run of the thread that calls them."""

import inspect
import subprocess
import sys
import threading

import pytest

import mini_mlflow
from mini_mlflow import (
    ActiveRunError,
    InvalidKeyError,
    InvalidStatusError,
    InvalidValueError,
    NoActiveRunError,
    Run,
    RunEndedError,
    active_run,
    end_run,
    log_metric,
    log_metrics,
    log_param,
    log_params,
    set_tag,
    set_tags,
    start_run,
)
from mini_mlflow.storage import list_runs, load_run
from mini_mlflow.tracker import _set_active_run


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty current folder, where `mlruns` goes; no run is active afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINI_MLFLOW_DIR", raising=False)
    yield tmp_path / "mlruns"
    while active_run():
        end_run()


SIGNATURES = {
    "start_run": {
        "run_name": None, "experiment_id": None, "run_id": None, "version": None, "nested": False,
        "parent_run_id": None, "tags": None, "description": None, "resume": None, "system_metrics": None,
        "capture_console": None,
    },
    "last_active_run": {},
    "log_batch": {"metrics": (), "params": (), "tags": ()},
    "active_run": {},
    "end_run": {"status": "FINISHED"},
    "log_param": {"key": inspect.Parameter.empty, "value": inspect.Parameter.empty},
    "log_metric": {
        "key": inspect.Parameter.empty, "value": inspect.Parameter.empty, "step": None, "timestamp": None,
    },
    "log_params": {"params": inspect.Parameter.empty},
    "log_metrics": {"metrics": inspect.Parameter.empty, "step": None, "timestamp": None},
    "set_tag": {"key": inspect.Parameter.empty, "value": inspect.Parameter.empty},
    "set_tags": {"tags": inspect.Parameter.empty},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_a_function_has_the_documented_arguments_in_order(name):
    parameters = inspect.signature(getattr(mini_mlflow, name)).parameters
    found = [(each.name, each.default) for each in parameters.values() if each.name != "runs_dir"]
    assert found == list(SIGNATURES[name].items())


@pytest.mark.parametrize("name", ["start_run", "active_run", "end_run", "log_param", "log_metric", "ExperimentTracker"])
def test_a_function_is_where_0_1_0_had_it(name):
    assert getattr(mini_mlflow, name) is getattr(mini_mlflow.tracker, name)


def test_a_run_goes_from_start_to_end():
    run = start_run("a", 3, "r", "v1")
    assert isinstance(run, Run)
    assert active_run() is run
    assert (run.name, run.experiment_id, run.run_id, run.version) == ("a", 3, "r", "v1")
    log_param("lr", 0.1)
    log_params({"seed": 1, "layers": [2, 3]})
    log_metric("loss", 0.5)
    log_metric("loss", 0.25, 7, timestamp=99)
    log_metrics({"loss": 0.125, "f1": 1}, step=8)
    log_metrics({"f1": 2}, timestamp=5)
    set_tag("note", "n")
    set_tags({"stage": "s"})
    end_run()
    assert active_run() is None
    found = load_run("r", 3)
    assert found["params"] == {"lr": 0.1, "seed": 1, "layers": [2, 3]}
    assert found["metrics"] == {"loss": 0.125, "f1": 1}
    assert found["tags"] == {"note": "n", "stage": "s"}
    assert [(row.step, row.value) for row in run.history("loss")] == [(0, 0.5), (7, 0.25), (8, 0.125)]
    assert run.history("loss")[1].timestamp == 99
    assert [(row.step, row.value) for row in run.history("f1")] == [(8, 1), (9, 2)]


def test_without_arguments_a_run_goes_to_experiment_0_under_an_id_of_its_own():
    run = start_run()
    assert (run.experiment_id, run.version, len(run.run_id)) == (0, None, 32)


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_the_active_run_ends_with_the_status_that_is_given(status):
    run = start_run()
    end_run(status)
    assert run.status == status


def test_an_unknown_status_leaves_the_run_active():
    run = start_run()
    with pytest.raises(InvalidStatusError, match="Invalid status 'DONE'"):
        end_run("DONE")
    assert active_run() is run


CALLS = [
    lambda: log_param("a", 1),
    lambda: log_params({"a": 1}),
    lambda: log_metric("a", 1),
    lambda: log_metrics({"a": 1}),
    lambda: set_tag("a", 1),
    lambda: set_tags({"a": 1}),
    end_run,
]


@pytest.mark.parametrize("call", CALLS)
def test_without_an_active_run_a_call_is_refused_and_says_what_to_do(call, store):
    with pytest.raises(NoActiveRunError, match=r"No active run.*start_run\(\)") as caught:
        call()
    assert isinstance(caught.value, RuntimeError)
    assert not store.exists()


@pytest.mark.parametrize("call", CALLS)
def test_after_the_end_of_the_run_a_call_is_refused(call):
    start_run().end()
    with pytest.raises(NoActiveRunError):
        call()


def test_a_second_run_is_refused_and_the_first_goes_on(store):
    run = start_run()
    with pytest.raises(ActiveRunError, match=r"already an active run.*end_run\(\).*nested=True") as caught:
        start_run("b")
    assert isinstance(caught.value, RuntimeError)
    assert caught.value.run_id == run.run_id
    assert active_run() is run
    assert list_runs() == [run.run_id]


def test_mistakes_in_keys_and_values_are_those_of_the_run():
    start_run()
    with pytest.raises(InvalidKeyError, match="cannot contain slashes"):
        log_metric("a/b", 1)
    with pytest.raises(InvalidValueError, match="one number"):
        log_metrics({"a": 1, "b": "x"})
    with pytest.raises(InvalidValueError, match="JSON-serializable"):
        log_param("a", 2**1024)
    with pytest.raises(InvalidKeyError, match="cannot be empty"):
        set_tag("", 1)
    end_run()
    assert load_run(list_runs()[0])["metrics"] == {}


class Picky:
    """A number that raises what its owner likes, and counts how often it is looked at."""

    def __init__(self, error):
        self.error, self.looks = error, 0

    def __float__(self):
        self.looks += 1
        raise self.error


@pytest.mark.parametrize("error", [IndexError("mine"), RunEndedError("mine")])
def test_an_error_of_the_users_own_number_goes_up_and_the_number_is_looked_at_once(error):
    outer = start_run()
    start_run(nested=True)
    value = Picky(error)
    with pytest.raises(Exception, match="mine"):
        log_metric("a", value)
    assert value.looks == 1
    end_run()
    start_run(nested=True).end()  # an ended run is on top
    value = Picky(error)
    with pytest.raises(Exception, match="mine"):
        log_metric("a", value)
    assert value.looks == 1
    assert load_run(outer.run_id)["metrics"] == {}


# Runs within runs ------------------------------------------------------------------------------------------------


def test_a_nested_run_is_the_active_one_until_it_ends_and_knows_its_parent():
    outer = start_run("outer")
    inner = start_run("inner", nested=True)
    innermost = start_run("innermost", nested=True)
    assert (outer.parent_run_id, inner.parent_run_id) == (None, outer.run_id)
    assert innermost.parent_run_id == inner.run_id
    log_metric("depth", 3)
    end_run()
    log_metric("depth", 2)
    end_run()
    log_metric("depth", 1)
    assert active_run() is outer
    end_run()
    assert [load_run(run.run_id)["metrics"]["depth"] for run in (outer, inner, innermost)] == [1, 2, 3]
    assert load_run(inner.run_id)["metadata"]["parent_run_id"] == outer.run_id


def test_nested_without_an_active_run_starts_a_run_without_a_parent():
    assert start_run(nested=True).parent_run_id is None


def test_a_parent_in_another_store_is_not_noted(store):
    outer = start_run()
    assert start_run(nested=True, runs_dir="elsewhere").parent_run_id is None
    end_run()
    assert start_run(nested=True, runs_dir=store).parent_run_id == outer.run_id


def test_a_parent_that_ends_first_leaves_its_child_active():
    outer = start_run()
    inner = start_run(nested=True)
    outer.end()
    assert active_run() is inner
    end_run()
    assert active_run() is None


def test_a_run_started_by_the_functions_is_a_block_too():
    def block():
        with start_run() as outer:
            with start_run(nested=True) as inner:
                assert active_run() is inner
            assert active_run() is outer
            runs.append(outer)
            raise KeyError("boom")

    runs = []
    with pytest.raises(KeyError, match="boom"):
        block()
    assert runs[0].status == "FAILED"
    assert active_run() is None


def test_a_run_that_exists_is_continued():
    with start_run(run_name="a", experiment_id=2, run_id="r") as first:
        log_metric("loss", 1)
    run = start_run(run_id="r")
    assert (run.name, run.experiment_id, run.start_time) == ("a", 2, first.start_time)
    log_metric("loss", 2)
    end_run()
    assert [row.step for row in run.history("loss")] == [0, 1]


# Threads ---------------------------------------------------------------------------------------------------------


def in_threads(count, work):
    """Run *work(number)* in that many threads at once and hand on what one of them raised."""
    errors = []
    start = threading.Barrier(count)

    def guarded(number):
        try:
            start.wait()
            work(number)
        except BaseException as error:  # noqa: BLE001 - handed on below
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        raise error


def test_each_thread_has_its_own_active_run():
    def work(number):
        assert active_run() is None
        with pytest.raises(NoActiveRunError):
            log_metric("loss", 1)
        run = start_run(run_id="thread-%d" % number)
        for step in range(50):
            log_metric("loss", number * 1000 + step)
        log_param("number", number)
        assert active_run() is run
        end_run()

    outer = start_run()
    in_threads(8, work)
    assert active_run() is outer
    for number in range(8):
        found = load_run("thread-%d" % number)
        assert found["params"] == {"number": number}
        assert found["metrics"] == {"loss": number * 1000 + 49}
        assert found["metadata"]["status"] == "FINISHED"


def test_threads_log_into_one_run_and_no_value_is_lost():
    run = start_run()
    in_threads(8, lambda number: [run.log_metric("loss", number * 100 + step) for step in range(100)])
    rows = run.history("loss")
    assert sorted(row.value for row in rows) == list(range(800))
    assert [row.step for row in rows] == list(range(800))


def test_of_threads_that_end_one_run_exactly_one_does():
    run = start_run()
    outcomes = []

    def work(number):
        try:
            run.end()
            outcomes.append("ended")
        except ValueError:
            outcomes.append("refused")

    in_threads(8, work)
    assert sorted(outcomes) == ["ended"] + ["refused"] * 7


def test_a_run_that_was_set_active_is_the_only_one():
    outer = start_run()
    inner = start_run(nested=True)
    _set_active_run(outer)
    assert active_run() is outer
    _set_active_run(None)
    assert active_run() is None
    assert (outer.status, inner.status) == ("RUNNING", "RUNNING")
    for run in (outer, inner):
        run.end()


@pytest.mark.parametrize("step", [2**63, -(2**63) - 1, 1.5, "1"])
def test_a_step_is_checked_also_where_the_metric_is_there_already(step):
    """Rule M7: the short way of a plain number must not skip what the long one refuses."""
    with start_run() as run:
        log_metric("loss", 0.5, 1)
        with pytest.raises(InvalidValueError):
            log_metric("loss", 0.25, step)
        log_metric("loss", 0.125, 2)
        assert [(row.step, row.value) for row in run.history("loss")] == [(1, 0.5), (2, 0.125)]


def test_a_run_of_a_class_of_the_users_logs_its_own_way():
    class Louder(Run):
        def log_metric(self, key, value, step=None, *, timestamp=None):
            super().log_metric(key, 2 * value, step, timestamp=timestamp)

    with Louder() as run:
        _set_active_run(run)
        for value in (1.0, 2.0, 3.0):
            log_metric("loss", value)
        assert [row.value for row in run.history("loss")] == [2.0, 4.0, 6.0]


# The end of the process ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "status"),
    [
        ("pass", "FINISHED"), ("raise KeyError('boom')", "FAILED"), ("raise KeyboardInterrupt", "KILLED"),
        ("with run: sys.exit()", "FINISHED"), ("with run: sys.exit(3)", "FAILED"), ("os._exit(0)", "LOST"),
    ],
)  # fmt: skip
def test_a_run_that_nobody_ended_ends_with_its_process(last, status):
    """Rule L4 where the process died."""
    code = "import os, sys\nfrom mini_mlflow import start_run\nrun = start_run(run_id='r')\n" + last
    subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL, check=False)
    assert load_run("r")["metadata"]["status"] == status
