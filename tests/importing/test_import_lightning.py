"""Does what Lightning's CSVLogger has written come in, and is what is none of it told?"""

import os
import re
from pathlib import Path

import pytest

from mini_mlflow import InvalidValueError, get_run, search_runs
from mini_mlflow.importing.sources import import_lightning
from mini_mlflow.store import experiments, reader

METRICS = """epoch,step,train_loss,val/acc
0,9,0.75,
0,9,,0.5
1,19,0.5,
1,19,,nan
"""
PARAMS = """batch_size: 64
lr: 0.001
optimizer:
  name: adamw
  betas:
  - 0.9
  - 0.999
layers: null
"""


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "ours")


def logged(folder, metrics=METRICS, params=PARAMS):
    """Write the files of one version."""
    folder.mkdir(parents=True)
    data = metrics.encode("utf-8") if isinstance(metrics, str) else metrics
    (folder / "metrics.csv").write_bytes(data)
    if params is not None:
        (folder / "hparams.yaml").write_text(params)
        os.utime(str(folder / "hparams.yaml"), (1000, 1000))
    os.utime(str(folder / "metrics.csv"), (1060, 1060))
    return folder


def rows(store, key):
    (run,) = search_runs(search_all_experiments=True, output_format="list", runs_dir=store)
    found = reader.read_history(os.path.dirname(run.info.artifact_uri), key, [])
    return [(row.step, row.value) for row in found]


@pytest.mark.parametrize("named", ["metrics.csv", "", ".."])
def test_a_version_comes_by_its_file_its_folder_or_the_folder_around(tmp_path, store, named):
    folder = logged(tmp_path / "lightning_logs" / "version_3")
    imported = import_lightning(os.path.join(str(folder), named), store)
    assert [(each.name, each.experiment, each.outcome) for each in imported.runs] == [
        ("version_3", "lightning_logs", "added")
    ]
    assert imported.is_whole
    run = get_run(imported.runs[0].run_id, runs_dir=store)
    expected = {"batch_size": 64, "layers": None, "lr": 0.001}
    expected.update({"optimizer.name": "adamw", "optimizer.betas": [0.9, 0.999]})
    assert run.data.params == expected
    assert (run.info.status, run.info.start_time, run.info.end_time) == ("FINISHED", 1000000, 1060000)
    assert rows(store, "train_loss") == [(9, 0.75), (19, 0.5)]
    assert repr(rows(store, "val/acc")) == repr([(9, 0.5), (19, float("nan"))])
    assert rows(store, "epoch") == [(9, 0), (9, 0), (19, 1), (19, 1)]
    assert [each.outcome for each in import_lightning(str(folder), store).runs] == ["same"]


def test_every_version_below_a_folder_is_a_run_and_all_can_go_into_one_experiment(tmp_path, store):
    for number in range(3):
        logged(tmp_path / "logs" / "cifar" / ("version_%d" % number))
    imported = import_lightning(str(tmp_path / "logs"), store, into="sweep")
    assert [each.name for each in imported.runs] == ["version_0", "version_1", "version_2"]
    assert len(reader.list_run_ids(store, experiments.home_id("sweep"))) == 3


def test_without_params_and_without_a_column_of_steps_the_rows_are_counted(tmp_path, store):
    folder = logged(tmp_path / "v", "loss\n0.5\n0.25\n", params=None)
    assert import_lightning(str(folder), store).is_whole
    assert rows(store, "loss") == [(0, 0.5), (1, 0.25)]


def test_b16_columns_that_no_file_could_be_called_come_under_their_names(tmp_path, store):
    keys = ["../../x", "a/b", "=1+1", "NUL", ".hidden", "a b", "\u00e9", "__proto__"]
    head = "step," + ",".join(keys) + "\n"
    folder = logged(tmp_path / "logs" / "v", "\ufeff" + head + "1" + ",2" * len(keys) + "\n")
    imported = import_lightning(str(folder), store)
    assert imported.is_whole
    assert sorted(get_run(imported.runs[0].run_id, runs_dir=store).data.metrics) == sorted(keys)
    assert not (tmp_path / "x").exists()
    for path in Path(store).rglob("*"):
        assert os.path.realpath(str(path)).startswith(os.path.realpath(store))


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        (b"step,loss\n1,0.5\0\n", "NUL"),
        ("step," + "x" * 2**20 + "\n1,2\n", "larger than field limit|characters"),
        ("step,loss\n1," + "x" * 2**20 + "\n", "field limit"),
        ("step," + "x" * 251 + "\n1,2\n", "251 characters"),
        ("step," + ",".join("c%d" % n for n in range(10**5)) + "\n", "100001 columns"),
        ("step,loss\n1,2,3\n", "line 2 has 3 cells"),
        (b"step,loss\n1,\xff\n", "UTF-8"),
        ("step,loss,loss\n1,2,3\n", "two columns"),
        ("step,,loss\n1,2,3\n", "no name"),
        ("", "empty"),
    ],
)
def test_b16_what_cannot_be_read_is_named_and_leaves_no_half_run(tmp_path, store, metrics, reason):
    folder = logged(tmp_path / "logs" / "broken", metrics)
    logged(tmp_path / "logs" / "sound")
    imported = import_lightning(str(tmp_path / "logs"), store)
    assert {each.name: each.outcome for each in imported.runs} == {"broken": "left", "sound": "added"}
    assert re.search(reason, imported.runs[0].reason)
    assert not imported.is_whole
    assert len(search_runs(search_all_experiments=True, output_format="list", runs_dir=store)) == 1
    assert [name for name in os.listdir(os.path.join(store, os.listdir(store)[0])) if name.startswith(".tmp")] == []
    assert folder.exists()


def test_b16_a_cut_last_line_and_cells_that_are_no_numbers_are_told_and_the_rest_comes(tmp_path, store):
    folder = logged(tmp_path / "logs" / "v", "step,loss,acc\n1,0.5,words\n2.0,0.25,1e999\nx,1,1\n3,0.125")
    imported = import_lightning(str(folder), store)
    assert [each.outcome for each in imported.runs] == ["added"]
    assert "3 more" in imported.problems[0].reason or "2 more" in imported.problems[0].reason
    assert rows(store, "loss") == [(1, 0.5), (2, 0.25), (3, 0.125)]
    assert rows(store, "acc") == [(2, float("inf"))]


@pytest.mark.parametrize(
    "params",
    ["!!python/object/apply:os.system [touch x]\n", "[" * 30000, "a: &a [1]\nb: *a\nc: 2026-99-99\n", "- list\n"],
)
def test_b01_params_that_are_no_plain_yaml_are_told_and_the_metrics_come(tmp_path, store, params, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = logged(tmp_path / "logs" / "v", params=params)
    imported = import_lightning(str(folder), store)
    assert [each.outcome for each in imported.runs] == ["added"]
    assert [os.path.basename(each.path) for each in imported.problems] == ["hparams.yaml"]
    assert rows(store, "train_loss") == [(9, 0.75), (19, 0.5)]
    assert not (tmp_path / "x").exists()


def test_what_is_none_of_lightnings_is_refused(tmp_path, store):
    with pytest.raises(FileNotFoundError):
        import_lightning(str(tmp_path / "nowhere"), store)
    with pytest.raises(InvalidValueError, match=r"no metrics\.csv"):
        import_lightning(str(tmp_path), store)
    assert not os.path.exists(store)
