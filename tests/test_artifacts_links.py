"""Does no link among the artifacts lead anybody out of them, whatever is swapped in the meantime?"""

import os
import socket
import subprocess
import sys

import pytest

from kept_files import FOLDER_DOORS, PATH_DOORS, make_root, read, tree, write
from mini_mlflow import artifacts
from mini_mlflow.errors import ArtifactNotFoundError, InvalidArtifactPathError, InvalidValueError
from mini_mlflow.records import FileInfo
from mini_mlflow.store import held_folder

needs_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")


@pytest.fixture
def place(tmp_path):
    """Return a folder with a run, a source, and what lies outside of the run."""
    os.mkdir(make_root(tmp_path))
    write(tmp_path / "outside" / "x", b"outside")
    write(tmp_path / "outside" / "b" / "x", b"outside too")
    write(tmp_path / "source" / "x", b"source")
    return tmp_path


@pytest.fixture
def root(place):
    return str(place / "mlruns" / "0" / "run" / "artifacts")


def link(place, root, name, target="outside"):
    os.symlink(str(place / target), os.path.join(root, name))


@pytest.mark.parametrize("path", ["a", "a/x", "a/b/x", "a/new"])
@pytest.mark.parametrize("door", sorted(PATH_DOORS))
def test_a12_a_link_to_a_folder_is_not_followed(place, root, way, door, path):
    link(place, root, "a")
    before = tree(place)
    with pytest.raises(InvalidArtifactPathError, match="link"):
        PATH_DOORS[door](root, path, place)
    assert tree(place) == before


@pytest.mark.parametrize("path", ["a", "a/b"])
@pytest.mark.parametrize("door", sorted(FOLDER_DOORS))
def test_a12_a_link_to_a_folder_is_not_gone_through(place, root, way, door, path):
    link(place, root, "a")
    before = tree(place)
    with pytest.raises(InvalidArtifactPathError, match="link"):
        FOLDER_DOORS[door](root, path, place)
    assert tree(place) == before


@pytest.mark.parametrize("target", ["outside/x", "nothing"])
@pytest.mark.parametrize("door", sorted(PATH_DOORS))
def test_a12_a_link_to_a_file_is_neither_read_nor_written_through(place, root, way, door, target):
    link(place, root, "x", target)
    with pytest.raises(InvalidArtifactPathError, match="link"):
        PATH_DOORS[door](root, "x", place)
    assert os.path.islink(os.path.join(root, "x"))
    assert tree(place / "outside") == {"x": b"outside", "b": None, "b/x": b"outside too"}


@pytest.mark.parametrize("door", sorted(set(PATH_DOORS) | set(FOLDER_DOORS)))
def test_a12_artifacts_that_are_a_link_themselves_are_refused(place, root, way, door):
    os.rmdir(root)
    os.symlink(str(place / "outside"), root)
    before = tree(place)
    with pytest.raises(InvalidArtifactPathError, match="link"):
        dict(PATH_DOORS, **FOLDER_DOORS)[door](root, "b", place)
    assert tree(place) == before
    with pytest.raises(InvalidArtifactPathError, match="link"):
        artifacts.list_files(root)


def test_a12_a_listing_and_a_download_pass_over_links_and_loops(place, root, way):
    artifacts.save_bytes(root, "a/file", b"artifact")
    for name, target in (("out", "outside"), ("file", "outside/x"), ("loop", "mlruns/0/run/artifacts"), ("gone", "no")):
        link(place, root, name, target)
        link(place, root, "a/" + name + "2", target)
    assert [info.path for info in artifacts.list_files(root)] == ["a"]
    assert [info.path for info in artifacts.list_files(root, "a")] == ["a/file"]
    artifacts.download(root, None, place / "copy")
    assert tree(place / "copy") == {"a": None, "a/file": b"artifact"}


