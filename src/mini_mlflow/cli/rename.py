"""``mini-mlflow rename RUN NAME``: how does a run get another name?"""

from __future__ import annotations

from .. import upkeep
from .changing import change_each, find_runs
from .failures import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from .chosen import ChosenRun
    from .options import Parser
    from .screen import Screen

EXAMPLES = ("rename last baseline", "rename 3 'warm-up, 2 epochs'")


def add_arguments(parser: Parser) -> None:
    """Say what the command takes."""
    parser.add_argument("run", metavar="RUN", help="the run")
    parser.add_argument("name", metavar="NAME", help="its new name; others may have it too")
    parser.add_argument("-e", "--experiment", metavar="NAME", help="look for the run only there")


def run(arguments: Any, screen: Screen) -> int:
    """Rename the run."""
    target, runs = find_runs([arguments.run], arguments, screen)
    if len(runs) > 1:
        raise CommandError("'%s' means %d runs: only one gets a name" % (arguments.run, len(runs)), 4)

    def act(run: ChosenRun) -> Dict[str, Any]:
        upkeep.rename_run(run.run_id, arguments.name, experiment_id=run.experiment_id, runs_dir=target.folder)
        return {"new_name": arguments.name, "shown": screen.own("→ ") + arguments.name}

    return change_each("renamed", target, runs, screen, act)
