"""Who writes the files of a folder, and does that writer still live?

``owner.json``: rules W1 to W5, L1 to L4 of docs/format.md.
"""

from __future__ import annotations

import errno
import os
from collections import namedtuple
from time import monotonic, sleep, time

from ..config import host_name, job_ids
from ..errors import BrokenFileError
from ..layout import OWNER, TEMPORARY
from . import documents, locks, machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

SILENCE_MS = 10 * 60 * 1000  # rule L3
HEARTBEAT_S = 30.0  # rule L2
_MISSED_MS = 2 * HEARTBEAT_S * 1000
_RECORD_BYTES = 2048  # one page holds it, so that one write replaces all of it
HANDOVER_S = 1.0  # an heir that holds the lock signs within microseconds, unless the machine is busy
_INT64 = range(-(2**63), 2**63)

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
        state = os.fstat(descriptor)
        self.device = state.st_dev
        self._identity = state.st_dev, state.st_ino

    def is_held(self) -> bool:
        """Tell whether owner.json at the path is still the file we locked, with our own bytes (rule W11)."""
        try:
            there = os.stat(self.path)
            return (
                (there.st_dev, there.st_ino) == self._identity
                and (self._is_open() or self._reopen())
                and documents.read_all(self._descriptor, _RECORD_BYTES + 1) == self._record
            )
        except FileNotFoundError:
            return False
        except OSError:
            return True  # the disk does not answer now; what it says next counts

    def touch(self, now: float) -> None:
        """Give a sign of life if the last one is old (rule L2)."""
        if not 0 <= now - self._touched < HEARTBEAT_S and self._is_open():
            self._touched = now
            try:
                os.utime(self._descriptor if os.utime in os.supports_fd else self.path)
            except OSError:
                pass  # a sign of life that fails is no reason to stop; the next one may get through

    def release(self) -> None:
        """Let go: unlock and close. The file stays, and tells who wrote last."""
        self._close(is_unlocked=True)

    def withdraw(self) -> None:
        """Let go and remove the file, as if nobody had ever owned the folder."""
        if documents.IS_WINDOWS:  # an open file cannot be removed there
            self.release()
        try:
            os.unlink(self.path)
        except OSError:
            pass  # then it stays, and tells who wrote last
        self.release()

    def forget(self) -> None:
        """Close our descriptor without touching the lock, which a parent process may share (rule W10)."""
        self._close(is_unlocked=False)

    def _close(self, *, is_unlocked: bool) -> None:
        is_open, descriptor, self._descriptor = self._is_open(), self._descriptor, -1
        if not is_open:
            return
        if is_unlocked:
            locks.unlock(descriptor)
        try:
            os.close(descriptor)
        except OSError:
            pass  # it is closed, whatever the disk says to that

    def _is_open(self) -> bool:
        """Tell whether our descriptor is ours: foreign code may have closed it, and opened a file of its own."""
        try:
            state = os.fstat(self._descriptor)
        except OSError:
            return False
        return (state.st_dev, state.st_ino) == self._identity

    def _reopen(self) -> bool:
        """Take the file and its lock again, which went with the descriptor that foreign code closed."""
        descriptor = os.open(self.path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        state = os.fstat(descriptor)
        if (state.st_dev, state.st_ino) != self._identity or locks.try_lock(descriptor) is False:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True


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

    descriptor = documents.create_open(path, b"", prepare)
    if documents.IS_WINDOWS and locks.try_lock(descriptor) is False:  # the file was closed in between to be renamed
        os.close(descriptor)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    return Claim(path, descriptor, records[0], generation)


def take_over(
    folder: str, generation: Optional[int] = None, *, seen: Optional[int] = None, patience_s: float = HANDOVER_S
) -> Optional[Claim]:
    """Become the owner of a folder whose owner is gone (rules W3 to W5).

    Args:
        folder: Where owner.json lies.
        generation: The new owner's; None keeps the old one's.
        seen: The generation that the caller saw there; None takes any.
        patience_s: How long to wait for the record of whoever holds the lock of a process that is no more: an heir
            signs it, a child of that process never does.

    Returns:
        The claim, or None where the old owner lives, or may live, or is another than the caller saw.
    """
    path = os.path.join(folder, OWNER)
    end = monotonic() + patience_s
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        except OSError:
            return None  # no owner.json: never take over
        claim = None
        try:
            locked = locks.lock_as_owner(descriptor)
            if locked is False and monotonic() < end and _is_its_process_gone(_read_record(descriptor, path)):
                sleep(0.001)  # an heir may be between the lock and its record: what it writes tells
                continue
            if locked is not True:
                return None
            mine = os.fstat(descriptor)
            try:
                there = os.stat(path)
            except OSError:
                return None
            if (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino):
                continue  # somebody changed the file while we asked for the lock
            old = _read_record(descriptor, path)
            if mine.st_nlink > 1:
                mine = _drop_leftover(folder, descriptor)
            if mine.st_nlink > 1 or not _is_certainly_gone(old, mine):
                return None  # a second hard link is somebody's backup: its bytes stay
            if seen not in (None, old.generation):
                return None
            generation = old.generation if generation is None else generation
            os.utime(descriptor if os.utime in os.supports_fd else path)  # the new owner's first sign of life
            record = _describe(descriptor, generation, is_locked=True)
            os.lseek(descriptor, 0, os.SEEK_SET)
            documents.write_all(descriptor, record)
            claim = Claim(path, descriptor, record, generation)
            return claim
        except (BrokenFileError, FileNotFoundError):
            return None
        finally:
            if claim is None:
                locks.unlock(descriptor)
                os.close(descriptor)


def _drop_leftover(folder: str, descriptor: int) -> os.stat_result:
    """Unlink the temporary name that a kill has left to owner.json between its link and its unlink (rule D1)."""
    mine = os.fstat(descriptor)
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.startswith(TEMPORARY) and os.lstat(path).st_ino == mine.st_ino:
            os.unlink(path)
    return os.fstat(descriptor)


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
    except BrokenFileError:
        return decode(documents.read(path), path)  # it may have been rewritten in the middle of our look


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
    jobs: Any = owner.jobs
    if not isinstance(jobs, dict) or not all(isinstance(value, str) for value in jobs.values()):
        raise documents.broken(path, "its jobs are no texts by name")
    if owner.skew_ms not in _INT64:
        raise documents.broken(path, "its skew_ms is beyond 64 bits")
    return owner


def liveness(folder: str, owner: Owner, now: float, *, has_ended: bool = False) -> str:
    """Tell whether the owner of a folder lives: ALIVE, GONE or SILENT (rules L1 to L3).

    Args:
        folder: Where owner.json lies.
        owner: What it says.
        now: The time, in seconds since 1970.
        has_ended: Whether it has written that the run has ended: its last heartbeat tells nothing then.
    """
    path = os.path.join(folder, OWNER)
    try:
        descriptor = documents.open_to_read(path)
    except OSError:
        return SILENT
    try:
        state = os.fstat(descriptor)
        if machine.is_earlier_attempt(owner.jobs, job_ids()):
            return GONE
        is_of_this_start = _is_of_this_machine(owner, state)
        if is_of_this_start or _is_of_an_earlier_start(owner, state):
            looked = locks.try_lock(descriptor, shared=True)
            if looked is True:
                locks.unlock(descriptor)
                return GONE
            if looked is False:
                return GONE if is_of_this_start and _is_its_process_gone(owner) else ALIVE
        silence_ms = _silence_ms(owner, state, now)
        # Of a copy, or one out of an archive, no lock tells, but its process does. On a disk that others see, a clone
        # of this machine, made while it ran, may have it: signs of life tell.
        if (
            _is_boot_known(owner)
            and (silence_ms > _MISSED_MS or machine.is_local_device(state.st_dev))
            and _is_its_process_gone(owner)
        ):
            return GONE
        return SILENT if has_ended or silence_ms > SILENCE_MS else ALIVE
    finally:
        os.close(descriptor)


def _read_record(descriptor: int, path: str) -> Owner:
    return decode(documents.read_all(descriptor, _RECORD_BYTES * 2), path)


def _is_certainly_gone(owner: Owner, state: os.stat_result) -> bool:
    """Tell whether a folder may be taken over, its lock being ours already (rule W4)."""
    if _is_of_this_machine(owner, state) or _is_of_an_earlier_start(owner, state):
        return True
    return machine.is_local_device(state.st_dev) and _silence_ms(owner, state, time()) > SILENCE_MS


def _is_of_this_machine(owner: Owner, state: os.stat_result) -> bool:
    """Tell whether the owner's lock is one that this machine's kernel knows of, and not a copied file's."""
    return (
        owner.is_locked
        and owner.boot_id == machine.boot_id(host_name())
        and (owner.device, owner.inode) == (state.st_dev, state.st_ino)
    )


def _is_of_an_earlier_start(owner: Owner, state: os.stat_result) -> bool:
    """Tell whether the owner lived on this machine before it was last started, and on a disk of this machine alone."""
    return (
        owner.host == host_name()
        and owner.boot_id not in (machine.boot_id(owner.host), owner.host)
        and owner.inode == state.st_ino
        and machine.is_local_device(state.st_dev)
    )


def _is_boot_known(owner: Owner) -> bool:
    """Tell whether the owner lives, or lived, since this very machine was last started."""
    return owner.boot_id == machine.boot_id(owner.host) != owner.host


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
        started=machine.own_start(os.getpid()),
        jobs={name: value[:100] for name, value in job_ids().items()},
        generation=generation,
        device=state.st_dev,
        inode=state.st_ino,
        skew_ms=int((state.st_mtime - time()) * 1000),
        is_locked=is_locked,
    )
    data = _encode(owner)
    return data if len(data) == _RECORD_BYTES else _encode(owner._replace(jobs={}))


def _encode(owner: Owner) -> bytes:
    fields: Dict[str, Any] = dict(owner._asdict())
    return documents.encode_json(fields).encode("utf-8").ljust(_RECORD_BYTES - 1) + b"\n"
