"""How a value gets into the files of one folder: which file, which folder, what is there already."""

import os
import shutil
import warnings

import pytest
from logged import content, log, metric_path, open_writer, parsed, values

from mini_mlflow import Run, clock, layout
from mini_mlflow.errors import StorageWarning
from mini_mlflow.store import documents, metric_file, open_file, reader


@pytest.fixture
def writer(tmp_path):
    writer = open_writer(tmp_path, bound=2)
    yield writer
    writer.release()


def store_of(writer):
    return os.path.dirname(os.path.dirname(writer.folder))


def names(writer, kind):
    return sorted(os.listdir(os.path.join(writer.folder, kind)))


def test_folders_are_made_when_they_are_needed_and_made_again(writer):
    """Rule D5: git drops empty folders."""
    assert not {"params", "metrics", "tags"} & set(os.listdir(writer.folder))
    writer.write_value("params", "lr", 0.1)
    assert "metrics" not in os.listdir(writer.folder)
    log(writer, "loss", 1)
    writer.write_value("tags", "note", "x")
    shutil.rmtree(os.path.join(writer.folder, "params"))
    shutil.rmtree(os.path.join(writer.folder, "tags"))
    writer.write_value("params", "batch", 32)
    writer.write_value("tags", "note", "y")
    assert names(writer, "params") == ["batch.json"]
    assert names(writer, "tags") == ["note.json"]


def test_h06_nothing_above_the_share_is_made_again(tmp_path, writer):
    """Rule D5."""
    log(writer, "loss", 1)
    shutil.rmtree(str(tmp_path / "0"))
    with pytest.warns(StorageWarning):
        writer.write_value("params", "lr", 0.1)
    log(writer, "new", 2)
    assert os.listdir(str(tmp_path)) == []


def test_a_folder_is_not_made_again_under_another_owner(writer):
    """Rule D5: owner.json at the path is not our own any more."""
    writer.write_value("params", "lr", 0.1)
    shutil.rmtree(os.path.join(writer.folder, "params"))
    owner = os.path.join(writer.folder, "owner.json")
    documents.replace(owner, content(owner))
    with pytest.warns(StorageWarning):
        writer.write_value("params", "lr", 0.2)
    assert "params" not in os.listdir(writer.folder)
    assert reader.read_run(store_of(writer), 0, "r").params == {"lr": 0.2}


@pytest.mark.parametrize("kind", ["params", "tags"])
def test_a_later_value_replaces_the_first(kind, writer):
    """Rule D2."""
    for value in (1, [1, {"a": None}], float("nan"), "x"):
        writer.write_value(kind, "k", value)
        document = documents.decode_json(content(os.path.join(writer.folder, kind, "k.json")), "")
        assert document["key"] == "k"
    assert document["value"] == "x"
    assert names(writer, kind) == ["k.json"]


@pytest.mark.parametrize("pair", [("Loss", "loss"), ("e\u0301", "\xe9"), ("\xdf", "SS"), ("\u212a", "k")])
def test_a18_keys_that_some_disk_takes_for_one_get_two_files(pair, writer):
    """Rule K5."""
    for round_ in range(3):
        for number, key in enumerate(pair):
            log(writer, key, number * 10 + round_)
            log(writer, "other%d" % round_, 1)  # makes room, so that each is closed and opened again
            writer.write_value("params", key, [number, round_])
    folded = {layout.fold(layout.stem_of(name)) for name in names(writer, "params")}
    assert len(folded) == 2
    assert len({layout.fold(layout.stem_of(name)) for name in names(writer, "metrics")}) == 5
    for number, key in enumerate(pair):
        assert values(writer, key) == [number * 10, number * 10 + 1, number * 10 + 2]
        assert reader.read_run(store_of(writer), 0, "r").params[key] == [number, 2]


