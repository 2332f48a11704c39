"""``mini-mlflow rm RUN...``: how do runs get into the trash?"""

from __future__ import annotations

from .. import upkeep
from . import texts
from .changing import change_each, confirm, find_runs
from .chosen import short_id
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
        width = max(texts.width_of(screen.clean(run.title())) for run in runs)
        for each in runs[:_MOST_SHOWN]:
            place = screen.clean(names.get(each.experiment_id, each.experiment_id))
            facts = (texts.pad(screen.clean(each.title()), width), short_id(each.run_id), each.status.lower(), place)
            screen.write_error("  %s  %s  %-8s  %s" % facts)
        if len(runs) > _MOST_SHOWN:
            screen.write_error("  and %d more" % (len(runs) - _MOST_SHOWN))
        if not confirm("Move these %d runs to the trash?" % len(runs), arguments, screen):
            return DONE

    def act(run: ChosenRun) -> Dict[str, Any]:
        upkeep.delete_run(run.run_id, experiment_id=run.experiment_id, runs_dir=target.folder)
        return {}

    return change_each("deleted", target, runs, screen, act)
