"""What does a cell of a real notebook kernel show of runs?"""

import html
import re

import pytest
from jupyter_client.manager import start_new_kernel

DEADLINE_S = 120
RUNS = """
import mini_mlflow
mini_mlflow.set_tracking_uri(%r)
for name, loss in (("amber-run", 0.5), ("brisk-run", 0.25)):
    with mini_mlflow.start_run(run_name=name) as run:
        run.log_metric("loss", loss)
"""


@pytest.fixture
def kernel(tmp_path):
    manager, client = start_new_kernel(startup_timeout=DEADLINE_S, cwd=str(tmp_path))
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def shown_by(client, code):
    """Run a cell and return its error, none: empty, and what the notebook shows of it by type."""
    shown = []

    def take(message):
        if message["msg_type"] == "display_data":
            shown.append(message["content"]["data"])

    reply = client.execute_interactive(code, timeout=DEADLINE_S, output_hook=take)["content"]
    return reply.get("evalue", ""), shown


def test_runs_are_shown_as_a_page_within_the_cell_that_reaches_nothing_of_the_notebook(kernel, tmp_path):
    assert shown_by(kernel, RUNS % str(tmp_path / "store")) == ("", [])
    error, (shown,) = shown_by(kernel, "mini_mlflow.show(height=500)")
    assert error == ""
    frame = re.search("<iframe [^>]*>", shown["text/html"])
    assert 'sandbox="allow-scripts allow-downloads"' in frame.group()
    assert "height:500px" in frame.group()
    page = html.unescape(re.search(r'srcdoc="([^"]*)"', frame.group()).group(1))
    assert page.startswith("<!doctype html>")
    assert "Content-Security-Policy" in page
    assert "amber-run" in page
    assert "brisk-run" in page
    assert shown["text/plain"].startswith("Runs: 2, metrics: 1.")


def test_chosen_runs_alone_are_shown(kernel, tmp_path):
    shown_by(kernel, RUNS % str(tmp_path / "store"))
    _, (shown,) = shown_by(kernel, "mini_mlflow.show(mini_mlflow.best_run('loss', 'min'))")
    assert "brisk-run" in shown["text/html"]
    assert "amber-run" not in shown["text/html"]


def test_an_experiment_without_runs_says_so(kernel, tmp_path):
    error, shown = shown_by(kernel, "import mini_mlflow; mini_mlflow.show(runs_dir=%r)" % str(tmp_path / "store"))
    assert "There are no runs to show" in error
    assert shown == []
