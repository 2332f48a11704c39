"""Do ``merge``, ``import`` and ``export`` say what came and went, and end with the right code?"""

import csv
import io
import json
import os
import shutil
from pathlib import Path

import pytest
from measured import widest

GOLDEN = Path(__file__).parent.parent / "golden"
WIDTHS = (60, 80, 120, 200)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def laptop(new_store, here):
    """Two stores: ``laptop`` and ``mlruns``; what was begun in one went on in the other, and they clash in places."""
    laptop = new_store("laptop")
    laptop.experiment("vision")
    laptop.run("calm-seal", "vision", params={"lr": 0.1}, metrics={"loss": [0.5, 0.25]}, run_id="a1")
    laptop.run("quick-tern", "vision", params={"lr": 0.2}, metrics={"loss": [0.75]}, run_id="b2")
    shutil.copytree(str(here / "laptop"), str(here / "mlruns"))
    laptop.run("royal-newt", "vision", params={"lr": 0.3}, metrics={"loss": [0.125]}, run_id="c3")
    laptop.run("baseline", "vision", metrics={"loss": [9.0]}, run_id="d4")
    mine = new_store("mlruns")
    mine.run("baseline", "vision", metrics={"loss": [1.0]}, run_id="d4", ago_s=7200.0)
    (path,) = (here / "laptop").glob("*/b2/params/lr.json")
    path.write_text(path.read_text().replace("0.2", "0.9"))
    return laptop


def test_a_merge_tells_what_came_in_and_what_was_left(laptop, run_cli, check_screen, here):
    for columns in WIDTHS:
        result = run_cli("merge", "laptop", "--dry-run", "--color", "never", columns=columns)
        assert (result.code, result.err) == (1, "")
        assert widest(result.lines) <= columns
        check_screen("merge-dry-%d" % columns, result.out)
    ascii_only = run_cli("merge", "laptop", "--dry-run", "--color", "never", "--ascii", columns=80)
    assert ascii_only.out.isascii()
    result = run_cli("merge", "laptop", "--color", "never", columns=80)
    assert result.code == 1
    assert "1 run added" in result.out
    assert "1 run left out" in result.out
    assert "another run of the same id" in result.out
    assert run_cli("show", "royal-newt", "--json").code == 0


def test_a_merge_that_is_whole_ends_well_and_json_has_all_of_it(laptop, run_cli, here):
    for run_id in ("b2", "d4"):
        shutil.rmtree(next(str(path) for path in (here / "laptop").glob("*/" + run_id)))
    result = run_cli("merge", "laptop", "--json")
    document = json.loads(result.out)
    assert (result.code, document["schema"], document["store"]) == (0, "mini-mlflow/merge/1", "mlruns")
    assert {run["run_id"]: run["outcome"] for run in document["runs"]} == {"a1": "same", "c3": "added"}
    assert isinstance(document["runs"][0]["experiment_id"], str)
    assert document["problems"] == document["notes"] == []
    again = json.loads(run_cli("merge", "laptop", "--json").out)
    assert {run["outcome"] for run in again["runs"]} == {"same"}


def test_a_merge_may_make_the_store_and_needs_another_one(laptop, run_cli, here):
    assert run_cli("merge", "laptop", "-d", "new/all").code == 0
    assert len(list((here / "new" / "all").glob("*/*/meta.yaml"))) == 4
    missing = run_cli("merge", "labtop")
    assert (missing.code, missing.err) == (3, "error: there is no store labtop\n")
    same = run_cli("merge", "mlruns")
    assert same.code == 2
    assert "this very store" in same.err
    assert run_cli("merge").code == 2
    (here / "file").write_text("")
    assert run_cli("merge", "laptop", "-d", "file").code == 3


def test_an_import_tells_what_came_in(run_cli, here, check_screen):
    shutil.copytree(str(GOLDEN / "mlflow-3.18" / "store" / "mlruns"), str(here / "old"))
    for columns in WIDTHS:
        result = run_cli("import", "mlflow", "old", "-d", "to-%d" % columns, "--color", "never", columns=columns)
        assert (result.code, result.err) == (0, "")
        assert widest(result.lines) <= columns
        check_screen("import-%d" % columns, result.out)
    again = run_cli("import", "mlflow", "old", "-d", "to-80", "--json")
    document = json.loads(again.out)
    assert (again.code, document["schema"]) == (0, "mini-mlflow/import/1")
    assert {run["outcome"] for run in document["runs"]} == {"same"}
    one = run_cli("import", "mlflow", "old", "-d", "one", "-e", "language", "--into", "theirs", "--json")
    assert [run["experiment"] for run in json.loads(one.out)["runs"]] == ["theirs"]


def test_an_import_of_what_is_not_there_says_so(run_cli, here):
    missing = run_cli("import", "mlflow", "nowhere")
    assert (missing.code, missing.err) == (3, "error: There is no such file or folder: nowhere\n")
    (here / "empty").mkdir()
    empty = run_cli("import", "mlflow", "empty")
    assert empty.code == 2
    assert "no run of MLflow" in empty.err
    (here / "text.db").write_text("text")
    assert run_cli("import", "mlflow", "text.db").code == 5
    assert run_cli("import", "wandb", "empty").code == 2
    error = json.loads(run_cli("import", "mlflow", "nowhere", "--json").out)
    assert (error["schema"], error["exit_code"]) == ("mini-mlflow/error/1", 3)
    assert not (here / "mlruns").exists()


