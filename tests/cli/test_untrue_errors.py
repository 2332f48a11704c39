"""What errors say of runs and words is true: where was looked, what is needed, where the run is instead."""

import shutil
from pathlib import Path

import pytest

import mini_mlflow


@pytest.fixture
def trash(store, monkeypatch):
    """A store with a run that is there, and one in the trash."""
    monkeypatch.chdir(store.path.parent)
    store.run("brisk-otter", store.experiment("sweep"))
    mini_mlflow.delete_run(store.run("calm-seal"), runs_dir=store.path)
    return store


def test_restoring_what_is_not_in_the_trash_says_so(trash, run_cli):
    assert run_cli("restore", "nosuch").err == (
        "error: no deleted run 'nosuch' in mlruns\n  gc --dry-run tells what is in the trash\n"
    )
    assert run_cli("restore", "calm-seel").err == "error: no deleted run 'calm-seel' in mlruns\n  near:  calm-seal\n"
    assert run_cli("restore", "brisk-otter").err == (
        "error: no deleted run 'brisk-otter' in mlruns\n  it is not in the trash: show shows it\n"
    )
    assert run_cli("restore", "calm-seal").code == 0
    assert run_cli("restore", "nosuch").err == "error: no deleted run 'nosuch' in mlruns\n  the trash is empty\n"


def test_a_run_in_the_trash_is_told_of(trash, run_cli):
    for command in (("show",), ("tail",), ("rm",)):
        result = run_cli(*command, "calm-seal")
        assert result.code == 3
        assert result.err == (
            "error: no run 'calm-seal' in mlruns\n"
            "  it is in the trash: show -a shows it, restore brings it back\n"
        )  # fmt: skip
    assert "the trash" not in run_cli("show", "-a", "nosuch").err
    assert "the trash" not in run_cli("show", "nosuch").err


def test_the_experiment_that_was_looked_in_is_named(trash, run_cli):
    assert run_cli("show", "nosuch", "-e", "sweep").err == (
        "error: no run 'nosuch' in experiment 'sweep'\n  ls tells which there are\n"
    )
    assert run_cli("show", "nosuch", "-e", "nosuch").err.startswith("error: no experiment 'nosuch' in mlruns\n")


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("plot", "METRIC"), ("history", "RUN"), ("note", "RUN"), ("unpack", "EXPERIMENT"), ("rename", "RUN, NAME"),
        ("compare", "RUN"), ("mv", "RUN, EXPERIMENT"),
    ],
)  # fmt: skip
def test_only_what_is_needed_is_said_to_be_needed(run_cli, words, needed):
    result = run_cli(words)
    assert (result.code, result.err.splitlines()[0]) == (2, "error: mini-mlflow %s needs %s" % (words, needed))


def test_one_run_is_not_said_to_be_the_same_as_another(trash, run_cli):
    assert run_cli("compare", "brisk-otter").err == "error: compare needs two runs, and 'brisk-otter' is one\n"
    assert run_cli("compare", "brisk-otter", "last").err.endswith("and these are the same one\n")


@pytest.mark.parametrize(
    "words", [("best", "los"), ("plot", "los"), ("ls", "-b", "los"), ("ls", "-g", "-b", "los"), ("show", "best:los")]
)  # fmt: skip
def test_a_metric_is_said_to_be_missing_where_was_looked(trash, run_cli, words):
    trash.run("other", trash.experiment("second"), metrics={"loss": [1.0]})
    result = run_cli(*words, "-e", "sweep")
    assert (result.code, result.err) == (3, "error: no metric 'los' in experiment 'sweep'\n")
    assert run_cli(*words).err == "error: no metric 'los' in mlruns\n  near:  loss\n"


def test_a_folder_that_is_no_store_is_told_to_be_none_and_where_the_store_is(trash, run_cli, tmp_path):
    for folder in ("etc/conf.d/inner", "etc/ssl"):
        (tmp_path / folder).mkdir(parents=True)
    lines = run_cli("-d", "etc", "ls", columns=100).lines
    assert lines[:2] == [
        "No runs in etc yet.", "  What lies there are no experiments; a store is a folder of them, such as ./mlruns"
    ]
    assert run_cli("-d", "etc", "ls").lines == [run_cli("ls").lines[0]]  # a heading, and nothing
    for given in (".", str(tmp_path)):
        assert run_cli("-d", given, "ls", columns=200).lines[1] == "  A store in it: -d %s/mlruns" % given
    experiment = next(trash.path.glob("1*"))
    run = next(experiment.glob("*/"))
    for given, store in ((experiment, trash.path), (Path("mlruns/0"), "mlruns"), (run, trash.path)):
        expected = "  It is an experiment or a run; the store is -d %s" % store
        assert run_cli("-d", str(given), "ls", columns=200).lines[1] == expected
    (tmp_path / "new").mkdir()
    assert len(run_cli("-d", "new", "ls", columns=80).lines) == 4


@pytest.mark.parametrize(("kept", "count"), [("format-0", 2), ("mlflow-1.0", 3), ("mlflow-3.18", 3), ("format-1", 3)])
def test_stores_of_other_versions_show_all_their_experiments(run_cli, tmp_path, kept, count):
    golden = Path(__file__).parent.parent / "golden" / kept
    store = golden / "store" / "mlruns" if (golden / "store").is_dir() else golden
    shutil.copytree(str(store), str(tmp_path / "kept"))
    assert len(run_cli("-d", str(tmp_path / "kept"), "ls").lines) == 1 + count
