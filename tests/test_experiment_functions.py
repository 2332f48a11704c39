"""What do the functions on experiments and on the store do, and what do they refuse?"""

import os
import shutil
from pathlib import Path

import pytest

import mini_mlflow
from mini_mlflow import ExperimentTracker, InvalidIdError, InvalidKeyError, InvalidValueError, active
from mini_mlflow.errors import ExperimentDeletedError, ExperimentExistsError, ExperimentNotFoundError
from mini_mlflow.experiments import check_name

BAD_IDS = ["..", "../0/x", ".trash", "a/b", "-rf", "meta.yaml", "CON", "x" * 300, "", "a\0b", -1, 1.5, None, True]


@pytest.fixture(autouse=True)
def fresh_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("MINI_MLFLOW_DIR", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.delenv(name, raising=False)
    active.reset()
    yield
    active.clear()
    active.reset()


def names(**options):
    return [each.name for each in mini_mlflow.search_experiments(**options)]


def test_runs_go_to_the_experiment_that_was_chosen_by_its_name():
    """Rules E1 and E2."""
    chosen = mini_mlflow.set_experiment("vision")
    assert (chosen.name, chosen.lifecycle_stage, chosen.tags) == ("vision", "active", {})
    with mini_mlflow.start_run() as run:
        run.log_metric("loss", 1)
    assert run.experiment_id == chosen.experiment_id
    assert mini_mlflow.set_experiment("vision") == chosen
    assert os.listdir("mlruns") == [str(chosen.experiment_id)]


def test_an_experiment_may_be_chosen_by_its_id():
    made = mini_mlflow.create_experiment("vision", tags={"team": "a"})
    assert mini_mlflow.set_experiment(experiment_id=str(made)).tags == {"team": "a"}
    with mini_mlflow.start_run() as run:
        pass
    assert run.experiment_id == made
    with pytest.raises(ExperimentNotFoundError):
        mini_mlflow.set_experiment(experiment_id=17)
    assert mini_mlflow.set_experiment(experiment_id=0).name == "Default"


@pytest.mark.parametrize("arguments", [{}, {"experiment_name": "a", "experiment_id": 0}])
def test_exactly_one_of_name_and_id_is_given(arguments):
    with pytest.raises(InvalidValueError, match="one of the two"):
        mini_mlflow.set_experiment(**arguments)


def test_a_deleted_experiment_is_not_chosen_until_it_is_restored():
    """Rule E6."""
    made = mini_mlflow.create_experiment("vision")
    mini_mlflow.delete_experiment(made)
    for choose in (
        lambda: mini_mlflow.set_experiment("vision"),
        lambda: mini_mlflow.set_experiment(experiment_id=made),
    ):
        with pytest.raises(ExperimentDeletedError, match=r"restore_experiment\(%d\)" % made):
            choose()
    assert active.chosen_experiment() is None
    mini_mlflow.restore_experiment(made)
    assert mini_mlflow.set_experiment("vision").experiment_id == made


def test_no_run_starts_in_the_chosen_experiment_once_it_is_deleted():
    """Rule E6."""
    made = mini_mlflow.set_experiment("vision").experiment_id
    mini_mlflow.start_run().end()
    mini_mlflow.delete_experiment(made)
    with pytest.raises(ExperimentDeletedError):
        mini_mlflow.start_run()
    assert mini_mlflow.active_run() is None
    assert len(os.listdir(os.path.join("mlruns", str(made)))) == 3


def test_a_name_is_taken_once():
    made = mini_mlflow.create_experiment("vision")
    with pytest.raises(ExperimentExistsError, match="already"):
        mini_mlflow.create_experiment("vision")
    mini_mlflow.delete_experiment(made)
    with pytest.raises(ExperimentExistsError, match="deleted"):
        mini_mlflow.create_experiment("vision")
    with pytest.raises(ValueError, match="restore_experiment"):
        mini_mlflow.rename_experiment(mini_mlflow.create_experiment("b"), "vision")


def test_an_experiment_is_found_by_id_and_by_name_also_when_it_is_deleted():
    made = mini_mlflow.create_experiment("caf\u00e9")
    for _ in range(2):
        assert mini_mlflow.get_experiment(made) == mini_mlflow.get_experiment_by_name("cafe\u0301")
        mini_mlflow.delete_experiment(made)
    assert mini_mlflow.get_experiment(str(made)).lifecycle_stage == "deleted"
    assert mini_mlflow.get_experiment_by_name("none") is None
    with pytest.raises(ExperimentNotFoundError):
        mini_mlflow.get_experiment(17)


@pytest.mark.parametrize("experiment_id", BAD_IDS)
@pytest.mark.parametrize(
    "door",
    [
        mini_mlflow.get_experiment,
        mini_mlflow.delete_experiment,
        mini_mlflow.restore_experiment,
        lambda each: mini_mlflow.rename_experiment(each, "b"),
        lambda each: mini_mlflow.set_experiment(experiment_id=each),
    ],
)
def test_a08_an_id_that_is_no_folder_name_is_refused_at_every_door(door, experiment_id):
    """Rule S2."""
    mini_mlflow.start_run(experiment_id=0).end()
    with pytest.raises((InvalidIdError, InvalidValueError)):
        door(experiment_id)
    assert os.listdir(".") == ["mlruns"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "not blank"),
        (" \u3000\t", "not blank"),
        (None, "not blank"),
        (5, "not blank"),
        (b"x", "not blank"),
        ("x" * 10001, "has 10001 characters, 10000 are allowed"),
        ("a\nb", "control characters"),
        ("a\0", "control characters"),
        ("\x1b[2J", "control characters"),
        ("a\x9bb", "control characters"),
    ],
)
def test_b05_a_name_that_nobody_could_read_is_refused_by_every_door(name, message):
    made = mini_mlflow.create_experiment("vision")
    doors = [mini_mlflow.create_experiment, mini_mlflow.get_experiment_by_name]
    doors += [lambda each: mini_mlflow.rename_experiment(made, each)]
    doors += [mini_mlflow.set_experiment] if name is not None else []
    for door in doors:
        with pytest.raises(InvalidValueError, match=message) as caught:
            door(name)
        assert caught.value.value == name
    assert names() == ["vision"]


