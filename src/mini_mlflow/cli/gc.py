"""``mini-mlflow gc``: what is in the trash, and how is it removed for good?"""

from __future__ import annotations

from time import time

from .. import upkeep
from ..query.times import parse_duration
from ..store import reader
from . import numbers, spans, tables, titles
from .changing import confirm
from .chosen import id_beside, title_of
from .failures import DONE, NO, USAGE, CommandError
from .options import add_yes
from .target import find_target
from .which import which_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    from ..records import DeletedRun, Removed
    from .options import Parser
    from .screen import Screen
    from .target import Target

    Names = Dict[Tuple[str, str], Optional[str]]

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
    deleted = upkeep.list_deleted_runs(runs_dir=target.folder)
    looked_at = time()
    found = upkeep.gc(older_than_s, dry_run=True, experiment_ids=ids, runs_dir=target.folder)
    names = _names(found, deleted) if screen.is_json else {}  # before they are gone
    passed_over = len(screen.warnings)
    is_wanted = bool(found) and not arguments.dry_run
    if not screen.is_json:
        _show(found, deleted, target, screen, is_all=arguments.all)
    if is_wanted and not confirm(_question(found), arguments, screen):
        return DONE
    removed: List[Removed] = []
    if is_wanted or (arguments.yes and not arguments.dry_run):
        # Nothing that was deleted since the look: nobody has been asked about that.
        age_s = max(older_than_s, time() - looked_at)
        removed = upkeep.gc(age_s, experiment_ids=ids, runs_dir=target.folder)
    if screen.is_json:
        there, gone = (_documents(each, names, target) for each in (found, removed))
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


def _show(
    found: List[Removed], deleted: List[DeletedRun], target: Target, screen: Screen, *, is_all: bool
) -> None:
    """List what would be removed, what was deleted last first."""
    if not found:
        screen.write_lines(["nothing in the trash of %s" % target.shown])
        return
    shown = found if is_all else found[:_MOST_SHOWN]
    ages, names, experiment_names = _ages(deleted, screen), _names(shown, deleted), target.names()
    head = [titles.name("trash of " + target.shown, screen), titles.fact(_sum(found), screen)]
    screen.write_lines([titles.fit(head, screen), ""])
    rows = []
    for each in shown:
        where = experiment_names.get(str(each.experiment_id), str(each.experiment_id))
        run = (str(each.experiment_id), each.run_id or "")
        title = "all of experiment" if each.run_id is None else title_of(names.get(run), each.run_id)
        row = (title, id_beside(names.get(run), run[1]), ages.get(run, ""), numbers.size(each.size_bytes), where)
        rows.append([screen.clean(cell) for cell in row])
    runs, ids, ago, sizes, places = map(list, zip(*rows))
    columns = [
        tables.column("name", runs, shrinks="middle"), *([tables.column("id", ids, drops=3.0)] if any(ids) else []),
        tables.column("deleted", ago, is_right=True, drops=2.0), tables.column("size", sizes, is_right=True),
        tables.column("experiment", places, shrinks="middle", drops=1.0),
    ]  # fmt: skip
    screen.write_lines(tables.render(columns, screen)[0])
    if len(found) > len(shown):
        screen.write_lines([" %d more: -a" % (len(found) - len(shown))])
    screen.write_lines([""])


def _ages(deleted: List[DeletedRun], screen: Screen) -> Dict[Tuple[str, str], str]:
    return {
        (str(each.experiment_id), each.run_id): spans.age((screen.now_ms - each.deleted_time) / 1000)
        for each in reversed(deleted)  # of several of one id the one deleted last
    }


def _names(found: List[Removed], deleted: List[DeletedRun]) -> Names:
    """Return the names of runs in the trash, by experiment and id; of one that cannot be read there is none."""
    folders = {(str(each.experiment_id), each.run_id): each.folder for each in reversed(deleted)}
    wanted = [(str(each.experiment_id), each.run_id) for each in found if each.run_id is not None]
    names: Names = {}
    for each in wanted:
        fields = reader.read_metadata(folders[each], []) if each in folders else {}
        names[each] = fields.get("name")
    return names


def _question(found: List[Removed]) -> str:
    return "Remove %s for good?" % _sum(found)


def _sum(found: List[Removed]) -> str:
    runs = sum(each.run_id is not None for each in found)
    parts = [numbers.counted(runs, "run")] if runs else []
    if len(found) > runs:
        parts.append(numbers.counted(len(found) - runs, "experiment"))
    return "%s, %s" % (" and ".join(parts), numbers.size(sum(each.size_bytes for each in found)))


def _documents(found: List[Removed], names: Names, target: Target) -> List[Dict[str, Any]]:
    experiment_names = target.names()
    return [
        {
            **which_run(
                each.run_id,
                None if each.run_id is None else names.get((str(each.experiment_id), each.run_id)),
                each.experiment_id,
                experiment_names,
            ),
            "size_bytes": each.size_bytes,
        }
        for each in found
    ]
