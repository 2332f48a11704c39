"""Do ``pack`` and ``unpack`` say what was packed, unpacked and left, and end with the right code?"""

import json
import os

import pytest
from measured import widest

from mini_mlflow import Run
from mini_mlflow.store import packed


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def store(here):
    """Three runs that have ended, and one that lives."""
    for run_id in ("a1", "b2", "c3"):
        with Run(run_id=run_id, experiment_id=0, name="run " + run_id, runs_dir=here / "mlruns") as run:
            run.log_metric("loss", 0.5)
            run.log_param("lr", 0.1)
    live = Run(run_id="live", experiment_id=0, runs_dir=here / "mlruns")
    yield here / "mlruns"
    live.end()


def packs_in(store):
    return packed.list_packs(str(store / "0"))


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_packing_tells_what_was_packed_and_what_was_left(store, run_cli, columns):
    result = run_cli("pack", "Default", "--dry-run", "--color", "never", columns=columns)
    assert (result.code, result.err) == (0, "")
    assert "3 runs to pack" in result.out
    assert packs_in(store) == []
    result = run_cli("pack", "Default", "--color", "never", columns=columns)
    assert (result.code, result.err) == (0, "")
    assert "3 runs packed" in result.out
    assert "1 archive of" in result.out
    assert "it has not ended" in result.out
    assert widest(result.lines) <= columns
    assert len(packs_in(store)) == 1
    result = run_cli("unpack", "0", "--color", "never", columns=columns)
    assert (result.code, result.err) == (0, "")
    assert "3 runs unpacked" in result.out
    assert packs_in(store) == []


def test_packed_runs_are_listed_and_shown_as_before(store, run_cli):
    before = run_cli("ls", "0", "--json").out
    shown = run_cli("show", "run b2", "--json").out
    assert run_cli("pack", "0").code == 0
    first, second = json.loads(before), json.loads(run_cli("ls", "0", "--json").out)
    assert [run["run_id"] for run in first["runs"]] == [run["run_id"] for run in second["runs"]]
    assert json.loads(run_cli("show", "run b2", "--json").out)["params"] == json.loads(shown)["params"]


def test_some_runs_are_unpacked_by_name_and_json_tells_of_each(store, run_cli):
    document = json.loads(run_cli("pack", "0", "--json").out)
    assert document["schema"] == "mini-mlflow/packed/1"
    assert sorted(document["run_ids"]) == ["a1", "b2", "c3"]
    assert [each["reason"] for each in document["passed_over"]] == ["it has not ended"]
    assert document["packs"] == packs_in(store)
    document = json.loads(run_cli("unpack", "0", "run b2", "--json").out)
    assert (document["schema"], document["run_ids"]) == ("mini-mlflow/unpacked/1", ["b2"])
    assert sorted(path.name for path in (store / "0").iterdir() if path.is_dir()) == [".packs", "b2", "live"]


def test_what_is_wrong_is_told_with_its_exit_code(store, run_cli):
    assert run_cli("pack", "nothing").code == 3
    assert run_cli("pack", "0", "--older-than", "soon").code == 2
    assert run_cli("pack").code == 2
    assert run_cli("unpack", "0", "nobody").code == 3
    assert "no run packed" in run_cli("pack", "0", "--older-than", "30d").out
    assert run_cli("pack", "0").code == 0
    (path,) = packs_in(store)
    with open(path, "r+b") as file:
        place = packed.get_entry(path + "/a1/meta.yaml")[1].end - 1
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1]))
    damaged = run_cli("unpack", "0")
    assert damaged.code == 1
    assert "2 runs unpacked" in damaged.out
    assert "1 run left as before" in damaged.out
    assert "'a1/meta.yaml'" in damaged.out


def test_a_store_that_only_reads_is_told_before_anything_is_packed(store, run_cli, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    result = run_cli("pack", "0")
    assert (result.code, packs_in(store)) == (5, [])
    assert "is read-only here" in " ".join(result.err.split())
    assert run_cli("pack", "0", "--dry-run").code == 0
