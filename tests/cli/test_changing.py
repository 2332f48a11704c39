"""Do the commands that change runs change the runs that were meant, those alone, and tell which and what?"""

import json
import os
import sys

import pytest

import mini_mlflow
from mini_mlflow.cli.failures import AMBIGUOUS, NO, NOT_FOUND, REFUSED, USAGE
from mini_mlflow.store import experiments, reader, trash


@pytest.fixture
def folder(store, tmp_path, monkeypatch):
    """A store with three runs in two experiments, in ``mlruns`` of the current folder."""
    monkeypatch.chdir(tmp_path)
    store.experiment("sweep")
    store.experiment("archive")
    store.run("brisk-otter", "sweep", run_id="1" * 32, tags={"stage": "new"})
    store.run("calm-seal", "sweep", run_id="2222" + "0" * 28, ago_s=7200)
    store.run("lucid-crane", run_id="22223" + "0" * 27, ago_s=9000)
    return str(store.path)


@pytest.fixture
def sweep(folder):
    return experiments.find(folder, "sweep").experiment_id


OTTER, SEAL, CRANE = "1" * 32, "2222" + "0" * 28, "22223" + "0" * 27


def record(folder, experiment_id, run_id):
    found = reader.read_run(folder, experiment_id, run_id)
    assert found.problems == []
    return found


def places(folder, run_id):
    return reader.find_experiments(folder, run_id)


# tag


def test_tags_come_to_every_run_that_is_named_and_the_names_and_ids_are_told(run_cli, folder, sweep):
    result = run_cli("tag", "brisk-otter", "id:22220", "best=yes", "note=a = b")
    assert (result.code, result.err) == (0, "")
    assert result.lines == [
        "tagged  brisk-otter  11111111  best=yes  note=a = b",
        "tagged  calm-seal    22220000  best=yes  note=a = b",
    ]
    assert record(folder, sweep, OTTER).tags == {"best": "yes", "note": "a = b", "stage": "new"}
    assert record(folder, sweep, SEAL).tags == {"best": "yes", "note": "a = b"}
    assert record(folder, 0, CRANE).tags == {}


def test_a_tag_is_taken_away(run_cli, folder, sweep):
    result = run_cli("tag", "brisk-otter", "-r", "stage", "-r", "other")
    assert (result.code, result.lines) == (0, ["tagged  brisk-otter  11111111  -stage"])
    assert record(folder, sweep, OTTER).tags == {}
    assert run_cli("tag", "brisk-otter", "-r", "stage").lines == ["tagged  brisk-otter  11111111  had no such tag"]


def test_a_run_that_lives_is_tagged_beside_its_owner(run_cli, store, folder, sweep):
    store.run("alive", "sweep", status="RUNNING", run_id="3" * 32)
    assert run_cli("tag", "alive", "a=b").code == 0
    assert record(folder, sweep, "3" * 32).tags == {"a": "b"}
    assert record(folder, sweep, "3" * 32).metadata["status"] == "RUNNING"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["brisk-otter"], USAGE),
        (["a=b"], USAGE),
        (["brisk-otter", "=b"], USAGE),
        (["brisk-otter", "a/b=c"], USAGE),
        (["nobody", "a=b"], NOT_FOUND),
        (["brisk-otter", "nobody", "a=b"], NOT_FOUND),
        (["2222", "a=b"], AMBIGUOUS),
    ],
)
def test_what_cannot_be_done_to_all_is_done_to_none(run_cli, folder, sweep, words, code):
    assert run_cli("tag", *words).code == code
    assert record(folder, sweep, OTTER).tags == {"stage": "new"}


def test_a_run_whose_name_has_an_equals_sign_is_called_by_name(run_cli, store, folder, sweep):
    run_id = store.run("lr=0.1", "sweep")
    assert run_cli("tag", "name:lr=0.1", "a=b").code == 0
    assert record(folder, sweep, run_id).tags == {"a": "b"}


