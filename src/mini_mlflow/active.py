"""Which run is active in this thread, where do new ones go, and what else does this process keep while it lives?

The one piece of module state; ``reset`` clears it.
"""

from __future__ import annotations

import _thread  # these two are built in; threading itself costs 1.5 ms more, weakref 0.6
import os
from _weakref import ref
from time import time

from . import config
from .store.descriptors import DescriptorPool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Dict, List, Optional, Tuple, Union

    from .records import Experiment
    from .run import Run

    Path = Union[str, os.PathLike[str]]

MOST_KEPT = 256  # un-ended runs that live on though nobody holds them; each has an open file


class _Stack(_thread._local):  # noqa: SLF001 - it is threading.local
    def __init__(self) -> None:
        self.runs: List[Run] = []


class Sigterm:
    """What the handler of SIGTERM must know, and the end of the process.

    Attributes:
        endings: How many calls of the main thread are just ending a run, each within the other.
        number: The signal that came meanwhile, 0 for none.
        outermost: The frame of the main module, None where it is not known.
        exit_code: What ``sys.exit`` was last called with in the main thread, in a tuple; empty before the first call.
        is_finalizer_set: Whether multiprocessing will tell when this process, a child of its, is done.
        bootstrap: The frame that called such a child's work, None where it is not known.
    """

    def __init__(self) -> None:
        self.endings = self.number = 0
        self.outermost: Optional[FrameType] = None
        self.exit_code: Tuple[object, ...] = ()
        self.is_finalizer_set = False
        self.bootstrap: Optional[FrameType] = None


class _Process:
    def __init__(self) -> None:
        self.pool = DescriptorPool()
        self.live: Dict[int, ref[Run]] = {}  # by id(), oldest first
        self.kept: Dict[int, Run] = {}  # likewise
        self.last_start_us = 0
        self.lock = _thread.RLock()  # a signal handler may start and end runs in the middle of what follows
        self.pid = os.getpid()
        self.is_sigterm_settled = False
        self.sigterm = Sigterm()
        self.is_run_id_taken = False
        self.is_tracked_run_taken = False
        self.last_run: Optional[Run] = None
        self.store: Optional[Path] = None  # None: what the environment says
        self.experiment: Optional[Tuple[str, Experiment]] = None  # the store that it was chosen in, and the experiment


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
    _process.last_run = run


def last_run() -> Optional[Run]:
    """Return the run that became active last, in any thread, also where it has ended; None before the first."""
    return _process.last_run


def clear() -> None:
    """Let this thread have no active run; runs that were active go on."""
    stack.runs.clear()


def pool() -> DescriptorPool:
    """Return the open metric files of this process."""
    return _process.pool


def choose_store(path: Optional[Path]) -> None:
    """Let runs go to this store that name none; None: to the one that the environment says."""
    _process.store = path


def runs_dir(argument: Optional[Path] = None) -> Path:
    """Return the store's folder as it was given: *argument*, else the one that was chosen, else the environment's.

    Raises:
        InvalidValueError: It is no path of a folder.
    """
    return config.runs_dir(_process.store if argument is None else argument)


def store_folder(argument: Optional[Path] = None) -> str:
    """Return the same as an absolute path.

    Raises:
        InvalidValueError: It is no path of a folder.
        NotADirectoryError: Something else lies there.
    """
    return config.store_folder(runs_dir(argument))


def choose_experiment(store: str, experiment: Optional[Experiment]) -> None:
    """Let runs go to this experiment that name none; None: to experiment 0."""
    _process.experiment = None if experiment is None else (store, experiment)


def chosen_experiment() -> Optional[Tuple[str, Experiment]]:
    """Return the experiment that was chosen, and the store (an absolute path) that it was chosen in."""
    return _process.experiment


def take_environment_run_id() -> Optional[str]:
    """Return the run that the environment wants to be continued, the first time that a run is started; then None."""
    run_id = None if _process.is_run_id_taken else config.run_id()
    _process.is_run_id_taken = True
    return run_id


def take_tracked_run() -> bool:
    """Tell whether nobody in this process, or in the one that forked it, has asked this before."""
    is_first = not _process.is_tracked_run_taken
    _process.is_tracked_run_taken = True
    return is_first


def register(run: Run) -> None:
    """Remember a run that this process has opened until it ends, so that it ends with the process at the latest.

    Of more than 256, the oldest are remembered as long as somebody else holds them, and let go then.
    """
    number, live = id(run), _process.live
    with _process.lock:
        live[number] = ref(run, lambda _: live.pop(number, None))
        _process.kept[number] = run
        surplus = [_process.kept.pop(oldest, None) for oldest in list(_process.kept)[:-MOST_KEPT]]
    del surplus  # without the lock: it may be the last hold on a run


def forget(run: Run) -> None:
    """Forget a run that has ended."""
    with _process.lock:
        _process.live.pop(id(run), None)
        _process.kept.pop(id(run), None)


def live_runs() -> List[Run]:
    """Return every run that this process has opened and not ended, oldest first."""
    with _process.lock:
        runs = [reference() for reference in list(_process.live.values())]
    return [run for run in runs if run is not None]


def next_start_us() -> int:
    """Return the time in microseconds since 1970, and never the same twice (docs/format.md, rule S6)."""
    with _process.lock:
        start_us = max(int(time() * 1000000), _process.last_start_us + 1)
        _process.last_start_us = start_us
        return start_us


def is_own_process() -> bool:
    """Tell whether this state is of this process: not so in a forked child before ``after_fork``."""
    return _process.pid == os.getpid()


def is_sigterm_settled() -> bool:
    """Tell whether it is settled who answers SIGTERM."""
    return _process.is_sigterm_settled


def settle_sigterm() -> None:
    """Note that it is settled who answers SIGTERM, so that nobody asks again."""
    _process.is_sigterm_settled = True


def sigterm() -> Sigterm:
    """Return what the handler of SIGTERM must know."""
    return _process.sigterm


def after_fork() -> None:
    """Let a forked child go on with runs of its parent as a joiner (docs/format.md, rule W10)."""
    _process.lock = _thread.RLock()  # the parent's may be held by a thread that the child does not have
    _process.sigterm = Sigterm()  # the thread that was ending a run may be gone
    _process.pool = DescriptorPool()
    for run in live_runs():
        run.become_child(_process.pool)
    _process.pid = os.getpid()


def reset() -> None:
    """Forget everything, as in a fresh process."""
    global _process, stack
    _process, stack = _Process(), _Stack()
