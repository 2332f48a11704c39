"""Do runs of MLflow's file store come in whole, with all that the files say, and only once?"""

import json
import os
import shutil
from pathlib import Path

import pytest

from mini_mlflow import ExperimentTracker, InvalidValueError, Run, clock, delete_run, get_run, search_runs
from mini_mlflow.importing.sources import import_mlflow
from mini_mlflow.store import experiments, meta, metric_file, reader, trash

GOLDEN = Path(__file__).parent.parent / "golden"


def outcomes(imported):
    return {run.run_id: run.outcome for run in imported.runs}


@pytest.fixture(params=["1.0", "1.30", "2.22", "3.18"])
def golden(request):
    """Return a golden store of MLflow's and what that MLflow reads in it."""
    folder = GOLDEN / ("mlflow-" + request.param)
    return str(folder / "store" / "mlruns"), json.loads((folder / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "ours")


def copy_of_318(tmp_path):
    shutil.copytree(str(GOLDEN / "mlflow-3.18" / "store" / "mlruns"), str(tmp_path / "theirs"))
    return str(tmp_path / "theirs")


def first_run(store):
    """Return (folder, id) of a run of the golden store that has ended and has metrics."""
    told = json.loads((GOLDEN / "mlflow-3.18" / "expected.json").read_text(encoding="utf-8"))
    run_id, run = next(item for item in told["runs"].items() if "val/acc" in item[1]["metrics"])
    return os.path.join(store, run["experiment_id"], run_id), run_id


def test_h23_all_that_mlflow_reads_of_its_runs_is_in_ours_in_our_own_format(golden, store):
    source, told = golden
    imported = import_mlflow(source, store)
    assert imported.problems == []
    assert outcomes(imported) == dict.fromkeys(told["runs"], "added")
    for run_id, expected in told["runs"].items():
        name = told["experiments"][expected["experiment_id"]]["name"]
        chosen = experiments.find(store, name).experiment_id
        if expected["lifecycle_stage"] == "deleted":
            (deleted,) = [each for each in trash.list_deleted(store, chosen) if each.run_id == run_id]
            folder = deleted.folder
        else:
            folder = reader.run_folder(store, chosen, run_id)
        found = reader.read_folder(folder, chosen, run_id)
        assert found.problems == []
        assert repr(found.params) == repr(dict(sorted(expected["params"].items())))
        assert sorted(found.metrics) == sorted(expected["metrics"])
        fields = found.metadata
        assert fields["format"] == 1
        assert fields["name"] == (expected["run_name"] or expected["tags"].get("mlflow.runName"))
        assert fields["status"] == ("LOST" if expected["status"] == "RUNNING" else expected["status"])
        assert clock.decode_time(fields["start_time"]) == expected["start_time"]
        assert clock.decode_time(fields["end_time"]) == (expected["end_time"] or None)
        assert fields["parent_run_id"] == expected["tags"].get("mlflow.parentRunId")
        for key, rows in expected["histories"].items():
            got = [list(row) for row in reader.read_history(folder, key, [])]
            assert repr(got) == repr(sorted(rows, key=lambda row: row[:2]))
    runs = search_runs(search_all_experiments=True, output_format="list", runs_dir=store)
    for run in runs:
        assert run.data.tags == {
            **told["runs"][run.info.run_id]["tags"],
            **{key: value for key, value in run.data.tags.items() if key in ("mlflow.user", "mlflow.runName")},
        }


def test_metric_files_are_in_the_exact_form(store):
    import_mlflow(str(GOLDEN / "mlflow-3.18" / "store" / "mlruns"), store)
    paths = list(Path(store).glob("*/*/metrics/*.json"))
    assert len(paths) >= 5
    for path in paths:
        assert metric_file.read_history(str(path)).is_exact


def test_the_source_is_not_changed_and_a_second_import_finds_nothing_to_do(golden, store):
    source, told = golden
    before = {str(path): path.read_bytes() for path in Path(source).rglob("*") if path.is_file()}
    import_mlflow(source, store)
    here = {str(path): path.stat().st_mtime_ns for path in Path(store).rglob("*.json")}
    again = import_mlflow(source, store)
    assert set(outcomes(again).values()) == {"same"}
    assert {str(path): path.stat().st_mtime_ns for path in Path(store).rglob("*.json")} == here
    assert {str(path): path.read_bytes() for path in Path(source).rglob("*") if path.is_file()} == before
    assert len(outcomes(again)) == len(told["runs"])


def test_a_run_that_was_not_over_grows_with_the_next_import(tmp_path, store):
    source = copy_of_318(tmp_path)
    folder, run_id = first_run(source)
    path = os.path.join(folder, "meta.yaml")
    with open(path, encoding="utf-8") as file:
        ended = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(ended.replace("status: 3", "status: 1"))
    import_mlflow(source, store)
    assert get_run(run_id, runs_dir=store).info.status == "LOST"
    assert outcomes(import_mlflow(source, store))[run_id] == "same"
    with open(os.path.join(folder, "metrics", "loss"), "a") as file:
        file.write("1795510900000 0.0625 9\n")
    with open(path, "w", encoding="utf-8") as file:
        file.write(ended)
    assert outcomes(import_mlflow(source, store))[run_id] == "grown"
    run = get_run(run_id, runs_dir=store)
    assert (run.info.status, run.data.metrics["loss"]) == ("FINISHED", 0.0625)


def test_artifacts_and_models_come_along(tmp_path, store):
    source = copy_of_318(tmp_path)
    folder, run_id = first_run(source)
    os.makedirs(os.path.join(folder, "artifacts", "plots"), exist_ok=True)
    with open(os.path.join(folder, "artifacts", "plots", "loss.txt"), "w") as file:
        file.write("a plot")
    model = os.path.join(os.path.dirname(folder), "models", "m-1", "artifacts")
    os.makedirs(model)
    with open(os.path.join(model, "MLmodel"), "w") as file:
        file.write("a model")
    os.makedirs(os.path.join(folder, "outputs", "m-1"))
    with open(os.path.join(folder, "outputs", "m-1", "meta.yaml"), "w") as file:
        file.write("destination_type: MODEL_OUTPUT\nsource_id: m-1\nsource_type: RUN_OUTPUT\nstep: 2\n")
    imported = import_mlflow(source, store)
    assert imported.size_bytes >= len("a plot") + len("a model")
    (here,) = Path(store).glob("*/%s/artifacts" % run_id)
    assert (here / "plots" / "loss.txt").read_text() == "a plot"
    assert (here / "models" / "m-1" / "MLmodel").read_text() == "a model"


def test_a11_an_artifact_uri_out_of_the_store_is_text_and_nothing_is_read_there(tmp_path, store):
    source = copy_of_318(tmp_path)
    folder, run_id = first_run(source)
    home = tmp_path / "home"
    home.mkdir()
    (home / "secret").write_text("secret")
    path = os.path.join(folder, "meta.yaml")
    with open(path, encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("artifact_uri")]
    with open(path, "w", encoding="utf-8") as file:
        file.write("artifact_uri: file://%s\n" % home + "".join(lines))
    shutil.rmtree(os.path.join(folder, "artifacts"), ignore_errors=True)
    os.symlink(str(home), os.path.join(folder, "artifacts"))
    imported = import_mlflow(source, store)
    assert outcomes(imported)[run_id] == "added"
    assert [os.path.basename(each.path) for each in imported.problems] == ["artifacts"]
    assert not [path for path in Path(store).rglob("*") if path.is_file() and b"secret" in path.read_bytes()]
    (here,) = Path(store).glob("*/%s" % run_id)
    assert meta.read_meta(str(here / "meta.yaml"))["imported"]["artifact_uri"] == "file://%s" % home
    delete_run(run_id, runs_dir=store)
    assert (home / "secret").exists()


def test_a12_a19_links_and_names_that_no_artifact_can_have_are_left_out_and_told(tmp_path, store):
    source = copy_of_318(tmp_path)
    folder, run_id = first_run(source)
    inside = os.path.join(folder, "artifacts")
    os.makedirs(inside, exist_ok=True)
    os.symlink("/etc", os.path.join(inside, "out"))
    for name in ("NUL", "x.", "good.txt"):
        with open(os.path.join(inside, name), "w") as file:
            file.write(name)
    imported = import_mlflow(source, store)
    assert sorted(os.path.basename(each.path) for each in imported.problems) == ["NUL", "out", "x."]
    (here,) = Path(store).glob("*/%s/artifacts" % run_id)
    assert os.listdir(str(here)) == ["good.txt"]


def test_a10_the_folder_names_the_run_and_not_what_its_meta_says(tmp_path, store):
    source = copy_of_318(tmp_path)
    folder, run_id = first_run(source)
    path = os.path.join(folder, "meta.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("run_id: %s" % run_id, "run_id: ../../x"))
    assert outcomes(import_mlflow(source, store))[run_id] == "added"
    assert not (tmp_path / "x").exists()


def test_a_broken_run_is_told_and_the_others_come(tmp_path, store):
    source = copy_of_318(tmp_path)
    folder, run_id = first_run(source)
    with open(os.path.join(folder, "meta.yaml"), "w") as file:
        file.write("!!python/object/apply:os.system [touch x]\n")
    imported = import_mlflow(source, store)
    assert run_id not in outcomes(imported)
    assert len(outcomes(imported)) >= 4
    assert any(each.path.startswith(folder) for each in imported.problems)
    assert not imported.is_whole


def test_a_run_deleted_here_does_not_come_back(store):
    source = str(GOLDEN / "mlflow-3.18" / "store" / "mlruns")
    import_mlflow(source, store)
    run_id = first_run(source)[1]
    delete_run(run_id, runs_dir=store)
    again = import_mlflow(source, store)
    assert outcomes(again)[run_id] == "left"


def test_another_run_of_the_same_id_stays(tmp_path, store):
    source = copy_of_318(tmp_path)
    run_id = first_run(source)[1]
    Run(run_id=run_id, runs_dir=store).end()
    again = import_mlflow(source, store)
    assert outcomes(again)[run_id] == "left"
    assert ExperimentTracker(runs_dir=store).get_run(run_id)["metrics"] == {}


def test_one_experiment_is_chosen_and_all_can_go_into_one(store):
    source = str(GOLDEN / "mlflow-3.18" / "store" / "mlruns")
    imported = import_mlflow(source, store, only="language", into="from mlflow")
    assert [run.experiment for run in imported.runs] == ["from mlflow"]
    assert [each.name for each in experiments.list_experiments(store)] == ["from mlflow"]


def test_what_holds_no_run_of_mlflow_is_refused(tmp_path, store):
    with pytest.raises(FileNotFoundError):
        import_mlflow(str(tmp_path / "nowhere"), store)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidValueError, match="no run of MLflow"):
        import_mlflow(str(tmp_path / "empty"), store)
    with pytest.raises(InvalidValueError, match="vision"):
        import_mlflow(str(GOLDEN / "mlflow-3.18" / "store" / "mlruns"), store, only="visoin")
    with pytest.raises(InvalidValueError, match="this very store"):
        import_mlflow(copy_of_318(tmp_path), str(tmp_path / "theirs"))
    assert not (tmp_path / "ours").exists()
