"""Is a run that is moved to another experiment in one of the two, whole, whatever happens meanwhile?"""

import errno
import os
import shutil

import pytest
from deleted_runs import ended_run, files_below, written_elsewhere
from forged_owners import forge

from mini_mlflow import Run, pack
from mini_mlflow.errors import (
    ActiveRunError,
    ExperimentDeletedError,
    ExperimentNotFoundError,
    InvalidValueError,
    RunExistsError,
    RunNotFoundError,
    UnsupportedFormatError,
)
from mini_mlflow.store import documents, experiment_changes, experiments, meta, moving, owner, reader, trash

GOLDEN = os.path.join(os.path.dirname(__file__), "..", "golden")


@pytest.fixture
def store(tmp_path):
    store = str(tmp_path / "mlruns")
    experiments.ensure(store, 7, 1)
    return store


def places_of(store, run_id="r"):
    return reader.find_experiments(store, run_id)


def test_a_moved_run_lies_in_the_other_experiment_and_is_what_it_was(store):
    """Rule T7."""
    folder = ended_run(store)
    before = files_below(folder)
    there = moving.move_run(store, 0, "r", 7)
    assert there == os.path.join(store, "7", "r")
    assert places_of(store) == [7]
    after = files_below(there)
    assert meta.read_meta(os.path.join(there, "meta.yaml"))["experiment_id"] == 7
    assert {name for name in before if before[name] != after[name]} == {"meta.yaml"}
    assert before["meta.yaml"].replace(b"experiment_id: 0", b"experiment_id: 7") == after["meta.yaml"]
    assert reader.read_run(store, 7, "r").metrics == {"loss": 0.5}
    moving.move_run(store, 7, "r", 0)
    assert files_below(folder) == before


def test_a_run_that_was_moved_goes_on_in_its_new_place(store):
    ended_run(store)
    moving.move_run(store, 0, "r", 7)
    run = Run(run_id="r", runs_dir=store)
    run.log_metric("loss", 2)
    run.end()
    assert run.experiment_id == 7
    assert [row.value for row in run.history("loss")] == [0.5, 2]
    assert places_of(store) == [7]


def test_a_move_to_where_a_run_is_changes_nothing(store):
    folder = ended_run(store)
    before = files_below(folder)
    assert moving.move_run(store, 0, "r", "0") == folder
    assert files_below(folder) == before


@pytest.mark.parametrize("what", ["run", "empty folder", "file", "link"])
def test_a_run_is_never_moved_over_what_has_its_name_there(store, what):
    """Rule T7."""
    folder, there = ended_run(store), os.path.join(store, "7", "r")
    if what == "run":
        ended_run(store, experiment_id=7, value=2.5)
    elif what == "empty folder":
        os.mkdir(there)
    elif what == "file":
        open(there, "w").close()
    else:
        os.symlink(os.path.join(store, "nowhere"), there)
    before, other = files_below(folder), files_below(there)
    with pytest.raises(RunExistsError, match="experiment 7 has a run of this id") as caught:
        moving.move_run(store, 0, "r", 7)
    assert (caught.value.run_id, caught.value.experiment_id) == ("r", 7)
    assert (files_below(folder), files_below(there)) == (before, other)


def test_of_two_that_come_at_one_moment_the_second_does_not_replace_the_first(store, monkeypatch):
    """Rule T7: the other run comes between the look and the rename."""
    folder, rename = ended_run(store), os.rename

    def meanwhile(source, target):
        ended_run(store, experiment_id=7, value=2.5)
        rename(source, target)

    monkeypatch.setattr(moving.unowned.os, "rename", meanwhile)
    with pytest.raises(RunExistsError):
        moving.move_run(store, 0, "r", 7)
    assert os.path.isdir(folder)
    assert reader.read_run(store, 7, "r").metrics == {"loss": 2.5}


def test_a_run_that_lives_here_is_not_moved(store):
    """Rule T3."""
    run = Run(run_id="r", runs_dir=store)
    with pytest.raises(ActiveRunError, match="is being written by process %d.*cannot be moved" % os.getpid()):
        moving.move_run(store, 0, "r", 7)
    run.log_metric("loss", 1)
    run.end()
    assert places_of(store) == [0]


@pytest.mark.parametrize("place", ["", "writers/other-7-00000000"])
def test_a_run_that_lives_on_another_machine_is_not_moved_until_it_is_silent_for_ten_minutes(store, place):
    """Rules T3 and L3: its owner, or one who logs beside."""
    folder = ended_run(store)
    if not place:
        Run(run_id="r", runs_dir=store).writer.release()
    share = written_elsewhere(os.path.join(folder, place))
    with pytest.raises(ActiveRunError, match="on elsewhere"):
        moving.move_run(store, 0, "r", 7)
    assert places_of(store) == [0]
    forge(share, age_s=601)
    moving.move_run(store, 0, "r", 7)
    assert places_of(store) == [7]


