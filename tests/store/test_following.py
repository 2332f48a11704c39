"""What was appended to a metric since it was read last?"""

import json
import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logged import log, metric_path, open_writer

from mini_mlflow.store import columns, documents
from mini_mlflow.store.following import HistoryReader


def values(appended):
    return [value for _, part in appended.parts for value in part.values]


@pytest.fixture
def writer(tmp_path):
    writer = open_writer(tmp_path)
    yield writer
    writer.release()


def test_after_the_first_look_only_what_was_appended_is_there(writer):
    for step in range(3):
        log(writer, "loss", step / 2, step, 1000)
    follower = HistoryReader(writer.folder, "loss")
    first = follower.read_appended([])
    assert (values(first), first.is_anew) == ([0.0, 0.5, 1.0], True)
    assert follower.read_appended([]) == ([], False)
    log(writer, "loss", float("nan"), 3, 1000)
    log(writer, "loss", 7, 4, 1000)
    second = follower.read_appended([])
    assert (str(values(second)), second.is_anew) == ("[nan, 7.0]", False)
    assert list(second.parts[0][1].steps) == [3, 4]


@settings(max_examples=30)
@given(st.lists(st.lists(st.floats(allow_nan=False), max_size=150), max_size=6))
def test_what_was_appended_adds_up_to_the_whole(tmp_path_factory, batches):
    """Rules M2, M3 and M6: over the bounds of pages, too."""
    writer = open_writer(tmp_path_factory.mktemp("store"))
    follower = HistoryReader(writer.folder, "loss")
    found = []
    for batch in batches:
        for value in batch:
            log(writer, "loss", value, None, 1000)
        appended = follower.read_appended([])
        assert appended.is_anew == (batch is batches[0])
        found += values(appended)
    assert found == [value for batch in batches for value in batch]
    writer.release()


def test_an_append_costs_no_reading_of_what_is_there(writer, monkeypatch):
    for step in range(5000):
        log(writer, "loss", step / 7, step, 1795425502982)
    follower = HistoryReader(writer.folder, "loss")
    follower.read_appended([])
    sizes = []
    real = documents.read_all
    monkeypatch.setattr(documents, "read_all", lambda *given: sizes.append(len(real(*given))) or real(*given))
    log(writer, "loss", 1.5, 5000, 1795425502982)
    assert values(follower.read_appended([])) == [1.5]
    assert sum(sizes) < 30000 < os.path.getsize(metric_path(writer, "loss"))


def test_a_metric_that_comes_later_is_found(writer):
    follower = HistoryReader(writer.folder, "loss")
    assert follower.read_appended([]) == ([], True)
    log(writer, "loss", 1.0, 0, 1000)
    assert values(follower.read_appended([])) == [1.0]


@pytest.mark.parametrize("change", ["edited", "replaced", "cut", "pretty", "removed"])
def test_a_file_that_is_another_one_is_read_from_the_start(writer, change):
    """Rule M10, and what editors, rsync and git do."""
    for step in range(40):
        log(writer, "loss", step / 4, step, 1000)
    follower = HistoryReader(writer.folder, "loss")
    follower.read_appended([])
    writer.release()
    path = metric_path(writer, "loss")
    with open(path, "rb") as file:
        data = file.read()
    if change == "replaced":
        shutil.copyfile(path, path + ".tmp")
        os.replace(path + ".tmp", path)
    elif change == "removed":
        os.unlink(path)
    else:
        other = {
            "edited": data.replace(b"9.75", b"8.25"),
            "cut": data[: len(data) // 2],
            "pretty": json.dumps(json.loads(data.decode()), indent=2).encode(),
        }
        with open(path, "wb") as file:
            file.write(other[change])
    found = follower.read_appended([])
    assert found.is_anew
    expected = columns.read_columns(writer.folder, "loss", [])
    assert values(found) == list(expected.values)
    assert follower.read_appended([]) == ([], False)


def test_a_file_brought_back_from_a_backup_is_read_from_the_start(writer):
    """The rows that were given out since the backup are gone."""
    log(writer, "loss", 1.0, 0, 1000)
    follower = HistoryReader(writer.folder, "loss")
    follower.read_appended([])
    path = metric_path(writer, "loss")
    shutil.copyfile(path, path + ".tmp")
    log(writer, "loss", 2.0, 1, 1000)
    assert values(follower.read_appended([])) == [2.0]
    writer.release()
    os.replace(path + ".tmp", path)
    found = follower.read_appended([])
    assert (values(found), found.is_anew) == ([1.0], True)


def test_a_second_writer_is_followed_beside_the_first(writer):
    log(writer, "loss", 1.0, 0, 1000)
    follower = HistoryReader(writer.folder, "loss")
    follower.read_appended([])
    share = os.path.join(writer.folder, "writers", "other")
    os.makedirs(os.path.join(share, "metrics"))
    shutil.copyfile(metric_path(writer, "loss"), os.path.join(share, "metrics", "loss.json"))
    log(writer, "loss", 2.0, 1, 1000)
    found = follower.read_appended([])
    assert (sorted(values(found)), found.is_anew) == ([1.0, 2.0], False)
