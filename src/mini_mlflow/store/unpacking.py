"""How does a run come out of its pack again?

Rules Z4, Z6 and Z8 of docs/format.md.
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import contextmanager
from itertools import count
from time import monotonic, sleep

from .. import layout
from ..errors import BrokenFileError, RunExistsError
from . import documents, held_folder, kinship, locks, packed, staging
from .zip_reading import SINCE_1601, broken, open_archive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterator, Optional, Set

    from .zip_reading import Entry

    Advance = Callable[[int], None]

_PATIENCE_S = 60.0
_ATTEMPTS = 10
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR)
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
# What Windows makes of such a part of a path: another name, a stream of another file, or a device.
_UNFIT_ON_WINDOWS = r'(?i).*[<>:"|?*].*|.*[. ]|(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?'


def _pass(_: int) -> None:
    """Take no note of how far it is."""


def unpack_run(run_folder: str, advance: Advance = _pass) -> bool:
    """Make a run a folder again; where it is one, see to it that no pack counts as having it. Tell if it was unpacked.

    Whoever comes first does it, the others wait. Killed at any step the run is in its pack as before, or a folder.

    Args:
        run_folder: The folder it has, or will have.
        advance: Called with the number of bytes of each portion that is done.

    Raises:
        OSError: The disk refused; the run is in its pack as before.
        BrokenFileError: The pack is damaged.
    """
    is_unpacked, fresh = False, None
    for _ in range(_ATTEMPTS):
        if not os.path.isdir(run_folder):
            place = packed.find_surely(run_folder)
            if place is None:
                return is_unpacked
            try:
                with alone_with(os.path.dirname(place)):
                    if not os.path.isdir(run_folder) and _unpack(place, run_folder, advance):
                        is_unpacked, fresh = True, place
            except FileNotFoundError:
                continue  # another has unpacked the last run of this pack, and removed it
        if _mark_out(run_folder, fresh):
            return is_unpacked
    raise OSError(errno.EBUSY, "It is packed and unpacked by others again and again", run_folder)


def copy_out(place: str, folder: str, advance: Advance = _pass) -> None:
    """Write the files of a run in a pack into an empty folder, on the disk, and compare them with the pack.

    Args:
        place: Where the run lies in the pack.
        folder: The folder, which nobody else sees.
        advance: Called with the number of bytes of each portion that is done.

    Raises:
        OSError: The disk refused.
        BrokenFileError: The pack is damaged.
    """
    pack = os.path.dirname(place)
    entries = packed.entries_of(place)
    with held_folder.hold(folder) as target:
        _extract(target, entries, pack, advance)
        reason = differs(target, entries, pack)
    if reason:
        raise broken(pack, "what came out of it is not what is in it: %s" % reason)


def differs(folder: held_folder.HeldFolder, entries: Dict[str, Entry], pack: str) -> str:
    """Compare a run's folder with what a pack holds of it, every byte; return what differs, empty if nothing does.

    Args:
        folder: The run.
        entries: What the pack holds of it, as ``packed.entries_of`` returns it.
        pack: The archive.

    Raises:
        OSError: A file cannot be read.
        BrokenFileError: The pack is damaged.
    """
    left = dict(entries)
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with enter(folder, inside) as here:
            found = here.list_entries()
            if not found and inside and inside + "/" not in left:
                return "the folder %s is not in the pack" % inside
            left.pop(inside + "/", None)
            for name, state in found:
                path = "%s/%s" % (inside, name) if inside else name
                if held_folder.is_folder(state):
                    waiting.append(path)
                    continue
                entry = left.pop(path, None)
                if entry is None:
                    return "%s is not in the pack" % path
                if not held_folder.is_file(state) or state.st_size != entry.size:
                    return "%s is another one in the pack" % path
                if not _is_same(here, name, entry, pack):
                    return "%s is another one in the pack" % path
    return "%s is in the pack alone" % min(left) if left else ""


def retire(pack: str) -> bool:
    """Remove a pack all of whose runs are out, and its marks; tell whether it was so. Be alone with the pack for it.

    Raises:
        OSError: The disk refused.
    """
    try:
        runs = packed.list_all_in(pack)
        if packed.count_marks(pack) < len(runs) or packed.list_in(pack):
            return False
    except (OSError, BrokenFileError):
        return False
    folder, name = os.path.split(pack)
    documents.sync(folder)  # the marks are what says that the pack is not needed
    _unlink(pack)
    documents.sync(folder)
    for run_id in runs:
        _unlink(os.path.join(folder, layout.out_mark(name, run_id)))
    return True


@contextmanager
def alone_with(pack: str) -> Iterator[Optional[bool]]:
    """Be the only one who takes runs out of a pack within the block, or puts them in; wait for others a minute.

    Gives True, False where others had it for so long, None where the disk has no locks. Without the lock nothing is
    lost (rule Z5), but twenty processes that go on with one run may unpack it twenty times.

    Raises:
        FileNotFoundError: There is no such pack any more.
    """
    descriptor = open_archive(pack)
    try:
        end = monotonic() + _PATIENCE_S
        is_ours = locks.try_lock(descriptor)
        while is_ours is False and monotonic() < end:
            sleep(0.002)
            is_ours = locks.try_lock(descriptor)
        yield is_ours
    finally:
        locks.unlock(descriptor)
        os.close(descriptor)


def tidy(experiment_folder: str) -> None:
    """Remove the folder of the packs where nothing but its lock lies in it. Hold that lock for it."""
    folder = layout.packs_folder(experiment_folder)
    try:
        if set(os.listdir(folder)) <= {layout.LOCK}:
            _unlink(os.path.join(folder, layout.LOCK))
            os.rmdir(folder)
            documents.sync(experiment_folder)
    except OSError:
        pass  # another has begun to pack


@contextmanager
def locked_temporary(folder: held_folder.HeldFolder, name: str) -> Iterator[bool]:
    """Show within the block that a temporary folder is being worked on: who sweeps leaves it alone (rule Z8).

    Tells whether it is ours: who sweeps may have come between its making and its locking.
    """
    path = os.path.join(folder.path, name)
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # Windows opens no folder
        yield os.path.isdir(path)
        return
    try:
        is_ours = locks.try_lock(descriptor) is not False
        yield is_ours and held_folder.is_at(path, descriptor)
    finally:
        locks.unlock(descriptor)
        os.close(descriptor)


def _unpack(place: str, run_folder: str, advance: Callable[[int], None]) -> bool:
    """Bring a run out of a pack; tell whether it was us, and not another process, who gave it its folder."""
    pack = os.path.dirname(place)
    entries = packed.entries_of(place)
    experiment, run_id = os.path.split(run_folder)
    with held_folder.hold(os.path.dirname(pack)) as packs, held_folder.hold(experiment) as above:
        try:
            is_ours = False
            while not is_ours:
                temporary = layout.TEMPORARY + os.urandom(8).hex()
                packs.make(temporary)
                with locked_temporary(packs, temporary) as is_ours:
                    if is_ours:
                        with packs.enter(temporary) as target:
                            _extract(target, entries, pack, advance)
                            reason = differs(target, entries, pack)
                        if reason:
                            raise broken(pack, "what came out of it is not what is in it: %s" % reason)
                        packs.move(temporary, above, run_id)
        except BaseException as error:
            if packs.find(temporary) is not None:
                packs.remove_tree(temporary)
            if isinstance(error, OSError) and error.errno in _TAKEN and os.path.isdir(run_folder):
                return False
            raise
    documents.sync(experiment)
    return True


def _extract(
    target: held_folder.HeldFolder, entries: Dict[str, Entry], pack: str, advance: Callable[[int], None]
) -> None:
    """Write the files of a run into a new folder, and all of it to the disk."""
    folders: Set[str] = {""}
    if "/" in entries:
        target.change_mode(0o700)
    for path in sorted(entries):
        _check_part(path, pack)
        inside, _, name = path.rpartition("/")
        _make(target, inside, folders)
        if name:  # else it is a folder
            with enter(target, inside) as folder:
                _write(folder, name, pack, entries[path], advance)
    for inside in sorted(folders, key=lambda each: (each.count("/"), each), reverse=True):
        entry = entries.get(inside + "/")
        with enter(target, inside) as folder:
            documents.sync(folder.path)
            if entry is not None and entry.mode:
                folder.change_mode(entry.mode)


def _make(target: held_folder.HeldFolder, path: str, folders: Set[str]) -> None:
    """Make a folder below *target*, and those above it."""
    if path in folders:
        return
    parent, _, name = path.rpartition("/")
    _make(target, parent, folders)
    with enter(target, parent) as folder:
        folder.make(name)
    folders.add(path)


def _write(folder: held_folder.HeldFolder, name: str, pack: str, entry: Entry, advance: Callable[[int], None]) -> None:
    """Write one file, as it is in the pack: content, permissions, time."""
    if folder.find(name) is not None:  # a disk that takes upper and lower case for one
        raise broken(pack, "this disk cannot tell %r from another file of the run" % name)
    temporary, descriptor = folder.create_temporary(0o600 if entry.mode else 0o666)
    try:
        for piece in packed.iter_content(pack, entry):
            documents.write_all(descriptor, piece)
            advance(len(piece))
        if entry.mode and hasattr(os, "fchmod"):
            os.fchmod(descriptor, entry.mode)
        if entry.time and os.utime in os.supports_fd:
            os.utime(descriptor, ns=((entry.time - SINCE_1601) * 100,) * 2)
        documents.sync_descriptor(descriptor)
    finally:
        os.close(descriptor)
    folder.move(temporary, folder, name)


def _check_part(path: str, pack: str) -> None:
    if documents.IS_WINDOWS and any(re.fullmatch(_UNFIT_ON_WINDOWS, part) for part in path.rstrip("/").split("/")):
        raise broken(pack, "Windows cannot have a file of the name %r" % path[:200])


def set_aside(place: str, run_folder: str) -> None:
    """Bring to the trash what a pack has of a run that is a folder, too, unless the folder has all of it (rule Z4).

    Else what was written to one of two copies of a store would be gone with the pack.

    Args:
        place: Where the run lies in the pack.
        run_folder: Its folder.

    Raises:
        OSError: The disk refused.
        BrokenFileError: The pack is damaged.
    """
    with held_folder.hold(run_folder) as folder:
        if not differs(folder, packed.entries_of(place), os.path.dirname(place)):
            return
    experiment, run_id = os.path.split(run_folder)
    with staging.staged(experiment) as path:
        copy = os.path.join(path, run_id)
        os.mkdir(copy)
        copy_out(place, copy)
        kin = kinship.compare(copy, run_folder)
        if kin.is_one_run and not (kin.missing or kin.later or kin.conflicts or kin.problems):
            return  # the folder goes on from it
        trash = os.path.join(experiment, layout.TRASH)
        os.makedirs(trash, exist_ok=True)
        for number in count():
            try:
                staging.publish(copy, os.path.join(trash, layout.trash_name(run_id, number)))
                break
            except RunExistsError:
                continue


def _mark_out(run_folder: str, fresh: Optional[str]) -> bool:
    """Say of each pack that has a run that it counts no more (rule Z4); tell whether the run's folder is there still.

    Args:
        run_folder: The folder.
        fresh: Where it was just taken from, so that it is the same there; None: nowhere.

    Who packs the run looks for the marks after it has moved the folder away, and moves it back if it finds one. So
    either it sees ours, or we see that the folder is gone, and take the mark back.
    """
    run_id = os.path.basename(run_folder)
    for place in packed.list_holding(run_folder):
        pack = os.path.dirname(place)
        try:
            with alone_with(pack) as is_alone:
                if place != fresh and os.path.isdir(run_folder):
                    set_aside(place, run_folder)
                if not mark_out(pack, run_id, lambda: os.path.isdir(run_folder)):
                    return False
                if is_alone:
                    retire(pack)
        except FileNotFoundError:
            continue  # another has taken the last run out of it, and removed it
    return os.path.isdir(run_folder)


def mark_out(pack: str, run_id: str, is_out: Callable[[], bool]) -> bool:
    """Say that a run is not in a pack any more, unless *is_out* denies it; tell which.

    It is asked first, too, so that a kill right after leaves no mark of a run that has no folder; and again for who
    packs at this moment on a disk without locks.
    """
    if not is_out():
        return False
    folder, name = os.path.split(pack)
    mark = os.path.join(folder, layout.out_mark(name, run_id))
    try:
        os.close(os.open(mark, _FLAGS, 0o666))
    except FileExistsError:
        return is_out()  # another did so at the same moment
    if is_out():
        documents.sync(folder)
        return True
    _unlink(mark)
    return False


def enter(folder: held_folder.HeldFolder, path: str) -> held_folder.HeldFolder:
    """Open a folder below another one by a path with ``/``, empty for itself; a link on the way is not followed."""
    here = folder.enter(".")
    for part in path.split("/") if path else ():
        with here as above:
            here = above.enter(part)
    return here


def _is_same(folder: held_folder.HeldFolder, name: str, entry: Entry, pack: str) -> bool:
    """Tell whether a file has the very bytes that a pack holds."""
    descriptor = folder.open_file(name)
    try:
        if not held_folder.is_file(os.fstat(descriptor)):
            return False
        position = 0
        for piece in packed.iter_content(pack, entry):
            if documents.read_all(descriptor, len(piece), position) != piece:
                return False
            position += len(piece)
        return not documents.read_all(descriptor, 1, position)
    finally:
        os.close(descriptor)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
