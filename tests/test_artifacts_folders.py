"""Which files of a folder are copied to the artifacts, and which are left out with a word?"""

import os
import socket

import pytest

from kept_files import make_root, read, tree, write
from mini_mlflow import StorageWarning, artifact_sources, artifacts
from mini_mlflow.errors import InvalidArtifactPathError

needs_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")


@pytest.fixture
def root(tmp_path):
    return make_root(tmp_path)


def test_all_files_of_a_folder_are_copied_and_told_in_order(tmp_path, root):
    for name in ("b", "a/2", "a/1", ".hidden/x"):
        write(tmp_path / "source" / name, name.encode())
    (tmp_path / "source" / "empty").mkdir()
    written = artifacts.save_folder(root, tmp_path / "source", "to/here")
    names = ["to/here/.hidden/x", "to/here/a/1", "to/here/a/2", "to/here/b"]
    assert written == [os.path.join(root, *name.split("/")) for name in names]
    assert tree(os.path.join(root, "to", "here")) == tree(tmp_path / "source")


def test_a_folder_is_copied_over_what_is_there(tmp_path, root):
    write(tmp_path / "source" / "a" / "x", b"new")
    artifacts.save_bytes(root, "a/x", b"old")
    artifacts.save_bytes(root, "a/y", b"other")
    artifacts.save_folder(root, str(tmp_path / "source") + "/")
    assert tree(root) == {"a": None, "a/x": b"new", "a/y": b"other"}


def test_links_to_files_are_copied_as_files_wherever_they_lead(tmp_path, root):
    """As in the caches of model hubs, whose snapshots are links to files that lie elsewhere."""
    write(tmp_path / "hub" / "blobs" / "5d41", b"weights")
    snapshot = tmp_path / "hub" / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    os.symlink("../../blobs/5d41", str(snapshot / "model.safetensors"))
    artifacts.save_folder(root, snapshot)
    assert tree(root) == {"model.safetensors": b"weights"}
    assert not os.path.islink(os.path.join(root, "model.safetensors"))


def test_links_to_folders_and_loops_and_links_to_nowhere_are_left_out_with_a_warning(tmp_path, root):
    source = write(tmp_path / "source" / "x").parent
    (tmp_path / "other").mkdir()
    for name, target in (("loop", "."), ("out", "../other"), ("gone", "nothing"), ("self", "self")):
        os.symlink(target, str(source / name))
    with pytest.warns(StorageWarning, match="Left out of the artifacts") as caught:
        artifacts.save_folder(root, source)
    [warning] = caught
    for name in ("'gone' (it cannot be reached", "'loop' (it is a link to a folder)", "'out' (it is", "'self' (it"):
        assert name in str(warning.message)
    assert tree(root) == {"x": b"content"}


@needs_posix
def test_a15_what_is_no_regular_file_in_a_folder_is_left_out_and_never_waited_for(tmp_path, root, monkeypatch):
    monkeypatch.chdir(str(write(tmp_path / "source" / "x").parent))
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with pytest.warns(StorageWarning, match=r"'pipe' \(it is a FIFO\), 'socket' \(it is a socket\)"):
            artifacts.save_folder(root, ".")
    assert tree(root) == {"x": b"content"}


@needs_posix
def test_names_that_no_artifact_can_have_are_left_out_with_a_warning(tmp_path, root):
    for name in ("aux.c", "x.", "a\\b", "tab\there", ".tmp-x", "fine.c", "nul/inside"):
        write(tmp_path / "source" / name)
    with open(os.path.join(os.fsencode(str(tmp_path)), b"source", b"caf\xe9"), "wb"):
        pass
    with pytest.warns(StorageWarning, match="and 2 more") as caught:
        artifacts.save_folder(root, tmp_path / "source")
    assert str(caught[0].message).isprintable()
    assert tree(root) == {"fine.c": b"content"}


def test_the_store_is_not_copied_into_itself(tmp_path, root):
    write(tmp_path / "train.py")
    artifacts.save_bytes(root, "old", b"")
    with pytest.warns(StorageWarning, match=r"'mlruns' \(it is the store itself\)"):
        artifacts.save_folder(root, tmp_path, "code")
    assert tree(root) == {"old": b"", "code": None, "code/train.py": b"content"}
    with pytest.warns(StorageWarning, match=r"'artifacts' \(it is the store itself\)"):
        artifacts.save_folder(root, os.path.dirname(root), "run")
    assert tree(os.path.join(root, "run")) == {}


def test_the_artifacts_of_another_run_can_be_copied(tmp_path, root):
    write(tmp_path / "mlruns" / "0" / "other" / "artifacts" / "x", b"theirs")
    artifacts.save_folder(root, tmp_path / "mlruns" / "0" / "other" / "artifacts")
    artifacts.save_folder(root, root, "again")
    assert tree(root) == {"x": b"theirs", "again": None, "again/x": b"theirs"}


@pytest.mark.parametrize("becomes", ["nothing", "folder"])
def test_a_file_that_vanishes_meanwhile_is_left_out_with_a_warning(tmp_path, root, monkeypatch, becomes):
    for name in ("1", "2", "3"):
        write(tmp_path / "source" / name)

    def vanish(done, total):
        path = tmp_path / "source" / "2"
        if path.is_file():
            path.unlink()
            if becomes == "folder":
                path.mkdir()

    with pytest.warns(StorageWarning, match=r"'2' \(it changed meanwhile\)"):
        artifacts.save_folder(root, tmp_path / "source", on_progress=vanish)
    assert tree(root) == {"1": b"content", "3": b"content"}


@needs_posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_is_told(tmp_path, root):
    os.chmod(str(write(tmp_path / "source" / "x")), 0)
    with pytest.raises(PermissionError, match="x"):
        artifacts.save_folder(root, tmp_path / "source")


def test_a_folder_in_place_of_a_file_is_told_and_the_files_before_stay(tmp_path, root):
    for name in ("1", "2"):
        write(tmp_path / "source" / name)
    artifacts.save_bytes(root, "2/x", b"")
    with pytest.raises(InvalidArtifactPathError, match="is a folder"):
        artifacts.save_folder(root, tmp_path / "source")
    assert tree(root) == {"1": b"content", "2": None, "2/x": b""}


def test_a_missing_folder_is_named(tmp_path, root):
    with pytest.raises(FileNotFoundError, match="nothing"):
        artifacts.save_folder(root, tmp_path / "nothing")
    assert not os.path.exists(root)


@needs_posix
def test_a_source_that_becomes_a_fifo_between_look_and_open_is_not_waited_for(tmp_path, monkeypatch):
    os.mkfifo(str(tmp_path / "pipe"))
    real = os.stat(str(write(tmp_path / "x")))
    with monkeypatch.context() as patch:
        patch.setattr(artifact_sources.os, "stat", lambda path: real)
        with pytest.raises(artifact_sources.InvalidValueError, match="FIFO"):
            artifact_sources.open_source(str(tmp_path / "pipe"))
    assert read(str(tmp_path / "x")) == b"content"
