"""How does a process become the only one that changes something, for the moment that it takes?

Rules A2 and E5 of docs/format.md.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from time import monotonic, sleep

from . import locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@contextmanager
def locked(path: str, what: str, patience_s: float, *, is_shared: bool = False) -> Iterator[None]:
    """Hold a lock file within the block; where the disk has no locks, nothing is held.

    Args:
        path: The file; made if it is missing, empty, and it stays. A link is not followed.
        what: What is changed under it, for the message.
        patience_s: How long to wait for others, in seconds.
        is_shared: Whether others may hold it likewise, but nobody alone; else it is held alone.

    Raises:
        FileNotFoundError: Its folder is missing.
        TimeoutError: Others had it for so long.
    """
    descriptor = os.open(path, _FLAGS, 0o666)
    try:
        end = monotonic() + patience_s
        while locks.try_lock(descriptor, shared=is_shared) is False:
            if monotonic() > end:
                message = "Another process has been changing %s for %d seconds; try again. It locks %s"
                raise TimeoutError(message % (what, patience_s, path))
            sleep(0.001 + os.urandom(1)[0] / 128000)
        yield
    finally:
        locks.unlock(descriptor)
        os.close(descriptor)
