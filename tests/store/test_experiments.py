"""Does every process that asks for an experiment get the same one, and is none lost?"""

import errno
import os
import subprocess
import sys
from hashlib import sha256
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow import Run
from mini_mlflow.errors import (
    ExperimentDeletedError,
    ExperimentExistsError,
    ExperimentNotFoundError,
    InvalidValueError,
)
from mini_mlflow.records import Experiment
from mini_mlflow.store import experiments, meta, presence

NOW = 1795513800000


def write_meta(folder, **fields):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "meta.yaml").write_bytes(meta.encode(fields))


def record(experiment_id, name, created=None, stage="active"):
    return Experiment(experiment_id, name, created, stage, created, {})


def names_of(store):
    return {each.experiment_id: each.name for each in experiments.list_experiments(str(store))}


@given(st.text(st.characters(blacklist_categories=("Cs",))).filter(lambda name: name != "Default"))
def test_the_id_of_a_name_is_that_of_the_rule(name):
    """Rule E1."""
    number = int(sha256(normalize("NFC", name).encode("utf-8")).hexdigest(), 16)
    assert experiments.home_id(name) == 10**11 + number % (9 * 10**11)
    assert len(str(experiments.home_id(name))) == 12


def test_the_id_of_a_name_never_changes():
    """Rule E1: stores that were written today merge with those of later versions."""
    assert experiments.home_id("vision") == 597763484957
    assert experiments.home_id("e\u0301") == experiments.home_id("\u00e9")
    assert experiments.home_id("Default") == 0


def test_an_experiment_is_created_once_and_found_again(tmp_path):
    """Rules E1, E2 and Y3."""
    made = experiments.create(str(tmp_path), "vision", NOW)
    assert made == record(experiments.home_id("vision"), "vision", NOW)
    assert experiments.create(str(tmp_path), "vision", NOW + 1) == made
    assert experiments.find(str(tmp_path), "vision") == made
    assert experiments.find(str(tmp_path), "Vision") is None
    assert (tmp_path / str(made.experiment_id) / "meta.yaml").read_text(encoding="utf-8") == (
        'format: 1\nexperiment_id: %d\nname: "vision"\ncreation_time: %d\nlifecycle_stage: "active"\n'
        % (made.experiment_id, NOW)
    )


RACER = """
import sys
from mini_mlflow.store import experiments
sys.stdout.write("ready\\n"); sys.stdout.flush()
sys.stdin.readline()
for number in range(10):
    sys.stdout.write("%d\\n" % experiments.create(sys.argv[1], "name %d" % number, int(sys.argv[2])).experiment_id)
experiments.ensure(sys.argv[1], 0, int(sys.argv[2]))
"""


@pytest.mark.long
def test_fifty_processes_that_start_together_get_the_same_experiments(tmp_path):
    """Rules E1, E2 and E4."""
    store = str(tmp_path / "store")
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, store, str(NOW + number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            universal_newlines=True,
        )
        for number in range(50)
    ]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = {racer.communicate()[0] for racer in racers}
    assert {racer.returncode for racer in racers} == {0}
    names = ["name %d" % number for number in range(10)]
    assert answers == {"".join("%d\n" % experiments.home_id(name) for name in names)}
    expected = {experiments.home_id(name): name for name in names}
    expected[0] = "Default"
    assert names_of(store) == expected
    for experiment_id in expected:
        assert os.listdir(os.path.join(store, str(experiment_id))) == ["meta.yaml"]


def test_where_a_renamed_experiment_lies_the_next_id_is_taken(tmp_path):
    """Rule E2."""
    home = experiments.home_id("vision")
    write_meta(tmp_path / str(home), name="renamed")
    write_meta(tmp_path / str(home + 1), name="too")
    made = experiments.create(str(tmp_path), "vision", NOW)
    assert made.experiment_id == home + 2
    assert experiments.create(str(tmp_path), "vision", NOW) == made
    assert names_of(tmp_path) == {home: "renamed", home + 1: "too", home + 2: "vision"}


