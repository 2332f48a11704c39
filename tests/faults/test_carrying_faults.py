"""Does a kill or an error at any call of a merge, import or export leave no half run, and does a repeat finish?"""

import errno
import os
import shutil
import signal
from pathlib import Path

import pytest

from mini_mlflow import Run, delete_run
from mini_mlflow.store import folders, meta

pytestmark = pytest.mark.long

# Every call in turn with FAULTS=all; else some of them, at other places for each test.
STRIDE = 1 if os.environ.get("FAULTS") == "all" else 29
GOLDEN = Path(__file__).parent.parent / "golden" / "mlflow-3.18" / "store" / "mlruns"


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def tree(folder):
    """Return the bytes of every file of a store but for what may differ: locks, and who signed."""
    found = {}
    for path in Path(str(folder)).rglob("*"):
        if path.is_file() and path.name not in (".lock", "owner.json"):
            found[str(path.relative_to(str(folder)))] = path.read_bytes()
    return found


def visible(files):
    return {name: data for name, data in files.items() if "/.tmp-" not in "/" + name}


def left_folders(store):
    """Return the hidden folders that nobody works on any more; of a file the next owner of its folder takes care."""
    return [name for name in tree(store) if "/.tmp-" in "/" + os.path.dirname(name)]


def theirs(tmp_path):
    """Make a store: a run, one with a second writer, and one that is deleted."""
    store = str(tmp_path / "theirs")
    for run_id in ("a", "b", "c"):
        run = Run(run_id=run_id, runs_dir=store)
        run.log_metric("loss", 0.5, step=0)
        run.log_param("lr", 0.1)
        run.log_text("weights", "model/weights.txt")
        if run_id == "b":
            joiner = Run(run_id=run_id, runs_dir=store)
            joiner.log_metric("rank", 1.0, step=0)
            joiner.end()
        run.end()
    delete_run("c", runs_dir=store)
    return store


def sweep(cases, scenario, store, prepare, check, action, first):
    """Meddle with every n-th call of a scenario, each time from the same start; check what is left, and repeat."""
    prepare()
    report = cases.run(scenario, store)
    assert (report["error"], report["signal"]) == (None, 0)
    wanted = visible(tree(store))
    count = report["count"]
    assert count > 100
    for at in range(first, count + 1, STRIDE):
        shutil.rmtree(str(store), ignore_errors=True)
        prepare()
        report = cases.run(scenario, store, at=at, action=action)
        assert report["signal"] in (0, signal.SIGKILL), at
        left = visible(tree(store)) if store.exists() else {}
        check(left, wanted, at)
        again = cases.run(scenario, store)
        assert (again["error"], again["signal"]) == (None, 0), at
        assert visible(tree(store)) == wanted, at
        assert left_folders(store) == [], at
    shutil.rmtree(str(store))


def no_half_runs(left, wanted, at):
    """Every run that is there is whole: all of its files, with their bytes."""
    runs = {name.rsplit("/meta.yaml", 1)[0] for name in left if name.endswith("/meta.yaml")}
    for run in runs:
        there = {name: data for name, data in left.items() if name.startswith(run + "/") or name == run}
        whole = {name: data for name, data in wanted.items() if name.startswith(run + "/")}
        if "/" in run:
            assert there == whole, at
    for name, data in left.items():
        assert wanted.get(name) == data, at


ACTIONS = ["kill", "killed", str(errno.ENOSPC), str(errno.EIO)]


@pytest.mark.parametrize("action", ACTIONS)
def test_h25_a_merge_brings_each_run_whole_or_not_at_all(cases, tmp_path, action):
    source, store = theirs(tmp_path), tmp_path / "store"
    before = tree(source)
    sweep(cases, "merged_store", store, lambda: None, no_half_runs, action, 1 + ACTIONS.index(action))
    assert tree(source) == before


@pytest.mark.parametrize("action", ACTIONS)
def test_h25_a_run_that_grows_by_a_merge_is_always_a_state_that_it_once_had(cases, tmp_path, action):
    source, store = str(tmp_path / "theirs"), tmp_path / "store"
    run = Run(run_id="r", runs_dir=source)
    run.log_metric("loss", 0.5, step=0)
    run.log_param("lr", 0.1)
    start = tmp_path / "start"
    shutil.copytree(source, str(start))
    run.log_metric("loss", 0.25, step=1)
    run.log_param("lr", 0.2)
    joiner = Run(run_id="r", runs_dir=source)
    joiner.log_metric("rank", 1.0, step=0)
    joiner.end()
    run.end()
    earlier = tree(start)

    def check(left, wanted, at):
        for name, data in left.items():
            assert data in (wanted.get(name), earlier.get(name)), at
        assert set(earlier) <= set(left), at
        shares = {name.split("/")[3] for name in left if name.startswith("0/r/writers/")}
        for share in shares:
            inside = "0/r/writers/%s/" % share
            assert [name for name in wanted if name.startswith(inside) and name not in left] == [], at
        if meta.read_meta(str(store / "0" / "r" / "meta.yaml"))["status"] == "FINISHED":
            assert left["0/r/metrics/loss.json"] == wanted["0/r/metrics/loss.json"], at

    sweep(cases, "merged_store", store, lambda: shutil.copytree(str(start), str(store)), check, action, 2)
    assert folders.read_meta(os.path.join(source, "0", "r"))[0]["status"] == "FINISHED"


@pytest.mark.parametrize("action", ACTIONS)
def test_h25_an_import_brings_each_run_whole_or_not_at_all(cases, tmp_path, action):
    shutil.copytree(str(GOLDEN), str(tmp_path / "theirs"))
    before = tree(tmp_path / "theirs")

    def check(left, wanted, at):
        runs = {name.rsplit("/meta.yaml", 1)[0] for name in left if name.endswith("/meta.yaml") and name.count("/") > 1}
        for run in runs:
            there = {name for name in left if name.startswith(run + "/")}
            assert there == {name for name in wanted if name.startswith(run + "/")}, at

    store = tmp_path / "store"
    report = cases.run("imported_store", store)
    assert (report["error"], report["signal"]) == (None, 0)
    wanted, count = visible(tree(store)), report["count"]
    for at in range(1 + ACTIONS.index(action), count + 1, STRIDE * 2):
        shutil.rmtree(str(store), ignore_errors=True)
        report = cases.run("imported_store", store, at=at, action=action)
        assert report["signal"] in (0, signal.SIGKILL), at
        check(visible(tree(store)) if store.exists() else {}, wanted, at)
        again = cases.run("imported_store", store)
        assert (again["error"], again["signal"]) == (None, 0), at
        assert set(visible(tree(store))) == set(wanted), at
        assert left_folders(store) == [], at
    assert tree(tmp_path / "theirs") == before


@pytest.mark.parametrize("action", ACTIONS)
def test_h25_an_export_to_mlflow_brings_each_run_whole_or_not_at_all(cases, tmp_path, action):
    theirs(tmp_path)
    sweep(cases, "exported_store", tmp_path / "store", lambda: None, no_half_runs, action, 3)
