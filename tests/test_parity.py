"""Code written for 0.1.0 sees what it saw there; where it does not, docs/decisions/0003 says why.

Runs where MINI_MLFLOW_0_1_0 names the Python of a virtual environment with mini-mlflow 0.1.0 in it.
"""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
NOTE = TESTS.parent / "docs" / "decisions" / "0003-differences-from-0.1.0.md"
GUIDE = TESTS.parent / "docs" / "from-0.1.0.md"
OLD = os.environ.get("MINI_MLFLOW_0_1_0")
# What users match on: where a message of 0.1.0 has one of these, ours has it too.
FRAGMENTS = (
    "already an active run", "No active run", "No active run to end", "Start a run with start_run() first",
    "End it with end_run() before starting a new one", "cannot be empty", "cannot contain slashes", "is not allowed",
    "contains invalid characters", "Cannot log parameter to run with status", "Cannot log metric to run with status",
    "already ended with status", "Invalid status", "not found in experiment",
)  # fmt: skip


def titles(name):
    """Return the scenarios that a file registers."""
    tree = ast.parse((TESTS / "parity" / name).read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]


def play(python, folder):
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MINI_MLFLOW_DIR")}
    folder.mkdir()
    result = subprocess.run(
        [python, str(TESTS / "parity" / "play.py")], cwd=str(folder), env=environ, capture_output=True, check=False
    )
    assert result.returncode == 0, result.stderr.decode("utf-8", "replace")
    return json.loads(result.stdout.decode("utf-8"))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What is seen under 0.1.0, and what is seen now."""
    folder = tmp_path_factory.mktemp("parity")
    return play(OLD, folder / "old"), play(sys.executable, folder / "new")


def assert_alike(old, new, place=()):
    """Compare what was seen; an exception need be caught by what caught the old one, and keep its known words."""
    if isinstance(old, dict) and "caught_as" in old:
        assert "caught_as" in new, (place, old, new)
        assert set(old["caught_as"]) <= set(new["caught_as"]), place
        missing = [each for each in FRAGMENTS if each in old["message"] and each not in new["message"]]
        assert missing == [], (place, new["message"])
    elif isinstance(old, dict):
        assert sorted(old) == sorted(new), place
        for key in old:
            assert_alike(old[key], new[key], (*place, key))
    elif isinstance(old, list):
        assert isinstance(new, list), place
        assert len(old) == len(new), place
        for number, (one, other) in enumerate(zip(old, new)):
            assert_alike(one, other, (*place, number))
    else:
        assert old == new, place


@pytest.mark.skipif(not OLD, reason="MINI_MLFLOW_0_1_0 names no Python with mini-mlflow 0.1.0")
@pytest.mark.parametrize("title", titles("alike.py"))
def test_users_of_0_1_0_see_the_same(title, both):
    old, new = both
    assert "value" in old[title], old[title]
    assert_alike(old[title], new[title])


@pytest.mark.skipif(not OLD, reason="MINI_MLFLOW_0_1_0 names no Python with mini-mlflow 0.1.0")
@pytest.mark.parametrize("title", titles("different.py"))
def test_what_is_noted_as_a_difference_is_one(title, both):
    old, new = both
    assert "value" in old[title], old[title]
    assert "value" in new[title], new[title]
    with pytest.raises(AssertionError):
        assert_alike(old[title], new[title])


def test_every_difference_is_noted_with_its_reason():
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \| (.+) \|$", NOTE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [row[0] for row in rows] == titles("different.py")


def test_the_guide_names_the_note():
    assert "decisions/0003-differences-from-0.1.0.md" in GUIDE.read_text(encoding="utf-8")
