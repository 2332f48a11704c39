"""Does a merge bring in what ours lacks, twice the same, and overwrite nothing?"""

import json
import os
import re
import shutil
import socket
import time
from pathlib import Path

import pytest

from kept_files import tree
from mini_mlflow import ExperimentTracker, InvalidValueError, Run, clock, create_experiment, delete_run
from mini_mlflow.merging import ADDED, GROWN, LEFT, SAME, merge
from mini_mlflow.packs import pack
from mini_mlflow.store import experiments, reader, trash
from mini_mlflow.upkeep import rename_run

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def stores(tmp_path):
    """Return two places of stores: theirs, ours."""
    return str(tmp_path / "theirs"), str(tmp_path / "ours")


def logged(store, run_id, experiment_id=0, losses=(0.5, 0.25), **more):
    """Make a run that has ended."""
    run = Run(run_id=run_id, experiment_id=experiment_id, runs_dir=store)
    for step, loss in enumerate(losses):
        run.log_metric("loss", loss, step=step)
    run.log_param("lr", 0.1)
    run.set_tag("team", "vision")
    run.log_text("weights", "model/weights.txt")
    for key, value in more.items():
        run.log_param(key, value)
    run.end()
    return os.path.join(store, str(experiment_id), run_id)


def copied(source, store, run_id="r"):
    """Copy a run to another store as rsync does: with its times."""
    folder = os.path.join(store, "0", run_id)
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    shutil.copytree(source, folder)
    shutil.copy2(os.path.join(os.path.dirname(source), "meta.yaml"), os.path.join(store, "0", "meta.yaml"))
    silence(folder)
    return folder


def silence(folder):
    """Let the last sign of life in a copy be old: until then nobody knows that its owner writes elsewhere."""
    os.utime(os.path.join(folder, "owner.json"), (1000, 1000))


def outcomes(merged):
    return {run.run_id: run.outcome for run in merged.runs}


def edit(path, change):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(change(text))


def files_of(store):
    return {path: data for path, data in tree(store).items() if data is not None and not path.endswith(".lock")}


def test_runs_that_ours_lacks_come_in_byte_for_byte_with_their_times(stores):
    theirs, ours = stores
    folder = logged(theirs, "a")
    logged(ours, "b")
    before = files_of(ours)
    merged = merge(theirs, ours)
    assert outcomes(merged) == {"a": ADDED}
    assert merged.is_whole
    assert merged.size_bytes > 0
    copy = os.path.join(ours, "0", "a")
    assert tree(copy) == tree(folder)
    for name in ("meta.yaml", "owner.json", "metrics/loss.json"):
        assert os.stat(os.path.join(copy, name)).st_mtime_ns == os.stat(os.path.join(folder, name)).st_mtime_ns
    after = files_of(ours)
    assert {path: after[path] for path in before} == before
    assert ExperimentTracker(runs_dir=ours).get_run("a")["metadata"]["status"] == "FINISHED"


def test_a_second_merge_finds_nothing_to_do(stores):
    theirs, ours = stores
    logged(theirs, "a")
    merge(theirs, ours)
    before = tree(ours)
    merged = merge(theirs, ours)
    assert (outcomes(merged), merged.experiments, merged.notes, merged.size_bytes) == ({"a": SAME}, [], [], 0)
    assert tree(ours) == before


def test_a_merge_that_only_tells_changes_nothing(stores):
    theirs, ours = stores
    logged(theirs, "a")
    logged(ours, "b")
    before = tree(ours)
    merged = merge(theirs, ours, is_dry=True)
    assert outcomes(merged) == {"a": ADDED}
    assert tree(ours) == before


def test_two_stores_merged_either_way_hold_the_same_runs(stores, tmp_path):
    theirs, ours = stores
    logged(theirs, "a")
    logged(ours, "b")
    other_way = str(tmp_path / "other")
    shutil.copytree(theirs, other_way)
    merge(ours, other_way)
    merge(theirs, ours)
    assert {path for path in files_of(ours) if not path.endswith("meta.yaml")} == {
        path for path in files_of(other_way) if not path.endswith("meta.yaml")
    }


