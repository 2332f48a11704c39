"""The log of a console: what a screen would show, readable at any time, bounded, and never in anybody's way."""

import errno
import os
import re
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mini_mlflow import console_file, console_tee
from mini_mlflow.console_file import Log
from mini_mlflow.console_tee import Feeder, Source, tee

MARK = console_tee.MARK % b"token"
DEADLINE_S = 20


@pytest.fixture
def path(tmp_path):
    return tmp_path / "console.log"


def opened(path, max_bytes=console_file.MAX_LOG_BYTES):
    return Log(os.open(str(path), os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)), max_bytes)


def written(path, *pieces, max_bytes=console_file.MAX_LOG_BYTES):
    log = opened(path, max_bytes)
    for piece in pieces:
        log.feed(piece)
    log.close()
    return path.read_bytes()


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        (b"", b""),
        (b"a\nb", b"a\nb"),
        (b"1%\r2%\r3%\n", b"3%\n"),
        (b"1%\r2%\r", b"2%"),
        (b"\r1%\r2%", b"2%"),
        (b"a\r\nb\r\n", b"a\nb\n"),
        (b"a\r\r\n", b"a\n"),
        (b"\r\n\r", b"\n"),
        (b"a\n\n\nb\n", b"a\n\n\nb\n"),
        (b"\x1b[31mred\x1b[0m\n", b"\x1b[31mred\x1b[0m\n"),
        (b"\xff\x00\xc3\xa4\n", b"\xff\x00\xc3\xa4\n"),
    ],
)
def test_of_a_line_with_carriage_returns_the_last_state_is_kept_and_all_else_as_it_is(path, printed, kept):
    assert written(path, printed) == kept


def on_a_screen(data):
    lines = [[state for state in line.split(b"\r") if state][-1:] for line in data.split(b"\n")]
    return b"\n".join(b"".join(each) for each in lines)


@settings(max_examples=200)
@given(st.lists(st.text(alphabet="ab\r\n", max_size=8).map(str.encode), max_size=8))
def test_the_log_is_the_same_however_the_output_is_cut_into_pieces_and_complete_at_any_time(tmp_path_factory, pieces):
    path = tmp_path_factory.mktemp("log") / "console.log"
    log = opened(path)
    for number, piece in enumerate(pieces):
        log.feed(piece)
        assert path.read_bytes() == on_a_screen(b"".join(pieces[: number + 1]))
    log.close()


def test_a_log_goes_on_where_it_was(path):
    assert written(path, b"one\n", b"unfinished") == b"one\nunfinished"
    assert written(path, b"two") == b"one\nunfinished\ntwo"


def test_c12_of_a_long_log_the_beginning_and_the_end_are_kept_with_a_note(path):
    lines = [b"line %06d\n" % number for number in range(20000)]
    found = written(path, *lines, b"the end", max_bytes=4096)
    assert len(found) <= 4096
    assert found.startswith(b"line 000000\nline 000001\n")
    assert found.endswith(b"line 019999\nthe end")
    note = re.search(rb"\n\[\.\.\. (\d+) bytes of output are left out here \.\.\.\]\n", found)
    assert found.count(b"left out") == 1
    total = sum(map(len, lines)) + len(b"the end")
    assert int(note.group(1)) == total - (len(found) - len(note.group()))
    assert set(found.split(b"\n")) - {line[:-1] for line in lines} == {note.group()[1:-1], b"", b"the end"}


def test_c12_a_line_without_an_end_takes_no_memory_without_an_end(path):
    log = opened(path, 2**20)
    for _ in range(100):
        log.feed(b"x" * 65536)
        assert len(log._line) <= 65536
    log.close()
    assert path.stat().st_size <= 2**20 + 65536


def test_h01_what_a_full_disk_refuses_is_counted_and_noted_when_it_takes_something_again(path, monkeypatch):
    log = opened(path)
    log.feed(b"before\nhalf")
    real = console_file._write_at

    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(console_file, "_write_at", full)
    log.feed(b" a line\n")
    log.feed(b"more\n")
    monkeypatch.setattr(console_file, "_write_at", real)
    log.feed(b"after\n")
    log.close()
    assert log.lost == 13
    note = b"[... 13 bytes of output are missing here: %s ...]" % os.strerror(errno.ENOSPC).encode()
    assert path.read_bytes() == b"before\nhalf\n%s\nafter\n" % note


