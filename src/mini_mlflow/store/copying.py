"""How does the content of one open file get into another, by the shortest way that the system has?

Best, both share the same blocks of the disk (a clone: btrfs, XFS and others, on Linux); else the kernel copies, or
an NFS server does; else the bytes come through this process. Holes of a sparse file stay holes.
"""

from __future__ import annotations

import errno
import os
import sys

from .documents import read_at, write_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterator, List, Tuple

    Way = Callable[[int, int, int, int], int]

_IS_LINUX = sys.platform.startswith("linux")
_FICLONE = 0x40049409  # ioctl_ficlone(2); the same on all processors but those of 1990s' MIPS, PowerPC and SPARC
_IN_KERNEL = 16 << 20  # bytes at a time: Ctrl-C and the progress line get their turn in between
_IN_PROCESS = 1 << 20
# How a way says that it does not lead from this file to that one.
_NO_WAY = (
    errno.EXDEV, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EBADF, errno.ENOTTY,
    errno.ETXTBSY, errno.EISDIR, errno.EOVERFLOW,
)  # fmt: skip


def copy_content(source: int, target: int, size: int, advance: Callable[[int], None]) -> int:
    """Copy the first *size* bytes of one open file into another, empty one.

    Args:
        source: Descriptor of a regular file, open for reading.
        target: Descriptor of an empty file, open for writing.
        size: How many bytes. 0 reads to the end: files of ``/proc`` have no size and are not empty.
        advance: Called with the number of bytes of each portion that is done.

    Returns:
        The number of bytes copied; less than *size* if the source has become shorter.

    Raises:
        OSError: The disk refused.
    """
    if size and _clone(source, target):
        cloned = os.fstat(target).st_size
        if cloned > size:
            os.ftruncate(target, size)  # it has grown meanwhile
        advance(min(size, cloned))
        return min(size, cloned)
    ways = list(_WAYS)
    if not size:
        return _copy_extent(source, target, (0, sys.maxsize), [_through_process], advance)
    reached = 0
    for start, end in _iter_extents(source, size):
        if start > reached:
            advance(start - reached)
        reached = _copy_extent(source, target, (start, end), ways, advance)
        if reached < end:
            return reached
    if reached < size:  # it ends in a hole, or it has become shorter
        end = max(reached, min(size, os.fstat(source).st_size))
        os.ftruncate(target, end)
        advance(end - reached)
        return end
    return size


def _copy_extent(
    source: int, target: int, extent: Tuple[int, int], ways: List[Way], advance: Callable[[int], None]
) -> int:
    """Copy the bytes of one extent; return where it ended. Ways that lead nowhere are taken out of *ways*."""
    position, end = extent
    while position < end:
        try:
            count = ways[0](source, target, position, end - position)
        except OSError as error:
            if len(ways) == 1 or error.errno not in _NO_WAY:
                raise
            count = 0
        if count > 0:
            position += count
            advance(count)
        elif len(ways) == 1:
            break
        else:
            del ways[0]  # some file systems answer 0 to what they cannot do
    return position


def _clone(source: int, target: int) -> bool:
    """Let both files share the same blocks; tell whether that was possible."""
    if not _IS_LINUX:
        return False
    import fcntl

    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False  # whatever it was, the next way meets it again
    return True


def _iter_extents(source: int, size: int) -> Iterator[Tuple[int, int]]:
    """Yield where there is data: the whole file, or what lies between the holes of a sparse one."""
    state = os.fstat(source)
    if not hasattr(os, "SEEK_DATA") or getattr(state, "st_blocks", size) * 512 >= size:
        yield 0, size
        return
    try:
        os.fsync(source)  # some file systems (ZFS up to 2.2.1) call what is not on the disk yet a hole
    except OSError:
        pass
    end = 0
    while end < size:
        try:
            start = os.lseek(source, end, os.SEEK_DATA)
            end = min(os.lseek(source, start, os.SEEK_HOLE), size)
        except OSError as error:
            if error.errno != errno.ENXIO:  # that is: no more data
                yield end, size
            return
        if start >= end:
            return
        yield start, end


def _by_copy_file_range(source: int, target: int, position: int, count: int) -> int:
    return os.copy_file_range(source, target, min(count, _IN_KERNEL), position, position)  # type: ignore[attr-defined,no-any-return,unused-ignore]


def _by_sendfile(source: int, target: int, position: int, count: int) -> int:
    os.lseek(target, position, os.SEEK_SET)
    return os.sendfile(target, source, position, min(count, _IN_KERNEL))


def _through_process(source: int, target: int, position: int, count: int) -> int:
    data = read_at(source, min(count, _IN_PROCESS), position)
    written = 0
    while written < len(data):
        more = write_at(target, data[written:], position + written)
        if more == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written += more
    return written


_WAYS: List[Way] = [_through_process]
if _IS_LINUX:  # elsewhere sendfile writes to sockets alone
    _WAYS.insert(0, _by_sendfile)
    if hasattr(os, "copy_file_range"):
        _WAYS.insert(0, _by_copy_file_range)
