"""Where is a param, metric or tag of a run written, and what if the disk or somebody else is in the way?

A ``RunWriter`` is one process's hand in one run: rules W1, W7 to W11 and P1 to P4 of docs/format.md.
"""

from __future__ import annotations

import errno
import os
import sys
import warnings
from threading import RLock
from time import time
from typing import Any, Callable, Dict, List, Optional, Set, Tuple
from weakref import WeakMethod

from .. import config, layout
from ..errors import BrokenFileError, RunEndedError, StorageWarning
from ..records import Metric
from . import documents, folders, meta, owner
from .appender import BUSY, CHECK_PERIOD_S, Appender, Displaced
from .descriptors import DescriptorPool
from .heartbeat import Heartbeat
from .names import Names
from .spool import Entry, Spool

_ATTEMPTS = 5


class RunWriter:
    """Writes what this process logs into one run.

    Attributes:
        folder: The run's folder.
        lock: Held by whoever touches the run's files, for microseconds.
        appenders: The open metric files by key; whoever finds a key here may append at once.
        parked: Where the metric files end that were closed to make room for others.
        fields: What meta.yaml says.
        meta_folder: Where that meta.yaml lies; empty for a joiner, who does not say how the run stands.
        is_closed: Whether the run has ended here.
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
        self.fields = {} if fields is None else fields
        self.meta_folder = meta_folder
        self.is_closed = False
        self._home = home
        self._claims = [] if claim is None else [claim]
        self._generation = generation
        self._is_resumed = is_resumed
        self._sync_period_s = sync_period_s
        self._sync_at = time() + (sync_period_s or 0.0)
        self._next_steps: Dict[str, int] = {}
        self._names = Names(lambda key: key in self.appenders or key in self.parked)
        self._unsynced: Set[str] = set()
        self._spool = Spool()
        self._retry_at = self._look_at = 0.0
        self._has_warned = self._is_writing = False
        self._heartbeat = Heartbeat()
        if home:
            self._heartbeat.start(home, WeakMethod(self._give_sign_of_life))
            if is_resumed:
                self._names.learn(home)

    def owns(self, appender: Appender) -> bool:
        """Tell whether an appender is the one in use for its key."""
        return self.appenders.get(appender.key) is appender

    def write_row(self, key: str, text: str, step: Optional[int], timestamp: Optional[int], now: float) -> None:
        """Write a metric's row, however long the way; a disk fault keeps it for later and warns (rule P4).

        Args:
            key: The metric.
            text: The number as JSON text.
            step: None for the next free one.
            timestamp: Milliseconds since 1970, None for *now*.
            now: The time in seconds since 1970.

        Raises:
            RunEndedError: The writer is closed.
        """
        self._write(Entry(layout.METRICS, key, text, step, int(now * 1000) if timestamp is None else timestamp), now)

    def write_value(self, kind: str, key: str, value: Any) -> None:
        """Write a param or tag; a disk fault keeps it for later and warns (rule P4).

        Raises:
            RunEndedError: The writer is closed.
        """
        now = time()
        self._write(Entry(kind, key, value, None, int(now * 1000)), now)

    def close(self, **final: Any) -> None:
        """Write what is left, bring all to the disk, let go of the run.

        Args:
            **final: Fields of meta.yaml that say how the run ended, for a writer that may say so.
        """
        with self.lock:
            if self.is_closed:
                return
            self._heartbeat.stop()
            self._drain()
            self._verify()
            self.is_closed = True
            try:
                self.sync()
                if self.meta_folder:
                    self.write_meta(**final)
            except OSError as error:
                self._warn("ended, but was not brought to the disk: %s" % error, always=True)
            missing = self._spool.give_up()
            if missing:
                text = ", ".join("%d of %r" % (count, key) for key, count in sorted(missing.items()))
                self._warn("ended, and these values could not be written: %s" % text, always=True)
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
            for claim in self._claims:
                claim.withdraw()
            self.release()

    def become_child(self) -> None:
        """Turn into a joiner: this process is a fork of the one that the files belong to (rule W10)."""
        self.lock = RLock()  # the parent's may be held by a thread that the child does not have
        for appender in self.appenders.values():
            if appender.descriptor >= 0:
                os.close(appender.descriptor)
            appender.abandon()
        for claim in self._claims:
            claim.forget()
        self.appenders.clear()
        self.parked.clear()
        self._claims.clear()
        self._next_steps.clear()
        self._names.clear()
        self._unsynced.clear()
        self._spool = Spool()
        self._heartbeat = Heartbeat()
        self._home = self.meta_folder = ""
        self._is_resumed = self._is_writing = False

    def write_meta(self, **changes: Any) -> None:
        """Write meta.yaml anew with some of its fields changed."""
        self.fields.update(changes)
        is_synced = self._sync_period_s is not None and self.is_closed
        documents.replace(os.path.join(self.meta_folder, layout.META), meta.encode(self.fields), sync=is_synced)
        if is_synced:
            documents.sync(self.meta_folder)

    def sync(self) -> None:
        """Bring every file that we wrote to the disk, and the folders that name them (rule P2)."""
        if self._sync_period_s is None or not self._home:
            return
        files = {appender.path for appender in self.appenders.values()}
        files.update(self._path(layout.METRICS, key) for key in self.parked)
        files |= self._unsynced
        self._unsynced = set()
        above = [self._home]
        while os.path.basename(above[-1]) and len(above) < 4:
            above.append(os.path.dirname(above[-1]))
        for path in sorted(files) + sorted({os.path.dirname(path) for path in files}) + above:
            try:
                documents.sync(path)
            except FileNotFoundError:
                continue  # somebody else removed it
            except PermissionError:
                if path not in above[1:]:
                    raise  # the folders above may belong to others, who keep them

    # One value

    def _write(self, entry: Entry, now: float) -> None:
        with self.lock:
            if self.is_closed:
                raise RunEndedError("Cannot log %r: the run has ended." % entry.key)
            appender = self.appenders.get(entry.key)
            if self._is_writing or (appender is not None and appender.position == BUSY):
                # A signal handler or a destructor logs while a call of this thread is at work: it is written after that.
                self._spool.add(entry)
                for each in self.appenders.values():
                    each.expire()
                return
            self._is_writing = True
            try:
                self._look_after(now)
                if len(self._spool):
                    self._spool.add(entry)
                    if not self._retry_at - CHECK_PERIOD_S <= now < self._retry_at:
                        self._drain()
                    return
                try:
                    self._put(entry, now)
                except (OSError, BrokenFileError) as error:
                    self._spool.add(entry)
                    self._suffer(error)
                self._drain()
            finally:
                self._is_writing = False

    def _put(self, entry: Entry, now: float) -> None:
        """Write one value, going round what can be gone round."""
        for _ in range(_ATTEMPTS):
            if self.is_closed:
                raise RunEndedError("Cannot log %r: the run has ended meanwhile." % entry.key)
            try:
                if not self._home:
                    self._make_home(self._generation)
                if entry.kind == layout.METRICS:
                    self._put_row(entry, now)
                else:
                    self._put_document(entry)
                return
            except Displaced as error:
                self._move_out(str(error))
            except OSError as error:
                if error.errno not in (errno.EBADF, errno.ESTALE):
                    raise
                self.pool.doubt()  # every file is opened again by its path
        raise OSError(errno.EAGAIN, "its files keep changing", self.folder)

    def _put_row(self, entry: Entry, now: float) -> None:
        appender = self.appenders.get(entry.key) or self._unpark(entry.key)
        if appender is None:
            appender, is_written = self._create_or_adopt(entry)
            self.appenders[entry.key] = appender
            if is_written:
                return
        step = entry.step
        if step is None:
            step = appender.next_step
            if step is None:
                step = self._first_step(entry.key)
        appender.write(step, entry.timestamp, entry.value, now)
        if entry.step is None:
            appender.next_step = max(step + 1, appender.next_step or 0)

    def _unpark(self, key: str) -> Optional[Appender]:
        state = self.parked.get(key)
        if state is None:
            return None
        appender = Appender(key, self._path(layout.METRICS, key), self)
        appender.unpark(state)
        del self.parked[key]
        self.appenders[key] = appender
        return appender

    def _create_or_adopt(self, entry: Entry) -> Tuple[Appender, bool]:
        """Return an appender, and whether its file was born with the row in it, or was there before."""
        known = self._next_steps.get(entry.key)
        step = self._first_step(entry.key) if entry.step is None else entry.step
        for path in self._paths(layout.METRICS, entry.key):
            appender = Appender(entry.key, path, self)
            try:
                self._in_folder(layout.METRICS, lambda: appender.create(step, entry.timestamp, entry.value))  # noqa: B023
                if entry.step is not None and known is None and self._is_resumed:
                    appender.next_step = None
                elif known is not None:
                    appender.next_step = max(step + 1, known)
                return appender, True
            except FileExistsError:
                if _holds(path, layout.METRICS, entry.key):
                    appender.adopt()
                    appender.next_step = known
                    return appender, False
        raise Displaced("broken")

    def _first_step(self, key: str) -> int:
        known = self._next_steps.get(key)
        if known is None:
            greatest = folders.greatest_step(self.folder, key) if self._is_resumed else None
            known = 0 if greatest is None else greatest + 1
        return known

    def _put_document(self, entry: Entry) -> None:
        data = documents.encode_value(entry.key, entry.value, entry.timestamp)
        for path in self._paths(entry.kind, entry.key):
            try:
                self._in_folder(entry.kind, lambda: documents.create(path, data))  # noqa: B023 - called at once
            except FileExistsError:
                if not _holds(path, entry.kind, entry.key):
                    continue
                documents.replace(path, data)
            self._unsynced.add(path)
            return
        raise Displaced("broken")

    def _paths(self, kind: str, key: str) -> List[str]:
        """Return where a key's file may lie: its place, and the one beside it if that is another's (rule K5)."""
        beside = os.path.join(self._home, kind, layout.file_name(layout.hashed_stem(key)))
        path = self._path(kind, key)
        return [path] if path == beside else [path, beside]

    def _path(self, kind: str, key: str) -> str:
        return os.path.join(self._home, kind, layout.file_name(self._names.stem(kind, key)))

    def _in_folder(self, kind: str, create: Callable[[], None]) -> None:
        """Create a file in one of our folders, and the folder with it, but nothing above (rule D5)."""
        try:
            create()
        except FileNotFoundError:
            if not self._claims[-1].is_held():
                raise Displaced("removed") from None
            os.mkdir(os.path.join(self._home, kind))
            create()

    # Others in the way

    def _make_home(self, generation: int) -> None:
        """Make a folder of our own under ``writers/`` and write there from now on (rule W7)."""
        self._home, claim = make_home(self.folder, generation)
        self._claims.append(claim)
        self._names.clear()
        self._heartbeat.start(self._home, WeakMethod(self._give_sign_of_life))

    def _move_out(self, reason: str) -> None:
        """Leave our files to whoever changed them, and go on in a folder of our own (rule W11)."""
        homeless: List[Tuple[str, Metric]] = []
        for key, appender in self.appenders.items():
            if appender.has_lost_its_name():
                homeless.extend((key, row) for row in appender.rows_since_check())
        self._keep_steps()
        self._unsynced.update(appender.path for appender in self.appenders.values())
        for appender in list(self.appenders.values()):
            appender.close()
        self.appenders.clear()
        self.parked.clear()
        if self._claims and not self._claims[-1].is_held():
            self._lose(self._claims.pop())
        else:
            self._make_home(self._generation)
        self._warn(
            "was changed by somebody else (a file was %s). Values go on under %s, and no reader will miss them"
            % (reason, os.path.relpath(self._home, self.folder))
        )
        for key, row in homeless:
            text = documents.encode_number(row.value)
            self._put_row(Entry(layout.METRICS, key, text, row.step, row.timestamp), time())

    def _lose(self, claim: owner.Claim) -> None:
        """Go on where our owner.json is not ours any more: as a joiner of the new owner, or else as our own heir."""
        claim.release()
        has_heir = any(generation > self._generation for generation, _ in folders.generations(self.folder))
        if has_heir or not self.meta_folder:
            self.meta_folder = ""
            self._make_home(self._generation)
        else:
            self._generation += 1
            self._make_home(self._generation)
            self.meta_folder = self._home
            self.write_meta(generation=self._generation)

    def _look_after(self, now: float) -> None:
        """Once a second: give a sign of life, and see whether the folder is still ours (rules W11 and L2)."""
        if self._look_at - CHECK_PERIOD_S <= now < self._look_at:
            return
        self._look_at = now + CHECK_PERIOD_S
        for claim in self._claims:
            claim.touch(now)
        try:
            if self._claims and not self._claims[-1].is_held():
                self._move_out("taken over")
            if self._sync_period_s and not self._sync_at - self._sync_period_s <= now < self._sync_at:
                self._sync_at = now + self._sync_period_s
                self.sync()
        except OSError as error:
            self._suffer(error)

    def _give_sign_of_life(self) -> None:
        for claim in self._claims:
            claim.touch(time())

    def _verify(self) -> None:
        """Compare every open file with what we wrote, a last time."""
        for appender in list(self.appenders.values()):
            try:
                appender.check(time())
            except Displaced as error:
                try:
                    self._move_out(str(error))
                except OSError as failure:
                    self._suffer(failure)
                return
            except (OSError, BrokenFileError):
                continue  # whatever it is, the sync that follows meets it too

    # Faults

    def _suffer(self, error: Exception) -> None:
        """Go on after a disk fault: close all, so that every next value comes the slow way, and warn once."""
        self._retry_at = time() + CHECK_PERIOD_S
        self._keep_steps()
        for appender in list(self.appenders.values()):
            appender.close()
        self.appenders.clear()
        self._warn(
            "cannot be written now: %s. Training goes on; values are kept in memory and written when it can be" % error
        )

    def _drain(self) -> None:
        """Write what waits, in order, as far as the disk takes it."""
        while len(self._spool):
            try:
                self._put(self._spool.first(), time())
            except (OSError, BrokenFileError) as error:
                self._suffer(error)
                return
            self._spool.drop_first()

    def _keep_steps(self) -> None:
        for key, state in self.parked.items():
            self._keep_step(key, Appender.next_step_of(state))
        for key, appender in self.appenders.items():
            self._keep_step(key, appender.next_step)

    def _keep_step(self, key: str, step: Optional[int]) -> None:
        if step is not None:
            self._next_steps[key] = step

    def _warn(self, text: str, *, always: bool = False) -> None:
        """Warn, once per run unless *always*; never raise: training goes on even where warnings are errors."""
        if self._has_warned and not always:
            return
        self._has_warned = True
        message = "Run %s %s." % (self.folder, text)
        try:
            warnings.warn(message, StorageWarning, stacklevel=2)
        except Warning:
            print("mini-mlflow: " + message, file=sys.stderr)

    def _let_go(self) -> None:
        for appender in list(self.appenders.values()):
            appender.close()
        self.appenders.clear()
        self.parked.clear()
        for claim in self._claims:
            claim.release()
        self._claims.clear()


def make_home(run_folder: str, generation: int) -> Tuple[str, owner.Claim]:
    """Make a folder for one more writer of a run, owned by this process (rule W7)."""
    writers = os.path.join(run_folder, layout.WRITERS)
    try:
        os.mkdir(writers)
    except FileExistsError:
        pass
    home = os.path.join(writers, layout.writer_name(config.host_name(), os.getpid(), os.urandom(4).hex()))
    os.mkdir(home)
    return home, owner.claim_new(home, generation)


def _holds(path: str, kind: str, key: str) -> bool:
    """Tell whether the file at *path* is the key's own; one that cannot be read is nobody's to touch."""
    try:
        return folders.key_in(path, kind) == key
    except (OSError, BrokenFileError):
        return False
