"""How much of the changes is shown, and what never?"""

import os
import sys

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


# E09: bounds and secrets ------------------------------------------------------------------------------------------


def test_e09_files_that_hold_secrets_are_named_and_not_shown(checkout):
    names = [".env", "conf/.env.local", "prod.env", "id_rsa", "server.pem", ".aws/config", "secrets.yaml",
             "google_credentials.json", ".netrc", "api.key"]  # fmt: skip
    for name in names:
        checkout.write(name, "a\n")
    checkout.commit()
    for name in names:
        checkout.write(name, "hush-hush\n")
    fields, diff = checkout.ask()
    assert fields["git_changed_files"] == len(names)
    assert "hush" not in diff
    assert sorted(diff.splitlines()) == sorted("# Not shown: %s (may hold secrets)" % name for name in names)


def test_e09_secrets_in_the_changes_are_masked(checkout, monkeypatch):
    checkout.write(
        "train.py", 'lr = 0.1\nhub_token = "abcdef"\nurl = "postgres://u:p@h/db"\nkey = "AKIAIOSFODNN7EXAMPLE"\n'
    )
    diff = checkout.ask()[1]
    assert '+hub_token = "***"\n+url = "postgres://***@h/db"\n+key = "***"\n' in diff
    monkeypatch.setenv("MINI_MLFLOW_MASK", "off")
    assert '+hub_token = "abcdef"\n+url = "postgres://u:p@h/db"' in checkout.ask()[1]


def test_e09_untracked_files_are_never_shown(checkout):
    checkout.write("train.py", "lr = 0.2\n")
    checkout.write("notes.txt", "hush-hush\n")
    fields, diff = checkout.ask()
    assert fields["git_changed_files"] == 1
    assert "notes" not in diff


def test_e09_a_binary_or_huge_file_is_only_named(checkout):
    checkout.write("model.bin", b"\0a")
    checkout.write("huge.txt", "small\n")
    checkout.commit()
    checkout.write("model.bin", b"\0b" * 1000)
    with open(str(checkout.folder / "huge.txt"), "r+b") as file:
        file.truncate(2**30)
    fields, diff = checkout.ask()
    assert fields["git_changed_files"] == 2
    assert "Binary files a/model.bin and b/model.bin differ\n" in diff
    assert "# Not shown: huge.txt (1073741824 bytes)\n" in diff
    assert len(diff) < 1000


def test_e09_a_long_diff_is_cut_at_a_line_and_says_so(checkout):
    for number in range(4):
        checkout.write("%d.txt" % number, "x\n")
    checkout.commit()
    for number in range(4):
        checkout.write("%d.txt" % number, ("line of %d\n" % number) * 60000)
    diff = checkout.ask()[1]
    assert "# Cut after 1048576 bytes\n" in diff
    assert 2**20 - 1000 < len(diff) < 2**20 + 1000
    assert diff.endswith("\n")


def test_e09_very_many_files_are_counted_and_the_first_are_shown(checkout):
    for number in range(2000):
        checkout.write("d/%05d.txt" % number, "x\n")
    checkout.commit()
    for number in range(2000):
        checkout.write("d/%05d.txt" % number, "yy\n")
    fields, diff = checkout.ask()
    assert fields == {"git_dirty": True, "git_changed_files": 2000}
    assert diff.count("diff --git") == 500
    assert "# Not shown: d/00500.txt (too many)\n" in diff
    assert "# Not shown: 500 more\n" in diff


@pytest.mark.skipif(sys.platform == "darwin", reason="its disks take no such names")
def test_e09_odd_file_names_stay_one_line(checkout):
    name = "a\n# b\udcff[x]*.py"
    checkout.write(name, "x\n")
    checkout.write("b\n.env", "x\n")
    checkout.commit()
    checkout.write(name, "y\n")
    checkout.write("b\n.env", "y\n")
    fields, diff = checkout.ask()
    assert fields["git_changed_files"] == 2
    assert '# Not shown: "b\\n.env" (may hold secrets)\n' in diff
    assert "-x\n+y\n" in diff
