"""Which commit, branch and remote do the files of a repository tell, and what is not believed?"""

import os

import pytest

from git_checkout import GIT, Checkout
from mini_mlflow import repository

SHA = "0123456789abcdef0123456789abcdef01234567"
needs_git = pytest.mark.skipif(GIT is None, reason="needs git")


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "code")


@pytest.fixture
def forged(tmp_path):
    """Make a .git folder by hand: ``forged(files)`` returns what is found there."""

    def forge(files, folder="forged"):
        for name, content in {"HEAD": "ref: refs/heads/main\n", **files}.items():
            path = tmp_path / folder / ".git" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return repository.find(os.path.realpath(str(tmp_path / folder)))

    return forge


@needs_git
def test_commit_and_branch_are_what_git_says(checkout):
    found = checkout.find()
    assert (found.commit, found.branch) == (checkout.head(), "main")
    checkout.git("checkout", "-q", "-b", "feature/ä.x")
    checkout.write("train.py", "x\n")
    commit = checkout.commit()
    assert (checkout.find().commit, checkout.find().branch) == (commit, "feature/ä.x")


@needs_git
def test_a_subfolder_belongs_to_the_repository_around_it(checkout):
    (checkout.folder / "a" / "b").mkdir(parents=True)
    found = repository.find(os.path.realpath(str(checkout.folder / "a" / "b")))
    assert found.root == os.path.realpath(str(checkout.folder))


@needs_git
def test_packed_branches_are_found(checkout):
    for number in range(20):
        checkout.git("branch", "main%d" % number)
    checkout.git("tag", "-a", "-m", "x", "v1")
    checkout.git("pack-refs", "--all", "--prune")
    assert not (checkout.folder / ".git" / "refs" / "heads" / "main").exists()
    assert checkout.find().commit == checkout.head()
    checkout.write("train.py", "x\n")
    assert checkout.commit() == checkout.find().commit  # a loose one counts before a packed one


@needs_git
def test_a_commit_without_a_branch_is_found(checkout):
    checkout.git("checkout", "-q", "--detach")
    assert (checkout.find().commit, checkout.find().branch) == (checkout.head(), None)


@needs_git
def test_before_the_first_commit_there_is_a_branch_alone(checkout):
    checkout.git("checkout", "-q", "--orphan", "first")
    assert (checkout.find().commit, checkout.find().branch) == (None, "first")


@needs_git
def test_a_worktree_shares_branches_and_settings_with_its_repository(checkout, tmp_path):
    checkout.git("remote", "add", "origin", "https://host/r")
    checkout.git("worktree", "add", "-q", "-b", "side", "../side")
    found = repository.find(os.path.realpath(str(tmp_path / "side")))
    assert (found.commit, found.branch, found.remote) == (checkout.head(), "side", "https://host/r")
    assert found.common_dir == os.path.realpath(str(checkout.folder / ".git"))


def test_where_no_repository_is_nothing_is_found(tmp_path, forged):
    assert forged({}, "other").root.endswith("other")
    (tmp_path / "empty" / ".git").mkdir(parents=True)
    found = repository.find(os.path.realpath(str(tmp_path / "empty")))
    assert found is None or found.root != os.path.realpath(str(tmp_path / "empty"))
    assert repository.find(str(tmp_path / "missing")) is None


@pytest.mark.parametrize("head", [SHA, SHA + SHA[:24]])
def test_both_lengths_of_commits_are_taken(forged, head):
    assert forged({"HEAD": head + "\n"}).commit == head
    assert forged({"refs/heads/main": head + "\n", "HEAD": "ref: refs/heads/main"}).commit == head


# E03, E06: a repository may be anybody's ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    ["", "x", SHA[:-1], SHA + "0", SHA.upper(), "ref:", "ref: ", "ref: HEAD", "ref: /etc/passwd", "ref: refs/../../x",
     "ref: refs//x", "ref: refs/a b", "ref: refs/\x1b[31m", "ref: refs/heads/x\x00", "ref: " + "refs/x/" * 1000,
     b"\xff\xfe\x00" * 100, SHA * 200],
)  # fmt: skip
def test_e03_a_head_that_makes_no_sense_tells_nothing(forged, tmp_path, head):
    (tmp_path / "x").write_text(SHA)
    found = forged({"HEAD": head, "../x": SHA})
    assert (found.commit, found.branch) == (None, None)


