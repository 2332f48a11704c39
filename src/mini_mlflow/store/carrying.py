"""How are the files of a run copied from one store to another, with their times and without following a link?

A file's modification time goes with it: that of owner.json is a heartbeat (rule L2 of docs/format.md), and that of a
meta.yaml of format 0 orders runs (S6).
"""

from __future__ import annotations

import errno
import os

from .. import config, layout
from ..records import Problem
from . import documents, held_folder
from .copying import copy_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Optional, Tuple

    from .held_folder import HeldFolder

    Parts = Tuple[str, ...]
    Advance = Callable[[int], None]
    FindFault = Callable[[str], Optional[str]]

_DEEPEST = 200  # folders within each other; each is open while what lies in it is looked at


def copy_folder(
    source: HeldFolder,
    target: HeldFolder,
    problems: List[Problem],
    advance: Advance,
    find_fault: FindFault = lambda _: None,
) -> None:
    """Copy all files in a folder and in those below it; what is no file and no folder is left out and told.

    Args:
        source: From where.
        target: To where: an empty folder of ours that nobody else writes.
        problems: Gets what is left out, and why.
        advance: Called with the bytes of each portion.
        find_fault: Returns why a name is not to be copied, None where it is.

    Raises:
        OSError: The disk refused.
    """
    _copy_folder(source, target, problems, advance, find_fault, 0)


def copy_file(source: HeldFolder, name: str, target: HeldFolder, advance: Advance) -> None:
    """Copy a file to another folder, whole from the moment that it has its name there; one of that name is replaced.

    Raises:
        OSError: It is a link, no regular file, or became shorter; or the disk refused.
    """
    path = os.path.join(source.path, name)
    descriptor = source.open_file(name)
    try:
        state = os.fstat(descriptor)
        if not held_folder.is_file(state):
            raise OSError(errno.EINVAL, "It is no regular file", path)
        temporary, copy = target.create_temporary(0o666 | state.st_mode & 0o111)
        try:
            try:
                if state.st_size and copy_content(descriptor, copy, state.st_size, advance) < state.st_size:
                    raise OSError(errno.EIO, "It became shorter while it was copied", path)
                if config.sync_period_s() is not None:
                    documents.sync_descriptor(copy)
                _keep_time(copy, os.path.join(target.path, temporary), state)
            finally:
                os.close(copy)
            target.move(temporary, target, name)
        except BaseException:
            _unlink_quietly(target, temporary)
            raise
    finally:
        os.close(descriptor)


def list_files(folder: HeldFolder, problems: List[Problem]) -> Dict[Parts, os.stat_result]:
    """Return every file in a folder and below, by the parts of its path from there; what is none is told."""
    found: Dict[Parts, os.stat_result] = {}
    _list_into(found, folder, (), problems)
    return found


def is_carried(name: str) -> bool:
    """Tell whether a name of a run's folder belongs to the run: no unfinished file, no lock, no remains of NFS."""
    return not name.startswith((layout.TEMPORARY, ".nfs")) and name != layout.LOCK


def _copy_folder(
    source: HeldFolder,
    target: HeldFolder,
    problems: List[Problem],
    advance: Advance,
    find_fault: FindFault,
    depth: int,
) -> None:
    for name, state in source.list_entries():
        if not is_carried(name):
            continue
        path = os.path.join(source.path, name)
        fault = find_fault(name)
        if fault:
            problems.append(Problem(path, fault))
        elif held_folder.is_folder(state) and depth < _DEEPEST:
            target.make(name)
            with source.enter(name) as inside, target.enter(name) as copy:
                _copy_folder(inside, copy, problems, advance, find_fault, depth + 1)
        elif held_folder.is_file(state):
            copy_file(source, name, target, advance)
        else:
            problems.append(Problem(path, _fault(state)))


def _list_into(found: Dict[Parts, os.stat_result], folder: HeldFolder, above: Parts, problems: List[Problem]) -> None:
    for name, state in folder.list_entries():
        if not is_carried(name):
            continue
        if held_folder.is_folder(state) and len(above) < _DEEPEST:
            with folder.enter(name) as inside:
                _list_into(found, inside, (*above, name), problems)
        elif held_folder.is_file(state):
            found[(*above, name)] = state
        else:
            problems.append(Problem(os.path.join(folder.path, name), _fault(state)))


def _fault(state: os.stat_result) -> str:
    if held_folder.is_link(state):
        return "it is a link, which is not followed"
    if held_folder.is_folder(state):
        return "it lies more than %d folders deep" % _DEEPEST
    return "it is neither a file nor a folder"


def _keep_time(descriptor: int, path: str, state: os.stat_result) -> None:
    place = descriptor if os.utime in os.supports_fd else path
    os.utime(place, ns=(state.st_atime_ns, state.st_mtime_ns))


def _unlink_quietly(folder: HeldFolder, name: str) -> None:
    try:
        folder.unlink(name)
    except OSError:
        pass  # it stays under a name that nobody reads, until the next owner of the folder sweeps it
