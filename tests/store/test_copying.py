"""Is the content of a file the same after each way of copying it?"""

import errno
import os
import sys

import pytest

from mini_mlflow.store import copying

WAYS = {way.__name__.lstrip("_"): way for way in copying._WAYS}


@pytest.fixture
def no_clone(monkeypatch):
    """Go without shared blocks, also where the file system of the tests has them."""
    monkeypatch.setattr(copying, "_clone", lambda source, target: False)


def copy(tmp_path, size=None):
    """Copy ``source`` to ``target``; return what was told and the number of bytes."""
    told = []
    source = os.open(str(tmp_path / "source"), os.O_RDONLY | getattr(os, "O_BINARY", 0))
    target = os.open(str(tmp_path / "target"), os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(source).st_size if size is None else size
        return told, copying.copy_content(source, target, size, told.append)
    finally:
        os.close(source)
        os.close(target)


@pytest.mark.parametrize("size", [0, 1, 4096, 3 * 1024 * 1024 + 1])
@pytest.mark.parametrize("way", sorted(WAYS))
def test_each_way_copies_every_byte_and_tells_of_them(tmp_path, monkeypatch, no_clone, way, size):
    data = os.urandom(size)
    (tmp_path / "source").write_bytes(data)
    monkeypatch.setattr(copying, "_WAYS", [WAYS[way]])
    told, count = copy(tmp_path)
    assert (tmp_path / "target").read_bytes() == data
    assert sum(told) == size
    assert count == size or not size


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has them")
def test_linux_copies_within_the_kernel():
    assert next(iter(WAYS)) == "by_copy_file_range" if hasattr(os, "copy_file_range") else "by_sendfile"
    assert list(WAYS)[-1] == "through_process"


@pytest.mark.parametrize("answer", [*sorted({*copying._NO_WAY}), 0])
def test_a_way_that_leads_nowhere_is_followed_by_the_next(tmp_path, monkeypatch, no_clone, answer):
    def lead_nowhere(source, target, position, count):
        if answer:
            raise OSError(answer, os.strerror(answer))
        return 0

    data = os.urandom(2 * 1024 * 1024)
    (tmp_path / "source").write_bytes(data)
    monkeypatch.setattr(copying, "_WAYS", [lead_nowhere, lead_nowhere, copying._through_process])
    copy(tmp_path)
    assert (tmp_path / "target").read_bytes() == data


def test_a_way_that_ends_in_the_middle_is_gone_on_with_there(tmp_path, monkeypatch, no_clone):
    def give_up_in_the_middle(source, target, position, count):
        if position >= 8192:
            raise OSError(errno.EXDEV, "another disk")
        return copying._through_process(source, target, position, 4096)

    data = os.urandom(100000)
    (tmp_path / "source").write_bytes(data)
    monkeypatch.setattr(copying, "_WAYS", [give_up_in_the_middle, copying._through_process])
    told, _ = copy(tmp_path)
    assert (tmp_path / "target").read_bytes() == data
    assert told[:2] == [4096, 4096]


def test_a_fault_of_the_disk_is_no_reason_to_go_another_way(tmp_path, monkeypatch, no_clone):
    def fail(source, target, position, count):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "source").write_bytes(b"data")
    monkeypatch.setattr(copying, "_WAYS", [fail, copying._through_process])
    with pytest.raises(OSError, match="No space left"):
        copy(tmp_path)


def test_a_short_write_is_gone_on_with(tmp_path, monkeypatch, no_clone):
    write_at = copying.write_at
    monkeypatch.setattr(copying, "write_at", lambda file, data, offset: write_at(file, data[:1000], offset))
    data = os.urandom(10500)
    (tmp_path / "source").write_bytes(data)
    monkeypatch.setattr(copying, "_WAYS", [copying._through_process])
    copy(tmp_path)
    assert (tmp_path / "target").read_bytes() == data


def test_no_more_is_copied_than_was_asked_for(tmp_path):
    (tmp_path / "source").write_bytes(b"x" * 100000)
    assert copy(tmp_path, 50000)[1] == 50000
    assert (tmp_path / "target").read_bytes() == b"x" * 50000


def test_of_blocks_that_are_shared_no_more_is_kept_than_was_asked_for(tmp_path, monkeypatch):
    (tmp_path / "source").write_bytes(b"x" * 100000)
    monkeypatch.setattr(copying, "_clone", lambda source, target: os.write(target, b"x" * 100000))
    assert copy(tmp_path, 50000) == ([50000], 50000)
    assert (tmp_path / "target").read_bytes() == b"x" * 50000
    assert copy(tmp_path, 200000) == ([100000], 100000)


def test_a_source_that_is_shorter_than_said_gives_what_it_has(tmp_path):
    (tmp_path / "source").write_bytes(b"x" * 1000)
    assert copy(tmp_path, 50000)[1] == 1000


@pytest.mark.skipif(not hasattr(os, "SEEK_DATA"), reason="this system tells of no holes")
@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.parametrize("places", [(0, 300), (100, 300, 301), (), (511,)])
def test_holes_stay_holes(tmp_path, monkeypatch, no_clone, way, places):
    with open(str(tmp_path / "source"), "wb") as file:
        for place in places:
            file.seek(place << 20)
            file.write(b"data at %d" % place)
        file.truncate(512 << 20)
    monkeypatch.setattr(copying, "_WAYS", [WAYS[way]])
    told, count = copy(tmp_path)
    assert count == sum(told) == 512 << 20
    assert (tmp_path / "target").stat().st_size == 512 << 20
    assert (tmp_path / "target").stat().st_blocks <= (tmp_path / "source").stat().st_blocks + 64
    with open(str(tmp_path / "target"), "rb") as file:
        for place in places:
            file.seek(place << 20)
            assert file.read(20).startswith(b"data at %d\0" % place)


@pytest.mark.skipif(not hasattr(os, "SEEK_DATA"), reason="this system tells of no holes")
def test_where_the_file_system_tells_of_no_holes_all_is_copied(tmp_path, monkeypatch, no_clone):
    with open(str(tmp_path / "source"), "wb") as file:
        file.seek(1 << 20)
        file.write(b"data")
    lseek = os.lseek

    def refuse(descriptor, position, whence):
        if whence in (os.SEEK_DATA, os.SEEK_HOLE):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return lseek(descriptor, position, whence)

    monkeypatch.setattr(os, "lseek", refuse)
    copy(tmp_path)
    assert (tmp_path / "target").read_bytes() == bytes(1 << 20) + b"data"
