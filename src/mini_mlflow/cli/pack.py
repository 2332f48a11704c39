"""``pack EXPERIMENT``: put finished runs into archives, for disks that count files."""

from __future__ import annotations

import os

from .. import layout, packs
from ..query.times import parse_duration
from .failures import DONE, REFUSED, USAGE, CommandError
from .packed import render, write_document
from .target import find_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .options import Parser
    from .screen import Screen

EXAMPLES = ("pack cifar10-sweep", "pack cifar10-sweep --older-than 30d", "pack cifar10-sweep --dry-run")


def add_arguments(parser: Parser) -> None:
    """Add what ``pack`` takes."""
    parser.add_argument("experiment", metavar="EXPERIMENT", help="its name or id")
    parser.add_argument("--older-than", metavar="TIME", help="only runs that ended so long ago: 30d, 12h, 2w")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be packed; change nothing")


def run(arguments: Any, screen: Screen) -> int:
    """Pack, and tell what was packed and what was passed over."""
    target = find_target(arguments)
    found = target.experiment(arguments.experiment)
    older_than_s = 0 if arguments.older_than is None else parse_duration(arguments.older_than)
    if older_than_s is None:
        lines = ["such as 30d, 12h, 2w, 90m"]
        raise CommandError("'%s' is no length of time" % arguments.older_than, USAGE, lines=lines)
    folder = layout.experiment_folder(target.folder, found.experiment_id)
    if not arguments.dry_run and not os.access(folder, os.W_OK):
        raise CommandError("%s is read-only here, so nothing can be packed" % folder, REFUSED)
    result = packs.pack(
        found.experiment_id, older_than_s=older_than_s, dry_run=arguments.dry_run, runs_dir=target.folder
    )
    if screen.is_json:
        write_document("packed", result, found.name, target, screen, is_dry=arguments.dry_run)
    else:
        done = "to pack" if arguments.dry_run else "packed"
        screen.write_lines(render(done, result, found.name, target, screen))
    return DONE
