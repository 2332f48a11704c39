"""What lies in the packs of an experiment, told as if the runs in them were folders?

A run in a pack has the path ``<experiment>/.packs/<pack>.zip/<run_id>``, and its files lie below it. Rules Z1 to Z4 of
docs/format.md.
"""

from __future__ import annotations

import os
import stat
import warnings
from collections import namedtuple
from functools import lru_cache
from time import time

from .. import layout
from ..errors import BrokenFileError, StorageWarning
from . import zip_reading
from .zip_reading import SINCE_1601, broken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, FrozenSet, Iterator, List, Mapping, Optional, Tuple

    from .zip_reading import Entry

    Runs = Dict[str, Dict[str, Entry]]
    Identity = Tuple[int, int, int, int]

_MARK = os.sep + layout.PACKS + os.sep
_TICK_S = 2.0  # of the coarsest clock of a disk
_PACKS_KEPT = 16  # directories of packs in memory: one of a thousand runs takes 7 MB there


class Place(namedtuple("Place", ["pack", "run_id", "inside"])):
    """What a path within a pack means.

    Attributes:
        pack: The archive.
        run_id: The run in it, empty for the archive itself.
        inside: The path from the run's folder on, with ``/``; empty for that folder.
    """

    __slots__ = ()

    pack: str
    run_id: str
    inside: str


def split(path: str) -> Optional[Place]:
    """Return what a path within a pack means, None for a path that leads into none."""
    if _MARK not in path:
        return None
    start = path.find(_MARK)
    while start >= 0:
        begin = start + len(_MARK)
        name, _, rest = path[begin:].partition(os.sep)
        if name.endswith(layout.PACK_ENDING) and rest:
            run_id, _, inside = rest.partition(os.sep)
            return Place(path[:begin] + name, run_id, inside.replace(os.sep, "/"))
        start = path.find(_MARK, start + 1)
    return None


def find(run_folder: str) -> Optional[str]:
    """Return where a run lies in a pack of its experiment, None where it lies in none."""
    experiment, run_id = os.path.split(run_folder)
    return list_runs(experiment).get(run_id)


def find_surely(run_folder: str) -> Optional[str]:
    """Return what ``find`` does, for who would make a new run where there is none.

    A pack that nobody can read, or we may not, counts as not having the run: then it is lost, or another user's.

    Raises:
        OSError: The disk did not answer, so nobody can know.
    """
    places = list_holding(run_folder)
    return places[0] if places else None


def list_holding(run_folder: str) -> List[str]:
    """Return every place that a run has in the packs of its experiment, those of copies among them.

    Raises:
        OSError: As ``find_surely``.
    """
    experiment, run_id = os.path.split(run_folder)
    found = []
    marks, packs = _look(layout.packs_folder(experiment))
    for pack in packs:
        try:
            has_it = run_id in _read_ids(pack, _identity(pack))
        except FileNotFoundError:
            continue  # unpacked at this moment
        except (PermissionError, BrokenFileError) as error:
            _warn(pack, error)
            continue
        if has_it and not _is_out(pack, run_id, marks):
            found.append(os.path.join(pack, run_id))
    return found


def list_runs(experiment_folder: str, report: Optional[Callable[[str, Exception], None]] = None) -> Mapping[str, str]:
    """Return the places of all runs in the packs of an experiment, by id. Leave it as it is.

    Args:
        experiment_folder: The experiment.
        report: Called with a pack that cannot be read, and why; None: it is warned of. Runs in the others are returned.

    Warns:
        StorageWarning: A pack cannot be read, and nobody takes the report.
    """
    folder = layout.packs_folder(experiment_folder)
    try:
        state = os.lstat(folder)
    except OSError:
        return {}
    # A folder that has just changed may do so again within the same tick of its clock, and look the same.
    if abs(time() - state.st_mtime) <= _TICK_S:
        return _gather(folder, report or _warn)
    try:
        return _read_places(folder, state.st_dev, state.st_ino, state.st_mtime_ns)
    except (OSError, BrokenFileError):  # which is not remembered: the next look may succeed
        return _gather(folder, report or _warn)


def list_packs(experiment_folder: str) -> List[str]:
    """Return the archives in which runs of an experiment lie, by name.

    Raises:
        OSError: The disk did not answer.
    """
    return _look(layout.packs_folder(experiment_folder))[1]


