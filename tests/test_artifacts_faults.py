"""Is an artifact whole under its name, or not there, whatever happens while it is written or removed?"""

import errno
import os
import stat
import subprocess
import sys
import time

import pytest

from kept_files import make_root, read, tree, write
from mini_mlflow import artifacts
from mini_mlflow.errors import InvalidArtifactPathError
from mini_mlflow.records import FileInfo
from mini_mlflow.store import copying, held_folder

needs_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions, limits and signals")
HOUR_S = 3600


@pytest.fixture
def root(tmp_path):
    return make_root(tmp_path)


@pytest.fixture
def small_steps(monkeypatch):
    """Copy in many small portions, and never by sharing blocks, which takes no time that anything can happen in."""
    monkeypatch.setattr(copying, "_clone", lambda source, target: False)
    monkeypatch.setattr(copying, "_IN_KERNEL", 4096)
    monkeypatch.setattr(copying, "_IN_PROCESS", 4096)


def at(done, act):
    """Return an on_progress that acts once so many bytes are done."""
    acted = []

    def on_progress(now, total):
        if now >= done and not acted:
            acted.append(True)
            act()

    return on_progress


COPY_AND_STOP = """
import sys
from mini_mlflow import artifacts
from mini_mlflow.store import copying
copying._clone = lambda source, target: False
copying._IN_KERNEL = copying._IN_PROCESS = 4096
def stop(done, total):
    if done >= total // 2:
        print(done, flush=True)
        sys.stdin.read()
artifacts.save_file(sys.argv[1], sys.argv[2], on_progress=stop)
"""


@needs_posix
def test_h25_a_copy_killed_in_the_middle_leaves_the_old_version_whole(tmp_path, root):
    artifacts.save_bytes(root, "model.pt", b"old version")
    source = write(tmp_path / "model.pt", b"new version" * 100000)
    command = [sys.executable, "-c", COPY_AND_STOP, root, str(source)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert 0 < int(process.stdout.readline()) < 1100000
        process.kill()
    [leftover] = [name for name in os.listdir(root) if name != "model.pt"]
    assert 0 < os.stat(os.path.join(root, leftover)).st_size < 1100000
    assert read(os.path.join(root, "model.pt")) == b"old version"
    assert artifacts.list_files(root) == [FileInfo("model.pt", False, 11)]
    assert tree(artifacts.download(root, None, tmp_path / "copy")) == {"model.pt": b"old version"}
    artifacts.save_file(root, source)
    assert read(os.path.join(root, "model.pt")) == b"new version" * 100000


WRITE_ON = """
import itertools, sys
from mini_mlflow import artifacts
for number in itertools.count():
    artifacts.save_bytes(sys.argv[1], "x", b"%d" % (number % 10) * (1 << 18))
    artifacts.save_bytes(sys.argv[1], "a/%d" % (number % 3), b"")
    if number % 5 == 4:
        artifacts.delete(sys.argv[1], "a")
"""


@pytest.mark.long
@needs_posix
def test_h25_kills_at_any_moment_leave_whole_files(root):
    for round_number in range(8):
        with subprocess.Popen([sys.executable, "-c", WRITE_ON, root]) as process:
            deadline = time.monotonic() + 60
            while not os.path.exists(os.path.join(root, "x")) and time.monotonic() < deadline:
                pass
            seen = os.stat(os.path.join(root, "x")).st_ino
            while os.stat(os.path.join(root, "x")).st_ino == seen and time.monotonic() < deadline:
                pass
            for _ in range(round_number * 50):
                os.stat(root)
            process.kill()
        content = read(os.path.join(root, "x"))
        assert content == content[:1] * (1 << 18)
        assert {info.path for info in artifacts.list_files(root)} <= {"x", "a"}


@needs_posix
@pytest.mark.parametrize("door", ["save_file", "save_bytes", "save_folder", "download"])
def test_h02_a_full_disk_is_told_and_leaves_what_was_there(tmp_path, root, door):
    import resource

    artifacts.save_bytes(root, "x", b"old version")
    artifacts.save_bytes(root, "a/x", b"new version" * 100000)
    write(tmp_path / "copy" / "a" / "x", b"old version")
    source = write(tmp_path / "source" / "x", b"new version" * 100000)
    before = tree(tmp_path)
    doors = {
        "save_file": lambda: artifacts.save_file(root, source),
        "save_bytes": lambda: artifacts.save_bytes(root, "x", b"new version" * 100000),
        "save_folder": lambda: artifacts.save_folder(root, source.parent),
        "download": lambda: artifacts.download(root, "a/x", tmp_path / "copy"),
    }
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100000, hard))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            doors[door]()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG
    assert tree(tmp_path) == before


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.ESTALE])
def test_h01_a_fault_of_the_disk_is_told_and_leaves_what_was_there(tmp_path, root, monkeypatch, fault):
    artifacts.save_bytes(root, "x", b"old version")

    def fail(source, target, position, count):
        if position:
            raise OSError(fault, os.strerror(fault))
        return os.write(target, b"half")

    monkeypatch.setattr(copying, "_clone", lambda source, target: False)
    monkeypatch.setattr(copying, "_WAYS", [fail])
    with pytest.raises(OSError, match="Errno %d" % fault):
        artifacts.save_file(root, write(tmp_path / "x", b"new version"))
    assert tree(root) == {"x": b"old version"}


