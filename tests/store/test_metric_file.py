"""How a metric's file looks, and what is read from whole, torn and foreign ones."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logged import content, parsed, texts

from mini_mlflow.errors import BrokenFileError
from mini_mlflow.records import Metric
from mini_mlflow.store import metric_file

INT64 = 2**63
NUMBERS = st.one_of(
    st.floats(),
    st.integers(-(2**1024) + 1, 2**1024 - 1),
    st.sampled_from([0, -0.0, 5e-324, 1.7976931348623157e308, -1.7976931348623157e308, 2**53 + 1, 1e22, 0.1]),
)
ROWS = st.lists(
    st.builds(Metric, st.integers(-INT64, INT64 - 1), st.integers(0, INT64 - 1), NUMBERS), min_size=1, max_size=60
)
KEYS = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=250)
EXAMPLE = (
    b'{"key": "loss", "history": [\n[0, 1795425502982, 0.693],\n[1, 1795425503417, 0.512]\n], '
    b'"step": 1, "timestamp": 1795425503417, "value": 0.512}\n'
)
EXAMPLE_ROWS = [Metric(0, 1795425502982, 0.693), Metric(1, 1795425503417, 0.512)]


def read(data, path):
    path.write_bytes(data)
    return metric_file.read_history(str(path))


def latest(data, path):
    path.write_bytes(data)
    return metric_file.read_latest(str(path))


def test_the_form_is_exact_to_the_byte():
    """Rule M1."""
    assert metric_file.encode("loss", EXAMPLE_ROWS) == EXAMPLE


@given(key=KEYS, rows=ROWS)
def test_rows_read_back_as_they_were_by_our_reader_and_by_json(tmp_path_factory, key, rows):
    """Rules M1, M5 and M7."""
    path = tmp_path_factory.getbasetemp() / "round-trip.json"
    data = metric_file.encode(key, rows)
    history = read(data, path)
    assert (history.key, history.is_exact) == (key, True)
    assert texts(history.rows) == texts(rows)
    document = parsed(data)
    assert (document["key"], texts(document["history"])) == (key, texts(rows))
    newest = max(range(len(rows)), key=lambda place: (rows[place].timestamp, place))
    found_key, found = metric_file.read_latest(str(path))
    assert (found_key, texts([found])) == (key, texts([rows[newest]]))
    assert texts([history.latest]) == texts([rows[newest]])
    assert (document["step"], document["timestamp"]) == rows[newest][:2]


@given(key=KEYS, rows=ROWS)
def test_no_row_with_its_closing_crosses_a_page(key, rows):
    """Rule M3, for a file that is written anew from its rows."""
    data = metric_file.encode(key, rows)
    for line in metric_file.re.finditer(rb"\n\[[^\]]*\]", data):
        if line.start() > len(metric_file.head_text(key).encode()):
            assert line.start() // 4096 == (line.end() - 1) // 4096


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_lacks_are_the_three_strings(value, tmp_path):
    """Rule M7."""
    data = metric_file.encode("a", [Metric(0, 1, value)])
    name = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(value)]
    assert json.loads(data.decode())["value"] == name
    assert repr(read(data, tmp_path / "a.json").rows[0].value) == repr(value)


def test_integers_stay_integers_and_floats_floats(tmp_path):
    """Rule M7."""
    rows = [Metric(0, 1, 1), Metric(1, 1, 1.0), Metric(2, 1, 2**1024 - 1), Metric(3, 1, 2**53 + 1)]
    assert texts(read(metric_file.encode("a", rows), tmp_path / "a.json").rows) == texts(rows)


@pytest.mark.long
def test_a_file_that_is_cut_anywhere_reads_as_a_prefix(tmp_path):
    """Rule M8."""
    rows = [Metric(step, 100 + step, step / 7) for step in range(200)]
    data = metric_file.encode("a", rows)
    head = len(metric_file.head_text("a")) + 1
    ends = [match.end() for match in metric_file.re.finditer(rb"\n\[[^\]]*\]", data)]
    for cut in list(range(head, 600)) + list(range(head, len(data), 7)) + list(range(len(data) - 200, len(data))):
        history = read(data[:cut], tmp_path / "a.json")
        assert history.rows == rows[: sum(end <= cut for end in ends)]
        assert latest(data[:cut], tmp_path / "a.json") == ("a", history.rows[-1] if history.rows else None)


@pytest.mark.parametrize("nuls", [1, 100, 4096, 20000])
def test_h13_a_tail_of_nul_bytes_is_skipped(nuls, tmp_path):
    """Rule M9."""
    for cut in (len(EXAMPLE), EXAMPLE.index(b"\n]"), EXAMPLE.index(b"0.512]") + 2):
        history = read(EXAMPLE[:cut] + b"\0" * nuls, tmp_path / "a.json")
        assert history.rows == EXAMPLE_ROWS[: 2 if cut != EXAMPLE.index(b"0.512]") + 2 else 1]
        assert latest(EXAMPLE[:cut] + b"\0" * nuls, tmp_path / "a.json")[1] == history.rows[-1]


def test_h13_reading_goes_on_behind_a_page_of_nul_bytes(tmp_path):
    """Rule M9."""
    rows = [Metric(step, 100 + step, step / 7) for step in range(500)]
    data = bytearray(metric_file.encode("a", rows))
    data[4096:8192] = bytes(4096)
    history = read(bytes(data), tmp_path / "a.json")
    assert set(history.rows) < set(rows)
    assert history.rows[-1] == rows[-1]
    assert len(history.rows) > 300
    assert latest(bytes(data), tmp_path / "a.json") == ("a", rows[-1])


@pytest.mark.parametrize("indent", [None, 1, 4, "\t"])
def test_an_editors_pretty_print_is_read(indent, tmp_path):
    """Rule M10."""
    data = json.dumps(json.loads(EXAMPLE.decode()), indent=indent).encode()
    history = read(data, tmp_path / "a.json")
    assert (history.key, history.rows, history.is_exact) == ("loss", EXAMPLE_ROWS, False)
    assert latest(data, tmp_path / "a.json") == ("loss", EXAMPLE_ROWS[1])


def test_spaces_where_the_form_allows_them_change_nothing(tmp_path):
    """Rule M1."""
    data = EXAMPLE.replace(b",\n[1", b" " * 5000 + b",\n[1")[:-1] + b" " * 4000 + b"\n"
    history = read(data, tmp_path / "a.json")
    assert (history.rows, history.is_exact) == (EXAMPLE_ROWS, True)
    assert history.end == data.index(b"\n], ")
    assert latest(data, tmp_path / "a.json") == ("loss", EXAMPLE_ROWS[1])


def test_a_latest_row_that_lies_far_back_is_found(tmp_path):
    """Rule M5."""
    rows = [Metric(0, 10**12, 5.5)] + [Metric(step, step, 0.5) for step in range(1, 3000)]
    assert latest(metric_file.encode("a", rows), tmp_path / "a.json") == ("a", rows[0])


def test_a_closing_that_repeats_no_row_is_not_believed(tmp_path):
    """Rule M8: a glimpse of a write can show two closings mixed."""
    for wrong in (EXAMPLE.replace(b"0.512}", b"0.712}"), EXAMPLE.replace(b'"step": 1', b'"step": 2')):
        assert latest(wrong, tmp_path / "a.json") == ("loss", EXAMPLE_ROWS[1])
        history = read(wrong, tmp_path / "a.json")
        assert (history.rows, history.latest, history.is_exact) == (EXAMPLE_ROWS, EXAMPLE_ROWS[1], False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 4096,
        b"null",
        b"[]",
        b"{",
        b'{"key": "a"}',
        b'{"key": 5, "history": [[0, 1, 2]]}',
        b'{"key": "a", "history": [[1]]}',
        b'{"key": "a", "history": [[1, 2, "x"]]}',
        b'{"key": "a", "history": [[1, -2, 3]]}',
        b'{"key": "a", "history": [[true, 2, 3]]}',
        b'{"key": "a", "history": [[1.5, 2, 3]]}',
        b'{"key": "a", "history": [[9223372036854775808, 2, 3]]}',
        b'{"key": "a", "history": {"0": 1}}',
        b"\xff\xfe{\x00",
        b"[" * 100000,
        b'{"key": "a", "history": [[0, 1, ' + b"9" * 100000 + b"]]}",
    ],
)
def test_b10_what_is_no_history_is_reported(data, tmp_path):
    with pytest.raises(BrokenFileError):
        read(data, tmp_path / "a.json")
    with pytest.raises(BrokenFileError):
        latest(data, tmp_path / "a.json")


@pytest.mark.parametrize(
    "row", [b"[1]", b'[1, 2, "x"]', b"[1, 2, 3, 4]", b"[1.5, 2, 3]", b"[1, 2, " + b"9" * 10**6 + b"]"]
)
def test_b10_what_is_no_row_is_passed_over_in_a_torn_file(row, tmp_path):
    data = EXAMPLE[: EXAMPLE.index(b"\n], ")] + b",\n" + row + b",\n[7, 8, 9]"
    assert read(data, tmp_path / "a.json").rows == [*EXAMPLE_ROWS, Metric(7, 8, 9)]


def test_a15_a_folder_or_a_fifo_in_place_of_a_file_is_reported(tmp_path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises((BrokenFileError, OSError)):
        metric_file.read_latest(str(tmp_path / "a.json"))
    if hasattr(os, "mkfifo"):
        os.mkfifo(str(tmp_path / "b.json"))
        with pytest.raises(BrokenFileError):
            metric_file.read_latest(str(tmp_path / "b.json"))


def test_a_byte_order_mark_does_not_hide_the_rows(tmp_path):
    assert read(b"\xef\xbb\xbf" + EXAMPLE, tmp_path / "a.json").rows == EXAMPLE_ROWS


def test_the_tail_says_where_the_closing_begins(tmp_path):
    """Rule M13."""
    for count in (1, 2, 500):
        rows = [Metric(step, step, step / 3) for step in range(count)]
        path = tmp_path / "a.json"
        path.write_bytes(metric_file.encode("a" * 250, rows))
        descriptor = os.open(str(path), os.O_RDONLY)
        tail = metric_file.read_tail(descriptor)
        os.close(descriptor)
        data = content(str(path))
        assert tail == ("a" * 250, rows[-1], data.index(b"\n], "), len(data))