def test_a_file_of_the_plain_stem_that_holds_another_key_is_left_alone(writer):
    """Rule K5, also after the file was closed to make room."""
    os.mkdir(os.path.join(writer.folder, "metrics"))
    os.mkdir(os.path.join(writer.folder, "params"))
    foreign = metric_file.encode("Foreign", [metric_file.Metric(0, 1, 5)])
    with open(metric_path(writer, "loss"), "wb") as file:
        file.write(foreign)
    with open(os.path.join(writer.folder, "params", "lr.json"), "wb") as file:
        file.write(b'{"key": "Foreign", "value": 1, "timestamp": 1}\n')
    for number in range(6):
        log(writer, "loss", number)
        log(writer, "m%d" % number, number)
        log(writer, "n%d" % number, number)
        writer.write_value("params", "lr", number)
    assert content(metric_path(writer, "loss")) == foreign
    beside = os.path.join(writer.folder, "metrics", layout.file_name(layout.hashed_stem("loss")))
    assert [row.value for row in parsed(beside)["history"]] == [0, 1, 2, 3, 4, 5]
    assert reader.read_run(store_of(writer), 0, "r").params["lr"] == 5
    assert "writers" not in os.listdir(writer.folder)


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"null", b"[1", b'{"key": "loss"}'])
def test_h13_a_file_that_cannot_be_read_is_left_alone(data, writer):
    """Rule K5: values go beside it, and it is reported by readers."""
    os.mkdir(os.path.join(writer.folder, "metrics"))
    with open(metric_path(writer, "loss"), "wb") as file:
        file.write(data)
    log(writer, "loss", 1)
    log(writer, "loss", 2)
    assert content(metric_path(writer, "loss")) == data
    beside = os.path.join(writer.folder, "metrics", layout.file_name(layout.hashed_stem("loss")))
    assert [row.value for row in parsed(beside)["history"]] == [1, 2]


def test_a_resume_goes_on_after_the_greatest_step_and_a_new_metric_from_0(tmp_path):
    """Rule W9."""
    writer = open_writer(tmp_path)
    for step in (3, 9, 4):
        log(writer, "a", 1, step)
    writer.release()
    heir = open_writer(tmp_path)
    log(heir, "a", 2)
    log(heir, "a", 3, 5)
    log(heir, "a", 4)
    log(heir, "b", 5)
    heir.release()
    assert [row.step for row in parsed(metric_path(heir, "a"))["history"]] == [3, 9, 4, 10, 5, 11]
    assert [row.step for row in parsed(metric_path(heir, "b"))["history"]] == [0]


def test_steps_go_on_after_files_were_closed_for_a_fault(writer):
    """Rules W9 and P4."""
    for step in (None, 7, None):
        log(writer, "a", 1, step)
    with pytest.warns(StorageWarning):
        writer._suffer(OSError("a fault"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        writer._retry_at = 0
        for step in (None, 3, None):
            log(writer, "a", 2, step)
    assert [row.step for row in parsed(metric_path(writer, "a"))["history"]] == [0, 7, 8, 9, 3, 10]


def test_what_was_written_is_listed_for_the_sync_until_it_is_synced(writer):
    """Rule P2: parked metrics too."""
    for number in range(5):
        log(writer, "m%d" % number, 1)
    writer.write_value("params", "lr", 1)
    listed = writer._home.unsynced()
    assert listed == sorted(listed)
    assert {os.path.basename(path) for path in listed} == {"m%d.json" % n for n in range(5)} | {"lr.json"}
    assert "lr.json" not in {os.path.basename(path) for path in writer._home.unsynced()}


def test_a_displaced_error_says_what_happened_to_the_file(writer):
    """Rule M12."""
    log(writer, "a", 1)
    os.unlink(metric_path(writer, "a"))
    with pytest.raises(open_file.DisplacedError, match="removed"):
        writer.appenders["a"].check(clock.now_ms())


def test_a_resumed_metric_goes_on_below_zero(tmp_path):
    """Rule W9: the next step is one more than the greatest, also where that is negative."""
    for number in range(2):
        run = Run(run_id="r", runs_dir=tmp_path)
        if number == 0:
            run.log_metric("m", 0.5, step=-4)
        for _ in range(3):
            run.log_metric("m", 0.5)
        run.writer.release()
    assert [row.step for row in run.history("m")] == [-4, -3, -2, -1, 0, 1, 2]


def test_a_takeover_writes_the_closings_that_a_kill_has_kept_away(tmp_path):
    """Rule M13: also of metrics that are not logged again; at rest every file is valid JSON."""
    writer = open_writer(tmp_path)
    for step in range(3):
        log(writer, "a", step)
        log(writer, "b", step)
    writer.release()
    path = metric_path(writer, "a")
    data = content(path)
    end = data.index(b"\n], ")
    with open(path, "wb") as file:
        file.write(data[:end] + b" " * 200)  # the state of rule M4
    other = content(metric_path(writer, "b"))
    with Run(run_id="r", experiment_id=0, runs_dir=tmp_path) as run:
        assert [row[2] for row in parsed(path)["history"]] == [0, 1, 2]
        assert [row.value for row in run.history("a")] == [0, 1, 2]
    assert content(metric_path(writer, "b")) == other
