"""What do the functions that tidy up do to runs, and what do they refuse?"""

import os
import shutil
import time
import warnings

import pytest

import mini_mlflow
from mini_mlflow import ExperimentTracker, InvalidIdError, InvalidValueError, Run, StorageWarning, active, upkeep
from mini_mlflow.errors import (
    ActiveRunError,
    AmbiguousRunError,
    ExperimentNotFoundError,
    NoActiveRunError,
    RunExistsError,
    RunNotFoundError,
    UnsupportedFormatError,
)
from mini_mlflow.records import Removed
from mini_mlflow.store import documents, opening, owner, reader
from mini_mlflow.store.descriptors import DescriptorPool

BAD_IDS = ["..", "../0/x", ".trash", "a/b", "-rf", "", "a\0b", "x" * 300, None, 5, b"x"]
DOORS = {
    "delete_run": mini_mlflow.delete_run,
    "restore_run": mini_mlflow.restore_run,
    "move_run": lambda run_id, **options: mini_mlflow.move_run(run_id, 2, **options),
    "rename_run": lambda run_id, **options: mini_mlflow.rename_run(run_id, "b", **options),
    "set_note": lambda run_id, **options: mini_mlflow.set_note("text", run_id, **options),
    "get_note": mini_mlflow.get_note,
}


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MINI_MLFLOW_DIR", str(tmp_path / "mlruns"))
    active.reset()
    yield tmp_path / "mlruns"
    active.clear()
    active.reset()


def ended(run_id="r", experiment_id=0, **options):
    with Run(run_id=run_id, experiment_id=experiment_id, **options) as run:
        run.log_metric("loss", 1)
    return run


def fields_of(run_id="r", experiment_id=0):
    return ExperimentTracker(experiment_id=experiment_id).get_run(run_id)["metadata"]


def listed():
    return ExperimentTracker().list_runs()


def test_a_run_goes_into_the_trash_and_comes_back(store):
    """Rules T1 and T2."""
    ended(experiment_id=7)
    mini_mlflow.delete_run("r")
    assert [(each.experiment_id, each.run_id) for each in upkeep.list_deleted_runs()] == [(7, "r")]
    assert upkeep.list_deleted_runs(8) == []
    with pytest.raises(RunNotFoundError, match=r"list_deleted_runs\(\)"):
        mini_mlflow.delete_run("r")
    mini_mlflow.restore_run("r")
    assert fields_of(experiment_id=7)["status"] == "FINISHED"
    with pytest.raises(RunNotFoundError, match="no deleted run 'r'"):
        mini_mlflow.restore_run("r")


def test_a_run_of_the_id_of_a_deleted_one_is_a_new_one(store):
    """Rule T2."""
    ended()
    mini_mlflow.delete_run("r")
    with mini_mlflow.start_run(run_id="r") as run:
        assert run.resume_count == 0
        run.log_metric("loss", 2)
    assert [row.value for row in run.history("loss")] == [2]
    with pytest.raises(RunExistsError):
        mini_mlflow.restore_run("r")
    mini_mlflow.delete_run("r")
    assert len(upkeep.list_deleted_runs()) == 2


def test_a_run_that_is_active_here_is_not_deleted(store):
    """Rule T3."""
    with mini_mlflow.start_run(run_id="r") as run:
        with pytest.raises(ActiveRunError, match="cannot be deleted now"):
            mini_mlflow.delete_run("r")
        run.log_metric("loss", 1)
    mini_mlflow.delete_run("r")
    assert listed() == []


def test_what_was_deleted_is_removed_for_good_and_told(store):
    """Rule T4."""
    for run_id in ("a", "b"):
        ended(run_id)
        mini_mlflow.delete_run(run_id)
    would = mini_mlflow.gc(dry_run=True)
    assert [(each.experiment_id, each.run_id) for each in would] == [(0, "a"), (0, "b")]
    assert mini_mlflow.gc(3600) == mini_mlflow.gc(experiment_ids=["5"]) == []
    assert mini_mlflow.gc(experiment_ids=["0"]) == would
    assert mini_mlflow.gc() == []
    ended("c", 4)
    mini_mlflow.delete_experiment(4)
    assert mini_mlflow.gc() == [Removed(4, None, would[0].size_bytes + size_of_meta(store))]


def size_of_meta(store):
    """Return what a deleted experiment's own meta.yaml holds, by one that is like it."""
    ended("c", 5)
    mini_mlflow.delete_experiment(5)
    return os.path.getsize(str(store / "5" / "meta.yaml"))


def test_what_is_passed_over_is_warned_of(store):
    """Rule T4."""
    ended()
    mini_mlflow.delete_run("r")
    claim = owner.take_over(str(store / "0" / ".trash" / "r"))
    with pytest.warns(StorageWarning, match=r"trash.r was not removed: a process writes it"):
        assert mini_mlflow.gc() == []
    claim.release()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(mini_mlflow.gc()) == 1


