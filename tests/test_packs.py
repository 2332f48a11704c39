"""Do runs in packs read as they did, and are all others left as they are?"""

import contextlib
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import warnings

import pytest

import mini_mlflow
from mini_mlflow import (
    ExperimentTracker,
    InvalidValueError,
    PackResult,
    Run,
    RunNotFoundError,
    StorageWarning,
    artifacts,
)
from mini_mlflow.compat import mlflow
from mini_mlflow.packs import pack, unpack
from mini_mlflow.store import (
    columns,
    experiments,
    following,
    machine,
    packed,
    packing,
    presence,
    reader,
    trash,
    unpacking,
)
from packed_runs import ended_run, packs_of, put_pack, times_below, tree_below

IDS = ["a", "b", "c"]


@pytest.fixture
def store(tmp_path):
    """A store of three runs that have ended, one of them resumed, and one of another experiment."""
    store = tmp_path / "mlruns"
    for number, run_id in enumerate(IDS):
        ended_run(store, run_id, value=float(number))
    with Run(run_id="b", experiment_id=0, runs_dir=store) as run:
        run.log_metric("loss", -1.0)
        run.log_param("lr", 0.2)
    ended_run(store, "elsewhere", 7)
    for path in store.rglob("owner.json"):  # so long ago that nobody takes a copy's owner for living
        os.utime(str(path), (1795500000, 1795500000))
    return store


def seen(store):
    """Return all that readers make of the runs of experiment 0."""
    tracker = ExperimentTracker(runs_dir=store)
    run_ids = tracker.list_runs()
    client = mlflow.MlflowClient(tracking_uri=str(store))
    found = {"list": run_ids, "search": mini_mlflow.search_runs(0, output_format="list", runs_dir=store)}
    found["filter"] = [
        run.info.run_id
        for run in mini_mlflow.search_runs(
            0, "min(loss) > 0.5 and lr < 1", order_by="loss DESC", output_format="list", runs_dir=store
        )
    ]
    found["best"] = mini_mlflow.best_run("loss", experiment_ids=0, runs_dir=store)
    found["compare"] = repr(mini_mlflow.compare("a", "b", runs_dir=store))
    found["curves"] = repr(mini_mlflow.histories(run_ids, "loss", output_format="list", runs_dir=store))
    for run_id in run_ids:
        folder = reader.run_folder(str(store), 0, run_id)
        found[run_id] = (
            repr(tracker.get_run(run_id)),
            tracker.history(run_id, "loss"),
            tracker.history(run_id, "loss", latest_per_step=True),
            repr(tracker.summary(run_id, "acc")),
            reader.list_metrics(folder),
            columns.read_columns(folder, "loss", []),
            following.HistoryReader(folder, "loss").read_appended([]),
            reader.find_experiments(str(store), run_id),
            mini_mlflow.get_note(run_id, runs_dir=store),
            tracker.list_artifacts(run_id),
            tracker.list_artifacts(run_id, "notes"),
            artifacts.read_bytes(os.path.join(folder, "artifacts"), "notes/first.txt"),
            artifacts.exists(os.path.join(folder, "artifacts"), "notes"),
            artifacts.exists(os.path.join(folder, "artifacts"), "notes/second.txt"),
            repr(client.get_run(run_id)),
            client.get_metric_history(run_id, "loss"),
            client.list_artifacts(run_id, "notes"),
        )
    return found


def folders_of(store, experiment_id=0):
    return sorted(name for name in os.listdir(str(store / str(experiment_id))) if not name.startswith("."))


# What reads ---------------------------------------------------------------------------------------------------------


def test_every_reader_finds_in_a_pack_what_it_found_in_the_folders_and_unpacking_brings_back_every_byte(store):
    """Rules Z1, Z4 and Z6."""
    before, tree, times = seen(store), tree_below(store), times_below(store)
    result = pack(runs_dir=store)
    assert sorted(result.run_ids) == IDS
    assert (result.experiment_id, result.passed_over, result.packs) == (0, [], packs_of(store))
    assert folders_of(store) == ["meta.yaml"]
    assert seen(store) == before
    assert result.pack_bytes == os.path.getsize(result.packs[0])
    back = unpack(runs_dir=store)
    assert (sorted(back.run_ids), back.packs, back.passed_over) == (IDS, result.packs, [])
    assert (back.size_bytes, back.pack_bytes) == (result.size_bytes, result.pack_bytes)
    assert tree_below(store) == tree
    assert times_below(store) == times
    assert seen(store) == before