@pytest.mark.parametrize("name", ["a/b", "../x", "CON", "<script>", "a\u2028b", " padded ", "\U0001f600", "x" * 10000])
def test_b05_any_other_text_is_a_name(name):
    assert check_name(name) == name
    assert mini_mlflow.set_experiment(name).name == name
    assert names() == [name]


def test_experiments_are_listed_newest_first_and_deleted_ones_when_asked_for(monkeypatch):
    clock = iter(range(1000, 2000))
    monkeypatch.setattr("mini_mlflow.experiments.now_ms", lambda: next(clock))
    made = {name: mini_mlflow.create_experiment(name) for name in ("b", "c", "a")}
    mini_mlflow.delete_experiment(made["c"])
    assert names() == ["a", "b"]
    assert names(view_type="DELETED_ONLY") == ["c"]
    assert names(view_type="ALL") == ["a", "c", "b"]
    assert names(view_type="ALL", order_by=["name"]) == ["a", "b", "c"]
    assert names(view_type="ALL", order_by="name desc") == ["c", "b", "a"]
    assert names(view_type="ALL", order_by=["creation_time ASC"], max_results=2) == ["b", "c"]
    assert names(view_type="ALL", order_by=["last_update_time DESC", "name"]) == ["c", "a", "b"]
    ids = [each.experiment_id for each in mini_mlflow.search_experiments(order_by=["experiment_id DESC"])]
    assert ids == sorted(ids, reverse=True)


def test_ids_of_both_kinds_and_times_that_nobody_knows_are_sorted_too():
    for experiment_id in ("b", 7, 10):
        mini_mlflow.start_run(experiment_id=experiment_id).end()
    os.makedirs("mlruns/5/run/params")
    found = mini_mlflow.search_experiments(order_by=["experiment_id"])
    assert [each.experiment_id for each in found] == [5, 7, 10, "b"]
    assert mini_mlflow.search_experiments(order_by=["creation_time"])[0].experiment_id == 5


@pytest.mark.parametrize(
    "options",
    [{"view_type": "all"}, {"view_type": 3}, {"max_results": 0}, {"max_results": "5"}, {"order_by": ["metrics.x"]},
     {"order_by": ["name UP"]}, {"order_by": [5]}, {"order_by": [""]}, {"order_by": "name, creation_time"}],
)  # fmt: skip
def test_a_search_that_makes_no_sense_is_refused_by_name(options):
    with pytest.raises(InvalidValueError, match=next(iter(options))):
        mini_mlflow.search_experiments(**options)