@pytest.mark.parametrize("seconds", [-1, float("nan"), "5", None, True])
def test_an_age_that_is_none_is_refused(store, seconds):
    ended()
    mini_mlflow.delete_run("r")
    with pytest.raises(InvalidValueError, match="older_than_s must be a number of seconds"):
        mini_mlflow.gc(seconds)
    assert len(upkeep.list_deleted_runs()) == 1


@pytest.mark.parametrize(
    ("door", "run_id"),
    [(door, bad) for door in sorted(DOORS) for bad in BAD_IDS if bad is not None or "note" not in door],
)
def test_a08_an_id_that_is_no_name_of_one_folder_is_refused_at_every_door(store, tmp_path, door, run_id):
    """Rule S3."""
    ended()
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    for options in ({}, {"experiment_id": 0}):
        with pytest.raises(InvalidIdError):
            DOORS[door](run_id, **options)
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("experiment_id", ["..", ".trash", "a/b", "-rf", "meta.yaml", "CON", "x" * 300])
@pytest.mark.parametrize("door", sorted(DOORS))
def test_a08_an_experiment_that_is_no_folder_name_is_refused_at_every_door(store, door, experiment_id):
    """Rule S2."""
    ended()
    for call in (DOORS[door], lambda _, experiment_id: mini_mlflow.gc(experiment_ids=[experiment_id])):
        with pytest.raises(InvalidIdError):
            call("r", experiment_id=experiment_id)


@pytest.mark.parametrize("door", sorted(set(DOORS) - {"restore_run"}))
def test_of_several_runs_of_one_id_the_experiment_says_which(store, door):
    ended(experiment_id=1)
    ended(experiment_id=2)
    with pytest.raises(AmbiguousRunError, match=r"\[1, 2\]") as caught:
        DOORS[door]("r")
    assert caught.value.experiment_ids == (1, 2)
    DOORS[door]("r", experiment_id=2)
    with pytest.raises(RunNotFoundError):
        DOORS[door]("r", experiment_id=3)
    with pytest.raises(RunNotFoundError):
        DOORS[door]("none")


def test_of_several_deleted_runs_of_one_id_the_experiment_says_which(store):
    for experiment_id in (1, 2):
        ended(experiment_id=experiment_id)
        mini_mlflow.delete_run("r")
    with pytest.raises(AmbiguousRunError):
        mini_mlflow.restore_run("r")
    mini_mlflow.restore_run("r", experiment_id=2)
    assert reader.find_experiments(str(store), "r") == [2]


# Names ---------------------------------------------------------------------------------------------------------------


def test_a_run_that_has_ended_gets_another_name_and_keeps_all_else(store):
    """Rule Y3."""
    ended(name="before", version="v1")
    before = fields_of()
    mini_mlflow.rename_run("r", "after")
    assert fields_of() == dict(before, name="after")
    assert ExperimentTracker().get_run("r")["metrics"] == {"loss": 1}


def test_a_run_that_is_open_here_gets_another_name_for_good(store):
    run = Run(run_id="r", name="before")
    mini_mlflow.rename_run("r", "after")
    assert run.name == fields_of()["name"] == "after"
    run.end()
    assert fields_of()["name"] == "after"


def test_a_run_that_another_process_writes_keeps_its_name(store):
    """Rule W1."""
    writer = opened_elsewhere(store)
    with pytest.raises(ActiveRunError, match="cannot be changed now"):
        mini_mlflow.rename_run("r", "after")
    writer.close(status="FINISHED")
    mini_mlflow.rename_run("r", "after")
    assert fields_of()["name"] == "after"


@pytest.mark.parametrize("name", ["", " ", None, 5, "x" * 10001])
def test_a_name_that_nobody_could_read_is_refused(store, name):
    ended(name="before")
    with pytest.raises(InvalidValueError, match=r"Run name|name of a run"):
        mini_mlflow.rename_run("r", name)
    assert fields_of()["name"] == "before"


def test_h23_a_run_of_a_newer_format_is_refused_by_name(store):
    """Rule S5."""
    ended()
    (store / "0" / "r" / "meta.yaml").write_text('format: 99\nname: "x"\n')
    for act in (DOORS["rename_run"], DOORS["set_note"], DOORS["get_note"]):
        with pytest.raises(UnsupportedFormatError, match="Update: pip install"):
            act("r")
    assert (store / "0" / "r" / "meta.yaml").read_text() == 'format: 99\nname: "x"\n'


# Notes ---------------------------------------------------------------------------------------------------------------


def opened_elsewhere(store):
    """Return the writer of a run that this process does not know of, as if it were another's."""
    folder = str(store)
    fields = {"format": 1, "run_id": "r", "experiment_id": 0, "name": "n", "status": "RUNNING", "generation": 0,
              "start_time": "2026-11-24T09:30:00.000000Z", "end_time": None}  # fmt: skip
    return opening.open_run(folder, 0, "r", lambda: fields, DescriptorPool(), None).writer


