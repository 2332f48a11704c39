"""``merge STORE``: bring in what another store has and this one lacks."""

from __future__ import annotations

import os

from .. import merging
from . import carried, texts, titles
from .failures import DONE, NO, NOT_FOUND, CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import List

    from .options import Parser
    from .screen import Screen
    from .target import Target

EXAMPLES = ("merge ../laptop/mlruns", "merge --dry-run /mnt/usb/mlruns", "merge --live host/mlruns -d all/mlruns")

_MOST = 5  # experiments that are named; --json has all


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
            runs=carried.runs_as_documents(merged.runs, target),
            experiments=merged.experiments,
            notes=merged.notes,
            problems=carried.as_documents(merged.problems),
            size_bytes=merged.size_bytes,
        )
    else:
        screen.write_lines(_render(merged, arguments, target, screen))
    return DONE if merged.is_whole else NO


def _render(merged: merging.Merged, arguments: argparse.Namespace, target: Target, screen: Screen) -> List[str]:
    names = [titles.name(arguments.store, screen, role="strong"), titles.name(target.shown, screen, " into ", "strong")]
    lines = [titles.fit(names, screen), ""]
    line = carried.summary_line(merged.runs, merged.size_bytes, screen, is_dry=arguments.dry_run)
    lines.append(" " + line)
    if merged.experiments:
        lines += _list_new(merged.experiments, screen)
    told = carried.list_notes(merged.notes, screen) + carried.list_left(merged.runs, screen)
    told += carried.list_problems(merged.problems, arguments.store, screen)
    if told:
        lines += ["", *told]
    if merged.problems:
        lines += ["", " Nothing here was overwritten: what differs is as it was."]
    return lines


def _list_new(experiments: List[str], screen: Screen) -> List[str]:
    """Return lines that name experiments, a name never broken."""
    head, ellipsis = "new here: ", screen.glyph("ellipsis")
    room = screen.width - 1 - len(head)
    words = [texts.cut_middle(screen.clean(each), room - 1, ellipsis) for each in experiments[:_MOST]]
    words = [word + "," for word in words[:-1]] + words[-1:]
    if len(experiments) > _MOST:
        words += ["and", "%d" % (len(experiments) - _MOST), "more"]
    lines = texts.join_wrapped(words, " ", room)
    return [" %s%s" % (head if place == 0 else " " * len(head), line) for place, line in enumerate(lines)]
