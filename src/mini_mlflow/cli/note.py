"""``mini-mlflow note RUN [TEXT]``: how does a note get onto a run: from the line, a pipe or an editor?"""

from __future__ import annotations

import sys

from .. import config, upkeep
from ..records import NOTE
from .changing import change_each, find_runs
from .failures import AMBIGUOUS, NO, USAGE, CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

    from .chosen import ChosenRun
    from .options import Parser
    from .screen import Screen

EXAMPLES = ("note last 'diverged after step 300'", "note mellow-wren", "git log -1 | mini-mlflow note last")
_MOST_BYTES = 1024 * 1024
_MOST_SHOWN = 60


def add_arguments(parser: Parser) -> None:
    """Say what the command takes."""
    parser.add_argument("run", metavar="RUN", help="the run")
    parser.add_argument("text", metavar="TEXT", nargs="*", help="the note; without it an editor asks, or a pipe tells")
    parser.add_argument("-r", "--remove", action="store_true", help="take the note away")
    parser.add_argument("-e", "--experiment", metavar="NAME", help="look for the run only there")


def run(arguments: Any, screen: Screen) -> int:
    """Write the note, which replaces the one that was there."""
    target, runs = find_runs([arguments.run], arguments, screen)
    if len(runs) > 1:
        raise CommandError("'%s' means %d runs: a note is on one" % (arguments.run, len(runs)), AMBIGUOUS)
    if arguments.remove and arguments.text:
        raise CommandError("a text, or -r: not both", USAGE)
    place: Dict[str, Any] = {"experiment_id": runs[0].experiment_id, "runs_dir": target.folder}
    before = upkeep.get_note(runs[0].run_id, **place)
    text = None if arguments.remove else _text(arguments, before)
    if not arguments.remove and text == before:
        screen.write_error("the note is as it was")
        text = before

    def act(run: ChosenRun) -> Dict[str, Any]:
        if text is None:
            upkeep.untag_run(run.run_id, NOTE, **place)
        elif text != before:
            upkeep.set_note(text, run.run_id, **place)
        first = (text or "").strip().split("\n")[0]
        shown = first if len(first) <= _MOST_SHOWN else first[: _MOST_SHOWN - 1] + screen.glyph("ellipsis")
        return {"note": text, "shown": shown or "no note"}

    return change_each("noted", target, runs, screen, act)


def _text(arguments: Any, before: Optional[str]) -> str:
    """Return the note: what was given, else what comes through a pipe, else what an editor says.

    Raises:
        CommandError: There is none.
    """
    if arguments.text and arguments.text != ["-"]:
        return " ".join(arguments.text)
    if arguments.text or sys.stdin is None or not sys.stdin.isatty():
        text = _read_pipe()
    else:
        text = _edit(before or "")
    if not text.strip():
        advice = "nothing was changed; -r takes a note away"
        raise CommandError("the note is empty", USAGE, lines=[advice])
    return text


def _read_pipe() -> str:
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        return "" if sys.stdin is None else sys.stdin.read().strip("\n")
    data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise CommandError("the note is longer than 1 MiB", USAGE, lines=["keep long text as a file of the run"])
    text: str = data.decode("utf-8", "replace")
    return text.strip("\n")


def _edit(text: str) -> str:
    """Let the user's editor change a text.

    Raises:
        CommandError: There is no editor, or it failed.
    """
    import os  # from here on what only an editor needs
    import shlex
    import subprocess
    import tempfile

    editor = config.editor()
    with tempfile.TemporaryDirectory(prefix="mini-mlflow-") as folder:
        path = os.path.join(folder, "NOTE.md")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            code = subprocess.call([*shlex.split(editor), path])
        except (OSError, ValueError) as error:
            advice = "EDITOR names another; or give the text: note RUN TEXT"
            raise CommandError("the editor '%s' cannot be started" % editor, USAGE, lines=[advice]) from error
        if code:
            message = "the editor '%s' ended with exit code %d, so nothing was changed"
            raise CommandError(message % (editor, code), NO)
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip("\n")
