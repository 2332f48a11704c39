"""What happens to a value on its way into a run's files, also when the disk or somebody else is in the way?

A ``RunWriter`` is one process's hand in one run: rules W7 to W11 and P1 to P4 of docs/format.md.
"""

from __future__ import annotations

import errno
import os
import sys
from threading import RLock

from .. import layout
from ..errors import BrokenFileError, RunEndedError, StorageWarning
from . import documents, folders, meta, owner
from .appender import BUSY, Appender, BusyError
from .heartbeat import Heartbeat
from .home import Home, make_home
from .open_file import CHECK_PERIOD_MS, DisplacedError, now_ms
from .spool import Entry, Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

    from .descriptors import DescriptorPool

_ATTEMPTS = 5


class RunWriter:
    """Writes what this process logs into one run.

    Attributes:
        folder: The run's folder.
        pool: The open files of this process.
        lock: Held by whoever touches the run's files, for microseconds.
        appenders: The open metric files by key; whoever finds a key here may append at once.
        parked: Where the metric files end that were closed to make room for others.
        next_steps: The next free step of metrics whose files are neither open nor parked.
        fields: What meta.yaml says.
        meta_folder: Where that meta.yaml lies; empty for a joiner, who does not say how the run stands.
        is_closed: Whether this hand has let go.
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
            fields: See the attribute.
            meta_folder: See the attribute.
            is_resumed: Whether steps go on after the greatest that is there (rule W9).
            sync_period_s: As ``config.sync_period_s``.
        """
        self.folder = folder
        self.pool = pool
        self.lock = RLock()
        self.appenders: Dict[str, Appender] = {}
        self.parked: Dict[str, bytes] = {}
        self.next_steps: Dict[str, int] = {}
        self.fields = {} if fields is None else fields
        self.meta_folder = meta_folder
        self.is_closed = False
        self._generation = generation
        self._sync_period_ms = None if sync_period_s is None else sync_period_s * 1000
        self._sync_at = float("inf") if self._sync_period_ms is None else now_ms() + self._sync_period_ms
        self._home: Optional[Home] = None
        self._left: List[owner.Claim] = []  # of the folders that we moved out of
        self._left_files: List[str] = []
        self._spool = Spool()
        self._retry_at = self._look_at = 0
        self._has_warned = self._is_writing = False
        self._heartbeat = Heartbeat()
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

    def write_value(self, kind: str, key: str, value: Any) -> None:
        """Write a param or tag, as ``write_row`` writes a row."""
        now = now_ms()
        self._write(Entry(kind, key, value, None, now), now)

    def close(self, **final: Any) -> None:
        """Write what is left, bring all to the disk, let go of the run.

        Args:
            **final: Fields of meta.yaml that say how the run ended, for a writer that may say so.
        """
        with self.lock:
            if self.is_closed:
                return
            self._heartbeat.stop()
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
            self._heartbeat.stop()
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
        self._heartbeat = Heartbeat()
        self.meta_folder = ""
        self._is_writing = False

    def mend(self) -> None:
        """Mend what a kill has left in the files of the one whom this writer succeeds (rule M13)."""
        if self._home is not None:
            self._home.mend()

    def write_meta(self, **changes: Any) -> None:
        """Write meta.yaml anew with some of its fields changed, if this writer may say how the run stands."""
        if not self.meta_folder:
            return
        self.fields.update(changes)
        is_final = self.is_closed and self._sync_period_ms is not None
        documents.replace(os.path.join(self.meta_folder, layout.META), meta.encode(self.fields), sync=is_final)
        if is_final:
            documents.sync(self.meta_folder)

    def sync(self, *, is_last: bool = False) -> None:
        """Bring every file that we wrote to the disk, and the folders that name them (rule P2).

        Raises:
            OSError: The disk refused one of them; all were tried.
        """
        if self._sync_period_ms is None or self._home is None:
            return
        self._home.sync(self._left_files + [claim.path for claim in self._claims()], is_last=is_last)

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
                self._look_after(now)
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
                if error.errno not in (errno.EBADF, errno.ESTALE):
                    raise
                if not self.is_closed:
                    self.pool.doubt()  # every file is opened again by its path
        raise OSError(errno.EAGAIN, "its files keep changing", self.folder)

    def _move_in(self, folder: str, claim: owner.Claim, *, is_resumed: bool) -> Home:
        self._home = Home(folder, claim, self, is_resumed=is_resumed)
        self._heartbeat.start(folder, self._give_sign_of_life)
        return self._home

    def _make_home(self) -> Home:
        """Make a folder of our own under ``writers/`` and write there from now on (rule W7)."""
        return self._move_in(*make_home(self.folder, self._generation), is_resumed=False)

    def _move_out(self, reason: str) -> None:
        """Leave our files to whoever changed them, and go on in a folder of our own (rule W11)."""
        homeless = [
            Entry(layout.METRICS, key, documents.encode_number(row.value), row.step, row.timestamp)
            for key, appender in self.appenders.items()
            for row in appender.homeless_rows()
        ]
        if self._home is not None:
            self._left_files += self._home.unsynced()
        self._close_all()
        self.parked.clear()
        home, self._home = self._home, None
        try:
            if home is not None and home.claim.is_held():
                self._left.append(home.claim)
            elif home is not None:
                home.claim.release()
                self._disinherit()
            new = self._home  # made by now if this writer is its own heir
            if new is None:
                new = self._make_home()
            while homeless:
                new.put(homeless[0], now_ms())
                del homeless[0]
        except DisplacedError as error:
            raise OSError(errno.EAGAIN, "a file was %s meanwhile" % error, self.folder) from error
        finally:
            self._spool.put_back(homeless)
        self._warn(
            "was changed by somebody else (a file was %s). Values go on under %s, where every reader finds them"
            % (reason, os.path.relpath(new.folder, self.folder))
        )

    def _disinherit(self) -> None:
        """Go on where owner.json is not ours any more: as a joiner of the new owner, or else as our own heir."""
        has_heir = any(generation > self._generation for generation, _ in folders.generations(self.folder))
        if has_heir:
            self.meta_folder = ""
        elif self.meta_folder:
            self._generation += 1
            self.meta_folder = self._make_home().folder
            self.write_meta(generation=self._generation)

    def _look_after(self, now: int) -> None:
        """Once a second: give a sign of life, and see whether the folder is still ours (rules W11 and L2)."""
        if self._look_at - CHECK_PERIOD_MS <= now < self._look_at:
            return
        self._look_at = now + CHECK_PERIOD_MS
        self._give_sign_of_life()
        try:
            if self._home is not None and not self._home.claim.is_held():
                self._move_out("taken over")
            if now >= self._sync_at:
                self._sync_at = now + (self._sync_period_ms or 0)
                self.sync()
        except OSError as error:
            self._suffer(error)

    def _give_sign_of_life(self) -> None:
        for claim in self._claims():
            claim.touch(now_ms() / 1000)

    def _verify(self) -> None:
        """Compare every open file with what we wrote, a last time."""
        for appender in list(self.appenders.values()):
            try:
                appender.check(now_ms())
            except DisplacedError as error:
                try:
                    self._move_out(str(error))
                except OSError as failure:
                    self._suffer(failure)
                return
            except (OSError, BrokenFileError, BusyError):
                continue  # whatever it is, the sync that follows meets it too

    def _claims(self) -> List[owner.Claim]:
        return self._left + ([] if self._home is None else [self._home.claim])

    # Faults

    def tell(self, failure: OSError) -> None:
        """Tell that a disk took values and takes them back now that their file is closed."""
        self._warn("may lack values that a disk took at first: %s" % failure, always=True)

    def _suffer(self, error: Exception, key: str = "") -> None:
        """Go on after a disk fault: close the file, so that its next value waits behind this one, and warn once."""
        self._retry_at = now_ms() + CHECK_PERIOD_MS
        appender = self.appenders.pop(key, None)
        if appender is not None:
            self._keep_step(key, appender.next_step)
            appender.close()
        self._warn(
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

    def _warn(self, text: str, *, always: bool = False) -> None:
        """Warn, once per run unless *always*; never raise: training goes on even where warnings are errors."""
        if self._has_warned and not always:
            return
        import warnings  # costs 0.2 ms, and most runs never need it

        self._has_warned = True
        message = "Run %s %s." % (self.folder, text)
        try:
            warnings.warn(message, StorageWarning, stacklevel=2)
        except Warning:
            sys.stderr.write("mini-mlflow: %s\n" % message)

    def _close_all(self) -> None:
        """Close every open file, keeping in mind which step comes next."""
        for key, state in self.parked.items():
            self._keep_step(key, Appender.next_step_of(state))
        for key, appender in list(self.appenders.items()):
            self._keep_step(key, appender.next_step)
            appender.close()
        self.appenders.clear()

    def _keep_step(self, key: str, step: Optional[int]) -> None:
        if step is not None:
            self.next_steps[key] = step

    def _try_to(self, work: Callable[[], None], failure: str) -> None:
        try:
            work()
        except OSError as error:
            self._warn("%s: %s" % (failure, error), always=True)

    def _let_go(self) -> None:
        missing = self._spool.give_up()
        if missing:
            text = ", ".join("%d of %r" % (count, key) for key, count in sorted(missing.items()))
            self._warn("ended, and these values could not be written: %s" % text, always=True)
        self._close_all()
        self.parked.clear()
        for claim in self._claims():
            claim.release()
