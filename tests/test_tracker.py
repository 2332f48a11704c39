"""A tracker starts runs with the same defaults and reads past ones."""

import inspect
import pickle
import threading

import pytest

from mini_mlflow import (
    ActiveRunError,
    ExperimentTracker,
    InvalidIdError,
    InvalidKeyError,
    Metric,
    MetricNotFoundError,
    NoActiveRunError,
    Run,
    RunNotFoundError,
    StorageWarning,
    active_run,
    start_run,
)
from mini_mlflow.storage import load_run
from mini_mlflow.tracker import _set_active_run


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty current folder, where `mlruns` goes; no run is active afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINI_MLFLOW_DIR", raising=False)
    yield tmp_path / "mlruns"
    while active_run():
        active_run().end()


NONE = {"experiment_id": None}
EMPTY = inspect.Parameter.empty
SIGNATURES = {
    "__init__": {"run_name": None, "experiment_id": None, "runs_dir": None},
    "start_run": {"run_name": None, "experiment_id": None, "run_id": None, "version": None, "nested": False},
    "active_run": {},
    "end_run": {"status": "FINISHED"},
    "list_runs": NONE,
    "get_run": {"run_id": EMPTY, "experiment_id": None},
    "history": {"run_id": EMPTY, "key": EMPTY, "experiment_id": None, "latest_per_step": False},
    "summary": {"run_id": EMPTY, "key": EMPTY, "experiment_id": None},
    "get_run_by_version": {"run_name": EMPTY, "version": EMPTY, "experiment_id": None},
    "get_latest_version": {"run_name": EMPTY, "experiment_id": None},
}


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_a_method_has_the_documented_arguments_in_order(name):
    parameters = list(inspect.signature(getattr(ExperimentTracker, name)).parameters.values())[1:]
    assert [(each.name, each.default) for each in parameters] == list(SIGNATURES[name].items())


def test_without_arguments_a_tracker_is_of_experiment_0_in_mlruns(store):
    tracker = ExperimentTracker()
    assert (tracker.run_name, tracker.experiment_id, tracker.runs_dir) == (None, 0, "mlruns")
    assert not store.exists()


def test_the_folder_comes_from_the_environment_where_none_is_given(monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_DIR", "elsewhere")
    assert ExperimentTracker().runs_dir == "elsewhere"
    assert ExperimentTracker(runs_dir="mlruns").runs_dir == "mlruns"


@pytest.mark.parametrize("experiment_id", [-1, 1.5, True, "..", "a/b", ""])
def test_a08_an_experiment_id_that_is_no_legal_name_is_refused(experiment_id, store):
    """Rule S2."""
    calls = [
        lambda: ExperimentTracker(experiment_id=experiment_id),
        lambda: ExperimentTracker().list_runs(experiment_id),
        lambda: ExperimentTracker().get_run("r", experiment_id),
        lambda: ExperimentTracker().start_run(experiment_id=experiment_id),
    ]
    for call in calls:
        with pytest.raises(InvalidIdError, match="not legal"):
            call()
    assert not store.exists()


def test_its_runs_take_its_name_experiment_and_folder_unless_told_otherwise():
    tracker = ExperimentTracker("a", 3, "there")
    run = tracker.start_run()
    assert (run.name, run.experiment_id, run.runs_dir) == ("a", 3, "there")
    assert tracker.active_run() is run is active_run()
    tracker.end_run()
    run = tracker.start_run("b", 4, "r", "v1")
    assert (run.name, run.experiment_id, run.run_id, run.version) == ("b", 4, "r", "v1")
    tracker.end_run("KILLED")
    assert run.status == "KILLED"
    assert tracker.active_run() is None


def test_mistakes_are_those_of_the_functions():
    tracker = ExperimentTracker()
    with pytest.raises(NoActiveRunError, match="No active run"):
        tracker.end_run()
    run = start_run()
    with pytest.raises(ActiveRunError, match="already an active run"):
        tracker.start_run()
    with pytest.raises(ActiveRunError), tracker:
        pass
    assert active_run() is run
    assert tracker.start_run(nested=True).parent_run_id == run.run_id


# Blocks ----------------------------------------------------------------------------------------------------------


def test_a_block_in_a_loop_is_a_new_run_each_time():
    tracker = ExperimentTracker(run_name="sweep")
    runs = []
    for value in range(3):
        with tracker as run:
            assert active_run() is run
            run.log_metric("value", value)
            runs.append(run)
        assert active_run() is None
    assert tracker.list_runs() == [run.run_id for run in reversed(runs)]
    assert [tracker.get_run(run.run_id)["metrics"]["value"] for run in runs] == [0, 1, 2]
    assert {run.status for run in runs} == {"FINISHED"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (KeyError("boom"), "FAILED"), (KeyboardInterrupt(), "KILLED"), (SystemExit(0), "FINISHED"),
        (SystemExit(None), "FINISHED"), (SystemExit(1), "FAILED"),
    ],
)  # fmt: skip
def test_a_block_that_an_exception_leaves_ends_the_run_by_its_kind_and_the_exception_goes_up(error, status):
    tracker = ExperimentTracker()
    with pytest.raises(type(error)) as caught, tracker as run:
        raise error
    assert caught.value is error
    assert run.status == tracker.get_run(run.run_id)["metadata"]["status"] == status
    with tracker:
        pass


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_a_run_that_was_ended_within_the_block_stays_as_it_ended(status):
    with ExperimentTracker() as run:
        run.end(status)
    assert run.status == status


