"""Where does the index of a store lie, and where does it not?"""

import os
import stat
import subprocess
import sys
import time
import warnings

import pytest
from made_entries import held, made_pairs

from mini_mlflow import config
from mini_mlflow.errors import StorageWarning
from mini_mlflow.index import place
from mini_mlflow.index.database import Database
from mini_mlflow.store import machine

on_posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no such modes")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Let the user have a home, a folder for temporary files and a cache, all on a disk of this machine."""
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "home" / ".cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(machine, "is_local_device", lambda device: True)
    place._warn_once.cache_clear()
    return tmp_path / "home"


@pytest.fixture
def store(tmp_path):
    (tmp_path / "mlruns").mkdir()
    return str(tmp_path / "mlruns")


def folder_of(store):
    return os.path.dirname(place.find_place(store))


def temporary(home):
    user = f"-{os.geteuid()}" if hasattr(os, "geteuid") else ""
    return str(home.parent / "tmp" / f"mini-mlflow{user}")


def test_the_index_lies_in_the_users_cache(home, store):
    path = place.find_place(store)
    assert os.path.dirname(path) == str(home / ".cache" / "mini-mlflow")
    name = os.path.basename(path)
    assert len(name) == 32 + len(".sqlite")
    with Database(path) as database:
        database.put(made_pairs(range(3)))
    assert os.listdir(store) == []
    assert place.find_place(store) == path


@on_posix
def test_g04_folder_and_file_are_for_the_user_alone_under_any_umask(home, store):
    old = os.umask(0)
    try:
        path = place.find_place(store)
        Database(path).close()
    finally:
        os.umask(old)
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_xdg_cache_home_is_heard_where_it_is_a_full_path(tmp_path, home, store, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert folder_of(store) == str(tmp_path / "cache" / "mini-mlflow")
    monkeypatch.setenv("XDG_CACHE_HOME", "not/full")
    assert folder_of(store) == str(home / ".cache" / "mini-mlflow")


@on_posix
@pytest.mark.parametrize("danger", ["group", "world", "link", "file", "parent"])
def test_g04_a_folder_that_others_could_reach_is_not_used_and_told_of_once(home, store, danger, tmp_path):
    cache = home / ".cache"
    cache.mkdir()
    folder = cache / "mini-mlflow"
    if danger == "link":
        (tmp_path / "elsewhere").mkdir()
        folder.symlink_to(tmp_path / "elsewhere")
    elif danger == "file":
        folder.write_text("x")
    else:
        folder.mkdir()
        os.chmod(str(folder), {"group": 0o770, "world": 0o707, "parent": 0o700}[danger])
        if danger == "parent":
            os.chmod(str(cache), 0o777)
    with pytest.warns(StorageWarning, match="XDG_CACHE_HOME") as told:
        path = place.find_place(store)
    assert len(told) == 1
    assert os.path.dirname(path) == temporary(home)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert place.find_place(store) == path
    assert danger in ("link", "file") or os.listdir(str(folder)) == []


@on_posix
def test_g04_a_foreign_folder_is_not_used(home, store, monkeypatch):
    folder_of(store)
    real = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: real + 1)
    with pytest.warns(StorageWarning, match="another user"):
        assert place.find_place(store) is None


@on_posix
def test_a_folder_that_others_can_only_look_into_is_closed(home, store):
    folder = home / ".cache" / "mini-mlflow"
    folder.mkdir(parents=True)
    os.chmod(str(folder), 0o755)
    assert folder_of(store) == str(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@on_posix
def test_g04_without_a_home_it_lies_with_temporary_files(home, store, monkeypatch):
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert config.cache_folder() is None
    assert folder_of(store) == temporary(home)
    assert stat.S_IMODE(os.stat(temporary(home)).st_mode) == 0o700


def test_g04_a_home_that_is_not_there_or_not_writable_is_passed_over(home, store, monkeypatch):
    (home / ".cache").write_text("a file")
    assert folder_of(store) == temporary(home)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "none" / "none"))
    assert folder_of(store) == temporary(home)


