"""How is something done to a run that nobody writes at this moment, and keeps from being written while it is done?

Rules W1, W3, L1 to L3 and T3 of docs/format.md.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from time import monotonic, sleep, time

from .. import layout
from ..errors import ActiveRunError, BrokenFileError
from . import documents, folders, locks, meta, owner, presence, touching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, List, Optional

_PATIENCE_S = 1.0
_FLAGS = os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def find_writer(folder: str, *, original: Optional[str] = None) -> Optional[owner.Owner]:
    """Return one who writes a run at this moment, here or elsewhere: its owner, or who logs beside; None for nobody.

    Args:
        folder: The run.
        original: The folder of a run that this one may be a copy of: who writes that one does not write here, though
            the sign of life that was copied may be seconds old.

    Raises:
        PermissionError: An owner.json may not be read, so nobody can know.
    """
    for part in folders.list_parts(folder):
        try:
            record = owner.read_owner(part.folder)
        except PermissionError:
            raise
        except (OSError, BrokenFileError):
            continue
        if record is not None and _writes(part.folder, record) and not _is_copied(folder, part, record, original):
            return record
    return None


def refuse_if_written(folder: str, run_id: str, what: str, *, original: Optional[str] = None) -> None:
    """Raise where somebody writes a run.

    Args:
        folder: The run.
        run_id: Its id, for the message.
        what: What is not done to it then, such as ``deleted``.
        original: As for ``find_writer``.

    Raises:
        ActiveRunError: Its owner lives, or somebody logs beside.
    """
    writer = find_writer(folder, original=original)
    if writer is not None:
        message = (
            "Run %s is being written by process %d on %s, so it cannot be %s now. End it there, or wait: a process on "
            "another machine that died counts for ten minutes."
        )
        raise ActiveRunError(message % (run_id, writer.pid, writer.host, what), run_id=run_id)


@contextmanager
def kept_still(folder: str, run_id: str, what: str, *, original: Optional[str] = None) -> Iterator[None]:
    """Keep everybody from coming to write a run within the block.

    The locks of those who wrote it last are held shared, as by one who looks: who wants to take over waits, and nobody
    takes the dead for living. That of the folder itself is held alone: who signs without a predecessor (a creator, an
    heir with a share of its own) asks for it next, so that either we see the signature, or it waits for us.

    Args:
        folder: The run.
        run_id: Its id, for the message.
        what: What is done to it, such as ``deleted``.
        original: As for ``find_writer``.

    Raises:
        ActiveRunError: Somebody writes it.
    """
    end = monotonic() + _PATIENCE_S
    while True:
        held: List[int] = []
        try:
            are_ours = [_hold_folder(folder, held)]
            refuse_if_written(folder, run_id, what, original=original)
            are_ours += [_hold(part.folder, held) for part in folders.list_parts(folder)]
            # Refused though nobody writes: an heir is about to sign, or a child of a dead owner keeps its lock. Nobody
            # can take that share over, which is all that matters here. The folder's own: another does something to it.
            if all(are_ours) or monotonic() > end:
                yield
                return
        finally:
            for descriptor in held:
                locks.unlock(descriptor)
                os.close(descriptor)
        sleep(0.001)


@contextmanager
def moved(folder: str, run_id: str, what: str, move: Callable[[], str]) -> Iterator[str]:
    """Move a run that nobody writes, and back if somebody has signed between the look and the rename (rule T3).

    Args:
        folder: The run.
        run_id: Its id, for the message.
        what: What is done to it, such as ``deleted``.
        move: Does it by one rename, and returns the new folder, which is lent to the block; nobody writes it there.

    Raises:
        ActiveRunError: Somebody writes it; it is where it was.
        FileNotFoundError: It is not there.
    """
    if documents.IS_WINDOWS:  # no folder is renamed there while a file in it is open
        refuse_if_written(folder, run_id, what)
        yield _move_unwritten(folder, run_id, what, move)
        return
    with kept_still(folder, run_id, what):
        yield _move_unwritten(folder, run_id, what, move)


def rename(folder: str, moved: str) -> None:
    """Rename a run's folder; on Windows wait for readers, who have a file of it open for a moment."""
    for attempt in range(10):
        try:
            os.rename(folder, moved)
            return
        except PermissionError:
            if not documents.IS_WINDOWS or attempt == 9:
                raise
            sleep(0.01 * (attempt + 1))


def change_meta(folder: str, run_id: str, changes: Dict[str, Any]) -> None:
    """Change fields of the meta.yaml of a run that nobody writes.

    Raises:
        ActiveRunError: Somebody writes it.
        UnsupportedFormatError: It was written in a newer format.
        BrokenFileError: What is there cannot be read.
    """
    presence.ensure_folder(folder)
    with kept_still(folder, run_id, "changed"):
        fields, home = folders.read_meta(folder)
        if not fields and not folders.is_format_0(folder, fields):
            fields = {"format": layout.FORMAT_VERSION}
        with touching.Told(folder):
            documents.replace(os.path.join(home, layout.META), meta.encode({**fields, **changes}))
    # A run without a lock to hold may have been resumed meanwhile, with a copy of what was there before.
    if meta.generation_of(folders.read_meta(folder)[0]) > meta.generation_of(fields):
        refuse_if_written(folder, run_id, "changed")


def _move_unwritten(folder: str, run_id: str, what: str, move: Callable[[], str]) -> str:
    there = move()
    try:
        refuse_if_written(there, run_id, what)
    except ActiveRunError:
        try:
            os.rename(there, folder)
        except OSError:
            pass  # a new run has its place already; who writes the old one goes on beside that
        raise
    return there


def _hold_folder(folder: str, held: List[int]) -> bool:
    """Lock the folder of a run and add its descriptor; tell whether nobody else has it locked.

    Raises:
        FileNotFoundError: It is not there.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        raise
    except OSError:
        return True  # Windows opens no folder, and renames none in which somebody writes
    held.append(descriptor)
    return locks.try_lock(descriptor) is not False


def _hold(folder: str, held: List[int]) -> bool:
    """Lock the owner.json of a share and add its descriptor; tell whether no owner has the lock."""
    try:
        descriptor = os.open(os.path.join(folder, layout.OWNER), _FLAGS)
    except OSError:
        return True  # without one, or without the right to write it: it is not taken over either
    held.append(descriptor)
    return locks.try_lock(descriptor, shared=True) is not False


def _is_copied(folder: str, part: folders.Part, record: owner.Owner, original: Optional[str]) -> bool:
    """Tell whether a share's owner.json is a copy of another run's, which is the one that was signed.

    The record has the number of the file itself (rule W2).
    """
    if original is None:
        return False
    place = original + part.folder[len(folder) :]
    try:
        there = os.stat(os.path.join(place, layout.OWNER)).st_ino
        here = os.stat(os.path.join(part.folder, layout.OWNER)).st_ino
        return here != record.inode == there and owner.read_owner(place) == record
    except (OSError, BrokenFileError):
        return False


def _writes(folder: str, record: owner.Owner) -> bool:
    if owner.liveness(folder, record, time()) != owner.ALIVE:
        return False
    try:
        fields = meta.read_meta(os.path.join(folder, layout.META))
    except (OSError, BrokenFileError):
        return True
    if fields.get("status", "RUNNING") == "RUNNING" or meta.generation_of(fields) != record.generation:
        return True
    return owner.liveness(folder, record, time(), has_ended=True) == owner.ALIVE