def test_a_block_ends_the_runs_that_were_started_within_it():
    def block():
        with ExperimentTracker() as outer:
            runs.extend([outer, start_run(nested=True)])
            raise KeyError("boom")

    runs = []
    with pytest.raises(KeyError):
        block()
    assert [run.status for run in runs] == ["FAILED", "FAILED"]
    assert active_run() is None


def test_a_block_ends_its_own_run_and_leaves_those_that_it_did_not_start():
    bystander = Run(run_id="bystander")
    tracker = ExperimentTracker()
    with tracker as run:
        run.end()
        later = tracker.start_run()
    assert (later.status, bystander.status) == ("RUNNING", "RUNNING")
    assert active_run() is later
    later.end()
    bystander.end()


def test_a_block_that_another_thread_leaves_ends_its_own_run():
    def block():
        with tracker as run:
            runs.extend([run, start_run(nested=True)])
            yield

    tracker, runs = ExperimentTracker(), []
    generator = block()
    next(generator)
    thread = threading.Thread(target=generator.close)
    thread.start()
    thread.join()
    assert [run.status for run in runs] == ["FAILED", "FAILED"]
    assert active_run() is None


def test_a_tracker_is_copied_without_the_block_it_is_in():
    tracker = ExperimentTracker("a", 3, "there")
    with tracker as run:
        twin = pickle.loads(pickle.dumps(tracker))
        assert (twin.run_name, twin.experiment_id, twin.runs_dir) == ("a", 3, "there")
        twin.__exit__(None, None, None)
        assert run.status == "RUNNING"


def test_threads_share_a_tracker_and_each_has_its_own_run():
    tracker = ExperimentTracker()

    def work(number):
        with tracker as run:
            for step in range(20):
                run.log_metric("number", number, step)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [tracker.get_run(run_id)["metrics"]["number"] for run_id in tracker.list_runs()]
    assert sorted(found) == [0, 1, 2, 3, 4, 5]


# Reading ---------------------------------------------------------------------------------------------------------


def test_a_run_is_read_as_metadata_params_latest_metrics_and_tags():
    tracker = ExperimentTracker(experiment_id=2)
    with tracker as run:
        run.log_param("lr", 0.1)
        run.log_metric("loss", 2.0)
        run.log_metric("loss", 1.0)
        run.set_tag("note", "n")
    found = ExperimentTracker().get_run(run.run_id, experiment_id=2)
    assert sorted(found) == ["metadata", "metrics", "params", "tags"]
    assert (found["params"], found["metrics"], found["tags"]) == ({"lr": 0.1}, {"loss": 1.0}, {"note": "n"})
    expected = {name: getattr(run, name) for name in ("run_id", "experiment_id", "name", "status", "start_time")}
    expected.update(end_time=run.end_time, version=None, parent_run_id=None, format=1, generation=0)
    assert found["metadata"] == expected


def test_a_run_is_read_while_it_runs():
    tracker = ExperimentTracker()
    with tracker as run:
        run.log_metric("loss", 1)
        found = tracker.get_run(run.run_id)
    assert (found["metadata"]["status"], found["metadata"]["end_time"]) == ("RUNNING", None)
    assert found["metrics"] == {"loss": 1}


def test_an_experiment_without_runs_has_an_empty_list(store):
    assert ExperimentTracker().list_runs() == []
    assert ExperimentTracker().list_runs(experiment_id=7) == []
    assert not store.exists()


def test_runs_are_listed_newest_first_by_their_start():
    """Rule S6."""
    runs = [Run(run_id=run_id) for run_id in ("b", "c", "a")]
    for run in (runs[1], runs[0], runs[2]):
        run.end()
    assert ExperimentTracker().list_runs() == ["a", "c", "b"]


