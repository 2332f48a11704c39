"""Are the packs of an experiment whole, and is nothing left of what a kill broke off?

Rules S7 and Z1 to Z8 of docs/format.md. A pack never changes, so what lies in it is read to its last byte, and the
rules of the files in it are not asked again.
"""

from __future__ import annotations

import os
from hashlib import sha256

from .. import layout
from ..errors import BrokenFileError
from ..store import held_folder, lock_file, locks, mending, packed, packing, staging, zip_reading
from .findings import ERROR, WARNING
from .leftovers import is_old
from .shares import check_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

    from .findings import Faults

_MOST_RUNS = 1000
HIDDEN_S = 600.0  # who works on something of a temporary name has it locked; where there are no locks, time tells
_PATIENCE_S = 10.0


def check_packs(experiment: str, now: float, faults: Faults) -> int:
    """Look at the packs of an experiment; return how many runs lie in them.

    Args:
        experiment: Its folder.
        now: The time, in seconds since 1970.
        faults: Gets what is wrong.
    """
    folder = layout.packs_folder(experiment)
    if not os.path.lexists(folder):
        return 0
    if os.path.islink(folder):
        faults.add("Z4", ERROR, folder, "is a link, which is not followed: no packed run is read")
        return 0
    if not os.path.isdir(folder):
        faults.add("Z1", ERROR, folder, "is no folder, so nothing can be packed")
        return 0
    check_lock(os.path.join(folder, layout.LOCK), "Z8", "nothing can be packed", faults)
    runs = 0
    packs = packed.list_packs(experiment)
    for pack in packs:
        runs += _check_pack(experiment, pack, faults)
    _tell_left(experiment, folder, packs, now, faults)
    return runs


def check_staged(experiment: str, now: float, faults: Faults) -> None:
    """Tell of runs that a merge or an import was writing when a kill came (rule S7)."""
    hidden = _list_hidden(experiment, now)
    if hidden:
        text = "a merge or an import was broken off here"
        repair = "removes it: no run ever lay there under its name"
        path = os.path.join(experiment, hidden[0])
        faults.add("S7", WARNING, path, text, repair, lambda: staging.sweep(experiment))


def _check_pack(experiment: str, pack: str, faults: Faults) -> int:
    try:
        descriptor = zip_reading.open_archive(pack)
        try:
            digest = sha256(zip_reading.read_directory(descriptor, pack)).hexdigest()[:16]
        finally:
            os.close(descriptor)
        run_ids = packed.list_all_in(pack)
    except FileNotFoundError:
        return 0  # unpacked at this moment
    except (OSError, BrokenFileError) as error:
        faults.unreadable(pack, error, "Z2")
        return 0
    if not os.path.basename(pack).endswith("-%s%s" % (digest, layout.PACK_ENDING)):
        text = "its name does not end in the digits of its directory, %s: it was renamed or changed" % digest
        faults.add("Z1", WARNING, pack, text)
    if len(run_ids) > _MOST_RUNS:
        faults.add("Z1", WARNING, pack, "has %d runs, more than 1,000" % len(run_ids))
    there = packed.list_in(pack)
    for run_id in there:
        place = os.path.join(pack, run_id)
        try:
            for entry in packed.entries_of(place).values():
                for _ in packed.iter_content(pack, entry):
                    pass  # the last piece comes when all of it proved sound
        except FileNotFoundError:
            return 0
        except (OSError, BrokenFileError) as error:
            faults.unreadable(place, error, "Z3")
            break  # one bad place in an archive is told once
        if os.path.isdir(os.path.join(experiment, run_id)):
            faults.add(
                "Z5", WARNING, place, "lies as a folder, too, and that counts: packing or unpacking was broken off"
            )
    return len(there)


def _tell_left(experiment: str, folder: str, packs: List[str], now: float, faults: Faults) -> None:
    """Tell of what the next one who packs would remove (rule Z8)."""
    left = _list_hidden(folder, now)
    prefixes = {layout.out_mark(os.path.basename(pack), "").partition("~")[0] for pack in packs}
    names = sorted(os.listdir(folder))
    left += [name for name in names if layout.is_out_mark(name) and name.partition("~")[0] not in prefixes]
    if left:
        text = "packing or unpacking was broken off: %d such names are left" % len(left)
        path = os.path.join(folder, left[0])
        faults.add(
            "Z8", WARNING, path, text, "removes them: each run lies elsewhere, whole", lambda: _sweep(experiment)
        )


def _sweep(experiment: str) -> None:
    lock = os.path.join(layout.packs_folder(experiment), layout.LOCK)
    with lock_file.locked(lock, "the packs", _PATIENCE_S):
        packing.sweep(experiment)


def _list_hidden(folder: str, now: float) -> List[str]:
    """Return the temporary names in a folder, of folders and of archives, that nobody works on."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not mending.is_leftover(entry.name):
                continue
            state = entry.stat(follow_symlinks=False)
            is_pack = os.path.basename(folder) == layout.PACKS
            if (held_folder.is_folder(state) or is_pack) and is_old(state, now, HIDDEN_S) and _is_free(entry.path):
                found.append(entry.name)
    return sorted(found)


def _is_free(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return True
    try:
        locked = locks.try_lock(descriptor, shared=True)
        locks.unlock(descriptor)
    finally:
        os.close(descriptor)
    return locked is not False
