"""Which paths do artifacts have, and does a path that leads elsewhere stay without any effect?"""

import os
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kept_files import FOLDER_DOORS, PATH_DOORS, make_root, tree, write
from mini_mlflow import artifacts
from mini_mlflow.artifact_names import check_artifact_folder, check_artifact_path, find_fault
from mini_mlflow.errors import InvalidArtifactPathError, MiniMLflowError

DOORS = dict(PATH_DOORS, **FOLDER_DOORS)

UPWARD = ["..", "../../../etc/passwd", "a/../../x", "a/..", "a/../b", "../0/other/artifacts/x"]
ABSOLUTE = ["/etc/passwd", "//etc/passwd", "//proc/self/root", "/", "///"]
ENCODED = [
    "%2e%2e%2f", "%252e%252e%252f", "%2e%2e/x", "a/%2E%2e/x", "..%2fx", "..%5cx", "%2e./x", ".%2e",
    "%25252e.", "a%2f..%2fb",
]  # fmt: skip
WINDOWS = ["..\\x", "C:\\x", "C:../x", "\\\\host\\share", "//host/share", "C:x", "c:", "a/C:x", "a\\b"]
WHOLE = [".", "%2e", "./.", ".//", "%252e", "a/.", "./a"]
UNPORTABLE = [
    "NUL", "aux.loss", "a/con", "COM¹", "CONIN$", "lpt9.tar.gz", "x.", "x ", "a./b", "a /b", "...", "a:b", "x\0y",
    "x\ny",
    "\x1b[2J", "a\x9bb", "\ud800", "a//b", "a/", "/".join(["a"] * 2000), "x" * 256, "é" * 128, ".tmp-0123456789abcdef",
    "a/.tmp-/b",
]  # fmt: skip


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a folder with a run, another run, a neighbour of the store and a source, from which nothing is opened."""
    root = make_root(tmp_path)
    artifacts.save_bytes(root, "a/x", b"artifact")
    write(tmp_path / "mlruns" / "0" / "other" / "artifacts" / "x", b"another run's")
    write(tmp_path / "mlruns-evil" / "x", b"a neighbour's")
    write(tmp_path / "source" / "x", b"source")
    return tmp_path


def refuse(monkeypatch, place, door, path):
    """Go through a door with a path, and see that it is refused with nothing opened, made or removed."""
    before = tree(place)

    def opened(*arguments, **options):
        raise AssertionError("opened: %r" % (arguments,))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", opened)
        with pytest.raises(InvalidArtifactPathError) as caught:
            DOORS[door](str(place / "mlruns" / "0" / "run" / "artifacts"), path, place)
    assert tree(place) == before
    assert caught.value.path == path
    assert isinstance(caught.value, (ValueError, MiniMLflowError))
    message = str(caught.value)
    assert repr(path)[:90] in message
    assert message.isprintable()
    assert message.endswith("Use a path such as 'plots/loss.png'.")
    return caught.value.reason


@pytest.mark.parametrize("path", UPWARD)
@pytest.mark.parametrize("door", sorted(DOORS))
def test_a01_a_path_that_leads_upward_is_refused(monkeypatch, place, door, path):
    refuse(monkeypatch, place, door, path)


@pytest.mark.parametrize("path", ABSOLUTE)
@pytest.mark.parametrize("door", sorted(DOORS))
def test_a02_an_absolute_path_is_refused(monkeypatch, place, door, path):
    assert "absolute" in refuse(monkeypatch, place, door, path)


@pytest.mark.parametrize("path", ENCODED)
@pytest.mark.parametrize("door", sorted(DOORS))
def test_a03_a_path_that_would_lead_upward_when_decoded_is_refused(monkeypatch, place, door, path):
    refuse(monkeypatch, place, door, path)


@pytest.mark.parametrize("path", ["https%3A%2F%2Fhost%2Fx", "a%2Fb.json", "100%.txt", "%", "%2", "a%2", "%2e%2e%2e"])
def test_a03_any_other_percent_sign_is_a_plain_character(place, path):
    root = str(place / "mlruns" / "0" / "run" / "artifacts")
    assert artifacts.save_bytes(root, path, b"written") == [os.path.join(root, path)]
    assert artifacts.read_bytes(root, path) == b"written"


@pytest.mark.parametrize("path", WINDOWS)
@pytest.mark.parametrize("door", sorted(DOORS))
def test_a04_a_path_of_windows_is_refused_on_every_system(monkeypatch, place, door, path):
    refuse(monkeypatch, place, door, path)


@pytest.mark.parametrize("path", ["", *WHOLE])
def test_a07_all_of_the_artifacts_are_never_deleted(monkeypatch, place, path):
    refuse(monkeypatch, place, "delete", path)


@pytest.mark.parametrize("door", sorted(PATH_DOORS))
def test_a07_an_empty_path_names_no_artifact(monkeypatch, place, door):
    refuse(monkeypatch, place, door, "")


@pytest.mark.parametrize("path", WHOLE)
@pytest.mark.parametrize("door", sorted(DOORS))
def test_a07_a_part_that_names_its_own_folder_is_refused(monkeypatch, place, door, path):
    refuse(monkeypatch, place, door, path)


@pytest.mark.parametrize("path", ["../mlruns-evil/x", "../../../../mlruns-evil/x", "../artifacts-evil/x"])
@pytest.mark.parametrize("door", sorted(DOORS))
def test_a09_a_neighbour_whose_name_begins_alike_is_not_reached(monkeypatch, place, door, path):
    refuse(monkeypatch, place, door, path)


@pytest.mark.parametrize("path", UNPORTABLE)
@pytest.mark.parametrize("door", sorted(DOORS))
def test_a19_a_name_that_some_system_cannot_have_is_refused(monkeypatch, place, door, path):
    refuse(monkeypatch, place, door, path)


@pytest.mark.parametrize("path", [7, 1.5, b"a", None, ["a"], ("a", "b")])
def test_what_is_no_text_is_refused(monkeypatch, place, path):
    refuse(monkeypatch, place, "find_path", path)


@pytest.mark.parametrize(
    "path",
    [
        "x",
        "a/b/c",
        ".gitignore",
        "..x",
        "x..y",
        "~",
        "~/x",
        "-rf",
        "a b",
        " x",
        "é",
        "日本語/图.png",
        "x" * 255,
        "aux1",
        "null",
    ],
)
def test_any_other_path_is_legal(path):
    assert check_artifact_path(path) == tuple(path.split("/"))


@pytest.mark.skipif(os.name == "nt", reason="names that Windows has not")
@pytest.mark.parametrize("path", ["2026-11-24T09:30:00.pt", "what?", "a*b", '"x"', "a|b", "<x>"])
def test_names_that_this_system_has_are_legal_on_it(path):
    assert check_artifact_path(path) == (path,)


def test_the_top_is_named_by_none_and_by_empty_text():
    assert check_artifact_folder(None) == check_artifact_folder("") == ()
    assert check_artifact_folder(PurePosixPath("a/b")) == ("a", "b")


@given(st.text(st.sampled_from("./%2eE5Cc\\: \0a-t"), max_size=12))
def test_a_legal_path_never_leads_out_of_its_folder(path):
    try:
        parts = check_artifact_path(path)
    except InvalidArtifactPathError:
        return
    assert "/".join(parts) == path
    assert os.path.normpath(os.path.join("/top", path)) == "/top/" + path
    assert all(find_fault(part) is None for part in parts)
