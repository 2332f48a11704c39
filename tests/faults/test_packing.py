"""Is every run there, whole, whatever single system call of packing and unpacking fails or is the last one?"""

import errno
import os
import shutil
import signal
import zipfile

import pytest

from mini_mlflow import ExperimentTracker, Run
from mini_mlflow.store import packed

pytestmark = pytest.mark.long

IDS = ["a", "b"]
# Every call in turn with FAULTS=all; else every twelfth, others for each action.
STRIDE = 1 if os.environ.get("FAULTS") == "all" else 12
ACTIONS = ["kill", "killed", str(errno.ENOSPC), str(errno.EIO)]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A store of two runs that have ended."""
    store = tmp_path_factory.mktemp("runs") / "original"
    for run_id in IDS:
        with Run(run_id=run_id, experiment_id=0, runs_dir=store) as run:
            run.log_metric("loss", 0.5, step=1)
            run.log_param("lr", 0.1)
            run.log_text("a note of " + run_id, "notes/note.txt")
        (store / "0" / run_id / "artifacts" / "empty").mkdir()
    return store


@pytest.fixture(scope="module")
def packed_store(original, cases, tmp_path_factory):
    """The same, packed."""
    store = tmp_path_factory.mktemp("packed") / "store"
    shutil.copytree(str(original), str(store))
    assert cases.run("packed_runs", store)["result"] == [IDS, []]
    assert folders_in(store) == []
    return store


def folders_in(store):
    return sorted(name for name in os.listdir(str(store / "0")) if name in IDS)


def held(store):
    """Return what readers make of the runs of a store."""
    tracker = ExperimentTracker(runs_dir=str(store))
    return {run_id: (tracker.get_run(run_id), tracker.history(run_id, "loss")) for run_id in tracker.list_runs()}


def tree(folder):
    found = {}
    for path, folders, names in os.walk(str(folder)):
        inside = os.path.relpath(path, str(folder))
        found.update((os.path.join(inside, name), None) for name in folders)
        for name in names:
            with open(os.path.join(path, name), "rb") as file:
                found[os.path.join(inside, name)] = file.read()
    return found


def leftovers(store):
    return [name for path, folders, files in os.walk(str(store)) for name in folders + files if ".tmp-" in name]


def numbers(cases, scenario, source, store, action, stride=STRIDE):
    """Yield the numbers of the calls of a scenario, with a fresh copy of the store each time."""
    shutil.copytree(str(source), str(store))
    report = cases.run(scenario, store)
    assert report["error"] is None
    shutil.rmtree(str(store))
    assert report["count"] > 50
    for at in range(1 + 2 * ACTIONS.index(action) % stride, report["count"] + 1, stride):
        shutil.copytree(str(source), str(store))
        yield at
        shutil.rmtree(str(store))


@pytest.mark.parametrize("action", ACTIONS)
def test_h25_a_kill_or_a_fault_at_any_call_of_packing_leaves_every_run_whole_and_a_repeat_finishes(
    cases, tmp_path, original, action
):
    """Rules Z4, Z5 and Z8."""
    store, before = tmp_path / "store", held(original)
    for at in numbers(cases, "packed_runs", original, store, action):
        report = cases.run("packed_runs", store, at=at, action=action)
        assert report["signal"] in (0, signal.SIGKILL)
        assert held(store) == before, at
        again = cases.run("packed_runs", store)
        assert again["error"] is None, at
        assert again["result"][1] == [], at
        assert folders_in(store) == [], at
        assert leftovers(store) == [], at
        assert held(store) == before, at
        paths = packed.list_packs(str(store / "0"))
        for path in paths:
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None
        assert sorted(run_id for path in paths for run_id in packed.list_in(path)) == IDS, at


@pytest.mark.parametrize("action", ACTIONS)
def test_h25_a_kill_or_a_fault_at_any_call_of_unpacking_leaves_every_run_whole_and_a_repeat_finishes(
    cases, tmp_path, original, packed_store, action
):
    """Rules Z4, Z6 and Z8."""
    store, before = tmp_path / "store", held(original)
    for at in numbers(cases, "unpacked_runs", packed_store, store, action):
        report = cases.run("unpacked_runs", store, at=at, action=action)
        assert report["signal"] in (0, signal.SIGKILL)
        assert held(store) == before, at
        again = cases.run("unpacked_runs", store)
        assert again["error"] is None, at
        assert tree(store) == tree(original), at


@pytest.mark.parametrize("action", ACTIONS)
def test_h25_a_kill_or_a_fault_at_any_call_of_going_on_with_a_packed_run_loses_nothing_of_it(
    cases, tmp_path, original, packed_store, action
):
    """Rules Z4 and Z6."""
    store, before = tmp_path / "store", held(original)
    for at in numbers(cases, "resumed_packed_run", packed_store, store, action, 2 * STRIDE):
        report = cases.run("resumed_packed_run", store, at=at, action=action)
        found = held(store)
        assert found["b"] == before["b"], at
        rows = found["a"][1]
        assert rows[0] == before["a"][1][0], (at, report)
        assert found["a"][0]["params"] == before["a"][0]["params"], at
        if ["logged"] in report["acknowledged"] and report["signal"]:
            assert [row.value for row in rows] == [0.5, 77.0], at
        again = cases.run("resumed_packed_run", store)
        assert (again["error"], again["result"]) == (None, "FINISHED"), at
        assert [row.value for row in held(store)["a"][1]][:2] == [0.5, 77.0], at


@pytest.mark.parametrize("action", ACTIONS)
def test_h25_a_packed_run_that_is_deleted_does_not_come_back_out_of_its_pack(
    cases, tmp_path, original, packed_store, action
):
    """Rules Z4 and T1."""
    store, before = tmp_path / "store", held(original)
    for at in numbers(cases, "deleted_packed_run", packed_store, store, action):
        report = cases.run("deleted_packed_run", store, at=at, action=action)
        found = held(store)
        assert found["b"] == before["b"], at
        if ["deleted"] in report["acknowledged"]:
            assert "a" not in found, at
        if "a" in found:
            assert found["a"] == before["a"], at
            assert cases.run("deleted_packed_run", store)["error"] is None, at
        trash = os.path.join(str(store), "0", ".trash", "a")
        assert tree(trash) == tree(original / "0" / "a"), at
        assert "a" not in held(store), at
