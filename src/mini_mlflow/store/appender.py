"""How is one row added to a metric's file? The hot path of the package.

An appender holds one open file of rules M1 to M6 and M11 to M13 of docs/format.md. Whatever is not plain (a page
boundary, a check that is due, a fault) goes to the run's writer, which knows what to do.
"""

from __future__ import annotations

import errno
import os
import stat
from time import time_ns

from . import documents, metric_file
from .documents import read_all
from .documents import write_at as pwrite
from .metric_file import ROW_SURPLUS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import RLock
    from typing import List, Optional

    from ..records import Metric, Number
    from .descriptors import DescriptorPool
    from .writer import RunWriter

CHECK_PERIOD_MS = 1000  # rule M12
BUSY = -1  # in place of a position: a call is at work, and this one interrupts it
UNKNOWN = -2  # in place of a position: a call was broken off, so that the file must tell
_PAGE_MASK = metric_file.PAGE - 1
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)


class DisplacedError(Exception):
    """Tell the writer that somebody else has changed, moved or removed our file (rule M12)."""


class Appender:
    """One metric's open file."""

    __slots__ = (
        "_at",
        "_check_from",
        "_checked",
        "_data",
        "_device",
        "_inode",
        "_lock",
        "_newest",
        "_page_end",
        "_pool",
        "_size",
        "_writer",
        "check_at",
        "descriptor",
        "key",
        "next_step",
        "path",
        "position",
        "slot",
    )

    def __init__(self, key: str, path: str, writer: RunWriter) -> None:
        self.key = key
        self.path = path
        self.descriptor = -1
        self.position = UNKNOWN
        self.next_step: Optional[int] = 0
        self.slot = -1
        self._writer = writer
        self._lock: RLock = writer.lock
        self._pool: DescriptorPool = writer.pool
        self._size = 0
        self._newest = 0
        self._page_end = 0
        self._data = b""  # what the last write left, from _at to the file's end
        self._at = 0
        self._checked = 0  # the rows before this position were in place at the last check
        self._check_from = self.check_at = 0
        self._device = self._inode = 0

    def append(self, value: Number, step: Optional[int] = None, timestamp: Optional[int] = None) -> None:
        """Write one row; it survives the death of the process once this returns.

        Args:
            value: A plain int or float.
            step: An int of 64 bits, None for the next free one.
            timestamp: Milliseconds since 1970, None for now.
        """
        text = repr(value)
        if "n" in text:
            text = documents.encode_number(value)
        with self._lock:
            now = time_ns() // 1000000
            position = self.position
            if position < 0 or not self._check_from <= now < self.check_at:
                return self._writer.write_row(self.key, text, step, timestamp, now)
            self.position = BUSY
            try:
                if timestamp is None:
                    timestamp = now
                free = self.next_step
                if step is None:
                    step = free
                at, when = f"{step}", f"{timestamp}"
                data = (
                    f',\n[{at}, {when}, {text}]\n], "step": {at}, "timestamp": {when}, "value": {text}}}\n'
                ).encode()
                end = position + len(data)
                if end > self._page_end or end < self._size or timestamp < self._newest or step is None:
                    self.position = position
                    return self._writer.write_row(self.key, text, step, timestamp, now)
                if pwrite(self.descriptor, data, position) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if free is not None and step >= free:
                    self.next_step = step + 1
                self._newest = timestamp
                self._size = end
                self._data = data
                self._at = position
                self.position = position + ((len(data) + ROW_SURPLUS) >> 1)
            except OSError:
                self.position = UNKNOWN
                return self._writer.write_row(self.key, text, step, timestamp, now)
            except BaseException:
                self.position = UNKNOWN
                raise

    # What follows is called by the writer, with the run's lock held.

    def create(self, step: int, timestamp: int, text: str) -> None:
        """Create the file with its first row in it.

        Raises:
            FileExistsError: There is one.
        """
        head = metric_file.head_text(self.key).encode("utf-8")
        data = (metric_file.row_text(step, timestamp, text) + metric_file.closing_text(step, timestamp, text)).encode()
        self._opened(documents.create_open(self.path, head + data))
        self._wrote(data, len(head), len(metric_file.row_text(step, timestamp, text)), timestamp)
        self._checked = len(head)
        self.next_step = step + 1

    def adopt(self) -> None:
        """Open a file that another process left behind, and mend what a kill or a power cut did (rule M13)."""
        self._open()
        self._unshare()
        self._find_end()
        self.next_step = None

    def write(self, step: int, timestamp: int, text: str, now: int) -> None:
        """Write one row where the fast path could not.

        Raises:
            DisplacedError: The file is not as we left it.
            OSError: The disk refused; the file still ends in the closing it had.
        """
        if self.descriptor < 0:
            self._open()
            self.check(now)
        if self.position == UNKNOWN:
            self._find_end()
        if not self._check_from <= now < self.check_at:
            self.check(now)
        position = self.position
        row = "," + metric_file.row_text(step, timestamp, text)
        old = self._closing()
        closing = metric_file.closing_text(step, timestamp, text).encode() if timestamp >= self._newest else old
        data = metric_file.padded(row.encode() + closing, len(old))
        gap = -position % metric_file.PAGE if (position ^ (position + len(data) - 1)) > _PAGE_MASK else 0
        if gap:
            # The rows of a page are whole, so this row begins the next one. Room for it is made first, by spaces behind
            # the closing, which leave the document valid: a full disk shows before anything is overwritten.
            self._extend(position + gap + len(data))
        try:
            if pwrite(self.descriptor, b" " * gap + data, position) != gap + len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)
        except OSError:
            self._restore()
            raise
        self._wrote(data, position + gap, len(row), max(timestamp, self._newest))
        if self.next_step is not None and step >= self.next_step:
            self.next_step = step + 1

    def check(self, now: int) -> None:
        """Compare the open file with its path, and its end with what we wrote (rule M12).

        Raises:
            DisplacedError: Somebody else has changed, moved or removed it.
        """
        if self.position == UNKNOWN:
            self._find_end()
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            raise DisplacedError("removed") from None
        ours = os.fstat(self.descriptor)
        if (ours.st_dev, ours.st_ino) != (self._device, self._inode):
            raise OSError(errno.EBADF, "foreign code closed our descriptor, and its number is another file's now")
        if (there.st_dev, there.st_ino) != (self._device, self._inode):
            raise DisplacedError("replaced")
        if ours.st_size != self._size or read_all(self.descriptor, len(self._data), self._at) != self._data:
            raise DisplacedError("changed")
        if ours.st_nlink > 1:
            self._unshare()
        self._checked = self.position
        self._check_from, self.check_at = now - CHECK_PERIOD_MS, now + CHECK_PERIOD_MS

    def rows_since_check(self) -> List[Metric]:
        """Return the rows written since the last check, from our file, even if it has no name any more."""
        if self.descriptor < 0:
            return []
        try:
            data = read_all(self.descriptor, max(0, self.position - self._checked), self._checked)
        except OSError:
            return []
        return metric_file.rows_in(data)

    def park(self) -> bool:
        """Close the file for others to be open, keeping in mind where it ends; False where it is in use."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if self.position < 0 or self.descriptor < 0 or not self._writer.owns(self):
                return False
            try:
                self.check(now_ms())
            except (DisplacedError, OSError):
                return False  # its next value will tell
            state = (self._device, self._inode, self.position, self._size, self._newest)
            steps = () if self.next_step is None else (self.next_step,)
            self._writer.parked[self.key] = b"%x " * len(state + steps) % (state + steps)
            del self._writer.appenders[self.key]
            self.close()
            return True
        finally:
            self._lock.release()

    def unpark(self, state: bytes) -> None:
        """Open a parked file again.

        Raises:
            DisplacedError: It is not as we left it.
        """
        numbers = [int(number, 16) for number in state.split()]
        self._device, self._inode, self.position, self._size, self._newest = numbers[:5]
        self.next_step = self.next_step_of(state)
        self._open()
        self._at = self.position
        self._page_end = (self.position | _PAGE_MASK) + 1
        self._data = read_all(self.descriptor, self._size + 1 - self._at, self._at)
        latest = metric_file.closing_at_start(self._data)
        if latest is None or latest.timestamp != self._newest:
            raise DisplacedError("changed")
        self.check(now_ms())

    @staticmethod
    def next_step_of(state: bytes) -> Optional[int]:
        """Return the next free step of a parked file, None where it is not known."""
        numbers = state.split()
        return int(numbers[5], 16) if len(numbers) > 5 else None

    def has_lost_its_name(self) -> bool:
        """Tell whether our file is at its path no more: then its rows are in no folder."""
        try:
            there = os.stat(self.path)
        except OSError:
            return True
        return (there.st_dev, there.st_ino) != (self._device, self._inode)

    def close(self) -> None:
        """Close the file. One that a call is at work on is left open: its number must not become another file's."""
        self._pool.remove(self)
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0 and self.position != BUSY:
            try:
                os.close(descriptor)
            except OSError:
                pass  # foreign code closed it already
        if self.position != BUSY:
            self.check_at = 0

    def abandon(self) -> None:
        """Forget the descriptor without closing it: its number may be another file's by now."""
        self.slot = -1
        self.descriptor = -1
        self.check_at = 0

    def forsake(self) -> None:
        """Close our copy of a parent's descriptor, in a forked child."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.abandon()

    def _open(self) -> None:
        try:
            descriptor = os.open(self.path, os.O_RDWR | _NOFOLLOW | _BINARY)
        except FileNotFoundError:
            raise DisplacedError("removed") from None
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            os.close(descriptor)
            raise documents.broken(self.path, "it is not a regular file")
        if self._inode and (state.st_dev, state.st_ino) != (self._device, self._inode):
            os.close(descriptor)
            raise DisplacedError("replaced")
        self._opened(descriptor)

    def _opened(self, descriptor: int) -> None:
        self.descriptor = self._pool.lift(descriptor)
        state = os.fstat(self.descriptor)
        self._device, self._inode = state.st_dev, state.st_ino
        self._pool.admit(self)

    def _wrote(self, data: bytes, at: int, row_length: int, newest: int) -> None:
        """Keep in mind what the file ends in now: *data* at *at*, and what lay beyond it before."""
        end = at + len(data)
        self._data = data + self._data[end - self._at :] if end < self._size else data
        self._at = at
        self._size = max(end, self._size)
        self._newest = newest
        self.position = at + row_length
        self._page_end = (self.position | _PAGE_MASK) + 1
        if not self.check_at:
            now = now_ms()
            self._check_from, self.check_at = now - CHECK_PERIOD_MS, now + CHECK_PERIOD_MS

    def _closing(self) -> bytes:
        return self._data[self.position - self._at :].rstrip(b" \n") + b"\n"

    def _extend(self, size: int) -> None:
        """Let the file grow to *size* bytes by spaces."""
        missing = size - self._size
        try:
            if missing > 0 and pwrite(self.descriptor, b" " * missing, self._size) != missing:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)
        finally:
            self._size = os.fstat(self.descriptor).st_size
            self._data = read_all(self.descriptor, self._size - self._at, self._at)

    def _restore(self) -> None:
        """Put the closing back that a broken-off write has overwritten, and spaces over the rest of it."""
        position, self.position = self.position, UNKNOWN
        size = os.fstat(self.descriptor).st_size
        old = self._data[position - self._at :].ljust(size - position)
        if pwrite(self.descriptor, old, position) == len(old):
            self._data, self._at, self._size, self.position = old, position, size, position

    def _find_end(self) -> None:
        """Find where the next row goes, and write the closing if it is missing (rule M13)."""
        tail = metric_file.read_tail(self.descriptor)
        if tail is None:
            self._repair()
            tail = metric_file.read_tail(self.descriptor)
        if tail is None or tail.key != self.key:
            raise documents.broken(self.path, "it is not the history of %r" % self.key)
        self.position, self._size, self._newest = tail.position, tail.size, tail.latest.timestamp
        self._at, self._checked = tail.position, tail.position
        self._page_end = (tail.position | _PAGE_MASK) + 1
        self._data = read_all(self.descriptor, self._size - self._at, self._at)
        self.check_at = 0

    def _repair(self) -> None:
        size = os.fstat(self.descriptor).st_size
        data = read_all(self.descriptor, size)
        history = metric_file.decode(data, self.path)
        if history.latest is None:
            raise documents.broken(self.path, "it has no row")
        latest = history.latest
        closing = metric_file.closing_text(
            latest.step, latest.timestamp, documents.encode_number(latest.value)
        ).encode()
        closing = metric_file.padded(closing, size - history.end)
        if history.end and metric_file.decode(data[: history.end] + closing, self.path).is_exact:
            if pwrite(self.descriptor, closing, history.end) != len(closing):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)
        else:
            self._rewrite(metric_file.encode(self.key, history.rows))

    def _unshare(self) -> None:
        """Go on in a copy where the file has a second hard link: that is somebody's backup (rule M11)."""
        state = os.fstat(self.descriptor)
        if state.st_nlink > 1:
            self._rewrite(read_all(self.descriptor, state.st_size))

    def _rewrite(self, data: bytes) -> None:
        documents.replace(self.path, data)
        self._pool.remove(self)
        os.close(self.descriptor)
        self.descriptor, self._inode = -1, 0
        self._open()


def now_ms() -> int:
    """Return the time in milliseconds since 1970."""
    return time_ns() // 1000000
