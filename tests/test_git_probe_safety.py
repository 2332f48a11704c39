"""Does nothing of a repository run, and nothing there change, while git looks at it?"""

import os
import subprocess

import pytest

from git_checkout import GIT, Checkout, own_places, write_program

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


# E01: nothing of the repository's configuration runs ------------------------------------------------------------

CANARIES = {
    "fsmonitor": {"core.fsmonitor": "{canary}"},
    "hooks": {"core.hooksPath": "{hooks}"},
    "pager": {"core.pager": "{canary}", "pager.diff": "{canary}", "pager.config": "{canary}"},
    "editor": {"core.editor": "{canary}", "sequence.editor": "{canary}"},
    "external": {"diff.external": "{canary}"},
    "command": {"diff.x.command": "{canary}"},
    "textconv": {"diff.x.textconv": "{canary}", "diff.x.cachetextconv": "true"},
    "clean": {"filter.x.clean": "{canary}", "filter.x.smudge": "{canary}", "filter.x.required": "true"},
    "clean of an odd name": {"filter.a=b.clean": "{canary}", "filter.a=b.required": "true"},
    "process": {"filter.x.process": "{canary}", "filter.x.required": "true"},
    "alias": {"alias.diff": "!{canary}", "alias.config": "!{canary}", "alias.check-attr": "!{canary}"},
    "credentials": {"credential.helper": "!{canary}", "core.askPass": "{canary}"},
    "transport": {"core.sshCommand": "{canary}", "core.gitProxy": "{canary}", "remote.origin.uploadpack": "{canary}"},
    "signatures": {"gpg.program": "{canary}", "log.showSignature": "true", "gpg.ssh.program": "{canary}"},
    "merge": {"merge.x.driver": "{canary}", "merge.tool": "y", "mergetool.y.cmd": "{canary}"},
    "include": {"include.path": "{included}"},
    "conditional include": {"includeIf.gitdir:/.path": "{included}"},
}
# What git runs of these for a plain look at the changes: if these stay silent, the canaries are dead.
SINGING = {"fsmonitor", "external", "command", "textconv", "clean", "clean of an odd name", "process", "include",
           "conditional include"}  # fmt: skip


@pytest.mark.parametrize("which", sorted(CANARIES))
def test_e01_nothing_that_a_repository_names_is_run(checkout, tmp_path, which):
    sung = tmp_path / "sung"
    canary = write_program(tmp_path / "canary", "touch %s" % sung, "cat", "exit 1")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "fsmonitor-watchman", "pre-auto-gc", "reference-transaction", "post-checkout"):
        write_program(hooks / name, "touch %s" % sung)
    included = tmp_path / "included"
    included.write_text(f'[core]\nfsmonitor = {canary}\n[filter "x"]\nclean = {canary}\n[diff]\nexternal = {canary}\n')
    driver = "a=b" if "odd" in which else "x"
    checkout.write(".gitattributes", "train.py diff=x filter=%s merge=x\n*.ipynb filter=%s\n" % (driver, driver))
    checkout.write("book.ipynb", "{}\n")
    checkout.commit()
    for name, value in CANARIES[which].items():
        value = value.format(canary=canary, hooks=hooks, included=included)  # noqa: PLW2901 - where they lie here
        checkout.git("config", name, value)
    if sung.exists():
        sung.unlink()
    checkout.write("train.py", "lr = 0.2\n")
    checkout.write("book.ipynb", "[]\n")
    before = checkout.state()

    fields, diff = checkout.ask()

    assert not sung.exists()
    assert fields == {"git_dirty": True, "git_changed_files": 2}
    assert "# Not shown: train.py (filter" in diff
    assert checkout.state() == before  # E04: no lock was taken, and nothing written
    if which in SINGING:
        try:
            checkout.git("diff", "HEAD")
        except subprocess.CalledProcessError:
            pass  # how git takes it that its helper fails does not matter
        assert sung.exists()


def test_e01_nothing_that_a_submodule_names_is_run(checkout, tmp_path):
    inner = Checkout(tmp_path / "inner")
    checkout.git("submodule", "--quiet", "add", str(inner.folder), "sub")
    checkout.commit()
    sung = tmp_path / "sung"
    canary = write_program(tmp_path / "canary", "touch %s" % sung, "exit 1")
    sub = Checkout.__new__(Checkout)
    sub.folder = checkout.folder / "sub"
    for name in ("core.fsmonitor", "filter.x.clean", "diff.external"):
        sub.git("config", name, canary)
    sub.write(".gitattributes", "* filter=x\n")
    sub.write("train.py", "lr = 0.2\n")
    checkout.git("config", "diff.ignoreSubmodules", "none")
    checkout.git("config", "submodule.sub.ignore", "none")
    before = checkout.state()
    assert checkout.ask() == ({"git_dirty": False, "git_changed_files": 0}, None)  # its own commit is the same
    assert checkout.state() == before
    assert not sung.exists()
    checkout.git("status")
    assert sung.exists()


