"""Do files get into a run and out of it as they are?"""

import os
import stat

import pytest

from kept_files import make_root, read, tree, write
from mini_mlflow import artifacts
from mini_mlflow.errors import ArtifactNotFoundError, InvalidArtifactPathError, InvalidValueError
from mini_mlflow.records import FileInfo


@pytest.fixture
def root(tmp_path):
    return make_root(tmp_path)


def test_a_file_is_copied_under_its_own_name(tmp_path, root):
    assert artifacts.save_file(root, write(tmp_path / "model.pt")) == [os.path.join(root, "model.pt")]
    assert artifacts.save_file(root, str(tmp_path / "model.pt"), "a/b") == [os.path.join(root, "a", "b", "model.pt")]
    assert tree(root) == {"model.pt": b"content", "a": None, "a/b": None, "a/b/model.pt": b"content"}


def test_an_empty_file_and_a_file_of_many_pages_are_copied_whole(tmp_path, root):
    data = os.urandom(5 * 1024 * 1024 + 7)
    artifacts.save_file(root, write(tmp_path / "large", data))
    artifacts.save_file(root, write(tmp_path / "empty", b""))
    assert tree(root) == {"large": data, "empty": b""}


def test_an_artifact_of_the_same_name_is_replaced(tmp_path, root):
    artifacts.save_bytes(root, "a/notes.txt", b"a longer first version")
    artifacts.save_bytes(root, "a/notes.txt", b"second")
    artifacts.save_file(root, write(tmp_path / "notes.txt", b"third"), "a")
    assert tree(root) == {"a": None, "a/notes.txt": b"third"}


def test_who_has_the_old_version_open_goes_on_reading_it(root):
    [path] = artifacts.save_bytes(root, "x", b"old")
    with open(path, "rb") as file:
        artifacts.save_bytes(root, "x", b"new")
        assert file.read() == b"old"


def test_an_artifact_can_be_copied_onto_itself(root):
    [path] = artifacts.save_bytes(root, "x", b"same")
    artifacts.save_file(root, path)
    assert tree(root) == {"x": b"same"}


def test_a_folder_of_the_artifacts_may_be_given_as_a_path_object(tmp_path, root):
    artifacts.save_file(root, write(tmp_path / "x"), (tmp_path / "plots").relative_to(tmp_path))
    assert artifacts.list_files(root, "plots") == [FileInfo("plots/x", False, 7)]


def test_an_empty_folder_of_the_artifacts_is_the_top(tmp_path, root):
    artifacts.save_file(root, write(tmp_path / "x"), "")
    assert artifacts.list_files(root, "") == artifacts.list_files(root) == [FileInfo("x", False, 7)]


def test_a_link_as_the_source_is_copied_as_the_file_it_leads_to(tmp_path, root):
    os.symlink(str(write(tmp_path / "checkpoint-17.pt")), str(tmp_path / "last.pt"))
    artifacts.save_file(root, tmp_path / "last.pt")
    assert tree(root) == {"last.pt": b"content"}
    assert not os.path.islink(os.path.join(root, "last.pt"))


@pytest.mark.skipif(not os.path.exists("/proc/cpuinfo"), reason="needs /proc")
def test_a_file_of_proc_which_has_no_size_is_copied_to_its_end(root):
    artifacts.save_file(root, "/proc/version")
    assert tree(root) == {"version": read("/proc/version")}


def test_a_missing_source_is_named(tmp_path, root):
    with pytest.raises(FileNotFoundError, match=r"nothing\.pt"):
        artifacts.save_file(root, tmp_path / "nothing.pt")
    assert not os.path.exists(root)


def test_a_folder_as_a_file_is_refused_with_the_name_of_the_function_for_it(tmp_path, root):
    with pytest.raises(IsADirectoryError, match="log_artifacts"):
        artifacts.save_file(root, tmp_path)
    with pytest.raises(NotADirectoryError, match=r"log_artifact\(\)"):
        artifacts.save_folder(root, write(tmp_path / "x"))
    assert not os.path.exists(root)


@pytest.mark.parametrize("source", [b"", "", "a\0b", 7, None, {"a": 1}])
def test_a_source_that_is_no_path_is_refused(root, source):
    with pytest.raises(InvalidValueError, match="path"):
        artifacts.save_file(root, source)


def test_a_file_where_a_folder_should_be_is_named_and_stays(root):
    artifacts.save_bytes(root, "a", b"file")
    with pytest.raises(InvalidArtifactPathError, match="is no folder"):
        artifacts.save_bytes(root, "a/b", b"x")
    assert tree(root) == {"a": b"file"}


def test_a_folder_where_a_file_should_be_is_named_and_stays(root):
    artifacts.save_bytes(root, "a/b", b"file")
    with pytest.raises(InvalidArtifactPathError, match="is a folder"):
        artifacts.save_bytes(root, "a", b"x")
    assert tree(root) == {"a": None, "a/b": b"file"}


def test_a_listing_is_sorted_and_goes_one_folder_deep(root):
    for name in ("b", "a/2", "a/1", "a/c/3", "C"):
        artifacts.save_bytes(root, name, b"12345")
    assert artifacts.list_files(root) == [
        FileInfo("C", False, 5),
        FileInfo("a", True, None),
        FileInfo("b", False, 5),
    ]
    assert [info.path for info in artifacts.list_files(root, "a")] == ["a/1", "a/2", "a/c"]


