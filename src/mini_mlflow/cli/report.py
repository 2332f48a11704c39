"""``report RUN...``: runs as one HTML file that opens anywhere, without a server."""

from __future__ import annotations

from ..query.conditions import find_rows
from ..query.grammar import parse_filter
from ..query.ordering import sort_rows
from . import numbers, texts
from .chosen import choose_runs
from .failures import DONE, NOT_FOUND, USAGE, CommandError
from .options import add_place
from .target import find_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, List, Tuple

    from .options import Parser
    from .screen import Screen
    from .target import Target

EXAMPLES = (
    "report 1-20",
    "report -e cifar10-sweep -o sweep.html",
    "report -e cifar10-sweep -f 'val.acc > 0.9' --provenance",
)


def add_arguments(parser: Parser) -> None:
    """Add what ``report`` takes."""
    parser.add_argument("runs", metavar="RUN", nargs="*", help="the runs; without any, all of an experiment (-e)")
    add_place(parser)
    parser.add_argument("-f", "--filter", metavar="TEXT", help="without a RUN: those that fit, such as 'val.acc > 0.9'")
    parser.add_argument("-o", "--output", metavar="FILE", default="report.html", help="the file; else report.html")
    text = "let command lines, hosts, users, paths, versions and git diffs go along; they are left out else"
    parser.add_argument("--provenance", action="store_true", help=text)
    parser.add_argument("--force", action="store_true", help="replace a file that is there")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Write the report, and tell what is in it."""
    from ..ui.report import write_report  # with all that the page needs

    if arguments.runs and arguments.filter is not None:
        raise CommandError("-f is for the runs of an experiment: leave it, or the RUNs, out", USAGE)
    if not arguments.runs and arguments.experiment is None and arguments.filter is None:
        lines = ["usage: mini-mlflow report RUN... [-o FILE]", "-e EXPERIMENT reports all runs of one"]
        raise CommandError("report needs a run, or -e EXPERIMENT", USAGE, lines=lines)
    target = find_target(arguments)
    written = write_report(
        target.folder,
        _find(arguments, target, screen),
        arguments.output,
        now_ms=screen.now_ms,
        has_provenance=arguments.provenance,
        is_replaced=arguments.force,
    )
    if screen.is_json:
        screen.write_json(
            "report",
            store=target.shown,
            path=arguments.output,
            runs=written.runs,
            metrics=written.metrics,
            size_bytes=written.size_bytes,
            provenance=arguments.provenance,
        )
        return DONE
    parts = [
        "%s to %s" % (numbers.counted(written.runs, "run"), screen.clean(arguments.output)),
        numbers.counted(written.metrics, "metric"),
        "with provenance" if arguments.provenance else "without provenance",
    ]
    screen.write_lines(texts.join_wrapped(parts, screen.own(" · "), screen.width))
    return DONE


def _find(arguments: argparse.Namespace, target: Target, screen: Screen) -> List[Tuple[Any, str]]:
    """Return the experiments and the ids of the runs that are meant.

    Raises:
        CommandError: There are none.
    """
    if arguments.runs:
        chosen = choose_runs(arguments.runs, target, screen, arguments.experiment)
        return [(each.experiment_id, each.run_id) for each in chosen]
    condition = parse_filter(arguments.filter or "")

    def question(table: Any) -> List[Tuple[Any, str]]:
        rows = sort_rows(find_rows(condition, table, screen.now_ms), [], table, screen.now_ms)
        ids, experiments = table.column("attributes", "run_id"), table.column("attributes", "experiment_id")
        return [(experiments[row], ids[row]) for row in rows]

    found = target.ask(target.ids(arguments.experiment), question)
    if not found:
        raise CommandError("no run to report in %s" % target.shown, NOT_FOUND)
    return found