def test_g07_on_a_network_disk_there_is_none_and_without_any_local_disk_it_is_in_memory(home, store, monkeypatch):
    """A home that a hundred machines share gets no index: locks there wait, or do not hold."""
    monkeypatch.setattr(machine, "is_local_device", lambda device: False)
    monkeypatch.setattr(place, "_MOUNTS", os.path.abspath(__file__))  # a file that there is on every system
    shared = os.path.realpath(str(home))
    kind_of = {True: "nfs4", False: "overlay"}
    monkeypatch.setattr(place, "_kind_of", lambda folder, mounts: kind_of[folder.startswith(shared)])
    assert folder_of(store) == temporary(home)
    monkeypatch.setattr(place, "_kind_of", lambda folder, mounts: "nfs4")
    assert place.find_place(store) is None
    assert not (home / ".cache" / "mini-mlflow").exists()
    with Database(place.find_place(store)) as database:
        database.put(made_pairs(range(3)))
        assert len(held(database)) == 3


MOUNTS = """\
22 1 0:20 / / rw,relatime - overlay overlay rw
23 22 0:21 / /home rw shared:1 - nfs4 server:/home rw
24 23 0:22 / /home/a\\040b rw master:2 shared:1 - btrfs /dev/sda rw
25 22 0:23 / /home2 rw - ext4 /dev/sdb rw
26 25 0:24 / /home2 rw - nfs4 server:/home2 rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/", "overlay"), ("/root/.cache", "overlay"), ("/home", "nfs4"), ("/home/x/.cache", "nfs4"),
     ("/home/a b/.cache", "btrfs"), ("/home/a", "nfs4"), ("/homes", "overlay"), ("/home2/x", "nfs4")],
)  # fmt: skip
def test_which_disk_a_folder_is_on_is_read_from_the_mounts(folder, kind):
    assert place._kind_of(folder, MOUNTS) == kind


def test_g07_each_machine_has_its_own(store, monkeypatch):
    names = []
    for host in ("node1", "node2", "node1"):
        monkeypatch.setattr(config, "host_name", lambda host=host: host)
        names.append(place.find_place(store))
    assert names[0] == names[2] != names[1]


def test_g06_two_stores_that_are_called_alike_do_not_meet(tmp_path, monkeypatch):
    """As two containers do that both have a /mlruns, and one cache."""
    link = tmp_path / "seen"
    paths = set()
    monkeypatch.setattr(os.path, "realpath", os.path.abspath)  # each container sees a folder of its own there
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        link.symlink_to(tmp_path / name)
        paths.add(place.find_place(str(link)))
        link.unlink()
    assert len(paths) == 2


def test_a_store_is_the_same_through_a_link_and_a_relative_path(tmp_path, store, monkeypatch):
    (tmp_path / "link").symlink_to(store)
    monkeypatch.chdir(tmp_path)
    assert len({place.find_place(each) for each in (store, "mlruns", str(tmp_path / "link"))}) == 1


def test_h27_a_store_of_any_bytes_has_a_place_and_one_that_is_not_there_none(tmp_path, store):
    assert place.find_place(str(tmp_path / "none")) is None
    assert place.find_place(store + "\0") is None
    odd = os.path.join(str(tmp_path), os.fsdecode(b"runs\xff"))
    try:
        os.mkdir(odd)
    except OSError:
        pytest.skip("this disk takes no such names")
    with Database(place.find_place(odd)) as database:
        database.put(made_pairs(range(3)))


def test_h27_a_python_without_sqlite_is_told(store):
    code = "import sys; sys.modules['sqlite3'] = None; from mini_mlflow.index import place; print(place.is_available())"
    assert subprocess.check_output([sys.executable, "-c", code]).strip() == b"False"
    assert place.is_available()


def test_indexes_that_nothing_was_written_to_for_long_are_removed_with_a_new_one(tmp_path, store):
    path = place.find_place(store)
    folder = os.path.dirname(path)
    for name, days in (("old.sqlite", 91), ("new.sqlite", 80), ("old.txt", 91)):
        with open(os.path.join(folder, name), "w") as file:
            file.write("x")
        os.utime(file.name, (time.time() - days * 86400,) * 2)
    Database(path).close()
    assert place.find_place(store) == path
    assert "old.sqlite" in os.listdir(folder)
    (tmp_path / "another").mkdir()
    place.find_place(str(tmp_path / "another"))
    assert sorted(os.listdir(folder)) == sorted(["new.sqlite", "old.txt", os.path.basename(path)])
