"""How does an experiment change, and does nothing else change with it?"""

import os

import pytest

from mini_mlflow import Run
from mini_mlflow.errors import (
    ActiveRunError,
    BrokenFileError,
    ExperimentDeletedError,
    ExperimentExistsError,
    ExperimentNotFoundError,
    InvalidValueError,
    UnsupportedFormatError,
)
from mini_mlflow.store import experiment_changes, experiments, lock_file, locks, meta

NOW = 1795513800000
ACTS = {
    "rename": lambda store, number: experiment_changes.rename(store, number, "other", NOW + 1),
    "delete": lambda store, number: experiment_changes.delete(store, number, NOW + 1),
    "restore": lambda store, number: experiment_changes.restore(store, number, NOW + 1),
    "set_tags": lambda store, number: experiment_changes.set_tags(store, number, {"a": 1}, NOW + 1),
}


@pytest.fixture
def store(tmp_path):
    return str(tmp_path)


@pytest.fixture
def vision(store):
    return experiments.create(store, "vision", NOW).experiment_id


def write_meta(store, number, **fields):
    folder = os.path.join(store, str(number))
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "meta.yaml"), "wb") as file:
        file.write(meta.encode(fields))


def fields_of(store, number):
    return meta.read_meta(os.path.join(store, str(number), "meta.yaml"))


def test_a_renamed_experiment_keeps_its_id_and_all_else(store, vision):
    """Rules E2, E5 and Y3."""
    experiment_changes.rename(store, vision, "cafe\u0301", NOW + 5)
    assert fields_of(store, vision) == {
        "format": 1,
        "experiment_id": vision,
        "name": "caf\u00e9",
        "creation_time": NOW,
        "lifecycle_stage": "active",
        "last_update_time": NOW + 5,
    }
    assert experiments.find(store, "vision") is None
    assert experiments.find(store, "caf\u00e9").experiment_id == vision
    assert experiments.create(store, "vision", NOW).experiment_id == vision + 1


def test_a_name_that_another_has_is_refused_also_where_that_one_is_deleted(store, vision):
    """Rule E5."""
    other = experiments.create(store, "other", NOW).experiment_id
    for hint in ("already, of the id %d" % other, "deleted experiment 'other'"):
        with pytest.raises(ExperimentExistsError, match=hint):
            experiment_changes.rename(store, vision, "other", NOW)
        experiment_changes.delete(store, other, NOW)
    assert experiments.get(store, vision).name == "vision"
    experiment_changes.rename(store, vision, "vision", NOW + 1)  # its own name is no obstacle


def test_who_finds_that_another_took_the_name_at_the_same_moment_takes_its_own_back(store, vision, monkeypatch):
    """Rule E5: of two who rename to one name, both may have looked before either wrote."""
    replace, taken = experiment_changes.documents.replace, []

    def meanwhile(path, data):
        replace(path, data)
        if not taken:
            taken.append(path)
            write_meta(store, 7, name="other")

    monkeypatch.setattr(experiment_changes.documents, "replace", meanwhile)
    with pytest.raises(ExperimentExistsError, match="of the id 7"):
        experiment_changes.rename(store, vision, "other", NOW + 1)
    assert experiments.get(store, vision).name == "vision"


def test_a_deleted_experiment_stays_where_it_is_and_comes_back_as_it_was(store, vision):
    """Rule E6."""
    with Run(experiment_id=vision, runs_dir=store) as run:
        run.log_metric("loss", 0.5)
    before = sorted(os.listdir(os.path.join(store, str(vision), run.run_id)))
    experiment_changes.delete(store, vision, NOW + 5)
    there = fields_of(store, vision)
    assert (there["lifecycle_stage"], there["deleted_time"], there["last_update_time"]) == ("deleted", NOW + 5, NOW + 5)
    experiment_changes.delete(store, vision, NOW + 6)
    assert experiment_changes.deleted_ms(store, vision) == NOW + 5
    assert sorted(os.listdir(os.path.join(store, str(vision), run.run_id))) == before
    experiment_changes.restore(store, vision, NOW + 7)
    experiment_changes.restore(store, vision, NOW + 8)
    there = fields_of(store, vision)
    assert (there["lifecycle_stage"], there["last_update_time"]) == ("active", NOW + 7)
    assert "deleted_time" not in there
    assert experiment_changes.deleted_ms(store, vision) is None


def test_an_experiment_with_a_run_that_lives_is_not_deleted(store, vision):
    """Rule E6."""
    run = Run(experiment_id=vision, runs_dir=store)
    with pytest.raises(ActiveRunError, match=r"Run %s of experiment 'vision' is being written" % run.run_id) as caught:
        experiment_changes.delete(store, vision, NOW)
    assert caught.value.run_id == run.run_id
    assert experiments.get(store, vision).lifecycle_stage == "active"
    run.end()
    experiment_changes.delete(store, vision, NOW)


def test_one_whose_name_an_active_one_has_is_not_restored(store, vision):
    """Rule E6: after a merge of stores there may be two."""
    experiment_changes.delete(store, vision, NOW)
    write_meta(store, 7, name="vision")
    with pytest.raises(ExperimentExistsError, match="of the id 7"):
        experiment_changes.restore(store, vision, NOW)
    experiment_changes.delete(store, 7, NOW)
    experiment_changes.restore(store, vision, NOW)


