"""Where does an export go, whole or not at all, and what may be there already?"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager

from .. import layout
from ..errors import InvalidValueError
from ..store import documents, held_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, TextIO

_NO_LINKS = frozenset([errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EACCES, errno.EMLINK])


@contextmanager
def new_file(path: str, *, is_replaced: bool = False) -> Iterator[TextIO]:
    """Lend a text file that gets its name when the block ends well, and is removed when it does not.

    Args:
        path: Its name.
        is_replaced: Whether a file of that name is replaced; a link or a folder never is.

    Raises:
        InvalidValueError: There is something of that name that is not replaced.
        FileNotFoundError: Its folder is missing.
        OSError: The disk refused.
    """
    _refuse_what_is_there(path, is_replaced=is_replaced)
    folder = os.path.dirname(os.path.abspath(path))
    temporary = os.path.join(folder, layout.TEMPORARY + os.urandom(8).hex())
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, "There is no such folder", folder) from None
    try:
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            yield stream
            stream.flush()
            documents.sync_descriptor(stream.fileno())
        _name(temporary, path, is_replaced=is_replaced)
    except BaseException:
        try:
            os.unlink(temporary)
        except OSError:
            pass  # it has its name already, or the disk is gone
        raise


def refuse_folder(path: str, mark: str = "") -> None:
    """Refuse a place for a folder where something lies that the export has not made.

    Args:
        path: The folder to be.
        mark: The name of a file that tells that an earlier export made it, which goes on; empty: none does.

    Raises:
        InvalidValueError: It is a link, a file, or a folder with something else in it.
    """
    if not os.path.lexists(path):
        return
    if not held_folder.is_folder(os.lstat(path)):
        kind = "a link" if os.path.islink(path) else "a file"
        raise InvalidValueError("%s is there already, as %s. Name a new folder." % (path, kind), value=path)
    names = [name for name in os.listdir(path) if not (mark and name.startswith(layout.TEMPORARY))]
    if names and not (mark and mark in names):
        raise InvalidValueError("%s is there already, and not empty. Name a new folder." % path, value=path)


def _refuse_what_is_there(path: str, *, is_replaced: bool) -> None:
    if not os.path.lexists(path):
        return
    state = os.lstat(path)
    if held_folder.is_link(state):
        raise InvalidValueError("%s is a link, which is not written through. Name the file itself." % path, value=path)
    if not held_folder.is_file(state):
        raise InvalidValueError("%s is no file. Name a file." % path, value=path)
    if not is_replaced:
        message = "%s is there already. Name another file, or replace it with --force."
        raise InvalidValueError(message % path, value=path)


def _name(temporary: str, path: str, *, is_replaced: bool) -> None:
    if is_replaced:
        _refuse_what_is_there(path, is_replaced=True)
        os.replace(temporary, path)
        return
    try:
        os.link(temporary, path)
        os.unlink(temporary)
    except OSError as error:
        if error.errno == errno.EEXIST:
            _refuse_what_is_there(path, is_replaced=False)
        if error.errno not in _NO_LINKS:
            raise
        _refuse_what_is_there(path, is_replaced=False)
        os.rename(temporary, path)