def test_a_run_that_was_resumed_between_the_look_and_the_rename_is_put_back(store, monkeypatch):
    """Rule T3: one without an owner.json has no lock that could be held."""
    folder = ended_run(store)
    os.unlink(os.path.join(folder, "owner.json"))
    rename, heirs = os.rename, []

    def meanwhile(source, target):
        if not heirs:
            heirs.append(Run(run_id="r", runs_dir=store))
        rename(source, target)

    monkeypatch.setattr(moving.unowned.os, "rename", meanwhile)
    with pytest.raises(ActiveRunError):
        moving.move_run(store, 0, "r", 7)
    heirs[0].log_metric("loss", 2)
    heirs[0].end()
    assert [row.value for row in heirs[0].history("loss")] == [0.5, 2]
    assert places_of(store) == [0]


@pytest.mark.skipif(os.name == "nt", reason="there no lock is held meanwhile")
def test_nobody_takes_a_run_over_while_it_is_moved_and_noted(store, monkeypatch):
    """Rule T3."""
    folder, replace, heirs = ended_run(store), documents.replace, []

    def meanwhile(path, data):
        heirs.append(owner.take_over(os.path.dirname(path), 1, patience_s=0))
        replace(path, data)

    monkeypatch.setattr(documents, "replace", meanwhile)
    moving.move_run(store, 0, "r", 7)
    assert heirs == [None]
    assert not os.path.exists(folder)


@pytest.mark.skipif(os.name == "nt", reason="its locks are of another kind")
@pytest.mark.usefixtures("synced_ends")
def test_the_experiment_that_gets_a_run_is_not_deleted_meanwhile(store, monkeypatch):
    """Rules T7 and E5."""
    ended_run(store)
    rename, refusals = os.rename, []

    def meanwhile(source, target):
        with pytest.raises(TimeoutError) as caught:
            experiment_changes.delete(store, 7, 2)
        refusals.append(caught.value)
        rename(source, target)

    monkeypatch.setattr(moving.unowned.os, "rename", meanwhile)
    monkeypatch.setattr(experiment_changes, "PATIENCE_S", 0.01)
    moving.move_run(store, 0, "r", 7)
    assert len(refusals) == 1
    assert experiments.get(store, 7).lifecycle_stage == "active"


def test_nothing_is_moved_into_an_experiment_that_is_deleted_or_not_there(store):
    ended_run(store)
    experiment_changes.delete(store, 7, 2)
    with pytest.raises(ExperimentDeletedError):
        moving.move_run(store, 0, "r", 7)
    with pytest.raises(ExperimentNotFoundError):
        moving.move_run(store, 0, "r", 8)
    assert not os.path.exists(os.path.join(store, "8"))
    assert places_of(store) == [0]


def test_a_run_comes_out_of_a_deleted_experiment(store):
    ended_run(store, experiment_id=7)
    experiment_changes.delete(store, 7, 2)
    experiments.ensure(store, 0, 3)
    moving.move_run(store, 7, "r", 0)
    assert places_of(store) == [0]


def test_a_run_that_is_not_there_or_is_in_the_trash_is_not_moved(store):
    ended_run(store)
    trash.delete_run(store, 0, "r")
    for run_id in ("r", "other"):
        with pytest.raises(RunNotFoundError):
            moving.move_run(store, 0, run_id, 7)


def test_a_run_that_goes_away_at_the_last_moment_is_not_found(store, monkeypatch):
    ended_run(store)
    refuse = moving.unowned.refuse_if_written

    def meanwhile(folder, run_id, what, **more):
        refuse(folder, run_id, what, **more)
        if what == "moved":
            shutil.rmtree(folder)

    monkeypatch.setattr(moving.unowned, "refuse_if_written", meanwhile)
    with pytest.raises(RunNotFoundError):
        moving.move_run(store, 0, "r", 7)
    assert not os.path.exists(os.path.join(store, "7", "r"))


def test_a_packed_run_is_moved_out_of_its_pack_and_comes_back_out_of_none(store):
    """Rules T7 and Z4."""
    ended_run(store)
    pack(runs_dir=store)
    assert not os.path.isdir(os.path.join(store, "0", "r"))
    moving.move_run(store, 0, "r", 7)
    assert places_of(store) == [7]
    assert reader.list_run_ids(store, 0) == []
    assert reader.read_run(store, 7, "r").metrics == {"loss": 0.5}


def test_a_run_is_not_moved_over_one_that_is_packed_there(store):
    """Rules T7 and Z4: the folder would hide it."""
    ended_run(store, experiment_id=7, value=2.5)
    pack(7, runs_dir=store)
    assert not os.path.isdir(os.path.join(store, "7", "r"))
    folder = ended_run(store)
    with pytest.raises(RunExistsError, match="experiment 7 has a run of this id"):
        moving.move_run(store, 0, "r", 7)
    assert os.path.isdir(folder)
    assert reader.read_run(store, 7, "r").metrics == {"loss": 2.5}


def test_a_run_of_a_newer_format_stays_where_it_is(store):
    """Rule S5: it may keep more of its place than we know of."""
    folder = ended_run(store)
    path = os.path.join(folder, "meta.yaml")
    documents.replace(path, meta.encode(dict(meta.read_meta(path), format=2)))
    with pytest.raises(UnsupportedFormatError):
        moving.move_run(store, 0, "r", 7)
    assert os.path.isdir(folder)