def test_a_history_that_has_gone_on_there_replaces_its_beginning_here(stores, monkeypatch):
    theirs, ours = stores
    run = Run(run_id="r", runs_dir=theirs)
    run.log_metric("loss", 0.5, step=0)
    run.log_param("lr", 0.1)
    copied(os.path.join(theirs, "0", "r"), ours)
    run.log_metric("loss", float("nan"), step=1)
    run.log_metric("acc", 0.75, step=1)
    later_ns = time.time_ns() + 10**9
    monkeypatch.setattr(clock, "time_ns", lambda: later_ns)  # of two values of one millisecond none is the newer
    run.log_param("lr", 0.2)
    run.end()
    merged = merge(theirs, ours)
    assert outcomes(merged) == {"r": GROWN}
    assert merged.is_whole
    assert tree(os.path.join(ours, "0", "r")) == tree(os.path.join(theirs, "0", "r"))
    found = ExperimentTracker(runs_dir=ours).get_run("r")
    assert (found["params"], found["metadata"]["status"]) == ({"lr": 0.2}, "FINISHED")
    assert outcomes(merge(theirs, ours)) == {"r": SAME}


def test_a_history_that_has_gone_on_here_stays(stores):
    theirs, ours = stores
    run = Run(run_id="r", runs_dir=ours)
    run.log_metric("loss", 0.5, step=0)
    run.log_text("first", "notes.txt")
    copied(os.path.join(ours, "0", "r"), theirs)
    run.log_metric("loss", 0.25, step=1)
    run.log_param("lr", 0.2)
    run.log_text("second", "notes.txt")
    run.end()
    before = tree(os.path.join(ours, "0", "r"))
    merged = merge(theirs, ours)
    assert (outcomes(merged), merged.problems) == ({"r": SAME}, [])
    assert tree(os.path.join(ours, "0", "r")) == before


def test_a_run_resumed_in_both_stores_has_the_shares_of_both(stores):
    theirs, ours = stores
    logged(theirs, "r")
    merge(theirs, ours)
    for store, value in ((theirs, 1.0), (ours, 2.0)):
        record = os.path.join(store, "0", "r", "owner.json")
        edit(record, lambda text: re.sub('"boot_id": ".', '"boot_id": "x', text))  # written on another machine
        run = Run(run_id="r", runs_dir=store)
        run.log_metric("loss", value, step=10)
        run.end()
    merged = merge(theirs, ours)
    assert outcomes(merged) == {"r": GROWN}
    rows = [(row.step, row.value) for row in ExperimentTracker(runs_dir=ours).history("r", "loss")]
    assert sorted(rows) == [(0, 0.5), (1, 0.25), (10, 1.0), (10, 2.0)]
    assert [(run.outcome, run.reason) for run in merge(theirs, ours).runs] == [(SAME, "")]


def test_another_run_of_the_same_id_is_told_and_ours_stays(stores):
    theirs, ours = stores
    logged(theirs, "baseline", losses=[9.0])
    logged(ours, "baseline", losses=[1.0])
    before = tree(ours)
    merged = merge(theirs, ours)
    assert outcomes(merged) == {"baseline": LEFT}
    assert "another run of the same id" in merged.runs[0].reason
    assert not merged.is_whole
    assert set(tree(ours)) - set(before) == set()
    assert files_of(ours) == {path: data for path, data in before.items() if data is not None}


def test_rows_that_differ_make_a_conflict_and_nothing_of_the_run_is_taken(stores):
    theirs, ours = stores
    folder = logged(theirs, "r")
    copied(folder, ours)
    edit(os.path.join(folder, "metrics", "loss.json"), lambda text: text.replace("0.25", "0.75"))
    with open(os.path.join(folder, "params", "new.json"), "w") as file:
        file.write('{"key": "new", "value": 1, "timestamp": 1}\n')
    before = files_of(ours)
    merged = merge(theirs, ours)
    assert outcomes(merged) == {"r": LEFT}
    assert merged.problems[0].path.endswith("loss.json")
    assert files_of(ours) == before


