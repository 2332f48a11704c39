"""How does what a process prints reach both where it went before and a log, whatever becomes of that process?

``console`` starts this file as a program of its own. A thread of the process itself would die with it, and could not
read while other code holds the interpreter, until the pipe between them is full and both wait for ever. This one reads
on until the last writer is gone, and so keeps the last words of a process that was killed. It needs nothing but the
standard library, as it runs isolated from all that the user has installed.
"""

from __future__ import annotations

import errno
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Condition
    from typing import List, Optional, Tuple

MAX_LOG_BYTES = 64 * 2**20
MARK = b"\x1b_mini-mlflow-%s\x1b\\"  # in a stream: what follows is not for the log. No terminal shows such a text
NO_TARGET = -1
_MAX_LINE = 64 * 1024  # a longer one is not rewritten in place
_MAX_WAITING = 64 * 2**20  # bytes for a disk that does not take them
_PORTION = 64 * 1024
_PATIENCE_S = 5.0
_LOOK_MS = 1000  # between two looks at the size of the terminal
_MOST_STARTS = 3
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
        if line_break:
            complete = b"".join(_last_state(each) + b"\n" for each in complete.split(b"\n"))
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


class Feeder:
    """A thread that feeds a log, so that a disk that hangs holds up nobody who prints."""

    def __init__(self, log: Log) -> None:
        """Start it."""
        import threading

        self._log: Optional[Log] = log
        self._waiting: List[bytes] = []
        self._bytes = 0
        self._is_busy = False
        self._changed: Condition = threading.Condition()
        threading.Thread(target=self._feed, daemon=True).start()

    def feed(self, data: bytes) -> None:
        """Hand over what was printed; what a disk has not taken for long is dropped, and counted as lost."""
        with self._changed:
            if self._log is None:
                return
            if self._bytes + len(data) > _MAX_WAITING:
                self._log.lost += len(data)
                return
            self._waiting.append(data)
            self._bytes += len(data)
            self._changed.notify_all()

    def finish(self) -> int:
        """Wait until all is written, within reason, close the log and return how many bytes were lost."""
        with self._changed:
            log = self._log
            if log is None:
                return 0
            self._changed.wait_for(lambda: not self._waiting and not self._is_busy, _PATIENCE_S)
            self._log = None
            lost = log.lost + self._bytes
            if not self._is_busy:
                log.close()
        return lost

    def _feed(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                data = b"".join(self._waiting)
                log, self._is_busy = self._log, True
                del self._waiting[:]
            if log is None:
                return
            log.feed(data)
            with self._changed:
                self._bytes -= len(data)
                self._is_busy = False
                self._changed.notify_all()


class Source:
    """One stream of what is printed.

    Attributes:
        descriptor: Where it comes from.
        target: Where it went before; ``NO_TARGET``: nowhere, it is for the log alone.
        is_logged: Whether what comes is for the log, too.
    """

    def __init__(self, descriptor: int, target: int) -> None:
        self.descriptor = descriptor
        self.target = target
        self.is_logged = True
        self._held = b""
        self._size = b""

    def read(self, mark: bytes) -> Optional[List[bytes]]:
        """Return what has come before the mark and what after it; None once nobody can write any more."""
        try:
            data = os.read(self.descriptor, _PORTION)
        except OSError as error:  # EIO: a terminal that nobody has open
            if error.errno in (errno.EAGAIN, errno.EINTR):
                return [b""]
            data = b""
        if not data:
            held, self._held = self._held, b""
            return [held] if held else None
        data = self._held + data
        parts = data.split(mark, 1)
        beginning = 0 if len(parts) > 1 else _beginning_of(mark, parts[0])
        self._held = parts[0][len(parts[0]) - beginning :] if beginning else b""
        parts[0] = parts[0][: len(parts[0]) - beginning]
        return parts

    def pass_on(self, data: bytes) -> None:
        """Write what was printed to where it went before. If that is gone, the process need not know."""
        while data and self.target != NO_TARGET:
            try:
                data = data[os.write(self.target, data) :]
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    _wait_for(self.target)
                elif error.errno != errno.EINTR:
                    self.target = NO_TARGET

    def follow_size(self) -> None:
        """Give the terminal that the process sees the size of the one that the user sees."""
        import fcntl
        import termios

        try:
            size = fcntl.ioctl(self.target, termios.TIOCGWINSZ, b"\0" * 8)
            if size != self._size:
                fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, size)
                self._size = size
        except OSError:
            pass


