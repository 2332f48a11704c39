"""Where does the index of a store lie?

In the user's cache, never beside the runs: a store may be read-only, shared, or on a disk where locks do not hold. Only
in a folder that nobody else can write to or put something into.
"""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from time import time

from .. import config, errors
from ..store import machine, mounts
from .digests import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Optional, Tuple

_FOLDER = "mini-mlflow"
_ENDING = ".sqlite"
_MOUNTS = "/proc/self/mountinfo"
# Theirs are on this machine, too, though the numbers of their devices do not say so: a container's own disk, and btrfs,
# where each subvolume has a number of its own.
_LOCAL_KINDS = frozenset(["overlay", "btrfs"])
_OLD_S = 90 * 86400


def is_available() -> bool:
    """Tell whether this Python has what an index needs: some are built without SQLite."""
    try:
        import sqlite3  # noqa: F401
    except ImportError:
        return False
    return True


def find_place(runs_dir: str) -> Optional[str]:
    """Return the path of a store's index; None where it must stay in memory.

    The folder is made where there is none. The name is of this machine and this very folder, so that neither two
    machines that share a home, nor two containers that call different stores alike, meet in one index.

    Args:
        runs_dir: The store.

    Warns:
        StorageWarning: A folder of that name is there, but others could write to it. Once for each.
    """
    try:
        real = os.path.realpath(runs_dir)
        state = os.stat(real)
    except (OSError, ValueError):
        return None
    what = "\0".join([config.host_name(), real, str(state.st_dev), str(state.st_ino)])
    name = digest(what.encode("utf-8", "surrogatepass"), 16).hex() + _ENDING
    for parent, folder in _candidates():
        if _is_usable(parent, folder):
            path = os.path.join(folder, name)
            if not os.path.lexists(path):
                _remove_old(folder)
            return path
    return None


def _candidates() -> Iterator[Tuple[str, str]]:
    """Yield the folders that may hold indexes, each with the one that it lies in."""
    cache = config.cache_folder()
    if cache is not None:
        yield cache, os.path.join(cache, _FOLDER)
    temporary = config.temporary_folder()
    user = "-%d" % os.geteuid() if hasattr(os, "geteuid") else ""
    yield temporary, os.path.join(temporary, _FOLDER + user)


def _is_usable(parent: str, folder: str) -> bool:
    """Tell whether a folder is on a disk of this machine, ours, and closed to others; make it where there is none."""
    try:
        _make(parent)
        above = os.stat(parent)
        if not _is_local(parent, above.st_dev):
            return False
        _make(folder)
        state = os.lstat(folder)
    except OSError:
        return False
    reason = _danger(above, state)
    if reason is not None:
        _warn_once(folder, reason)
        return False
    if stat.S_IMODE(state.st_mode) & 0o077 and hasattr(os, "geteuid"):
        try:
            os.chmod(folder, 0o700)
        except OSError:
            return False
    return os.access(folder, os.W_OK | os.X_OK) and _is_local(folder, state.st_dev)


def _make(folder: str) -> None:
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass


def _danger(above: os.stat_result, state: os.stat_result) -> Optional[str]:
    """Return why others could have a hand in a folder, None where they cannot."""
    if not stat.S_ISDIR(state.st_mode):
        return "it is a link or a file"
    if not hasattr(os, "geteuid"):
        return None  # Windows: the user's own by where it lies
    if state.st_uid != os.geteuid():
        return "it belongs to another user"
    if state.st_mode & 0o022:
        return "others can write to it"
    if above.st_uid not in (0, os.geteuid()):
        return "it lies in a folder of another user"
    if above.st_mode & 0o022 and not above.st_mode & stat.S_ISVTX:
        return "it lies in a folder that others can write to"
    return None


def _is_local(folder: str, device: int) -> bool:
    """Tell whether locks hold on a disk; where the system does not say, the name keeps machines apart."""
    if machine.is_local_device(device):
        return True
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
            return _kind_of(os.path.realpath(folder), file.read()) in _LOCAL_KINDS
    except OSError:
        return not os.path.exists(_MOUNTS)


def _kind_of(folder: str, mounts_text: str) -> str:
    """Return the kind of file system that a folder lies on, empty where that is not told."""
    mount = mounts.choose_mount(folder, mounts_text)
    return "" if mount is None else str(mount.kind)


@lru_cache(maxsize=64)
def _warn_once(folder: str, reason: str) -> None:
    message = "The index of runs is not kept in %s: %s. Remove it, or set XDG_CACHE_HOME to a folder of your own."
    errors.warn(message % (folder, reason), stacklevel=2)


def _remove_old(folder: str) -> None:
    """Remove indexes that nothing was written to for long, such as of stores that are gone."""
    try:
        with os.scandir(folder) as found:
            for each in found:
                is_ours = each.name.endswith(_ENDING) and each.is_file(follow_symlinks=False)
                if is_ours and each.stat(follow_symlinks=False).st_mtime < time() - _OLD_S:
                    os.remove(each.path)
    except OSError:
        pass
