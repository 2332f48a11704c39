"""Of a log only colours reach a terminal, and nothing that steers reaches a pipe (F02)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow.cli import texts
from mini_mlflow.cli.log_text import render_line, wrap

MOVES = [
    "\x1b[2J", "\x1b[H", "\x1b[10;10H", "\x1b[A", "\x1b[2K", "\x1b[?25l", "\x1b[?1049h", "\x1b[6n", "\x1b[5i",
    "\x1bc", "\x1b(0", "\x1b7", "\x1b#8", "\x1b]0;title\x07", "\x1b]52;c;aGFjaw==\x1b\\",
    "\x1b]8;;http://x.test/\x1b\\", "\x1bP1$r\x1b\\", "\x1b_apc\x1b\\", "\x1b^pm\x1b\\", "\x9b2J",
    "\x9d0;t\x9c", "\x1b[5m", "\x1b[8m",
]  # fmt: skip


@pytest.mark.parametrize("move", MOVES)
def test_f02_what_moves_or_hides_is_left_out_on_a_terminal_and_in_a_pipe(move):
    for has_colour in (True, False):
        assert render_line("before" + move + "after", has_colour=has_colour) == "beforeafter"


@pytest.mark.parametrize(
    "colour", ["\x1b[31m", "\x1b[1;32m", "\x1b[38;5;208m", "\x1b[38;2;1;2;3m", "\x1b[97m", "\x1b[48;5;9;4m", "\x1b[7m"]
)
def test_f02_colours_reach_a_terminal_end_with_the_line_and_reach_no_pipe(colour):
    assert render_line("a" + colour + "b", has_colour=True) == "a" + colour + "b\x1b[0m"
    assert render_line("a" + colour + "b\x1b[0mc", has_colour=True) == "a" + colour + "b\x1b[0mc"
    assert render_line("a" + colour + "b") == "ab"


@pytest.mark.parametrize(
    ("colour", "kept"),
    [
        ("\x1b[31;5m", "\x1b[31m"),
        ("\x1b[8;1m", "\x1b[1m"),
        ("\x1b[38;5m", ""),
        ("\x1b[38;9;9mx", "x"),
        ("\x1b[m", "\x1b[0m"),
        ("\x9b31m", "\x1b[31m\x1b[0m"),
        ("\x1b[38:5:208m", "\x1b[38;5;208m"),
        ("\x1b[99999999999999999999m", ""),
    ],
)
def test_f02_of_a_sequence_of_colours_only_what_is_plain_is_kept(colour, kept):
    found = render_line(colour, has_colour=True)
    assert found.replace("\x1b[0m", "") == kept.replace("\x1b[0m", "")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("a\x1b]0;never closed", "a\\x1b]0;never closed"),
        ("a\x1b", "a\\x1b"),
        ("bell\x07 null\x00 back\x08", "bell\\x07 null\\x00 back\\x08"),
        ("\u202eturned", "\\u202eturned"),
        ("10%\r50%\r100%", "100%"),
        ("windows\r", "windows"),
        ("a\tb", "a       b"),
        ("\x1b[31mab\x1b[0m\tc", "ab      c"),
        ("grüße 日本 ✓", "grüße 日本 ✓"),
    ],
)
def test_f02_what_is_left_is_readable_and_what_only_begins_like_a_sequence_is_shown(line, shown):
    assert render_line(line) == shown


@given(st.text(alphabet=st.sampled_from("\x1b[]0123456789;:mJHKPX^_\\\x07\x9b\x9d\x9c?ab \t\r\x00日\u202e")))
def test_f02_no_text_gets_more_than_colours_through(text):
    plain = render_line(text)
    assert plain.isprintable()
    coloured = render_line(text, has_colour=True)
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == plain
    assert coloured.count("\x1b") == 0 or coloured.rfind("\x1b[0m") >= 0


def test_f02_what_the_stream_cannot_encode_is_escaped():
    assert render_line("grüße", encoding="ascii") == "gr\\xfc\\xdfe"


@given(st.text(alphabet="abc 日", max_size=60), st.integers(2, 20))
def test_a_long_line_goes_on_below_and_nothing_is_lost(text, width):
    lines = wrap(text, width)
    assert all(texts.width_of(line) <= width for line in lines)
    assert "".join(lines) == text


def test_colours_go_on_in_the_next_line_and_are_closed_in_each():
    assert wrap("ab\x1b[31mcdef\x1b[0mgh", 3) == ["ab\x1b[31mc\x1b[0m", "\x1b[31mdef\x1b[0m", "gh"]