def test_json_tells_what_was_done_in_one_document(run_cli, folder, sweep):
    document = json.loads(run_cli("tag", "brisk-otter", "calm-seal", "a=b", "--json").out)
    assert (document["schema"], document["store"], document["done"]) == ("mini-mlflow/changed/1", "mlruns", "tagged")
    assert [each["run_id"] for each in document["runs"]] == [OTTER, SEAL]
    assert document["runs"][0]["experiment"] == "sweep"
    assert document["runs"][0]["tags"] == {"a": "b"}
    assert document["failed"] == document["warnings"] == []


# note


def test_a_note_is_what_stands_on_the_line(run_cli, folder, sweep):
    result = run_cli("note", "brisk-otter", "diverged", "after step 300")
    assert (result.code, result.lines) == (0, ["noted  brisk-otter  11111111  diverged after step 300"])
    assert mini_mlflow.get_note(OTTER, runs_dir=folder) == "diverged after step 300"
    assert run_cli("note", "brisk-otter", "-r").lines == ["noted  brisk-otter  11111111  no note"]
    assert mini_mlflow.get_note(OTTER, runs_dir=folder) is None


@pytest.mark.parametrize("words", [[], ["-"]])
def test_a_note_comes_through_a_pipe(run_cli, folder, words):
    assert run_cli("note", "brisk-otter", *words, stdin="first line\n\nmore \u00e4\n").code == 0
    assert mini_mlflow.get_note(OTTER, runs_dir=folder) == "first line\n\nmore \u00e4"


def test_an_empty_pipe_takes_no_note_away(run_cli, folder):
    run_cli("note", "brisk-otter", "keep me")
    result = run_cli("note", "brisk-otter", stdin="\n")
    assert result.code == USAGE
    assert "the note is empty" in result.err
    assert mini_mlflow.get_note(OTTER, runs_dir=folder) == "keep me"


def editor(tmp_path, code):
    path = tmp_path / "editor.py"
    path.write_text("import sys\npath = sys.argv[-1]\ntext = open(path, encoding='utf-8').read()\n" + code)
    return "%s %s --wait" % (sys.executable, path)


def test_on_a_terminal_an_editor_shows_the_note_and_what_it_leaves_counts(run_cli, folder, tmp_path, monkeypatch):
    run_cli("note", "brisk-otter", "before")
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", editor(tmp_path, "open(path, 'w', encoding='utf-8').write(text + ' and after\\n')"))
    assert run_cli("note", "brisk-otter", columns=80).code == 0
    assert mini_mlflow.get_note(OTTER, runs_dir=folder) == "before and after"


@pytest.mark.parametrize(
    ("code", "exit_code", "says"),
    [("sys.exit(3)", NO, "exit code 3"), ("", 0, "as it was"), ("open(path, 'w')", USAGE, "is empty")],
)
def test_an_editor_that_fails_or_changes_nothing_changes_nothing(
    run_cli, folder, tmp_path, monkeypatch, code, exit_code, says
):
    run_cli("note", "brisk-otter", "before")
    monkeypatch.setenv("VISUAL", editor(tmp_path, code))
    result = run_cli("note", "brisk-otter", columns=80)
    assert result.code == exit_code
    assert says in result.err
    assert mini_mlflow.get_note(OTTER, runs_dir=folder) == "before"


def test_an_editor_that_is_not_there_is_told_with_the_other_way(run_cli, folder, monkeypatch):
    monkeypatch.setenv("VISUAL", "no-such-editor")
    result = run_cli("note", "brisk-otter", columns=80)
    assert result.code == USAGE
    assert "EDITOR names another" in result.err


# rename


def test_a_run_is_renamed(run_cli, folder, sweep):
    result = run_cli("rename", "brisk-otter", "the good one")
    assert (result.code, result.lines) == (0, ["renamed  brisk-otter  11111111  → the good one"])
    assert record(folder, sweep, OTTER).metadata["name"] == "the good one"