def test_two_logs_of_one_file_exclude_each_other(path):
    fcntl = pytest.importorskip("fcntl")
    first, second = (os.open(str(path), os.O_RDWR | os.O_CREAT) for _ in range(2))
    assert console_file.lock(first)
    assert not console_file.lock(second)
    copy = os.dup(first)
    Log(first).close()
    assert console_file.lock(second), "a copy of the descriptor in another process must not keep it locked"
    fcntl.flock(copy, fcntl.LOCK_UN)
    os.close(copy)
    os.close(second)


# The stream ------------------------------------------------------------------------------------------------------


class HungLog:
    """A log on a disk that does not answer."""

    def __init__(self):
        self.lost = 0
        self.released = threading.Event()
        self.data = b""

    def feed(self, data):
        assert self.released.wait(DEADLINE_S)
        self.data += data

    def close(self):
        self.data += b"<closed>"


def streams(count=1):
    """Return that many pipes to be read, and what they are passed on to."""
    return [(*os.pipe(), *os.pipe()) for _ in range(count)]


def test_h08_a_disk_that_hangs_holds_up_nobody_who_prints():
    ((outlet, inlet, shown, target),) = streams()
    answers, control = os.pipe()
    log = HungLog()
    thread = threading.Thread(target=tee, args=([Source(outlet, target)], log, MARK, control))
    thread.start()
    for number in range(100):
        os.write(inlet, b"%03d\n" % number)
        assert os.read(shown, 100) == b"%03d\n" % number
    os.write(inlet, MARK)
    log.released.set()
    assert os.read(answers, 100) == b"0\n"
    assert log.data == b"".join(b"%03d\n" % number for number in range(100)) + b"<closed>"
    os.close(inlet)
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    for descriptor in (outlet, shown, target, answers, control):
        os.close(descriptor)


def test_what_a_hung_disk_does_not_take_is_dropped_at_a_limit_and_counted(monkeypatch):
    monkeypatch.setattr(console_tee, "_MAX_WAITING", 10)
    monkeypatch.setattr(console_tee, "_PATIENCE_S", 0.01)
    log = HungLog()
    feeder = Feeder(log)
    for _ in range(3):
        feeder.feed(b"12345")
    feeder.feed(b"6")
    assert feeder.finish() == 16
    feeder.feed(b"late")
    log.released.set()


@pytest.mark.parametrize("size", [1, 2, 7, len(MARK), 1000])
def test_the_mark_is_found_however_it_is_cut_and_nobody_sees_it(path, size):
    ((outlet, inlet, shown, target),) = streams()
    answers, control = os.pipe()
    thread = threading.Thread(target=tee, args=([Source(outlet, target)], opened(path), MARK, control))
    thread.start()
    data = b"logged \x1b[1m \x1b_mini" + MARK + b" not logged \x1b"
    for place in range(0, len(data), size):
        os.write(inlet, data[place : place + size])
        time.sleep(0.001)  # so that the pieces are read apart; the outcome does not hang on it
    os.close(inlet)
    thread.join(DEADLINE_S)
    assert os.read(shown, 1000) == data.replace(MARK, b"")
    assert path.read_bytes() == b"logged \x1b[1m \x1b_mini"
    assert os.read(answers, 10) == b"0\n"
    for descriptor in (outlet, shown, target, answers, control):
        os.close(descriptor)


def test_when_the_terminal_is_gone_what_is_printed_is_still_logged(path):
    ((outlet, inlet, shown, target),) = streams()
    os.close(shown)
    thread = threading.Thread(target=tee, args=([Source(outlet, target)], opened(path), MARK, -1))
    thread.start()
    os.write(inlet, b"one\n")
    os.write(inlet, b"two\n")
    os.close(inlet)
    thread.join(DEADLINE_S)
    assert path.read_bytes() == b"one\ntwo\n"
    os.close(outlet)
    os.close(target)
