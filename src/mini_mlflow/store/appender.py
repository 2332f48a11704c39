"""How is one row added to a metric's file? The hot path of the package.

Rules M1, M2 and M5 of docs/format.md. Whatever is not plain (a page boundary, a check that is due, a fault) goes to
the run's writer, which knows what to do.
"""

from __future__ import annotations

import errno
import os
from time import time_ns

from ..clock import now_ms
from ..errors import BrokenFileError
from . import documents
from .documents import read_all
from .documents import write_at as pwrite
from .metric_text import ROW_SURPLUS, closing_text, head_text, row_text, timestamp_of_closing
from .open_file import CHECK_PERIOD_MS, UNKNOWN, DisplacedError, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import RLock
    from typing import Callable, Optional

    from ..records import Number
    from .resident import Resident

BUSY = -1  # in place of a limit: a call is at work, and this one interrupts it
MAX_STEP = 2**63 - 1  # rule M7


class BusyError(Exception):
    """Tell a call that the one that it interrupts is at work on the file."""


class Appender(OpenFile):
    """One metric's open file, and the right to add to it.

    Attributes:
        limit: Where the page of *position* ends; or BUSY, or UNKNOWN. Whoever works on the file makes it BUSY *before*
            looking at anything else, so that a signal handler or destructor that logs meanwhile sees it.
        next_step: The step that a row without one gets, None where it is not known.
        slot: The pool's mark.
    """

    __slots__ = ("_lock", "_writer", "limit", "next_step", "slot")

    def __init__(self, key: str, path: str, writer: Resident) -> None:
        super().__init__(key, path, writer.pool)
        self.limit = UNKNOWN
        self.next_step: Optional[int] = 0
        self.slot = -1
        self._writer = writer
        self._lock: RLock = writer.lock

    def append(  # noqa: PLR0915 - the hot path; each part of it that is a function costs a call
        self, value: Number, step: Optional[int] = None, timestamp: Optional[int] = None
    ) -> None:
        """Write one row; it survives the death of the process once this returns.

        Args:
            value: A plain int or float.
            step: An int of 64 bits, None for the next free one.
            timestamp: Milliseconds since 1970, None for now.
        """
        text = repr(value)
        if "n" in text:
            text = documents.encode_number(value)
        lock = self._lock
        try:  # "with" takes twice as long; a signal between these two lines is answered within the try as well
            lock.acquire()
            now = time_ns() // 1000000
            if now >= self.check_at:
                return self._writer.write_row(self.key, text, step, timestamp, now)
            try:
                limit = self.limit
                self.limit = BUSY
                position = self.position
                if timestamp is None:
                    timestamp = now
                free = self.next_step
                if step is None:
                    step = free
                at, when = f"{step}", f"{timestamp}"
                data = (
                    f',\n[{at}, {when}, {text}]\n], "step": {at}, "timestamp": {when}, "value": {text}}}\n'
                ).encode()
                size = len(data)
                end = position + size
                if end > limit or end < self._size or timestamp < self._newest or step is None:
                    # A clock that was set back makes rows older than the newest: no reason to look less often.
                    if limit < 0 or step is None or now < self._check_from:
                        self.limit = limit
                        return self._writer.write_row(self.key, text, step, timestamp, now)
                    self._add(step, timestamp, text)
                    limit = self._page_end()
                else:
                    if pwrite(self.descriptor, data, position) != size:
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                    self._newest = timestamp
                    self._size = end
                    self._data = data
                    self._at = position
                    self.position = position + ((size + ROW_SURPLUS) >> 1)
                if free is not None and step >= free:
                    self.next_step = step + 1 if step < 2**63 - 1 else step
                self.limit = limit
            except OSError:
                self._restore()
                self.limit = self._page_end()
                return self._writer.write_row(self.key, text, step, timestamp, now)
            except BaseException:
                self.position = self.limit = UNKNOWN
                raise
        finally:
            try:
                lock.release()
            except RuntimeError:
                pass  # a signal has broken off the waiting for another thread

    # What follows is called by the writer, with the run's lock held.

    def create(self, step: int, timestamp: int, text: str) -> None:
        """Create the file with its first row in it.

        Raises:
            FileExistsError: There is one.
        """
        head = head_text(self.key).encode("utf-8")
        data = (row_text(step, timestamp, text) + closing_text(step, timestamp, text)).encode()
        descriptor = documents.create_open(self.path, head + data)
        self.next_step = min(step + 1, MAX_STEP)
        try:
            state = os.fstat(descriptor)
            self._device, self._inode = state.st_dev, state.st_ino
            self._opened(descriptor, is_kept=self._pool.has_room())
        except OSError:
            self.close()  # the row is written, so that this is no failure; the next one opens the file again
            return
        self._wrote(data, len(head), len(row_text(step, timestamp, text)), timestamp)
        self._checked = len(head)
        self.limit = self._page_end()

    def adopt(self) -> None:
        """Open a file that another process left behind, and mend what a kill or a power cut did (rule M13)."""
        self._open()
        self._unshare()
        self._find_end()
        self.next_step = None
        self.limit = self._page_end()

    def write(self, step: int, timestamp: int, text: str, now: int) -> None:
        """Write one row where the fast path could not.

        Raises:
            DisplacedError: The file is not as we left it.
            OSError: The disk refused; the file still ends in the closing it had.
        """

        def work() -> None:
            if self.descriptor < 0:
                self._open()
                self._check(now)
            if self.position == UNKNOWN:
                self._find_end()
            self._add(step, timestamp, text)
            if self.next_step is not None and step >= self.next_step:
                self.next_step = min(step + 1, MAX_STEP)

        self._alone(work)

    def is_due(self, now: int) -> bool:
        """Tell whether the open file must be compared with its path again."""
        return self.descriptor >= 0 and not self._check_from <= now < self.check_at

    def put_off(self, now: int, wait_ms: int) -> None:
        """Let the file not be due for a while."""
        self._check_from, self.check_at = now - CHECK_PERIOD_MS, now + wait_ms

    def check(self, now: int) -> None:
        """Compare the open file with its path, and its end with what we wrote (rule M12).

        Raises:
            DisplacedError: Somebody else has changed, moved or removed it.
        """
        self._alone(lambda: self._check(now))

    def park(self) -> bool:
        """Close the file for others to be open, keeping in mind where it ends; False where it is in use."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if (
                self.limit < 0
                or self.position < 0
                or self.descriptor < 0
                or self._writer.appenders.get(self.key) is not self
            ):
                return False
            self._alone(self._check_and_keep)
            self.close()
            return True
        except (DisplacedError, OSError, BrokenFileError):
            return False  # its next value will tell
        finally:
            self._lock.release()

    def unpark(self, state: bytes) -> None:
        """Open a parked file again; for one value alone where others have the room.

        Raises:
            DisplacedError: It is not as we left it.
        """
        numbers = [int(number, 16) for number in state.split()]
        self._inode, self.position, self._size, self._newest = numbers[:4]
        self.next_step = numbers[4] if len(numbers) > 4 else None
        there = self._open(is_kept=self._pool.makes_room())
        self._at = self._checked = self.position
        self._data = read_all(self.descriptor, self._size - self._at, self._at)
        if there.st_size != self._size or timestamp_of_closing(self._data) != self._newest:
            raise DisplacedError("changed")
        if there.st_nlink > 1:
            self._unshare()
        self._looked(now_ms())
        self.limit = self._page_end()

    def rest(self) -> None:
        """Close a file that was opened for one value alone, keeping in mind where it ends."""
        if self.descriptor < 0 or self.slot >= 0:
            return  # it is one of the pool's
        if self.position >= 0 and self._writer.appenders.get(self.key) is self:
            self._alone(self._keep)
        descriptor, self.descriptor, self.check_at = self.descriptor, -1, 0
        try:
            os.close(descriptor)
        except OSError as failure:
            self._writer.tell(failure)

    @staticmethod
    def next_step_of(state: bytes) -> Optional[int]:
        """Return the next free step of a parked file, None where it is not known."""
        numbers = state.split()
        return int(numbers[4], 16) if len(numbers) > 4 else None

    def close(self) -> None:
        """Close the file, also where this call interrupts one that is at work on it: that one's write will fail."""
        self._pool.remove(self)
        descriptor, self.descriptor = self.descriptor, -1
        if self.limit == BUSY:
            self._blind(descriptor)
        else:
            failure = self._close(descriptor)
            if failure is not None:
                self._writer.tell(failure)
        self.check_at = 0

    def abandon(self) -> None:
        """Forget the descriptor; it is closed only where it is certainly still ours and nobody is at work on it."""
        if self._lock.acquire(blocking=False):
            try:
                self.close()
            finally:
                self._lock.release()
        else:
            self._pool.remove(self)
            self.descriptor, self.check_at = -1, 0

    def forsake(self) -> None:
        """Close our copy of a parent's descriptor, in a forked child."""
        descriptor, self.descriptor = self.descriptor, -1
        self._close(descriptor)

    def _alone(self, work: Callable[[], None]) -> None:
        """Do a slow step while calls that interrupt this one leave the file to it."""
        if self.limit == BUSY:
            raise BusyError(self.key)
        try:
            self.limit = BUSY
            work()
        except (DisplacedError, OSError, BrokenFileError):
            raise
        except BaseException:  # broken off by a signal handler, wherever that was
            self.position = UNKNOWN
            raise
        finally:
            self.limit = self._page_end()

    def _opened(self, descriptor: int, *, is_kept: bool) -> None:
        super()._opened(descriptor, is_kept=is_kept)
        if is_kept:
            self._pool.admit(self)

    def _check_and_keep(self) -> None:
        self._check(now_ms())
        self._keep()

    def _keep(self) -> None:
        state = (self._inode, self.position, self._size, self._newest)
        steps = () if self.next_step is None else (self.next_step,)
        self._writer.parked[self.key] = b"%x " * len(state + steps) % (state + steps)
        del self._writer.appenders[self.key]
