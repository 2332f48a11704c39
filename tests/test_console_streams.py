"""Which streams of Python's are listened to, where a log may lie, and what is said where none can be kept."""

import io
import logging
import os
import subprocess
import sys
import threading

import pytest

from mini_mlflow import StorageWarning, console, console_detour, console_file, console_streams
from mini_mlflow.console import _OwnLog

posix_only = pytest.mark.skipif(os.name != "posix", reason="elsewhere nothing is led through another process")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "artifacts"


class NotebookStream(io.StringIO):
    """A stream as ipykernel has it: what it shows goes another way than through descriptors."""


NotebookStream.__module__ = "ipykernel.iostream"


@pytest.fixture
def notebook(monkeypatch):
    """Go into a notebook: ``notebook()`` returns its streams. Pytest has its own until the test begins."""

    def enter():
        monkeypatch.setattr(sys, "stdout", NotebookStream())
        monkeypatch.setattr(sys, "stderr", NotebookStream())
        return sys.stdout, sys.stderr

    return enter


def log(folder, name="console.log"):
    return (folder / name).read_text(encoding="utf-8")


def test_streams_that_lead_elsewhere_are_listened_to_under_pytest(folder, capsys):
    capture = console.start(str(folder))
    print("kept \xe4")
    sys.stderr.write("error\n")
    capture.stop()
    print("after")
    assert log(folder).splitlines() == ["kept \xe4", "error"]
    assert capsys.readouterr() == ("kept \xe4\nafter\n", "error\n")


@posix_only
def test_descriptors_and_streams_are_kept_in_one_log_where_pytest_captures_both(folder, capfd):
    capture = console.start(str(folder))
    print("stream")
    os.write(1, b"descriptor\n")
    subprocess.run(["sh", "-c", "echo child"], check=True)
    capture.stop()
    assert sorted(log(folder).splitlines()) == ["child", "descriptor", "stream"]
    assert sorted(capfd.readouterr().out.splitlines()) == ["child", "descriptor", "stream"]


def test_in_a_notebook_its_streams_are_listened_to_and_no_other_process_is_started(folder, notebook, monkeypatch):
    streams = notebook()
    monkeypatch.setattr(console_detour, "begin", lambda log, **_: pytest.fail("it would log the output a second time"))
    capture = console.start(str(folder))
    print("cell")
    print("\r10%\r20%", end="", file=sys.stderr)
    assert log(folder) == "cell\n20%"
    capture.stop()
    print("after")
    assert log(folder) == "cell\n20%"
    assert streams[0].getvalue() == "cell\nafter\n"
    assert type(streams[0]) is NotebookStream


def test_whoever_holds_the_stream_already_is_heard(folder, notebook):
    notebook()
    handler = logging.StreamHandler(sys.stderr)
    capture = console.start(str(folder))
    handler.emit(logging.LogRecord("x", logging.INFO, "", 0, "from a logger", None, None))
    capture.stop()
    assert log(folder) == "from a logger\n"


def test_a_notebook_that_replaces_write_around_each_cell_and_puts_it_back_is_still_heard(folder, notebook):
    streams = notebook()
    cells = []

    def run_cell(code):
        stream = streams[0]
        original = stream.write

        def write(text):
            cells.append(text)
            return original(text)

        stream.write = write
        code()
        stream.write = original

    captures = []
    run_cell(lambda: captures.append(console.start(str(folder))))
    for number in range(5):
        run_cell(lambda: sys.stdout.write("cell %d\n" % number))  # noqa: B023 - it is called here
        sys.stdout.write("between\n")
    depth = 0
    inner = streams[0].write
    while isinstance(inner, console_streams._Heard):
        inner, depth = inner.write, depth + 1
    assert depth == 1
    run_cell(captures[0].stop)
    run_cell(lambda: sys.stdout.write("after\n"))
    sys.stdout.write("the end\n")
    words = [word for number in range(5) for word in ("cell %d\n" % number, "between\n")]
    assert log(folder) == "".join(words)
    assert streams[0].getvalue() == "".join([*words, "after\n", "the end\n"])
    assert cells == [*words[::2], "after\n"]


