"""How is an open metric file kept whole: at a page's end, on a full disk, after a kill, with somebody else about?

Rules M2 to M6 and M11 to M13 of docs/format.md. ``appender`` adds the fast path.
"""

from __future__ import annotations

import errno
import os
import stat

from ..clock import now_ms
from . import documents
from .documents import read_all
from .documents import write_at as pwrite
from .metric_text import PAGE, closing_text, padded, row_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

    from ..records import Metric
    from . import metric_file
    from .descriptors import DescriptorPool

CHECK_PERIOD_MS = 1000  # rule M12
UNKNOWN = -2  # in place of a position or limit: a call was broken off, so that the file must tell
_PAGE_MASK = PAGE - 1
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)


class DisplacedError(Exception):
    """Tell the writer that somebody else has changed, moved or removed our file (rule M12)."""


class OpenFile:
    """One metric's open file. Whoever calls holds the run's lock.

    Attributes:
        key: The metric.
        path: Its file.
        descriptor: The open file, -1 for none.
        position: Where the closing begins and the next row goes; or UNKNOWN.
        check_at: When the file must be compared with its path again, in milliseconds since 1970.
    """

    __slots__ = (
        "_at",
        "_check_from",
        "_checked",
        "_data",
        "_device",
        "_inode",
        "_newest",
        "_pool",
        "_size",
        "check_at",
        "descriptor",
        "key",
        "path",
        "position",
    )

    def __init__(self, key: str, path: str, pool: DescriptorPool) -> None:
        self.key = key
        self.path = path
        self.descriptor = -1
        self.position = UNKNOWN
        self._pool = pool
        self._size = 0
        self._newest = 0
        self._data = b""  # what the last write left, from _at to the file's end
        self._at = 0
        self._checked = 0  # the rows before this position were in place at the last check
        self._check_from = self.check_at = 0
        self._device = self._inode = 0

    def homeless_rows(self) -> List[Metric]:
        """Return the rows since the last check if our file is at its path no more: they are in no folder then."""
        try:
            there = os.stat(self.path)
            if (there.st_dev, there.st_ino) == (self._device, self._inode):
                return []
        except OSError:
            pass
        from . import metric_file  # who only appends needs nothing of what reads

        try:
            return metric_file.rows_in(read_all(self.descriptor, os.fstat(self.descriptor).st_size, self._checked))
        except OSError:
            return []

    def _add(self, step: int, timestamp: int, text: str) -> None:
        """Write one row, in a page of its own if it must be (rules M3 to M6)."""
        position = self.position
        row = "," + row_text(step, timestamp, text)
        old = self._closing()
        closing = closing_text(step, timestamp, text).encode() if timestamp >= self._newest else old
        data = padded(row.encode() + closing, len(old))
        gap = -position % PAGE if (position ^ (position + len(data) - 1)) > _PAGE_MASK else 0
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

    def _check(self, now: int) -> None:
        """Compare the open file with its path, and its end with what we wrote (rule M12)."""
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
        self._looked(now)

    def _looked(self, now: int) -> None:
        self._check_from, self.check_at = now - CHECK_PERIOD_MS, now + CHECK_PERIOD_MS

    def _close(self, descriptor: int) -> Optional[OSError]:
        """Close a descriptor if it is still our file's: foreign code may have closed it, and opened its own.

        Returns:
            What the disk says of earlier writes: NFS tells only now that a quota is used up.
        """
        try:
            is_ours = self._is_ours(descriptor)
        except OSError:
            return None  # it is closed already
        try:
            if is_ours:
                os.close(descriptor)
        except OSError as error:
            return error
        return None

    def _blind(self, descriptor: int) -> None:
        """Let a descriptor refuse to write, without closing it: its number must not become another file's."""
        try:
            if self._is_ours(descriptor):
                nowhere = os.open(os.devnull, os.O_RDONLY)
                os.dup2(nowhere, descriptor, inheritable=False)
                os.close(nowhere)
        except OSError:
            pass  # then the write succeeds

    def _is_ours(self, descriptor: int) -> bool:
        state = os.fstat(descriptor)
        return (state.st_dev, state.st_ino) == (self._device, self._inode)

    def _page_end(self) -> int:
        return (self.position | _PAGE_MASK) + 1  # 0 where the position is UNKNOWN

    def _open(self, *, is_kept: bool = True) -> os.stat_result:
        """Open the file at the path; one that is not kept is closed after one value, and is none of the pool's."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | _NOFOLLOW | _BINARY)
        except FileNotFoundError:
            raise DisplacedError("removed") from None
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            os.close(descriptor)
            raise documents.broken(self.path, "it is not a regular file")
        if self._inode not in (0, state.st_ino) or self._device not in (0, state.st_dev):
            os.close(descriptor)
            raise DisplacedError("replaced")
        self._device, self._inode = state.st_dev, state.st_ino
        self._opened(descriptor, is_kept=is_kept)
        return state

    def _opened(self, descriptor: int, *, is_kept: bool) -> None:
        self.descriptor = self._pool.lift(descriptor) if is_kept else descriptor

    def _wrote(self, data: bytes, at: int, row_length: int, newest: int) -> None:
        """Keep in mind what the file ends in now: *data* at *at*, and what lay beyond it before."""
        end = at + len(data)
        self._data = data + self._data[end - self._at :] if end < self._size else data
        self._at = at
        self._size = max(end, self._size)
        self._newest = newest
        self.position = at + row_length
        if not self.check_at:
            self._looked(now_ms())

    def _closing(self) -> bytes:
        return self._data[self.position - self._at :].rstrip(b" \n") + b"\n"

    def _extend(self, size: int) -> None:
        """Let the file grow to *size* bytes by spaces."""
        spaces = b" " * (size - self._size)
        try:
            if spaces and pwrite(self.descriptor, spaces, self._size) != len(spaces):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)
        except OSError:
            self._size = os.fstat(self.descriptor).st_size
            self._data = read_all(self.descriptor, self._size - self._at, self._at)
            raise
        self._size += len(spaces)
        self._data += spaces

    def _restore(self) -> None:
        """Put the closing back that a broken-off write has overwritten, and spaces over the rest of it (rule P3)."""
        position, self.position = self.position, UNKNOWN
        try:
            if position < 0 or not self._is_ours(self.descriptor):
                return
            size = os.fstat(self.descriptor).st_size
            old = self._data[position - self._at :].ljust(size - position)
            if pwrite(self.descriptor, old, position) == len(old):
                self._data, self._at, self._size, self.position = old, position, size, position
        except OSError:
            pass  # whoever opens the file next mends it (rule M13)

    def _find_end(self) -> None:
        """Find where the next row goes, and write the closing if it is missing (rule M13)."""
        from . import metric_file  # as above

        tail = metric_file.read_tail(self.descriptor) or self._repair()
        if tail.key != self.key:
            raise documents.broken(self.path, "it is not the history of %r" % self.key)
        self.position, self._size, self._newest = tail.position, tail.size, tail.latest.timestamp
        self._at = tail.position
        self._checked = min(self._checked, tail.position) or tail.position
        self._data = read_all(self.descriptor, self._size - self._at, self._at)
        self.check_at = 0

    def _repair(self) -> metric_file.Tail:
        """Write the closing where it is missing, or the file anew, and return where it ends."""
        from . import metric_file  # as above

        data = read_all(self.descriptor, os.fstat(self.descriptor).st_size)
        history = metric_file.decode(data, self.path)
        if history.latest is None or history.key != self.key:
            raise documents.broken(self.path, "it has no row of %r" % self.key)
        if not history.is_exact:
            closing = metric_file.closing_behind(data, history)
            if closing is not None:
                data = data[: history.end] + closing
                if pwrite(self.descriptor, closing, history.end) != len(closing):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)
            else:
                data = metric_file.encode(self.key, history.rows)
                self._rewrite(data)
                self._checked = 0
            history = metric_file.decode(data, self.path)
        return metric_file.Tail(self.key, history.latest, history.end, len(data))

    def _unshare(self) -> None:
        """Go on in a copy where the file has a second hard link: that is somebody's backup (rule M11)."""
        state = os.fstat(self.descriptor)
        if state.st_nlink > 1:
            self._rewrite(read_all(self.descriptor, state.st_size))

    def _rewrite(self, data: bytes) -> None:
        self._close(self.descriptor)  # first, as Windows replaces no open file
        self.descriptor = -1
        documents.replace(self.path, data)
        self._inode = 0
        self._open()
