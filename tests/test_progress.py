"""Is what takes long told on a terminal, once it takes long, and nowhere else?"""

import io
import os
import re
import subprocess
import sys

import pytest

from mini_mlflow.errors import InvalidValueError
from mini_mlflow.progress import Progress


class Terminal(io.StringIO):
    """A terminal that keeps what it is told."""

    encoding = "utf-8"

    def isatty(self):
        return True

    def screen(self):
        """Return what stands in the line now."""
        line = []
        place = 0
        for character in self.getvalue():
            if character == "\r":
                place = 0
                continue
            line[place : place + 1] = [character]
            place += 1
        return "".join(line).rstrip()


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def terminal():
    return Terminal()


def test_nothing_is_shown_within_the_first_second(clock, terminal):
    with Progress("Copying x", 100, clock=clock, stream=terminal) as progress:
        for _ in range(9):
            clock.now += 0.1
            progress.advance(10)
    assert terminal.getvalue() == ""


def test_after_a_second_one_line_tells_how_far_it_is_and_is_erased_at_the_end(clock, terminal):
    with Progress("Copying x", 4000000000, clock=clock, stream=terminal) as progress:
        clock.now += 1.1
        progress.advance(1200000000)
        assert terminal.screen() == "Copying x  1.2 GB of 4 GB, 30%"
        clock.now += 1
        progress.advance(800000000)
        assert terminal.screen() == "Copying x  2 GB of 4 GB, 50%"
    assert terminal.screen() == ""
    assert terminal.getvalue().endswith("\r")
    assert "\n" not in terminal.getvalue()


def test_the_line_is_written_five_times_a_second_at_most(clock, terminal):
    with Progress("Looking", unit="runs", clock=clock, stream=terminal) as progress:
        for _ in range(1000):
            clock.now += 0.01
            progress.advance()
        assert re.match(r"Looking  (9[89]\d|1000) runs\Z", terminal.screen())
    assert 40 <= terminal.getvalue().count("Looking") <= 46


def test_an_error_within_erases_the_line_too(clock, terminal):
    with pytest.raises(KeyboardInterrupt), Progress("x", 10, clock=clock, stream=terminal) as progress:
        clock.now += 2
        progress.advance(5)
        assert terminal.screen()
        raise KeyboardInterrupt
    assert terminal.screen() == ""


def test_where_there_is_no_terminal_nothing_is_shown(clock):
    stream = io.StringIO()
    with Progress("x", 10, clock=clock, stream=stream) as progress:
        clock.now += 10
        progress.advance(5)
    assert stream.getvalue() == ""


@pytest.mark.parametrize("text", ["off", "OFF", "0", "no"])
def test_it_can_be_switched_off(clock, terminal, monkeypatch, text):
    monkeypatch.setenv("MINI_MLFLOW_PROGRESS", text)
    with Progress("x", 10, clock=clock, stream=terminal) as progress:
        clock.now += 10
        progress.advance(5)
    assert terminal.getvalue() == ""


def test_a_setting_that_is_none_is_told(clock, terminal, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_PROGRESS", "perhaps")
    with pytest.raises(InvalidValueError, match="MINI_MLFLOW_PROGRESS must be 'on' or 'off'"):
        Progress("x", 10, clock=clock, stream=terminal)


@pytest.mark.parametrize("stream", ["closed", "none", "broken"])
def test_a_standard_error_that_is_gone_stops_nothing(clock, monkeypatch, stream):
    class Broken(Terminal):
        def write(self, line):
            raise OSError(5, "Input/output error", line)

    gone = {"closed": Terminal(), "none": None, "broken": Broken()}[stream]
    if stream == "closed":
        gone.close()
    monkeypatch.setattr(sys, "stderr", gone)
    with Progress("x", 10, clock=clock) as progress:
        clock.now += 10
        progress.advance(5)
        clock.now += 10
        progress.advance(5)


@pytest.mark.parametrize("total", [0, 5])
def test_more_than_was_expected_is_all_of_it(clock, terminal, total):
    with Progress("x", total, "runs", clock=clock, stream=terminal) as progress:
        clock.now += 2
        progress.advance(6)
        assert terminal.screen() == "x  6 runs of %d runs, 100%%" % total


def test_f01_a_label_cannot_move_the_cursor_or_break_on_a_narrow_terminal(clock, terminal):
    with Progress("Copying \x1b[2J\r\n\x9b\u202e" + "x" * 500, 10, clock=clock, stream=terminal) as progress:
        clock.now += 2
        progress.advance(5)
        line = terminal.getvalue()
        assert line.startswith("\rCopying \\x1b[2J\\r\\n\\x9b\\u202exxx")
        assert line[1:].isprintable()
        assert len(line) <= 80


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", None])
def test_f06_a_label_that_the_terminal_cannot_show_is_escaped(clock, encoding):
    terminal = Terminal()
    terminal.encoding = encoding
    with Progress("Copying 图\ud800", 10, clock=clock, stream=terminal) as progress:
        clock.now += 2
        progress.advance(5)
        terminal.getvalue().encode(encoding or "ascii")
        assert "Copying \\u56fe\\ud800" in terminal.getvalue()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no terminals to try it on")
def test_a_real_terminal_is_found_and_a_pipe_is_none():
    code = (
        "from mini_mlflow.progress import Progress\n"
        "clock = iter([0, 2]).__next__\n"
        "with Progress('Copying', 10, clock=clock) as progress: progress.advance(5)\n"
    )
    command = [sys.executable, "-c", code]
    main, other = os.openpty()
    subprocess.run(command, stderr=other, check=True)
    os.close(other)
    shown = os.read(main, 1000)
    os.close(main)
    assert shown.startswith(b"\rCopying  5 B of 10 B, 50%")
    assert subprocess.run(command, stderr=subprocess.PIPE, check=True).stderr == b""
