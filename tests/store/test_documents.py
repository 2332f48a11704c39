"""Is a small file ever seen half written, clobbered or blocked on, and does its text come back as it went in?"""

import errno
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mini_mlflow import BrokenFileError
from mini_mlflow.store import documents

FLOATS = st.floats()
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**300), 10**300) | FLOATS | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


def without_non_finite(value):
    """Return *value* as rule D4 has it inside a document."""
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(value)
    if isinstance(value, list):
        return [without_non_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: without_non_finite(item) for key, item in value.items()}
    return value


# Text


@given(JSON_VALUES)
def test_any_value_comes_back_from_its_text(value):
    """Rules D3 and D4: valid JSON in UTF-8, with NaN and infinities as strings."""
    data = documents.encode_json(value).encode("utf-8")
    expected = without_non_finite(value)
    assert repr(documents.decode_json(data, "x.json")) == repr(expected)

    def refuse(name):
        raise AssertionError(name)

    assert repr(json.loads(data.decode("utf-8"), parse_constant=refuse)) == repr(expected)


@given(FLOATS | st.integers(-(2**1023), 2**1023))
def test_a_number_comes_back_with_its_type_and_every_bit(value):
    """Rule M7."""
    text = documents.encode_number(value)
    assert repr(documents.decode_number(documents.decode_json(text.encode(), "x.json"))) == repr(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_float_that_json_lacks_is_told_from_the_text_of_its_name(value):
    """Rule D4."""
    document = json.loads(documents.encode_value("p", value, 5).decode())
    assert document == {"key": "p", "value": json.dumps(value), "type": "float", "timestamp": 5}
    assert repr(documents.decode_value(document)) == repr(value)
    text = json.loads(documents.encode_value("p", json.dumps(value), 5).decode())
    assert "type" not in text
    assert documents.decode_value(text) == json.dumps(value)


def test_the_document_of_a_value_is_one_line_of_utf_8():
    """Rule D3."""
    assert (
        documents.encode_value("größe", [1, "é"], 7) == '{"key": "größe", "value": [1, "é"], "timestamp": 7}\n'.encode()
    )


def test_b09_a_lone_surrogate_is_escaped_and_the_document_ascii():
    """Rule D3."""
    data = documents.encode_value("é", "\ud800é", 7)
    assert data == b'{"key": "\xc3\xa9", "value": "\\ud800\\u00e9", "timestamp": 7}\n'
    assert documents.decode_json(data, "x.json")["value"] == "\ud800é"


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"[" * 100000, b'{"a":' * 100000, b"9" * 10**6, b"[-" + b"9" * 10**6 + b"]", b"\xff", b'{"a": 1} x'],
    ids=["empty", "nul", "deep", "deep-objects", "endless", "endless-inside", "latin-1", "trailing"],
)
def test_b07_text_that_cannot_be_read_is_reported_at_once(data):
    start = time.process_time()
    with pytest.raises(BrokenFileError) as caught:
        documents.decode_json(data, "the/path.json")
    assert time.process_time() - start < 1
    assert caught.value.path == "the/path.json"
    assert caught.value.reason in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("digits", [5000, 10**6])
def test_b07_a_text_of_digits_is_no_endless_number(digits):
    text = "0" * digits
    assert documents.decode_json(documents.encode_value("p", text, 5), "x.json")["value"] == text


@pytest.mark.parametrize(
    ("data", "value"),
    [(b"\xef\xbb\xbf1", 1), (b"NaN", math.nan), (b"1e999", math.inf), (b'{"a": 1, "a": 2}', {"a": 2}), (b" 1\r\n", 1)],
)
def test_b08_what_other_programs_write_is_read(data, value):
    """Rule F1 for the bare NaN."""
    assert repr(documents.decode_json(data, "x.json")) == repr(value)


# Files


def test_a_document_is_born_whole_and_nothing_else_is_left(tmp_path):
    """Rule D1."""
    documents.create(str(tmp_path / "a.json"), b"data")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.json": b"data"}
    assert (tmp_path / "a.json").stat().st_nlink == 1


