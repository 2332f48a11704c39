"""The bytes of a terminal become keys, in whatever parts they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow.cli.keys import KeyReader


def keys(*parts):
    reader = KeyReader()
    found = [key for part in parts for key in reader.feed(part)]
    return found + reader.finish()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"q", ["q"]),
        (b"jk?", ["j", "k", "?"]),
        (b"\x1b[A\x1b[B", ["up", "down"]),
        (b"\x1bOA\x1bOB", ["up", "down"]),
        (b"\x1b[1;5A", ["up"]),
        (b"\x1b[5~\x1b[6~\x1b[H\x1b[4~", ["page up", "page down", "home", "end"]),
        (b"\t\x1b[Z\r\n \x7f\x15", ["tab", "back tab", "enter", "enter", "space", "backspace", "clear"]),
        (b"\x1b", ["escape"]),
        (b"\x1bq", ["escape", "q"]),
        (b"\x1b\x1b[A", ["escape", "up"]),
        ("ä±😀".encode(), ["ä", "±", "😀"]),
        (b"\x1b[200~x\x00\x01", ["x"]),
        (b"\xff\xfe", []),
    ],
)
def test_each_key_has_its_name(data, expected):
    assert keys(data) == expected


PRESSED = st.sampled_from([b"q", b"\x1b[A", b"\x1bOB", b"\x1b[5~", "±".encode(), "😀".encode(), b"\t"])


@given(st.lists(PRESSED), st.data())
def test_keys_that_come_in_parts_are_the_same_keys(pressed, data):
    stream = b"".join(pressed)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    parts = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)])]
    assert keys(*parts) == keys(stream)
    assert len(keys(stream)) == len(pressed)


@given(st.binary(max_size=40))
def test_no_bytes_break_the_reader(data):
    reader = KeyReader()
    for key in reader.feed(data) + reader.finish():
        assert key
        assert key.isprintable()


def test_the_beginning_of_a_key_waits_for_the_rest():
    reader = KeyReader()
    assert reader.feed(b"\x1b[") == []
    assert reader.is_waiting
    assert reader.feed(b"A") == ["up"]
    assert not reader.is_waiting
