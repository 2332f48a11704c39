"""How does a run that takes long to copy or to write come into a store whole, or not at all?

It is made under a hidden name in its experiment's folder, which no reader sees (rule S4 of docs/format.md), and gets
its place by one rename. A kill leaves the hidden folder; the next merge or import removes it.
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import contextmanager
from time import time

from .. import config, layout
from ..errors import RunExistsError
from . import documents, held_folder, locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Optional, Tuple

_HIDDEN = re.escape(layout.TEMPORARY) + "[0-9a-f]{16}"
_UNLOCKED_S = 24 * 3600.0  # where the disk has no locks, nobody works this long in one folder without naming it
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR)


@contextmanager
def staged(experiment_folder: str) -> Iterator[str]:
    """Lend an empty hidden folder in that of an experiment; what is left of it after the block is removed.

    Args:
        experiment_folder: It must be there.
    """
    path, descriptor = _make(experiment_folder)
    try:
        yield path
    finally:
        try:
            _remove(experiment_folder, os.path.basename(path))
        finally:
            if descriptor is not None:
                locks.unlock(descriptor)
                os.close(descriptor)


def publish(path: str, target: str) -> None:
    """Give what was staged its place, in one step; it is on the disk before.

    Args:
        path: What ``staged`` has lent, or a folder in it.
        target: Its place, on the same disk. What is there stays.

    Raises:
        RunExistsError: Something is there by now.
    """
    is_synced = config.sync_period_s() is not None
    if is_synced:
        _sync_folders(path)
    try:
        if os.path.lexists(target) and not _is_empty_folder(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
        os.rename(path, target)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        raise RunExistsError("There is something at %s by now, which stays." % target) from error
    if is_synced:
        documents.sync(os.path.dirname(target))


def sweep(experiment_folder: str) -> int:
    """Remove what was staged by processes that are gone; return how much that was."""
    count = 0
    try:
        with held_folder.hold(experiment_folder) as folder:
            entries = folder.list_entries()
    except OSError:
        return 0
    for name, state in entries:
        if re.fullmatch(_HIDDEN, name) and held_folder.is_folder(state):
            path = os.path.join(experiment_folder, name)
            descriptor = _open(path)
            try:
                locked = None if descriptor is None else locks.try_lock(descriptor)
                if locked is True or (locked is None and time() - state.st_mtime > _UNLOCKED_S):
                    _remove(experiment_folder, name)
                    count += 1
            finally:
                if descriptor is not None:
                    locks.unlock(descriptor)
                    os.close(descriptor)
    return count


def _make(experiment_folder: str) -> Tuple[str, Optional[int]]:
    """Make a hidden folder and lock it, so that nobody takes it for a dead one's; Windows locks no folder."""
    while True:
        path = os.path.join(experiment_folder, layout.TEMPORARY + os.urandom(8).hex())
        os.mkdir(path)
        descriptor = _open(path)
        if descriptor is None:
            return path, None
        if locks.try_lock(descriptor) is not False and held_folder.is_at(path, descriptor):
            return path, descriptor
        os.close(descriptor)  # somebody who sweeps was between our two calls


def _open(path: str) -> Optional[int]:
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_DIRECTORY", 0))
    except OSError:
        return None


def _is_empty_folder(path: str) -> bool:
    return held_folder.is_folder(os.lstat(path)) and not os.listdir(path)


def _remove(experiment_folder: str, name: str) -> None:
    try:
        with held_folder.hold(experiment_folder) as folder:
            if folder.find(name) is not None:
                folder.remove_tree(name)
    except FileNotFoundError:
        pass  # it has its place, or another has removed it


def _sync_folders(path: str) -> None:
    """Bring the names in a folder and in all below it to the disk; who wrote the files has synced those."""
    for folder, _, _ in os.walk(path, topdown=False):
        documents.sync(folder)
