"""How is what lies below a folder reached without ever following a link out of it?

A path that was checked and is then opened by name may be another one by then: somebody can put a link in the place of a
folder in between. So each folder on the way is opened, and what lies in it is named relative to the open folder, one
part at a time, links refused. Windows has no such calls: there each part is looked at before it is used, which
leaves a moment in between.
"""

from __future__ import annotations

import errno
import os
import stat
from time import sleep

from ..layout import TEMPORARY
from .documents import IS_WINDOWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Iterable, List, Optional, Tuple, Type

HAS_HANDLES = hasattr(os, "O_NOFOLLOW") and os.open in os.supports_dir_fd and os.scandir in os.supports_fd
# A FIFO must not block who opens it; what comes before a program that the user starts is no business of that program.
_FLAGS = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_LINK_TAGS = (0xA000000C, 0xA0000003)  # Windows: a symbolic link, a junction; other reparse points are plain files
_REPARSE_POINT = 0x400
_CLOSED = -3  # no descriptor: -1, -2 and -100 mean the working directory to one call or system or another
# What it may mean that a folder cannot be opened: there is something else (macOS and FreeBSD have their own for links).
NO_FOLDER = (errno.ENOTDIR, errno.ELOOP, getattr(errno, "EMLINK", errno.ELOOP))


class HeldFolder:
    """An open folder. Names are single parts; a link is never followed.

    Attributes:
        path: Where it lay when it was opened, for messages.
    """

    def __init__(self, path: str, descriptor: Optional[int]) -> None:
        self.path = path
        self._descriptor = descriptor

    def __enter__(self) -> HeldFolder:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        if self._descriptor is not None and self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, _CLOSED
            os.close(descriptor)

    def change_mode(self, mode: int) -> None:
        """Give this folder other permissions."""
        os.chmod(self.path if self._descriptor is None else self._descriptor, mode)

    def enter(self, name: str) -> HeldFolder:
        """Open a folder in this one.

        Raises:
            FileNotFoundError: There is none.
            OSError: It is a link or no folder: ``errno`` is one of ``NO_FOLDER``.
        """
        path = os.path.join(self.path, name)
        if self._descriptor is not None:
            return HeldFolder(path, os.open(name, os.O_RDONLY | os.O_DIRECTORY | _FLAGS, dir_fd=self._descriptor))
        if not is_folder(self.state(name)):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return HeldFolder(path, None)

    def make(self, name: str) -> None:
        """Create a folder in this one unless there is something of that name."""
        try:
            os.mkdir(self._place(name), dir_fd=self._descriptor)
        except FileExistsError:
            pass

    def state(self, name: str) -> os.stat_result:
        """Return what ``os.lstat`` says of a name in this folder."""
        return os.lstat(self._place(name), dir_fd=self._descriptor)

    def find(self, name: str) -> Optional[os.stat_result]:
        """Return the same, None where there is nothing."""
        try:
            return self.state(name)
        except FileNotFoundError:
            return None

    def open_file(self, name: str) -> int:
        """Open a file in this folder for reading; return the descriptor.

        Raises:
            OSError: It is a link, or cannot be opened.
        """
        if self._descriptor is None and is_link(self.state(name)):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.path.join(self.path, name))
        return os.open(self._place(name), os.O_RDONLY | _FLAGS, dir_fd=self._descriptor)

    def create_temporary(self, mode: int) -> Tuple[str, int]:
        """Create an empty file of a temporary name; return the name and a descriptor that reads and writes.

        Args:
            mode: Permissions, of which the process's umask is taken away.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS
        name = _temporary_name()
        try:
            return name, os.open(self._place(name), flags, mode, dir_fd=self._descriptor)
        except FileExistsError:  # NFS repeats a request whose answer was lost, and finds our own new file in the way
            name = _temporary_name()
            return name, os.open(self._place(name), flags, mode, dir_fd=self._descriptor)

    def move(self, name: str, folder: HeldFolder, new_name: str) -> None:
        """Rename into *folder*, in place of what has the new name there. A link is moved itself."""
        for attempt in range(10):
            try:
                os.replace(
                    self._place(name),
                    folder._place(new_name),
                    src_dir_fd=self._descriptor,
                    dst_dir_fd=folder._descriptor,
                )
                return
            except PermissionError:
                if not IS_WINDOWS or attempt == 9:
                    raise
                sleep(0.01 * (attempt + 1))  # Windows: a reader holds the old file for a moment

    def unlink(self, name: str) -> None:
        """Remove a file, or a link itself."""
        if self._descriptor is None and is_folder_link(self.state(name)):
            os.rmdir(self._place(name))  # how Windows removes a link to a folder
        else:
            os.unlink(self._place(name), dir_fd=self._descriptor)

    def remove_empty(self, name: str) -> None:
        """Remove an empty folder."""
        if self._descriptor is None and not is_folder(self.state(name)):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.path.join(self.path, name))
        os.rmdir(self._place(name), dir_fd=self._descriptor)

    def list_entries(self) -> List[Tuple[str, os.stat_result]]:
        """Return (name, state) of all in this folder, sorted by name; the states of links are their own."""
        entries = []
        with os.scandir(self.path if self._descriptor is None else self._descriptor) as found:
            for entry in found:
                try:
                    entries.append((entry.name, entry.stat(follow_symlinks=False)))
                except FileNotFoundError:
                    pass  # it was removed just now
        return sorted(entries)

    def hide(self, name: str) -> str:
        """Give a folder or file a temporary name, so that no reader finds it any more; return that name."""
        hidden = _temporary_name()
        self.move(name, self, hidden)
        return hidden

    def remove_tree(self, name: str) -> None:
        """Remove a folder with all that lies in it; links in it are removed, and never followed.

        Each folder within is first moved up into this one, under a temporary name: so however deep they lie, two are
        open at a time, and a kill leaves nothing but temporary names behind.
        """
        waiting = [name]
        while waiting:
            name = waiting.pop()
            try:
                folder = self.enter(name)
            except OSError as error:
                if error.errno not in NO_FOLDER:
                    raise
                self.unlink(name)  # somebody put a link there
                continue
            with folder:
                inside = folder.empty_into(self)
            self.remove_empty(name)
            waiting.extend(inside)

    def empty_into(self, top: HeldFolder) -> List[str]:
        """Remove the files in this folder, and move its folders to *top*; return their names there."""
        moved = []
        for name, state in self.list_entries():
            if not is_folder(state):
                self.unlink(name)
                continue
            try:
                self.remove_empty(name)
            except OSError:  # it is not empty
                moved.append(_temporary_name())
                self.move(name, top, moved[-1])
        return moved

    def _place(self, name: str) -> str:
        return os.path.join(self.path, name) if self._descriptor is None else name


def hold(path: str) -> HeldFolder:
    """Open a folder by its path. Links before the last part of it are followed, the last must be none.

    Raises:
        FileNotFoundError: There is none.
        OSError: It is a link or no folder: ``errno`` is one of ``NO_FOLDER``.
    """
    if HAS_HANDLES:
        return HeldFolder(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY | _FLAGS))
    if not is_folder(os.lstat(path)):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    return HeldFolder(path, None)


def descend(path: str, parts: Iterable[str], *, is_made: bool = False) -> HeldFolder:
    """Open a folder below the folder *path*, part by part.

    Args:
        path: As for ``hold``.
        parts: Names of folders, each in the one before.
        is_made: Whether folders that are missing are made, *path* among them, but nothing above it.

    Raises:
        FileNotFoundError: A folder is missing.
        OSError: A part is a link or no folder: ``errno`` is one of ``NO_FOLDER``, ``filename`` its path.
    """
    if is_made:
        try:
            os.mkdir(path)
        except FileExistsError:
            pass
    folder = hold(path)
    for part in parts:
        with folder:
            try:
                folder = _enter_or_make(folder, part) if is_made else folder.enter(part)
            except OSError as error:
                error.filename = os.path.join(folder.path, part)
                raise
    return folder


def clock_of(folder: HeldFolder) -> float:
    """Return what time it is for the disk, which may be another machine's."""
    name, descriptor = folder.create_temporary(0o600)
    try:
        return os.fstat(descriptor).st_mtime
    finally:
        os.close(descriptor)
        folder.unlink(name)


