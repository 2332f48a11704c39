"""``mini-mlflow tag RUN... KEY=VALUE``: how do tags come to runs, and how do they go?"""

from __future__ import annotations

from .. import keys, recorder, upkeep
from .changing import change_each, find_runs
from .failures import USAGE, CommandError
from .pairs import split_pair

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from .chosen import ChosenRun
    from .options import Parser
    from .screen import Screen

EXAMPLES = ("tag last best=yes", "tag 3 5 stage=paper reviewed=2026-11", "tag mellow-wren -r stage")


def add_arguments(parser: Parser) -> None:
    """Say what the command takes."""
    parser.add_argument("words", metavar="RUN... KEY=VALUE", nargs="+", help="runs, and tags that each of them gets")
    parser.add_argument("-r", "--remove", metavar="KEY", action="append", default=[], help="take a tag away")
    parser.add_argument("-e", "--experiment", metavar="NAME", help="look for the runs only there")


def run(arguments: Any, screen: Screen) -> int:
    """Tag the runs."""
    words = [each for each in arguments.words if not _is_tag(each)]
    pairs = [split_pair(each) for each in arguments.words if _is_tag(each)]
    gone = [keys.check_known_key(each) for each in arguments.remove]
    if not words or not (pairs or gone):
        missing = "a run" if not words else "a tag: KEY=VALUE, or -r KEY"
        raise CommandError("tag needs %s" % missing, USAGE, lines=["usage: mini-mlflow tag RUN... KEY=VALUE"])
    tags = dict(recorder.check_values("Tag", pairs))
    target, runs = find_runs(words, arguments, screen)

    def act(run: ChosenRun) -> Dict[str, Any]:
        place: Dict[str, Any] = {"experiment_id": run.experiment_id, "runs_dir": target.folder}
        if tags:
            upkeep.tag_run(run.run_id, tags, **place)
        removed = [key for key in gone if upkeep.untag_run(run.run_id, key, **place)]
        shown = ["%s=%s" % pair for pair in tags.items()] + ["-" + key for key in removed]
        return {"tags": tags, "removed": removed, "shown": "  ".join(shown) or "had no such tag"}

    return change_each("tagged", target, runs, screen, act)


def _is_tag(word: str) -> bool:
    """Tell whether a word is a tag; a run whose name has a ``=`` is called ``name:...``."""
    return "=" in word and not word.startswith(("name:", "id:"))
