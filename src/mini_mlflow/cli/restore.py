"""``mini-mlflow restore RUN...``: how do runs come back from the trash?"""

from __future__ import annotations

from .. import upkeep
from .changing import DELETED, change_each, find_runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from .chosen import ChosenRun
    from .options import Parser
    from .screen import Screen

EXAMPLES = ("restore mellow-wren", "restore -e cifar10-sweep 9d19bdd0")


def add_arguments(parser: Parser) -> None:
    """Say what the command takes."""
    parser.add_argument("runs", metavar="RUN", nargs="+", help="runs in the trash; gc lists them")
    parser.add_argument("-e", "--experiment", metavar="NAME", help="look for the runs only there")


def run(arguments: Any, screen: Screen) -> int:
    """Restore the runs."""
    target, runs = find_runs(arguments.runs, arguments, screen, stages=DELETED)

    def act(run: ChosenRun) -> Dict[str, Any]:
        upkeep.restore_run(run.run_id, experiment_id=run.experiment_id, runs_dir=target.folder)
        return {}

    return change_each("restored", target, runs, screen, act)
