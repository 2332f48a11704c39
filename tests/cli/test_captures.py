"""Captures in docs/cli.md and the README are what commands print; ``MINI_MLFLOW_NEW_SCREENS=1`` writes them anew."""

import os
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile("^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(("name", "fewest"), [("docs/cli.md", 9), ("README.md", 1)])
def test_what_stands_in_the_docs_is_what_the_commands_print(sweep, run_cli, name, fewest):
    path = ROOT / name
    page = path.read_text(encoding="utf-8")
    real = _BLOCK.sub(lambda block: "```console\n%s```" % capture(block.group(1), run_cli), page)
    if os.environ.get("MINI_MLFLOW_NEW_SCREENS") == "1":
        path.write_bytes(real.encode("utf-8"))
    assert len(_BLOCK.findall(page)) >= fewest
    assert page == real


def capture(block, run_cli):
    """Return a block with what its commands print."""
    lines = []
    for command in (line for line in block.splitlines() if line.startswith("$ ")):
        typed, _, head = command[2:].partition(" | head -")
        name, *arguments = shlex.split(typed)
        assert name == "mini-mlflow"
        result = run_cli(*arguments, *([] if head else ["--color", "never"]), columns=None if head else 80)
        shown = (result.err + result.out).splitlines()
        lines += [command, *(shown[: int(head)] if head else shown)]
    return "".join(line + "\n" for line in lines)