def test_a_run_that_lives_is_not_renamed_from_outside(run_cli, store, folder):
    store.run("alive", "sweep", status="RUNNING", run_id="3" * 32)
    path = os.path.join(folder, str(experiments.find(folder, "sweep").experiment_id), "3" * 32, "meta.yaml")
    with open(path) as file:
        before = file.read()
    held, mini_mlflow.active._process.live = mini_mlflow.active._process.live, {}  # as another process would see it
    result = run_cli("rename", "alive", "x")
    mini_mlflow.active._process.live = held
    assert result.code == REFUSED
    assert "is being written" in result.err
    with open(path) as file:
        assert file.read() == before


# mv


def test_runs_are_moved_to_an_experiment_by_name_or_id(run_cli, folder, sweep):
    archive = experiments.find(folder, "archive").experiment_id
    result = run_cli("mv", "brisk-otter", "lucid-crane", "archive")
    assert (result.code, result.lines) == (
        0,
        ["moved  brisk-otter  11111111  sweep → archive", "moved  lucid-crane  22223000  Default → archive"],
    )
    assert places(folder, OTTER) == places(folder, CRANE) == [archive]
    assert run_cli("mv", "brisk-otter", str(sweep)).code == 0
    assert places(folder, OTTER) == [sweep]
    assert run_cli("mv", "brisk-otter", "sweep").lines == ["moved  brisk-otter  11111111  is in sweep"]


def test_an_experiment_that_is_not_there_is_made_if_that_is_said(run_cli, folder, sweep):
    result = run_cli("mv", "brisk-otter", "archiv")
    assert result.code == NOT_FOUND
    assert "near:  archive" in result.err
    assert "--create" in result.err
    assert places(folder, OTTER) == [sweep]
    assert run_cli("mv", "brisk-otter", "archiv", "--create").code == 0
    assert places(folder, OTTER) == [experiments.find(folder, "archiv").experiment_id]


def test_of_several_runs_those_that_can_be_moved_are_and_the_exit_code_tells(run_cli, store, folder, sweep):
    store.run("alive", "sweep", status="RUNNING", run_id="3" * 32)
    result = run_cli("mv", "brisk-otter", "alive", "archive")
    assert result.code == NO
    assert result.lines == ["moved  brisk-otter  11111111  sweep → archive"]
    assert "alive 33333333: Run %s is being written" % ("3" * 32) in result.err.replace("\n  ", " ")
    assert places(folder, "3" * 32) == [sweep]
    document = json.loads(run_cli("mv", "alive", "calm-seal", "archive", "--json").out)
    assert [each["run_id"] for each in document["runs"]] == [SEAL]
    assert [(each["run_id"], each["exit_code"]) for each in document["failed"]] == [("3" * 32, REFUSED)]
    assert run_cli("mv", "alive", "archive").code == REFUSED


# rm, restore


def test_one_run_goes_into_the_trash_unasked_and_comes_back(run_cli, folder, sweep):
    result = run_cli("rm", "brisk-otter")
    assert (result.code, result.lines) == (0, ["deleted  brisk-otter  11111111  sweep"])
    assert places(folder, OTTER) == []
    assert run_cli("rm", "brisk-otter").code == NOT_FOUND
    result = run_cli("restore", "brisk-otter")
    assert (result.code, result.lines) == (0, ["restored  brisk-otter  11111111  sweep"])
    assert places(folder, OTTER) == [sweep]
    assert run_cli("restore", "brisk-otter").code == NOT_FOUND


