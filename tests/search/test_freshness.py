"""What has changed in the store: is it found by the next search, and at what cost?"""

import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import time
import warnings

import pytest
from indexed_store import IndexedStore, copy_run, give_coarse_clock, replace

import mini_mlflow
from mini_mlflow import Run, StorageWarning, active, merging, storage
from mini_mlflow.check import stores
from mini_mlflow.compat import mlflow
from mini_mlflow.index import fingerprints, place, refreshing, summarising
from mini_mlflow.index.database import Database
from mini_mlflow.search import scanning
from mini_mlflow.store import amending, machine


@pytest.fixture
def store(tmp_path, monkeypatch):
    active.reset()
    yield IndexedStore(tmp_path / "mlruns", monkeypatch)
    active.reset()


def names(runs):
    return [run.info.run_id for run in runs]


def test_what_is_settled_is_not_read_again(store):
    for number in range(5):
        store.make(f"r{number}", lr=number)
    assert store.ask() == store.files()
    assert store.read == ["r0", "r1", "r2", "r3", "r4"]
    store.settle()
    assert store.ask() == store.files()
    assert store.read == []


def test_a_run_that_was_just_written_is_read_once_more_after_a_tick(store):
    """Attack H24: of two changes within one tick of the disk's clock the second shows in nothing."""
    store.make("a")
    store.ask()
    store.wait(500)
    store.ask()
    assert store.read == []
    store.wait()
    store.ask()
    assert store.read == ["a"]
    store.wait()
    store.ask()
    assert store.read == []


def test_a_run_that_changed_long_ago_is_sure_at_once(store):
    store.make("a")
    store.wait(fingerprints.RECENT_MS + 1000)
    store.ask()
    store.wait()
    store.ask()
    assert store.read == []


def test_h24_the_second_of_two_changes_within_one_tick_is_seen_by_the_second_search(store, monkeypatch):
    give_coarse_clock(monkeypatch, store)
    store.make("a", lr=1)
    store.wait()
    store.ask()
    path = store.path("0", "a", "params", "lr.json")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:  # in place, and within the tick: the inode stays, too
        file.write(text.replace('"value": 1', '"value": 2'))
    store.wait()
    assert store.ask()[0].data.params == {"lr": 2}


def test_h24_a_file_replaced_by_an_older_one_of_the_same_size_is_seen(store):
    store.make("a", lr=1)
    store.settle()
    path = store.path("0", "a", "params", "lr.json")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    replace(path, text.replace('"value": 1', '"value": 2'))
    os.utime(path, (1, 1))
    os.utime(os.path.dirname(path), (1, 1))
    assert store.ask()[0].data.params == {"lr": 2}
    os.utime(os.path.dirname(path), (2, 2))
    assert store.ask() == store.files()


def edit_in_place(path, old, new):
    with open(path, "r+", encoding="utf-8") as file:
        text = file.read()
        assert old in text
        file.seek(0)
        file.write(text.replace(old, new))
        file.truncate()


def test_a_file_of_an_ended_run_edited_in_place_is_found_by_refresh(store):
    store.make("a", lr=1)
    store.settle()
    edit_in_place(store.path("0", "a", "params", "lr.json"), '"value": 1', '"value": 2')
    assert store.ask()[0].data.params == {"lr": 1}  # as docs/searching.md says
    assert store.ask(is_refreshed=True)[0].data.params == {"lr": 2}
    assert store.ask()[0].data.params == {"lr": 2}
    store.ask(is_refreshed=True)
    store.wait()
    store.ask(is_refreshed=True)
    assert store.ask(is_refreshed=True) == store.files()
    assert store.read == []  # every file was looked at, and none read