def test_captures_of_one_stream_may_end_in_any_order(folder, notebook):
    streams = notebook()
    first, second = console.start(str(folder / "first")), console.start(str(folder / "second"))
    print("both")
    first.stop()
    print("second")
    second.stop()
    print("none")
    assert (log(folder / "first"), log(folder / "second")) == ("both\n", "both\nsecond\n")
    assert streams[0].getvalue() == "both\nsecond\nnone\n"


def test_a_stream_that_takes_no_listener_and_one_that_is_missing_are_left_alone(folder, monkeypatch):
    class Closed:
        __slots__ = ()

        def write(self, text):
            return len(text)

    monkeypatch.setattr(console_detour, "begin", lambda log, **_: None)
    monkeypatch.setattr(sys, "stdout", Closed())
    monkeypatch.setattr(sys, "stderr", None)
    capture = console.start(str(folder))
    print("shown")
    capture.stop()
    assert log(folder) == ""


def test_h15_a_signal_handler_that_prints_while_the_log_is_written_does_not_wait_for_itself(folder):
    class Interrupted:
        lost = 0
        data = b""

        def feed(self, data):
            if data == b"outer":
                own.take(b"inner")
            self.data += data

        def close(self):
            pass

    target = Interrupted()
    own = _OwnLog(target)
    own.take(b"outer")
    assert own.stop() == 0
    assert target.data == b"outerinner"


def test_many_threads_print_and_nothing_is_lost(folder, notebook):
    notebook()
    capture = console.start(str(folder))

    def work(number):
        for each in range(200):
            sys.stdout.write("%d.%d\n" % (number, each))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    capture.stop()
    assert sorted(log(folder).split()) == sorted("%d.%d" % (one, other) for one in range(4) for other in range(200))


# Where the log lies ----------------------------------------------------------------------------------------------


def blocked(folder, kind):
    path = folder / "console.log"
    if kind == "link":
        path.symlink_to(folder.parent / "outside")
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(str(path))
    else:
        (folder.parent / "backup").write_text("backup", encoding="utf-8")
        os.link(str(folder.parent / "backup"), str(path))


@posix_only
@pytest.mark.parametrize("kind", ["link", "folder", "fifo", "hard link"])
def test_a12_g09_h12_what_lies_in_the_place_of_the_log_is_left_alone(folder, notebook, kind):
    notebook()
    folder.mkdir()
    blocked(folder, kind)
    capture = console.start(str(folder))
    print("x")
    capture.stop()
    assert capture.path == str(folder / "console-2.log")
    assert log(folder, "console-2.log") == "x\n"
    assert not (folder.parent / "outside").exists()
    if kind == "hard link":
        assert (folder.parent / "backup").read_text(encoding="utf-8") == "backup"


@posix_only
def test_a12_a_folder_of_artifacts_that_is_a_link_gets_no_log_and_the_training_goes_on(tmp_path, folder, capsys):
    (tmp_path / "outside").mkdir()
    folder.symlink_to(tmp_path / "outside")
    with pytest.warns(StorageWarning, match="not kept with the run"):
        capture = console.start(str(folder))
    print("shown")
    capture.stop()
    assert capture.path == ""
    assert os.listdir(str(tmp_path / "outside")) == []
    assert capsys.readouterr().out == "shown\n"


def test_h01_where_no_log_can_be_made_a_warning_says_so_and_the_training_goes_on(tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.warns(StorageWarning, match="not kept with the run"):
        console.start(str(tmp_path / "file" / "artifacts")).stop()


def test_h01_what_the_disk_refuses_is_told_at_the_end(folder, notebook, monkeypatch):
    notebook()

    def full(*_):
        raise OSError(28, "full")

    capture = console.start(str(folder))
    monkeypatch.setattr(console_file, "_write_at", full)
    print("12345")
    with pytest.warns(StorageWarning, match="6 bytes of what was printed could not be written"):
        capture.stop()


def test_the_log_is_told_by_its_path_so_that_the_end_of_a_run_brings_it_to_the_disk(folder, notebook):
    notebook()
    capture = console.start(str(folder))
    assert os.path.isfile(capture.path)
    capture.stop()
