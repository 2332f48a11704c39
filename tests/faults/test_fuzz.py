"""What does a reader make of a store that somebody broke, or made to do harm?"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"
CASES = 10000 if os.environ.get("FAULTS") == "all" else 150
PEAK_KB = 300 * 1024


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="the reader's limits are Linux's")
@pytest.mark.parametrize("name", ["format-0", "format-1"])
@pytest.mark.timeout(3600)
def test_b21_a_broken_store_is_reported_and_never_crashes_hangs_or_misleads_its_reader(tmp_path, name):
    """Rules S4, M8 to M10, Y4: nothing but this package's errors, in bounded time and memory; sound runs read the same.

    An audit hook sees to it that nothing is executed, started, connected to or opened for writing.
    """
    command = [sys.executable, str(HERE / "fuzz_reader.py"), str(GOLDEN / name), str(tmp_path), "0", str(CASES)]
    environment = dict(os.environ, PYTHONWARNINGS="ignore")
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True)
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert lines[:-1] == []
    assert lines[-1]["cases"] == CASES
    assert lines[-1]["peak_kb"] < PEAK_KB
    assert not os.path.exists("/tmp/fuzzed")
