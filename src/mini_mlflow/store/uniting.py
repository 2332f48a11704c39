"""How does a run come in from another store, or grow by what its copy there has more?

What a store has is never overwritten by what may be something else, and a kill leaves no half run: a new run, and a
new writer's share of one, come by one rename; a history that has gone on is replaced file by file, each by one rename,
and how the run stands (meta.yaml) last.
"""

from __future__ import annotations

import errno
import os
from collections import namedtuple

from .. import layout
from ..errors import ActiveRunError, RunExistsError
from ..records import Problem
from . import (
    carrying,
    folders,
    held_folder,
    kinship,
    meta,
    mlflow_layout,
    packed,
    presence,
    staging,
    touching,
    unowned,
    unpacking,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List, Tuple

    Parts = Tuple[str, ...]
    Advance = Callable[[int], None]

# What tells that theirs is the later state comes last: so a call that was stopped is gone on with by the next one. Who
# wrote (owner.json, with a sign of life that may be seconds old) comes after the word that the run has ended, or the
# next call would take ours for alive.
_ORDER = (layout.PARAMS, layout.TAGS, layout.ARTIFACTS, "", layout.METRICS, layout.META, layout.OWNER)
_LAST = _ORDER.index(layout.META)
_MOST_NUMBERS = 10000
ADDED, GROWN, SAME, LEFT = "added", "grown", "same", "left"


class United(namedtuple("United", ["outcome", "reason", "problems"])):
    """What became of a run.

    Attributes:
        outcome: ADDED, GROWN, SAME, or LEFT: passed over.
        reason: Why it was left, or what is to be said of it; empty for nothing.
        problems: What of it was left out, and what differs, which stays as ours is.
    """

    __slots__ = ()

    outcome: str
    reason: str
    problems: List[Problem]


def is_running(folder: str) -> bool:
    """Tell whether a run says that it is not over, whether or not somebody writes it.

    Raises:
        BrokenFileError: Its meta.yaml cannot be read.
        UnsupportedFormatError: It was written in a newer format.
    """
    fields, home = folders.read_meta(folder)
    if mlflow_layout.is_run(fields):
        fields = mlflow_layout.as_ours(fields, home)
    return fields.get("status") == "RUNNING"


def add_run(theirs: str, experiment_folder: str, name: str, advance: Advance) -> List[Problem]:
    """Copy a run to the folder of an experiment.

    Args:
        theirs: The run in the other store.
        experiment_folder: That of our experiment.
        name: What it is called there: its id.
        advance: Called with the bytes of each portion.

    Returns:
        What was left out: links, and what is neither file nor folder.

    Raises:
        RunExistsError: There is something of that name by now.
        OSError: The disk refused, or theirs cannot be read; nothing was added.
    """
    problems: List[Problem] = []
    with staging.staged(experiment_folder) as path:
        _copy(theirs, path, problems, advance)
        staging.publish(path, os.path.join(experiment_folder, name))
    return problems


def add_deleted(theirs: str, experiment_folder: str, run_id: str, advance: Advance) -> List[Problem]:
    """Copy a run from the trash of the other store to that of ours (rules T1 and T2); else as ``add_run``."""
    problems: List[Problem] = []
    trash = os.path.join(experiment_folder, layout.TRASH)
    os.makedirs(trash, exist_ok=True)
    with staging.staged(experiment_folder) as path:  # not in the trash: what is hidden there is taken for removed
        _copy(theirs, path, problems, advance)
        state = os.lstat(theirs)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        for number in range(1, _MOST_NUMBERS):
            target = os.path.join(trash, layout.trash_name(run_id, number))
            if os.path.lexists(target):
                continue
            try:
                staging.publish(path, target)
                return problems
            except RunExistsError:
                continue
    raise OSError(errno.EEXIST, "The trash has too many runs of this id; empty it with gc", trash)


def extend_run(theirs: str, ours: str, run_id: str, advance: Advance, *, is_dry: bool = False) -> United:
    """Give our copy of a run what theirs has more: shares of other writers, later rows, new params, tags and artifacts.

    A run of ours that lies in a pack stays there unless theirs has other files.

    Raises:
        OSError: The disk refused; what is there is whole, and the next call goes on.
    """
    if presence.is_packed(ours) or packed.split(theirs) is not None:
        return _extend_packed(theirs, ours, run_id, advance, is_dry=is_dry)
    try:
        with unowned.kept_still(ours, run_id, "merged into", original=theirs):
            kin = kinship.compare(theirs, ours)
            if not kin.is_one_run:
                return United(LEFT, kin.conflicts[0].reason, kin.problems + kin.conflicts)
            has_grown = bool(kin.missing or kin.later)
            if has_grown and not is_dry:
                with touching.Told(ours):
                    _take(theirs, ours, kin, advance)
    except ActiveRunError as error:
        return United(LEFT, str(error), [])
    return United(GROWN if has_grown else SAME, "", kin.problems + kin.conflicts)


def _extend_packed(theirs: str, ours: str, run_id: str, advance: Advance, *, is_dry: bool) -> United:
    """Do so where one of the two copies, or both, lie in a pack: out of it, unless their files are the same."""
    if _are_same_packed(theirs, presence.place_of(ours)):
        return United(SAME, "", [])
    if is_dry:
        return United(GROWN, "it lies in a pack with other files, which is looked at when they are brought in", [])
    presence.ensure_folder(ours)
    if packed.split(theirs) is None:
        return extend_run(theirs, ours, run_id, advance)
    with staging.staged(os.path.dirname(ours)) as path:
        unpacking.copy_out(theirs, path, advance)
        return extend_run(path, ours, run_id, advance)


def _are_same_packed(theirs: str, ours: str) -> bool:
    """Tell whether two copies of a run, one of them in a pack at least, have the same files with the same content."""
    archives = [(place, packed.entries_of(place)) for place in (theirs, ours) if packed.split(place) is not None]
    if len(archives) == 2:
        one, other = ({path: (each.size, each.checksum) for path, each in found.items()} for _, found in archives)
        return one == other
    (place, entries), folder = archives[0], ours if packed.split(theirs) is not None else theirs
    try:
        with held_folder.hold(folder) as held:
            return not unpacking.differs(held, entries, os.path.dirname(place))
    except FileNotFoundError:
        return False


def _take(theirs: str, ours: str, kin: kinship.Kinship, advance: Advance) -> None:
    there = {part.name for part in folders.list_parts(ours)}
    shares = sorted({parts[1] for parts in kin.missing if _is_in_share(parts) and parts[1] not in there})
    files = [parts for parts in kin.missing if not (_is_in_share(parts) and parts[1] in shares)]
    files = sorted(files + kin.later, key=_rank)
    for parts in files:
        if _rank(parts)[0] < _LAST:
            _take_file(theirs, ours, parts, kin, advance)
    for share in shares:
        _take_share(theirs, ours, share, kin, advance)
    for parts in files:
        if _rank(parts)[0] >= _LAST:
            _take_file(theirs, ours, parts, kin, advance)


def _take_file(theirs: str, ours: str, parts: Parts, kin: kinship.Kinship, advance: Advance) -> None:
    source = held_folder.descend(theirs, parts[:-1])
    with source, held_folder.descend(ours, parts[:-1], is_made=True) as target:
        if parts not in kin.later and target.find(parts[-1]) is not None:  # a disk that folds case has it so
            kin.conflicts.append(Problem(os.path.join(theirs, *parts), "this disk takes its name for another's"))
            return
        carrying.copy_file(source, parts[-1], target, advance)


def _take_share(theirs: str, ours: str, share: str, kin: kinship.Kinship, advance: Advance) -> None:
    writers = os.path.join(ours, layout.WRITERS)
    os.makedirs(writers, exist_ok=True)
    with staging.staged(os.path.dirname(ours)) as path:
        _copy(os.path.join(theirs, layout.WRITERS, share), path, kin.problems, advance)
        staging.publish(path, os.path.join(writers, share))


def _copy(theirs: str, path: str, problems: List[Problem], advance: Advance) -> None:
    if packed.split(theirs) is not None:
        unpacking.copy_out(theirs, path, advance)
        return
    with held_folder.hold(theirs) as source, held_folder.hold(path) as target:
        carrying.copy_folder(source, target, problems, advance)
    meta_path = os.path.join(path, layout.META)
    if os.path.exists(meta_path):
        meta.check_format(meta.read_meta(meta_path), meta_path)


def _is_in_share(parts: Parts) -> bool:
    return parts[0] == layout.WRITERS and len(parts) > 2 and not parts[1].startswith(".")


def _rank(parts: Parts) -> Tuple[int, Parts]:
    inner = parts[2:] if _is_in_share(parts) else parts
    return _ORDER.index(inner[0] if inner[0] in _ORDER else ""), parts
