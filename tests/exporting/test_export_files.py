"""Is an export whole or not there, and is nothing overwritten unasked?"""

import io
import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from mini_mlflow import InvalidValueError, Run, search_runs
from mini_mlflow.exporting import json_document
from mini_mlflow.exporting.destination import new_file, refuse_folder


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "runs.csv")


def write(path, text="new", **options):
    with new_file(path, **options) as stream:
        stream.write(text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_a_new_file_has_its_content_and_nothing_is_left_beside_it(path, tmp_path):
    write(path)
    assert read(path) == "new"
    assert os.listdir(str(tmp_path)) == ["runs.csv"]


def test_f08_a_file_that_is_there_is_replaced_only_if_asked(path, tmp_path):
    write(path, "old")
    with pytest.raises(InvalidValueError, match="--force"):
        write(path)
    assert read(path) == "old"
    write(path, is_replaced=True)
    assert read(path) == "new"
    assert os.listdir(str(tmp_path)) == ["runs.csv"]


@pytest.mark.parametrize("is_replaced", [False, True])
def test_f08_links_and_folders_are_never_written_to(path, tmp_path, is_replaced):
    (tmp_path / "target").write_text("target")
    os.symlink(str(tmp_path / "target"), path)
    with pytest.raises(InvalidValueError, match="link"):
        write(path, is_replaced=is_replaced)
    assert read(str(tmp_path / "target")) == "target"
    os.unlink(path)
    os.symlink(str(tmp_path / "nowhere"), path)
    with pytest.raises(InvalidValueError, match="link"):
        write(path, is_replaced=is_replaced)
    os.unlink(path)
    os.mkdir(path)
    with pytest.raises(InvalidValueError, match="no file"):
        write(path, is_replaced=is_replaced)
    assert sorted(os.listdir(str(tmp_path))) == ["runs.csv", "target"]


def test_f08_a_file_that_comes_meanwhile_stays(path):
    with pytest.raises(InvalidValueError, match="there already"), new_file(path) as stream:
        stream.write("new")
        with open(path, "w") as file:
            file.write("theirs")
    assert read(path) == "theirs"


def test_an_export_that_fails_leaves_what_was_there(path, tmp_path):
    write(path, "old")
    with pytest.raises(RuntimeError), new_file(path, is_replaced=True) as stream:
        stream.write("half")
        raise RuntimeError
    assert read(path) == "old"
    assert os.listdir(str(tmp_path)) == ["runs.csv"]


def test_a_killed_export_leaves_no_half_file(path):
    code = """
        import os, signal, sys
        from mini_mlflow.exporting.destination import new_file
        with new_file(sys.argv[1]) as stream:
            stream.write("half")
            stream.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not os.path.exists(path)


def test_a_file_in_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write(str(tmp_path / "nowhere" / "runs.csv"))


def test_f08_a_folder_must_be_new_empty_or_of_an_earlier_export(tmp_path):
    place = tmp_path / "out"
    refuse_folder(str(place))
    place.mkdir()
    refuse_folder(str(place))
    (place / ".mark").write_text("")
    refuse_folder(str(place), ".mark")
    with pytest.raises(InvalidValueError, match="not empty"):
        refuse_folder(str(place))
    os.symlink(str(place), str(tmp_path / "link"))
    with pytest.raises(InvalidValueError, match="a link"):
        refuse_folder(str(tmp_path / "link"))
    with pytest.raises(InvalidValueError, match="a file"):
        refuse_folder(str(place / ".mark"))


def document(store, **options):
    stream, problems = io.StringIO(), []
    runs = search_runs(search_all_experiments=True, output_format="list", runs_dir=store)
    json_document.write(stream, runs, {"0": "Default"}, problems, lambda _: None, store="mlruns", **options)
    return stream.getvalue(), problems


def test_f05_json_is_one_valid_document_whatever_the_runs_hold(tmp_path):
    store = str(tmp_path / "mlruns")
    run = Run(run_id="r", runs_dir=store, name="first\x1b[2J")
    run.log_params({"half": "\ud800", "nan": float("nan"), "lr": 0.1})
    run.log_param("deep", {"\udfff": [float("inf"), "\u202e", "\x9b"]})
    run.log_metric("loss", float("nan"), step=0)
    run.log_metric("loss", 0.5, step=2**62)
    run.log_metric("loss", 0.25, step=7)
    run.end()
    text, problems = document(store, with_histories=True)
    assert problems == []
    text.encode("utf-8")
    assert not set(text) & set("\x1b\x9b\u202e\ud800\udfff")
    found = json.loads(text, parse_constant=pytest.fail)
    assert (found["schema"], found["total"], found["warnings"]) == ("mini-mlflow/runs/1", 1, [])
    (run,) = found["runs"]
    assert (run["name"], run["status"], run["experiment"]) == ("first\x1b[2J", "FINISHED", "Default")
    assert run["params"] == {
        "half": "\ufffd",
        "nan": "NaN",
        "deep": {"\ufffd": ["Infinity", "\u202e", "\x9b"]},
        "lr": 0.1,
    }
    loss = run["metrics"]["loss"]
    assert (loss["last"], loss["step"], loss["first"], loss["min"], loss["max_step"]) == (0.25, 7, "NaN", 0.25, 2**62)
    assert (loss["steps"], loss["values"]) == ([0, 7, 2**62], ["NaN", 0.25, 0.5])
    assert "steps" not in json.loads(document(store)[0])["runs"][0]["metrics"]["loss"]


def test_a_run_that_cannot_be_read_in_full_is_told_in_the_document(tmp_path):
    store = str(tmp_path / "mlruns")
    run = Run(run_id="r", runs_dir=store)
    run.log_metric("loss", 0.5)
    run.end()
    runs = search_runs(search_all_experiments=True, output_format="list", runs_dir=store)
    os.unlink(os.path.join(store, "0", "r", "metrics", "loss.json"))
    stream, problems = io.StringIO(), []
    json_document.write(stream, runs, {}, problems, lambda _: None, store="mlruns")
    assert len(problems) == 1
    assert "loss" in json.loads(stream.getvalue())["warnings"][0]


def test_an_empty_store_is_an_empty_list(tmp_path):
    text, _ = document(str(tmp_path / "nothing"))
    assert json.loads(text)["runs"] == []