def test_where_a_broken_meta_yaml_lies_the_next_id_is_taken(tmp_path):
    """Rules E2 and S4."""
    home = experiments.home_id("vision")
    (tmp_path / str(home)).mkdir()
    (tmp_path / str(home) / "meta.yaml").write_bytes(b"[" * 30000)
    assert experiments.create(str(tmp_path), "vision", NOW).experiment_id == home + 1
    assert (tmp_path / str(home) / "meta.yaml").read_bytes() == b"[" * 30000


def test_a_folder_without_meta_yaml_is_filled(tmp_path):
    """Rule E2: its maker was killed in between."""
    (tmp_path / str(experiments.home_id("vision"))).mkdir()
    assert experiments.create(str(tmp_path), "vision", NOW).experiment_id == experiments.home_id("vision")


def test_of_two_with_one_name_the_one_at_its_home_id_counts(tmp_path):
    """Rule E3."""
    write_meta(tmp_path / "5", name="vision", creation_time=1)
    write_meta(tmp_path / str(experiments.home_id("vision")), name="vision", creation_time=9)
    assert experiments.find(str(tmp_path), "vision").experiment_id == experiments.home_id("vision")


def test_of_two_elsewhere_the_oldest_counts(tmp_path):
    """Rule E3."""
    for number, created in ((5, 30), (6, 10), (7, 20)):
        write_meta(tmp_path / str(number), name="vision", creation_time=created)
    assert experiments.create(str(tmp_path), "vision", NOW).experiment_id == 6


@pytest.mark.parametrize("name", ["\ud800", "a\udfffb"])
def test_b09_a_name_with_a_lone_surrogate_gets_one_experiment(tmp_path, name):
    """Rules E1 and Y2."""
    made = experiments.create(str(tmp_path), name, NOW)
    assert made.name == meta.storable(name)
    assert experiments.create(str(tmp_path), name, NOW) == made == experiments.find(str(tmp_path), name)
    assert len(os.listdir(str(tmp_path))) == 1


@pytest.mark.parametrize("name", ["no", "0123", "12:30", "~", "1_0", "", " ", "../x", "CON", "0", "Default", "\u2028"])
def test_b05_any_text_is_a_name(tmp_path, name):
    """Rules E1 and Y1."""
    made = experiments.create(str(tmp_path), name, NOW)
    assert made.name == name
    assert experiments.find(str(tmp_path), name) == made
    assert os.listdir(str(tmp_path)) == [str(experiments.home_id(name))]


@pytest.mark.parametrize(("experiment_id", "name"), [(0, "Default"), (17, "17"), ("vision-2", "vision-2")])
def test_an_experiment_asked_for_by_its_id_is_named_by_it(tmp_path, experiment_id, name):
    """Rules E1 and E4."""
    experiments.ensure(str(tmp_path), experiment_id, NOW)
    assert experiments.read(str(tmp_path), experiment_id) == record(experiment_id, name, NOW)
    before = (tmp_path / str(experiment_id) / "meta.yaml").read_bytes()
    experiments.ensure(str(tmp_path), experiment_id, NOW + 1)
    assert (tmp_path / str(experiment_id) / "meta.yaml").read_bytes() == before


def test_a_run_creates_the_experiment_it_is_for(tmp_path):
    """Rule E4."""
    for experiment_id in (0, 3, "vision"):
        Run(experiment_id=experiment_id, runs_dir=tmp_path).end()
    assert names_of(tmp_path) == {0: "Default", 3: "3", "vision": "vision"}


def test_every_folder_with_the_name_of_an_experiment_is_listed_numbers_first(tmp_path):
    """Rules S2 and S4."""
    for name in ("10", "9", "b", "a", "00", "123456789012", "9" * 30, ".trash", "params", "CON", "a b", "-1"):
        (tmp_path / name).mkdir()
    (tmp_path / "8").write_bytes(b"a file")
    assert experiments.list_ids(str(tmp_path)) == [9, 10, 123456789012, "00", "9" * 30, "a", "b"]


