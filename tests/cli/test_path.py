"""``path`` says where the files of a run lie, and ``show``, ``tail`` and ``ls`` why one failed."""

import json
import os

import pytest

from mini_mlflow import pack, start_run


@pytest.fixture
def failed(store, monkeypatch):
    """A run with a file that failed, among others."""
    monkeypatch.setenv("MINI_MLFLOW_PROVENANCE", "on")
    store.run("brisk-otter", metrics={"loss": [1.0]})
    place = {"run_id": "5ad" * 10, "runs_dir": store.path}
    with pytest.raises(ValueError, match="shapes"), start_run("sad-swan", **place) as run:
        run.log_metric("loss", 0.5)
        run.log_text("hello", "notes/first.txt")
        raise ValueError("shapes\x1b[2J differ")
    return store


def at(store):
    return "-d", str(store.path), "--color", "never"


def test_the_path_of_a_run_and_of_a_file_of_it_can_be_opened(failed, run_cli):
    folder = run_cli(*at(failed), "path", "sad-swan").out
    assert folder == os.path.join(str(failed.path), "0", "5ad" * 10) + "\n"
    assert os.path.isfile(os.path.join(folder.strip(), "meta.yaml"))
    path = run_cli(*at(failed), "path", "sad-swan", "notes/first.txt").out
    with open(path.rstrip("\n"), encoding="utf-8") as file:
        assert file.read() == "hello"
    document = json.loads(run_cli(*at(failed), "path", "sad-swan", "--json").out)
    assert (document["schema"], document["path"]) == ("mini-mlflow/path/1", folder.strip())
    assert (document["run_id"], document["name"], document["experiment"]) == ("5ad" * 10, "sad-swan", "Default")
    assert json.loads(run_cli(*at(failed), "show", "sad-swan", "--json").out)["folder"] == folder.strip()


@pytest.mark.parametrize("name", ["notes/frist.txt", "../meta.yaml", "", "notes", "/etc/passwd"])
def test_a_file_that_the_run_has_not_is_an_error_that_names_near_ones(failed, run_cli, name):
    result = run_cli(*at(failed), "path", "sad-swan", name)
    assert (result.code, result.out) == (3, "")
    assert "has no file" in result.err
    if "frist" in name:
        assert "near:  notes/first.txt" in result.err


def test_a_run_in_an_archive_has_no_path_and_is_told_so(failed, run_cli):
    pack(runs_dir=failed.path)
    result = run_cli(*at(failed), "path", "sad-swan")
    assert (result.code, result.out) == (1, "")
    assert "lies in an archive" in result.err
    assert "unpack" in result.err


def test_why_a_run_failed_is_shown_wherever_it_is_looked_at(failed, run_cli):
    for command in ("show", "tail"):
        shown = run_cli(*at(failed), command, "sad-swan", columns=80).out
        assert "\x1b" not in shown
        assert "ValueError: shapes" in shown
        assert "(test_path.py:" in shown
        document = json.loads(run_cli(*at(failed), command, "sad-swan", "--json").out)
        told = document.get("run", document)["ended_by"]
        assert told.startswith("ValueError: shapes\x1b[2J differ (test_path.py:")
    shown = run_cli(*at(failed), "ls", "Default", "-c", "name,ended_by", columns=120).out
    assert "ValueError: " in shown
    found = run_cli(*at(failed), "ls", "Default", "-f", "ended_by LIKE 'ValueError%'", "-c", "name", "--tsv").lines
    assert found == ["name", "sad-swan"]