def is_link(state: os.stat_result) -> bool:
    """Tell whether this is a link, or a junction of Windows."""
    if getattr(state, "st_file_attributes", 0) & _REPARSE_POINT:
        return getattr(state, "st_reparse_tag", _LINK_TAGS[0]) in _LINK_TAGS
    return stat.S_ISLNK(state.st_mode)


def is_at(path: str, descriptor: int) -> bool:
    """Tell whether a descriptor's file or folder is still what lies at a path."""
    try:
        there, mine = os.lstat(path), os.fstat(descriptor)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)


def is_folder(state: os.stat_result) -> bool:
    """Tell whether this is a folder, and no link to one."""
    return stat.S_ISDIR(state.st_mode) and not is_link(state)


def is_file(state: os.stat_result) -> bool:
    """Tell whether this is a regular file, and no link to one."""
    return stat.S_ISREG(state.st_mode) and not is_link(state)


def is_folder_link(state: os.stat_result) -> bool:
    """Tell whether this is a link of the kind that only folders have, on Windows."""
    return is_link(state) and bool(getattr(state, "st_file_attributes", 0) & 0x10)


def _enter_or_make(folder: HeldFolder, name: str) -> HeldFolder:
    try:
        return folder.enter(name)
    except FileNotFoundError:
        folder.make(name)
        return folder.enter(name)


def _temporary_name() -> str:
    return TEMPORARY + os.urandom(8).hex()
