"""What does a second process see of what this one does to the disk? The second process itself.

It runs without the user's packages and settings, and takes one command a line: ``rename PATH COUNT``, ``append PATH
COUNT``, ``lock PATH``. It ends with its input, and answers each command by one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
from time import monotonic, sleep, time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

_PATIENCE_S = 20.0  # for what a disk shows late: the caches of NFS keep what they know for up to 60 s
_BINARY = getattr(os, "O_BINARY", 0)


def main(locks: Any) -> None:
    """Serve until the input ends.

    Args:
        locks: The module ``store.locks``, which knows how this system locks a file.
    """
    for line in sys.stdin:
        words = json.loads(line)
        answer = _COMMANDS[words[0]](words[1], words[2], locks)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def watch_renames(path: str, count: int, _: Any) -> Dict[str, int]:
    """Read a file again and again while another process replaces it; return how often it was not there or not whole.

    Args:
        path: The file: a number, then as many letters as fill 1,000 bytes.
        count: The number that ends it.
    """
    found = {"reads": 0, "missing": 0, "torn": 0, "last": -1}
    end = monotonic() + _PATIENCE_S
    _tell_ready()
    while found["last"] < count and monotonic() < end:
        try:
            data = _read(path)
        except FileNotFoundError:
            found["missing"] += 1
            continue
        except OSError:
            continue  # Windows: it is just being replaced
        found["reads"] += 1
        if len(data) == 1000 and data[:8].isdigit():
            found["last"] = int(data[:8])
        else:
            found["torn"] += 1
    return found


def watch_appends(path: str, count: int, _: Any) -> Dict[str, Any]:
    """Wait for the rows that another process appends, each a time; return how long after it each was seen."""
    seen: List[float] = []
    end = monotonic() + _PATIENCE_S
    _tell_ready()
    while len(seen) < count and monotonic() < end:
        rows = _read(path).split(b"\n")[:-1]
        now = time()
        seen += [now - float(row) for row in rows[len(seen) :]]
        sleep(0.0002)
    return {"seen": len(seen), "slowest_s": max(seen, default=0.0)}


def try_lock(path: str, _: int, locks: Any) -> Dict[str, Any]:
    """Try to lock a file, and let go of it; the answer is that of ``locks.try_lock``."""
    descriptor = os.open(path, os.O_RDWR | _BINARY)
    try:
        locked = locks.try_lock(descriptor)
        if locked:
            locks.unlock(descriptor)
    finally:
        os.close(descriptor)
    return {"locked": locked}


def _tell_ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | _BINARY)
    try:
        return os.read(descriptor, 1 << 20)
    finally:
        os.close(descriptor)


_COMMANDS = {"rename": watch_renames, "append": watch_appends, "lock": try_lock}
