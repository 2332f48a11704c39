"""What the tests of the check stand on."""

import pytest
from broken_store import Sound

from mini_mlflow.check import artifact_tree, leftovers, packs, stores


@pytest.fixture
def sound(tmp_path):
    """A store that keeps every rule."""
    return Sound(tmp_path / "mlruns")


@pytest.fixture
def at_once(monkeypatch):
    """Let what was left a moment ago count as old: no test waits."""
    for module, name in (
        (leftovers, "LEFTOVER_S"),
        (artifact_tree, "_LEFTOVER_S"),
        (stores, "_HIDDEN_S"),
        (packs, "HIDDEN_S"),
    ):
        monkeypatch.setattr(module, name, -1.0)