def test_a_broken_run_is_moved_as_it_is(store):
    folder = ended_run(store)
    with open(os.path.join(folder, "meta.yaml"), "w") as file:
        file.write("[" * 100)
    before = files_below(folder)
    assert files_below(moving.move_run(store, 0, "r", 7)) == before


def test_an_experiment_on_another_disk_gets_no_run_and_the_message_says_so(store, monkeypatch):
    folder = ended_run(store)

    def refuse(source, target):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source, None, target)

    monkeypatch.setattr(moving.unowned.os, "rename", refuse)
    with pytest.raises(OSError, match="lies on another disk"):
        moving.move_run(store, 0, "r", 7)
    assert os.path.isdir(folder)


def test_a_disk_that_refuses_the_note_leaves_the_run_moved_and_readable(store, monkeypatch):
    """Rules T7 and S3."""
    ended_run(store)

    def refuse(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    monkeypatch.setattr(documents, "replace", refuse)
    moving.move_run(store, 0, "r", 7)
    record = reader.read_run(store, 7, "r")
    assert (record.metadata["experiment_id"], record.problems) == (7, [])


def test_every_share_of_a_run_names_its_new_place(store):
    """Rule T7: one who resumed the run on another machine has a meta.yaml, too."""
    folder = ended_run(store)
    os.unlink(os.path.join(folder, "owner.json"))
    Run(run_id="r", runs_dir=store).end()
    moving.move_run(store, 0, "r", 7)
    paths = [os.path.join(path, name) for path, _, names in os.walk(os.path.join(store, "7", "r")) for name in names]
    places = [meta.read_meta(path)["experiment_id"] for path in paths if path.endswith("meta.yaml")]
    assert places == [7, 7]


def test_a_run_of_0_1_0_is_moved_as_it_is(tmp_path):
    """Rules T7 and S6: it is sorted by the time of its meta.yaml."""
    store = str(tmp_path / "golden")
    shutil.copytree(os.path.join(GOLDEN, "format-0"), store)
    source = experiments.list_ids(store)[0]
    run_id = reader.list_run_ids(store, source)[0]
    folder = os.path.join(store, str(source), run_id)
    before, modified = files_below(folder), os.stat(os.path.join(folder, "meta.yaml")).st_mtime_ns
    experiments.ensure(store, 777, 1)
    there = moving.move_run(store, source, run_id, 777)
    assert files_below(there) == before
    assert os.stat(os.path.join(there, "meta.yaml")).st_mtime_ns == modified
    assert reader.read_run(store, 777, run_id).metadata["experiment_id"] == 777


@pytest.mark.parametrize("version", ["mlflow-1.0", "mlflow-2.22", "mlflow-3.18"])
def test_a_run_of_mlflow_names_its_new_experiment_and_the_new_place_of_its_artifacts(tmp_path, version):
    """Rule T7: MLflow passes over a run whose meta.yaml names another experiment than its folder."""
    store = str(tmp_path / "mlruns")
    shutil.copytree(os.path.join(GOLDEN, version, "store", "mlruns"), store)
    source = next(each for each in experiments.list_ids(store) if reader.list_run_ids(store, each))
    run_id = reader.list_run_ids(store, source)[0]
    before = reader.read_run(store, source, run_id)
    for kind in ("inputs", "outputs"):
        shutil.rmtree(os.path.join(store, str(source), run_id, kind), ignore_errors=True)
    old = meta.read_meta(os.path.join(store, str(source), run_id, "meta.yaml"))
    experiments.ensure(store, 777, 1)
    there = moving.move_run(store, source, run_id, 777)
    fields = meta.read_meta(os.path.join(there, "meta.yaml"))
    assert fields["experiment_id"] == "777"
    assert old["artifact_uri"].endswith("/%s/%s/artifacts" % (source, run_id))
    assert fields["artifact_uri"] == old["artifact_uri"].replace("/%s/%s/" % (source, run_id), "/777/%s/" % run_id)
    assert {name: fields[name] for name in fields if fields[name] != old[name]}.keys() == {
        "experiment_id",
        "artifact_uri",
    }
    after = reader.read_run(store, 777, run_id)
    assert repr((after.params, after.metrics, after.tags)) == repr((before.params, before.metrics, before.tags))  # NaN
    assert after.metadata["status"] == before.metadata["status"]


def test_a_run_of_mlflow_that_names_data_sets_beside_it_stays_with_them(tmp_path):
    store = str(tmp_path / "mlruns")
    shutil.copytree(os.path.join(GOLDEN, "mlflow-3.18", "store", "mlruns"), store)
    experiments.ensure(store, 777, 1)
    linked = [
        (source, run_id)
        for source in experiments.list_ids(store)
        for run_id in reader.list_run_ids(store, source)
        if reader.read_run(store, source, run_id).metadata.get("inputs")
    ]
    assert linked
    for source, run_id in linked:
        with pytest.raises(InvalidValueError, match="names data sets or models"):
            moving.move_run(store, source, run_id, 777)
        assert places_of(store, run_id) == [source]