def test_a_folder_without_meta_is_an_experiment_where_it_holds_runs(tmp_path):
    """Rules S2 and S4."""
    experiments_there = ("10/run/params", "9/run", "8/.trash/run/tags", "a/run/writers", "7/.packs", "old/run")
    for folder in (*experiments_there, "b", "etc/conf/tags.d", "7b/.x/params", "6/.trash/1", "deep/store", "run"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "6/.trash/1/meta.yaml").write_text("experiment_id: '1'\n")  # MLflow's trash
    (tmp_path / "9/run/meta.yaml").write_text("run_id: x\nstatus: FINISHED\n")
    (tmp_path / "old/run/meta.yaml").write_text("run_uuid: x\n")
    (tmp_path / "run/meta.yaml").write_text("run_id: x\n")  # as where somebody names an experiment as the store
    (tmp_path / "deep/store/meta.yaml").write_text("experiment_id: '1'\nname: Default\n")  # or the folder above one
    names = [each.name for each in experiments.list_experiments(str(tmp_path))]
    assert names == ["7", "8", "9", "10", "a", "old"]
    (tmp_path / "run/meta.yaml").write_text("name: [\n")  # which nobody can read, and which is not told to be a run's
    assert [each.name for each in experiments.list_experiments(str(tmp_path))][-1] == "run"
    (tmp_path / "b/broken").mkdir()
    (tmp_path / "b/broken/meta.yaml").mkdir()
    assert "b" in [each.name for each in experiments.list_experiments(str(tmp_path))]


def test_a_folder_that_nobody_may_look_into_is_an_experiment_where_it_is_called_like_those_of_ours(
    tmp_path, monkeypatch
):
    for name in ("0", "private"):
        (tmp_path / name).mkdir()

    scandir = os.scandir

    def refuse(path):
        if path != str(tmp_path):
            raise PermissionError(errno.EACCES, "refused", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert [each.name for each in experiments.list_experiments(str(tmp_path))] == ["Default"]


def test_an_odd_trash_in_a_folder_that_is_none_hides_no_other(tmp_path):
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / ".trash").write_text("no folder")
    made = experiments.create(str(tmp_path), "vision", 1)
    assert experiments.list_experiments(str(tmp_path)) == [made]


def test_of_a_folder_that_is_somebody_elses_not_all_is_looked_at(tmp_path, monkeypatch):
    looked = []
    monkeypatch.setattr(presence, "_is_run", lambda path: looked.append(path) or False)
    for number in range(2100):
        (tmp_path / "data" / str(number)).mkdir(parents=True)
    assert experiments.list_experiments(str(tmp_path)) == []
    assert len(looked) == 2000


def test_a_name_that_a_folder_of_somebody_elses_has_is_free_and_the_folder_stays_as_it_is(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file.csv").write_text("1")
    made = experiments.create_new(str(tmp_path), "data", 1)
    assert made.experiment_id == experiments.home_id("data")
    assert os.listdir(str(tmp_path / "data")) == ["file.csv"]
    assert experiments.find(str(tmp_path), "data") == made


def test_a_store_that_is_not_there_has_no_experiments(tmp_path):
    assert experiments.list_ids(str(tmp_path / "none")) == []
    assert experiments.find(str(tmp_path / "none"), "vision") is None
    assert experiments.read(str(tmp_path / "none"), 0) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"name": None},
        {"name": 5},
        {"creation_time": "x"},
        {"lifecycle_stage": None},
        {"lifecycle_stage": "asleep", "last_update_time": "x", "tags": [1]},
        {"name": [1], "creation_time": 1.5},
    ],
)
def test_fields_that_make_no_sense_are_passed_over(tmp_path, fields):
    """Rule S4."""
    write_meta(tmp_path / "4", **fields)
    assert experiments.read(str(tmp_path), 4) == record(4, "4")


def test_a_deleted_experiment_stays_listed_as_such(tmp_path):
    """Rule Y3."""
    write_meta(tmp_path / "4", name="old", lifecycle_stage="deleted")
    assert experiments.list_experiments(str(tmp_path)) == [record(4, "old", None, "deleted")]