def test_a_tag_and_an_artifact_that_differ_are_told_and_ours_stay(stores):
    theirs, ours = stores
    folder = logged(theirs, "r")
    mine = copied(folder, ours)
    edit(os.path.join(folder, "tags", "team.json"), lambda text: text.replace("vision", "language"))
    edit(os.path.join(folder, "artifacts", "model", "weights.txt"), lambda text: text + "!")
    before = files_of(ours)
    merged = merge(theirs, ours)
    assert outcomes(merged) == {"r": SAME}
    assert sorted(os.path.basename(each.path) for each in merged.problems) == ["team.json", "weights.txt"]
    assert not merged.is_whole
    assert files_of(ours) == before
    assert mine


def test_a_name_that_was_changed_there_is_told_and_ours_stays(stores):
    theirs, ours = stores
    folder = logged(theirs, "r")
    copied(folder, ours)
    rename_run("r", "another", runs_dir=theirs)
    merged = merge(theirs, ours)
    assert [os.path.basename(each.path) for each in merged.problems] == ["meta.yaml"]
    assert ExperimentTracker(runs_dir=ours).get_run("r")["metadata"]["name"] != "another"


def test_a_run_that_is_being_written_is_left_unless_asked_for(stores):
    theirs, ours = stores
    run = Run(run_id="r", runs_dir=theirs)
    run.log_metric("loss", 0.5, step=0)
    merged = merge(theirs, ours)
    assert outcomes(merged) == {"r": LEFT}
    assert "being written" in merged.runs[0].reason
    assert not os.path.exists(os.path.join(ours, "0", "r"))
    merged = merge(theirs, ours, with_live=True)
    assert outcomes(merged) == {"r": ADDED}
    assert "running" in merged.runs[0].reason
    run.log_metric("loss", 0.25, step=1)
    run.end()
    assert outcomes(merge(theirs, ours)) == {"r": GROWN}
    assert [row.value for row in ExperimentTracker(runs_dir=ours).history("r", "loss")] == [0.5, 0.25]


def test_a_run_that_is_being_written_here_is_left(stores):
    theirs, ours = stores
    run = Run(run_id="r", runs_dir=ours)
    run.log_metric("loss", 0.5, step=0)
    copied(os.path.join(ours, "0", "r"), theirs)
    merged = merge(theirs, ours, with_live=True)
    assert outcomes(merged) == {"r": LEFT}
    assert "being written" in merged.runs[0].reason
    run.end()


def test_experiments_come_in_under_their_ids_and_names(stores):
    theirs, ours = stores
    create_experiment("vision", tags={"lead": "anna"}, runs_dir=theirs)
    chosen = experiments.home_id("vision")
    logged(theirs, "r", chosen)
    merged = merge(theirs, ours)
    assert merged.experiments == ["vision"]
    found = experiments.get(ours, chosen)
    assert (found.name, found.tags) == ("vision", {"lead": "anna"})
    assert reader.list_run_ids(ours, chosen) == ["r"]


def test_a_renamed_experiment_is_the_same_one_and_is_called_as_here(stores):
    theirs, ours = stores
    for store in stores:
        create_experiment("vision", runs_dir=store)
    chosen = experiments.home_id("vision")
    ExperimentTracker(runs_dir=ours)
    from mini_mlflow.store import experiment_changes

    experiment_changes.rename(ours, chosen, "seeing", 1)
    logged(theirs, "r", chosen)
    merged = merge(theirs, ours)
    assert reader.list_run_ids(ours, chosen) == ["r"]
    assert experiments.get(ours, chosen).name == "seeing"
    assert "renamed" in merged.notes[0]


def test_an_id_that_means_another_experiment_here_takes_none_of_its_runs(stores):
    theirs, ours = stores
    for store, name in ((theirs, "vision"), (ours, "language")):
        logged(store, store[-4:], 7)
        edit(
            os.path.join(store, "7", "meta.yaml"),
            lambda text, name=name: text.replace('name: "7"', 'name: "%s"' % name),
        )
    merged = merge(theirs, ours)
    assert reader.list_run_ids(ours, 7) == ["ours"]
    assert reader.list_run_ids(ours, experiments.home_id("vision")) == ["eirs"]
    assert "7" in merged.notes[0]
    assert outcomes(merge(theirs, ours)) == {"eirs": SAME}


