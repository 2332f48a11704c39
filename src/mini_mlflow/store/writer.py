"""What happens to a value on its way into a run's files, also when the disk or somebody else is in the way?

A ``RunWriter`` is one process's hand in one run: rules W7 to W11 and P1 to P4 of docs/format.md.
"""

from __future__ import annotations

import errno
from threading import RLock

from .. import layout
from ..clock import now_ms
from ..errors import BrokenFileError, RunEndedError
from . import documents, owner
from .appender import BUSY, Appender, BusyError
from .home import bring_to_disk
from .open_file import CHECK_PERIOD_MS, DisplacedError
from .resident import Resident
from .spool import Entry, Spool
from .watch import FOLDER, FilesToSync, Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional

    from ..records import Number
    from .descriptors import DescriptorPool

_ATTEMPTS = 5
_FOREIGN = (errno.EBADF, errno.ESTALE)  # the number of an open file is not that file's any more


class RunWriter(Resident):
    """Writes what this process logs into one run.

    Attributes:
        chores: Each is called about once a second, after a value was written, until it returns True. It may log; an
            OSError or error of ours is told, and it is called again.
        extra_files: Absolute paths of further files within the run's folder that the next sync brings to the disk.
    """

    def __init__(
        self,
        folder: str,
        pool: DescriptorPool,
        *,
        home: str = "",
        claim: Optional[owner.Claim] = None,
        generation: int = 0,
        fields: Optional[Dict[str, Any]] = None,
        meta_folder: str = "",
        is_resumed: bool = False,
        sync_period_s: Optional[float] = float("inf"),
    ) -> None:
        """Make a writer.

        Args:
            folder: The run's folder.
            pool: The open files of this process.
            home: The folder whose files are ours; empty makes one under ``writers/`` when the first value comes.
            claim: The right to write there.
            generation: That of the rows to come (rule W6).
            fields: What meta.yaml says.
            meta_folder: Where it lies; empty for a joiner, who does not say how the run stands.
            is_resumed: Whether steps go on after the greatest that is there (rule W9).
            sync_period_s: As ``config.sync_period_s``.
        """
        super().__init__(folder, pool, generation, {} if fields is None else fields, meta_folder, Watch(sync_period_s))
        self.extra_files = FilesToSync(is_syncing=self._watch.is_syncing)
        self.chores = self._watch.chores
        self._retry_at = 0
        self._is_writing = False
        if claim is not None:
            self._move_in(home, claim, is_resumed=is_resumed)

    def write_row(self, key: str, text: str, step: Optional[int], timestamp: Optional[int], now: int) -> None:
        """Write a metric's row, however long the way; a disk fault keeps it for later and warns (rule P4).

        Args:
            key: The metric.
            text: The number as JSON text.
            step: None for the next free one.
            timestamp: Milliseconds since 1970, None for *now*.
            now: The time in milliseconds since 1970.

        Raises:
            RunEndedError: The writer is closed.
        """
        self._write(Entry(layout.METRICS, key, text, step, now if timestamp is None else timestamp), now)

    def write_number(
        self, key: str, value: Number, step: Optional[int] = None, timestamp: Optional[int] = None
    ) -> None:
        """Write a plain int or float as ``write_row`` writes its text, with the clock as *now*."""
        self.write_row(key, documents.encode_number(value), step, timestamp, now_ms())

    def write_value(self, kind: str, key: str, value: Any) -> None:
        """Write a param or tag, as ``write_row`` writes a row."""
        now = now_ms()
        self._write(Entry(kind, key, value, None, now), now)

    def is_waiting(self, kind: str, key: str) -> bool:
        """Tell whether a value that was written has not reached the disk's file yet, as the disk refuses (rule P4)."""
        return self._spool.holds(kind, key)

    def settle(self) -> None:
        """Have a folder of our own, so that everybody sees that somebody is at work in the run (rule W7).

        Raises:
            OSError: The disk refused.
        """
        with self.lock:
            if self._home is not None or self.is_closed or self._is_writing:
                return  # in the middle of a call that this one interrupts, that one makes it
            self._is_writing = True
            try:
                home = self._make_home()
                if self.is_closed:  # by a signal handler meanwhile
                    home.claim.release()
            finally:
                self._is_writing = False

    def close(self, **final: Any) -> None:
        """Write what is left, bring all to the disk, let go of the run.

        Args:
            **final: Fields of meta.yaml that say how the run ended, for a writer that may say so.
        """
        with self.lock:
            if self.is_closed:
                return
            self._watch.stop()
            if self._is_writing or any(appender.limit == BUSY for appender in self.appenders.values()):
                self._close_all()  # a signal handler ends the run: the call that it interrupts finds its file closed
            try:
                self._drain()
                self._verify()
                self._try_to(lambda: self.sync(is_last=True), "ended, but was not brought to the disk")
            finally:  # also where Ctrl-C breaks off a slow sync: how the run ended is known, and is said
                self.is_closed = True
                self._try_to(
                    lambda: self.write_meta(**final), "ended, but its status could not be written, so it reads LOST"
                )
                self._let_go()

    def release(self) -> None:
        """Let go of the run without ending it, so that it can be continued: close every file, sync nothing."""
        with self.lock:
            self._watch.stop()
            self.is_closed = True
            self._let_go()

    def withdraw(self) -> None:
        """Let go as if this process had never owned the run: what a writer does that found no owner."""
        with self.lock:
            for claim in self._claims():
                claim.withdraw()
            self.release()

    def become_child(self, pool: DescriptorPool) -> None:
        """Turn into a joiner: this process is a fork of the one that the files belong to (rule W10)."""
        self.pool = pool
        self.lock = RLock()  # the parent's may be held by a thread that the child does not have
        for appender in self.appenders.values():
            appender.forsake()
        for claim in self._claims():
            claim.forget()
        for kept in (self.appenders, self.parked, self.next_steps):
            kept.clear()
        self._home = None
        self._left, self._left_files = [], []
        self._spool = Spool()
        self._watch.forget_thread()
        self.chores.clear()
        self.extra_files.clear()
        self.meta_folder = ""
        self._is_writing = False

    def mend(self) -> None:
        """Mend what a kill has left in the files of the one whom this writer succeeds (rule M13)."""
        if self._home is not None:
            self._home.mend()

    def sync(self, *, is_last: bool = False) -> None:
        """Bring every file that we wrote to the disk, and the folders that name them (rule P2).

        Raises:
            OSError: The disk refused one of them; all were tried.
        """
        if not self._watch.is_syncing:
            return
        ours = [] if self._home is None else self._home.unsynced()
        files = ours + self.extra_files.take() + self._left_files + [claim.path for claim in self._claims()]
        if files:
            bring_to_disk(self.folder, files, anew=frozenset(ours if is_last else ()))

    def _write(self, entry: Entry, now: int) -> None:
        with self.lock:
            if self.is_closed:
                raise RunEndedError("Cannot log %r: the run has ended." % entry.key)
            appender = self.appenders.get(entry.key)
            if self._is_writing or (appender is not None and appender.limit == BUSY):
                # A signal handler or destructor logs while a call of this thread is at work: written after that.
                self._spool.add(entry)
                for each in self.appenders.values():
                    each.check_at = 0
                return
            self._is_writing = True
            try:
                self._look_after(appender, now)
                if self._spool.holds(entry.kind, entry.key):
                    self._spool.add(entry)
                else:
                    try:
                        self._put(entry, now)
                    except (OSError, BrokenFileError) as error:
                        self._spool.add(entry)
                        self._suffer(error, entry.key)
                if len(self._spool) and not self._retry_at - CHECK_PERIOD_MS <= now < self._retry_at:
                    self._drain()
            finally:
                self._is_writing = False
            if self.chores:
                self._watch.do_chores(now, self._notices.warn)

    def _put(self, entry: Entry, now: int) -> None:
        """Write one value, going round what can be gone round."""
        for _ in range(_ATTEMPTS):
            if self.is_closed:
                raise RunEndedError("Cannot log %r: the run has ended meanwhile." % entry.key)
            try:
                home = self._make_home() if self._home is None else self._home
                home.put(entry, now)
                return
            except DisplacedError as error:
                self._move_out(str(error))
            except OSError as error:
                if error.errno not in _FOREIGN:
                    raise
                if not self.is_closed:
                    self.pool.doubt()  # every file is opened again by its path
        raise OSError(errno.EAGAIN, "its files keep changing", self.folder)

    def _look_after(self, appender: Optional[Appender], now: int) -> None:
        """See whether the folder and the files are still ours, as far as there is time for it (rules M12, W11, L2)."""
        watch = self._watch
        watch.see_due(appender, now)
        key = watch.next_look()
        while key is not None:
            try:
                if key == FOLDER:
                    self._give_sign_of_life()
                    if self._home is not None and not self._home.claim.is_held():
                        self._move_out("taken over")
                elif key in self.appenders:
                    self.appenders[key].check(now)
            except BusyError:
                pass  # a signal handler logs in the middle of a call that has the file: it stays due
            except DisplacedError as error:
                self._try_to_move_out(str(error))
            except (OSError, BrokenFileError) as error:
                if isinstance(error, OSError) and error.errno in _FOREIGN:
                    self.pool.doubt()
                else:
                    self._suffer(error, key)
            key = watch.next_look()
        if appender is not None:
            watch.put_off(appender, now)
        if watch.is_sync_due(now):
            try:
                self.sync()
            except OSError as error:
                self._suffer(error)

    def _try_to_move_out(self, reason: str) -> None:
        try:
            self._move_out(reason)
        except OSError as failure:
            self._suffer(failure)

    def _verify(self) -> None:
        """Compare every open file with what we wrote, a last time."""
        for appender in list(self.appenders.values()):
            try:
                appender.check(now_ms())
            except DisplacedError as error:
                self._try_to_move_out(str(error))
                return
            except (OSError, BrokenFileError, BusyError):
                continue  # whatever it is, the sync that follows meets it too

    # Faults

    def _suffer(self, error: Exception, key: str = "") -> None:
        """Go on after a disk fault: close the file, so that its next value waits behind this one, and warn once."""
        self._retry_at = now_ms() + CHECK_PERIOD_MS
        appender = self.appenders.pop(key, None)
        if appender is not None:
            self._keep_step(key, appender.next_step)
            appender.close()
        self._notices.warn(
            "cannot be written now: %s. Training goes on; values are kept in memory and written when it can be" % error
        )

    def _drain(self) -> None:
        """Write what waits, each file's in order, as far as the disk takes it."""
        for kind, key in self._spool.files():
            entry = self._spool.first(kind, key)
            while entry is not None:
                try:
                    self._put(entry, now_ms())
                except (OSError, BrokenFileError) as error:
                    self._suffer(error, key)
                    break
                except BusyError:
                    break  # the call that this one interrupts has the file, and its next one drains
                self._spool.drop_first(kind, key)
                entry = self._spool.first(kind, key)

    def _try_to(self, work: Callable[[], None], failure: str) -> None:
        try:
            work()
        except OSError as error:
            self._notices.warn("%s: %s" % (failure, error), always=True)

    def _let_go(self) -> None:
        missing = self._spool.give_up()
        if missing:
            text = ", ".join("%d of %r" % (count, key) for key, count in sorted(missing.items()))
            self._notices.warn("ended, and these values could not be written: %s" % text, always=True)
        self._close_all()
        self.parked.clear()
        for claim in self._claims():
            claim.release()