def test_a_run_that_is_not_there_is_named_with_the_place_that_was_searched(store):
    tracker = ExperimentTracker(experiment_id=3)
    calls = [tracker.get_run, lambda run_id: tracker.history(run_id, "m"), lambda run_id: tracker.summary(run_id, "m")]
    for call in calls:
        with pytest.raises(RunNotFoundError, match=r"'nope' was not found in experiment 3.*list_runs") as caught:
            call("nope")
        assert isinstance(caught.value, FileNotFoundError)
        assert (caught.value.run_id, caught.value.experiment_id) == ("nope", 3)
    assert not store.exists()


@pytest.mark.parametrize("run_id", ["..", "../x", "a/b", "", ".trash", "-rf", None, 5])
def test_a08_an_id_that_is_no_name_of_a_folder_reads_nothing(run_id):
    tracker = ExperimentTracker()
    calls = [tracker.get_run, lambda run_id: tracker.history(run_id, "m"), lambda run_id: tracker.summary(run_id, "m")]
    for call in calls:
        with pytest.raises(InvalidIdError, match="not legal"):
            call(run_id)


def test_the_history_and_summary_of_a_run_are_read_by_its_id():
    tracker = ExperimentTracker(experiment_id=2)
    with tracker as run:
        for value in (3, 1, 2):
            run.log_metric("loss", value, timestamp=value)
    assert tracker.history(run.run_id, "loss") == [Metric(0, 3, 3), Metric(1, 1, 1), Metric(2, 2, 2)]
    assert ExperimentTracker().history(run.run_id, "loss", experiment_id=2) == run.history("loss")
    assert tracker.summary(run.run_id, "loss") == run.summary("loss")
    assert tracker.summary(run.run_id, "loss").best_step("min") == 1
    for look in (tracker.history, tracker.summary):
        with pytest.raises(MetricNotFoundError, match="'loss'"):
            look(run.run_id, "nope")


@pytest.mark.parametrize("key", [None, 5, b"loss", ["loss"]])
def test_a_key_that_is_no_text_is_not_looked_up(key):
    tracker = ExperimentTracker()
    with tracker as run:
        run.log_metric("loss", 1)
    calls = [run.history, run.summary]
    calls += [lambda key: tracker.history(run.run_id, key), lambda key: tracker.summary(run.run_id, key)]
    for call in calls:
        with pytest.raises(InvalidKeyError, match="must be text, got") as caught:
            call(key)
        assert caught.value.key == key


def test_a_key_that_may_not_be_logged_may_be_looked_up():
    """Rule K1: other doors may bring any key."""
    run = ExperimentTracker().start_run()
    for key in ("", "a/b", "\ud800", "..", "k" * 1000):
        with pytest.raises(MetricNotFoundError):
            run.history(key)
    run.end()


def test_versions_are_found_by_name_and_the_newest_counts():
    tracker = ExperimentTracker()
    for number, version in enumerate(["v1", "v2", "v1", None]):
        tracker.start_run("m", version=version).log_param("number", number)
        tracker.end_run()
    assert tracker.get_run_by_version("m", "v1")["params"] == {"number": 2}
    assert tracker.get_run_by_version("m", "v2")["metadata"]["version"] == "v2"
    assert tracker.get_latest_version("m")["params"] == {"number": 3}
    assert tracker.get_run_by_version("m", "v3") is None
    assert tracker.get_run_by_version("n", "v1") is None
    assert tracker.get_latest_version("n") is None
    assert tracker.get_latest_version("m", experiment_id=1) is None


def test_a_file_that_cannot_be_read_is_told_and_the_rest_is_returned(store):
    """Rule S4."""
    tracker = ExperimentTracker(run_name="a")
    with tracker.start_run(version="v1") as run:
        run.log_params({"good": 1, "bad": 2})
    (store / "0" / run.run_id / "params" / "bad.json").write_text("{")
    reads = [lambda: tracker.get_run(run.run_id), lambda: tracker.get_latest_version("a")]
    reads += [lambda: tracker.get_run_by_version("a", "v1"), lambda: load_run(run.run_id)]
    for read in reads:
        with pytest.warns(StorageWarning, match=r"cannot be read: .*bad\.json") as caught:
            found = read()
        assert found["params"] == {"good": 1}
        assert caught[0].filename == __file__


def test_the_active_run_can_be_cleared_as_the_tests_of_0_1_0_do():
    run = ExperimentTracker().start_run()
    _set_active_run(None)
    assert ExperimentTracker().active_run() is None
    run.end()
