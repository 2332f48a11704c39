"""What was printed since the last look, as the logs of a run keep it?

A log is that of ``console``, which rewrites the line that is not complete yet in place, and leaves out the middle of
what grows too long.
"""

from __future__ import annotations

import os
import re
import stat
from collections import namedtuple

from .errors import MiniMLflowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Optional, Tuple

_NAME = re.compile(r"console(?:-(\d+))?\.log\Z")
_PORTION = 1 << 16
_MOST_BYTES = 1 << 22  # of the end of a log that is looked at for its last lines; and of one look
_MOST_PACKED_BYTES = 1 << 27  # a log of a pack is read whole
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_FLAGS |= getattr(os, "O_BINARY", 0)


class Printed(namedtuple("Printed", ["text", "time_ms"])):
    """One line of a log.

    Attributes:
        text: The line without its line break; bytes that are no UTF-8 are escaped. It may steer a terminal.
        time_ms: When the log was written last, of its newest line; None of others: no log tells.
    """

    __slots__ = ()

    text: str
    time_ms: Optional[int]


class LogReader:
    """Reads the logs of a run, and afterwards only the lines that were added."""

    def __init__(self, artifacts: str) -> None:
        """Read nothing yet.

        Args:
            artifacts: The folder of the run's artifacts.
        """
        self._folder = artifacts
        self._logs: Dict[str, _Log] = {}
        self._is_begun = False

    def read_lines(self, most: int) -> List[Printed]:
        """Return the complete lines that came since the last call, at the first one the last *most*.

        Args:
            most: How many lines of what was there before are wanted.
        """
        lines: List[Printed] = []
        if not self._is_begun and not os.path.isdir(self._folder):
            lines = self._read_packed()
        for name in self._names():
            if name not in self._logs:
                self._logs[name] = _Log(os.path.join(self._folder, name))
                lines += self._logs[name].read_last(most) if not self._is_begun else self._logs[name].read_added()
            else:
                lines += self._logs[name].read_added()
        if not self._is_begun:
            lines = lines[max(0, len(lines) - most) :]
        self._is_begun = True
        return lines

    def read_rest(self) -> List[Printed]:
        """Return the lines that never were completed, once nobody writes any more."""
        return [line for log in self._logs.values() for line in log.read_rest()]

    def _names(self) -> List[str]:
        """Return the logs that there are, in the order in which they were begun."""
        try:
            return _logs_among(os.listdir(self._folder))
        except OSError:
            return []

    def _read_packed(self) -> List[Printed]:
        """Return the lines of a run that lies in a pack, and has ended therefore; none where there is no such run."""
        from . import artifacts  # few runs are packed

        lines: List[bytes] = []
        try:
            for name in _logs_among([file.path for file in artifacts.list_files(self._folder) if not file.is_dir]):
                data = artifacts.read_bytes(self._folder, name, _MOST_PACKED_BYTES)
                lines += data[:-1].split(b"\n") if data.endswith(b"\n") else data.split(b"\n") if data else []
        except (MiniMLflowError, OSError):
            pass  # no such run, or its log is beyond what can be read at once
        return [Printed(line.decode("utf-8", "backslashreplace"), None) for line in lines]


class _Log:
    """One log: what of it was read.

    A fault of the disk reads as nothing: the next look may see more.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._identity: Optional[Tuple[int, int]] = None
        self._end = 0  # of the last complete line that was read

    def read_last(self, most: int) -> List[Printed]:
        data, state = self._read_end(most)
        if state is None:
            return []
        self._identity = state.st_dev, state.st_ino
        complete = data.rfind(b"\n") + 1
        self._end = state.st_size - (len(data) - complete)
        lines = data[:complete].split(b"\n")[:-1]
        return _as_lines(lines[max(0, len(lines) - most) :], state)

    def read_added(self) -> List[Printed]:
        data, state = self._read(self._end)
        if state is not None and (state.st_dev, state.st_ino) != self._identity:  # the first look, or another log
            self._identity, self._end = (state.st_dev, state.st_ino), 0
            data, state = self._read(0)
        if state is None:
            return []
        if state.st_size < self._end:  # its middle was left out, which has moved what was read
            self.read_last(0)
            return []
        complete = data.rfind(b"\n") + 1
        self._end += complete
        return _as_lines(data[:complete].split(b"\n")[:-1], state)

    def read_rest(self) -> List[Printed]:
        data, state = self._read(self._end)
        return _as_lines([data], state) if data and state is not None else []

    def _read_end(self, most: int) -> Tuple[bytes, Optional[os.stat_result]]:
        """Return so much of the end that it holds *most* complete lines, and the one that is not."""
        size = _PORTION
        while True:
            data, state = self._read(None, size)
            if state is None or len(data) >= state.st_size or data.count(b"\n") > most or size >= _MOST_BYTES:
                return data, state
            size *= 4

    def _read(self, start: Optional[int], size: int = _MOST_BYTES) -> Tuple[bytes, Optional[os.stat_result]]:
        """Return what is there from *start* on, None: the last *size* bytes; and the state of the file."""
        try:
            descriptor = os.open(self._path, _FLAGS)
        except OSError:
            return b"", None
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                return b"", None
            os.lseek(descriptor, max(0, state.st_size - size) if start is None else start, os.SEEK_SET)
            parts = []
            while size > 0:
                part = os.read(descriptor, min(size, _PORTION))
                if not part:
                    break
                parts.append(part)
                size -= len(part)
            return b"".join(parts), state
        except OSError:
            return b"", None
        finally:
            os.close(descriptor)


def _logs_among(names: Iterable[str]) -> List[str]:
    matches = [match for match in map(_NAME.match, names) if match]
    return [match.group() for match in sorted(matches, key=lambda match: int(match.group(1) or 1))]


def _as_lines(lines: List[bytes], state: os.stat_result) -> List[Printed]:
    texts = [line.decode("utf-8", "backslashreplace") for line in lines]
    times = [None] * (len(texts) - 1) + [state.st_mtime_ns // 1000000]
    return [Printed(*line) for line in zip(texts, times)]
