"""A history as columns is the history as rows, whatever state its files are in."""

import errno
import json
import os
import re
from array import array

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from logged import log, metric_path, open_writer, texts

from mini_mlflow import BrokenFileError
from mini_mlflow.records import Metric
from mini_mlflow.store import columns, documents, folders, metric_file, reader

STEPS = st.one_of(st.integers(-3, 30), st.integers(-(2**63), 2**63 - 1))
TIMES = st.one_of(st.integers(0, 9), st.integers(0, 2**63 - 1))
SMALL = st.one_of(st.floats(), st.integers(-(2**53), 2**53))
LARGE = st.one_of(SMALL, st.integers(-(2**1000), 2**1000))
ROWS = st.lists(st.builds(Metric, STEPS, TIMES, LARGE), min_size=1, max_size=40)
CHUNKS = st.sampled_from([20, 200, 1 << 15])


def numbers(rows):
    """Return rows in a form in which NaN equals NaN, and an integer the float that is as great."""
    return [(row[0], row[1], "nan" if row[2] != row[2] else row[2]) for row in rows]


def same(data, path="metric.json"):
    """Read bytes as columns and as rows, and return the columns; both must say the same, or both refuse."""
    try:
        rows = metric_file.decode(data, path).rows
    except BrokenFileError:
        with pytest.raises(BrokenFileError):
            columns.decode_columns(data, path)
        return None
    found = columns.decode_columns(data, path)
    assert numbers(zip(*found)) == numbers(rows)
    return found


@given(ROWS, CHUNKS)
@example([Metric(0, 0, float("nan")), Metric(1, 1, float("-inf")), Metric(2, 2, 0.5)], 20)
@example([Metric(0, 0, 2**53 + 1), Metric(1, 1, 0.1)], 20)
def test_columns_are_rows_in_the_exact_form(rows, chunk):
    """Rules M1 and M7."""
    columns._CHUNK_BYTES = chunk
    try:
        data = metric_file.encode("loss", rows)
        assert columns._decode_exact(data, "metric.json") is not None
        found = same(data)
    finally:
        columns._CHUNK_BYTES = 1 << 15
    assert isinstance(found.steps, array)
    assert isinstance(found.timestamps, array)
    is_exact = all(type(row.value) is float or abs(row.value) <= 2**53 for row in rows)
    assert isinstance(found.values, array if is_exact else list)


@given(ROWS, CHUNKS, st.data())
def test_columns_are_rows_in_a_damaged_file(rows, chunk, data):
    """Rules M8 and M9: cut, overwritten or with NULs in it."""
    whole = bytearray(metric_file.encode("loss", rows))
    kind = data.draw(st.sampled_from(["cut", "byte", "nul", "insert"]))
    at = data.draw(st.integers(0, len(whole) - 1))
    if kind == "cut":
        del whole[at:]
    elif kind == "insert":
        whole[at:at] = data.draw(
            st.sampled_from([b"[", b"]", b",", b"\n", b" ", b'"', b"true", b"null", b"1.0", b"{}"])
        )
    else:
        whole[at] = 0 if kind == "nul" else data.draw(st.integers(0, 255))
    columns._CHUNK_BYTES = chunk
    try:
        same(bytes(whole))
    finally:
        columns._CHUNK_BYTES = 1 << 15


@pytest.mark.parametrize("chunk", [500, 1 << 15])
@pytest.mark.parametrize("piece", [b"1", b"1.0", b"-", b".5", b"e1", b" 1", b",", b",1", b"1,", b"\n", b"\n1\n"])
def test_what_got_between_rows_is_no_part_of_a_number(monkeypatch, piece, chunk):
    """Rule M8: a value that nobody logged is worse than none."""
    monkeypatch.setattr(columns, "_CHUNK_BYTES", chunk)
    whole = metric_file.encode("loss", [Metric(step, 7 + step, step + 0.5) for step in range(300)])
    begin, (padding, *_) = whole.index(b"\n["), re.finditer(rb"\] +,\n\[", whole)
    around = *range(padding.start() - 12, padding.start() + 6), *range(padding.end() - 9, padding.end() + 9)
    for at in (*range(begin, begin + 45), *around, *range(len(whole) - 70, len(whole))):
        same(whole[:at] + piece + whole[at:])


