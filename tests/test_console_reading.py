"""Who follows a run's logs sees each complete line once, whatever becomes of the files."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mini_mlflow
from mini_mlflow import layout, packs
from mini_mlflow.console_file import Log
from mini_mlflow.console_reading import LogReader


def texts(lines):
    return [line.text for line in lines]


def append(path, data):
    with open(path, "ab") as file:
        file.write(data)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "console.log"


def test_the_last_lines_come_first_and_then_what_is_added(tmp_path, log):
    append(log, b"one\ntwo\nthree\nhalf")
    reader = LogReader(str(tmp_path))
    assert texts(reader.read_lines(2)) == ["two", "three"]
    assert texts(reader.read_lines(2)) == []
    append(log, b" done\nfour\nfive\nsix\n")
    assert texts(reader.read_lines(2)) == ["half done", "four", "five", "six"]


def test_the_newest_line_has_the_time_at_which_the_log_was_written(tmp_path, log):
    append(log, b"one\ntwo\n")
    os.utime(log, (1795425502, 1795425502))
    assert LogReader(str(tmp_path)).read_lines(5) == [("one", None), ("two", 1795425502000)]


def test_a_line_that_was_never_completed_comes_at_the_end(tmp_path, log):
    append(log, b"one\n50%")
    reader = LogReader(str(tmp_path))
    assert texts(reader.read_lines(5)) == ["one"]
    assert texts(reader.read_rest()) == ["50%"]


def test_a_line_that_is_rewritten_in_place_comes_once_in_its_last_state(tmp_path, log):
    writer = Log(os.open(log, os.O_RDWR | os.O_CREAT, 0o666))
    reader = LogReader(str(tmp_path))
    seen = []
    for part in (b"start\n", b"10%", b"\r20%", b"\r100%\nnext\n"):
        writer.feed(part)
        seen += texts(reader.read_lines(5))
    writer.close()
    assert seen == ["start", "100%", "next"]


def test_of_a_log_whose_middle_is_left_out_the_newest_lines_go_on(tmp_path, log):
    writer = Log(os.open(log, os.O_RDWR | os.O_CREAT, 0o666), max_bytes=4000)
    reader = LogReader(str(tmp_path))
    seen = []
    for number in range(300):
        writer.feed(b"line %d of many, which fills the log\n" % number)
        seen += texts(reader.read_lines(5))
    writer.close()
    numbers = [int(text.split()[1]) for text in seen if text.startswith("line")]
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 280
    assert numbers[-1] >= 298


def test_a_log_that_appears_later_and_a_second_one_are_read_from_their_beginning(tmp_path, log):
    reader = LogReader(str(tmp_path))
    assert reader.read_lines(1) == []
    append(log, b"one\ntwo\n")
    append(tmp_path / "console-2.log", b"other\n")
    assert texts(reader.read_lines(1)) == ["one", "two", "other"]


def test_a_log_that_was_replaced_is_read_anew(tmp_path, log):
    append(log, b"one\n")
    reader = LogReader(str(tmp_path))
    reader.read_lines(5)
    append(tmp_path / "new", b"first\nsecond\n")
    os.replace(tmp_path / "new", log)
    assert texts(reader.read_lines(5)) == ["first", "second"]


def test_a_log_that_was_emptied_goes_on(tmp_path, log):
    append(log, b"one\ntwo\nthree\n")
    reader = LogReader(str(tmp_path))
    reader.read_lines(5)
    os.truncate(log, 0)
    assert reader.read_lines(5) == []
    append(log, b"new\n")
    assert texts(reader.read_lines(5)) == ["new"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes among files here")
def test_links_folders_and_pipes_are_no_logs(tmp_path, log):
    (tmp_path / "secret").write_bytes(b"secret\n")
    log.symlink_to(tmp_path / "secret")
    (tmp_path / "console-2.log").mkdir()
    os.mkfifo(tmp_path / "console-3.log")
    append(tmp_path / "console.log.txt", b"x\n")
    assert LogReader(str(tmp_path)).read_lines(5) == []


def test_bytes_that_are_no_text_are_escaped(tmp_path, log):
    append(log, b"gr\xfc\xdfe\n")
    assert texts(LogReader(str(tmp_path)).read_lines(5)) == ["gr\\xfc\\xdfe"]


def test_many_lines_of_a_long_log_are_found_from_its_end(tmp_path, log):
    append(log, b"".join(b"%d %s\n" % (number, b"x" * 300) for number in range(3000)))
    found = texts(LogReader(str(tmp_path)).read_lines(2000))
    assert [text.split()[0] for text in found] == [str(number) for number in range(1000, 3000)]


def test_a_run_without_artifacts_has_no_lines(tmp_path):
    assert LogReader(str(tmp_path / "none")).read_lines(5) == []


@given(st.lists(st.binary(max_size=12).map(lambda data: data.replace(b"x", b"\n")), max_size=8))
def test_what_is_appended_in_any_parts_comes_as_the_lines_that_it_is(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("artifacts")
    append(folder / "console.log", b"")
    reader = LogReader(str(folder))
    seen = []
    for part in parts:
        append(folder / "console.log", part)
        seen += texts(reader.read_lines(1000))
    whole = b"".join(parts)
    expected = [line.decode("utf-8", "backslashreplace") for line in whole.split(b"\n")]
    assert seen + (texts(reader.read_rest()) or [""]) == expected


def test_of_a_run_that_lies_in_a_pack_the_last_lines_are_read_too(tmp_path):
    with mini_mlflow.Run(runs_dir=tmp_path) as run:
        run.log_text("one\ntwo\nthree\nhalf", "console.log")
    folder = layout.run_folder(str(tmp_path), 0, run.run_id)
    packs.pack(0, runs_dir=tmp_path)
    reader = LogReader(os.path.join(folder, layout.ARTIFACTS))
    assert not os.path.exists(folder)
    assert texts(reader.read_lines(2)) == ["three", "half"]
    assert reader.read_lines(2) == reader.read_rest() == []
