"""How do finished runs get into a pack, and when may their folders go?

Rules Z1, Z5 and Z8 of docs/format.md.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from time import time

from .. import layout
from ..errors import ActiveRunError, BrokenFileError, MiniMLflowError
from ..records import Problem
from . import documents, held_folder, locks, packed, unowned, unpacking
from .packable import MOST_FILES, check_kind, hidden_from, iter_tree, reason_of
from .zip_writing import ArchiveWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterator, List, Optional, Tuple, Union

    from .packable import Survey
    from .zip_reading import Entry

    Advance = Callable[[int], None]

MOST_RUNS = 1000  # of a pack
_MOST_BYTES = 1 << 32
_LEFTOVER = re.escape(layout.TEMPORARY) + "[0-9a-f]{16}"
_IN_USE = "somebody writes it now"
_LEFTOVER_S = 3600.0  # where the disk has no locks


def batches(surveys: List[Survey]) -> List[List[Survey]]:
    """Return runs in portions that fit into one pack each, in their order."""
    portions: List[List[Survey]] = []
    count = size_bytes = 0
    for each in surveys:
        count, size_bytes = count + each.count, size_bytes + each.size_bytes
        is_full = portions and (len(portions[-1]) >= MOST_RUNS or count > MOST_FILES or size_bytes > _MOST_BYTES)
        if is_full or not portions:
            portions.append([])
            count, size_bytes = each.count, each.size_bytes
        portions[-1].append(each)
    return portions


def write_pack(
    experiment_folder: str, batch: List[Survey], problems: List[Problem], advance: Advance
) -> Optional[Tuple[str, int]]:
    """Write runs into a new pack beside their folders, which stay; return its path, and the bytes of its files.

    None where none of the runs could be read. It has its name only when all of it is on the disk (rule Z5).

    Args:
        experiment_folder: The experiment.
        batch: The runs.
        problems: Gets the runs that could not be read meanwhile, and why.
        advance: Called with the number of bytes of each portion that is done.

    Raises:
        OSError: The disk refused; nothing of the pack is left.
    """
    with held_folder.hold(layout.packs_folder(experiment_folder)) as packs:
        is_private = 0
        for each in batch:
            is_private |= each.is_private
        temporary, descriptor = packs.create_temporary(0o666 & ~(is_private | is_private >> 1))
        try:
            try:
                locks.try_lock(descriptor)
                writer = ArchiveWriter(descriptor)
                wanted = [each.run_id for each in batch]
                added = [each for each in wanted if _add_run(writer, experiment_folder, each, problems, advance)]
                digest = sha256(writer.finish()).hexdigest()[:16]
                documents.sync_descriptor(descriptor)
                _forget_cached(descriptor)
            finally:
                locks.unlock(descriptor)
                os.close(descriptor)
            if not added:
                packs.unlink(temporary)
                return None
            name = layout.pack_name(added[0], digest)
            packs.move(temporary, packs, name)
        except BaseException:
            if packs.find(temporary) is not None:
                packs.unlink(temporary)
            raise
        documents.sync(packs.path)
        documents.sync(experiment_folder)
        return os.path.join(packs.path, name), writer.size_bytes


def hide_packed(runs_dir: str, experiment_id: Union[int, str], run_id: str, pack: str, *, is_new: bool = False) -> str:
    """Take the folder of a run out of sight that lies in a pack too, if every byte of it is there; return why not.

    Where the two differ, the folder is the run, and the pack is marked not to have it (rule Z4). What is hidden is gone
    with the next ``sweep``.

    Args:
        runs_dir: The store.
        experiment_id: The experiment.
        run_id: The run.
        pack: The archive.
        is_new: Whether it was just written from that folder, so that it has nothing of its own.

    Raises:
        BrokenFileError: The pack is damaged: the folder stays.
        OSError: The disk refused: the folder stays.
    """
    experiment = layout.experiment_folder(runs_dir, experiment_id)
    folder = os.path.join(experiment, run_id)
    with unpacking.alone_with(pack) as is_alone:
        if not packed.has(pack, run_id):
            return "it was taken out of its pack meanwhile"
        entries = packed.entries_of(os.path.join(pack, run_id))
        try:
            if documents.IS_WINDOWS:  # no folder is renamed there while a file in it is open
                unowned.refuse_if_written(folder, run_id, "packed")
                reason = _hide_if_same(experiment, run_id, entries, pack)
            else:
                with unowned.kept_still(folder, run_id, "packed"):
                    reason = _hide_if_same(experiment, run_id, entries, pack)
        except ActiveRunError:
            reason = _IN_USE
        except FileNotFoundError:
            if is_new and is_alone:  # else a run that was deleted or moved meanwhile would come back
                unpacking.mark_out(pack, run_id, lambda: not os.path.lexists(folder))
            return "it was deleted, moved or packed by another meanwhile"
        except BrokenFileError:
            if is_new:
                unpacking.mark_out(pack, run_id, lambda: os.path.isdir(folder))
            raise
        if reason and not is_new:
            if reason == _IN_USE:
                return reason
            unpacking.set_aside(os.path.join(pack, run_id), folder)
        if reason:
            unpacking.mark_out(pack, run_id, lambda: os.path.isdir(folder))
        return reason


def sweep(experiment_folder: str) -> None:
    """Finish what an earlier call was kept from (rule Z8): temporary names, packs all of whose runs are out, marks.

    Raises:
        OSError: The disk refused.
    """
    with held_folder.hold(layout.packs_folder(experiment_folder)) as packs:
        # What is hidden must be so on the disk before it is emptied: after a power cut, half of a folder would count.
        documents.sync(experiment_folder)
        documents.sync(packs.path)
        for name, state in packs.list_entries():
            if re.fullmatch(_LEFTOVER, name) and not held_folder.is_link(state):
                _remove_left(packs, name, state)
    archives = packed.list_packs(experiment_folder)
    for pack in archives:
        try:
            with unpacking.alone_with(pack) as is_alone:
                if is_alone is not False:
                    unpacking.retire(pack)
        except FileNotFoundError:
            continue
    folder = layout.packs_folder(experiment_folder)
    if not os.path.isdir(folder):
        return
    prefixes = {layout.out_mark(os.path.basename(pack), "").partition("~")[0] for pack in archives}
    for name in os.listdir(folder):
        if layout.is_out_mark(name) and name.partition("~")[0] not in prefixes:
            os.unlink(os.path.join(folder, name))


def find_twice(runs_dir: str, experiment_id: Union[int, str]) -> Iterator[Tuple[str, str]]:
    """Yield id and pack of every run that lies in a pack and as a folder, too: a kill can leave that."""
    experiment = layout.experiment_folder(runs_dir, experiment_id)
    for pack in packed.list_packs(experiment):
        try:
            run_ids = packed.list_in(pack)
        except (OSError, BrokenFileError):
            continue
        for run_id in run_ids:
            if os.path.isdir(os.path.join(experiment, run_id)):
                yield run_id, pack


def _add_run(
    writer: ArchiveWriter, experiment_folder: str, run_id: str, problems: List[Problem], advance: Advance
) -> bool:
    """Add a run to an archive, whole or not at all; tell which."""
    position, count = writer.position, writer.count
    folder = os.path.join(experiment_folder, run_id)
    try:
        with held_folder.hold(folder) as top:
            here = os.stat(folder)
            if hidden_from(here):
                writer.add_folder(run_id + "/", here.st_mode, here.st_mtime_ns)
            for path, seen in sorted(iter_tree(top, here), key=lambda each: each[0]):
                name = "%s/%s" % (run_id, path)
                if path.endswith("/"):
                    writer.add_folder(name, seen.st_mode, seen.st_mtime_ns)
                    continue
                parent, _, last = path.rpartition("/")
                with unpacking.enter(top, parent) as inside:
                    source = inside.open_file(last)
                try:
                    state = os.fstat(source)
                    check_kind(path, os.path.join(folder, path), state, here)
                    writer.add_file(name, source, state.st_mode, state.st_mtime_ns, advance)
                finally:
                    os.close(source)
        return True
    except (OSError, MiniMLflowError) as error:
        if isinstance(error, OSError) and not isinstance(error, (FileNotFoundError, PermissionError)):
            raise  # the disk: full, or going
        writer.roll_back(position, count)
        if not isinstance(error, FileNotFoundError):
            problems.append(Problem(folder, reason_of(error)))
        return False


def _hide_if_same(experiment: str, run_id: str, entries: Dict[str, Entry], pack: str) -> str:
    """Give the folder of a run a hidden name if a pack holds every byte of it; return what keeps it, else nothing."""
    with held_folder.hold(experiment) as above, above.enter(layout.PACKS) as packs:
        with above.enter(run_id) as folder:
            before = _look(folder)
            reason = unpacking.differs(folder, entries, pack)
        if reason:
            return "it changed meanwhile: %s" % reason
        mark = os.urandom(8).hex()
        moved = "%s-%s" % (run_id, mark)  # which nobody sweeps, should we be killed now
        above.move(run_id, packs, moved)
        try:
            unowned.refuse_if_written(os.path.join(packs.path, moved), run_id, "packed")
            with packs.enter(moved) as folder:
                is_kept = _look(folder) == before  # else somebody wrote while the bytes were compared
            is_kept = is_kept and packed.has(pack, run_id)  # else it was taken out, where the disk has no locks
        except (ActiveRunError, OSError, BrokenFileError):
            is_kept = False
        if is_kept:
            packs.move(moved, packs, layout.TEMPORARY + mark)
            return ""
        try:
            packs.move(moved, above, run_id)
        except OSError:
            pass  # there is a run of this id again; what was moved stays where it is
        return _IN_USE


def _look(folder: held_folder.HeldFolder) -> Dict[str, Tuple[int, ...]]:
    """Return what tells each file and folder of a run from what it is after any change."""
    found: Dict[str, Tuple[int, ...]] = {}
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with unpacking.enter(folder, inside) as here:
            for name, state in here.list_entries():
                path = "%s/%s" % (inside, name) if inside else name
                found[path] = (state.st_mode, state.st_ino, state.st_mtime_ns, state.st_ctime_ns)
                if held_folder.is_folder(state):
                    waiting.append(path)
                else:
                    found[path] += (state.st_size, state.st_nlink)
    return found


def _remove_left(packs: held_folder.HeldFolder, name: str, state: os.stat_result) -> None:
    """Remove a temporary file or folder that nobody works on any more: who does has it locked (rule Z8)."""
    try:
        descriptor = os.open(os.path.join(packs.path, name), os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        descriptor = None
    try:
        is_free = None if descriptor is None else locks.try_lock(descriptor)
        if is_free or (is_free is None and time() - max(state.st_mtime, state.st_ctime) > _LEFTOVER_S):
            packs.remove_tree(name)
    finally:
        if descriptor is not None:
            locks.unlock(descriptor)
            os.close(descriptor)


def _forget_cached(descriptor: int) -> None:
    """Have what is read next come from the disk, and not from the memory that it was written to."""
    if hasattr(os, "posix_fadvise"):
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError:
            pass  # a file system without it
