"""When does a writer look after what is not writing: its files' being its own, signs of life, syncs, chores?

Rules M12, W11, L2 and P2 of docs/format.md.
"""

from __future__ import annotations

from time import monotonic

from ..clock import now_ms
from ..errors import MiniMLflowError
from . import machine
from .open_file import CHECK_PERIOD_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterable, List, Optional

    from .appender import Appender
    from .heartbeat import Heartbeat

FOLDER = ""  # in the line of what waits to be looked at, where keys of metrics stand, too
_NEVER = 1 << 63
_SHARE = 10  # looks take at most one part in so many of the time
_LONGEST_S = 60.0  # what counts of a look, so that a process that was stopped meanwhile does not look away for hours
_GRACE_S = 1.0  # as if so long a time had passed without any, so that all the files of a fast disk have theirs at once


class FilesToSync:
    """Paths that the next sync brings to the disk, each once; none are kept where nothing is synced."""

    def __init__(self, *, is_syncing: bool) -> None:
        self._is_syncing = is_syncing
        self._paths: Dict[str, None] = {}

    def append(self, path: str) -> None:
        """Add a path."""
        if self._is_syncing:
            self._paths[path] = None

    def extend(self, paths: Iterable[str]) -> None:
        """Add several."""
        for path in paths:
            self.append(path)

    def take(self) -> List[str]:
        """Return them all, and keep none; what another thread adds at this moment is there the next time."""
        taken = list(self._paths)
        for path in taken:
            del self._paths[path]
        return taken

    def clear(self) -> None:
        """Keep none."""
        self._paths = {}

    def __len__(self) -> int:
        return len(self._paths)


class Watch:
    """The clock of one writer's looks.

    Where the disk is slow, looks would take longer than the values do, as each is three calls, for every file. So they
    have a budget: what took 0.1 s is followed by 1 s without any. What is due waits in a line meanwhile.

    Attributes:
        chores: What is to be done beside logging: see ``RunWriter.chores``.
        is_syncing: Whether the writer brings anything to the disk.
    """

    def __init__(self, sync_period_s: Optional[float]) -> None:
        """Make a watch.

        Args:
            sync_period_s: As ``config.sync_period_s``.
        """
        self.chores: List[Callable[[], bool]] = []
        self.is_syncing = sync_period_s is not None
        self._sync_period_ms = (sync_period_s or 0) * 1000
        self._sync_at = now_ms() + self._sync_period_ms if self.is_syncing else _NEVER
        self._waiting: Dict[str, None] = {}  # in the order in which they came to be due
        self._paid_until = 0.0
        self._began_at: Optional[float] = None
        self._look_from = self._look_at = self._chores_from = self._chores_at = 0
        self._heartbeat: Optional[Heartbeat] = None

    def start(self, device: int, beat: Callable[[], None]) -> None:
        """Let a thread give signs of life if the disk is not known to be local (rule L2).

        On disks of this machine alone nobody needs it: there the lock tells, and log calls touch owner.json by the way.

        Args:
            device: The number of the disk where owner.json lies.
            beat: The method to call; the thread ends when its object is gone.
        """
        if self._heartbeat is None and not machine.is_local_device(device):
            from .heartbeat import Heartbeat

            self._heartbeat = Heartbeat()
            self._heartbeat.start(beat)

    def stop(self) -> None:
        """Let the thread end."""
        heartbeat, self._heartbeat = self._heartbeat, None
        if heartbeat is not None:
            heartbeat.stop()

    def forget_thread(self) -> None:
        """Know of no thread: this process is a fork of the one that had it."""
        self._heartbeat = None

    def see_due(self, appender: Optional[Appender], now: int) -> None:
        """Put on the list what must be looked at: the folder once a second, and an open file that is due."""
        self._began_at = None  # a look that was broken off
        if not self._look_from <= now < self._look_at:  # a clock that was set back must not stop the looks
            self._look_from, self._look_at = now - CHECK_PERIOD_MS, now + CHECK_PERIOD_MS
            self._waiting[FOLDER] = None
        if appender is not None and appender.is_due(now):
            self._waiting[appender.key] = None

    def next_look(self) -> Optional[str]:
        """Return the key of the file that has waited longest, FOLDER for the folder, None for nothing to look at now.

        The look must begin at once; it ends where this is called the next time.
        """
        now = monotonic()
        if self._began_at is not None:
            spent = min(now - self._began_at, _LONGEST_S)
            self._paid_until = max(self._paid_until, self._began_at - _GRACE_S) + _SHARE * spent
            self._began_at = None
        if not self._waiting or now < self._paid_until:
            return None
        key = next(iter(self._waiting))
        del self._waiting[key]
        self._began_at = now
        return key

    def put_off(self, appender: Appender, now: int) -> None:
        """Let a file that is still on the list be asked for when its turn may come."""
        if appender.key in self._waiting:
            appender.put_off(now, max(1, int((self._paid_until - monotonic()) * 1000)))

    def is_sync_due(self, now: int) -> bool:
        """Tell whether the time that the user set between two syncs is over."""
        if now < self._sync_at:
            return False
        self._sync_at = now + self._sync_period_ms
        return True

    def do_chores(self, now: int, warn: Callable[[str], None]) -> None:
        """Once a second, see to what is to be done beside logging."""
        if self._chores_from <= now < self._chores_at:
            return
        self._chores_from, self._chores_at = -1, _NEVER  # what a chore logs does not call it
        try:
            for chore in list(self.chores):
                self._do(chore, warn)
        finally:
            self._chores_from, self._chores_at = now - CHECK_PERIOD_MS, now + CHECK_PERIOD_MS

    def _do(self, chore: Callable[[], bool], warn: Callable[[str], None]) -> None:
        is_done = True  # one that is wrong itself is not called again
        try:
            is_done = chore()
        except (OSError, MiniMLflowError) as error:
            is_done = False
            warn("has something beside its values that could not be recorded yet: %s" % error)
        finally:
            if is_done and chore in self.chores:
                self.chores.remove(chore)
