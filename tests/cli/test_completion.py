"""Does each word that a command takes have its candidates, fast and without harm?"""

import os
from importlib import import_module

import pytest

from mini_mlflow import delete_run
from mini_mlflow.cli import candidates, completing
from mini_mlflow.cli.commands import COMMANDS
from mini_mlflow.cli.options import Parser, add_everywhere

# What nobody can know beforehand: numbers, texts, new names.
FREE = {
    "ls": {"limit"},
    "best": {"limit"},
    "history": {"limit"},
    "plot": {"limit", "smooth", "height", "xlim", "ylim"},
    "tail": {"lines"},
    "path": {"artifact"},
    "ui": {"host", "port"},
    "run": {"name"},
    "note": {"text"},
    "rename": {"name"},
    "gc": {"older_than"},
    "pack": {"older_than"},
}


def actions_of(name):
    parser = Parser("mini-mlflow " + name)
    import_module("mini_mlflow.cli." + COMMANDS[name].module).add_arguments(parser)
    add_everywhere(parser)
    return parser, [action for action in parser.all_actions() if action.nargs != 0]


@pytest.fixture
def filled(store, monkeypatch, tmp_path):
    """Two experiments with runs of all kinds of names, in ``mlruns`` of the current folder."""
    monkeypatch.chdir(tmp_path)
    store.experiment("sweep one")
    store.run("brisk-otter", params={"lr": 0.1, "model.depth": 3}, metrics={"val.acc": [0.5]}, tags={"team": "blue"})
    store.run("calm-seal", "sweep one", metrics={"loss": [1.0], "odd key": [1.0]}, run_id="5ea1" * 8)
    store.run("last", "sweep one")
    store.run("twice", run_id="aaaa1111" * 4)
    store.run("twice", run_id="bbbb1111" * 4)
    return store


def words(*typed):
    return [word for word, _ in completing.complete(["mini-mlflow", *typed]).words]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_value_of_every_command_has_candidates_or_is_known_to_be_free(filled, name):
    parser, actions = actions_of(name)
    free = set()
    for action in actions:
        found = completing._value(action, "", [], parser)
        is_trash = name == "restore" and action.dest == "runs"
        if not found.words and found.kind == completing.WORDS and not is_trash:
            free.add(action.dest)
    assert free == FREE.get(name, set())


def test_commands_come_first_with_what_they_do(filled):
    found = completing.complete(["mini-mlflow", ""]).words
    assert [word for word, _ in found] == list(COMMANDS)
    assert dict(found)["ls"] == COMMANDS["ls"].line


def test_runs_come_by_name_newest_first_and_by_id_where_a_name_is_not_enough(filled):
    found = words("show", "")
    assert found[:2] == ["last", "best:"]
    assert set(found[2:]) == {"brisk-otter", "calm-seal", "name:last", "aaaa1111" * 4, "bbbb1111" * 4}
    assert set(words("show", "-e", "sweep one", "")[2:]) == {"calm-seal", "name:last"}


def test_the_beginning_of_an_id_is_completed_where_no_name_begins_so(filled):
    assert "5ea1" * 8 in words("show", "5ea")


def test_every_word_that_is_offered_means_that_run(filled, run_cli):
    for word in words("show", "")[2:]:
        assert run_cli("show", word).code == 0


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (("best", ""), {"loss", "odd key", "val.acc"}),
        (("best", "loss:"), {"loss:min", "loss:max"}),
        (("show", "best:"), {"best:loss", "best:odd key", "best:val.acc"}),
        (("history", "calm-seal", ""), {"loss", "odd key", "val.acc"}),
        (("ls", ""), {"Default", "sweep one"}),
        (("ls", "-e", ""), {"Default", "sweep one"}),
        (("ls", "--experiment=S"), {"--experiment=Default", "--experiment=sweep one"}),
        (("ls", "-m", "loss,"), {"loss,loss", "loss,val.acc"}),
        (("ls", "-c", ""), {"loss", "val.acc", "lr", "model.depth"}),
        (("ls", "-s", "-l"), {"-loss", "-odd key", "-val.acc", "-lr", "-model.depth"}),
        (("ls", "-f", "a > 0 and l"), {"a > 0 and " + key for key in ("loss", "val.acc", "lr", "model.depth")}),
        (("plot", "loss", "-x", ""), {"step", "time", "loss", "odd key", "val.acc"}),
        (("ls", "--color", ""), {"auto", "always", "never"}),
        (("completion", ""), {"bash", "zsh", "fish"}),
        (("tag", "-r", ""), {"team"}),
        (("nothing", ""), set()),
        (("check", ""), set()),
    ],
)
def test_words_are_completed_by_what_they_mean(filled, typed, offered):
    assert set(words(*typed)) == offered


