"""What every test goes by."""

import os
import sys

import pytest
from hypothesis import HealthCheck, settings

from mini_mlflow import active
from mini_mlflow.store import held_folder

# A run notes where it comes from unless told otherwise: git and all. The tests of that switch it on.
os.environ.setdefault("MINI_MLFLOW_PROVENANCE", "off")
# When files reach the disk is tested where it matters (tests/faults, the writer's syncs); else it is time that is lost.
os.environ.setdefault("MINI_MLFLOW_FSYNC", "off")
# How fast an example is made or passes tells of the machine, and of what else it does.
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("any machine", deadline=None, suppress_health_check=CHECKS)
# For a further Python, where the first has looked at more: what differs between them is not in the rare example.
settings.register_profile("brief", settings.get_profile("any machine"), max_examples=20)
settings.load_profile("any machine")
BENCHMARKS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "benchmarks")


@pytest.fixture(autouse=True, scope="session")
def cache_of_the_tests(tmp_path_factory):
    """Let indexes lie elsewhere than those of who runs the tests."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def synced_ends():
    """Bring what is logged to the disk when a run ends, as a user's process does."""
    before = os.environ.pop("MINI_MLFLOW_FSYNC", None)
    yield
    if before is not None:
        os.environ["MINI_MLFLOW_FSYNC"] = before


@pytest.fixture(autouse=True)
def no_run_outlives_its_test():
    """Let go of the runs that a test left open: each holds descriptors, of which a process has no end."""
    yield
    left = active.live_runs()
    for run in left:
        run.writer.release()
        active.forget(run)


@pytest.fixture(params=["held", "by path"])
def way(request, monkeypatch):
    """Go the way of systems that hold folders, and that of those that cannot."""
    if request.param == "by path":
        monkeypatch.setattr(held_folder, "HAS_HANDLES", False)
        monkeypatch.setattr(held_folder, "_FLAGS", held_folder._FLAGS & ~getattr(os, "O_NOFOLLOW", 0))
    elif not held_folder.HAS_HANDLES:
        pytest.skip("this system cannot hold folders")


@pytest.fixture
def modules(monkeypatch):
    """The benchmarks' own modules, as their scripts see them; forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(BENCHMARKS)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(BENCHMARKS):
            del sys.modules[name]