def test_tags_are_attached_to_the_chosen_experiment():
    mini_mlflow.set_experiment_tag("team", "a")
    assert mini_mlflow.get_experiment(0).tags == {"team": "a"}
    chosen = mini_mlflow.set_experiment("vision")
    mini_mlflow.set_experiment_tag("n", [1])
    assert mini_mlflow.get_experiment(chosen.experiment_id).tags == {"n": [1]}
    with pytest.raises(InvalidKeyError):
        mini_mlflow.set_experiment_tag("a/b", 1)
    with pytest.raises(InvalidValueError):
        mini_mlflow.create_experiment("other", tags={"a": 10**400})
    assert sorted(names()) == ["Default", "vision"]


def test_stores_with_the_same_experiment_merge_by_copying(tmp_path):
    """Rules S1 and E1."""
    for store in ("one", "two"):
        mini_mlflow.set_tracking_uri(store)
        chosen = mini_mlflow.set_experiment("vision")
        with mini_mlflow.start_run(run_name="from " + store) as run:
            run.log_metric("loss", 1)
    shutil.copytree("two/%s/%s" % (chosen.experiment_id, run.run_id), "one/%s/%s" % (chosen.experiment_id, run.run_id))
    shutil.copy("two/%s/meta.yaml" % chosen.experiment_id, "one/%s/meta.yaml" % chosen.experiment_id)
    assert [each.name for each in mini_mlflow.search_experiments(runs_dir="one")] == ["vision"]
    tracker = ExperimentTracker(experiment_id=chosen.experiment_id, runs_dir=str(tmp_path / "one"))
    found = [tracker.get_run(run_id)["metadata"]["name"] for run_id in tracker.list_runs()]
    assert sorted(found) == ["from one", "from two"]


# The store ----------------------------------------------------------------------------------------------------------


def test_runs_go_to_the_store_that_was_chosen_from_wherever_the_process_goes(tmp_path, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_DIR", str(tmp_path / "environment"))
    assert mini_mlflow.get_tracking_uri() == str(tmp_path / "environment")
    mini_mlflow.set_tracking_uri("chosen")
    assert not (tmp_path / "chosen").exists()
    (tmp_path / "sub").mkdir()
    os.chdir(str(tmp_path / "sub"))
    mini_mlflow.start_run(run_id="r").end()
    assert (tmp_path / "chosen" / "0" / "r" / "meta.yaml").exists()
    assert mini_mlflow.get_tracking_uri() == str(tmp_path / "chosen")
    mini_mlflow.set_tracking_uri(None)
    assert mini_mlflow.get_tracking_uri() == str(tmp_path / "environment")


def test_a_store_is_named_by_a_path_or_a_file_uri(tmp_path):
    for uri in (tmp_path / "my runs", (tmp_path / "my runs").as_uri(), str(tmp_path / "my runs")):
        mini_mlflow.set_tracking_uri(uri)
        assert Path(mini_mlflow.get_tracking_uri()) == tmp_path / "my runs"


def test_a_store_that_cannot_be_leaves_the_one_that_is(tmp_path):
    mini_mlflow.set_tracking_uri("chosen")
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotADirectoryError, match="no folder"):
        mini_mlflow.set_tracking_uri("file")
    for uri in ("http://localhost:5000", "sqlite:///x.db", "databricks", 5, ""):
        with pytest.raises(InvalidValueError):
            mini_mlflow.set_tracking_uri(uri)
    assert mini_mlflow.get_tracking_uri() == str(tmp_path / "chosen")


def test_the_experiment_of_the_chosen_name_is_used_in_whichever_store():
    """Rule E1."""
    mini_mlflow.set_tracking_uri("one")
    mini_mlflow.rename_experiment(mini_mlflow.create_experiment("vision"), "text")
    chosen = mini_mlflow.set_experiment("vision")
    mini_mlflow.set_tracking_uri("two")
    with mini_mlflow.start_run() as run:
        pass
    assert mini_mlflow.get_experiment(run.experiment_id).name == "vision"
    assert run.experiment_id == chosen.experiment_id - 1
