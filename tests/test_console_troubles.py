"""What is kept of a console when its descriptors or its log are taken away, and does anybody else suffer by that?"""

import os
import sys
import threading
import warnings

import pytest

from console_scripts import BEGIN, folder, log, needs_proc, play, posix_only
from mini_mlflow import console, console_file, console_tee
from mini_mlflow.errors import StorageWarning

__all__ = ["folder"]
DETOUR = "pass"
OWN_LOG = "sys.executable = ''"  # where no other process can be started

# Foreign code closes whatever it finds, and every number that was ours becomes that of a file of the user's.
CLOSE = """
numbers = [int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2]
os.closerange(3, 65536)
for number in numbers:
    each = os.open("%s/%d.ckpt" % (os.path.dirname(sys.argv[0]), number), os.O_RDWR | os.O_CREAT)
    if each != number:
        os.dup2(each, number)
        os.close(each)
    os.write(number, b"checkpoint")
"""
LOOK = """
for number in numbers:
    os.write(number, b" is whole")
"""


def begin(setting):
    return BEGIN.replace("capture =", setting + "\ncapture =")


def checkpoints(tmp_path):
    found = [path.read_bytes() for path in tmp_path.glob("*.ckpt")]
    assert len(found) > 1
    return set(found)


@posix_only
@needs_proc
@pytest.mark.parametrize("setting", [DETOUR, OWN_LOG])
@pytest.mark.parametrize("ending", ["", "os.dup2(os.open(os.devnull, os.O_RDWR), 1)"])
def test_h10_files_that_get_our_numbers_are_neither_written_nor_closed(tmp_path, folder, setting, ending):
    code = """
print("before", flush=True)
%s
print("after", flush=True)
%s
try:
    raise KeyError("boom")
except KeyError:
    capture.stop()
%s
"""
    play(tmp_path, code % (CLOSE, ending, LOOK), begin(setting))
    assert checkpoints(tmp_path) == {b"checkpoint is whole"}
    assert log(folder).startswith(b"before\n")


@posix_only
@needs_proc
def test_h10_what_is_printed_is_seen_and_kept_though_our_descriptors_are_closed(tmp_path, folder):
    code = 'print("before")\n%s\nprint("after")\ncapture.stop()\nprint("end")\n%s'
    assert play(tmp_path, code % (CLOSE, LOOK)) == b"before\nafter\nend\n"
    assert log(folder) == b"before\nafter\n"


@posix_only
@needs_proc
def test_h10_a_run_ends_though_our_descriptors_are_closed(tmp_path):
    code = """
import os, sys, mini_mlflow
run = mini_mlflow.start_run(runs_dir=sys.argv[1], run_id="r", capture_console=True)
%s
mini_mlflow.end_run()
assert mini_mlflow.active_run() is None
print(open(os.path.join(sys.argv[1], "0", "r", "meta.yaml")).read().count("FINISHED"))
%s
"""
    assert play(tmp_path, code % (CLOSE, LOOK), begin="") == b"1\n"
    assert checkpoints(tmp_path) == {b"checkpoint is whole"}


@posix_only
@pytest.mark.parametrize("setting", [DETOUR, OWN_LOG])
def test_h10_code_that_closes_the_usual_256_does_not_meet_ours(tmp_path, folder, setting):
    code = """
    os.closerange(3, 256)
    print("after")
    try:
        raise KeyError("boom")
    except KeyError:
        capture.stop()
    print("end")
    """
    assert play(tmp_path, code, begin(setting)) == b"after\nend\n"
    assert log(folder).startswith(b"after\nTraceback")


@posix_only
def test_h10_a_stream_that_ends_without_its_mark_holds_up_no_other(tmp_path):
    answers, control = os.pipe()
    streams = [os.pipe() for _ in range(2)]
    own = console_file.Log(os.open(str(tmp_path / "log"), os.O_RDWR | os.O_CREAT))
    sources = [console_tee.Source(outlet, console_tee.NO_TARGET) for outlet, _ in streams]
    thread = threading.Thread(target=console_tee.tee, args=(sources, own, b"MARK", control), daemon=True)
    thread.start()
    os.write(streams[0][1], b"text\nMARK")
    os.close(streams[1][1])
    assert os.read(answers, 10) == b"0\n"
    os.close(streams[0][1])
    thread.join(20)
    assert not thread.is_alive()
    for descriptor in (answers, control, *(outlet for outlet, _ in streams)):
        os.close(descriptor)


# Warnings -------------------------------------------------------------------------------------------------------


@posix_only
@pytest.mark.parametrize("setting", [DETOUR, OWN_LOG])
@pytest.mark.parametrize(
    "deed", ["os.remove(path)", "os.rename(path, path + '.1'); open(path, 'w').close()", "shutil.rmtree(sys.argv[1])"]
)
def test_h06_a_log_that_was_taken_away_is_told_once_and_not_made_again(tmp_path, folder, setting, deed):
    code = """
    import shutil, warnings
    path = capture.path
    print("before", flush=True)
    %s
    print("after", flush=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        capture.stop()
        capture.stop()
    print(*[each.category.__name__ for each in caught], os.path.exists(path) and os.path.getsize(path))
    """
    shown = play(tmp_path, code % deed, begin(setting)).split()
    assert shown[:2] == [b"before", b"after"]
    assert shown[2:] == [b"StorageWarning", b"0" if "open" in deed else b"False"]


def test_a_log_that_stays_in_its_place_is_no_reason_to_warn(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        console.start(str(tmp_path)).stop()


class Full:
    """What keeps the output, on a full disk."""

    def sees(self, _):
        return True

    def take(self, _):
        pass

    def stop(self):
        return 7


class Broken(Full):
    """What keeps the output, and fails."""

    def stop(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(("keeper", "words"), [(Full, "7 bytes"), (Broken, "RuntimeError('no')")])
def test_a_stop_raises_nothing_where_warnings_are_errors(tmp_path, monkeypatch, capsys, keeper, words):
    capture = console.Capture(str(tmp_path / "console.log"), keeper())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        capture.stop()
    assert words in capsys.readouterr().err
    monkeypatch.setattr(sys, "stderr", None)
    capture = console.Capture(str(tmp_path / "console.log"), keeper())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        capture.stop()


def test_a_start_raises_nothing_where_warnings_are_errors(tmp_path, capsys):
    (tmp_path / "artifacts").write_text("a file of the user's")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        console.start(str(tmp_path / "artifacts")).stop()
    assert "What is printed is not kept" in capsys.readouterr().err
    with pytest.warns(StorageWarning, match="not kept"):
        console.start(str(tmp_path / "artifacts")).stop()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stop_goes_on_where_a_stream_of_the_users_fails(tmp_path, monkeypatch, stream):
    class Moody:
        def write(self, text):
            return len(text)

        def flush(self):
            if armed:
                raise RuntimeError("no")

    armed = []
    monkeypatch.setattr(sys, stream, Moody())
    capture = console.start(str(tmp_path))
    print("text", file=getattr(sys, stream))
    armed.append(1)
    with pytest.warns(StorageWarning, match="RuntimeError"):
        capture.stop()
    assert log(tmp_path) == b"text\n"
