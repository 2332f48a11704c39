"""Is what the page on endings says of each way to leave a script, and of each signal, what happens?"""

import re
import signal
from pathlib import Path

import pytest

from mini_mlflow.store import reader

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "endings.md"
START = """
import os, signal, sys, threading, time
from mini_mlflow import log_metric, start_run
def begin():
    return start_run(run_id=sys.argv[2], runs_dir=sys.argv[1])
"""
# What stands in the first column of the page's first table, and code that leaves so.
WAYS = {
    "its last line": "pass",
    "an exception that nobody catches": "raise ValueError",
    "Ctrl-C (`KeyboardInterrupt`)": "os.kill(os.getpid(), signal.SIGINT); time.sleep(60)",
    "`sys.exit()`, `sys.exit(0)`": "sys.exit(0)",
    '`sys.exit(n)`, `sys.exit("text")`': "sys.exit('text')",
    "`raise SystemExit(n)`, `exit(n)`, `quit(n)`": "raise SystemExit(3)",
    "an exception or `sys.exit(n)` that is caught outside of the block": "sys.exit(3)",
    "its last line, after an exception in a thread": "t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()",
    "`os._exit(n)`, `os.abort()`, a crash in C, `os.execv` to another program": "os._exit(3)",
}
SIGNALS_OF_OTHER_NAMES = {"crashes": "SIGSEGV"}


def table(heading):
    """Return the rows of the first table under a heading, by their first cell."""
    section = PAGE.read_text(encoding="utf-8").split("\n## %s\n" % heading)[1]
    lines = re.search(r"((?:^\|.*\n)+)", section, re.MULTILINE).group(1).splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in rows[2:]}


def first_word(cell):
    return re.match(r"[A-Z]+", cell).group()


def status(store, run_id):
    return reader.read_run(store, 0, run_id).metadata["status"]


def test_the_page_has_a_row_for_each_way_that_is_tried():
    assert list(table("The script itself")) == list(WAYS)


@pytest.mark.parametrize("column", [0, 1], ids=["with a block", "without a block"])
def test_a_script_that_leaves_in_a_way_of_the_page_has_the_status_that_stands_there(script, store, column):
    processes = []
    for number, (way, code) in enumerate(WAYS.items()):
        body = "with begin():\n    %s\n" % code if column == 0 else "begin()\n%s\n" % code
        if "caught outside" in way:
            body = "try:\n    %s\nexcept SystemExit:\n    pass\n" % body.replace("\n", "\n    ")
        processes.append(script(START + body, store, "way-%d" % number))
    for process in processes:
        process.communicate(timeout=60)
    found = {way: status(store, "way-%d" % number) for number, way in enumerate(WAYS)}
    assert found == {way: first_word(cells[column]) for way, cells in table("The script itself").items()}


def test_a_script_that_gets_a_signal_of_the_page_has_the_status_that_stands_there(script, store):
    code = "import resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\nbegin()\nprint('ready', flush=True)\n"
    named = {}
    for cell, cells in table("Signals").items():
        for name in re.sub(r"\(.*?\)|, then SIGCONT", "", cell).replace(" ", "").split(","):
            named[SIGNALS_OF_OTHER_NAMES.get(name, name)] = first_word(cells[1])
    processes = {name: script(START + code + "time.sleep(60)\n", store, name) for name in named}
    for name, process in processes.items():
        assert process.stdout.readline() == "ready\n"
        process.send_signal(getattr(signal, name))
    for name, process in processes.items():
        if name != "SIGSTOP":
            process.communicate(timeout=60)
    assert {name: status(store, name) for name in named} == named
    assert len(named) >= 11
    processes["SIGSTOP"].kill()