def test_a10_the_folder_is_the_id_whatever_meta_yaml_says(tmp_path):
    """Rule S2."""
    write_meta(tmp_path / "4", experiment_id="../../x", name="x")
    assert experiments.find(str(tmp_path), "x").experiment_id == 4


def test_a_store_that_cannot_be_written_says_so(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "makedirs", refuse)
    with pytest.raises(OSError, match=os.strerror(errno.EROFS)):
        experiments.create(str(tmp_path), "vision", NOW)


def test_names_that_look_the_same_are_one_experiment(tmp_path):
    """Rule E1: a name is kept and compared in NFC."""
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    first = experiments.create(str(tmp_path), decomposed, 1)
    assert experiments.create(str(tmp_path), composed, 2) == first
    assert experiments.find(str(tmp_path), decomposed) == first
    assert first.name == composed


def test_default_is_experiment_0_whichever_way_it_is_asked_for(tmp_path):
    """Rules E1 and E2."""
    assert experiments.create(str(tmp_path), "Default", NOW).experiment_id == 0
    experiments.ensure(str(tmp_path), 0, NOW + 1)
    assert names_of(tmp_path) == {0: "Default"}
    write_meta(tmp_path / "0", name="renamed")
    assert experiments.create(str(tmp_path), "Default", NOW).experiment_id == 10**11


def test_of_two_with_one_name_an_active_one_counts_before_a_deleted_one(tmp_path):
    """Rule E3."""
    home = experiments.home_id("vision")
    write_meta(tmp_path / str(home), name="vision", lifecycle_stage="deleted")
    assert experiments.find(str(tmp_path), "vision").experiment_id == home
    write_meta(tmp_path / "5", name="vision", creation_time=1)
    assert experiments.find(str(tmp_path), "vision").experiment_id == 5
    assert experiments.create(str(tmp_path), "vision", NOW).experiment_id == 5


def test_a_new_experiment_may_have_tags_and_its_name_must_be_free(tmp_path):
    """Rule Y3."""
    made = experiments.create_new(str(tmp_path), "vision", NOW, {"team": "a", "n": [1, None]})
    assert made.tags == {"team": "a", "n": [1, None]}
    assert experiments.find(str(tmp_path), "vision") == made
    with pytest.raises(ExperimentExistsError, match="already, of the id %d" % made.experiment_id) as caught:
        experiments.create_new(str(tmp_path), "vision", NOW)
    assert caught.value.name == "vision"


def test_no_run_starts_in_a_deleted_experiment(tmp_path):
    """Rule E6: also where this process has just started one there."""
    for _ in range(2):
        Run(experiment_id=4, runs_dir=tmp_path).end()
    write_meta(tmp_path / "4", name="old", lifecycle_stage="deleted")
    before = sorted(os.listdir(str(tmp_path / "4")))
    for _ in range(2):
        with pytest.raises(ExperimentDeletedError, match=r"'old' is deleted.*restore_experiment\(4\)") as caught:
            Run(experiment_id=4, runs_dir=tmp_path)
    assert caught.value.experiment_id == 4
    assert sorted(os.listdir(str(tmp_path / "4"))) == before
    write_meta(tmp_path / "4", name="restored")
    Run(experiment_id=4, runs_dir=tmp_path).end()


def test_a_meta_yaml_that_cannot_be_read_keeps_no_run_from_starting(tmp_path):
    """Rule E6."""
    (tmp_path / "4").mkdir()
    (tmp_path / "4" / "meta.yaml").write_bytes(b"[" * 30000)
    Run(experiment_id=4, runs_dir=tmp_path).end()


def test_an_experiment_that_is_not_there_is_told_by_its_id(tmp_path):
    with pytest.raises(ExperimentNotFoundError, match=r"no experiment 'x' in .*search_experiments\(\)") as caught:
        experiments.get(str(tmp_path), "x")
    assert (caught.value.experiment_id, isinstance(caught.value, FileNotFoundError)) == ("x", True)