def tee(sources: List[Source], log: Optional[Log], mark: bytes, control: int) -> None:
    """Pass on and log what is printed until nobody can print any more.

    Args:
        sources: The streams, in the order in which they are read.
        log: The log; None: what is printed is passed on alone.
        mark: After it, a stream is no longer logged. When all have had theirs, the number of bytes that were lost is
            written to *control*.
        control: The process that prints reads there.
    """
    import select

    feeder = None if log is None else Feeder(log)
    open_sources = list(sources)
    terminals = [each for each in sources if each.target != NO_TARGET and os.isatty(each.descriptor)]
    poller = select.poll()
    for source in sources:
        poller.register(source.descriptor, select.POLLIN)
    while open_sources:
        ready = {descriptor for descriptor, _ in poller.poll(_LOOK_MS if terminals else None)}
        for source in terminals:
            source.follow_size()
        for source in [each for each in open_sources if each.descriptor in ready]:
            parts = source.read(mark)
            was_logged = source.is_logged
            if parts is None:
                poller.unregister(source.descriptor)
                open_sources.remove(source)
                source.is_logged = False  # foreign code may have closed this one alone
            else:
                source.pass_on(parts[0])
                if source.is_logged and feeder is not None:
                    feeder.feed(parts[0])
                if len(parts) > 1:
                    source.is_logged = False
                    source.pass_on(parts[1])
            if was_logged and not any(each.is_logged for each in sources):
                _say(control, b"%d\n" % (0 if feeder is None else feeder.finish()))
    if feeder is not None:
        feeder.finish()


def main(arguments: List[str]) -> None:
    """Go into the background and tee.

    Args:
        arguments: The descriptors of the control pipe and of the log, the longest log, the mark, then pairs of
            descriptors ``source:target``.
    """
    import signal

    control, log, max_bytes = (int(each) for each in arguments[:3])
    mark = MARK % arguments[3].encode()
    pairs = [each.split(":") for each in arguments[4:]]
    # What ends the process is no reason to miss its last words.
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGPIPE", "SIGTSTP", "SIGTTOU"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.chdir("/")
    if os.fork():
        os._exit(0)  # whoever started us waits for this; the rest is no child of a process that may wait for its own
    _say(control, b"ready\n")
    for _ in range(_MOST_STARTS):
        child = os.fork()
        if not child:
            try:
                tee([Source(int(one), int(other)) for one, other in pairs], Log(log, max_bytes), mark, control)
            except BaseException:  # noqa: BLE001 - whatever it is, the one below goes on
                os._exit(1)
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            return
    tee([Source(int(one), int(other)) for one, other in pairs], None, mark, control)


def _identity_of(descriptor: int) -> Optional[Tuple[int, int]]:
    try:
        state = os.fstat(descriptor)
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _say(control: int, word: bytes) -> None:
    try:
        os.write(control, word)
    except OSError:
        pass  # nobody is there any more


def _wait_for(target: int) -> None:
    import select

    poller = select.poll()
    poller.register(target, select.POLLOUT)
    poller.poll()


def _beginning_of(mark: bytes, data: bytes) -> int:
    """Return how many of the last bytes of *data* may be the beginning of the mark."""
    for length in range(min(len(mark) - 1, len(data)), 0, -1):
        if data.endswith(mark[:length]):
            return length
    return 0


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


if __name__ == "__main__":
    main(sys.argv[1:])
