"""Is what was deleted there until it is removed for good, and is nothing deleted that lives?"""

import json
import os
import shutil
import time

import pytest
from deleted_runs import ended_run, files_below, written_elsewhere
from forged_owners import forge

from mini_mlflow import Run
from mini_mlflow.errors import ActiveRunError, RunExistsError, RunNotFoundError
from mini_mlflow.store import experiments, locks, owner, reader, trash


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "mlruns")


def test_a_deleted_run_is_moved_whole_and_comes_back_whole(store):
    """Rules T1 and T2."""
    folder = ended_run(store)
    before = files_below(folder)
    moved = trash.delete_run(store, 0, "r")
    assert moved == os.path.join(store, "0", ".trash", "r")
    assert files_below(moved) == before
    assert reader.list_run_ids(store, 0) == reader.find_experiments(store, "r") == []
    assert experiments.list_ids(store) == trash.find_deleted(store, "r") == [0]
    trash.restore_run(store, 0, "r")
    assert files_below(folder) == before
    assert reader.list_run_ids(store, 0) == ["r"]
    assert trash.find_deleted(store, "r") == []


def test_the_trash_tells_when_a_run_was_deleted(store):
    """Rule T2."""
    folder = ended_run(store)
    os.utime(folder, (1000, 1000))
    before = time.time()
    moved = trash.delete_run(store, 0, "r")
    (deleted,) = trash.list_deleted(store, 0)
    assert (deleted.experiment_id, deleted.run_id, deleted.folder) == (0, "r", moved)
    assert abs(deleted.deleted_time / 1000 - before) < 60


def test_several_runs_of_one_id_lie_in_the_trash_side_by_side_and_the_last_comes_back_first(store):
    """Rule T2."""
    for value in range(12):
        ended_run(store, value=value)
        trash.delete_run(store, 0, "r")
    assert [each.run_id for each in trash.list_deleted(store, 0)] == ["r"] * 12
    assert sorted(os.listdir(os.path.join(store, "0", ".trash")))[:3] == ["r", "r~10", "r~11"]
    for value in reversed(range(12)):
        trash.restore_run(store, 0, "r")
        assert reader.read_run(store, 0, "r").metrics == {"loss": value}
        shutil.rmtree(os.path.join(store, "0", "r"))


def test_an_id_that_looks_like_a_number_of_the_trash_keeps_itself(store):
    """Rule T2: 0.1.0 took such ids."""
    for run_id in ("r", "r~2"):
        os.makedirs(os.path.join(store, "0", run_id))
        trash.delete_run(store, 0, run_id)
    assert sorted(os.listdir(os.path.join(store, "0", ".trash"))) == ["r", "r~2~1"]
    trash.restore_run(store, 0, "r~2")
    assert os.listdir(os.path.join(store, "0", ".trash")) == ["r"]


def test_a_run_is_not_restored_over_another_of_its_id(store):
    """Rule T2."""
    ended_run(store)
    trash.delete_run(store, 0, "r")
    folder = ended_run(store, value=2.5)
    before = files_below(folder)
    with pytest.raises(RunExistsError, match="has a run of this id again") as caught:
        trash.restore_run(store, 0, "r")
    assert (caught.value.run_id, caught.value.experiment_id) == ("r", 0)
    assert files_below(folder) == before
    assert len(trash.list_deleted(store, 0)) == 1


def test_what_is_not_there_is_told(store):
    ended_run(store)
    with pytest.raises(RunNotFoundError, match="'none' was not found"):
        trash.delete_run(store, 0, "none")
    with pytest.raises(RunNotFoundError, match="no deleted run 'none'"):
        trash.restore_run(store, 0, "none")
    assert trash.list_deleted(store, 7) == []
    assert trash.gc(store, 0) == trash.gc(store + "/none", 0) == ([], [])
    assert sorted(os.listdir(os.path.join(store, "0"))) == ["meta.yaml", "r"]


def test_a_run_that_lives_here_is_not_deleted(store):
    """Rule T3."""
    run = Run(run_id="r", runs_dir=store)
    with pytest.raises(ActiveRunError, match="is being written by process %d" % os.getpid()) as caught:
        trash.delete_run(store, 0, "r")
    assert caught.value.run_id == "r"
    run.log_metric("loss", 1)
    run.end()
    assert reader.read_run(store, 0, "r").metrics == {"loss": 1}


@pytest.mark.parametrize("place", ["", "writers/other-7-00000000"])
def test_g10_a_run_that_lives_on_another_machine_is_not_deleted_until_it_is_silent_for_ten_minutes(store, place):
    """Rules T3 and L3: its owner, or one who logs beside."""
    folder = ended_run(store)
    share = written_elsewhere(os.path.join(folder, place))
    if not place:
        set_status(folder, "RUNNING")
    with pytest.raises(ActiveRunError, match="on elsewhere"):
        trash.delete_run(store, 0, "r")
    forge(share, age_s=601)
    trash.delete_run(store, 0, "r")


def set_status(folder, status):
    path = os.path.join(folder, "meta.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace('"FINISHED"', json.dumps(status)))


def test_a_run_that_has_ended_on_another_machine_is_deleted_at_once(store):
    """Rules T3 and L2."""
    folder = ended_run(store)
    written_elsewhere(folder)
    trash.delete_run(store, 0, "r")


def test_a_run_that_was_resumed_between_the_look_and_the_rename_is_put_back(store, monkeypatch):
    """Rule T3: one without an owner.json has no lock that could be held."""
    folder = ended_run(store)
    os.unlink(os.path.join(folder, "owner.json"))
    rename, heirs = os.rename, []

    def meanwhile(source, target):
        if not heirs:
            heirs.append(Run(run_id="r", runs_dir=store))
        rename(source, target)

    monkeypatch.setattr(trash.os, "rename", meanwhile)
    with pytest.raises(ActiveRunError):
        trash.delete_run(store, 0, "r")
    heirs[0].log_metric("loss", 2)
    heirs[0].end()
    assert [row.value for row in heirs[0].history("loss")] == [0.5, 2]
    assert trash.list_deleted(store, 0) == []


@pytest.mark.skipif(os.name == "nt", reason="there no lock is held meanwhile")
def test_nobody_takes_a_run_over_while_it_is_moved(store, monkeypatch):
    """Rule T3."""
    folder = ended_run(store)
    rename, heirs = os.rename, []

    def meanwhile(source, target):
        heirs.append(owner.take_over(folder, 1, patience_s=0))
        rename(source, target)

    monkeypatch.setattr(trash.os, "rename", meanwhile)
    monkeypatch.setattr(locks, "_PATIENCE_S", 0.01)
    trash.delete_run(store, 0, "r")
    assert heirs == [None]


def test_the_runs_of_0_1_0_are_deleted_and_restored_like_others(store):
    """Rules T1 and F1."""
    golden = os.path.join(os.path.dirname(__file__), "..", "golden", "format-0")
    shutil.copytree(golden, store)
    experiment_id = experiments.list_ids(store)[0]
    run_id = reader.list_run_ids(store, experiment_id)[0]
    folder = os.path.join(store, str(experiment_id), run_id)
    before = files_below(folder)
    trash.delete_run(store, experiment_id, run_id)
    trash.restore_run(store, experiment_id, run_id)
    assert files_below(folder) == before
