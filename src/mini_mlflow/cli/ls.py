"""``mini-mlflow ls``: experiments, the runs of one, or groups of runs."""

from __future__ import annotations

from . import options
from .failures import DONE, USAGE, CommandError
from .first_steps import first_steps
from .target import find_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Optional

    from .options import Parser
    from .screen import Screen
    from .target import Target

_DEFAULT = ("Default", "0")  # the experiment that a store has with its first run
EXAMPLES = (
    "ls",
    "ls cifar10-sweep -b val.acc -f 'lr < 0.1 and age < 7d'",
    "ls cifar10-sweep -c id,lr,val.acc --csv > runs.csv",
)


def add_arguments(parser: Parser) -> None:
    """Add what ``ls`` takes."""
    parser.add_argument("experiment_word", nargs="?", metavar="EXPERIMENT", help="name or id; without: all of them")
    options.add_place(parser)
    options.add_choice(parser)
    group = parser.add_argument_group("which rows")
    group.add_argument(
        "-g", "--group", nargs="?", const="", metavar="PARAM",
        help="a row for each group of runs that are equal but for the seed: its mean; with PARAM, equal but for PARAM, "
        "over which the mean is taken",
    )  # fmt: skip
    group.add_argument(
        "--by", metavar="PARAM", help="a row for each value of PARAM, the mean is over all else: what PARAM does"
    )
    options.add_columns(parser)
    options.add_form(parser)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """List what is asked for."""
    target = find_target(arguments)
    word = _experiment_word(arguments, target)
    asks_for_runs = word is not None or any(
        getattr(arguments, name) is not None for name in ("filter", "best", "sort", "group", "by", "columns", "metrics")
    )
    form = screen.list_form()
    if not asks_for_runs and form != "ids":
        from . import experiment_list

        return experiment_list.show(arguments, target, screen)
    if word is not None and (word not in _DEFAULT or target.experiments(with_deleted=True)):
        target.experiment(word)  # which is told where it is not there
    if not target.is_there or not target.experiments(with_deleted=True):
        return _show_nothing(arguments, target, screen, form)
    if arguments.group and arguments.by:
        raise CommandError("-g PARAM and --by both say what makes groups: leave one of them out", USAGE)
    if arguments.group is not None or arguments.by is not None:
        from . import group_list

        return group_list.show(arguments, target, word, screen)
    from . import run_list  # each way to list loads its own

    return run_list.show(arguments, target, word, screen)


def _experiment_word(arguments: argparse.Namespace, target: Target) -> Optional[str]:
    """Return which experiment is meant: ``ls NAME``, ``ls -e NAME``, or ``ls -g NAME`` where that is no param."""
    words = [word for word in (arguments.experiment_word, arguments.experiment) if word is not None]
    if len(words) > 1:
        raise CommandError("EXPERIMENT and -e both name one: leave one of them out", USAGE)
    if not words and arguments.group:
        names = {name for each in target.experiments() for name in (each.name, str(each.experiment_id))}
        if arguments.group in names:
            words, arguments.group = [arguments.group], ""
    return words[0] if words else None


def _show_nothing(arguments: argparse.Namespace, target: Target, screen: Screen, form: str) -> int:
    is_grouped = arguments.group is not None or arguments.by is not None
    if form == "json" and is_grouped:
        screen.write_json("groups", store=target.shown, total=0, by=[], over=[], groups=[])
    elif form == "json":
        screen.write_json("runs", store=target.shown, total=0, matched=0, runs=[])
    elif form == "table":
        screen.write_lines(first_steps(target, screen))
    return DONE