@pytest.mark.parametrize(("answer", "is_done"), [("y\n", True), ("yes\n", True), ("n\n", False), ("\n", False)])
def test_of_several_runs_it_is_asked_first(new_shell, folder, answer, is_done):
    shell = new_shell(80)
    shell._terminal.type(answer)
    result = shell.run("rm", "brisk-otter", "calm-seal")
    assert result.code == 0
    assert "Move these 2 runs to the trash? [y/N]" in result.err
    assert "brisk-otter  11111111  finished  sweep" in result.err
    assert places(folder, OTTER) == ([] if is_done else [experiments.find(folder, "sweep").experiment_id])
    assert ("nothing was done" in result.err) is not is_done


def test_where_nobody_can_be_asked_nothing_is_done_without_yes(run_cli, folder):
    for words in (["rm", "brisk-otter", "calm-seal"], ["rm", "brisk-otter", "calm-seal", "--json"]):
        result = run_cli(*words, stdin="y\n")
        assert result.code == USAGE
        assert places(folder, OTTER)
    assert "-y says yes" in run_cli("rm", "brisk-otter", "calm-seal").err
    assert run_cli("rm", "-y", "brisk-otter", "calm-seal").code == 0
    assert places(folder, OTTER) == places(folder, SEAL) == []


def test_a_run_that_lives_stays(run_cli, store, folder, sweep):
    store.run("alive", "sweep", status="RUNNING", run_id="3" * 32)
    result = run_cli("rm", "alive")
    assert result.code == REFUSED
    assert places(folder, "3" * 32) == [sweep]


