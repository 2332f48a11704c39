"""What does a run that was started in a notebook tell of where it comes from: in a real kernel?"""

import json
import os
import sys

import pytest
from jupyter_client import KernelManager

DEADLINE_S = 60
LOOK = "import json; from mini_mlflow import provenance; print(json.dumps(provenance.quick_fields()))"


@pytest.fixture
def tell(tmp_path):
    """Start a kernel with some variables in its environment, and return what it tells of itself."""
    managers = []

    def start(**variables):
        manager = KernelManager(kernel_name="python3")
        manager.kernel_spec.argv[0] = sys.executable
        environ = {name: value for name, value in os.environ.items() if name != "JPY_SESSION_NAME"}
        manager.start_kernel(cwd=str(tmp_path), env={**environ, **variables})
        client = manager.client()
        managers.append((manager, client))
        client.start_channels()
        client.wait_for_ready(timeout=DEADLINE_S)
        printed = []
        client.execute_interactive(
            LOOK, timeout=DEADLINE_S, output_hook=lambda message: printed.append(message["content"].get("text", ""))
        )
        return json.loads("".join(printed))

    yield start
    for manager, client in managers:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_notebook_is_told_by_its_path_where_jupyter_says_it(tell, tmp_path):
    path = tmp_path / "study.ipynb"
    path.write_text("{}", encoding="utf-8")
    assert tell(JPY_SESSION_NAME=str(path))["entry"] == str(path)


def test_a_notebook_whose_path_nobody_says_is_told_as_one(tell, tmp_path):
    fields = tell()
    assert fields["entry"] == "notebook"
    assert fields["cwd"] == os.path.realpath(str(tmp_path))
