"""What has changed in a checkout since its commit?"""

import os
import stat

import pytest

from git_checkout import GIT, Checkout, own_places

pytestmark = pytest.mark.skipif(GIT is None or os.name == "nt", reason="needs git, and programs that are shell scripts")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """The user's home, and a place for temporary files, that nothing may be left in."""
    own_places(tmp_path, monkeypatch)
    yield tmp_path / "HOME"
    assert os.listdir(str(tmp_path / "TMPDIR")) == []


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "code")


# What has changed -------------------------------------------------------------------------------------------------


def test_a_checkout_as_committed_is_clean(checkout):
    checkout.write("new.py", "untracked")
    assert checkout.ask() == ({"git_dirty": False, "git_changed_files": 0}, None)


def test_a_change_shows_as_a_diff_that_git_can_apply(checkout):
    checkout.write("train.py", "lr = 0.2\n")
    checkout.write("added.py", "x = 1\n")
    checkout.git("add", "added.py")
    fields, diff = checkout.ask()
    assert fields == {"git_dirty": True, "git_changed_files": 2}
    assert "-lr = 0.1\n+lr = 0.2\n" in diff
    assert "+x = 1\n" in diff
    checkout.git("reset", "-q", "--hard")
    checkout.write("../git.diff", diff)
    checkout.git("apply", "../git.diff")
    assert (checkout.folder / "train.py").read_text() == "lr = 0.2\n"


def test_a_file_that_was_only_touched_has_not_changed(checkout):
    os.utime(str(checkout.folder / "train.py"), (1, 1))
    assert checkout.ask() == ({"git_dirty": False, "git_changed_files": 0}, None)


def test_a_change_of_equal_length_within_the_tick_of_the_commit_is_seen(checkout):
    """git then compares the content, which it knows by the time of its index; the copy of that must keep it."""
    checkout.git("config", "core.trustctime", "false")
    path, index = checkout.folder / "train.py", checkout.folder / ".git" / "index"
    for text in ("lr = 0.5\n", "lr = 0.7\n"):
        assert checkout.ask()[0]["git_dirty"] is False
        path.write_text(text)
        os.utime(str(path), (10**9, 10**9))
        if text == "lr = 0.5\n":
            checkout.commit()
        os.utime(str(index), (10**9, 10**9))
    assert checkout.ask()[0]["git_dirty"] is True


def test_the_line_ends_that_a_user_has_set_are_no_change(checkout, home):
    (home / ".gitconfig").write_text("[core]\nautocrlf = true\n")
    path = checkout.write("train.py", "lr = 0.1\r\n")
    os.utime(str(path), (1, 1))
    assert checkout.ask()[0] == {"git_dirty": False, "git_changed_files": 0}


def test_a_removed_file_a_new_mode_and_a_link_are_changes(checkout):
    checkout.write("b.py", "b\n")
    checkout.write("c.py", "c\n")
    checkout.commit()
    os.unlink(str(checkout.folder / "train.py"))
    os.chmod(str(checkout.folder / "b.py"), 0o755)
    os.unlink(str(checkout.folder / "c.py"))
    os.symlink("/etc/passwd", str(checkout.folder / "c.py"))
    fields, diff = checkout.ask()
    assert fields["git_changed_files"] == 3
    assert "deleted file mode" in diff
    assert "new mode 100755" in diff
    assert "+/etc/passwd\n" in diff
    assert "root:" not in diff


def test_a_worktree_is_compared_with_its_own_commit(checkout, tmp_path):
    checkout.git("worktree", "add", "-q", "-b", "side", "../side")
    side = Checkout.__new__(Checkout)
    side.folder = tmp_path / "side"
    side.write("train.py", "lr = 9\n")
    assert (side.find().branch, side.ask()[0]["git_dirty"]) == ("side", True)
    assert checkout.ask()[0]["git_dirty"] is False


def test_a_split_index_is_understood_and_left_alone(checkout):
    checkout.git("update-index", "--split-index")
    checkout.write("train.py", "lr = 0.2\n")
    before = checkout.state()
    assert checkout.ask()[0] == {"git_dirty": True, "git_changed_files": 1}
    assert checkout.state() == before


def test_a_repository_of_sha256_is_understood(tmp_path):
    checkout = Checkout(tmp_path / "new", "--object-format=sha256")
    assert len(checkout.find().commit) == 64
    assert checkout.ask()[0] == {"git_dirty": False, "git_changed_files": 0}
    checkout.write("train.py", "x\n")
    assert checkout.ask()[0]["git_dirty"] is True


def test_without_a_commit_or_with_its_files_elsewhere_nothing_is_said(checkout, tmp_path):
    checkout.git("config", "core.worktree", str(tmp_path))
    assert checkout.ask() == ({}, None)
    checkout.git("config", "--unset", "core.worktree")
    checkout.git("checkout", "-q", "--orphan", "none")
    assert checkout.find().commit is None
    assert checkout.ask() == ({}, None)


def test_a_pipe_in_place_of_the_index_hangs_nobody(checkout):
    path = checkout.folder / ".git" / "index"
    path.unlink()
    os.mkfifo(str(path))
    assert stat.S_ISFIFO(os.stat(str(path)).st_mode)
    assert checkout.ask()[0]["git_dirty"] is True  # no index: all files are gone from it
