"""How is a file locked on each system, and who may wait for it?

``flock``, not ``lockf``: that one is lost when any descriptor of the file closes, and granted twice within a process
(rule W2 of docs/format.md).
"""

from __future__ import annotations

import errno
import os
import sys
from time import monotonic, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

_REFUSED = frozenset([errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK])
_PATIENCE_S = 1.0
_FAR_BEYOND_THE_END = 1 << 30

if sys.platform == "win32":
    import msvcrt

    def _try(descriptor: int, *, shared: bool) -> None:  # noqa: ARG001 - Windows has no shared ones
        _at_the_far_byte(descriptor, msvcrt.LK_NBLCK)

    def _drop(descriptor: int) -> None:
        _at_the_far_byte(descriptor, msvcrt.LK_UNLCK)

    def _at_the_far_byte(descriptor: int, mode: int) -> None:
        """Lock or unlock one byte that no content reaches, and leave the position where it was."""
        position = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, _FAR_BEYOND_THE_END, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, mode, 1)
        finally:
            os.lseek(descriptor, position, os.SEEK_SET)

else:
    import fcntl

    def _try(descriptor: int, *, shared: bool) -> None:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)

    def _drop(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def try_lock(descriptor: int, *, shared: bool = False) -> Optional[bool]:
    """Try to lock an open file without waiting.

    Returns:
        True: locked. False: somebody else holds a lock that forbids it. None: this file system has no locks.
    """
    try:
        _try(descriptor, shared=shared)
        return True
    except OSError as error:
        return False if error.errno in _REFUSED else None


def unlock(descriptor: int) -> None:
    """Let go of a lock at once: a descriptor that a child inherited would keep it beyond our close."""
    try:
        _drop(descriptor)
    except OSError:
        pass  # this file system has no locks


def lock_as_owner(descriptor: int) -> Optional[bool]:
    """Lock a file for writing, waiting for those who only look, never for an owner (rule W3).

    Returns:
        As ``try_lock``. False means that an owner lives.
    """
    end = monotonic() + _PATIENCE_S
    while True:
        locked = try_lock(descriptor)
        if locked is not False:
            return locked
        looking = try_lock(descriptor, shared=True)
        if looking is False:
            return False
        unlock(descriptor)  # only readers are there: they stay for microseconds
        if monotonic() > end:
            return False
        sleep(os.urandom(1)[0] / 128000)  # 0 to 2 ms
