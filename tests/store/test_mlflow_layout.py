"""What the files of MLflow's own store say, where it reads them and where it raises (docs/mlflow-stores.md)."""

import math
import os

import pytest

from mini_mlflow import ExperimentTracker, Metric, Run, rename_run, search_runs, set_note
from mini_mlflow.store import columns, experiments, folders, meta, metric_file, mlflow_layout, reader

META = """artifact_uri: file:///home/me/mlruns/1/r/artifacts
end_time: 1795466830800
experiment_id: '1'
lifecycle_stage: active
run_id: r
run_name: first
start_time: 1795466830754
status: 3
tags: []
user_id: anna
"""
EXPERIMENT = """artifact_location: file:///home/me/mlruns/1
experiment_id: '1'
lifecycle_stage: active
name: vision
"""


class HandMade:
    """A run as MLflow writes it, by hand."""

    def __init__(self, root, text=META):
        self.store = str(root)
        self.folder = os.path.join(self.store, "1", "r")
        self.put("meta.yaml", text)
        self.put("../meta.yaml", EXPERIMENT)

    def put(self, name, data):
        path = os.path.join(self.folder, *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode("utf-8"))

    def read(self):
        return reader.read_run(self.store, 1, "r")


@pytest.fixture
def made(tmp_path):
    return HandMade(tmp_path)


# Rows


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (b"1795466836962 0.9 1", Metric(1, 1795466836962, 0.9)),
        (b"5 1 -3", Metric(-3, 5, 1.0)),
        (b"5 0.5", Metric(0, 5, 0.5)),
        (b"5 0.5 7 digits 2981c147", Metric(7, 5, 0.5)),
        (b"5 0.5 7 two words 2981c147", Metric(7, 5, 0.5)),
        (b"5 0.5 7\r", Metric(7, 5, 0.5)),
        (b"5 -inf 3_0", Metric(30, 5, -math.inf)),
        (b"5 Infinity 0", Metric(0, 5, math.inf)),
    ],
)
def test_a_line_of_mlflow_is_a_row(line, row):
    """Rule G3."""
    assert mlflow_layout.decode_rows(line + b"\n" + line) == ([row, row], [])
    assert type(mlflow_layout.decode_rows(line)[0][0].value) is float


@pytest.mark.parametrize(
    "line",
    [
        b"", b"5", b"5 0.5 1 run", b"5\t0.5\t1", b"5  0.5 1", b"5 0.5 1.0", b"5.0 0.5 1", b"5 True 1", b"\0\0\0",
        b"words", b"5 0.5 \xff", b"5 0.5 " + b"9" * 5000, b"5 0.5 9223372036854775808", b"99999999999999999999 0.5 1",
    ],
)  # fmt: skip
def test_a_line_that_mlflow_raises_on_is_told_and_passed_over(made, line):
    """Rule G6."""
    made.put("metrics/loss", b"1 1.0 0\n" + line + b"\n2 2.0 1\n")
    found = made.read()
    assert (found.metrics, len(found.problems)) == ({"loss": 2.0}, 1)
    assert "the first is line 2" in found.problems[0].reason
    problems = []
    assert reader.read_history(made.folder, "loss", problems) == [Metric(0, 1, 1.0), Metric(1, 2, 2.0)]
    assert problems == found.problems


def test_the_latest_value_is_that_of_the_greatest_step_time_and_value(made):
    """Rule G3: numbers above NaN."""
    made.put("metrics/loss", "9 1.0 1\n5 2.0 3\n6 nan 3\n6 3.0 3\n6 2.5 3\n8 7.0 -1\n")
    assert made.read().metrics == {"loss": 3.0}
    assert reader.get_metric(made.folder, "r", "loss")[1] == Metric(3, 6, 3.0)
    made.put("metrics/loss", "6 1.0 3\n7 nan 3\n")
    assert math.isnan(made.read().metrics["loss"])


def test_lines_with_values_that_are_not_finite_are_told_by_their_words(made):
    for line, expected in (("9 1.0 1", False), ("9 nan 1", True), ("9 Infinity 1", True), ("9 -inf 1", True)):
        made.put("metrics/loss", line + "\n")
        assert columns.may_be_broken(made.folder, "loss") is expected


def test_a_text_of_ours_is_never_taken_for_lines(tmp_path):
    """Rule M8 of docs/format.md: what is damaged in a file of ours stays so."""
    assert metric_file.decode(b'{"key": "loss", "history": [\n1 0.5 1\n', "loss.json").rows == []
    for text in (b"\0\0", b"rubbish", b'{"value": 1\n1 0.5 1\n'):
        with pytest.raises(ValueError, match="not valid JSON"):
            metric_file.decode(text, "loss.json")


# Keys and texts


def test_a_param_or_tag_is_the_whole_text_of_its_file(made):
    """Rule G2."""
    texts = {
        "lines": "one\ntwo\n",
        "empty": "",
        "a/b": '{"x": 1}',
        "a/c/d": "None",
        "größe": " \u2028\t",
        "n.json": "5",
    }
    for kind in ("params", "tags"):
        for key, text in texts.items():
            made.put(kind + "/" + key, text)
    found = made.read()
    assert found.problems == []
    assert found.params == found.tags == texts


