"""``mini-mlflow mv RUN... EXPERIMENT``: how do runs get into another experiment?"""

from __future__ import annotations

from .. import upkeep
from ..experiments import create_experiment
from .changing import change_each, find_runs
from .failures import NOT_FOUND, CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from .chosen import ChosenRun
    from .options import Parser
    from .screen import Screen

EXAMPLES = ("mv last cifar10-sweep", "mv 3-6 g2 archive --create", "mv -e Default mellow-wren cifar10-sweep")


def add_arguments(parser: Parser) -> None:
    """Say what the command takes."""
    parser.add_argument("runs", metavar="RUN", nargs="+", help="the runs; one that lives is not moved")
    parser.add_argument("target", metavar="EXPERIMENT", help="the experiment that gets them: its name or id")
    parser.add_argument("-e", "--experiment", metavar="NAME", help="look for the runs only there")
    parser.add_argument("--create", action="store_true", help="make the experiment if it is not there")


def run(arguments: Any, screen: Screen) -> int:
    """Move the runs."""
    target, runs = find_runs(arguments.runs, arguments, screen)
    try:
        experiment = target.experiment(arguments.target)
        there, name = experiment.experiment_id, experiment.name
    except CommandError as error:
        if error.exit_code != NOT_FOUND:
            raise
        if not arguments.create:
            error.lines.append("--create makes it")
            raise
        name = arguments.target
        there = create_experiment(name, runs_dir=target.folder)

    def act(run: ChosenRun) -> Dict[str, Any]:
        upkeep.move_run(run.run_id, there, experiment_id=run.experiment_id, runs_dir=target.folder)
        before = target.names().get(run.experiment_id, run.experiment_id)
        shown = "%s %s %s" % (before, screen.own("→"), name) if str(there) != run.experiment_id else "is in %s" % name
        return {"new_experiment_id": str(there), "new_experiment": name, "shown": shown}

    return change_each("moved", target, runs, screen, act)
