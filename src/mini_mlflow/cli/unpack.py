"""``unpack EXPERIMENT [RUN...]``: make runs folders again that lie in archives."""

from __future__ import annotations

from .. import packs
from .chosen import choose_runs
from .failures import DONE, NO
from .packed import render, write_document
from .target import find_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .options import Parser
    from .screen import Screen

EXAMPLES = ("unpack cifar10-sweep", "unpack cifar10-sweep brave-otter-417", "unpack cifar10-sweep --dry-run")


def add_arguments(parser: Parser) -> None:
    """Add what ``unpack`` takes."""
    parser.add_argument("experiment", metavar="EXPERIMENT", help="its name or id")
    parser.add_argument("runs", metavar="RUN", nargs="*", help="these runs; none: all that are packed")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be unpacked; change nothing")


def run(arguments: Any, screen: Screen) -> int:
    """Unpack, and tell what was unpacked; exit code 1 where a damaged archive keeps a run."""
    target = find_target(arguments)
    found = target.experiment(arguments.experiment)
    run_ids = None
    if arguments.runs:
        word = "id:%s" % found.experiment_id
        run_ids = [run.run_id for run in choose_runs(arguments.runs, target, screen, word, is_strict=True)]
    result = packs.unpack(found.experiment_id, run_ids, dry_run=arguments.dry_run, runs_dir=target.folder)
    if screen.is_json:
        write_document("unpacked", result, found.name, target, screen, is_dry=arguments.dry_run)
    else:
        done = "to unpack" if arguments.dry_run else "unpacked"
        screen.write_lines(render(done, result, found.name, target, screen))
    return NO if result.passed_over else DONE