def test_keys_that_differ_by_our_ending_are_two_metrics(made):
    made.put("metrics/a", "1 1.0 0\n")
    made.put("metrics/b.json", "1 2.0 0\n")
    assert reader.list_metrics(made.folder) == ["a", "b.json"]
    assert [row.value for row in reader.read_history(made.folder, "b.json", [])] == [2.0]
    assert reader.read_history(made.folder, "b", []) == []


@pytest.mark.parametrize("key", ["", ".", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "a\0b", "../../meta.yaml"])
def test_a01_a_key_never_leads_out_of_its_folder(made, key):
    made.put("metrics/a/b", "1 1.0 0\n")
    made.put("x", "1 1.0 0\n")
    assert mlflow_layout.find_file(made.folder, "metrics", key) is None
    assert reader.read_history(made.folder, key, []) == []


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a12_links_are_not_followed(made, tmp_path):
    """Rule G2."""
    (tmp_path / "secret").write_text("1 1.0 0\n")
    made.put("metrics/loss", "1 1.0 0\n")
    os.symlink(str(tmp_path / "secret"), os.path.join(made.folder, "metrics", "file"))
    os.symlink(str(tmp_path), os.path.join(made.folder, "metrics", "folder"))
    os.symlink(str(tmp_path), os.path.join(made.folder, "params"))
    found = made.read()
    assert (found.metrics, found.params, len(found.problems)) == ({"loss": 1.0}, {}, 3)
    assert mlflow_layout.find_file(made.folder, "metrics", "folder/secret") is None


@pytest.mark.parametrize("data", [b"\xff\xfe\xfa", b"\x80"])
def test_text_that_is_not_utf_8_is_told_and_the_rest_is_read(made, data):
    """Rule G6."""
    made.put("params/bad", data)
    made.put("params/good", "1")
    made.put("metrics/.DS_Store", data)
    made.put("metrics/empty", "")
    found = made.read()
    assert found.params == {"good": "1"}
    assert sorted(os.path.basename(problem.path) for problem in found.problems) == [
        ".DS_Store", ".DS_Store", "bad", "empty",
    ]  # fmt: skip


# meta.yaml


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"artifact_uri": "x"}, True),
        ({"run_uuid": "r"}, True),
        ({"lifecycle_stage": "active"}, True),
        ({"name": "x", "status": "FINISHED", "run_id": "r", "version": "1"}, False),
        ({"format": 1, "lifecycle_stage": "active"}, False),
        ({}, False),
    ],
)
def test_a_run_is_told_to_be_of_mlflow_by_its_fields(fields, expected):
    """Rule G1: 0.1.0 wrote none of them."""
    assert mlflow_layout.is_run(fields) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("1", "RUNNING"),
        ("2", "SCHEDULED"),
        ("3", "FINISHED"),
        ("4", "FAILED"),
        ("5", "KILLED"),
        ("FINISHED", "FINISHED"),
    ],
)
def test_a_status_is_text(tmp_path, status, expected):
    made = HandMade(tmp_path, META.replace("status: 3", "status: " + status))
    assert (made.read().metadata["status"], made.read().problems) == (expected, [])


@pytest.mark.parametrize(
    ("old", "new"), [("status: 3", "status: 9"), ("status: 3", "status: [1]"), ("end_time: 1", "end_time: x1")]
)
def test_a_field_that_makes_no_sense_is_told(tmp_path, old, new):
    """Rule G6."""
    found = HandMade(tmp_path, META.replace(old, new)).read()
    assert len(found.problems) == 1
    assert found.metadata["name"] == "first"


def test_fields_that_are_missing_have_the_values_that_mlflow_takes(tmp_path):
    fields = HandMade(tmp_path, "run_uuid: r\nname: ''\nstart_time: 5\n").read().metadata
    assert (fields["status"], fields["lifecycle_stage"], fields["end_time"]) == ("RUNNING", "active", None)
    assert (fields["name"], fields["start_time"]) == (None, "1970-01-01T00:00:00.005000Z")


def test_the_name_of_a_run_of_1_0_is_in_its_tag(tmp_path):
    """Rule G1."""
    made = HandMade(tmp_path, "run_uuid: r\nname: ''\n")
    made.put("tags/mlflow.runName", "12:30")
    made.put("tags/mlflow.parentRunId", "p")
    fields = made.read().metadata
    assert (fields["name"], fields["parent_run_id"]) == ("12:30", "p")


@pytest.mark.parametrize("text", ["", "artifact_uri: [", "- 1\n"])
def test_one_broken_run_leaves_the_others(tmp_path, text):
    """Rule G6."""
    made = HandMade(tmp_path)
    made.put("../broken/meta.yaml", text)
    assert sorted(reader.list_run_ids(made.store, 1)) == ["broken", "r"]
    with pytest.warns(UserWarning, match="broken"):
        found = search_runs([1], output_format="list", runs_dir=made.store)
    assert [run.info.run_id for run in found] == ["r"]