def test_an_experiment_of_the_same_name_takes_the_runs_whatever_its_id(stores):
    theirs, ours = stores
    logged(theirs, "r", 7)
    edit(os.path.join(theirs, "7", "meta.yaml"), lambda text: text.replace('name: "7"', 'name: "vision"'))
    create_experiment("vision", runs_dir=ours)
    merged = merge(theirs, ours)
    assert reader.list_run_ids(ours, experiments.home_id("vision")) == ["r"]
    assert "takes its runs" in merged.notes[0]
    assert experiments.read(ours, 7) is None


def test_an_experiment_that_is_deleted_here_takes_nothing_and_it_is_told(stores):
    theirs, ours = stores
    logged(theirs, "r")
    logged(ours, "s")
    from mini_mlflow.store import experiment_changes

    experiment_changes.delete(ours, 0, 1)
    merged = merge(theirs, ours)
    assert merged.runs == []
    assert not merged.is_whole
    assert "deleted here" in merged.notes[0]


def test_deleted_runs_come_into_the_trash_once(stores):
    theirs, ours = stores
    logged(theirs, "r")
    delete_run("r", runs_dir=theirs)
    merged = merge(theirs, ours)
    assert outcomes(merged) == {"r": ADDED}
    assert reader.list_run_ids(ours, 0) == []
    there, here = (trash.list_deleted(store, 0)[0] for store in stores)
    assert (there.run_id, there.deleted_time) == (here.run_id, here.deleted_time)
    assert tree(there.folder) == tree(here.folder)
    assert outcomes(merge(theirs, ours)) == {"r": SAME}
    assert len(trash.list_deleted(ours, 0)) == 1


def test_a_run_that_was_deleted_here_does_not_come_back(stores):
    theirs, ours = stores
    folder = logged(theirs, "r")
    copied(folder, ours)
    delete_run("r", runs_dir=ours)
    merged = merge(theirs, ours)
    assert outcomes(merged) == {"r": LEFT}
    assert "restore" in merged.runs[0].reason
    assert reader.list_run_ids(ours, 0) == []


def test_a12_links_are_not_followed_and_told(stores, tmp_path):
    theirs, ours = stores
    folder = logged(theirs, "r")
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("secret")
    os.symlink(str(secret), os.path.join(folder, "artifacts", "way-out"))
    os.symlink(str(secret / "key"), os.path.join(folder, "artifacts", "key"))
    os.symlink(str(secret), os.path.join(theirs, "0", "linked"))
    os.symlink(".", os.path.join(folder, "artifacts", "loop"))
    merged = merge(theirs, ours)
    assert outcomes(merged) == {"r": ADDED}
    assert not merged.is_whole
    told = {os.path.basename(each.path) for each in merged.problems}
    assert told == {"way-out", "key", "loop", "linked"}
    assert not any("secret" in str(data) for data in tree(ours).values())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a15_what_is_neither_file_nor_folder_is_told_and_blocks_nothing(stores):
    theirs, ours = stores
    folder = logged(theirs, "r")
    os.mkfifo(os.path.join(folder, "metrics", "pipe.json"))
    server = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(os.path.join(folder, "artifacts"))
    try:
        server.bind("socket")
    finally:
        os.chdir(here)
        server.close()
    merged = merge(theirs, ours)
    assert {os.path.basename(each.path) for each in merged.problems} == {"pipe.json", "socket"}
    assert sorted(os.listdir(os.path.join(ours, "0", "r", "metrics"))) == ["loss.json"]


def test_a13_a_store_that_is_a_link_itself_is_merged(stores, tmp_path):
    theirs, ours = stores
    logged(theirs, "r")
    os.symlink(theirs, str(tmp_path / "link"))
    assert outcomes(merge(str(tmp_path / "link"), ours)) == {"r": ADDED}