CHANGES = {
    "a param replaced by hand": lambda store: replace(
        store.path("0", "b", "params", "lr.json"), '{"key": "lr", "value": 7, "timestamp": 1}'
    ),
    "a param added by hand": lambda store: replace(
        store.path("0", "b", "params", "new.json"), '{"key": "new", "value": 7, "timestamp": 1}'
    ),
    "a metric removed by hand": lambda store: os.unlink(store.path("0", "b", "metrics", "loss.json")),
    "tags removed by hand": lambda store: shutil.rmtree(store.path("0", "b", "params")),
    "a run removed by hand": lambda store: shutil.rmtree(store.path("0", "b")),
    "a run copied by hand": lambda store: copy_run(store.path("0", "b"), store.path("0", "d")),
    "a run renamed by hand": lambda store: os.rename(store.path("0", "b"), store.path("0", "z")),
    "a run that was put back": lambda store: (
        shutil.move(store.path("0", "b"), store.path("..", "b")),
        store.ask(),
        shutil.move(store.path("..", "b"), store.path("0", "b")),
    ),
    "meta.yaml broken by hand": lambda store: replace(store.path("0", "b", "meta.yaml"), "format: [\n"),
    "a tag": lambda store: tag(store, "b"),
    "a name": lambda store: mini_mlflow.rename_run("b", "other", runs_dir=store.folder),
    "a run deleted": lambda store: mini_mlflow.delete_run("b", runs_dir=store.folder),
    "a run resumed": lambda store: resume(store, "b"),
    "metadata of 0.1.0's functions": lambda store: storage.save_metadata("b", 0, {"name": "by hand"}, store.folder),
    "a param of 0.1.0's functions": lambda store: storage.save_param("b", 0, "late", 3, store.folder),
    "a run created": lambda store: store.make("e"),
    "the whole experiment removed": lambda store: shutil.rmtree(store.path("0")),
}


def tag(store, run_id):
    mlflow.set_tracking_uri(store.folder)
    mlflow.MlflowClient().set_tag(run_id, "team", "vision")


def resume(store, run_id):
    with Run(run_id=run_id, runs_dir=store.folder) as run:
        run.log_metric("acc", 0.5)
        assert store.ask() == store.files()


@pytest.mark.filterwarnings("ignore::mini_mlflow.StorageWarning")
@pytest.mark.parametrize("name", sorted(CHANGES))
def test_a_change_is_found_by_the_next_search(store, name):
    for run_id in "abc":
        store.make(run_id)
    store.settle()
    before = store.files()
    CHANGES[name](store)
    after = store.files()
    assert after != before or name == "a run that was put back"
    assert store.ask() == after
    store.settle()
    assert store.ask() == after


OURS = ["a tag", "a name", "a run resumed", "metadata of 0.1.0's functions", "a param of 0.1.0's functions"]


@pytest.mark.parametrize("name", OURS)
def test_x1_what_we_change_in_an_ended_run_is_found_without_a_look_at_all_runs(store, monkeypatch, name):
    """Rule X1: the time of the experiment's folder tells."""
    monkeypatch.setattr(refreshing, "SWEEP_S", -1)
    monkeypatch.setattr(refreshing, "CONFIRM_S", -1)
    for run_id in "abc":
        store.make(run_id)
    store.settle()
    CHANGES[name](store)
    assert store.ask() == store.files()


def test_x1_a_tag_taken_away_and_a_joiner_are_found_without_a_look_at_all_runs(store, monkeypatch):
    monkeypatch.setattr(refreshing, "SWEEP_S", -1)
    monkeypatch.setattr(refreshing, "CONFIRM_S", -1)
    store.make("a")
    tag(store, "a")
    store.settle()
    mlflow.MlflowClient().delete_tag("a", "team")
    assert store.ask() == store.files()
    assert "team" not in store.ask()[0].data.tags


def extend(store, run_id):
    """Merge a copy into which values were logged elsewhere."""
    elsewhere = store.folder + " elsewhere"
    shutil.copytree(store.folder, elsewhere, copy_function=shutil.copy2)
    with Run(run_id=run_id, runs_dir=elsewhere) as run:
        run.log_metric("acc", 0.75)
        run.log_param("more", 1)
    merging.merge(elsewhere, store.folder)


