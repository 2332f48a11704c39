"""How is what a process prints kept with a run, while its user sees what they saw before?

What comes out of the descriptors 1 and 2, also from C code and from programs that the process starts, is led through
another process that passes it on and logs it; a terminal stays a terminal for those who print. Streams of Python's that
lead elsewhere, as in notebooks and under pytest, are listened to where they are written.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections import deque
from functools import partial
from threading import Lock

from . import console_detour, console_file, console_streams
from .errors import warn
from .store.descriptors import DescriptorPool
from .store.own_descriptor import identity_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, List, Optional, Tuple, Union

    from .store.own_descriptor import Identity

FILE = "console.log"
_MOST_FILES = 1000
_FLAGS = (
    os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)
_NO_FILE = (errno.ELOOP, errno.EISDIR, errno.ENXIO, getattr(errno, "EMLINK", errno.ELOOP))


def start(artifacts: str, *, is_faithful: bool = False) -> Capture:
    """Keep what this process and its children print from now on as the artifact ``console.log``, too.

    Args:
        artifacts: The folder of a run's artifacts. The log goes on where there is one; while somebody else writes it,
            this one is ``console-2.log`` and so on.
        is_faithful: Whether who prints into a pipe learns when its reader has gone: for a command that is watched. A
            training that watches itself goes on.

    Returns:
        The capture; its ``stop()`` ends it. Several may go on at once: each has all that is printed in its time.

    Where that cannot be done, a StorageWarning tells, and nothing is captured.
    """
    try:
        path, log = _open_log(artifacts)
    except OSError as error:
        message = "What is printed is not kept with the run: %s. Free or unlock its folder, and start it again."
        warn(message % error, stacklevel=2)
        return Capture("")
    _flush()
    identity = identity_of(log)
    detour = None
    if os.name == "posix" and not any(console_streams.is_of_notebook(stream) for stream in (sys.stdout, sys.stderr)):
        detour = console_detour.begin(log, is_faithful=is_faithful)
    if detour is None:
        return Capture(path, _OwnLog(console_file.Log(DescriptorPool().lift(log))), identity=identity)
    os.close(log)
    return Capture(path, detour, identity=identity)


class Capture:
    """What is kept of a process's output.

    Attributes:
        path: The log; empty where nothing is kept.
    """

    def __init__(
        self, path: str, *keepers: Union[console_detour.Detour, _OwnLog], identity: Optional[Identity] = None
    ) -> None:
        """Listen to the streams that lead past the keeper.

        Args:
            path: The log.
            *keepers: What takes the output; none where nothing is kept.
            identity: What the log's descriptor led to; None: whether the log is still in its place is not asked.
        """
        self.path = path
        self._identity = identity
        self._keepers = keepers
        self._pid = os.getpid()
        self._is_stopped = False
        self._undo: List[Callable[[], Any]] = []
        for keeper in keepers:
            for stream in [sys.stdout] if sys.stderr is sys.stdout else [sys.stdout, sys.stderr]:
                if hasattr(stream, "write") and not keeper.sees(stream):
                    self._undo.append(console_streams.listen(stream, self._in_this_process(keeper.take)))

    @property
    def has_children(self) -> bool:
        """Whether what programs print that this process starts is kept, too."""
        return any(isinstance(keeper, console_detour.Detour) for keeper in self._keepers)

    def stop(self) -> None:
        """Let all that was printed reach the log, and undo what was done; in a forked child there is nothing to undo.

        The traceback of an exception that is on its way up is kept, too: it will be printed when nobody listens.
        """
        if self._is_stopped or os.getpid() != self._pid:
            return
        self._is_stopped = True
        lost = 0
        steps: List[Callable[[], Any]] = [_flush, *self._undo, *(partial(_end, keeper) for keeper in self._keepers)]
        for step in steps:
            try:
                lost += step() or 0
            except Exception as error:  # noqa: BLE001 - the user's streams may fail in any way, and the run must end
                warn("What was printed may not be kept to the end in %s: %r" % (self.path, error), stacklevel=2)
        if lost:
            warn("%d bytes of what was printed could not be written to %s." % (lost, self.path), stacklevel=2)
        if self._identity is not None and not self._is_in_place():
            message = "%s was removed, moved or replaced while it was written: what was printed since is not there."
            warn(message % self.path, stacklevel=2)

    def _is_in_place(self) -> bool:
        """Tell whether the log that was written is the one that is found."""
        try:
            state = os.lstat(self.path)
        except OSError:
            return False
        return self._identity is not None and (state.st_dev, state.st_ino) == self._identity[:2]

    def _in_this_process(self, take: Callable[[bytes], None]) -> Callable[[bytes], None]:
        """Return what hands over the output of this process, and not what a forked child prints."""
        pid = self._pid

        def take_here(data: bytes) -> None:
            if os.getpid() == pid:
                take(data)

        return take_here


class _OwnLog:
    """A log that this process writes itself: in notebooks, on Windows, and where no other process can be started."""

    def __init__(self, log: console_file.Log) -> None:
        self._log = log
        self._lock = Lock()
        self._waiting: deque[bytes] = deque()

    def sees(self, stream: Any) -> bool:  # noqa: ARG002 - as a detour has it
        """Tell whether a stream need not be listened to: none."""
        return False

    def take(self, data: bytes) -> None:
        """Log what was printed, by any thread, also by a signal handler in the middle of this."""
        self._waiting.append(data)
        while self._waiting and self._lock.acquire(blocking=False):
            try:
                self._log.feed(self._waiting.popleft())
            except IndexError:
                pass  # another thread was faster
            finally:
                self._lock.release()

    def stop(self) -> int:
        """Close the log and return how many bytes were lost."""
        self.take(b"")
        self._log.close()
        return self._log.lost


def _open_log(artifacts: str) -> Tuple[str, int]:
    """Return a log that nobody else writes: its path, and a descriptor of it.

    Raises:
        OSError: The disk refuses, or the folder is a link.
    """
    os.makedirs(artifacts, exist_ok=True)
    if os.path.islink(artifacts):
        raise OSError(errno.ELOOP, "the folder is a link", artifacts)
    for number in range(1, _MOST_FILES):
        path = os.path.join(artifacts, FILE if number == 1 else "console-%d.log" % number)
        try:
            log = os.open(path, _FLAGS, 0o666)
        except OSError as error:
            if error.errno in _NO_FILE:
                continue  # a link or a folder of the user's
            raise
        state = os.fstat(log)
        # A backup made of hard links must stay as it is.
        if stat.S_ISREG(state.st_mode) and state.st_nlink == 1 and console_file.lock(log):
            return path, log
        os.close(log)
    raise OSError(errno.EEXIST, "there are too many logs", artifacts)


def _end(keeper: Union[console_detour.Detour, _OwnLog]) -> int:
    keeper.take(_traceback())
    return keeper.stop()


def _flush() -> None:
    """Let what was printed so far go where it leads now."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            continue  # there is none, or it is closed
    if os.name == "posix":
        _flush_c()


def _flush_c() -> None:
    """Flush what C code has printed; its stdout alone, as another file may be locked by who waits for input."""
    try:
        import ctypes

        library = ctypes.CDLL(None)
        name = "__stdoutp" if sys.platform == "darwin" else "stdout"
        library.fflush(ctypes.c_void_p.in_dll(library, name))
    except (ImportError, OSError, ValueError, AttributeError):
        pass


def _traceback() -> bytes:
    kind, error, trace = sys.exc_info()
    if error is None or isinstance(error, (SystemExit, GeneratorExit)):
        return b""
    import traceback

    return "".join(traceback.format_exception(kind, error, trace)).encode("utf-8", "backslashreplace")