def test_h22_half_copied_and_broken_runs_are_left_and_told_and_the_others_come(stores):
    theirs, ours = stores
    for run_id in ("sound", "headless", "torn", "newer"):
        logged(theirs, run_id)
    os.unlink(os.path.join(theirs, "0", "headless", "meta.yaml"))
    edit(os.path.join(theirs, "0", "torn", "meta.yaml"), lambda text: text[:40])
    edit(os.path.join(theirs, "0", "newer", "meta.yaml"), lambda text: text.replace("format: 1", "format: 99"))
    merged = merge(theirs, ours)
    assert outcomes(merged) == {"sound": ADDED, "torn": LEFT, "newer": LEFT}
    assert [os.path.basename(each.path) for each in merged.problems] == ["headless"]
    assert sorted(os.listdir(os.path.join(ours, "0"))) == ["meta.yaml", "sound"]


@pytest.mark.parametrize("version", ["1.0", "1.30", "2.22", "3.18"])
def test_h23_a_store_of_mlflow_comes_in_and_reads_the_same(version, tmp_path):
    source = str(GOLDEN / ("mlflow-" + version) / "store" / "mlruns")
    expected = json.loads((GOLDEN / ("mlflow-" + version) / "expected.json").read_text(encoding="utf-8"))
    ours = str(tmp_path / "ours")
    logged(ours, "mine")
    merged = merge(source, ours)
    assert {run.run_id for run in merged.runs} == set(expected["runs"])
    assert {run.outcome for run in merged.runs} == {ADDED}
    for run_id, told in expected["runs"].items():
        found = reader.read_run(ours, int(told["experiment_id"]), run_id)
        assert repr(found.params) == repr(dict(sorted(told["params"].items())))
        assert repr(found.metrics) == repr(dict(sorted(told["metrics"].items())))
        assert [each["dataset"]["name"] for each in found.metadata.get("inputs", [])] == [
            each[0] for each in told["datasets"]
        ]
    assert {run.outcome for run in merge(source, ours).runs} == {SAME}


@pytest.mark.parametrize("where", ["itself", "within", "around", "linked"])
def test_a_store_is_not_merged_with_itself_or_with_one_within(where, tmp_path):
    store = str(tmp_path / "mlruns")
    logged(store, "r")
    others = {
        "itself": store,
        "within": os.path.join(store, "0"),
        "around": str(tmp_path),
        "linked": str(tmp_path / "l"),
    }
    os.symlink(store, others["linked"])
    with pytest.raises(InvalidValueError, match="this very store"):
        merge(others[where], store)


def test_a09_a_store_whose_name_begins_like_ours_is_another(tmp_path):
    logged(str(tmp_path / "mlruns-evil"), "r")
    assert outcomes(merge(str(tmp_path / "mlruns-evil"), str(tmp_path / "mlruns"))) == {"r": ADDED}


def test_what_is_no_store_is_an_error_and_an_empty_one_is_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        merge(str(tmp_path / "nowhere"), str(tmp_path / "ours"))
    (tmp_path / "empty").mkdir()
    assert merge(str(tmp_path / "empty"), str(tmp_path / "ours")).runs == []


def test_a_run_that_was_moved_here_to_another_experiment_is_not_doubled(stores):
    theirs, ours = stores
    logged(theirs, "r")
    merge(theirs, ours)
    create_experiment("kept", runs_dir=ours)
    kept = experiments.home_id("kept")
    os.rename(os.path.join(ours, "0", "r"), os.path.join(ours, str(kept), "r"))
    assert outcomes(merge(theirs, ours)) == {"r": SAME}
    assert experiments.list_ids(ours, "r") == [kept]


def test_what_a_dead_merge_left_behind_is_removed_and_what_a_living_one_makes_stays(stores):
    """Rule S7."""
    from mini_mlflow.store import staging

    theirs, ours = stores
    logged(theirs, "r")
    merge(theirs, ours)
    top = os.path.join(ours, "0")
    os.makedirs(os.path.join(top, ".tmp-0123456789abcdef", "metrics"))
    with staging.staged(top) as path:
        merge(theirs, ours)
        assert sorted(os.listdir(top)) == sorted([os.path.basename(path), "meta.yaml", "r"])
    assert sorted(os.listdir(top)) == ["meta.yaml", "r"]