def mend(store, run_id):
    """Cut a file of a metric short as a full disk does, and let it be repaired."""
    path = store.path("0", run_id, "metrics", "loss.json")
    with open(path, "rb+") as file:
        file.truncate(os.path.getsize(path) - 2)
    stores.repair_store(store.folder)


def add_row(store, run_id):
    storage.save_metric(run_id, 0, "loss", 0.125, runs_dir=store.folder)


@pytest.mark.parametrize("change", [extend, mend, add_row])
def test_x1_what_changes_within_the_folders_of_an_ended_run_is_found_by_a_look_at_it_alone(store, monkeypatch, change):
    monkeypatch.setattr(refreshing, "SWEEP_S", -1)
    monkeypatch.setattr(refreshing, "CONFIRM_S", -1)
    for run_id in "abc":
        store.make(run_id)
    store.settle()
    change(store, "b")
    looked_at, look = [], fingerprints.look_at_folders
    with monkeypatch.context() as patch:
        patch.setattr(fingerprints, "look_at_folders", lambda folder: looked_at.append(folder) or look(folder))
        found = store.ask()
    assert found == store.files()
    assert set(looked_at) == {store.path("0", "b")}


def test_what_others_change_is_found_where_it_is_shown_after_something_else_was_changed(store, monkeypatch):
    for number in range(5):
        store.make(f"r{number}")
    store.settle()
    monkeypatch.setattr(refreshing.Refresher, "_sweep", lambda self: None)
    tag(store, "r1")
    replace(store.path("0", "r3", "params", "lr.json"), '{"key": "lr", "value": 9, "timestamp": 1}')
    assert store.ask() == store.files()


def test_what_others_change_in_a_settled_experiment_is_found_where_it_is_shown(store, monkeypatch):
    """The sweep has not come by yet."""
    for number in range(5):
        store.make(f"r{number}")
    store.settle()
    monkeypatch.setattr(refreshing.Refresher, "_sweep", lambda self: None)
    replace(store.path("0", "r3", "params", "lr.json"), '{"key": "lr", "value": 9, "timestamp": 1}')

    def lr(table):
        return table.column("params", "lr")

    assert scanning.ask(store.folder, [0], ["active"], lr) == [0.1] * 5
    assert store.ask() == store.files()
    assert store.read == ["r3"]
    assert sorted(scanning.ask(store.folder, [0], ["active"], lr)) == [0.1] * 4 + [9]


def test_the_sweep_comes_by_every_run_though_each_search_does_only_some(store, monkeypatch):
    count = 12
    for number in range(count):
        store.make(f"r{number:02d}")
    store.settle()
    monkeypatch.setattr(refreshing, "_FEW", 1)
    replace(store.path("0", "r07", "params", "lr.json"), '{"key": "lr", "value": 9, "timestamp": 1}')
    clock = iter(range(100000))
    monkeypatch.setattr(refreshing, "monotonic", lambda: next(clock))
    monkeypatch.setattr(refreshing, "SWEEP_S", 3)
    monkeypatch.setattr(refreshing, "CONFIRM_S", 3)

    def lr(table):
        return table.column("params", "lr")

    searches = 0
    while 9 not in scanning.ask(store.folder, [0], ["active"], lr):
        searches += 1
        assert searches <= count
    assert searches > 1


def test_a_live_run_is_found_as_it_stands(store):
    run = Run(run_id="live", runs_dir=store.folder)
    store.make("done")
    for step in range(3):
        run.log_metric("loss", step / 10)
        assert store.ask() == store.files()
        assert store.ask()[1].data.metrics == {"loss": step / 10}
    store.wait()
    run.log_metric("loss", 9)
    assert store.ask()[1].data.metrics == {"loss": 9}
    run.end()
    assert store.ask() == store.files()
    assert store.ask()[1].info.status == "FINISHED"