def test_a10_a11_what_meta_yaml_says_of_places_is_text(tmp_path):
    made = HandMade(tmp_path, META.replace("run_id: r", "run_id: ../../x"))
    fields = made.read().metadata
    assert (fields["run_id"], fields["artifact_uri"]) == ("r", "file:///home/me/mlruns/1/r/artifacts")
    found = search_runs([1], output_format="list", runs_dir=made.store)[0]
    assert found.info.artifact_uri == os.path.join(made.folder, "artifacts")


def test_inputs_and_outputs_are_kept(made):
    """Rule G1."""
    made.put("inputs/i/meta.yaml", "source_type: DATASET\nsource_id: d\ntags: {mlflow.data.context: training}\n")
    made.put("inputs/evil/meta.yaml", "source_type: DATASET\nsource_id: ../../d\n")
    made.put("outputs/m-1/meta.yaml", "source_type: RUN_OUTPUT\ndestination_id: m-1\nstep: 2\n")
    made.put("../datasets/d/meta.yaml", "name: digits\ndigest: 2981c147\n")
    fields = made.read().metadata
    assert [each.get("dataset") for each in fields["inputs"]] == [None, {"name": "digits", "digest": "2981c147"}]
    assert fields["outputs"] == [{"source_type": "RUN_OUTPUT", "destination_id": "m-1", "step": 2}]


# Places


def test_what_lies_beside_runs_and_experiments_is_none(made):
    """Rule G5."""
    made.put("../../models/net/meta.yaml", "name: net\n")
    for name in ("models/m-1", "datasets/d", "traces/t"):
        made.put("../%s/meta.yaml" % name, "name: x\n")
    made.put("../tags/team", "vision")
    made.put("../../.trash/7/meta.yaml", EXPERIMENT)
    assert experiments.list_ids(made.store) == [1]
    assert reader.list_run_ids(made.store, 1) == ["r"]
    assert experiments.read(made.store, 1).tags == {"team": "vision"}
    assert [each.experiment_id for each in experiments.list_experiments(os.path.join(made.store, ".trash"))] == [7]


def test_an_experiment_of_ours_may_be_called_models(tmp_path):
    with Run("r", "models", runs_dir=str(tmp_path)):
        pass
    assert experiments.list_ids(str(tmp_path)) == ["models"]


def test_h23_runs_of_all_layouts_lie_side_by_side(made):
    with Run("ours", 1, runs_dir=made.store) as run:
        run.log_metric("loss", 0.5)
    made.put("../old/meta.yaml", "name: x\nstatus: FINISHED\nrun_id: old\n")
    made.put("../old/metrics/loss.json", '{"value": 0.25, "timestamp": "2026-11-24T22:49:07.398721Z"}')
    made.put("metrics/loss", "1 0.125 0\n")
    found = {run_id: reader.read_run(made.store, 1, run_id).metrics for run_id in reader.list_run_ids(made.store, 1)}
    assert found == {"ours": {"loss": 0.5}, "old": {"loss": 0.25}, "r": {"loss": 0.125}}


def test_a_deleted_run_is_listed_apart(tmp_path):
    """Rule G4."""
    made = HandMade(tmp_path, META.replace("active", "deleted"))
    assert reader.list_run_ids(made.store, 1) == []
    assert reader.list_run_ids(made.store, 1, is_deleted=True) == ["r"]


# Going on


def test_steps_go_on_after_those_of_mlflow(made):
    made.put("metrics/val/loss", "5 1.0 7\n")
    made.put("metrics/loss", "5 1.0 3\n")
    assert folders.greatest_step(made.folder, "val/loss") == 7
    with Run("r", 1, runs_dir=made.store) as run:
        run.log_metric("loss", 0.5)
    tracker = ExperimentTracker(runs_dir=made.store)
    assert [row.step for row in tracker.history("r", "loss", 1)] == [3, 4]
    assert tracker.get_run("r", 1)["metrics"]["loss"] == 0.5


def test_a_note_on_a_run_of_mlflow_goes_to_a_share(made):
    """Its own files stay as they are."""
    made.put("tags/mlflow.note.content", "old")
    set_note("new", "r", experiment_id=1, runs_dir=made.store)
    assert made.read().tags["mlflow.note.content"] == "new"
    with open(os.path.join(made.folder, "tags", "mlflow.note.content"), encoding="utf-8") as file:
        assert file.read() == "old"
    with open(os.path.join(made.folder, "meta.yaml"), encoding="utf-8") as file:
        assert file.read() == META


def test_a_run_of_mlflow_that_is_renamed_keeps_all_that_mlflow_reads(made):
    before = meta.read_meta(os.path.join(made.folder, "meta.yaml"))
    rename_run("r", "better", experiment_id=1, runs_dir=made.store)
    assert made.read().metadata["name"] == "better"
    assert meta.read_meta(os.path.join(made.folder, "meta.yaml")) == {**before, "name": "better"}