def list_in(pack: str) -> List[str]:
    """Return the ids of the runs that a pack holds and that are not out, in the order in which they lie there.

    Raises:
        OSError, BrokenFileError: It cannot be read.
    """
    marks, _ = _look(os.path.dirname(pack))
    return [run_id for run_id in _runs(pack) if not _is_out(pack, run_id, marks)]


def has(pack: str, run_id: str) -> bool:
    """Tell whether a pack holds a run that is not out; raises as ``list_in``."""
    marks, _ = _look(os.path.dirname(pack))
    return run_id in _runs(pack) and not _is_out(pack, run_id, marks)


def count_marks(pack: str) -> int:
    """Return how many marks lie beside a pack, those of others among them."""
    return len(_look(os.path.dirname(pack))[0])


def list_all_in(pack: str) -> List[str]:
    """Return the ids of all runs that a pack holds, those that are out among them; raises as ``list_in``."""
    return list(_runs(pack))


def read(path: str, limit: int) -> bytes:
    """Return the content of a file in a pack of at most *limit* bytes.

    Raises:
        FileNotFoundError: There is none.
        BrokenFileError: It is larger, or damaged.
    """
    pack, entry = get_entry(path)
    if entry.name.endswith(b"/"):
        raise broken(path, "it is not a regular file")
    if entry.size > limit:
        raise broken(path, "it has %d bytes, at most %d are read" % (entry.size, limit))
    return b"".join(iter_content(pack, entry))


def iter_content(pack: str, entry: Entry) -> Iterator[bytes]:
    """Yield the bytes of a file in a pack, piece by piece.

    Raises:
        FileNotFoundError: The pack is gone.
        BrokenFileError: It is damaged.
    """
    descriptor = zip_reading.open_archive(pack)
    try:
        yield from zip_reading.iter_content(descriptor, entry, pack)
    finally:
        os.close(descriptor)


def get_entry(path: str) -> Tuple[str, Entry]:
    """Return the archive and what it holds at a path within it.

    Raises:
        FileNotFoundError: There is nothing at that path but a folder, or nothing at all.
        BrokenFileError: The archive cannot be read.
    """
    place = split(path)
    if place is None:
        raise FileNotFoundError(2, os.strerror(2), path)
    entry = _runs(place.pack).get(place.run_id, {}).get(place.inside or "/")
    if entry is None:
        raise FileNotFoundError(2, os.strerror(2), path)
    return place.pack, entry


def list_names(path: str) -> List[str]:
    """Return the names in a folder within a pack, sorted, as ``os.listdir`` does.

    Raises:
        FileNotFoundError: There is no such folder.
        BrokenFileError: The archive cannot be read.
    """
    place = split(path)
    tree = None if place is None else _tree(place.pack, _identity(place.pack), place.run_id)
    if place is None or tree is None or place.inside not in tree:
        raise FileNotFoundError(2, os.strerror(2), path)
    return tree[place.inside]


def is_folder(path: str) -> bool:
    """Tell whether there is a folder at a path within a pack."""
    try:
        list_names(path)
        return True
    except (OSError, BrokenFileError):
        return False


def state_of(path: str) -> os.stat_result:
    """Return of a file or folder within a pack what ``os.lstat`` would say: kind, permissions, size and times.

    Raises:
        FileNotFoundError: There is none.
        BrokenFileError: The archive cannot be read.
    """
    try:
        pack, entry = get_entry(path)
    except FileNotFoundError:
        list_names(path)
        place = split(path)
        assert place is not None  # else nothing has names there
        there = os.lstat(place.pack)
        return _state(stat.S_IFDIR | 0o777, 0, there.st_mtime_ns, there)
    is_folder = entry.name.endswith(b"/")
    mode = (stat.S_IFDIR if is_folder else stat.S_IFREG) | (entry.mode or 0o666)
    return _state(mode, entry.size, (entry.time - SINCE_1601) * 100, os.lstat(pack))


def entries_of(place: str) -> Dict[str, Entry]:
    """Return what a pack holds of a run, by path.

    Args:
        place: The run's, as ``find`` gives it.

    Raises:
        FileNotFoundError: It does not hold the run, or is gone.
        BrokenFileError: It cannot be read.
    """
    pack, run_id = os.path.split(place)
    run = _runs(pack).get(run_id)
    if run is None:
        raise FileNotFoundError(2, os.strerror(2), place)
    return run


