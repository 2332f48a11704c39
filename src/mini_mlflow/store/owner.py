"""Who writes the files of a folder, and does that writer still live?

``owner.json``: rules W1 to W5, L1 to L4 of docs/format.md.
"""

from __future__ import annotations

import os
from collections import namedtuple
from time import time

from ..config import host_name, job_ids
from ..errors import BrokenFileError
from ..layout import OWNER
from . import documents, locks, machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

SILENCE_MS = 10 * 60 * 1000  # rule L3
HEARTBEAT_S = 30.0  # rule L2
_RECORD_BYTES = 2048  # one page holds it, so that one write replaces all of it

ALIVE = "alive"  # a lock or a recent heartbeat says so
GONE = "gone"  # certain: its machine says so
SILENT = "silent"  # no heartbeat for ten minutes, and nothing else can be known


class Owner(
    namedtuple(
        "Owner",
        [
            "host",
            "boot_id",
            "pid_namespace",
            "pid",
            "started",
            "jobs",
            "generation",
            "device",
            "inode",
            "skew_ms",
            "is_locked",
        ],
    )
):
    """What an owner.json says (rule W2).

    Attributes:
        host: Name of the machine, for people.
        boot_id: Which machine, and which start of it.
        pid_namespace: Which numbering of processes *pid* belongs to.
        pid: The process.
        started: When the process started, in clock ticks since boot.
        jobs: What the scheduler calls the job.
        generation: 0 for a run's creator, one more for each resume, the run's for a joiner.
        device: Device number of the file, as that machine has it.
        inode: Inode number of the file.
        skew_ms: The file system's clock less the machine's.
        is_locked: Whether the file system gave a lock.
    """

    __slots__ = ()

    host: str
    boot_id: str
    pid_namespace: Optional[str]
    pid: int
    started: Optional[int]
    jobs: Dict[str, str]
    generation: int
    device: int
    inode: int
    skew_ms: int
    is_locked: bool


