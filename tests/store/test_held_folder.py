"""Does an open folder stay the one it was, and is nothing reached through a link?"""

import errno
import os
import stat
import types

import pytest

from mini_mlflow.store import held_folder

NO_FOLDER = "|".join("Errno %d" % number for number in held_folder.NO_FOLDER)


def fill(folder, name, data=b"x"):
    temporary, descriptor = folder.create_temporary(0o666)
    os.write(descriptor, data)
    os.close(descriptor)
    folder.move(temporary, folder, name)


def test_folders_on_the_way_are_made_only_where_that_is_asked_for(tmp_path, way):
    with pytest.raises(FileNotFoundError):
        held_folder.descend(str(tmp_path / "top"), ["a"])
    with held_folder.descend(str(tmp_path / "top"), ["a", "b"], is_made=True) as folder:
        assert folder.path == str(tmp_path / "top" / "a" / "b")
    with pytest.raises(FileNotFoundError):
        held_folder.descend(str(tmp_path / "top"), ["a", "c"])
    assert os.listdir(str(tmp_path / "top" / "a")) == ["b"]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_no_folder_is_not_entered_and_its_path_is_told(tmp_path, way, kind):
    (tmp_path / "top").mkdir()
    if kind == "file":
        (tmp_path / "top" / "a").write_bytes(b"")
    else:
        os.symlink(str(tmp_path), str(tmp_path / "top" / "a"))
    for is_made in (False, True):
        with pytest.raises(OSError, match=NO_FOLDER) as caught:
            held_folder.descend(str(tmp_path / "top"), ["a"], is_made=is_made)
        assert caught.value.errno in held_folder.NO_FOLDER
        assert caught.value.filename == str(tmp_path / "top" / "a")
    with pytest.raises(OSError, match=NO_FOLDER) as caught:
        held_folder.hold(str(tmp_path / "top" / "a"))
    assert caught.value.errno in held_folder.NO_FOLDER


def test_what_lies_in_a_folder_is_told_in_order_with_links_as_links(tmp_path, way):
    with held_folder.descend(str(tmp_path / "top"), [], is_made=True) as folder:
        for name in ("b", "a"):
            fill(folder, name)
        folder.make("c")
        folder.make("c")
        os.symlink("a", str(tmp_path / "top" / "link"))
        entries = folder.list_entries()
        assert [name for name, _ in entries] == ["a", "b", "c", "link"]
        assert [held_folder.is_file(state) for _, state in entries] == [True, True, False, False]
        assert [held_folder.is_folder(state) for _, state in entries] == [False, False, True, False]
        assert [held_folder.is_link(state) for _, state in entries] == [False, False, False, True]
        assert folder.list_entries() == entries
        assert folder.find("nothing") is None


def test_a_link_is_not_opened_as_a_file(tmp_path, way):
    (tmp_path / "file").write_bytes(b"x")
    os.symlink(str(tmp_path / "file"), str(tmp_path / "link"))
    with held_folder.hold(str(tmp_path)) as folder:
        os.close(folder.open_file("file"))
        with pytest.raises(OSError, match=NO_FOLDER):
            folder.open_file("link")


def test_a_tree_is_removed_whole_and_nothing_beside_it(tmp_path, way):
    with held_folder.descend(str(tmp_path / "top"), [], is_made=True) as folder:
        for parts in (["t", "a", "b"], ["t", "c"], ["t", "a", "empty"]):
            held_folder.descend(str(tmp_path / "top"), parts, is_made=True).close()
        for name in ("t/x", "t/a/x", "t/a/b/x", "kept"):
            (tmp_path / "top" / name).write_bytes(b"")
        folder.remove_tree("t")
        assert [name for name, _ in folder.list_entries()] == ["kept"]


@pytest.mark.skipif(not held_folder.HAS_HANDLES, reason="this system cannot hold folders")
def test_an_open_folder_stays_the_same_wherever_its_name_leads(tmp_path):
    (tmp_path / "outside").mkdir()
    with held_folder.descend(str(tmp_path / "top"), ["a"], is_made=True) as folder:
        os.rename(str(tmp_path / "top" / "a"), str(tmp_path / "moved"))
        os.symlink(str(tmp_path / "outside"), str(tmp_path / "top" / "a"))
        fill(folder, "x")
    assert os.listdir(str(tmp_path / "moved")) == ["x"]
    assert os.listdir(str(tmp_path / "outside")) == []


@pytest.mark.skipif(not held_folder.HAS_HANDLES, reason="this system cannot hold folders")
def test_a_closed_folder_is_of_no_use_any_more(tmp_path):
    folder = held_folder.hold(str(tmp_path))
    folder.close()
    folder.close()
    for use in (lambda: folder.enter("x"), lambda: folder.state("x"), lambda: folder.make("x"), folder.list_entries):
        with pytest.raises(OSError, match="Bad file descriptor"):
            use()
    assert os.listdir(str(tmp_path)) == []


def test_g13_a_temporary_name_that_a_network_disk_calls_taken_is_followed_by_another(tmp_path, way, monkeypatch):
    real = os.open
    taken = []

    def answer(path, flags, *rest, **options):
        if flags & os.O_EXCL and not taken:
            taken.append(path)
            raise FileExistsError(errno.EEXIST, "exists", path)
        return real(path, flags, *rest, **options)

    with held_folder.hold(str(tmp_path)) as folder:
        monkeypatch.setattr(os, "open", answer)
        name, descriptor = folder.create_temporary(0o666)
        os.close(descriptor)
    assert os.path.basename(taken[0]) != name
    assert os.listdir(str(tmp_path)) == [name]


@pytest.mark.parametrize("is_windows", [True, False])
def test_h28_windows_tries_again_while_a_reader_holds_the_old_file(tmp_path, monkeypatch, is_windows):
    monkeypatch.setattr(held_folder, "IS_WINDOWS", is_windows)
    monkeypatch.setattr(held_folder, "HAS_HANDLES", False)
    waits = []
    monkeypatch.setattr(held_folder, "sleep", waits.append)
    real = os.replace

    def refuse(*names, **options):
        if len(waits) < 3:
            raise PermissionError(errno.EACCES, "in use", names[1])
        real(*names, **options)

    monkeypatch.setattr(os, "replace", refuse)
    with held_folder.hold(str(tmp_path)) as folder:
        if is_windows:
            fill(folder, "x")
            assert waits == sorted(waits)
            assert len(waits) == 3
        else:
            with pytest.raises(PermissionError):
                fill(folder, "x")


@pytest.mark.parametrize(
    ("attributes", "tag", "mode", "is_link"),
    [
        (0x400, 0xA000000C, stat.S_IFLNK, True),  # a symbolic link
        (0x410, 0xA0000003, stat.S_IFDIR, True),  # a junction
        (0x410, None, stat.S_IFDIR, True),  # either, on Python 3.7
        (0x410, 0x9000601A, stat.S_IFDIR, False),  # a folder of a cloud's drive
        (0x020, 0, stat.S_IFREG, False),
    ],
)
def test_links_and_junctions_of_windows_are_links(attributes, tag, mode, is_link):
    state = types.SimpleNamespace(st_mode=mode, st_file_attributes=attributes)
    if tag is not None:
        state.st_reparse_tag = tag
    assert held_folder.is_link(state) is is_link
    assert held_folder.is_folder(state) is (mode == stat.S_IFDIR and not is_link)
    assert held_folder.is_folder_link(state) is (is_link and bool(attributes & 0x10))