def test_the_pack_is_named_after_its_first_run_the_oldest(store):
    """Rule Z1."""
    (path,) = pack(runs_dir=store).packs
    assert os.path.dirname(path) == str(store / "0" / ".packs")
    name = os.path.basename(path)
    assert name.startswith("a-")
    assert len(name) == len("a-0123456789abcdef.zip")


def test_runs_in_packs_are_searched_without_the_index_too(store, monkeypatch):
    before = mini_mlflow.search_runs(0, output_format="list", runs_dir=store)
    pack(runs_dir=store)
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    monkeypatch.setenv("HOME", "/dev/null")
    assert mini_mlflow.search_runs(0, output_format="list", runs_dir=store) == before


def test_a_pack_reads_the_same_after_the_store_was_copied(store, tmp_path):
    """Rule S1."""
    import shutil

    pack(runs_dir=store)
    before = seen(store)
    shutil.copytree(str(store), str(tmp_path / "copy"))
    after = seen(tmp_path / "copy")
    assert after["list"] == before["list"]
    assert [after[run_id][:4] for run_id in IDS] == [before[run_id][:4] for run_id in IDS]


def test_artifacts_of_a_packed_run_are_copied_out_and_a_path_to_one_unpacks_its_run(store, tmp_path):
    """Rule Z4."""
    pack(runs_dir=store)
    root = os.path.join(str(store), "0", "a", "artifacts")
    artifacts.download(root, None, tmp_path / "out")
    assert (tmp_path / "out" / "notes" / "first.txt").read_text() == "content of a"
    assert artifacts.sweep(root) == 0
    assert folders_of(store) == ["meta.yaml"]
    path = ExperimentTracker(runs_dir=store).artifact_path("a", "notes/first.txt")
    with open(path, encoding="utf-8") as file:
        assert file.read() == "content of a"
    assert folders_of(store) == ["a", "meta.yaml"]


@pytest.mark.long
def test_a_reader_that_is_at_it_while_runs_are_packed_and_unpacked_always_sees_whole_runs(store):
    """Rules Z5 and Z6."""
    expected = {run_id: repr(ExperimentTracker(runs_dir=store).get_run(run_id)) for run_id in IDS}
    rows = {run_id: ExperimentTracker(runs_dir=store).history(run_id, "loss") for run_id in IDS}
    stop, wrong, looks = threading.Event(), [], [0]

    def look():
        tracker = ExperimentTracker(runs_dir=store)
        while not stop.is_set():
            looks[0] += 1
            found = [(run_id, repr(tracker.get_run(run_id)), tracker.history(run_id, "loss")) for run_id in IDS]
            wrong.extend(each for each in found if each[1:] != (expected[each[0]], rows[each[0]]))
            if sorted(tracker.list_runs()) != IDS:
                wrong.append("list")

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(10):
            assert pack(runs_dir=store).passed_over == []
            assert unpack(runs_dir=store).passed_over == []
    finally:
        stop.set()
        thread.join()
    assert wrong == []
    assert looks[0] > 0


@pytest.mark.parametrize("change", [pack, unpack])
@pytest.mark.parametrize("is_search", [False, True])
def test_what_is_packed_or_unpacked_between_two_looks_of_a_list_is_in_it(store, monkeypatch, change, is_search):
    """Rules Z5 and Z6."""
    pack(runs_dir=store)
    ExperimentTracker(runs_dir=store).artifact_path("a", "notes/first.txt")  # is a folder again
    list_packed = presence.list_packed

    def list_late(*arguments):
        monkeypatch.setattr(presence, "list_packed", list_packed)
        change(runs_dir=store)
        return list_packed(*arguments)

    monkeypatch.setattr(presence, "list_packed", list_late)
    if is_search:
        found = [run.info.run_id for run in mini_mlflow.search_runs([0], output_format="list", runs_dir=store)]
    else:
        found = ExperimentTracker(runs_dir=store).list_runs()
    assert sorted(found) == IDS


@pytest.mark.parametrize("is_search", [False, True])
def test_a_run_that_is_unpacked_between_two_looks_for_it_is_there(store, monkeypatch, is_search):
    """Rule Z6."""
    pack(runs_dir=store)
    find = presence._find

    def find_late(run_folder):
        monkeypatch.setattr(presence, "_find", find)
        unpack(runs_dir=store)
        return find(run_folder)

    monkeypatch.setattr(presence, "_find", find_late)
    if is_search:
        found = [run.info.run_id for run in mini_mlflow.search_runs([0], output_format="list", runs_dir=store)]
        assert sorted(found) == IDS
    else:
        assert ExperimentTracker(runs_dir=store).get_run("a")["params"]["lr"] == 0.1