def test_e01_a_submodule_at_another_commit_is_a_change(checkout, tmp_path):
    inner = Checkout(tmp_path / "inner")
    checkout.git("submodule", "--quiet", "add", str(inner.folder), "sub")
    checkout.commit()
    sub = Checkout.__new__(Checkout)
    sub.folder = checkout.folder / "sub"
    sub.write("train.py", "lr = 0.2\n")
    sub.commit()
    fields, diff = checkout.ask()
    assert fields["git_changed_files"] == 1
    assert "+Subproject commit %s" % sub.head() in diff
    assert os.path.realpath(sub.find().git_dir).startswith(os.path.realpath(str(checkout.folder / ".git" / "modules")))


# E03, E04 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_CONFIG_COUNT", "GIT_EXTERNAL_DIFF"]
)
def test_e03_what_a_hook_hands_down_does_not_lead_astray(checkout, tmp_path, monkeypatch, name):
    other = Checkout(tmp_path / "other")
    other.write("train.py", "x\n")
    sung = tmp_path / "sung"
    values = {
        "GIT_DIR": str(other.folder / ".git"),
        "GIT_INDEX_FILE": str(other.folder / ".git" / "index"),
        "GIT_WORK_TREE": str(other.folder),
        "GIT_CONFIG_COUNT": "1",
        "GIT_EXTERNAL_DIFF": write_program(tmp_path / "canary", "touch %s" % sung),
    }
    monkeypatch.setenv(name, values[name])
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", values["GIT_EXTERNAL_DIFF"])
    found = checkout.find()
    assert found.root == os.path.realpath(str(checkout.folder))
    assert checkout.ask() == ({"git_dirty": False, "git_changed_files": 0}, None)
    assert not sung.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give a folder away")
def test_e03_anothers_repository_tells_its_commit_and_git_is_asked_only_if_the_user_trusts_it(checkout, home):
    checkout.write("train.py", "lr = 0.2\n")
    commit = checkout.head()
    for path in [checkout.folder, checkout.folder / ".git"]:
        os.chown(str(path), 12345, 12345)
    assert checkout.find().commit == commit
    assert checkout.ask() == ({}, None)
    assert os.listdir(str(home)) == []  # safe.directory is the user's
    (home / ".gitconfig").write_text("[safe]\ndirectory = %s\n" % checkout.folder)
    assert checkout.ask()[0] == {"git_dirty": True, "git_changed_files": 1}


def test_e04_a_partial_clone_is_not_completed_and_nobody_is_asked(checkout, tmp_path):
    checkout.git("config", "uploadpack.allowFilter", "true")
    checkout.write("big.txt", "old\n")
    checkout.commit()
    checkout.git("clone", "-q", "--filter=blob:none", "file://%s" % checkout.folder, str(tmp_path / "partial"))
    partial = Checkout.__new__(Checkout)
    partial.folder = tmp_path / "partial"
    checkout.write("big.txt", "newer\n")
    checkout.commit()
    partial.git("fetch", "-q", "origin")
    partial.git("update-ref", "refs/heads/main", checkout.head())  # a commit whose file was never fetched
    sung = tmp_path / "sung"
    canary = write_program(tmp_path / "canary", "touch %s" % sung, "exit 1")
    for name, value in [
        ("remote.origin.url", "ext::%s" % canary), ("protocol.ext.allow", "always"), ("core.askPass", canary),
        ("remote.origin.uploadpack", canary), ("core.sshCommand", canary), ("credential.helper", canary),
    ]:  # fmt: skip
        partial.git("config", name, value)
    before = partial.state()
    fields, diff = partial.ask()
    assert fields == {"git_dirty": True, "git_changed_files": 1}
    assert diff is None
    assert not sung.exists()
    assert partial.state() == before
    with pytest.raises(subprocess.CalledProcessError):
        partial.git("diff", "HEAD")
    assert sung.exists()


def test_e04_a_locked_index_does_not_matter_and_no_lock_is_left(checkout):
    lock = checkout.write(".git/index.lock", "")
    os.utime(str(checkout.folder / "train.py"), (1, 1))
    before = checkout.state()
    assert checkout.ask()[0]["git_dirty"] is False
    assert checkout.state() == before
    assert lock.exists()