def test_b16_an_import_of_a_broken_file_leaves_the_others(run_cli, here):
    for name, text in (("version_0", "step,loss\n1,0.5\n"), ("version_1", "step,loss\n1,2,3\n")):
        (here / "logs" / name).mkdir(parents=True)
        (here / "logs" / name / "metrics.csv").write_text(text)
    result = run_cli("import", "lightning-csv", "logs", columns=80)
    assert result.code == 1
    assert "1 run added" in result.out
    assert "line 2 has 3 cells" in result.out
    assert "version_0" in run_cli("ls", "logs", "--tsv").out


def test_an_export_writes_the_runs_that_are_meant(sweep, run_cli, tmp_path):
    result = run_cli("export", "csv", "runs.csv", "-e", "cifar10-sweep", columns=80)
    assert (result.code, result.out, result.err) == (0, "24 runs to runs.csv\n", "")
    with open("runs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["experiment"] for row in rows} == {"cifar10-sweep"}
    assert {row["status"] for row in rows} == {"RUNNING", "FINISHED", "FAILED", "KILLED", "LOST"}
    some = run_cli("export", "csv", "-", "-e", "cifar10-sweep", "-f", "lr = 0.01 and seed = 1")
    assert 0 < len(list(csv.DictReader(io.StringIO(some.out)))) < 24
    histories = run_cli("export", "csv", "-", "-f", "name = 'mellow-wren'", "--histories")
    assert histories.out.startswith("run_id,name,experiment,metric,step,time,value\n")
    assert len(histories.lines) > 90
    document = json.loads(run_cli("export", "json", "-", "-e", "cifar10-sweep").out)
    assert (document["schema"], document["total"]) == ("mini-mlflow/runs/1", 24)


def test_f08_an_export_overwrites_nothing_unasked(sweep, run_cli, tmp_path):
    Path("runs.csv").write_text("mine")
    refused = run_cli("export", "csv", "runs.csv")
    assert refused.code == 2
    assert "--force" in refused.err
    assert Path("runs.csv").read_text() == "mine"
    assert run_cli("export", "csv", "runs.csv", "--force").code == 0
    assert Path("runs.csv").read_text() != "mine"
    os.symlink("runs.csv", "link.csv")
    assert run_cli("export", "csv", "link.csv", "--force").code == 2
    Path("full").mkdir()
    Path("full/file").write_text("mine")
    assert run_cli("export", "mlflow", "full").code == 2
    assert os.listdir("full") == ["file"]
    assert run_cli("export", "mlflow", "-").code == 2
    assert run_cli("export", "csv", "no/such/folder.csv").code == 5


def test_an_export_to_mlflow_is_gone_on_with(sweep, run_cli, tmp_path):
    assert run_cli("export", "mlflow", "out", "-e", "cifar10-sweep").out == "24 runs to out\n"
    again = run_cli("export", "mlflow", "out", "-e", "cifar10-sweep")
    assert (again.code, again.out) == (0, "0 runs to out · 24 runs there already\n")
    document = json.loads(run_cli("export", "mlflow", "out", "-e", "cifar10-sweep", "--json").out)
    assert (document["schema"], document["runs"], document["skipped"]) == ("mini-mlflow/export/1", 24, 24)
    back = run_cli("import", "mlflow", "out", "-d", "back", "--json")
    assert (back.code, len(json.loads(back.out)["runs"])) == (0, 24)


def test_f01_nothing_in_a_name_steers_the_terminal(store, run_cli, here):
    store.run("evil\x1b[2J\u202e", params={"\x1b]52;x": "\x9b"}, run_id="e1")
    result = run_cli("export", "csv", "-", columns=80)
    assert "\x1b[2J" not in result.out
    assert "\u202e" not in result.out
    assert "\x9b" not in result.out
    piped = run_cli("export", "csv", "-")
    assert "evil\x1b[2J\u202e" in piped.out
    assert "\x1b" not in run_cli("export", "json", "-").out


def test_without_pyarrow_parquet_says_what_to_install(store, run_cli, here, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    store.run("a", run_id="a1")
    result = run_cli("export", "parquet", "out")
    assert result.code == 5
    assert "mini-mlflow[parquet]" in result.err
    assert not os.path.exists("out")


def test_an_empty_store_exports_nothing_and_a_missing_one_is_told(run_cli, here):
    assert run_cli("export", "csv", "-").out.startswith("run_id,")
    assert json.loads(run_cli("export", "json", "-").out)["runs"] == []
    assert run_cli("export", "csv", "-", "-d", "nowhere").code == 3
    assert run_cli("export", "csv", "-", "-e", "nothing").code == 3


def test_the_screen_in_the_documentation_is_the_real_one():
    page = (Path(__file__).parent.parent.parent / "docs" / "carrying.md").read_text(encoding="utf-8")
    screen = (Path(__file__).parent / "screens" / "merge-dry-80.txt").read_text(encoding="utf-8")
    assert screen in page


@pytest.mark.parametrize("columns", [24, 40, 60, 100])
def test_a_merge_names_new_experiments_and_breaks_no_name(new_store, here, run_cli, columns):
    other = new_store("other")
    names = ["imagenet-from-scratch", "cifar10", "tokenizer-ablation", "mnist", "sweep-of-a-name-longer-than-that"]
    names += ["a", "b"]
    for name in names:
        other.experiment(name)
    lines = run_cli("merge", "other", "--dry-run", "--color", "never", columns=columns).lines
    start = next(place for place, line in enumerate(lines) if line.startswith(" new here: "))
    told = " ".join(line.strip() for line in lines[start:])[len("new here: ") :]
    assert max(map(len, lines)) <= columns
    *words, more = told.replace(", and", " and").partition(" and ")[::2]
    shown = words[0].split(", ")
    assert len(shown) == 5
    for word in shown:
        beginning, _, end = word.partition("…")
        assert any(name.startswith(beginning) and name.endswith(end) for name in ["Default", *names])
    assert more == "2 more"
