"""Has a run, or the folder of an experiment, changed since it was read? Told by stats, for equality only.

What is replaced, added or removed shows in the times of the folder that holds it; what is edited in place shows in the
file's own. Times are never compared by size: clocks of disks go wrong, and those of copied files go back.
"""

from __future__ import annotations

import os
import stat
from collections import namedtuple

from .. import layout
from ..store import presence
from .digests import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Optional, Sequence

_KINDS = (layout.PARAMS, layout.METRICS, layout.TAGS)
# What changed so lately may change again within the same tick of the disk's clock, and look as before. Clocks of disks
# may be off by less than this; where one is off by more, the sweep comes by.
RECENT_MS = 60000
_DEEPEST = 40  # folders within each other, such as a key of MLflow's makes


class Look(namedtuple("Look", ["stamp", "changed_ms"])):
    """How something looked.

    Attributes:
        stamp: Another one after a change, but for one within the same tick of the disk's clock.
        changed_ms: The newest change that the disk's clock has noted there, in milliseconds since 1970.
    """

    __slots__ = ()

    stamp: bytes
    changed_ms: int


def look_at_folders(folder: str) -> Look:
    """Look at the folders of a run and at who writes it: all that shows of a run that has ended, at some 30 µs.

    The stamp begins with that of ``look_at_run``.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    try:
        state = os.stat(folder)
    except FileNotFoundError:
        return _look_at_pack(folder)
    own = _look([_text(state)], state.st_ctime_ns)
    states: List[bytes] = []
    newest = state.st_ctime_ns
    for kind in _KINDS:
        newest = max(newest, _add(os.path.join(folder, kind), states))
    newest = max(newest, _add(os.path.join(folder, layout.OWNER), states))
    writers = _add(os.path.join(folder, layout.WRITERS), states)
    newest = max(newest, writers)
    if writers:
        from ..store import folders  # runs that have ended do without

        for part in folders.list_parts(folder)[1:]:
            states.append(part.name.encode("utf-8", "surrogateescape"))
            for name in ("", *_KINDS, layout.OWNER):
                newest = max(newest, _add(os.path.join(part.folder, name), states))
    look = _look(states, newest)
    return look._replace(stamp=own.stamp + look.stamp)


def look_at_run(folder: str) -> bytes:
    """Return the stamp of the folder of a run alone, at some 6 µs: what we change in a run that has ended shows (X1).

    Raises:
        FileNotFoundError: There is no such folder.
    """
    try:
        return _stamp(_text(os.stat(folder)))
    except FileNotFoundError:
        return _look_at_pack(folder).stamp


def look_at_runs(home: str, names: Sequence[str]) -> Iterator[Optional[bytes]]:
    """Yield what ``look_at_run`` returns of many runs of a folder, None for one that cannot be looked at.

    Whoever starts a run among 100,000 has all of them looked at: here each costs little more than its stat.
    """
    home = os.path.join(home, "")
    for name in names:
        try:
            yield look_at_run(home + name)
        except OSError:
            yield None


def look_at_files(folder: str) -> Look:
    """Look at every file of a run but its artifacts, which also shows what is edited in place.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    try:
        state = os.stat(folder)
    except FileNotFoundError:
        return _look_at_pack(folder)
    states = [_text(state)]
    newest = state.st_ctime_ns
    left = [(folder, 0)]
    while left:
        inside, depth = left.pop()
        try:
            with os.scandir(inside) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            continue  # gone meanwhile, or closed to us: its stats stand there already
        for entry in entries:
            if depth == 0 and entry.name == layout.ARTIFACTS:
                continue
            try:
                state = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            states.append(entry.name.encode("utf-8", "surrogateescape") + b"%d" % state.st_size + _text(state))
            newest = max(newest, state.st_ctime_ns)
            if stat.S_ISDIR(state.st_mode) and depth < _DEEPEST:
                left.append((entry.path, depth + 1))
    return _look(states, newest)


def look_at_experiment(folder: str) -> Look:
    """Look at the folder of an experiment: which runs there are, and whether one that had ended was changed by us (X1).

    Raises:
        FileNotFoundError: There is no such folder.
    """
    state = os.stat(folder)
    states = [_text(state)]
    newest = max(state.st_ctime_ns, _add(layout.packs_folder(folder), states))
    return _look(states, newest)


def _look_at_pack(folder: str) -> Look:
    """Look at the pack that a run lies in, which never changes in place.

    Raises:
        FileNotFoundError: It lies in none.
    """
    place = presence.place_of(folder)
    state = os.stat(folder if place == folder else os.path.dirname(place))
    return _look([_text(state)], state.st_ctime_ns)


def _add(path: str, states: List[bytes]) -> int:
    """Add how a file or folder looks; return when it changed last, 0 where there is none."""
    try:
        state = os.stat(path)
    except OSError:
        states.append(b"-")
        return 0
    states.append(_text(state))
    return state.st_ctime_ns


def _text(state: os.stat_result) -> bytes:
    return b"%d,%d,%d;" % (state.st_mtime_ns, state.st_ctime_ns, state.st_ino)


def _look(states: List[bytes], newest_ns: int) -> Look:
    return Look(_stamp(b"".join(states)), newest_ns // 1000000)


def _stamp(states: bytes) -> bytes:
    return digest(states, 12)