@pytest.mark.parametrize("links", [True, False])
def test_creating_never_clobbers(tmp_path, monkeypatch, links):
    """Rule D1."""
    if not links:
        monkeypatch.setattr(os, "link", refuse_links(errno.EPERM))
    (tmp_path / "a.json").write_bytes(b"other")
    (tmp_path / "dangling.json").symlink_to("nowhere")
    for name in ("a.json", "dangling.json"):
        with pytest.raises(FileExistsError):
            documents.create(str(tmp_path / name), b"data")
    assert (tmp_path / "a.json").read_bytes() == b"other"
    assert sorted(os.listdir(str(tmp_path))) == ["a.json", "dangling.json"]


def refuse_links(code):
    def link(*_):
        raise OSError(code, os.strerror(code))

    return link


@pytest.mark.parametrize("code", ["EPERM", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EACCES"])
def test_where_there_are_no_links_a_document_is_renamed_to_its_name(tmp_path, monkeypatch, code):
    """Rule D1."""
    monkeypatch.setattr(os, "link", refuse_links(getattr(errno, code)))
    documents.create(str(tmp_path / "a.json"), b"data")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.json": b"data"}


def test_g13_a_link_that_was_made_and_called_an_obstacle_is_ours(tmp_path, monkeypatch):
    """Rule D1: NFS repeats a request whose answer was lost."""
    link = os.link

    def link_and_lose_the_answer(source, target):
        link(source, target)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)

    monkeypatch.setattr(os, "link", link_and_lose_the_answer)
    documents.create(str(tmp_path / "a.json"), b"data")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.json": b"data"}
    with pytest.raises(FileExistsError):
        documents.create(str(tmp_path / "a.json"), b"second")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.json": b"data"}


@pytest.mark.parametrize("code", ["ENOSPC", "EIO", "EDQUOT"])
def test_a_fault_of_the_disk_is_raised_and_leaves_nothing(tmp_path, monkeypatch, code):
    """Rule D1."""
    monkeypatch.setattr(os, "link", refuse_links(getattr(errno, code)))
    with pytest.raises(OSError, match=os.strerror(getattr(errno, code))):
        documents.create(str(tmp_path / "a.json"), b"data")
    monkeypatch.setattr(os, "replace", refuse_links(getattr(errno, code)))
    with pytest.raises(OSError, match=os.strerror(getattr(errno, code))):
        documents.replace(str(tmp_path / "a.json"), b"data")
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_the_disk_cuts_short_is_finished(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data)[:3]))
    documents.create(str(tmp_path / "a.json"), b"0123456789")
    documents.replace(str(tmp_path / "b.json"), b"9876543210")
    monkeypatch.undo()
    assert (tmp_path / "a.json").read_bytes() + (tmp_path / "b.json").read_bytes() == b"01234567899876543210"


def test_a_missing_folder_is_not_made(tmp_path):
    """Rule D5."""
    with pytest.raises(FileNotFoundError):
        documents.create(str(tmp_path / "params" / "a.json"), b"data")
    assert list(tmp_path.iterdir()) == []


def test_g09_a_planted_temporary_name_is_not_followed(tmp_path, monkeypatch):
    """Rule D1: created exclusively."""
    (tmp_path / "victim").write_bytes(b"keep")
    (tmp_path / (".tmp-" + "00" * 8)).symlink_to("victim")
    monkeypatch.setattr(os, "urandom", bytes)  # as many zeros
    for act in (documents.create, documents.replace):
        with pytest.raises(FileExistsError):
            act(str(tmp_path / "a.json"), b"data")
    assert (tmp_path / "victim").read_bytes() == b"keep"
    assert not (tmp_path / "a.json").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
@pytest.mark.parametrize("umask", [0o077, 0o027, 0o022, 0o002, 0o000])
def test_g08_files_follow_the_umask_and_the_folders_group_also_when_replaced(tmp_path, umask):
    """Rule D1."""
    tmp_path.chmod(0o2775)
    path = tmp_path / "a.json"
    old = os.umask(umask)
    try:
        documents.create(str(path), b"1")
        assert path.stat().st_mode & 0o7777 == 0o666 & ~umask
        documents.replace(str(path), b"2")
        assert path.stat().st_mode & 0o7777 == 0o666 & ~umask
    finally:
        os.umask(old)
    assert path.stat().st_gid == tmp_path.stat().st_gid


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives a folder another group")
def test_g08_a_setgid_folder_hands_its_group_on(tmp_path):
    os.chown(str(tmp_path), -1, 54321)
    tmp_path.chmod(0o2770)
    documents.create(str(tmp_path / "a.json"), b"1")
    documents.replace(str(tmp_path / "a.json"), b"2")
    assert (tmp_path / "a.json").stat().st_gid == 54321


