"""How is what is printed kept in a file, as it would stand on the screen?

The process that ``console_tee`` starts imports this without its package: it needs nothing but the standard library.
"""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Tuple

MAX_LOG_BYTES = 64 * 2**20
_MAX_LINE = 64 * 1024  # a longer one is not rewritten in place
_LEFT_OUT = b"\n[... %d bytes of output are left out here ...]\n"
_LOST = b"\n[... %d bytes of output are missing here: %s ...]\n"


def lock(descriptor: int) -> bool:
    """Tell whether nobody else writes this log, and see to it that nobody else begins to."""
    try:
        import fcntl
    except ImportError:  # Windows, where a log is written by the process itself
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EAGAIN, errno.EACCES)  # a disk without locks
    return True


def unlock(descriptor: int) -> None:
    """Let others write this log."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except (ImportError, OSError):
        pass


class Log:
    """A file that keeps what is printed, as it would stand on the screen: of a progress bar its last state.

    The line that is not complete yet is rewritten in place, so that the file can be read at any time. Of more than
    *max_bytes* the middle is left out, with a note.

    Attributes:
        lost: How many bytes the disk has not taken.
    """

    def __init__(self, descriptor: int, max_bytes: int = MAX_LOG_BYTES) -> None:
        """Go on at the end of a file.

        Args:
            descriptor: The file, open for reading and writing; it becomes the log's own.
            max_bytes: How long it may become.
        """
        self.lost = 0
        self._descriptor = descriptor
        self._identity = _identity_of(descriptor)
        self._max_bytes = max_bytes
        self._line_at = os.fstat(descriptor).st_size  # where the last line begins
        self._line = b""
        self._shown = b""
        self._fault = b""
        self._missing = 0
        self._head = 0  # how much of the beginning is kept for ever
        self._note = b""
        self._left_out = 0
        if self._line_at and _read_at(descriptor, 1, self._line_at - 1) != b"\n":
            self.feed(b"\n")

    def feed(self, data: bytes) -> None:
        """Add what was printed. What the disk refuses is counted, and noted when it takes something again."""
        try:
            self._check()
            if self._fault:
                self._put(_LOST % (self._missing, self._fault) + data)
                self._fault, self._missing = b"", 0
            else:
                self._put(data)
            if self._line_at > self._max_bytes:
                self._leave_out_the_middle()
        except OSError as error:
            self.lost += len(data)
            self._missing += len(data)
            self._fault = os.strerror(error.errno or 0).encode()

    def close(self) -> None:
        """Let go of the file, also for whoever else has this descriptor."""
        if self._descriptor >= 0 and _identity_of(self._descriptor) == self._identity:
            unlock(self._descriptor)
            os.close(self._descriptor)
        self._descriptor = -1

    def _check(self) -> None:
        """See to it that foreign code has not closed the file, whose descriptor may be the user's own file's now."""
        if _identity_of(self._descriptor) != self._identity:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def _put(self, data: bytes) -> None:
        complete, line_break, line = (self._line + data).rpartition(b"\n")
        if line_break and b"\r" in complete:
            complete = b"".join(_last_state(each) + b"\n" for each in complete.split(b"\n"))
        elif line_break:
            complete += b"\n"  # millions of plain lines need no look at each
        shown = _last_state(line)
        line = shown + b"\r" if line.endswith(b"\r") else shown
        if len(line) > _MAX_LINE:
            complete, shown, line = complete + shown, b"", b""
        if complete or shown != self._shown:
            _write_at(self._descriptor, complete + shown, self._line_at)
            if len(complete) + len(shown) < len(self._shown):
                os.ftruncate(self._descriptor, self._line_at + len(complete) + len(shown))
        self._line_at += len(complete)
        self._line, self._shown = line, shown

    def _leave_out_the_middle(self) -> None:
        """Keep the first and the last quarter of what a log may have."""
        quarter = self._max_bytes // 4
        if not self._note:
            self._head = _after_line_break(self._descriptor, quarter)
        end = self._line_at + len(self._shown)
        tail = min(_after_line_break(self._descriptor, end - quarter), self._line_at)
        left_out = self._left_out + tail - self._head - len(self._note)
        note = _LEFT_OUT % left_out
        kept = note + _read_at(self._descriptor, end - tail, tail)
        _write_at(self._descriptor, kept, self._head)
        os.ftruncate(self._descriptor, self._head + len(kept))
        self._left_out, self._note = left_out, note
        self._line_at = self._head + len(kept) - len(self._shown)


def _identity_of(descriptor: int) -> Optional[Tuple[int, int]]:
    try:
        state = os.fstat(descriptor)
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _last_state(line: bytes) -> bytes:
    """Return what stands on the screen after a line with carriage returns."""
    if b"\r" not in line:
        return line
    return next((each for each in reversed(line.split(b"\r")) if each), b"")


def _after_line_break(descriptor: int, place: int) -> int:
    """Return where the first line after *place* begins; *place* where it is long."""
    found = _read_at(descriptor, _MAX_LINE, place).find(b"\n")
    return place if found < 0 else place + found + 1


def _read_at(descriptor: int, size: int, place: int) -> bytes:
    os.lseek(descriptor, place, os.SEEK_SET)
    parts = []
    while size > 0:
        part = os.read(descriptor, size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _write_at(descriptor: int, data: bytes, place: int) -> None:
    os.lseek(descriptor, place, os.SEEK_SET)  # pwrite is not on Windows; nobody else uses this descriptor
    while data:
        data = data[os.write(descriptor, data) :]
