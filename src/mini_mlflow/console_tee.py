"""How does what a process prints reach both where it went before and a log, whatever becomes of that process?

``console_detour`` starts this as a program of its own. A thread of the process itself would die with it, and could not
read while other code holds the interpreter, until the pipe between them is full and both wait for ever. This one reads
on until the last writer is gone, and so keeps the last words of a process that was killed. It needs nothing but the
standard library, as it runs isolated from all that the user has installed.
"""

from __future__ import annotations

import errno
import os

if __package__:
    from .console_file import Log
else:
    from console_file import Log  # type: ignore[import-not-found, no-redef]  # from this folder: it has no package here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Condition
    from typing import List, Optional

MARK = b"\x1b_mini-mlflow-%s\x1b\\"  # in a stream: what follows is not for the log. No terminal shows such a text
NO_TARGET = -1
_MAX_WAITING = 64 * 2**20  # bytes for a disk that does not take them
_PORTION = 64 * 1024
_PATIENCE_S = 5.0
_LOOK_MS = 1000  # between two looks at the size of the terminal
_MOST_STARTS = 3
_REFUSED = 64  # as the exit status of the process that reads, with a bit for each stream that is to be closed


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

    def drain(self) -> None:
        """Wait until all is written, within reason."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._is_busy, _PATIENCE_S)

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
        is_faithful: Whether who prints is to know when the reader behind the target has gone: a command that is only
            watched ends then, as it would end alone.
        is_logged: Whether what comes is for the log, too.
        is_refused: Whether that reader has gone.
    """

    def __init__(self, descriptor: int, target: int, *, is_faithful: bool = False) -> None:
        self.descriptor = descriptor
        self.target = target
        self.is_faithful = is_faithful
        self.is_logged = True
        self.is_refused = False
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
        """Write what was printed to where it went before. If that is gone, a process in training need not know."""
        while data and self.target != NO_TARGET:
            try:
                data = data[os.write(self.target, data) :]
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    _wait_for(self.target)
                elif error.errno != errno.EINTR:
                    self.is_refused = self.is_faithful and error.errno == errno.EPIPE
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


def tee(sources: List[Source], log: Optional[Log], mark: bytes, control: int) -> int:
    """Pass on and log what is printed until nobody can print any more.

    Returns:
        Bits of the sources that must be closed, in their order; 0 where this is over.

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
                if source.is_refused:
                    if feeder is not None:
                        feeder.drain()
                    return 1 << sources.index(source)
            if was_logged and not any(each.is_logged for each in sources):
                _say(control, b"%d\n" % (0 if feeder is None else feeder.finish()))
    if feeder is not None:
        feeder.finish()
    return 0


def main(arguments: List[str]) -> None:
    """Go into the background and tee.

    Args:
        arguments: The descriptors of the control pipe and of the log, the longest log, the mark, then for each stream
            ``source:target:is_faithful``, in numbers.
    """
    import signal

    control, log, max_bytes = (int(each) for each in arguments[:3])
    mark = MARK % arguments[3].encode()
    streams = [[int(number) for number in each.split(":")] for each in arguments[4:]]
    # What ends the process is no reason to miss its last words.
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGPIPE", "SIGTSTP", "SIGTTOU"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.chdir("/")
    if os.fork():
        os._exit(0)  # whoever started us waits for this; the rest is no child of a process that may wait for its own
    _say(control, b"ready\n")
    starts = 0
    while starts < _MOST_STARTS:
        child = os.fork()
        if not child:
            try:
                refused = tee(_sources(streams), Log(log, max_bytes), mark, control)
            except BaseException:  # noqa: BLE001 - whatever it is, the one below goes on
                os._exit(1)
            os._exit(_REFUSED | refused if refused else 0)
        status = os.waitpid(child, 0)[1]
        if status == 0:
            return
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) >= _REFUSED:
            _close_refused(streams, os.WEXITSTATUS(status))
        else:
            starts += 1
    refused = tee(_sources(streams), None, mark, control)
    while refused:
        _close_refused(streams, refused)
        refused = tee(_sources(streams), None, mark, control)


def _sources(streams: List[List[int]]) -> List[Source]:
    return [Source(source, target, is_faithful=bool(is_faithful)) for source, target, is_faithful in streams]


def _close_refused(streams: List[List[int]], refused: int) -> None:
    """Close streams whose reader has gone, here where nobody else of ours holds them: who prints learns of it."""
    for place in reversed(range(len(streams))):
        if refused >> place & 1:
            os.close(streams.pop(place)[0])


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