def test_after_runs_may_come_more_runs_or_what_follows_them(filled):
    assert "calm-seal" in words("mv", "brisk-otter", "")
    assert "sweep one" in words("mv", "brisk-otter", "")
    assert "sweep one" not in words("mv", "")
    assert {"team=", "calm-seal"} <= set(words("tag", "brisk-otter", ""))


def test_after_an_option_that_may_have_a_value_comes_that_or_what_follows(filled):
    assert set(words("ls", "-g", "")) == {"lr", "model.depth", "Default", "sweep one"}


def test_forms_and_groups_are_completed(filled):
    assert {"--md", "--csv", "--by"} <= set(words("ls", "-"))
    assert {"--md", "--csv", "--tsv"} <= set(words("compare", "last", "-"))
    assert "--md" in words("best", "loss", "-")
    assert set(words("ls", "--by", "")) == {"lr", "model.depth"}


def test_restore_offers_what_is_in_the_trash(filled):
    delete_run("5ea1" * 8, runs_dir=filled.path)
    assert words("restore", "") == ["calm-seal"]
    assert "calm-seal" not in words("show", "")


def test_options_are_those_of_the_command_and_of_all(filled):
    assert {"--repair", "--experiment", "--json", "-d"} <= set(words("check", "-"))
    assert "--repair" not in words("ls", "-")
    assert "--json" in words("-")


@pytest.mark.parametrize(
    ("typed", "kind"),
    [(("-d", ""), "folders"), (("ls", "-d", ""), "folders"), (("merge", ""), "folders"), (("run", "--", ""), "files")],
)
def test_paths_are_left_to_the_shell(filled, typed, kind):
    assert completing.complete(["mini-mlflow", *typed]) == (kind, [])


def test_where_there_are_thousands_of_runs_and_no_index_nobody_waits(filled, monkeypatch):
    monkeypatch.setattr(candidates, "_MANY", 3)
    assert {"brisk-otter", "calm-seal"} <= set(words("show", ""))
    assert {"loss", "val.acc"} <= set(words("best", ""))
    assert not list((filled.path.parent / "cache").rglob("*.sqlite"))


def test_a_command_line_that_names_no_store_has_no_candidates(filled, run_cli):
    for line in ("mini-mlflow -d nowhere show ", "mini-mlflow -e nothing show ", "mini-mlflow show -e nothing "):
        found = run_cli("--complete", "bash", line, "")
        assert (found.code, found.out, found.err) == (0, "words\n", "")


def test_b09_a_name_of_half_a_character_is_no_candidate(filled, run_cli):
    path = filled.path / "0" / "half" / "meta.yaml"
    path.parent.mkdir()
    path.write_text('format: 1\nname: "\\ud800"\nstatus: "FINISHED"\n', encoding="utf-8")
    found = run_cli("--complete", "zsh", "mini-mlflow", "show", "")
    assert found.code == 0
    assert "brisk-otter\tfinished" in found.out


def test_e02_nothing_is_started(filled, run_cli, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a program was started")

    for name in ("fork", "posix_spawn", "execve"):
        monkeypatch.setattr(os, name, refuse, raising=False)
    assert "brisk-otter" in run_cli("--complete", "fish", "mini-mlflow", "show", "br").out


def test_the_scripts_are_printed(run_cli):
    for shell in ("bash", "zsh", "fish"):
        assert "mini-mlflow --complete %s" % shell in run_cli("completion", shell).out
    assert run_cli("completion", "csh").code == 2