# What is no document


def make_socket(path):
    here = os.getcwd()
    os.chdir(os.path.dirname(path))  # the name of a socket has 108 bytes at most
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.basename(path))
    finally:
        os.chdir(here)


def make_sparse_file(path):
    with open(path, "wb") as file:
        file.truncate(1 << 40)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
@pytest.mark.parametrize(
    "make",
    [os.mkfifo, os.mkdir, make_sparse_file, lambda path: os.symlink("/dev/zero", path), make_socket],
    ids=["fifo", "folder", "sparse", "device", "socket"],
)
def test_a15_what_is_no_document_is_reported_at_once(tmp_path, make):
    """Rule S4."""
    path = str(tmp_path / "loss.json")
    try:
        make(path)
    except OSError as error:
        pytest.skip("this disk has none: %s" % error)
    start = time.process_time()
    with pytest.raises((BrokenFileError, OSError), match=r"loss\.json"):
        documents.read(path)
    assert time.process_time() - start < 1
    with pytest.raises(FileExistsError):
        documents.create(path, b"data")


def test_a_missing_document_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        documents.read(str(tmp_path / "a.json"))


@pytest.mark.parametrize("size", [0, 1, 10])
def test_a_file_is_read_up_to_the_limit_and_no_further(tmp_path, size):
    path = tmp_path / "a.json"
    path.write_bytes(b"x" * size)
    assert documents.read(str(path), size) == b"x" * size
    path.write_bytes(b"x" * (size + 1))
    with pytest.raises(BrokenFileError, match="it has %d bytes, at most %d are read" % (size + 1, size)):
        documents.read(str(path), size)


def test_syncing_works_on_files_and_folders_and_says_what_it_cannot_find(tmp_path):
    """Rule P2."""
    documents.replace(str(tmp_path / "a.json"), b"data", sync=True)
    documents.sync(str(tmp_path / "a.json"))
    documents.sync(str(tmp_path))
    with pytest.raises(FileNotFoundError):
        documents.sync(str(tmp_path / "b.json"))


# Processes

RACER = """
import sys
from mini_mlflow.store import documents
path, mine = sys.argv[1:]
sys.stdout.write("ready\\n"); sys.stdout.flush()
sys.stdin.readline()
for number in range(50):
    try:
        documents.create("%s-%d.json" % (path, number), mine.encode() * 1000)
        sys.stdout.write("%d\\n" % number)
    except FileExistsError:
        pass
"""


def test_of_processes_that_create_one_file_exactly_one_does(tmp_path):
    """Rule D1."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path / "a"), mine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            universal_newlines=True,
        )
        for mine in "abcdefgh"
    ]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    won = {mine: [int(line) for line in racer.communicate()[0].split()] for mine, racer in zip("abcdefgh", racers)}
    assert [racer.returncode for racer in racers] == [0] * 8
    assert sorted(number for numbers in won.values() for number in numbers) == list(range(50))
    for mine, numbers in won.items():
        for number in numbers:
            assert (tmp_path / ("a-%d.json" % number)).read_bytes() == mine.encode() * 1000
    assert len(os.listdir(str(tmp_path))) == 50


VICTIM = """
import itertools, sys
from mini_mlflow.store import documents
for number in itertools.count():
    documents.create(sys.argv[1] + "/%d.json" % number, b"x" * 5000)
    documents.replace(sys.argv[1] + "/same.json", b"y" * 5000)
    sys.stdout.write("%d\\n" % number); sys.stdout.flush()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("count", range(1, 41, 2))
def test_a_kill_leaves_every_file_under_its_name_whole(tmp_path, count):
    """Rules D1, D2 and P1."""
    victim = subprocess.Popen([sys.executable, "-c", VICTIM, str(tmp_path)], stdout=subprocess.PIPE)
    acknowledged = [int(victim.stdout.readline()) for _ in range(count)]
    victim.kill()
    victim.stdout.close()
    victim.wait()
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir() if not path.name.startswith(".tmp-")}
    assert {data for name, data in found.items() if name != "same.json"} == {b"x" * 5000}
    assert found["same.json"] == b"y" * 5000
    assert set(found) >= {"%d.json" % number for number in acknowledged}
