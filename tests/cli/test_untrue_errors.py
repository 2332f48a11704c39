"""What errors say of runs and words is true: where was looked, what is needed, where the run is instead."""

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
