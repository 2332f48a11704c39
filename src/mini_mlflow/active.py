"""Which run is active in this thread, and what else does this process keep while it lives?

The one piece of module state; ``reset`` clears it.
"""

from __future__ import annotations

import threading
from _weakrefset import WeakSet  # threading has loaded it; weakref itself costs 0.6 ms more
from time import time

from .store.descriptors import DescriptorPool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

    from .run import Run


class _Stack(threading.local):
    def __init__(self) -> None:
        self.runs: List[Run] = []


class _Process:
    def __init__(self) -> None:
        self.pool = DescriptorPool()
        self.live: WeakSet[Run] = WeakSet()
        self.last_start_us = 0
        self.lock = threading.Lock()


stack = _Stack()
_process = _Process()


def current() -> Optional[Run]:
    """Return this thread's active run, None where there is none; runs that have ended are active no more."""
    runs = stack.runs
    while runs:
        run = runs[-1]
        if run.status == "RUNNING":
            return run
        runs.pop()
    return None


def push(run: Run) -> None:
    """Make *run* the active one of this thread, above those that are."""
    stack.runs.append(run)


def clear() -> None:
    """Let this thread have no active run; runs that were active go on."""
    stack.runs.clear()


def pool() -> DescriptorPool:
    """Return the open metric files of this process."""
    return _process.pool


def register(run: Run) -> None:
    """Remember a run that this process has opened, as long as somebody holds it."""
    with _process.lock:
        _process.live.add(run)


def forget(run: Run) -> None:
    """Forget a run that has ended."""
    with _process.lock:
        _process.live.discard(run)


def live_runs() -> List[Run]:
    """Return every run that this process has opened and not ended."""
    with _process.lock:
        return list(_process.live)


def next_start_us() -> int:
    """Return the time in microseconds since 1970, and never the same twice (docs/format.md, rule S6)."""
    with _process.lock:
        _process.last_start_us = max(int(time() * 1000000), _process.last_start_us + 1)
        return _process.last_start_us


def after_fork() -> None:
    """Let a forked child go on with runs of its parent as a joiner (docs/format.md, rule W10)."""
    _process.lock = threading.Lock()  # the parent's may be held by a thread that the child does not have
    _process.pool = DescriptorPool()
    for run in list(_process.live):
        run.become_child(_process.pool)


def reset() -> None:
    """Forget everything, as in a fresh process."""
    global _process, stack
    _process, stack = _Process(), _Stack()