# What writes --------------------------------------------------------------------------------------------------------


def client_of(store):
    return mlflow.MlflowClient(tracking_uri=str(store))


def log_into(run_id, store):
    with Run(run_id=run_id, runs_dir=store) as run:
        run.log_metric("loss", 9.0)


def start_again(store):
    with mini_mlflow.start_run(run_id="a", runs_dir=store):
        mini_mlflow.log_param("p", 1)


WRITES = {
    "continue": lambda store: log_into("a", store),
    "start_run": start_again,
    "note": lambda store: mini_mlflow.set_note("text", "a", runs_dir=store),
    "rename": lambda store: mini_mlflow.rename_run("a", "new", runs_dir=store),
    "save_param": lambda store: mini_mlflow.storage.save_param("a", 0, "p", 1, store),
    "save_metric": lambda store: mini_mlflow.storage.save_metric("a", 0, "loss", 9.0, store),
    "save_metadata": lambda store: mini_mlflow.storage.save_metadata("a", 0, {"version": "v"}, store),
    "set_tag of MLflow": lambda store: client_of(store).set_tag("a", "t", "1"),
    "delete_tag of MLflow": lambda store: client_of(store).delete_tag("a", "note"),
    "log_metric of MLflow": lambda store: client_of(store).log_metric("a", "loss", 9.0),
    "log_text of MLflow": lambda store: client_of(store).log_text("a", "text", "new.txt"),
    "an artifact": lambda store: artifacts.save_bytes(os.path.join(str(store), "0", "a", "artifacts"), "x", b"1"),
    "no artifact": lambda store: artifacts.delete(os.path.join(str(store), "0", "a", "artifacts"), "empty.txt"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_who_writes_to_a_packed_run_has_it_unpacked_first_and_changes_what_he_would_have_changed(
    store, tmp_path, write
):
    """Rule Z4."""
    import shutil

    tracker = ExperimentTracker(runs_dir=store)
    shutil.copytree(str(store), str(tmp_path / "plain"))
    pack(runs_dir=store)
    write(store)
    write(tmp_path / "plain")
    assert folders_of(store) == ["a", "meta.yaml"]
    there, plain = tracker.get_run("a"), ExperimentTracker(runs_dir=tmp_path / "plain").get_run("a")
    for found in (there, plain):
        found["metadata"].pop("end_time")
        found["metadata"].pop("resumes", None)
    assert repr(there) == repr(plain)
    assert tracker.list_artifacts("a") == ExperimentTracker(runs_dir=tmp_path / "plain").list_artifacts("a")
    assert sorted(tracker.list_runs()) == IDS
    again = pack(runs_dir=store)
    assert (again.run_ids, again.passed_over) == (["a"], [])
    after = tracker.get_run("a")
    assert (repr(after["params"]), repr(after["metrics"])) == (repr(there["params"]), repr(there["metrics"]))


def test_a_packed_run_that_is_deleted_lies_in_the_trash_and_not_in_its_pack(store):
    """Rules T1 and Z4."""
    pack(runs_dir=store)
    tracker = ExperimentTracker(runs_dir=store)
    mini_mlflow.delete_run("a", runs_dir=store)
    assert sorted(tracker.list_runs()) == ["b", "c"]
    with pytest.raises(RunNotFoundError):
        tracker.get_run("a")
    mini_mlflow.restore_run("a", runs_dir=store)
    assert sorted(tracker.list_runs()) == IDS
    mini_mlflow.delete_run("a", runs_dir=store)
    mini_mlflow.gc(runs_dir=store)
    assert sorted(tracker.list_runs()) == ["b", "c"]
    assert pack(runs_dir=store).run_ids == []
    assert sorted(tracker.list_runs()) == ["b", "c"]


def test_a_run_is_not_restored_over_one_that_lies_in_a_pack(store):
    """Rule T2."""
    mini_mlflow.delete_run("a", runs_dir=store)
    ended_run(store, "a", value=5.0)
    pack(runs_dir=store)
    with pytest.raises(mini_mlflow.RunExistsError):
        mini_mlflow.restore_run("a", runs_dir=store)
    assert trash.find_deleted(str(store), "a") == [0]


def test_a_run_that_is_started_anew_under_another_id_looks_into_no_pack(store, monkeypatch):
    pack(runs_dir=store)
    from mini_mlflow.store import zip_reading

    monkeypatch.setattr(zip_reading, "open_archive", lambda path: pytest.fail("it was opened"))
    with Run(runs_dir=store, experiment_id=0) as run:
        run.log_metric("loss", 1)


def test_twenty_threads_that_go_on_with_one_packed_run_lose_nothing(store):
    """Rule Z6."""
    pack(runs_dir=store)
    folder = os.path.join(str(store), "0", "a")
    done = []
    threads = [threading.Thread(target=lambda: done.append(unpacking.unpack_run(folder))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False] * 19 + [True]
    assert folders_of(store) == ["a", "meta.yaml"]
    assert sorted(ExperimentTracker(runs_dir=store).list_runs()) == IDS


# What is passed over ------------------------------------------------------------------------------------------------


def reasons(result):
    return {
        os.path.relpath(problem.path).split(os.sep + "0" + os.sep)[-1].split(os.sep)[0]: problem.reason
        for problem in result.passed_over
    }


def test_what_lives_is_lost_or_was_written_by_others_is_passed_over_and_told(store):
    """Rule Z7."""
    live = Run(run_id="live", experiment_id=0, runs_dir=store)
    lost = Run(run_id="lost", experiment_id=0, runs_dir=store)
    lost.writer.release()
    folder = store / "0"
    for run_id, text in (
        ("old", "run_id: old\nstatus: FINISHED\n"),
        ("theirs", "run_uuid: theirs\nartifact_uri: file:///x\nlifecycle_stage: active\nstatus: 3\n"),
        ("unsigned", 'format: 1\nrun_id: "unsigned"\nstatus: "FINISHED"\n'),
        ("newer", 'format: 99\nrun_id: "newer"\nstatus: "FINISHED"\n'),
        ("broken", "{{{{"),
        ("odd name", 'format: 1\nrun_id: "odd name"\nstatus: "FINISHED"\n'),
    ):
        (folder / run_id).mkdir()
        (folder / run_id / "meta.yaml").write_text(text)
    ended_run(store, "damaged")
    (folder / "damaged" / "params" / "lr.json").write_text("no JSON")
    before = tree_below(store)
    result = pack(runs_dir=store)
    assert sorted(result.run_ids) == IDS
    told = reasons(result)
    assert set(told) == {"live", "lost", "old", "theirs", "unsigned", "newer", "broken", "odd name", "damaged"}
    for run_id, words in (
        ("live", "not ended"),
        ("lost", "LOST"),
        ("old", "0.1.0"),
        ("theirs", "MLflow"),
        ("unsigned", "owner.json"),
        ("newer", "update|newer"),
        ("odd name", "id"),
        ("damaged", "cannot be read"),
    ):
        import re

        assert re.search(words, told[run_id]), (run_id, told[run_id])
    after = tree_below(store)
    for run_id in told:
        inside = {path: data for path, data in before.items() if "/%s/" % run_id in path}
        assert {path: after.get(path) for path in inside} == inside
    live.end()
    with contextlib.suppress(Exception):
        lost.end()


def test_only_what_ended_long_enough_ago_is_packed(store):
    assert pack(older_than_s=3600, runs_dir=store) == PackResult(0, [], [], [], 0, 0)
    assert sorted(pack(older_than_s=0.0, runs_dir=store).run_ids) == IDS
    for wrong in (-1, "1", True, None):
        with pytest.raises(InvalidValueError):
            pack(older_than_s=wrong, runs_dir=store)


def test_a_dry_run_tells_what_would_be_packed_or_unpacked_and_changes_nothing(store):
    before = tree_below(store)
    told = pack(dry_run=True, runs_dir=store)
    assert tree_below(store) == before
    done = pack(runs_dir=store)
    assert (sorted(told.run_ids), told.size_bytes) == (sorted(done.run_ids), done.size_bytes)
    before = tree_below(store)
    told = unpack(0, ["a"], dry_run=True, runs_dir=store)
    assert told.run_ids == ["a"]
    assert tree_below(store) == before


def test_some_runs_can_be_unpacked_alone_and_the_pack_goes_with_the_last_of_them(store):
    """Rule Z6."""
    (path,) = pack(runs_dir=store).packs
    assert unpack(0, "a", runs_dir=store).packs == []
    assert folders_of(store) == ["a", "meta.yaml"]
    assert unpack(0, ["b", "b"], runs_dir=store).run_ids == ["b"]
    assert os.path.exists(path)
    assert unpack(0, ["a", "c"], runs_dir=store).packs == [path]
    assert folders_of(store) == [*IDS, "meta.yaml"]
    assert not os.path.exists(os.path.dirname(path))
    with pytest.raises(RunNotFoundError):
        unpack(0, ["nobody"], runs_dir=store)


def test_an_experiment_can_be_named_and_must_exist(tmp_path):
    made = experiments.create(str(tmp_path), "digits", 1)
    ended_run(tmp_path, "a", made.experiment_id)
    assert pack("digits", runs_dir=tmp_path).run_ids == ["a"]
    assert unpack("digits", runs_dir=tmp_path).run_ids == ["a"]
    for act in (pack, unpack):
        with pytest.raises(mini_mlflow.ExperimentNotFoundError):
            act("nobody", runs_dir=tmp_path)


def test_without_an_experiment_it_is_the_one_that_new_runs_go_to(tmp_path, monkeypatch):
    made = experiments.create(str(tmp_path), "digits", 1)
    ended_run(tmp_path, "a", made.experiment_id)
    monkeypatch.setenv("MINI_MLFLOW_DIR", str(tmp_path))
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "digits")
    assert pack().run_ids == ["a"]
    assert unpack().run_ids == ["a"]
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "nobody")
    for act in (pack, unpack):
        with pytest.raises(mini_mlflow.ExperimentNotFoundError):
            act()
    assert not experiments.find(str(tmp_path), "nobody")


def test_a_pack_that_is_damaged_is_told_by_unpack(store):
    pack(runs_dir=store)
    (there,) = packs_of(store)
    os.truncate(str(there), 100)
    found = unpack(runs_dir=store)
    assert (found.run_ids, [each.path for each in found.passed_over]) == ([], [str(there)])
    assert "zip" in found.passed_over[0].reason


def test_g10_runs_of_others_and_those_that_may_not_be_removed_are_left_whole(store, monkeypatch):
    """Rule Z7."""
    before = tree_below(store)
    real = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: real + 1)
    result = pack(runs_dir=store)
    assert result.run_ids == []
    assert {problem.reason for problem in result.passed_over} == {"it belongs to another user"}
    monkeypatch.setattr(os, "geteuid", lambda: real)
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: "artifacts" not in str(path) and may(path, mode))
    result = pack(runs_dir=store)
    assert result.run_ids == []
    assert all("ermission" in problem.reason for problem in result.passed_over)
    assert tree_below(store) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do everything")
