"""How does a run end that was started in a notebook: in a real kernel, restarted, interrupted, shut down, killed?"""

import signal
import sys
import time

import pytest
from jupyter_client import KernelManager

from mini_mlflow.store import reader

DEADLINE_S = 60
START = """
from mini_mlflow import active_run, end_run, log_metric, start_run
run = start_run(run_id="r", runs_dir=%r)
log_metric("loss", 1.0)
"""


class Notebook:
    """A kernel, and cells that it runs."""

    def __init__(self, folder):
        self.manager = KernelManager(kernel_name="python3")
        self.manager.kernel_spec.argv[0] = sys.executable
        self.manager.start_kernel(cwd=str(folder))
        self.connect()

    def connect(self):
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=DEADLINE_S)

    def run(self, cell):
        """Run a cell; returns ``ok`` or the name of its error, and what it printed."""
        printed = []

        def note(message):
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        reply = self.client.execute_interactive(cell, timeout=DEADLINE_S, output_hook=note)["content"]
        return reply["ename"] if reply["status"] == "error" else "ok", "".join(printed)

    def interrupt_while(self, cell):
        """Run a cell that says when it is busy, and interrupt it then; returns the name of its error."""
        self.client.execute(cell)
        while "busy" not in str(self.client.get_iopub_msg(timeout=DEADLINE_S)["content"].get("text")):
            pass
        self.manager.interrupt_kernel()
        return self.client.get_shell_msg(timeout=DEADLINE_S)["content"].get("ename")

    def restart(self, *, now=False):
        self.client.stop_channels()
        self.manager.restart_kernel(now=now)
        self.connect()

    def close(self, *, now=False):
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=now)


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "mlruns")


@pytest.fixture
def notebook(tmp_path, store):
    """A notebook with an active run that has logged a value."""
    notebook = Notebook(tmp_path)
    assert notebook.run(START % store) == ("ok", "")
    yield notebook
    notebook.close(now=True)


def status(store, run_id="r"):
    record = reader.read_run(store, 0, run_id)
    assert record.problems == []
    return record.metadata["status"]


def wait_for(store, wanted):
    deadline = time.monotonic() + DEADLINE_S
    while status(store) != wanted:
        assert time.monotonic() < deadline, "it stays %s" % status(store)
        time.sleep(0.01)


def test_a_run_goes_on_from_cell_to_cell_and_finishes_with_the_notebook(notebook, store):
    assert notebook.run("log_metric('loss', 2.0)\nprint(active_run().status)") == ("ok", "RUNNING\n")
    assert status(store) == "RUNNING"
    notebook.close()
    assert status(store) == "FINISHED"


def test_an_error_in_a_cell_is_not_the_end_of_the_run(notebook, store):
    """The interpreter keeps it as its last one, long after the next cell has mended it."""
    assert notebook.run("1 / 0")[0] == "ZeroDivisionError"
    assert notebook.run("import sys; print(type(sys.last_value).__name__, active_run().status)") == (
        "ok",
        "ZeroDivisionError RUNNING\n",
    )
    notebook.close()
    assert status(store) == "FINISHED"


def test_a_cell_that_is_interrupted_leaves_the_run_active(notebook, store):
    cell = "import time\nprint('busy', flush=True)\nwhile True:\n    log_metric('steps', 1.0)\n    time.sleep(0.001)"
    assert notebook.interrupt_while(cell) == "KeyboardInterrupt"
    # The cell itself looks: what is printed just after an interruption may reach the notebook under another cell.
    assert notebook.run("log_metric('loss', 2.0)\nassert active_run().status == 'RUNNING'")[0] == "ok"
    notebook.close()
    assert status(store) == "FINISHED"


def test_a_block_that_is_left_within_a_cell_ends_its_run(notebook, store):
    cell = "end_run()\nwith start_run(run_id=%r, runs_dir=%r):\n    log_metric('loss', 1.0)\n    "
    assert notebook.run(cell % ("error", store) + "1 / 0")[0] == "ZeroDivisionError"
    busy = cell.replace("end_run()\n", "import time\n") % ("interrupted", store)
    busy += "print('busy', flush=True)\n    while True: time.sleep(0.001)"
    assert notebook.interrupt_while(busy) == "KeyboardInterrupt"
    assert (status(store, "error"), status(store, "interrupted")) == ("FAILED", "KILLED")


@pytest.mark.parametrize(("now", "found"), [(False, "FINISHED"), (True, "LOST")])
def test_a_restart_ends_the_run_where_the_kernel_is_given_time(notebook, store, now, found):
    notebook.restart(now=now)
    assert status(store) == found
    assert notebook.run(START % store + "print(run.resume_count)") == ("ok", "1\n")
    assert status(store) == "RUNNING"


@pytest.mark.parametrize(("number", "found"), [(signal.SIGKILL, "LOST"), (signal.SIGHUP, "KILLED")])
def test_a_kernel_that_dies_leaves_the_status_true(notebook, store, number, found):
    notebook.manager.signal_kernel(number)
    wait_for(store, found)


def test_a_script_that_a_cell_runs_shares_the_notebooks_process(notebook, store, tmp_path):
    """Neither its error nor its sys.exit ends the kernel or the run."""
    (tmp_path / "fails.py").write_text("from mini_mlflow import log_metric\nlog_metric('loss', 3.0)\n1 / 0\n")
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit(3)\n")
    notebook.run("%run fails.py")
    notebook.run("%run leaves.py")
    assert notebook.run("print(active_run().status, run.data.metrics)") == ("ok", "RUNNING {'loss': 3.0}\n")
    notebook.close()
    assert status(store) == "FINISHED"
