"""``merge STORE``: bring in what another store has and this one lacks."""

from __future__ import annotations

import os

from .. import merging
from . import carried
from .failures import DONE, NO, NOT_FOUND, CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import List

    from .options import Parser
    from .screen import Screen
    from .target import Target

EXAMPLES = ("merge ../laptop/mlruns", "merge --dry-run /mnt/usb/mlruns", "merge --live host/mlruns -d all/mlruns")


def add_arguments(parser: Parser) -> None:
    """Add what ``merge`` takes."""
    parser.add_argument("store", metavar="STORE", help="the folder of the other store; it is only read")
    parser.add_argument("--dry-run", action="store_true", help="change nothing, only tell what would come in")
    parser.add_argument("--live", action="store_true", help="runs that are being written, too, as they are now")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Merge, and tell what came in; exit code 1 where something was left out or differs."""
    target = carried.find_or_name_store(arguments)
    if not os.path.isdir(arguments.store):
        raise CommandError("there is no store %s" % arguments.store, NOT_FOUND)
    merged = merging.merge(arguments.store, target.folder, is_dry=arguments.dry_run, with_live=arguments.live)
    if screen.is_json:
        screen.write_json(
            "merge",
            store=target.shown,
            other=arguments.store,
            dry_run=arguments.dry_run,
            runs=carried.as_documents(merged.runs),
            experiments=merged.experiments,
            notes=merged.notes,
            problems=carried.as_documents(merged.problems),
            size_bytes=merged.size_bytes,
        )
    else:
        screen.write_lines(_render(merged, arguments, target, screen))
    return DONE if merged.is_whole else NO


def _render(merged: merging.Merged, arguments: argparse.Namespace, target: Target, screen: Screen) -> List[str]:
    names = (screen.clean(arguments.store), screen.clean(target.shown))
    lines = [screen.styled("strong", "%s into %s" % names), ""]
    line = carried.summary_line(merged.runs, merged.size_bytes, screen, is_dry=arguments.dry_run)
    lines.append(" " + line)
    if merged.experiments:
        shown = ", ".join(merged.experiments[:5]) + (", ..." if len(merged.experiments) > 5 else "")
        lines.append(" new here: " + screen.clean(shown))
    told = carried.list_notes(merged.notes, screen) + carried.list_left(merged.runs, screen)
    told += carried.list_problems(merged.problems, arguments.store, screen)
    if told:
        lines += ["", *told]
    if merged.problems:
        lines += ["", " Nothing here was overwritten: what differs is as it was."]
    return lines