@pytest.mark.parametrize(
    "row",
    ["[1.0, 2, 3]", "[1, 2.0, 3]", "[true, 2, 3]", "[1, 2, true]", "[1, 2, null]", "[1, -2, 3]", "[1, 2]",
     "[1, 2, 3, 4]", "[1, 2, 3], [4, 5]", "[9223372036854775808, 2, 3]", "[1, 2, [3]]", "[01, 2, 3]", "[1, 2, .5]",
     "[1, 2, 1e999]", "[1, 2, 1e5]", "[1,2,3]", "[1, 2, 3],,", '[1, 2, "x"]', '[1, 2, "NaN"]', "[1e1, 2, 3]",
     "[1 1, 2, 3]", ""],
)  # fmt: skip
@pytest.mark.parametrize("closing", ['\n], "step": 5, "timestamp": 6, "value": 7.5}\n', "\n]}\n", ""])
def test_columns_are_rows_whatever_a_row_is(row, closing):
    """Rules M7, M8 and M10."""
    same(('{"key": "loss", "history": [\n%s,\n[5, 6, 7.5]%s' % (row, closing)).encode())


@pytest.mark.parametrize("value", [0, 14.5, float("nan"), -0.0])
@pytest.mark.parametrize("closing", ["0", "-0.0", "0.0", "04.5", "14.5", '"NaN"', '"nan"', "-"])
def test_a_newest_row_that_the_closing_does_not_repeat_is_read_as_rows_are(value, closing):
    """Rule M8."""
    whole = metric_file.encode("loss", [Metric(0, 1, 2.5), Metric(1, 2, value)])
    same(re.sub(rb'"value": .*}', b'"value": %s}' % closing.encode(), whole))


@pytest.mark.parametrize("between", [b"]", b"],,", b"], ,", b"],\n\n", b",", b""])
def test_rows_that_are_not_apart_are_read_as_rows_are_also_at_the_edge_of_a_chunk(monkeypatch, between):
    """Rule M8."""
    monkeypatch.setattr(columns, "_CHUNK_BYTES", 1)
    whole = metric_file.encode("loss", [Metric(step, 7 + step, step + 0.5) for step in range(4)])
    same(whole.replace(b"],\n[2", between + b"\n[2"))


def test_columns_are_rows_in_other_forms():
    """Rules M10 and F1."""
    document = {"key": "loss", "history": [[2, 1, 0.5], [1, 1, "NaN"], [3, 9, 2**60]], "step": 3}
    same(json.dumps(document, indent=2).encode())
    same(b'{"value": 0.5, "timestamp": "2026-11-24T09:30:00.000000Z"}')
    same(b'{"key": "loss", "history": []}')
    same(b"{")


@pytest.fixture
def folder(tmp_path):
    """A run with the shares of three writers, whose steps overlap."""
    writers = [open_writer(tmp_path) for _ in range(3)]
    for number, writer in enumerate(writers):
        for step in range(300):
            log(writer, "loss", step + number / 8, step=step // (number + 1), timestamp=1000 + (step * 7919) % 50)
    log(writers[0], "up", 0.5)
    log(writers[0], "up", 0.25)
    for writer in writers:
        writer.release()
    return writers[0].folder


@pytest.mark.parametrize("key", ["loss", "up", "none"])
def test_the_columns_of_several_writers_merge_as_their_rows_do(folder, key):
    """Rule W8."""
    problems = []
    found = columns.read_columns(folder, key, problems)
    rows = reader.read_history(folder, key, [])
    assert numbers(zip(*found)) == numbers(rows)
    assert len(rows) == {"loss": 900, "up": 2, "none": 0}[key]
    assert problems == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_not_finite_shows_in_the_words_of_any_writers_file(folder, value):
    assert not columns.may_be_broken(folder, "loss")
    assert not columns.may_be_broken(folder, "none")
    later = open_writer(os.path.dirname(os.path.dirname(folder)))
    log(later, "loss", value)
    later.release()
    assert columns.may_be_broken(folder, "loss")
    assert not columns.may_be_broken(folder, "up")


def test_a_share_that_cannot_be_read_is_told_and_the_others_read(folder, monkeypatch):
    """Rule S4."""
    bad = os.path.join(folder, "metrics", "loss.json")
    read = documents.read

    def read_others(path, *arguments):
        if path == bad:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(path, *arguments)

    problems = []
    with monkeypatch.context() as patched:
        patched.setattr(folders, "key_in", lambda path, kind: "loss")
        patched.setattr(documents, "read", read_others)
        assert len(columns.read_columns(folder, "loss", problems).steps) == 600
    assert [problem.path for problem in problems] == [bad]


def test_a_file_that_grew_over_many_pages_is_read_in_its_exact_form(tmp_path):
    """Rules M3 and M6: with the spaces at the pages' ends, and a closing that older timestamps left behind."""
    writer = open_writer(tmp_path)
    for step in range(2000):
        log(writer, "loss", step if step % 3 else step / 7, timestamp=10**6 - step if step % 5 else None)
    writer.release()
    with open(metric_path(writer, "loss"), "rb") as file:
        data = file.read()
    assert columns._decode_exact(data, "loss.json") is not None
    found = same(data)
    assert texts(reader.read_history(writer.folder, "loss", []))[7] == (7, 999993, "7")
    assert found.values[7] == 7