def test_a_listing_of_what_is_no_folder_is_empty(root):
    assert artifacts.list_files(root) == []
    artifacts.save_bytes(root, "x", b"")
    assert artifacts.list_files(root, "x") == artifacts.list_files(root, "nothing") == []


def test_an_artifact_is_found_by_its_path(root):
    artifacts.save_bytes(root, "a/b", b"content")
    assert artifacts.find_path(root, "a/b") == os.path.join(root, "a", "b")
    assert artifacts.find_path(root, "a") == os.path.join(root, "a")
    assert artifacts.exists(root, "a/b")
    assert artifacts.read_bytes(root, "a/b") == b"content"


@pytest.mark.parametrize("path", ["x", "a/x", "a/b/x", "x/y"])
def test_an_artifact_that_is_not_there_is_named(tmp_path, root, path):
    for _ in range(2):
        for door in (artifacts.find_path, artifacts.read_bytes, artifacts.delete):
            with pytest.raises(ArtifactNotFoundError, match=path) as caught:
                door(root, path)
            assert isinstance(caught.value, FileNotFoundError)
            assert caught.value.path == path
        with pytest.raises(ArtifactNotFoundError, match=path):
            artifacts.download(root, path, tmp_path / "copy")
        assert not artifacts.exists(root, path)
        artifacts.save_bytes(root, "a/b", b"file")  # the second time there are artifacts, but not these
    assert not (tmp_path / "copy").exists()


def test_only_so_much_of_an_artifact_is_read_as_asked_for(root):
    artifacts.save_bytes(root, "x", b"12345")
    assert artifacts.read_bytes(root, "x", 5) == b"12345"
    with pytest.raises(InvalidValueError, match="5 bytes, at most 4"):
        artifacts.read_bytes(root, "x", 4)
    artifacts.save_bytes(root, "a/x", b"")
    with pytest.raises(InvalidArtifactPathError, match="folder"):
        artifacts.read_bytes(root, "a")


def test_a_file_is_downloaded_under_its_path(tmp_path, root):
    artifacts.save_bytes(root, "a/b/x", b"content")
    copy = artifacts.download(root, "a/b/x", tmp_path / "new" / "folder")
    assert copy == str(tmp_path / "new" / "folder" / "a" / "b" / "x")
    assert tree(tmp_path / "new" / "folder") == {"a": None, "a/b": None, "a/b/x": b"content"}


def test_a_folder_is_downloaded_with_all_that_lies_in_it(tmp_path, root):
    for name in ("a/1", "a/b/2", "c"):
        artifacts.save_bytes(root, name, name.encode())
    assert artifacts.download(root, "a", tmp_path / "copy") == str(tmp_path / "copy" / "a")
    assert tree(tmp_path / "copy") == {"a": None, "a/1": b"a/1", "a/b": None, "a/b/2": b"a/b/2"}
    assert artifacts.download(root, None, tmp_path / "all") == str(tmp_path / "all")
    assert tree(tmp_path / "all") == tree(root)


def test_a_download_goes_where_a_link_leads_that_the_user_named(tmp_path, root):
    artifacts.save_bytes(root, "x", b"content")
    (tmp_path / "scratch").mkdir()
    os.symlink(str(tmp_path / "scratch"), str(tmp_path / "here"))
    assert artifacts.download(root, "x", tmp_path / "here") == str(tmp_path / "here" / "x")
    assert tree(tmp_path / "scratch") == {"x": b"content"}


def test_a_download_replaces_files_and_leaves_others(tmp_path, root):
    artifacts.save_bytes(root, "a/x", b"new")
    write(tmp_path / "copy" / "a" / "x", b"a longer old one")
    write(tmp_path / "copy" / "a" / "y", b"other")
    artifacts.download(root, "a", tmp_path / "copy")
    assert tree(tmp_path / "copy") == {"a": None, "a/x": b"new", "a/y": b"other"}


def test_a_deleted_artifact_is_gone_and_its_neighbours_stay(root):
    for name in ("a/x", "a/y", "b"):
        artifacts.save_bytes(root, name, b"")
    artifacts.delete(root, "a/x")
    assert sorted(tree(root)) == ["a", "a/y", "b"]


def test_a_deleted_folder_is_gone_however_deep_it_is(root):
    deep = os.path.join(root, "a", *["d"] * 300)
    os.makedirs(deep)
    artifacts.save_bytes(root, "a/d/x", b"")
    artifacts.save_bytes(root, "b", b"")
    artifacts.delete(root, "a")
    assert os.listdir(root) == ["b"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_copy_may_be_executed_if_its_source_may_and_is_no_more_private_than_new_files(tmp_path, root):
    for name, mode in (("run.sh", 0o755), ("secret", 0o600), ("frozen", 0o444)):
        os.chmod(str(write(tmp_path / name)), mode)
        artifacts.save_file(root, tmp_path / name)
    old = os.umask(0o022)
    os.umask(old)
    modes = {name: stat.S_IMODE(os.stat(os.path.join(root, name)).st_mode) for name in os.listdir(root)}
    assert modes == {"run.sh": 0o777 & ~old, "secret": 0o666 & ~old, "frozen": 0o666 & ~old}


def test_nothing_above_the_folder_of_the_artifacts_is_made(tmp_path):
    """Rule D5: a store that was removed is not half resurrected."""
    with pytest.raises(FileNotFoundError, match="artifacts"):
        artifacts.save_bytes(str(tmp_path / "gone" / "artifacts"), "x", b"")
    assert os.listdir(str(tmp_path)) == []