MLFLOW_VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID")


@pytest.mark.parametrize(
    ("variables", "chosen"),
    [
        ({}, None),
        ({"NAME": "vision"}, 597763484957),
        ({"NAME": "vision", "ID": "597763484957"}, 597763484957),
        ({"ID": "5"}, 5),
        ({"ID": "6"}, None),
        ({"ID": "../5"}, None),
        ({"ID": "6", "NAME": "five"}, 5),
    ],
)
def test_the_environment_may_choose_the_experiment(tmp_path, monkeypatch, variables, chosen):
    """An id that this store does not have is one of another store's."""
    write_meta(tmp_path / "5", name="five")
    for name in MLFLOW_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv("MLFLOW_EXPERIMENT_" + name, value)
    assert experiments.named_by_environment(str(tmp_path), NOW) == chosen
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://server:5000")
    assert experiments.named_by_environment(str(tmp_path), NOW) is None


def test_a_name_and_an_id_of_the_environment_that_do_not_belong_together_are_refused(tmp_path, monkeypatch):
    write_meta(tmp_path / "5", name="five")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "vision")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "5")
    with pytest.raises(InvalidValueError, match="MLFLOW_EXPERIMENT_ID is 5, but MLFLOW_EXPERIMENT_NAME 'vision' is"):
        experiments.named_by_environment(str(tmp_path), NOW)


def test_the_names_of_experiments_that_have_not_changed_are_not_read_again(tmp_path, monkeypatch):
    for number in range(5):
        write_meta(tmp_path / str(number), name="e%d" % number)
        os.utime(str(tmp_path / str(number) / "meta.yaml"), (NOW / 1000 - 10**6, NOW / 1000 - 10**6))
    assert experiments.find(str(tmp_path), "nobody") is None
    read, read_meta = [], meta.read_meta
    monkeypatch.setattr(meta, "read_meta", lambda path: read.append(path) or read_meta(path))
    assert experiments.find(str(tmp_path), "e3").experiment_id == 3
    assert {os.path.basename(os.path.dirname(path)) for path in read} == {"3", str(experiments.home_id("e3"))}


def test_a_name_that_changes_within_a_moment_is_found_at_once(tmp_path):
    """The clock of a disk ticks every few milliseconds, and an inode is used again: both versions may look the same."""
    write_meta(tmp_path / "4", name="one")
    for name in ("two", "six", "ten") * 20:
        assert experiments.find(str(tmp_path), name) is None
        state = os.stat(str(tmp_path / "4" / "meta.yaml"))
        (tmp_path / "4" / "meta.yaml").write_bytes(meta.encode({"name": name}))
        os.utime(str(tmp_path / "4" / "meta.yaml"), ns=(state.st_atime_ns, state.st_mtime_ns))
        assert experiments.find(str(tmp_path), name).experiment_id == 4
        write_meta(tmp_path / "4", name="one")


def test_a_name_that_cannot_be_read_now_is_found_once_it_can(tmp_path, monkeypatch):
    write_meta(tmp_path / "4", name="vision")
    os.utime(str(tmp_path / "4" / "meta.yaml"), (NOW / 1000 - 10**6, NOW / 1000 - 10**6))
    with monkeypatch.context() as patched:

        def refuse(path):
            raise OSError(errno.EIO, "broken", path)

        patched.setattr(meta, "read_meta", refuse)
        assert experiments.find(str(tmp_path), "vision") is None
    assert experiments.find(str(tmp_path), "vision").experiment_id == 4


def test_only_the_experiments_that_have_a_run_are_listed_for_it(tmp_path):
    for name in ("4", "10", "text", ".hidden", "params"):
        (tmp_path / name / "r").mkdir(parents=True)
    (tmp_path / "5").mkdir()
    (tmp_path / "6").mkdir()
    (tmp_path / "6" / "r").write_text("a file")
    assert experiments.list_ids(str(tmp_path), "r") == [4, 10, "text"]
