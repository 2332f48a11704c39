"""How is one small file created, read and replaced so that nobody ever sees half of it?

Rules D1 to D5 of docs/format.md.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import sys
from time import sleep

from ..errors import BrokenFileError
from ..layout import PACKS, TEMPORARY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional, Tuple

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
IS_WINDOWS = os.name == "nt"
_IN_PACKS = os.sep + PACKS + os.sep
_BINARY = getattr(os, "O_BINARY", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # a FIFO in place of a document must not block the reader
_LINKS_UNSUPPORTED = frozenset([errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EACCES, errno.EMLINK])
_BOM = b"\xef\xbb\xbf"  # that some editors begin a text with
_NON_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
MAX_DIGITS = 400  # of an integer: rule M7 allows 309
_ENDLESS_NUMBER = rb"[0-9]{400}"
_LIMITS_DIGITS = hasattr(sys, "get_int_max_str_digits")

if hasattr(os, "pread"):
    read_at, write_at = os.pread, os.pwrite
else:  # Windows: the callers hold their run's lock, so that nobody moves the position in between

    def read_at(descriptor: int, size: int, offset: int) -> bytes:
        """Read like ``os.pread``."""
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, size)

    def write_at(descriptor: int, data: Any, offset: int) -> int:
        """Write like ``os.pwrite``."""
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.write(descriptor, data)


_decode = json.JSONDecoder().decode
_encode_finite = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_encode_ascii = json.JSONEncoder(ensure_ascii=True, allow_nan=False).encode


def create(path: str, data: bytes) -> None:
    """Create the file *path* with *data*, whole from its first moment (rule D1).

    Raises:
        FileExistsError: There is one already; it is left as it is.
        FileNotFoundError: Its folder is missing.
    """
    os.close(create_open(path, data))


def create_open(path: str, data: bytes, prepare: Optional[Callable[[int], None]] = None) -> int:
    """Create the file *path* like ``create`` and return an open descriptor of it.

    Args:
        path: Where.
        data: The whole content.
        prepare: Called with the descriptor before the file gets its name, to lock or to fill it.
    """
    temporary, descriptor = _open_beside(path, os.O_RDWR)
    try:
        if data:
            write_all(descriptor, data)
        if prepare is not None:
            prepare(descriptor)
        if IS_WINDOWS:  # an open file can be neither renamed nor unlinked there, and rename does not clobber
            os.close(descriptor)
            descriptor = -1
            os.rename(temporary, path)
            return os.open(path, os.O_RDWR | _BINARY)
        _link(temporary, path, descriptor)
        return descriptor
    except BaseException:
        if descriptor >= 0:
            os.close(descriptor)
        _unlink_quietly(temporary)
        raise


def replace(path: str, data: bytes, *, sync: bool = False) -> None:
    """Replace the file *path*, or create it, in one step (rule D2).

    Args:
        path: Where.
        data: The whole content.
        sync: Whether the content is on the disk before it gets its name.
    """
    try:
        _replace_once(path, data, sync=sync)
    except OSError as error:
        if error.errno != errno.ESTALE:
            raise
        _replace_once(path, data, sync=sync)  # an NFS server forgot our descriptor: a new one is good again


def _replace_once(path: str, data: bytes, *, sync: bool) -> None:
    temporary, descriptor = _open_beside(path, os.O_WRONLY)
    try:
        try:
            write_all(descriptor, data)
            if sync:
                sync_descriptor(descriptor)
        finally:
            os.close(descriptor)
        _rename_over(temporary, path)
    except BaseException:
        _unlink_quietly(temporary)
        raise


def read(path: str, limit: int = MAX_DOCUMENT_BYTES) -> bytes:
    """Return the content of a regular file, or of one in a pack, of at most *limit* bytes.

    Raises:
        FileNotFoundError: There is none.
        BrokenFileError: It is no regular file, or larger.
    """
    if is_packed(path):
        from . import packed  # few stores have packs

        return packed.read(path, limit)
    descriptor = open_to_read(path)
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise broken(path, "it is not a regular file")
        if state.st_size > limit:
            raise broken(path, "it has %d bytes, at most %d are read" % (state.st_size, limit))
        return read_all(descriptor, state.st_size)
    finally:
        os.close(descriptor)


def is_packed(path: str) -> bool:
    """Tell whether a path leads into a pack: such a file can be read, but not opened (docs/format.md, rule Z1)."""
    return _IN_PACKS in path and not os.path.lexists(path)


def state_of(path: str) -> os.stat_result:
    """Return what ``os.stat`` says of a file, or what a pack does of one in it.

    Raises:
        FileNotFoundError: There is none.
        BrokenFileError: The pack cannot be read.
    """
    if is_packed(path):
        from . import packed  # as above

        return packed.state_of(path)
    return os.stat(path)


def open_to_read(path: str) -> int:
    """Return a descriptor of a file to be read, whatever it is: a FIFO in its place does not block."""
    return os.open(path, os.O_RDONLY | _NONBLOCK | _BINARY)


def read_all(descriptor: int, size: int, offset: int = 0) -> bytes:
    """Return up to *size* bytes of an open file from *offset* on."""
    parts = []
    while size > 0:
        part = read_at(descriptor, min(size, 1 << 24), offset)
        if not part:
            break
        parts.append(part)
        size -= len(part)
        offset += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of *data* at the descriptor's position."""
    written = os.write(descriptor, data)
    while written < len(data):
        more = os.write(descriptor, data[written:])
        if more == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written += more