class Claim:
    """This process's right to write the files of one folder: an open, locked owner.json."""

    def __init__(self, path: str, descriptor: int, record: bytes, generation: int) -> None:
        self.path = path
        self.generation = generation
        self._descriptor = descriptor
        self._record = record
        self._touched = time()

    def is_held(self) -> bool:
        """Tell whether owner.json at the path is still the file we locked, with our own bytes (rule W11)."""
        try:
            there, ours = os.stat(self.path), os.fstat(self._descriptor)
            return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino) and documents.read_all(
                self._descriptor, _RECORD_BYTES + 1
            ) == self._record
        except OSError:
            return False

    def touch(self, now: float) -> None:
        """Give a sign of life if the last one is old (rule L2)."""
        if not 0 <= now - self._touched < HEARTBEAT_S:
            self._touched = now
            try:
                os.utime(self._descriptor if os.utime in os.supports_fd else self.path)
            except OSError:
                pass  # a sign of life that fails is no reason to stop; the next one may get through

    def release(self) -> None:
        """Let go: unlock and close. The file stays, and tells who wrote last."""
        if self._descriptor >= 0:
            locks.unlock(self._descriptor)
            self.forget()

    def withdraw(self) -> None:
        """Let go and remove the file, as if nobody had ever owned the folder."""
        try:
            os.unlink(self.path)
        except OSError:
            pass  # then it stays, and tells who wrote last
        self.release()

    def forget(self) -> None:
        """Close our descriptor without touching the lock, which a parent process may share (rule W10)."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            try:
                os.close(descriptor)
            except OSError:
                pass  # foreign code closed it already


def claim_new(folder: str, generation: int) -> Claim:
    """Make this process the owner of a folder that has none: owner.json is born locked (rule W2).

    Raises:
        FileExistsError: It has one.
    """
    path = os.path.join(folder, OWNER)
    records = []

    def prepare(descriptor: int) -> None:
        is_locked = locks.try_lock(descriptor) is True
        records.append(_describe(descriptor, generation, is_locked=is_locked))
        documents.write_all(descriptor, records[0])

    return Claim(path, documents.create_open(path, b"", prepare), records[0], generation)


def take_over(folder: str, generation: Optional[int] = None) -> Optional[Claim]:
    """Become the owner of a folder whose owner is gone (rules W3 to W5).

    Args:
        folder: Where owner.json lies.
        generation: The new owner's; None keeps the old one's.

    Returns:
        The claim, or None where the old owner lives, or may live.
    """
    path = os.path.join(folder, OWNER)
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        except OSError:
            return None  # no owner.json: never take over
        claim = None
        try:
            if locks.lock_as_owner(descriptor) is not True:
                return None
            mine = os.fstat(descriptor)
            try:
                there = os.stat(path)
            except OSError:
                return None
            if (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino):
                continue  # somebody changed the file while we asked for the lock
            old = decode(documents.read_all(descriptor, _RECORD_BYTES * 2), path)
            if mine.st_nlink > 1 or not _is_certainly_gone(old, mine):
                return None  # a second hard link is somebody's backup: its bytes stay
            generation = old.generation if generation is None else generation
            os.utime(descriptor if os.utime in os.supports_fd else path)  # the new owner's first sign of life
            record = _describe(descriptor, generation, is_locked=True)
            os.lseek(descriptor, 0, os.SEEK_SET)
            documents.write_all(descriptor, record)
            claim = Claim(path, descriptor, record, generation)
            return claim
        except BrokenFileError:
            return None
        finally:
            if claim is None:
                locks.unlock(descriptor)
                os.close(descriptor)


def read_owner(folder: str) -> Optional[Owner]:
    """Return what owner.json of a folder says, None where there is none.

    Raises:
        BrokenFileError: It cannot be read.
    """
    path = os.path.join(folder, OWNER)
    try:
        return decode(documents.read(path), path)
    except FileNotFoundError:
        return None


def decode(data: bytes, path: str) -> Owner:
    """Return what the bytes of an owner.json say.

    Raises:
        BrokenFileError: They are not such a document.
    """
    fields = documents.decode_json(data, path)
    try:
        owner = Owner(**{name: fields[name] for name in Owner._fields})
    except (TypeError, KeyError) as error:
        raise documents.broken(path, "the field %s is missing" % error) from error
    numbers = (owner.pid, owner.generation, owner.device, owner.inode, owner.skew_ms)
    if not all(type(number) is int for number in numbers) or owner.pid < 1 or owner.generation < 0:
        raise documents.broken(path, "a number in it is not one")
    return owner


def liveness(folder: str, owner: Owner, now: float) -> str:
    """Tell whether the owner of a folder lives: ALIVE, GONE or SILENT (rules L1 to L3).

    Args:
        folder: Where owner.json lies.
        owner: What it says.
        now: The time, in seconds since 1970.
    """
    path = os.path.join(folder, OWNER)
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return SILENT
    try:
        state = os.fstat(descriptor)
        if _is_of_this_machine(owner, state):
            looked = locks.try_lock(descriptor, shared=True)
            if looked is True:
                locks.unlock(descriptor)
                return GONE
            if looked is False:
                return GONE if _is_its_process_gone(owner) else ALIVE
        return SILENT if _silence_ms(owner, state, now) > SILENCE_MS else ALIVE
    finally:
        os.close(descriptor)


def _is_certainly_gone(owner: Owner, state: os.stat_result) -> bool:
    """Tell whether a folder may be taken over, its lock being ours already (rule W4)."""
    if _is_of_this_machine(owner, state):
        return True
    return machine.is_local_device(state.st_dev) and _silence_ms(owner, state, time()) > SILENCE_MS


def _is_of_this_machine(owner: Owner, state: os.stat_result) -> bool:
    """Tell whether the owner's lock is one that this machine's kernel knows of, and not a copied file's."""
    return (
        owner.is_locked
        and owner.boot_id == machine.boot_id(host_name())
        and (owner.device, owner.inode) == (state.st_dev, state.st_ino)
    )


def _is_its_process_gone(owner: Owner) -> bool:
    # A child forked by C code keeps the lock beyond its parent: then the process number tells, if it is of ours.
    return owner.pid_namespace == machine.pid_namespace() and machine.is_process_gone(owner.pid, owner.started)


def _silence_ms(owner: Owner, state: os.stat_result, now: float) -> float:
    return now * 1000 + owner.skew_ms - state.st_mtime * 1000


def _describe(descriptor: int, generation: int, *, is_locked: bool) -> bytes:
    state = os.fstat(descriptor)
    host = host_name()
    owner = Owner(
        host=host,
        boot_id=machine.boot_id(host),
        pid_namespace=machine.pid_namespace(),
        pid=os.getpid(),
        started=machine.process_start(os.getpid()),
        jobs={name: value[:100] for name, value in job_ids().items()},
        generation=generation,
        device=state.st_dev,
        inode=state.st_ino,
        skew_ms=int((state.st_mtime - time()) * 1000),
        is_locked=is_locked,
    )
    fields: Dict[str, Any] = dict(owner._asdict())
    text = documents.encode_json(fields)
    return text.encode("utf-8").ljust(_RECORD_BYTES - 1) + b"\n"