def test_a_run_logged_by_several_processes_comes_with_all_their_shares(stores):
    theirs, ours = stores
    run = Run(run_id="r", runs_dir=theirs)
    joiner = Run(run_id="r", runs_dir=theirs)
    joiner.log_metric("rank", 1.0, step=0)
    run.log_metric("rank", 0.0, step=0)
    joiner.end()
    run.end()
    merge(theirs, ours)
    assert tree(os.path.join(ours, "0", "r")) == tree(os.path.join(theirs, "0", "r"))


def test_a_run_in_a_pack_comes_out_of_it_and_comes_once(stores):
    theirs, ours = stores
    folder = logged(theirs, "r")
    before = tree(folder)
    pack(0, runs_dir=theirs)
    assert not os.path.isdir(folder)
    assert outcomes(merge(theirs, ours)) == {"r": ADDED}
    assert tree(os.path.join(ours, "0", "r")) == before
    assert outcomes(merge(theirs, ours)) == {"r": SAME}


@pytest.mark.parametrize("both", [False, True])
def test_a_run_of_ours_that_lies_in_a_pack_stays_there_where_theirs_is_the_same(stores, both):
    theirs, ours = stores
    logged(theirs, "r")
    merge(theirs, ours)
    pack(0, runs_dir=ours)
    if both:
        pack(0, runs_dir=theirs)
    assert outcomes(merge(theirs, ours)) == {"r": SAME}
    assert not os.path.isdir(os.path.join(ours, "0", "r"))
    assert ExperimentTracker(runs_dir=ours).get_run("r")["params"] == {"lr": 0.1}


@pytest.mark.parametrize("theirs_too", [False, True])
def test_a_run_that_has_gone_on_grows_out_of_its_pack(stores, theirs_too):
    theirs, ours = stores
    logged(theirs, "r")
    merge(theirs, ours)
    pack(0, runs_dir=ours)
    run = Run(run_id="r", runs_dir=theirs)
    run.log_metric("loss", 0.125, step=2)
    run.end()
    if theirs_too:
        pack(0, runs_dir=theirs)
    assert outcomes(merge(theirs, ours, is_dry=True)) == {"r": GROWN}
    assert not os.path.isdir(os.path.join(ours, "0", "r"))
    assert outcomes(merge(theirs, ours)) == {"r": GROWN}
    assert [row.value for row in ExperimentTracker(runs_dir=ours).history("r", "loss")] == [0.5, 0.25, 0.125]
    assert outcomes(merge(theirs, ours)) == {"r": SAME}


def test_a_copy_of_a_run_is_not_taken_for_written_while_its_writer_writes_the_original(stores):
    theirs, ours = stores
    run = Run(run_id="r", runs_dir=theirs)
    joiner = Run(run_id="r", runs_dir=theirs)
    joiner.log_metric("rank", 1.0, step=0)
    assert outcomes(merge(theirs, ours, with_live=True)) == {"r": ADDED}
    joiner.log_metric("rank", 2.0, step=1)
    run.log_metric("loss", 0.5, step=0)
    assert outcomes(merge(theirs, ours, with_live=True)) == {"r": GROWN}
    joiner.end()
    run.end()
    assert outcomes(merge(theirs, ours)) == {"r": GROWN}
    assert tree(os.path.join(ours, "0", "r")) == tree(os.path.join(theirs, "0", "r"))
    mine = Run(run_id="r", runs_dir=ours)
    mine.log_metric("loss", 0.25, step=1)
    assert outcomes(merge(theirs, ours)) == {"r": LEFT}
    mine.end()


@pytest.mark.parametrize("is_deleted_here", [False, True])
def test_a_deleted_copy_that_has_more_than_ours_is_told_and_not_called_the_same(tmp_path, is_deleted_here):
    ours, theirs = str(tmp_path / "ours"), str(tmp_path / "theirs")
    with Run(run_id="r", runs_dir=ours) as run:
        run.log_metric("loss", 1.0)
    shutil.copytree(ours, theirs)
    with Run(run_id="r", runs_dir=theirs) as run:
        run.log_metric("loss", 0.5)
    delete_run("r", runs_dir=theirs)
    if is_deleted_here:
        delete_run("r", runs_dir=ours)
    merged = merge(theirs, ours)
    assert [each.outcome for each in merged.runs] == [LEFT]
    assert not merged.is_whole
    assert "has more" in merged.runs[0].reason