def test_a_run_whose_process_died_is_lost_though_no_file_has_changed(store):
    code = """\
        import os, sys
        from mini_mlflow import Run
        run = Run(run_id="dies", runs_dir=sys.argv[1])
        run.log_metric("loss", 1)
        print("ready", flush=True)
        sys.stdin.read()
        os._exit(1)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), store.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        child.stdout.readline()
        for _ in range(3):
            assert store.ask()[0].info.status == "RUNNING"
            store.wait()
        child.kill()
    assert store.ask()[0].info.status == "LOST"
    store.settle()
    assert store.ask() == store.files()
    assert store.read == []


def test_a_folder_that_becomes_a_run_later_is_found_then(store):
    store.make("a")
    os.makedirs(store.path("0", "late", "params"))
    store.settle()
    assert names(store.ask()) == ["a"]
    shutil.copy(store.path("0", "a", "meta.yaml"), store.path("0", "late", "meta.yaml"))
    assert names(store.ask()) == ["a", "late"]
    assert store.ask() == store.files()


def test_a_broken_run_is_told_by_every_search_and_found_once_it_is_mended(store):
    store.make("a")
    store.make("b")
    path = store.path("0", "b", "meta.yaml")
    with open(path, encoding="utf-8") as file:
        whole = file.read()
    edit_in_place(path, "format: 1", "format: [")
    for _ in range(4):
        with pytest.warns(StorageWarning, match="1 run cannot be read in full; the first: .*b"):
            assert names(store.ask()) == ["a"]
        store.wait()
    with open(path, "w", encoding="utf-8") as file:
        file.write(whole)
    assert names(store.ask()) == ["a", "b"]


def test_deleted_runs_are_those_of_the_trash(store):
    for run_id in "abc":
        store.make(run_id)
    store.settle()
    mini_mlflow.delete_run("b", runs_dir=store.folder)
    for _ in range(2):
        assert names(store.ask(stages=["deleted"])) == ["b"]
        assert store.ask(stages=["active", "deleted"]) == store.files(stages=["active", "deleted"])
        assert names(store.ask()) == ["a", "c"]
    mini_mlflow.restore_run("b", runs_dir=store.folder)
    assert store.ask(stages=["deleted"]) == []
    assert names(store.ask()) == ["a", "b", "c"]
    mini_mlflow.delete_run("b", runs_dir=store.folder)
    mini_mlflow.gc(runs_dir=store.folder)
    assert store.ask(stages=["deleted"]) == []


def test_a_store_that_is_moved_or_copied_has_an_index_of_its_own(store, tmp_path):
    store.make("a")
    store.settle()
    copy_run(store.folder, str(tmp_path / "copy"))
    os.rename(store.folder, str(tmp_path / "moved"))
    assert store.ask() == []
    for name in ("copy", "moved"):
        runs = mini_mlflow.search_runs(output_format="list", runs_dir=tmp_path / name)
        assert [run.info.artifact_uri for run in runs] == [str(tmp_path / name / "0" / "a" / "artifacts")]


def test_a_clock_that_goes_back_costs_a_read_and_nothing_else(store):
    store.make("a")
    store.settle()
    store.make("b")
    store.ask()
    store.later_ms -= 86400_000
    assert store.ask() == store.files()
    store.settle()


@pytest.mark.parametrize("harm", ["removed", "cut", "garbage", "a folder"])
def test_an_index_that_is_harmed_between_two_searches_is_made_anew(store, harm):
    for run_id in "abc":
        store.make(run_id)
    store.settle()
    path = place.find_place(store.folder)
    if harm == "cut":
        os.truncate(path, os.path.getsize(path) // 2)
    elif harm == "garbage":
        with open(path, "r+b") as file:
            file.seek(5000)
            file.write(os.urandom(8000))
    else:
        os.unlink(path)
        if harm == "a folder":
            os.mkdir(path)
    assert store.ask() == store.files()
    if harm != "a folder":
        store.settle()


def test_without_sqlite_the_files_are_read(store, monkeypatch):
    """Attack H27."""
    store.make("a")
    monkeypatch.setattr(place, "is_available", lambda: False)
    assert store.ask() == store.files()


def test_an_index_that_another_process_keeps_locked_is_done_without(store):
    store.make("a")
    store.settle()
    other = sqlite3.connect(place.find_place(store.folder), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    store.make("b")
    assert store.ask() == store.files()
    other.close()


def test_what_histories_come_to_is_read_once(store, monkeypatch):
    for run_id in "abc":
        store.make(run_id)
    store.settle()
    read = []
    find = summarising.find_summary
    monkeypatch.setattr(summarising, "find_summary", lambda *given: read.append(given[1]) or find(*given))

    def best(table):
        return table.summary_column("max", "loss"), table.summary_column("min_step", "loss", [0])

    for _ in range(3):
        assert scanning.ask(store.folder, [0], ["active"], best) == ([0.5] * 3, [1, None, None])
    assert read == ["a", "b", "c", "a"]  # the second of one question does not know of the first
    with Run(run_id="b", runs_dir=store.folder) as run:
        run.log_metric("loss", 4)
    assert sorted(scanning.ask(store.folder, [0], ["active"], best)[0]) == [0.5, 0.5, 4]


def test_runs_of_mlflow_and_of_0_1_0_are_looked_at_file_by_file(store):
    golden = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden")
    shutil.copytree(os.path.join(golden, "format-0"), store.path("..", "old"))
    store.folder = store.path("..", "old")
    ids = sorted(name for name in os.listdir(store.folder) if name.isdigit())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StorageWarning)
        store.settle(ids)
        with open(store.path("0", "finished", "params", "big.json"), "w", encoding="utf-8") as file:
            file.write('{"value": "changed in place"}')
        changed = [run.info.run_id for run in store.ask(ids) if run.data.params.get("big") == "changed in place"]
        assert changed == ["finished"]
        assert store.ask(ids) == store.files(ids)


def test_a_store_that_only_reads_has_an_index_too(store):
    store.make("a")
    folders = [store.folder, store.path("0"), store.path("0", "a")]
    for folder in folders:
        os.chmod(folder, 0o555)
    try:
        store.settle()
        assert os.path.exists(place.find_place(store.folder))
    finally:
        for folder in folders:
            os.chmod(folder, 0o755)


# Where the disk or other processes are in the way ---------------------------------------------------------------------


def test_an_experiment_that_cannot_be_listed_once_loses_none_of_its_runs(store, monkeypatch, recwarn):
    store.make("a")
    store.settle()
    store.make("b")  # so that the folder looks other than before
    scandir = os.scandir

    def refuse(path):
        if str(path) == store.path("0"):
            raise OSError(5, "Input/output error", path)
        return scandir(path)

    monkeypatch.setattr("mini_mlflow.index.reading.os.scandir", refuse)
    assert names(store.ask()) == ["a"]
    assert any("Cannot read" in str(each.message) for each in recwarn)
    monkeypatch.setattr("mini_mlflow.index.reading.os.scandir", scandir)
    assert names(store.ask()) == ["a", "b"]


def test_an_experiment_that_cannot_be_looked_at_once_keeps_what_is_known(store, monkeypatch):
    store.make("a")
    store.settle()

    def refuse(folder):
        raise OSError(116, "Stale file handle", folder)

    with monkeypatch.context() as patches, pytest.warns(StorageWarning, match="Stale file handle"):
        patches.setattr(fingerprints, "look_at_experiment", refuse)
        assert names(store.ask()) == ["a"]
    assert store.ask() == store.files()


def test_a_run_that_cannot_be_looked_at_is_told_and_the_others_are_found(store, monkeypatch):
    store.make("a")
    store.make("b")
    look = fingerprints.look_at_folders

    def refuse(folder):
        if folder.endswith("b"):
            raise PermissionError(13, "Permission denied", folder)
        return look(folder)

    with monkeypatch.context() as patches, pytest.warns(StorageWarning, match="1 run cannot be read"):
        patches.setattr(fingerprints, "look_at_folders", refuse)
        assert names(store.ask()) == ["a"]
    assert store.ask() == store.files()


@pytest.mark.parametrize("start", ["2026-13-41T00:00:00.000000Z", "0000-01-01T00:00:00.000000Z"])
def test_b04_a_time_that_no_calendar_has_stops_no_search(store, start):
    store.make("a")
    store.make("b")
    path = store.path("0", "b", "meta.yaml")
    with open(path, encoding="utf-8") as file:
        lines = [line if not line.startswith("start_time") else 'start_time: "%s"\n' % start for line in file]
    replace(path, "".join(lines))
    assert "a" in names(store.ask())
    assert store.ask() == store.files()


def test_a_run_that_another_process_finds_gone_costs_no_index(store, monkeypatch):
    for run_id in "abc":
        store.make(run_id)
    store.settle()
    remade = []
    monkeypatch.setattr("mini_mlflow.index.database.Database.remake", lambda self: remade.append(1))
    asked = []

    def question(table):
        found = table.runs(range(table.count))
        if not asked:
            asked.append(1)
            table.close()
            shutil.rmtree(store.path("0", "b"))
            assert names(scanning.ask(store.folder, [0], ["active"], lambda other: other.runs(range(other.count))))
        return found

    found = scanning.ask(store.folder, [0], ["active"], question)
    assert sorted(names(found)) == ["a", "c"]
    assert remade == []


def test_a_process_that_read_before_a_change_does_not_hide_it_from_others(store, monkeypatch):
    """It was slower than one that read after it, and may not write over what that noted."""
    monkeypatch.setattr(refreshing, "SWEEP_S", -1)
    monkeypatch.setattr(refreshing, "CONFIRM_S", -1)
    store.make("a")
    store.settle()
    place_of_index = place.find_place(store.folder)
    with Database(place_of_index) as slow, Database(place_of_index) as fast:
        (known,) = slow.state_rows("0")
        old = slow.entries([known[0]])[0], known[4]._replace(read_at_ms=known[4].read_at_ms + 1)
        mini_mlflow.rename_run("a", "new", runs_dir=store.folder)
        refreshing.Refresher(fast, store.folder, known[4].read_at_ms + 10).refresh(["0"], ["active"])
        slow.replace([(known, old)])
        (row,) = fast.state_rows("0")
        assert fast.entries([row[0]])[0].attributes["run_name"] == "new"


def test_what_is_added_to_an_ended_run_while_its_lock_is_held_is_found_though_no_folder_changes(store):
    store.make("a")
    store.settle()
    with amending.amended(store.path("0", "a"), active.pool()) as opened:
        for value in range(3):
            opened.writer.write_row("loss", str(10.0 + value), None, None, int(time.time() * 1000))
            assert store.ask()[0].data.metrics["loss"] == 10.0 + value
            store.wait()
    assert store.ask() == store.files()


def test_a_disk_without_times_of_folders_is_listed_by_every_search(store, monkeypatch):
    monkeypatch.setattr(machine, "has_folder_times", lambda device: False)
    monkeypatch.setattr(fingerprints, "look_at_experiment", lambda folder: fingerprints.Look(b"x" * 12, 0))
    store.make("a")
    for _ in range(3):
        store.ask()
        store.wait()
    store.make("b")
    assert names(store.ask()) == ["a", "b"]


def test_leftovers_are_not_walked_through(store, monkeypatch):
    """As MLflow's own ``traces`` and ``models``, which may hold very many files."""
    store.make("a")
    os.makedirs(store.path("0", "traces", "deep", "deeper"))
    walked = []
    look = fingerprints.look_at_files
    monkeypatch.setattr(fingerprints, "look_at_files", lambda folder: walked.append(folder) or look(folder))
    store.settle()
    assert walked == []
