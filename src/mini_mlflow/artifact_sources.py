"""Which files of the user's disk can be copied to the artifacts of a run?"""

from __future__ import annotations

import errno
import os
import stat

from .artifact_names import find_fault
from .errors import InvalidValueError, StorageWarning, shown
from .store.held_folder import is_link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Set, Tuple

    Parts = Tuple[str, ...]

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_SHOWN = 5  # names in a warning
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
)


class SourceFolder:
    """What of a folder of the user's can be copied.

    Attributes:
        folders: The folders with the names of their files, as parts from the top, sorted.
        size: Bytes of all files together.
    """

    def __init__(self, source: str, root: str) -> None:
        """Look through a folder.

        Args:
            source: The folder.
            root: The folder that its files go to, ``<store>/<experiment>/<run>/artifacts``: neither the store nor this
                is copied into itself.

        Raises:
            NotADirectoryError: *source* is no folder.
            OSError: It cannot be read.
        """
        if not stat.S_ISDIR(os.stat(source).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "This is no folder; keep a single file with log_artifact()", source)
        self.folders: List[Tuple[Parts, List[str]]] = []
        self.size = 0
        self._left_out: List[str] = []
        self._own = _identities(root, os.path.dirname(os.path.dirname(os.path.dirname(root))))
        waiting: List[Parts] = [()]
        while waiting:
            parts = waiting.pop()
            names = []
            for name in sorted(os.listdir(os.path.join(source, *parts))):
                path = os.path.join(source, *parts, name)
                fault = self._fault(path, name)
                if fault:
                    self.leave_out(parts, name, fault)
                elif os.path.isdir(path):
                    waiting.append((*parts, name))
                else:
                    names.append(name)
            self.folders.append((parts, names))
        self.folders.sort()

    def leave_out(self, parts: Parts, name: str, reason: str) -> None:
        """Note what is not copied, and why."""
        self._left_out.append("%s (%s)" % (shown("/".join((*parts, name))), reason))

    def warn(self) -> None:
        """Warn of what was left out, if anything was."""
        if self._left_out:
            more = len(self._left_out) - _SHOWN
            names = ", ".join(self._left_out[:_SHOWN]) + (" and %d more" % more if more > 0 else "")
            import warnings  # costs 0.2 ms, and few need it

            warnings.warn("Left out of the artifacts: %s." % names, StorageWarning, stacklevel=4)

    def _fault(self, path: str, name: str) -> Optional[str]:
        try:
            state = os.stat(path)
        except OSError as error:
            return "it cannot be reached: %s" % error.strerror
        fault = find_fault(name)
        if stat.S_ISREG(state.st_mode):
            self.size += 0 if fault else state.st_size
            return fault
        if not stat.S_ISDIR(state.st_mode):
            return "it is %s" % kind_of(state)
        if is_link(os.lstat(path)):
            return "it is a link to a folder"
        return "it is the store itself" if (state.st_dev, state.st_ino) in self._own else fault


def source_path(source: Any) -> str:
    """Return the path of a file or folder of the user's as text.

    Raises:
        InvalidValueError: It is no path.
    """
    try:
        path = os.fsdecode(source)
    except TypeError:
        message = "A file to keep is given by its path, got %s: %s. Use log_text() or log_dict() for values."
        raise InvalidValueError(message % (type(source).__name__, shown(source)), value=source) from None
    if not path or "\0" in path:
        raise InvalidValueError("The path of a file to keep cannot be %s." % shown(path), value=source)
    return path.rstrip("/" + os.sep) or path


def open_source(path: str) -> int:
    """Open a file of the user's for reading; return the descriptor.

    Raises:
        FileNotFoundError: There is none.
        IsADirectoryError: It is a folder.
        InvalidValueError: It is something else but a regular file.
        OSError: It cannot be read.
    """
    _check_regular(os.stat(path), path)  # first of all: to open a device may do something to it
    descriptor = os.open(path, _FLAGS)
    try:
        _check_regular(os.fstat(descriptor), path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def kind_of(state: os.stat_result) -> str:
    """Say what it is that is no regular file."""
    if is_link(state):
        return "a link"
    return next((kind for is_kind, kind in _KINDS if is_kind(state.st_mode)), "a device")


def _check_regular(state: os.stat_result, path: str) -> None:
    if stat.S_ISDIR(state.st_mode):
        raise IsADirectoryError(errno.EISDIR, "This is a folder; keep what lies in it with log_artifacts()", path)
    if not stat.S_ISREG(state.st_mode):
        message = "Only regular files can be kept, and %s is %s. Write what comes from it to a file first."
        raise InvalidValueError(message % (shown(path), kind_of(state)), value=path)


def _identities(*paths: str) -> Set[Tuple[int, int]]:
    """Return by what the system tells folders apart, of those that exist."""
    states = [os.stat(path) for path in paths if os.path.isdir(path)]
    return {(state.st_dev, state.st_ino) for state in states}
