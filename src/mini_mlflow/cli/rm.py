"""``mini-mlflow rm RUN...``: how do runs get into the trash?"""

from __future__ import annotations

from .. import upkeep
from .changing import change_each, confirm, find_runs, pad_titles
from .failures import DONE
from .options import add_yes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from .chosen import ChosenRun
    from .options import Parser
    from .screen import Screen

EXAMPLES = ("rm last", "rm 3-6 g2", "rm -y id:9d19bdd0 name:baseline")
_MOST_SHOWN = 20


def add_arguments(parser: Parser) -> None:
    """Say what the command takes."""
    parser.add_argument("runs", metavar="RUN", nargs="+", help="the runs; one that lives is not deleted")
    parser.add_argument("-e", "--experiment", metavar="NAME", help="look for the runs only there")
    add_yes(parser)


def run(arguments: Any, screen: Screen) -> int:
    """Delete the runs."""
    target, runs = find_runs(arguments.runs, arguments, screen)
    if len(runs) > 1 and not arguments.yes:
        names = target.names()
        for each, title in zip(runs[:_MOST_SHOWN], pad_titles(runs, screen)):
            place = screen.clean(names.get(each.experiment_id, each.experiment_id))
            screen.write_error("  %s  %-8s  %s" % (title, each.status.lower(), place))
        if len(runs) > _MOST_SHOWN:
            screen.write_error("  and %d more" % (len(runs) - _MOST_SHOWN))
        if not confirm("Move these %d runs to the trash?" % len(runs), arguments, screen):
            return DONE

    def act(run: ChosenRun) -> Dict[str, Any]:
        upkeep.delete_run(run.run_id, experiment_id=run.experiment_id, runs_dir=target.folder)
        return {}

    return change_each("deleted", target, runs, screen, act)