def test_a12_a_deleted_folder_takes_its_links_along_and_not_what_they_lead_to(place, root, way):
    artifacts.save_bytes(root, "a/b/file", b"artifact")
    for name in ("a/out", "a/b/out"):
        link(place, root, name)
        link(place, root, name + "-file", "outside/x")
    artifacts.delete(root, "a")
    assert os.listdir(root) == []
    assert tree(place / "outside") == {"x": b"outside", "b": None, "b/x": b"outside too"}


def test_a13_a_store_that_is_a_link_to_another_disk_works(place, way):
    os.rename(str(place / "mlruns"), str(place / "scratch"))
    os.symlink(str(place / "scratch"), str(place / "mlruns"))
    root = str(place / "mlruns" / "0" / "run" / "artifacts")
    assert artifacts.save_file(root, place / "source" / "x", "a") == [os.path.join(root, "a", "x")]
    assert artifacts.find_path(root, "a/x") == os.path.join(root, "a", "x")
    assert read(artifacts.download(root, "a/x", place / "copy")) == b"source"
    assert [info.path for info in artifacts.list_files(root, "a")] == ["a/x"]
    artifacts.delete(root, "a")
    assert tree(place / "scratch" / "0" / "run") == {"artifacts": None}


# Both names are there at every moment: the kernel exchanges them.
SWAP = """
import ctypes, os, sys
exchange = ctypes.CDLL(None, use_errno=True).renameat2
names = [os.fsencode(path) for path in sys.argv[1:3]]
for _ in range(2 * int(sys.argv[3])):
    if exchange(-100, names[0], -100, names[1], 2):
        sys.exit(os.strerror(ctypes.get_errno()))
"""
needs_exchange = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux exchanges two names")


@pytest.fixture
def swapper(root, place):
    """Let another process swap ``artifacts/a`` 200,000 times for a link to what lies outside, and back."""
    artifacts.save_bytes(root, "a/x", b"artifact")
    link(place, root, "link")
    paths = [os.path.join(root, name) for name in ("a", "link")]
    with subprocess.Popen([sys.executable, "-c", SWAP, *paths, "200000"]) as process:
        yield process
        process.kill()


REFUSED = object()


def attempt(call, *arguments):
    """Call; what is missing, a link or something else just then is refused."""
    try:
        return call(*arguments)
    except (InvalidArtifactPathError, ArtifactNotFoundError, FileNotFoundError, NotADirectoryError):
        return REFUSED


@pytest.mark.long
@needs_exchange
def test_a14_while_a_folder_is_swapped_for_a_link_nothing_outside_is_read_or_written(place, root, swapper):
    outside = tree(place / "outside")
    done = 0
    while swapper.poll() is None:
        content = attempt(artifacts.read_bytes, root, "a/x")
        assert content in (REFUSED, b"artifact")
        done += content is not REFUSED
        assert attempt(artifacts.list_files, root, "a/b") in (REFUSED, [], [FileInfo("a/b/c", True, None)])
        attempt(artifacts.save_bytes, root, "a/x", b"artifact")
        attempt(artifacts.save_file, root, place / "source" / "x", "a/b/c")
        attempt(artifacts.download, root, "a", place / "copy")
    assert swapper.wait() == 0
    assert done
    assert tree(place / "outside") == outside
    assert set(tree(place / "copy").values()) <= {None, b"artifact", b"source"}


@pytest.mark.long
@needs_exchange
def test_a14_while_a_folder_is_swapped_for_a_link_nothing_outside_is_removed(place, root, swapper):
    outside = tree(place / "outside")
    removed = 0
    while swapper.poll() is None:
        attempt(artifacts.save_bytes, root, "a/b/x", b"artifact")
        removed += attempt(artifacts.delete, root, "a/b/x") is not REFUSED
        removed += attempt(artifacts.delete, root, "a/b") is not REFUSED
    assert swapper.wait() == 0
    assert removed
    assert tree(place / "outside") == outside