def test_e03_names_that_point_at_each_other_end(forged):
    found = forged({"refs/heads/main": "ref: refs/heads/b\n", "refs/heads/b": "ref: refs/heads/main\n"})
    assert (found.commit, found.branch) == (None, "main")
    assert forged({"refs/heads/main": "ref: refs/heads/c\n", "refs/heads/c": SHA}).commit == SHA


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "device"])
@pytest.mark.parametrize("name", ["refs/heads/main", "packed-refs", "config", "commondir"])
def test_e03_links_pipes_and_devices_in_place_of_files_are_left_alone(forged, tmp_path, kind, name):
    path = tmp_path / "forged" / ".git" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "elsewhere").write_text('%s refs/heads/main\n[remote "origin"]\nurl = secret\n' % SHA)
    (tmp_path / "commit").write_text(SHA)
    if kind == "pipe":
        os.mkfifo(str(path))
    elif kind == "folder":
        path.mkdir()
    else:
        os.symlink(
            "/dev/zero" if kind == "device" else "../../../commit" if "heads" in name else "../../elsewhere", str(path)
        )
    found = forged({})
    assert (found.commit, found.branch, found.remote) == (None, "main", None)


def test_e03_files_beyond_all_measure_are_not_read(forged):
    found = forged({"packed-refs": b"#" * (32 * 2**20) + b"\n%s refs/heads/main\n" % SHA.encode()})
    assert found.commit is None
    assert forged({"packed-refs": b"#" * 2**20 + b"\n%s refs/heads/main\n" % SHA.encode()}).commit == SHA


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:token@host/r", "https://host/r"),
        ("https://ghp_0123456789@github.com/o/r.git", "https://github.com/o/r.git"),
        ("https://user:p@ss@host:8080/r", "https://host:8080/r"),
        ("https://user:pa/ss@host/r", "https://host/r"),
        ("https://host/r?private_token=x#y", "https://host/r"),
        ("https://host/@scope/r", "https://host/@scope/r"),
        ("https://host:8443/@scope/r", "https://host:8443/@scope/r"),
        ("ssh://git@host:22/r", "ssh://host:22/r"),
        ("git@github.com:o/r.git", "git@github.com:o/r.git"),
        ("me@host:r", "host:r"),
        ("/srv/git/r.git", "/srv/git/r.git"),
        ("../r", "../r"),
        ("file:///srv/r", "file:///srv/r"),
        ("ext::sh -c evil", None),
        ("codecommit::eu-west-1://user@r", None),
        ("https://host/\x1b[31m", None),
        ("x" * 2000, None),
    ],
)
def test_e06_a_remote_is_told_without_user_and_token(forged, url, shown):
    assert repository.without_login(url) == shown
    config = '[core]\n\tbare = false\n[remote "origin"]\n\turl = "%s"\n' % url
    assert forged({"config": config}).remote == shown


@pytest.mark.parametrize(
    ("config", "remote"),
    [
        ('[remote "origin"]\nurl = "https://h/a b" ; remark\n', "https://h/a b"),
        ('[remote "up"]\nurl = https://h/up\n[remote "origin"]\nURL=https://h/o # remark\n', "https://h/o"),
        ('[remote "up"]\nurl = https://h/up\n', "https://h/up"),
        ('[remote "origin"] url = https://h/r\n', "https://h/r"),
        ('[remote "origin"]\nurl = https://h/\\\n  r\n', "https://h/  r"),
        ('[remote "origin"]\npushurl = https://h/r\n[branch "url"]\nurl = x\n', None),
        ('[include]\npath = ../../other\n[url "https://t@h/"]\ninsteadOf = x\n', None),
        ('[remote "origin', None),
        ("\0\0\0", None),
    ],
)
def test_e06_the_remote_stands_in_the_repositorys_own_settings(forged, tmp_path, config, remote):
    (tmp_path / "other").write_text('[remote "origin"]\nurl = https://included/\n')
    assert forged({"config": config}).remote == remote


@needs_git
def test_e06_settings_that_git_has_written_are_understood(checkout):
    for url in ("https://h/ä ;x", 'https://h/"q"', "https://h/back\\slash", "https://h/tab x"):
        checkout.git("config", "remote.origin.url", url)
        assert checkout.find().remote == url
