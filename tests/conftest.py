"""What every test goes by."""

import os

import pytest

from mini_mlflow import active

# A run notes where it comes from unless told otherwise: git and all. The tests of that switch it on.
os.environ.setdefault("MINI_MLFLOW_PROVENANCE", "off")


@pytest.fixture(autouse=True)
def no_run_outlives_its_test():
    """Let go of the runs that a test left open: each holds descriptors, of which a process has no end."""
    yield
    left = active.live_runs()
    for run in left:
        run.writer.release()
        active.forget(run)
