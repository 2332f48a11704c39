"""The examples run as a newcomer runs them, and leave the runs that they say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mini_mlflow import ExperimentTracker

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.fixture
def output(tmp_path):
    """What basic_usage prints in an empty folder."""
    environ = {name: value for name, value in os.environ.items() if name != "MINI_MLFLOW_DIR"}
    result = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / "basic_usage.py")],
        cwd=str(tmp_path),
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    assert result.returncode == 0
    return result.stdout


def test_basic_usage_shows_its_four_parts_in_order(output):
    titles = [line for line in output.splitlines() if not line.startswith(" ")]
    assert [title[:2] for title in titles] == ["1.", "2.", "3.", "4."]
    assert "runs in experiment 1: 3" in output
    assert "best run: sweep {'learning_rate': 0.4}" in output


def test_basic_usage_leaves_the_runs_that_it_says(output, tmp_path):
    first = ExperimentTracker(runs_dir=str(tmp_path / "mlruns"))
    runs = [first.get_run(run_id)["metadata"] for run_id in first.list_runs()]
    assert [(run["name"], run["status"]) for run in runs] == [
        ("diverging", "FAILED"),
        ("context_manager", "FINISHED"),
        ("functions", "FINISHED"),
    ]
    second = ExperimentTracker(experiment_id=1, runs_dir=str(tmp_path / "mlruns"))
    rates = [second.get_run(run_id)["params"]["learning_rate"] for run_id in second.list_runs()]
    assert rates == [0.4, 0.1, 0.01]
    assert all(len(second.history(run_id, "loss")) == 20 for run_id in second.list_runs())


def test_basic_usage_names_the_number_of_its_runs(output, tmp_path):
    assert "It writes six runs" in (EXAMPLES / "basic_usage.py").read_text(encoding="utf-8")
    assert len(list(tmp_path.glob("mlruns/*/*/params"))) == 6


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_uses_public_names_only(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    imports = [line for line in lines if "mini_mlflow" in line and "import" in line]
    assert imports
    assert all(line.startswith("from mini_mlflow import ") for line in imports)
