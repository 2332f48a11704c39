"""Attack F03: in real shells Tab completes names, whatever stands in them, and runs nothing."""

import os
import stat
import subprocess
import sys

import pytest
from typed_shell import TypedShell, need

from mini_mlflow import Run
from mini_mlflow.cli.completion import SCRIPTS

pytestmark = pytest.mark.long

HOSTILE = [
    "q0$(touch ran)", "q1`touch ran`", "q2;touch ran", "q3 a b", "q4'x", 'q5"x', "q6\\x", "q7$HOME", "q8*",
    "q9&touch ran", "r0|touch ran", "r1>ran", "r2#x", "r3!!", "r4~", "r5(x)", "r6{a,b}", "r7ä", "r8[1]", "r9=x", "s0:x",
    "s1 $(touch ran) b",
]  # fmt: skip
SHELLS = ["bash", "zsh"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a store of hostile names, and what a shell is started with in it."""
    folder = tmp_path_factory.mktemp("shells")
    store = str(folder / "mlruns")
    for number, name in enumerate([*HOSTILE, "-rf", "esc\x1b[2Jx", "last", "plain-otter"]):
        run = Run(runs_dir=store, name=name, run_id="%032x" % (0xABCD0000 + number))
        run.log_metric("val.acc", 0.5)
        run.log_param("lr", 0.1)
        run.end()
    program = folder / "bin" / "mini-mlflow"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nexec "%s" -m mini_mlflow "$@"\n' % sys.executable, encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {
        "PATH": "%s:%s" % (program.parent, os.environ["PATH"]),
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "HISTFILE": "",
    }
    return folder, environment


@pytest.fixture(scope="module", params=SHELLS)
def shell(request, place):
    need(request.param)
    folder, environment = place
    typed = TypedShell(request.param, SCRIPTS[request.param], folder, environment)
    typed.name = request.param
    yield typed
    typed.close()


def words_of(line, shell, place):
    """Return the words that a shell makes of a line, having it print them."""
    folder, environment = place
    script = line.replace("mini-mlflow", "printf '%s\\0'", 1)
    option = ["-f"] if shell == "zsh" else []
    out = subprocess.run(
        [shell, *option, "-c", script], stdout=subprocess.PIPE, check=True, cwd=str(folder), env=environment
    )
    return out.stdout.decode("utf-8").split("\0")[:-1]


@pytest.mark.parametrize("name", HOSTILE)
def test_f03_a_hostile_name_is_completed_to_itself_and_nothing_runs(shell, place, name):
    folder, _ = place
    line = shell.complete("mini-mlflow show " + name[:2])
    assert words_of(line, shell.name, place) == ["show", name]
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("quote", ["'", '"'])
@pytest.mark.parametrize("name", ["q0$(touch ran)", "q3 a b", "q4'x", 'q5"x', "q1`touch ran`"])
def test_f03_the_same_within_quotes(shell, place, name, quote):
    folder, _ = place
    line = shell.complete("mini-mlflow show %s%s" % (quote, name[:2])).rstrip()
    line += "" if line.endswith(quote) and line.count(quote) > 1 else quote
    assert words_of(line, shell.name, place) == ["show", name]
    assert not (folder / "ran").exists()


def test_f03_what_was_typed_is_not_run_either(shell, place):
    folder, _ = place
    for line in (
        "mini-mlflow show $(touch ran) q",
        "mini-mlflow -d `touch ran` show q",
        'mini-mlflow show "$(touch ran)" q',
    ):
        shell.complete(line)
    assert not (folder / "ran").exists()


def test_f03_a_name_that_looks_like_an_option_comes_after_two_dashes_only(shell):
    assert "-rf" not in shell.complete("mini-mlflow show -r")
    assert shell.complete("mini-mlflow show -- -r").rstrip().endswith("-- -rf")


def test_f03_a_name_with_control_characters_is_no_candidate(shell):
    assert shell.complete("mini-mlflow show esc").rstrip() == "mini-mlflow show esc"


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("mini-mlflow chec", "mini-mlflow check "),
        ("mini-mlflow check --rep", "mini-mlflow check --repair "),
        ("mini-mlflow show plain", "mini-mlflow show plain-otter "),
        ("mini-mlflow show 0000", "mini-mlflow show 000000000000000000000000abcd00"),
        ("mini-mlflow show best:val", "mini-mlflow show best:val.acc "),
        ("mini-mlflow show name:la", "mini-mlflow show name:last "),
        ("mini-mlflow completion zs", "mini-mlflow completion zsh "),
        ("mini-mlflow best va", "mini-mlflow best val.acc "),
        ("mini-mlflow best val.acc:mi", "mini-mlflow best val.acc:min "),
        ("mini-mlflow ls -e Def", "mini-mlflow ls -e Default "),
        ("mini-mlflow ls --experiment=Def", "mini-mlflow ls --experiment=Default "),
        ("mini-mlflow -d mlr", "mini-mlflow -d mlruns/"),
        ("mini-mlflow -d nowhere show pl", "mini-mlflow -d nowhere show pl"),
    ],
)
def test_commands_options_runs_metrics_and_experiments_are_known(shell, typed, completed):
    line = shell.complete(typed)
    assert line.rstrip() == completed.rstrip()


def test_zsh_finds_the_completion_in_a_folder_of_its_fpath(place):
    need("zsh")
    folder, environment = place
    (folder / "fpath").mkdir()
    (folder / "fpath" / "_mini-mlflow").write_text(SCRIPTS["zsh"], encoding="utf-8")
    typed = TypedShell("zsh", "fpath=(%s/fpath $fpath); compinit -u -D" % folder, folder, environment)
    try:
        for _ in range(2):  # the first press of Tab loads it
            assert typed.complete("mini-mlflow show plain").rstrip() == "mini-mlflow show plain-otter"
    finally:
        typed.close()


def fish(place, line):
    folder, environment = place
    script = folder / "mini-mlflow.fish"
    script.write_text(SCRIPTS["fish"], encoding="utf-8")
    commands = "source %s; complete -C $argv[1]" % script
    arguments = ["fish", "--no-config", "-c", commands, line]
    out = subprocess.run(arguments, stdout=subprocess.PIPE, check=True, cwd=str(folder), env=environment).stdout
    return [answer.split("\t")[0] for answer in out.decode("utf-8").splitlines()]


def test_f03_fish_offers_hostile_names_as_they_are_and_runs_nothing(place):
    need("fish")
    folder, _ = place
    found = fish(place, "mini-mlflow show ")
    unescaped = subprocess.run(
        ["fish", "--no-config", "-c", "for word in $argv; string unescape -- $word; end", *found],
        stdout=subprocess.PIPE, check=True,
    ).stdout.decode("utf-8").splitlines()  # fmt: skip
    assert set(HOSTILE) - set(found) - set(unescaped) == set()
    assert not (folder / "ran").exists()
    for line in (
        "mini-mlflow show (touch ran) q",
        'mini-mlflow -d "(touch ran)" show q',
        "mini-mlflow show $(touch ran) q",
    ):
        fish(place, line)
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("mini-mlflow chec", ["check"]),
        ("mini-mlflow check --rep", ["--repair"]),
        ("mini-mlflow show plain", ["plain-otter"]),
        ("mini-mlflow show best:val", ["best:val.acc"]),
        ("mini-mlflow best va", ["val.acc"]),
        ("mini-mlflow ls -e Def", ["Default"]),
        ("mini-mlflow -d mlr", ["mlruns/"]),
    ],
)
def test_fish_knows_commands_options_runs_metrics_and_experiments(place, typed, wanted):
    need("fish")
    assert fish(place, typed) == wanted
