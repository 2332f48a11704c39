"""``check``: what is found and mended is told on terminals of every width, in a pipe, and as JSON."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from measured import widest

from mini_mlflow.check import stores
from mini_mlflow.cli import texts

GOLDEN = Path(__file__).parents[1] / "golden"
DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
LONG_AGO = 1_000_000_000


@pytest.fixture
def damaged(tmp_path, monkeypatch):
    """The golden store of format 1, in which three files were damaged, in ``mlruns`` of the current folder."""
    shutil.copytree(str(GOLDEN / "format-1"), str(tmp_path / "mlruns"))
    for path in (tmp_path / "mlruns").rglob("*"):
        os.utime(str(path), (LONG_AGO, LONG_AGO))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mini_mlflow.cli.check.monotonic", lambda: 5.0)
    return tmp_path / "mlruns"


def put(store, run_id, name, text=""):
    """Put a param's file into a run."""
    folder = store.path / "0" / run_id / "params"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_what_is_found_looks_so(damaged, run_cli, check_screen, columns):
    found = run_cli("check", "--color", "never", columns=columns)
    assert (found.code, found.err) == (1, "")
    assert widest(found.lines) <= columns
    check_screen("check-%d" % columns, found.out)


def test_in_ascii_and_without_colour_it_looks_so(damaged, run_cli, check_screen):
    found = run_cli("check", "--ascii", "--color", "never", columns=80)
    assert found.out.isascii()
    assert "\x1b" not in found.out
    check_screen("check-80-ascii", found.out)


def test_with_colours_it_has_the_same_text(damaged, run_cli, check_screen):
    coloured = run_cli("check", columns=80).out
    assert texts._COLOURS.sub("", coloured) == run_cli("check", "--color", "never", columns=80).out
    check_screen("check-80-colour", coloured.replace("\x1b", "␛"))


def test_what_is_mended_looks_so_and_afterwards_all_is_well(damaged, run_cli, check_screen):
    found = run_cli("check", "--repair", "--color", "never", columns=80)
    assert found.code == 0
    check_screen("check-80-repair", found.out)
    again = run_cli("check", columns=80)
    assert again.code == 0
    assert "Nothing wrong." in again.out
    assert "Nothing to mend. Nothing wrong." in run_cli("check", "--repair", columns=80).out


def test_findings_are_one_json_document(damaged, run_cli):
    found = run_cli("check", "--json")
    document = json.loads(found.out)
    assert found.code == 1
    assert document["schema"] == "mini-mlflow/check/1"
    assert (document["runs"], document["living"], document["metric_files"]) == (9, 0, 30)
    assert [set(finding) for finding in document["findings"]] == [{"rule", "level", "path", "text", "repair"}] * 3
    repaired = json.loads(run_cli("check", "--repair", "--json").out)
    assert [finding["rule"] for finding in repaired["mended"]] == ["M9", "M10", "M4"]
    assert (repaired["findings"], repaired["unmended"]) == ([], [])


def test_in_a_pipe_it_is_the_same_text_without_colour(damaged, run_cli):
    found = run_cli("check")
    assert "\x1b" not in found.out
    assert "2 errors, 1 warning. check --repair mends 3 and loses no value." in found.out


def test_f01_a_hostile_path_and_name_are_printed_escaped(store, run_cli):
    run_id = store.run("evil\x1b[2J\u202e", run_id="r")
    put(store, run_id, "a\x1b]52;c;x\x07.json")
    for columns in (60, 200, None):
        found = run_cli("-d", str(store.path), "check", columns=columns)
        plain = texts._COLOURS.sub("", found.out)
        assert "\x1b" not in plain
        assert "\u202e" not in plain
        assert "\\x1b" in plain


def test_what_many_runs_have_alike_is_cut_on_a_terminal_and_whole_elsewhere(store, run_cli):
    for number in range(12):
        run_id = store.run("run-%d" % number, run_id="r%d" % number)
        put(store, run_id, "x.json")
    on_terminal = run_cli("-d", str(store.path), "check", columns=80).out
    assert on_terminal.count("D1") == 9
    assert "4 more of D1: --all" in on_terminal
    for found in (
        run_cli("-d", str(store.path), "check", "--all", columns=80),
        run_cli("-d", str(store.path), "check"),
    ):
        assert found.out.count("D1") == 12


def test_one_experiment_alone_is_checked_and_an_unknown_one_is_an_error(damaged, run_cli):
    assert run_cli("check", "-e", "text-id").code == 0
    assert "2 runs" in run_cli("check", "-e", "text-id").out
    unknown = run_cli("check", "-e", "nothing")
    assert (unknown.code, unknown.out) == (3, "")


def test_a_store_that_is_not_there_is_no_fault_unless_it_was_named(tmp_path, monkeypatch, run_cli):
    monkeypatch.chdir(tmp_path)
    assert run_cli("check").code == 0
    assert run_cli("-d", "nowhere", "check").code == 3
    assert [name for name in os.listdir(str(tmp_path)) if name != "cache"] == []


def test_a_run_that_is_written_is_not_mended_and_that_is_said_and_exits_1(store, run_cli):
    run_id = store.run("busy", status="RUNNING", run_id="r")
    put(store, run_id, "x.json")
    found = run_cli("-d", str(store.path), "check", "--repair", columns=80)
    assert found.code == 1
    assert re.search("not\\s+mended: Run r is being\\s+written", found.out)
    assert "1 run is being written now" in found.out


def test_what_cannot_be_mended_is_said_so(store, run_cli):
    run_id = store.run("odd", run_id="r")
    put(store, run_id, "x.json", '{"value": 1, "timestamp": 5}\n')
    assert "1 error. None of it can be mended without losing a value." in run_cli("-d", str(store.path), "check").out
    repaired = run_cli("-d", str(store.path), "check", "--repair")
    assert "Nothing to mend. Left: 1 error." in repaired.out
    assert repaired.code == 1


def test_f06_a_terminal_of_20_columns_has_no_line_that_is_wider(damaged, run_cli):
    found = run_cli("check", columns=20)
    assert widest(texts._COLOURS.sub("", found.out).splitlines()) <= 20


def test_an_interruption_ends_with_130_and_leaves_a_sound_store(damaged, run_cli, monkeypatch):
    look = stores._look

    def interrupt(store, place):
        if place.run_id == "killed":
            raise KeyboardInterrupt
        return look(store, place)

    monkeypatch.setattr(stores, "_look", interrupt)
    found = run_cli("check", "--repair", columns=80)
    assert found.code == 130
    monkeypatch.setattr(stores, "_look", look)
    assert run_cli("check", "--repair").code == 0


def test_e02_a_check_starts_no_program_and_writes_nothing(damaged, run_cli, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a program was started")

    for name in ("fork", "posix_spawn", "execve"):
        monkeypatch.setattr(os, name, refuse, raising=False)
    before = {str(path): path.stat().st_mtime_ns for path in damaged.rglob("*")}
    run_cli("check")
    assert {str(path): path.stat().st_mtime_ns for path in damaged.rglob("*")} == before


def test_the_documentation_shows_what_it_looks_like(damaged, run_cli):
    screen = run_cli("check", "--color", "never", columns=80).out
    assert "$ mini-mlflow check\n" + screen in DOCS.read_text(encoding="utf-8")
