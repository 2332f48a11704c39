"""``mini-mlflow gc``: what is in the trash, and how is it removed for good?"""

from __future__ import annotations

from time import time

from .. import upkeep
from ..query.times import parse_duration
from . import numbers, spans, texts
from .changing import confirm
from .chosen import short_id
from .failures import DONE, NO, USAGE, CommandError
from .options import add_yes
from .target import find_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

    from ..records import Removed
    from .options import Parser
    from .screen import Screen
    from .target import Target

EXAMPLES = ("gc", "gc --older-than 30d -y", "gc -e cifar10-sweep --dry-run")
_MOST_SHOWN = 40


def add_arguments(parser: Parser) -> None:
    """Say what the command takes."""
    parser.add_argument("--older-than", metavar="TIME", help="only what was deleted so long ago: 30d, 12h, 2w")
    parser.add_argument("-e", "--experiment", metavar="NAME", help="only in this experiment: its name or id")
    parser.add_argument("-a", "--all", action="store_true", help="list all, however many")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be removed; remove nothing")
    add_yes(parser)


def run(arguments: Any, screen: Screen) -> int:
    """Tell what is in the trash, ask, and remove it."""
    target = find_target(arguments)
    older_than_s = _seconds(arguments.older_than)
    ids = None if arguments.experiment is None else [target.experiment(arguments.experiment).experiment_id]
    looked_at = time()
    found = upkeep.gc(older_than_s, dry_run=True, experiment_ids=ids, runs_dir=target.folder)
    passed_over = len(screen.warnings)
    is_wanted = bool(found) and not arguments.dry_run
    if not screen.is_json:
        _show(found, target, screen, is_all=arguments.all)
    if is_wanted and not confirm(_question(found), arguments, screen):
        return DONE
    removed: List[Removed] = []
    if is_wanted or (arguments.yes and not arguments.dry_run):
        # Nothing that was deleted since the look: nobody has been asked about that.
        age_s = max(older_than_s, time() - looked_at)
        removed = upkeep.gc(age_s, experiment_ids=ids, runs_dir=target.folder)
    if screen.is_json:
        there, gone = _documents(found, target), _documents(removed, target)
        screen.write_json("trash", store=target.shown, found=there, removed=gone)
    elif removed:
        screen.write_lines(["removed %s" % _sum(removed)])
    return NO if passed_over or screen.warnings else DONE


def _seconds(text: Any) -> float:
    if text is None:
        return 0
    found = parse_duration(text)
    if found is None:
        raise CommandError("'%s' is no length of time" % text, USAGE, lines=["such as 30d, 12h, 2w, 90m"])
    return found


def _show(found: List[Removed], target: Target, screen: Screen, *, is_all: bool) -> None:
    """List what would be removed, what was deleted last first."""
    if not found:
        screen.write_lines(["nothing in the trash of %s" % target.shown])
        return
    ages, names = _ages(target, screen), target.names()
    screen.write_lines([screen.own("trash of %s · %s" % (screen.clean(target.shown), _sum(found))), ""])
    rows = []
    for each in found:
        where = names.get(str(each.experiment_id), str(each.experiment_id))
        what = "all of experiment" if each.run_id is None else short_id(each.run_id)
        ago = "" if each.run_id is None else ages.get((str(each.experiment_id), each.run_id), "")
        rows.append((what, ago, numbers.size(each.size_bytes), screen.clean(where)))
    shown = rows if is_all else rows[:_MOST_SHOWN]
    widths = [max(texts.width_of(row[place]) for row in shown) for place in range(3)]
    for what, ago, size, where in shown:
        line = " %s  %s  %s  %s" % (texts.pad(what, widths[0]), ago.rjust(widths[1]), size.rjust(widths[2]), where)
        screen.write_lines([line])
    if len(rows) > len(shown):
        screen.write_lines([" %d more: -a" % (len(rows) - len(shown))])
    screen.write_lines([""])


def _ages(target: Target, screen: Screen) -> Dict[Tuple[str, str], str]:
    deleted = upkeep.list_deleted_runs(runs_dir=target.folder)
    return {
        (str(each.experiment_id), each.run_id): spans.age((screen.now_ms - each.deleted_time) / 1000)
        for each in reversed(deleted)  # of several of one id the one deleted last
    }


def _question(found: List[Removed]) -> str:
    return "Remove %s for good?" % _sum(found)


def _sum(found: List[Removed]) -> str:
    runs = sum(each.run_id is not None for each in found)
    parts = [numbers.counted(runs, "run")] if runs else []
    if len(found) > runs:
        parts.append(numbers.counted(len(found) - runs, "experiment"))
    return "%s, %s" % (" and ".join(parts), numbers.size(sum(each.size_bytes for each in found)))


def _documents(found: List[Removed], target: Target) -> List[Dict[str, Any]]:
    names = target.names()
    return [
        {
            "run_id": each.run_id, "experiment_id": str(each.experiment_id),
            "experiment": names.get(str(each.experiment_id), str(each.experiment_id)), "size_bytes": each.size_bytes,
        }
        for each in found
    ]  # fmt: skip