def test_ctrl_c_in_the_middle_leaves_what_was_there(tmp_path, root, small_steps):
    artifacts.save_bytes(root, "x", b"old version")

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        artifacts.save_file(root, write(tmp_path / "x", bytes(100000)), on_progress=at(50000, interrupt))
    assert tree(root) == {"x": b"old version"}


def test_a_source_that_becomes_shorter_is_told_and_leaves_what_was_there(tmp_path, root, small_steps):
    artifacts.save_bytes(root, "x", b"old version")
    source = write(tmp_path / "x", bytes(100000))
    with pytest.raises(OSError, match="became shorter while it was copied") as caught:
        artifacts.save_file(root, source, on_progress=at(20000, lambda: os.truncate(str(source), 30000)))
    assert caught.value.filename == str(source)
    assert tree(root) == {"x": b"old version"}


def test_a_source_that_grows_is_copied_up_to_its_first_size(tmp_path, root, small_steps):
    source = write(tmp_path / "log", b"1" * 50000)

    def grow():
        with open(str(source), "ab") as file:
            file.write(b"2" * 50000)

    artifacts.save_file(root, source, on_progress=at(10000, grow))
    assert tree(root) == {"log": b"1" * 50000}


def test_progress_is_told_up_to_the_whole(tmp_path, root, small_steps):
    told = []
    write(tmp_path / "source" / "a", bytes(10000))
    write(tmp_path / "source" / "b" / "c", bytes(5000))
    artifacts.save_folder(root, tmp_path / "source", on_progress=lambda done, total: told.append((done, total)))
    assert [total for _, total in told] == [15000] * len(told)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (15000, 15000)
    assert len(told) >= 5
    told.clear()
    artifacts.download(root, None, tmp_path / "copy", on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (15000, 15000)


@needs_posix
@pytest.mark.parametrize("umask", [0o077, 0o027, 0o002, 0o000])
def test_g08_files_and_folders_follow_the_umask_also_where_they_replace_others(tmp_path, root, umask):
    source = write(tmp_path / "x")
    os.chmod(str(source), 0o600)
    old = os.umask(umask)
    try:
        for _ in range(2):
            artifacts.save_file(root, source, "a")
            artifacts.save_bytes(root, "a/y", b"")
            artifacts.download(root, "a", tmp_path / "copy")
    finally:
        os.umask(old)
    for folder in (root, str(tmp_path / "copy")):
        assert stat.S_IMODE(os.stat(os.path.join(folder, "a")).st_mode) & 0o777 == 0o777 & ~umask
        for name in ("x", "y"):
            assert stat.S_IMODE(os.stat(os.path.join(folder, "a", name)).st_mode) == 0o666 & ~umask


@needs_posix
def test_g08_in_a_folder_of_a_group_files_are_that_groups(tmp_path, root):
    os.mkdir(root)
    groups = [group for group in os.getgroups() if group != os.getegid()] or ([12345] if os.geteuid() == 0 else [])
    if not groups:
        pytest.skip("this user is in one group alone")
    os.chown(root, -1, groups[0])
    os.chmod(root, 0o2775)
    for _ in range(2):
        artifacts.save_bytes(root, "a/x", b"")
        artifacts.save_bytes(root, "y", b"")
    assert {os.stat(os.path.join(root, name)).st_gid for name in ("a", "a/x", "y")} == {groups[0]}


def test_g09_temporary_names_are_random_and_beside_the_target(root, monkeypatch):
    names = []
    create = held_folder.HeldFolder.create_temporary

    def note(folder, mode):
        name, descriptor = create(folder, mode)
        names.append(os.path.join(folder.path, name))
        return name, descriptor

    monkeypatch.setattr(held_folder.HeldFolder, "create_temporary", note)
    for _ in range(3):
        artifacts.save_bytes(root, "a/x", b"")
    assert len(set(names)) == 3
    assert {os.path.dirname(name) for name in names} == {os.path.join(root, "a")}


def test_a_folder_that_is_removed_is_gone_from_sight_also_where_that_fails_in_the_middle(root, monkeypatch):
    for name in ("a/1", "a/2", "a/b/3", "x"):
        artifacts.save_bytes(root, name, b"")
    unlink = held_folder.HeldFolder.unlink

    def fail(folder, name):
        if name == "2":
            raise OSError(errno.EIO, os.strerror(errno.EIO), name)
        unlink(folder, name)

    with monkeypatch.context() as patch:
        patch.setattr(held_folder.HeldFolder, "unlink", fail)
        with pytest.raises(OSError, match="Errno %d" % errno.EIO):
            artifacts.delete(root, "a")
    assert artifacts.list_files(root) == [FileInfo("x", False, 0)]
    assert artifacts.sweep(root, age_s=-1) == 1
    assert os.listdir(root) == ["x"]


def test_leftovers_of_kills_are_swept_after_an_hour_and_nothing_else_is(tmp_path, root):
    for name in ("x", "a/b/y"):
        artifacts.save_bytes(root, name, b"kept")
    for folder in ("", "a/b/"):
        write(tmp_path / "mlruns/0/run/artifacts" / (folder + ".tmp-00000000000000ff"), b"left")
        write(tmp_path / "mlruns/0/run/artifacts" / (folder + ".tmp-000000000000000d") / "c" / "z", b"left")
    os.symlink(str(write(tmp_path / "outside" / "x").parent), os.path.join(root, "out"))
    assert artifacts.sweep(root) == 0
    assert artifacts.sweep(root, age_s=-1) == 4
    assert sorted(os.listdir(root)) == ["a", "out", "x"]
    assert os.listdir(os.path.join(root, "a", "b")) == ["y"]
    assert artifacts.sweep(str(tmp_path / "nothing")) == 0


@pytest.mark.parametrize("name", ["\x1b[2J", "a\rb", "\x9b2J", "\u202etxt.exe"])
def test_f01_what_moves_the_cursor_is_escaped_in_messages(tmp_path, root, name):
    with pytest.raises((InvalidArtifactPathError, FileNotFoundError)) as caught:
        artifacts.find_path(root, name)
    assert str(caught.value).isprintable()
    with pytest.raises(FileNotFoundError) as missing:
        artifacts.save_file(root, str(tmp_path / name))
    assert str(missing.value).isprintable()