HOSTILE = ["last", "1", "-x", "best:y", "3-6", "g2", "id:1111", "name:x"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("command", ["rm", "mv"])
def test_f07_a_run_that_is_called_like_another_word_is_never_guessed(run_cli, store, folder, command, name):
    """The newest run is another one, and so is the first row of the last list."""
    odd = store.run(name, "sweep", run_id="4" * 32, metrics={"y": [1.0]}, ago_s=8000)
    other = store.run("other", "sweep", run_id="5" * 32, metrics={"y": [2.0]}, ago_s=1)
    rest = ["archive"] if command == "mv" else []
    before = {run_id: places(folder, run_id) for run_id in (odd, other, OTTER, SEAL)}
    result = run_cli(command, "--", name, *rest)
    after = {run_id: places(folder, run_id) for run_id in before}
    if name in ("last", "best:y", "id:1111"):
        assert (result.code, after) == (AMBIGUOUS if name != "id:1111" else 0, after)
        if name != "id:1111":
            assert after == before
    else:
        assert {run_id for run_id in before if after[run_id] != before[run_id]} <= {odd}
    assert run_cli(command, "--", "name:" + name, *rest).code in (0, NOT_FOUND)
    assert places(folder, other) == before[other]
    assert places(folder, odd) != before[odd]


@pytest.mark.parametrize("command", ["rm", "mv"])
def test_f07_a_number_that_is_a_row_and_a_name_is_refused_with_both(new_shell, store, folder, command):
    odd = store.run("2", "sweep", run_id="4" * 32, ago_s=9000)
    rest = ["archive"] if command == "mv" else []
    shell = new_shell(100)
    assert shell.run("ls", "sweep").code == 0
    before = {run_id: places(folder, run_id) for run_id in (odd, OTTER, SEAL)}
    result = shell.run(command, "2", *rest)
    assert result.code == AMBIGUOUS
    assert "44444444" in result.err
    assert "22220000" in result.err
    assert {run_id: places(folder, run_id) for run_id in before} == before
    assert shell.run(command, "1", *rest).code == 0
    assert places(folder, OTTER) != before[OTTER]
    assert shell.run(command, "name:2", *rest).code == 0
    assert (places(folder, odd) != before[odd], places(folder, SEAL)) == (True, before[SEAL])


def test_f07_the_beginning_of_two_ids_is_never_guessed(run_cli, folder):
    for words in (["rm", "2222"], ["mv", "2222", "archive"], ["rm", "id:2222"], ["restore", "2222"]):
        result = run_cli(*words)
        assert result.code in (AMBIGUOUS, NOT_FOUND)
    assert places(folder, SEAL)
    assert places(folder, CRANE)


# gc


def test_gc_tells_what_is_in_the_trash_asks_and_removes_it(new_shell, folder):
    shell = new_shell(80)
    assert shell.run("gc").lines == ["nothing in the trash of mlruns"]
    shell.run("rm", "brisk-otter")
    shell.run("rm", "lucid-crane")
    shell._terminal.type("n\n")
    result = shell.run("gc")
    assert result.lines[0].startswith("trash of mlruns · 2 runs, ")
    shown = [line.split()[:2] for line in result.lines[3:5]]
    assert shown == [["lucid-crane", "22223000"], ["brisk-otter", "11111111"]]
    assert "Remove 2 runs, " in result.err
    assert len(trash.find_deleted(folder, OTTER)) == 1
    shell._terminal.type("y\n")
    result = shell.run("gc")
    assert result.lines[-1].startswith("removed 2 runs, ")
    assert trash.find_deleted(folder, OTTER) == []


def test_gc_removes_nothing_in_a_dry_run_nor_what_is_younger_nor_elsewhere(run_cli, folder):
    run_cli("rm", "brisk-otter")
    assert run_cli("gc", "--dry-run", "-y").code == 0
    assert run_cli("gc", "--older-than", "1h", "-y").lines == ["nothing in the trash of mlruns"]
    assert run_cli("gc", "-e", "archive", "-y").lines == ["nothing in the trash of mlruns"]
    assert run_cli("gc", "--older-than", "soon").code == USAGE
    assert run_cli("gc", "-e", "nowhere").code == NOT_FOUND
    assert run_cli("gc").code == USAGE  # nobody to ask
    assert len(trash.find_deleted(folder, OTTER)) == 1
    document = json.loads(run_cli("gc", "--json", "-y", "-e", "sweep").out)
    assert [each["run_id"] for each in document["removed"]] == [OTTER]
    assert document["found"] == document["removed"]
    assert document["removed"][0]["name"] == "brisk-otter"
    assert document["removed"][0]["size_bytes"] > 0
    assert trash.find_deleted(folder, OTTER) == []


def test_gc_removes_deleted_experiments_too(run_cli, folder, sweep):
    mini_mlflow.delete_experiment(sweep, runs_dir=folder)
    result = run_cli("gc", "-y")
    assert "all of experiment" in result.out
    assert result.lines[-1].startswith("removed 1 experiment, ")
    assert not os.path.exists(os.path.join(folder, str(sweep)))


def test_what_cannot_be_removed_is_told_and_makes_the_exit_code_1(run_cli, folder, sweep):
    run_cli("rm", "brisk-otter")
    (link,) = [os.path.join(folder, str(sweep), ".trash")]
    os.rename(link, link + "-real")
    os.symlink(link + "-real", link)
    result = run_cli("gc", "-y")
    assert result.code == NO
    assert "it is a link" in result.err


# all of them


@pytest.mark.parametrize(
    "words",
    [["tag", "x", "a=b"], ["note", "x", "t"], ["rename", "x", "y"], ["mv", "x", "y"], ["rm", "x"], ["restore", "x"]],
)
def test_a_store_that_is_not_there_is_told(run_cli, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    assert run_cli(*words).code == NOT_FOUND
    assert run_cli("-d", "nowhere", *words).code == NOT_FOUND
    document = json.loads(run_cli("-d", "nowhere", *words, "--json").out)
    assert (document["schema"], document["exit_code"]) == ("mini-mlflow/error/1", NOT_FOUND)
    assert not (tmp_path / "mlruns").exists()


def test_f01_what_users_have_called_their_runs_comes_to_the_terminal_escaped(run_cli, store, folder):
    store.run("a\x1b[2Jb\u202e", "sweep", run_id="6" * 32)
    result = run_cli("rm", "id:6666")
    assert "\x1b" not in result.out
    assert "a\\x1b[2Jb" in result.out