@pytest.mark.skipif(not held_folder.HAS_HANDLES, reason="this system cannot hold folders")
def test_a14_a_folder_that_becomes_a_link_while_it_is_removed_is_removed_as_a_link(place, root, monkeypatch):
    artifacts.save_bytes(root, "a/b/x", b"artifact")
    enter = held_folder.HeldFolder.enter

    def swap_and_enter(folder, name):
        if name.startswith(".tmp-"):
            os.rename(os.path.join(root, name), str(place / "moved"))
            os.symlink(str(place / "outside"), os.path.join(root, name))
        return enter(folder, name)

    monkeypatch.setattr(held_folder.HeldFolder, "enter", swap_and_enter)
    artifacts.delete(root, "a")
    assert os.listdir(root) == []
    assert tree(place / "outside") == {"x": b"outside", "b": None, "b/x": b"outside too"}


@needs_posix
@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
def test_a15_a_source_that_is_no_regular_file_is_refused_and_never_waited_for(place, root, kind):
    path = "/dev/zero"
    if kind == "fifo":
        path = str(place / "pipe")
        os.mkfifo(path)
    if kind == "socket":
        path = str(place / "s")
        with socket.socket(socket.AF_UNIX) as server:
            os.chdir(str(place))  # the whole path may be longer than a socket's may be
            server.bind("s")
    with pytest.raises(InvalidValueError, match="Only regular files can be kept") as caught:
        artifacts.save_file(root, path)
    assert kind in str(caught.value).lower()
    assert os.listdir(root) == []


@needs_posix
@pytest.mark.parametrize("door", sorted(PATH_DOORS))
def test_a15_a_fifo_among_the_artifacts_is_refused_and_never_waited_for(place, root, way, door):
    os.mkfifo(os.path.join(root, "x"))
    with pytest.raises(InvalidArtifactPathError, match="FIFO"):
        PATH_DOORS[door](root, "x", place)
    assert artifacts.list_files(root) == []


@needs_posix
def test_a15_a_fifo_that_comes_in_place_of_an_artifact_just_then_is_not_waited_for(root, monkeypatch):
    artifacts.save_bytes(root, "x", b"artifact")
    open_file = held_folder.HeldFolder.open_file

    def swap_and_open(folder, name):
        os.unlink(os.path.join(root, name))
        os.mkfifo(os.path.join(root, name))
        return open_file(folder, name)

    monkeypatch.setattr(held_folder.HeldFolder, "open_file", swap_and_open)
    with pytest.raises(InvalidArtifactPathError, match="no regular file"):
        artifacts.read_bytes(root, "x")


@pytest.mark.skipif(not hasattr(os, "SEEK_DATA"), reason="this system tells of no holes")
def test_a15_a_sparse_file_of_a_tebibyte_is_copied_with_its_holes(place, root):
    with open(str(place / "sparse"), "wb") as file:
        file.write(b"first")
        file.seek(1 << 39)
        file.write(b"second")
        file.truncate(1 << 40)
    if os.stat(str(place / "sparse")).st_blocks * 512 > 1 << 30:
        pytest.skip("this file system has no holes")
    [path] = artifacts.save_file(root, place / "sparse")
    assert os.stat(path).st_size == 1 << 40
    assert os.stat(path).st_blocks * 512 < 1 << 20
    with open(path, "rb") as file:
        assert file.read(6) == b"first\0"
        file.seek(1 << 39)
        assert file.read(7) == b"second\0"


@pytest.mark.parametrize("target", ["outside/x", "nothing"])
def test_g09_a_link_under_the_temporary_name_is_not_written_through(place, root, way, monkeypatch, target):
    names = iter([b"planted!", b"random.."])
    link(place, root, ".tmp-" + b"planted!".hex(), target)
    monkeypatch.setattr(os, "urandom", lambda count: next(names))
    artifacts.save_bytes(root, "x", b"artifact")
    assert read(os.path.join(root, "x")) == b"artifact"
    assert read(str(place / "outside" / "x")) == b"outside"
    assert not (place / "nothing").exists()
