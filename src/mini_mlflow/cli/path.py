"""``mini-mlflow path RUN [ARTIFACT]``: where do the files of a run lie?"""

from __future__ import annotations

import os

from .. import errors, layout
from ..store import presence
from .chosen import choose_run
from .failures import DONE, NO, NOT_FOUND, CommandError
from .options import add_place
from .run_facts import list_artifacts
from .target import find_target
from .which import which_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .options import Parser
    from .screen import Screen

EXAMPLES = ("path last", "cd $(mini-mlflow path best:val.acc)", "less $(mini-mlflow path last console.log)")


def add_arguments(parser: Parser) -> None:
    """Say what the command takes."""
    parser.add_argument("run", metavar="RUN", help="the run")
    parser.add_argument("artifact", metavar="ARTIFACT", nargs="?", help="a file that it logged, instead of its folder")
    add_place(parser)


def run(arguments: Any, screen: Screen) -> int:
    """Write the path, which leads there from any folder."""
    target = find_target(arguments)
    chosen = choose_run(arguments.run, target, screen, arguments.experiment)
    folder = os.path.abspath(chosen.folder)
    if presence.is_packed(folder):
        advice = "mini-mlflow unpack makes it a folder again"
        message = "the run '%s' lies in an archive, %s" % (chosen.title(), os.path.dirname(presence.place_of(folder)))
        raise CommandError(message, NO, lines=[advice])
    path = folder
    if arguments.artifact is not None:
        path = os.path.join(folder, layout.ARTIFACTS, *arguments.artifact.split("/"))
        names = [each.path for each in list_artifacts(folder)]
        if arguments.artifact not in names:
            near = errors.near_names(arguments.artifact, names)
            message = "the run '%s' has no file '%s'" % (chosen.title(), arguments.artifact)
            raise CommandError(message, NOT_FOUND, near=near)
    if screen.is_json:
        experiments = target.names()
        screen.write_json("path", path=path, **which_run(chosen.run_id, chosen.name, chosen.experiment_id, experiments))
    else:
        screen.write((screen.clean(path) if screen.is_terminal else path) + "\n")
    return DONE