def test_a_note_is_a_tag_as_in_mlflow(store):
    ended()
    assert mini_mlflow.get_note("r") is None
    for text in ("# First\n\u20ac", "second", ""):
        mini_mlflow.set_note(text, "r")
        assert mini_mlflow.get_note("r") == text
        assert ExperimentTracker().get_run("r")["tags"] == {"mlflow.note.content": text}
    assert fields_of()["status"] == "FINISHED"
    assert sorted(os.listdir(str(store / "0" / "r"))) == ["meta.yaml", "metrics", "owner.json", "tags"]


def test_the_active_run_has_a_note_too(store):
    for act in (lambda: mini_mlflow.set_note("x"), mini_mlflow.get_note):
        with pytest.raises(NoActiveRunError):
            act()
    with mini_mlflow.start_run(run_id="r"):
        mini_mlflow.set_note("x")
        assert mini_mlflow.get_note() == mini_mlflow.get_note("r") == "x"
        mini_mlflow.set_note("y", "r")
        assert mini_mlflow.get_note() == "y"
    assert mini_mlflow.get_note("r") == "y"


def test_a_note_on_a_run_that_another_process_writes_is_merged(store):
    """Rules W7 and W8."""
    writer = opened_elsewhere(store)
    writer.write_value("tags", "mlflow.note.content", "from there")
    wait_for_a_later_millisecond()
    mini_mlflow.set_note("from here", "r")
    writer.write_value("tags", "other", 1)
    assert mini_mlflow.get_note("r") == "from here"
    writer.close(status="FINISHED")
    assert ExperimentTracker().get_run("r")["tags"] == {"mlflow.note.content": "from here", "other": 1}
    assert fields_of()["status"] == "FINISHED"


def wait_for_a_later_millisecond():
    then = int(time.time() * 1000)
    while int(time.time() * 1000) == then:
        pass


def test_a_note_counts_for_more_than_the_one_of_an_earlier_resume(store):
    """Rule W8: the values of the highest generation count, wherever it lies."""
    ended()
    os.unlink(str(store / "0" / "r" / "owner.json"))
    with Run(run_id="r") as run:
        run.set_tag("mlflow.note.content", "of the resume")
    assert os.listdir(str(store / "0" / "r" / "writers"))
    wait_for_a_later_millisecond()
    mini_mlflow.set_note("newest", "r")
    assert mini_mlflow.get_note("r") == "newest"


def test_a_note_on_a_run_of_0_1_0_leaves_its_files_as_they_are(store):
    """Rule F2."""
    golden = os.path.join(os.path.dirname(__file__), "golden", "format-0")
    shutil.copytree(golden, str(store))
    run_id = listed()[0]
    path = str(store / "0" / run_id / "meta.yaml")
    before = documents.read(path)
    mini_mlflow.set_note("x", run_id)
    assert mini_mlflow.get_note(run_id) == "x"
    assert documents.read(path) == before


@pytest.mark.parametrize("text", [None, 5, b"x", ["x"]])
def test_a_note_that_is_no_text_is_refused(store, text):
    ended()
    with pytest.raises(InvalidValueError, match="A note must be text"):
        mini_mlflow.set_note(text, "r")
    assert mini_mlflow.get_note("r") is None


def test_a_run_is_moved_to_an_experiment_by_its_name_or_its_id(store):
    """Rule T7."""
    ended()
    sweep = mini_mlflow.create_experiment("sweep")
    mini_mlflow.move_run("r", "sweep")
    assert reader.find_experiments(str(store), "r") == [sweep]
    assert fields_of("r", sweep)["experiment_id"] == sweep
    mini_mlflow.move_run("r", 0)
    assert reader.find_experiments(str(store), "r") == [0]
    with pytest.raises(ExperimentNotFoundError):
        mini_mlflow.move_run("r", "sweeep")
    assert not (store / "sweeep").exists()
    run = Run(run_id="r")
    with pytest.raises(ActiveRunError):
        mini_mlflow.move_run("r", sweep)
    run.end()


@pytest.mark.parametrize("name", ["vision", "2026", ".."])
def test_what_is_done_to_runs_takes_the_name_of_an_experiment(store, name):
    mini_mlflow.set_experiment(name)
    with mini_mlflow.start_run(run_id="r"):
        mini_mlflow.log_metric("loss", 1)
    mini_mlflow.rename_run("r", "first", experiment_id=name)
    mini_mlflow.tag_run("r", {"team": "a"}, experiment_id=name)
    mini_mlflow.set_note("good", "r", experiment_id=name)
    assert mini_mlflow.get_note("r", experiment_id=name) == "good"
    assert upkeep.list_deleted_runs(name) == []
    mini_mlflow.delete_run("r", experiment_id=name)
    assert [each.run_id for each in upkeep.list_deleted_runs(name)] == ["r"]
    removed = mini_mlflow.gc(dry_run=True, experiment_ids=[name])
    assert [each.run_id for each in removed] == ([] if name.isdigit() else ["r"])  # what would not come back: no guess
    mini_mlflow.restore_run("r", experiment_id=name)
    assert ExperimentTracker(experiment_id=name).list_runs() == ["r"]