def test_tags_are_added_and_replaced_one_by_one(store, vision):
    experiment_changes.set_tags(store, vision, {"a": 1, "b": [1, {"c": None}]}, NOW + 1)
    experiment_changes.set_tags(store, vision, {"a": "two", "x/y": "z"}, NOW + 2)
    there = experiments.get(store, vision)
    assert (there.tags, there.last_update_time) == ({"a": "two", "b": [1, {"c": None}], "x/y": "z"}, NOW + 2)


def test_tags_of_more_than_512_kib_are_refused(store, vision):
    """Rule E5: a meta.yaml of a mebibyte is not read."""
    before = fields_of(store, vision)
    with pytest.raises(InvalidValueError, match="may have 524288 bytes together"):
        experiment_changes.set_tags(store, vision, {"a": "x" * 2**19}, NOW)
    assert fields_of(store, vision) == before


@pytest.mark.parametrize("act", ["rename", "set_tags"])
def test_a_deleted_experiment_is_neither_renamed_nor_tagged(store, vision, act):
    """Rule E6."""
    experiment_changes.delete(store, vision, NOW)
    with pytest.raises(ExperimentDeletedError, match="restore_experiment"):
        ACTS[act](store, vision)


@pytest.mark.parametrize("act", sorted(ACTS))
def test_an_experiment_that_is_not_there_is_told_and_not_made(store, act):
    with pytest.raises(ExperimentNotFoundError):
        ACTS[act](store, 17)
    assert os.listdir(store) == []


@pytest.mark.parametrize(
    ("content", "error"), [(b"[" * 30000, BrokenFileError), (b'format: 99\nname: "x"\n', UnsupportedFormatError)]
)
@pytest.mark.parametrize("act", ["rename", "delete", "set_tags"])
def test_what_cannot_be_read_is_not_overwritten(store, vision, act, content, error):
    """Rule S5."""
    path = os.path.join(store, str(vision), "meta.yaml")
    with open(path, "wb") as file:
        file.write(content)
    with pytest.raises(error):
        ACTS[act](store, vision)
    with open(path, "rb") as file:
        assert file.read() == content


def test_fields_of_others_stay(store):
    """Rule Y3: MLflow's experiments have a location."""
    folder = os.path.join(store, "5")
    os.makedirs(folder)
    text = "artifact_location: file:///x\nexperiment_id: '5'\nname: there\nlifecycle_stage: active\nnothing: null\n"
    with open(os.path.join(folder, "meta.yaml"), "w") as file:
        file.write(text)
    experiment_changes.rename(store, 5, "other", NOW)
    there = fields_of(store, 5)
    assert (there["artifact_location"], there["name"], there["nothing"]) == ("file:///x", "other", None)


def test_a_folder_without_meta_yaml_gets_one_when_it_changes(store):
    os.makedirs(os.path.join(store, "5"))
    experiment_changes.rename(store, 5, "five", NOW)
    assert fields_of(store, 5) == {"format": 1, "experiment_id": 5, "name": "five", "last_update_time": NOW}


def test_who_changes_an_experiment_waits_for_another_who_does_and_says_so_after_a_while(store, vision, monkeypatch):
    """Rule E5."""
    descriptor = os.open(os.path.join(store, str(vision), ".lock"), os.O_RDWR | os.O_CREAT)
    assert locks.try_lock(descriptor)
    clock = iter([0.0, 1.0, 11.0])
    monkeypatch.setattr(lock_file, "monotonic", lambda: next(clock))
    with pytest.raises(TimeoutError, match="the experiment for 10 seconds; try again"):
        experiment_changes.rename(store, vision, "other", NOW)
    os.close(descriptor)
    assert experiments.get(store, vision).name == "vision"


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="links need no rights elsewhere than on Windows")
def test_a12_a_lock_that_is_a_link_is_not_followed(store, vision, tmp_path):
    os.symlink(str(tmp_path / "outside"), os.path.join(store, str(vision), ".lock"))
    with pytest.raises(OSError, match="symbolic links"):
        experiment_changes.rename(store, vision, "other", NOW)
    assert not (tmp_path / "outside").exists()


def test_readers_see_neither_the_lock_nor_a_change_by_it(store, vision):
    """Rules E5 and S4."""
    experiment_changes.rename(store, vision, "other", NOW)
    assert sorted(os.listdir(os.path.join(store, str(vision)))) == [".lock", "meta.yaml"]
    assert experiments.list_ids(store) == [vision]
    assert experiment_changes.find_living(os.path.join(store, str(vision))) is None


def test_one_that_was_deleted_by_others_counts_from_the_time_of_its_meta_yaml(store):
    """Rule E6: MLflow 1.0 wrote no time."""
    write_meta(store, 5, name="x", lifecycle_stage="deleted")
    os.utime(os.path.join(store, "5", "meta.yaml"), (1000, 1000))
    assert experiment_changes.deleted_ms(store, 5) == 1000000
    assert experiment_changes.deleted_ms(store, 6) is None