def test_g10_a_run_of_mode_000_is_left_whole(store):
    """Rule Z7."""
    os.chmod(str(store / "0" / "a"), 0)
    try:
        assert sorted(pack(runs_dir=store).run_ids) == ["b", "c"]
    finally:
        os.chmod(str(store / "0" / "a"), 0o755)


def test_g10_a_run_that_is_alive_elsewhere_is_left_whole(store, monkeypatch):
    """Rule Z7: its status was written, and a process on another machine logs beside it still."""
    from mini_mlflow.store import unowned

    def refuse(folder, run_id, what, **more):
        if run_id == "a":
            raise mini_mlflow.ActiveRunError("Run a is being written by process 1 on elsewhere", run_id=run_id)

    monkeypatch.setattr(unowned, "refuse_if_written", refuse)
    result = pack(runs_dir=store)
    assert sorted(result.run_ids) == ["b", "c"]
    assert "is being written" in reasons(result)["a"]


def test_a12_links_and_what_is_no_file_keep_a_run_out_of_packs_and_nothing_behind_them_is_read(store, tmp_path):
    """Rule Z7."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    os.symlink(str(outside), str(store / "0" / "a" / "artifacts" / "out"))
    os.symlink(".", str(store / "0" / "b" / "artifacts" / "loop"))
    params = store / "0" / "c" / "params"
    os.rename(str(params), str(tmp_path / "params"))
    os.symlink(str(tmp_path / "params"), str(params))
    os.symlink(str(store / "7" / "elsewhere"), str(store / "0" / "linked"))
    ended_run(store, "d")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        here = os.getcwd()
        os.chdir(str(store / "0" / "d" / "artifacts"))
        try:
            listener.bind("s")
        finally:
            os.chdir(here)
    ended_run(store, "e")
    result = pack(runs_dir=store)
    assert result.run_ids == ["e"]
    assert len(result.passed_over) == 5
    assert all("link" in reason for run_id, reason in reasons(result).items() if run_id != "d")
    for path in result.packs:
        with open(path, "rb") as file:
            assert b"secret" not in file.read()
    assert (outside / "secret").read_text() == "secret"


def test_a12_a_folder_of_packs_that_is_a_link_is_not_followed(store, tmp_path):
    """Rule Z4."""
    pack(runs_dir=store)
    os.rename(str(store / "0" / ".packs"), str(tmp_path / "away"))
    os.symlink(str(tmp_path / "away"), str(store / "0" / ".packs"))
    assert ExperimentTracker(runs_dir=store).list_runs() == []
    ended_run(store, "d")
    with pytest.raises(NotADirectoryError):
        pack(runs_dir=store)
    assert len(os.listdir(str(tmp_path / "away"))) == 2  # the pack and its lock
    assert folders_of(store) == ["d", "meta.yaml"]


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a14_no_byte_outside_is_packed_or_removed_while_a_folder_is_swapped_for_a_link_again_and_again(tmp_path):
    """Rule Z7."""
    store, outside = tmp_path / "mlruns", tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("SECRET OF OTHERS")
    swaps = rounds = 0
    while swaps < 10000 or rounds < 20:
        rounds += 1
        folder = ended_run(store, "r%d" % rounds)
        inside = os.path.join(folder, "artifacts", "swapped")
        os.mkdir(inside)
        with open(os.path.join(inside, "file"), "w") as file:
            file.write("content")
        reading, writing = os.pipe()
        stopping, stop = os.pipe()
        child = os.fork()
        if not child:
            count = swap_until(inside, str(outside), stopping, stop)
            os.write(writing, b"%d" % count)
            os._exit(0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                pack(runs_dir=store)
        finally:
            os.close(stop)
            os.waitpid(child, 0)
        swaps += int(os.read(reading, 100))
        for descriptor in (reading, writing, stopping):
            os.close(descriptor)
        for path in packs_of(store):
            with open(path, "rb") as file:
                assert b"SECRET OF OTHERS" not in file.read()
        assert (outside / "file").read_text() == "SECRET OF OTHERS"


def swap_until(folder, outside, stopping, stop):
    """Put a link in the place of a folder, and the folder back, again and again; return how often."""
    import select

    os.close(stop)
    count = 0
    while not select.select([stopping], [], [], 0)[0] and count < 2000:
        with contextlib.suppress(OSError):
            os.rename(folder, folder + "-kept")
            os.symlink(outside, folder)
        with contextlib.suppress(OSError):
            os.unlink(folder)
            os.rename(folder + "-kept", folder)
        count += 1
    return count


# Faults -------------------------------------------------------------------------------------------------------------


def test_a_run_that_changes_while_it_is_packed_stays_a_folder_and_counts(store, monkeypatch):
    """Rules Z4 and Z5."""
    real = packing.write_pack

    def change_after(*arguments):
        written = real(*arguments)
        log_into("a", store)
        return written

    monkeypatch.setattr(packing, "write_pack", change_after)
    result = pack(runs_dir=store)
    monkeypatch.undo()
    assert sorted(result.run_ids) == ["b", "c"]
    assert "changed meanwhile" in reasons(result)["a"]
    tracker = ExperimentTracker(runs_dir=store)
    assert tracker.history("a", "loss")[-1].value == 9.0
    mini_mlflow.delete_run("a", runs_dir=store)
    assert sorted(tracker.list_runs()) == ["b", "c"]
    mini_mlflow.restore_run("a", runs_dir=store)
    assert pack(runs_dir=store).run_ids == ["a"]
    assert tracker.history("a", "loss")[-1].value == 9.0


def test_a_pack_that_reads_back_with_another_byte_costs_no_folder(store, monkeypatch):
    """Rule Z5: a disk that flips a bit."""
    real = packing.write_pack

    def flip(*arguments):
        written = real(*arguments)
        with open(written[0], "r+b") as file:
            data = file.read()
            place = data.index(b"content of b")
            file.seek(place)
            file.write(b"X")
        return written

    before = tree_below(store)
    monkeypatch.setattr(packing, "write_pack", flip)
    result = pack(runs_dir=store)
    monkeypatch.undo()
    assert sorted(result.run_ids) == ["a", "c"]
    assert "damaged" in reasons(result)["b"]
    after = tree_below(store)
    inside = {path: data for path, data in before.items() if "/0/b" in path or path.startswith("0/b")}
    assert {path: after[path] for path in inside} == inside
    assert sorted(pack(runs_dir=store).run_ids) == ["b"]
    assert sorted(ExperimentTracker(runs_dir=store).list_runs()) == IDS


def test_a_damaged_pack_is_told_and_the_others_still_read(store):
    """Rule S4."""
    (path,) = pack(runs_dir=store).packs
    ended_run(store, "d")
    pack(runs_dir=store)
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) // 2)
    tracker = ExperimentTracker(runs_dir=store)
    with pytest.warns(StorageWarning, match="pack cannot be read"):
        assert tracker.list_runs() == ["d"]
    with pytest.warns(StorageWarning, match="pack cannot be read"):
        assert unpack(runs_dir=store).run_ids == ["d"]
    assert os.path.exists(path)


def test_a_damaged_file_in_a_pack_is_told_and_the_rest_of_the_run_reads(store):
    """Rule S4."""
    (path,) = pack(runs_dir=store).packs
    with open(path, "r+b") as file:
        data = file.read()
        place = packed.get_entry(os.path.join(path, "a", "params", "model.json"))[1].end - 1
        file.seek(place)
        file.write(bytes([data[place] ^ 1]))
    with pytest.warns(StorageWarning, match="damaged"):
        found = ExperimentTracker(runs_dir=store).get_run("a")
    assert "model" not in found["params"]
    assert found["params"]["lr"] == 0.1
    result = unpack(runs_dir=store)
    assert sorted(result.run_ids) == ["b", "c"]
    assert [problem.path for problem in result.passed_over] == [os.path.join(path, "a")]
    assert folders_of(store) == ["b", "c", "meta.yaml"]


def test_two_who_pack_at_one_time_do_not_get_in_each_others_way(store):
    """Rule Z8: the second waits, then finds nothing to do."""
    results = []
    threads = [threading.Thread(target=lambda: results.append(pack(runs_dir=store))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert sorted({run_id for result in results for run_id in result.run_ids}) == IDS
    assert folders_of(store) == ["meta.yaml"]
    assert sorted(ExperimentTracker(runs_dir=store).list_runs()) == IDS


def test_many_runs_go_into_several_packs_and_a_store_that_is_packed_twice_keeps_both(store, monkeypatch):
    """Rule Z1."""
    monkeypatch.setattr(packing, "MOST_RUNS", 2)
    result = pack(runs_dir=store)
    assert len(result.packs) == 2
    assert sorted(ExperimentTracker(runs_dir=store).list_runs()) == IDS
    ended_run(store, "d")
    assert pack(runs_dir=store).run_ids == ["d"]
    assert len(packs_of(store)) == 3
    assert sorted(unpack(runs_dir=store).run_ids) == [*IDS, "d"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_permissions_come_back_and_a_pack_of_private_files_is_private(store):
    """Rule Z2."""
    private = store / "0" / "a" / "artifacts" / "notes" / "first.txt"
    os.chmod(str(private), 0o600)
    script = store / "0" / "b" / "artifacts" / "empty.txt"
    os.chmod(str(script), 0o755)
    (path,) = pack(runs_dir=store).packs
    assert stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0
    unpack(runs_dir=store)
    assert stat.S_IMODE(os.stat(str(private)).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(str(script)).st_mode) == 0o755


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_run_that_only_its_owner_may_enter_is_so_in_its_pack_and_out_of_it(store):
    """Rules Z1 and Z2."""
    os.chmod(str(store / "0" / "a"), 0o700)
    (path,) = pack(runs_dir=store).packs
    assert stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0
    assert stat.S_IMODE(packed.state_of(os.path.join(path, "a")).st_mode) == 0o700
    found = mini_mlflow.search_runs(output_format="list", runs_dir=store)
    unpack(runs_dir=store)
    assert stat.S_IMODE(os.stat(str(store / "0" / "a")).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(str(store / "0" / "b")).st_mode) == 0o755
    assert mini_mlflow.search_runs(output_format="list", runs_dir=store) == found


def test_a_pack_of_another_program_is_read_too(tmp_path):
    """Rules Z1 and Z2."""
    folder = ended_run(tmp_path, "a")
    expected = repr(ExperimentTracker(runs_dir=tmp_path).get_run("a"))
    entries = []
    for path, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(path, name)
            with open(full, "rb") as file:
                entries.append((os.path.relpath(full, os.path.dirname(folder)), file.read()))
    put_pack(tmp_path, entries, name="a-0123456789abcdef.zip")
    import shutil

    shutil.rmtree(folder)
    assert repr(ExperimentTracker(runs_dir=tmp_path).get_run("a")) == expected


# What only one of two copies has --------------------------------------------------------------------------------------


def rows_of(store, run_id):
    return [row.value for row in ExperimentTracker(runs_dir=store).history(run_id, "loss")]


@pytest.mark.parametrize("act", [pack, unpack])
def test_what_a_pack_alone_has_of_a_run_that_is_a_folder_goes_to_the_trash(tmp_path, act):
    """Rule Z4: a store was copied, went on elsewhere, was packed there, and copied back over the first copy."""
    here, there = tmp_path / "here", tmp_path / "there"
    for store in (here, there):
        ended_run(store, "a", value=1.0)
    shutil.rmtree(str(there))
    shutil.copytree(str(here), str(there))
    with Run(run_id="a", runs_dir=there) as run:
        for value in range(5):
            run.log_metric("loss", value)
    newer = rows_of(there, "a")
    pack(0, runs_dir=there)
    shutil.copytree(str(there / "0" / ".packs"), str(here / "0" / ".packs"))
    older = rows_of(here, "a")
    assert older != newer
    act(0, runs_dir=here)
    assert rows_of(here, "a") == older
    mini_mlflow.delete_run("a", runs_dir=here)
    kept = [rows_of(here, "a") for _ in [mini_mlflow.restore_run("a", runs_dir=here)]]
    trashed = list((here / "0" / ".trash").iterdir())
    for place in trashed:
        os.rename(str(place), str(here / "0" / ("other-" + place.name)))
        kept.append(rows_of(here, "other-" + place.name))
    assert sorted(map(len, kept)) == sorted([len(older), len(newer)])
    assert newer in kept


def test_what_is_written_while_the_bytes_are_compared_keeps_the_run_a_folder(store, monkeypatch):
    """Attack H25; the writer takes no lock, such as an artifact that another process adds."""
    differs = unpacking.differs

    def compare(folder, entries, archive):
        found = differs(folder, entries, archive)
        if "r" in entries or "meta.yaml" in entries:
            path = os.path.join(folder.path, "artifacts")
            os.makedirs(path, exist_ok=True)
            with open(os.path.join(path, "late.txt"), "w", encoding="utf-8") as file:
                file.write("late")
        return found

    monkeypatch.setattr(unpacking, "differs", compare)
    result = pack(0, runs_dir=store)
    assert result.run_ids == []
    for run_id in IDS:
        assert (store / "0" / run_id / "artifacts" / "late.txt").read_text() == "late"
    monkeypatch.undo()
    assert pack(0, runs_dir=store).run_ids
    assert ExperimentTracker(runs_dir=store).list_artifacts("a")


def test_a_run_that_is_deleted_while_its_pack_is_written_stays_deleted(store, monkeypatch):
    write_pack = packing.write_pack

    def write(*given):
        written = write_pack(*given)
        mini_mlflow.delete_run("a", runs_dir=store)
        return written

    monkeypatch.setattr(packing, "write_pack", write)
    result = pack(0, runs_dir=store)
    assert "a" not in result.run_ids
    assert "a" not in ExperimentTracker(runs_dir=store).list_runs()
    mini_mlflow.restore_run("a", runs_dir=store)
    assert "a" in ExperimentTracker(runs_dir=store).list_runs()


@pytest.mark.parametrize("change", ["delete_run", "rename_run", "move_run"])
def test_who_logged_beside_and_is_gone_keeps_nobody_from_changing_what_was_packed(tmp_path, monkeypatch, change):
    monkeypatch.setattr(machine, "is_local_device", lambda device: True)
    store = str(tmp_path / "mlruns")
    beside = "import sys\nfrom mini_mlflow import Run\nRun(run_id='r', runs_dir=sys.argv[1]).log_metric('beside', 1)"
    with Run(run_id="r", runs_dir=store) as run:
        run.log_metric("loss", 1)
        subprocess.check_call([sys.executable, "-c", beside, store])
    assert pack(0, runs_dir=store).run_ids == ["r"]
    arguments = {"delete_run": [], "rename_run": ["better"], "move_run": [7]}
    ended_run(store, "elsewhere", 7)
    getattr(mini_mlflow, change)("r", *arguments[change], runs_dir=store)
    assert pack(0, runs_dir=store).passed_over == []