def sync(path: str) -> None:
    """Bring a file or folder to the disk, so that it survives a power cut."""
    if IS_WINDOWS and os.path.isdir(path):
        return  # Windows opens no folder; its file systems keep names in a journal
    descriptor = os.open(path, (os.O_RDWR if IS_WINDOWS else os.O_RDONLY) | _BINARY)
    try:
        sync_descriptor(descriptor)
    finally:
        os.close(descriptor)


def sync_descriptor(descriptor: int) -> None:
    """Bring an open file to the disk; on macOS past the drive's own cache too."""
    if sys.platform == "darwin":
        import fcntl

        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
        except OSError:
            pass  # a file system without it
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # what cannot be synced (a folder on some network disks) says so
            raise


def encode_json(value: Any) -> str:
    """Return *value* as JSON text; NaN and infinities become strings at any depth (rule D4)."""
    try:
        text = _encode_finite(value)
    except ValueError:
        value = _finite(value)
        text = _encode_finite(value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # lone surrogates: only an escape can carry them
        return _encode_ascii(value)
    return text


def decode_json(data: bytes, path: str) -> Any:
    """Return what a JSON file says.

    Raises:
        BrokenFileError: It is not JSON, too deep, or has a number without end.
    """
    try:
        text = (data[len(_BOM) :] if data.startswith(_BOM) else data).decode()
        if not _LIMITS_DIGITS and re.search(_ENDLESS_NUMBER, data):  # or a text of digits: only the parser can tell
            return json.loads(text, parse_int=bounded_int)
        return _decode(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise broken(path, "it is not valid JSON: %s" % (str(error)[:200] or type(error).__name__)) from error


def bounded_int(digits: str) -> int:
    """Read an integer as a hook of ``json``: long ones take Python quadratic time."""
    if len(digits) > MAX_DIGITS:
        raise ValueError("it has a number of more than %d digits" % MAX_DIGITS)
    return int(digits)


def is_finite(value: float) -> bool:
    """Tell whether a float is neither NaN nor infinite; to load ``math`` for it costs 0.2 ms."""
    return value - value == 0.0


def encode_value(key: str, value: Any, timestamp_ms: int) -> bytes:
    """Return the document of a param or tag (rule D3)."""
    kind = ', "type": "float"' if isinstance(value, float) and not is_finite(value) else ""
    text = '{"key": %s, "value": %s%s, "timestamp": %d}\n'
    return (text % (encode_json(key), encode_json(value), kind, timestamp_ms)).encode("utf-8")


def decode_value(document: Dict[str, Any]) -> Any:
    """Return the value that the document of a param or tag holds."""
    value = document["value"]
    if document.get("type") == "float" and isinstance(value, str):
        return _NON_FINITE.get(value, value)
    return value


def decode_number(value: Any) -> Any:
    """Return a metric's value: the three strings of rule M7 become floats, anything else stays."""
    return _NON_FINITE.get(value, value) if type(value) is str else value


def encode_number(value: Any) -> str:
    """Return a finite or non-finite number as the JSON text that a metric row holds (rule M7)."""
    if isinstance(value, float) and not is_finite(value):
        return '"Infinity"' if value > 0 else '"-Infinity"' if value < 0 else '"NaN"'
    return repr(value)


def broken(path: str, reason: str) -> BrokenFileError:
    """Return the error for a file that cannot be read as what it should be."""
    return BrokenFileError("Cannot read %s: %s." % (path, reason), path=path, reason=reason)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not is_finite(value):
        return encode_number(value)[1:-1]
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _open_beside(path: str, mode: int) -> Tuple[str, int]:
    """Create an empty file of a temporary name in the folder of *path*; return that name and a descriptor."""
    flags = mode | os.O_CREAT | os.O_EXCL | _BINARY
    temporary = _temporary_beside(path)
    try:
        return temporary, os.open(temporary, flags, 0o666)
    except FileExistsError:  # NFS repeats a request whose answer was lost, and finds our own new file in the way
        temporary = _temporary_beside(path)
        return temporary, os.open(temporary, flags, 0o666)


def _temporary_beside(path: str) -> str:
    return path[: -len(os.path.basename(path))] + TEMPORARY + os.urandom(8).hex()


def _link(temporary: str, path: str, descriptor: int) -> None:
    """Give a finished file its name unless that is taken, then drop its temporary one."""
    try:
        os.link(temporary, path)
    except OSError as error:
        # NFS repeats a request whose answer was lost, and then calls our own link an obstacle: the link count tells.
        if error.errno == errno.EEXIST and os.fstat(descriptor).st_nlink < 2:
            raise
        if error.errno in _LINKS_UNSUPPORTED:
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from error
            os.rename(temporary, path)
            return
        if error.errno != errno.EEXIST:
            raise
    _unlink_quietly(temporary)


def _rename_over(temporary: str, path: str) -> None:
    for attempt in range(10):
        try:
            os.replace(temporary, path)
            return
        except PermissionError:
            if not IS_WINDOWS or attempt == 9:
                raise
            sleep(0.01 * (attempt + 1))  # Windows: a reader holds the old file for a moment


def _unlink_quietly(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # a leftover temporary file is ignored by readers and swept by the next owner