@lru_cache(maxsize=64)
def _read_places(folder: str, *_: int) -> Mapping[str, str]:
    """Return the places of all runs in a folder of packs; what identifies its content follows."""
    return _gather(folder, _raise)


def _gather(folder: str, report: Callable[[str, Exception], None]) -> Mapping[str, str]:
    """Return the places of all runs in a folder of packs; *report* is told what cannot be read."""
    found: Dict[str, str] = {}
    try:
        marks, packs = _look(folder)
    except OSError as error:
        report(folder, error)
        return found
    for pack in packs:
        try:
            run_ids = _read_ids(pack, _identity(pack))
        except FileNotFoundError:
            continue  # unpacked at this moment
        except (OSError, BrokenFileError) as error:
            report(pack, error)
            continue
        for run_id in run_ids:
            if not _is_out(pack, run_id, marks):
                found.setdefault(run_id, os.path.join(pack, run_id))
    return found


def _look(folder: str) -> Tuple[FrozenSet[str], List[str]]:
    """Return the marks and the archives in a folder of packs; none where that is a link, which is not followed.

    Raises:
        OSError: The disk did not answer.
    """
    try:
        is_folder = stat.S_ISDIR(os.lstat(folder).st_mode)
        names = sorted(os.listdir(folder)) if is_folder else []
    except FileNotFoundError:
        names = []
    packs = [name for name in names if name.endswith(layout.PACK_ENDING) and not name.startswith(".")]
    return frozenset(filter(layout.is_out_mark, names)), [os.path.join(folder, name) for name in packs]


def _is_out(pack: str, run_id: str, marks: FrozenSet[str]) -> bool:
    return bool(marks) and layout.out_mark(os.path.basename(pack), run_id) in marks


def _warn(path: str, error: Exception) -> None:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    message = "The runs in a pack cannot be read: %s: %s." % (path, reason)
    warnings.warn(message, StorageWarning, stacklevel=2)


def _raise(_: str, error: Exception) -> None:
    raise error


def _runs(pack: str) -> Runs:
    return _read_runs(pack, _identity(pack))


def _identity(pack: str) -> Identity:
    """Return what tells one archive from the next of its name; a pack is never changed in place."""
    state = os.lstat(pack)
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns


@lru_cache(maxsize=_PACKS_KEPT)
def _read_runs(pack: str, _: Identity) -> Runs:
    descriptor = zip_reading.open_archive(pack)
    try:
        return zip_reading.read_runs(descriptor, pack)
    finally:
        os.close(descriptor)


@lru_cache(maxsize=4096)
def _read_ids(pack: str, _: Identity) -> FrozenSet[str]:
    """Return the ids of the runs that a pack claims to hold: a tenth of the cost of reading its directory with care."""
    descriptor = zip_reading.open_archive(pack)
    try:
        return zip_reading.read_ids(descriptor, pack)
    finally:
        os.close(descriptor)


@lru_cache(maxsize=256)
def _tree(pack: str, identity: Identity, run_id: str) -> Optional[Dict[str, List[str]]]:
    """Return the sorted names in each folder of a run in a pack, None where it has no such run."""
    run = _read_runs(pack, identity).get(run_id)
    if run is None:
        return None
    tree: Dict[str, List[str]] = {"": []}
    for name in run:
        path = name.rstrip("/")
        if name.endswith("/"):
            tree.setdefault(path, [])
        while path:
            parent, _, last = path.rpartition("/")
            is_known = parent in tree
            tree.setdefault(parent, []).append(last)
            if is_known and parent:
                break
            path = parent
    return {folder: sorted(set(names)) for folder, names in tree.items()}


def _state(mode: int, size: int, mtime_ns: int, there: os.stat_result) -> os.stat_result:
    seconds = mtime_ns / 1e9
    whole = int(seconds)
    numbers = (mode, there.st_ino, there.st_dev, 1, there.st_uid, there.st_gid, size, whole, whole, whole)
    more = {"st_atime": seconds, "st_mtime": seconds, "st_ctime": seconds}
    more.update(st_atime_ns=mtime_ns, st_mtime_ns=mtime_ns, st_ctime_ns=mtime_ns)
    return os.stat_result(numbers, more)
