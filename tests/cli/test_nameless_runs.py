"""Runs without a name: the beginning of the id stands for it on every screen, and nothing cuts an id."""

import json

import pytest

IDS = ["30070d786c0f4e1f9d1b2c3d8b8cdd35", "41181e897d10502f0e2c3d4e9c9dee46"]


@pytest.fixture
def nameless(store):
    for number, run_id in enumerate(IDS):
        store.run(None, run_id=run_id, params={"lr": 0.1 * (number + 1)}, metrics={"acc": [0.1, 0.5 + number / 10]})
    return store


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize(
    "command",
    [
        ("ls", "Default"), ("ls", "-f", "acc > 0"), ("best", "acc"), ("plot", "acc"), ("compare", *IDS),
        ("ls", "-c", "name"),
    ],
    ids=lambda command: command[0] + command[-1][-4:],
)  # fmt: skip
def test_lists_tell_runs_without_a_name_apart(nameless, run_cli, monkeypatch, command, columns):
    monkeypatch.chdir(nameless.path.parent)
    result = run_cli(*command, "--color", "never", columns=columns)
    words = result.out.split()
    assert (result.code, result.err) == (0, "")
    assert {run_id[:8] for run_id in IDS} <= set(words)


def test_watching_names_them_by_the_beginning_of_the_id(store, run_cli):
    store.run(None, run_id=IDS[0], status="RUNNING", metrics={"acc": [0.5]})
    out = run_cli("-d", str(store.path), "tail", "last", "--color", "never", columns=80).lines[0]
    assert out.startswith("● 30070d78  running for")


@pytest.mark.parametrize(("name", "run_id"), [
    (None, IDS[0]), ("alpha", IDS[0]), ("alpha-with-a-very-long-name-that-goes-on", IDS[0]), (None, "run-7"),
    (None, "my-own-id-" + "x" * 60), ("alpha", "my-own-id-" + "x" * 60),
])  # fmt: skip
@pytest.mark.parametrize("columns", [20, 30, 40, 48, 60, 100])
def test_show_tells_the_whole_id_at_every_width(store, run_cli, name, run_id, columns):
    store.run(name, run_id=run_id)
    lines = run_cli("-d", str(store.path), "show", "last", "--color", "never", columns=columns).lines
    assert max(map(len, lines)) <= columns
    story = next(place for place, line in enumerate(lines) if "Default" in line)
    head, *below = (line.replace("✓", "").strip() for line in lines[:story])
    assert run_id in head + (" " if name else "") + "".join(below)
    assert lines[0].startswith("✓ " + (name or run_id[:8])[:6])


def test_programs_are_told_that_there_is_no_name(nameless, run_cli):
    rows = run_cli("-d", str(nameless.path), "ls", "Default", "-c", "id,name").lines[1:]
    assert sorted(rows) == ["%s\t" % run_id for run_id in IDS]
    assert json.loads(run_cli("-d", str(nameless.path), "show", IDS[0], "--json").out)["name"] is None


def test_what_changes_runs_tells_the_id_of_one_without_a_name_once(nameless, run_cli):
    place = ("-d", str(nameless.path))
    nameless.run("alpha", run_id="a" * 32)
    assert run_cli(*place, "rm", IDS[0][:8]).out == "deleted  30070d78  Default\n"
    gc = run_cli(*place, "gc", "--dry-run", "--color", "never", columns=80)
    assert gc.lines[2].split() == ["name", "deleted", "size", "experiment"]
    assert run_cli(*place, "restore", IDS[0]).out == "restored  30070d78  Default\n"
    asked = run_cli(*place, "rm", "alpha", IDS[0], IDS[1])
    assert asked.err.splitlines()[:3] == [
        "  alpha     aaaaaaaa  finished  Default",
        "  30070d78            finished  Default",
        "  41181e89            finished  Default",
    ]
    assert run_cli(*place, "tag", "alpha", IDS[0], "a=b").lines == [
        "tagged  alpha     aaaaaaaa  a=b", "tagged  30070d78            a=b",
    ]  # fmt: skip
    nameless.run(None, run_id="b" * 32, status="RUNNING")
    error = run_cli(*place, "rm", "-y", "bbbb", IDS[0]).err
    assert error.startswith("error: bbbbbbbb: ")
