"""What does an archive hold, and what is in each of its files?

Rules Z2 and Z3 of docs/format.md. Nothing that an archive says of itself is believed: it may come from anybody.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import zlib
from collections import namedtuple

from .. import keys
from ..errors import BrokenFileError, InvalidIdError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, FrozenSet, Iterator, List, Set, Tuple

STORED, DEFLATED = 0, 8
LOCAL, CENTRAL, END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s4H2LH")
END_64, LOCATOR_64 = struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
_LENGTHS, _LENGTHS_PLACE = struct.Struct("<3H"), 28  # of name, extra fields and comment, in the directory
LOCAL_MARK, CENTRAL_MARK, END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
END_64_MARK, LOCATOR_64_MARK = b"PK\x06\x06", b"PK\x06\x07"
UTF_8 = 0x800
SIZES, TIMES = 1, 0x000A  # extra fields: sizes beyond 32 bits; times in 100 ns since 1601, as NTFS keeps them
SINCE_1601 = 11644473600 * 10**7
MAX_ENTRIES = 200000
MAX_DIRECTORY_BYTES = 1 << 26
MAX_RATIO = 250  # deflate reaches 1032: who keeps such a thing in a pack stores it as it is (rule Z3)
ALWAYS_BYTES = 1 << 24  # so much may come out of any archive
MAX_NAME_BYTES = 4096
MAX_DEPTH = 200  # as in the trash
CHUNK_BYTES = 1 << 20
_AT_ONCE_BYTES = 1 << 16
_ENCRYPTED = 0x2041
_MADE_ON_UNIX = 3
# No empty part, no "." and no "..", no drive, no backslash, no control character.
_PART = r"(?!\.{1,2}(?:/|\Z))(?![A-Za-z]:)[^/\\\x00-\x1f\x7f]+"
_NAME = re.compile(_PART + "(?:/" + _PART + ")*/?")


class Entry(
    namedtuple("Entry", ["offset", "end", "name", "packed_size", "size", "checksum", "method", "mode", "time"])
):
    """A file in an archive, or an empty folder, whose name ends in ``/``.

    Attributes:
        offset: Where its header lies.
        end: Where the next thing in the archive begins.
        name: Its path there, in bytes.
        packed_size: How many bytes it takes there.
        size: How many it has.
        checksum: Their CRC-32.
        method: STORED or DEFLATED.
        mode: Its permissions, 0 where the archive does not say.
        time: When it was modified, in 100 ns since 1601; 0 where the archive does not say.
    """

    __slots__ = ()

    offset: int
    end: int
    name: bytes
    packed_size: int
    size: int
    checksum: int
    method: int
    mode: int
    time: int


def open_archive(path: str) -> int:
    """Return a descriptor of an archive; a link is not followed.

    Raises:
        OSError: There is none, or it is a link.
        BrokenFileError: It is no regular file.
    """
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, os.O_RDONLY | flags | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise broken(path, "it is not a regular file")
    return descriptor


def read_directory(descriptor: int, path: str) -> bytes:
    """Return the bytes of an archive's directory, which stands at its end.

    Raises:
        BrokenFileError: It is no archive, or one of a kind that is not read.
    """
    size = os.fstat(descriptor).st_size
    count, length, start = _find_directory(descriptor, size, path)
    if count > MAX_ENTRIES or length > MAX_DIRECTORY_BYTES:
        raise broken(path, "it has %d entries, at most %d are read" % (count, MAX_ENTRIES))
    directory = read_at(descriptor, length, start)
    if len(directory) < length or count * CENTRAL.size > length:
        raise broken(path, "it is cut short")
    return directory


def read_ids(descriptor: int, path: str) -> FrozenSet[str]:
    """Return the ids of the runs that an archive has by its directory, which is not looked at any further.

    Raises:
        BrokenFileError: It is no archive, or one of a kind that is not read, or something in it is of no run.
    """
    directory = read_directory(descriptor, path)
    found: Set[bytes] = set()
    prefix, place, last = b"\0", 0, len(directory) - CENTRAL.size
    while place <= last:
        name_length, extra_length, comment = _LENGTHS.unpack_from(directory, place + _LENGTHS_PLACE)
        begin = place + CENTRAL.size
        if not directory.startswith(prefix, begin):
            prefix = directory[begin : begin + name_length].partition(b"/")[0] + b"/"
            found.add(prefix[:-1])
        place = begin + name_length + extra_length + comment
    ids = frozenset(name.decode("utf-8", "replace") for name in found)
    for run_id in ids:
        _check_run_id(run_id, path)
    return ids


def read_runs(descriptor: int, path: str) -> Dict[str, Dict[str, Entry]]:
    """Return what an archive of runs holds: by run id the files, and some folders, by their path in the run.

    The path of a folder ends in ``/``; that of the run's own is ``/`` alone.

    Raises:
        BrokenFileError: Something in it is not as it must be; nothing of it is read then.
    """
    directory = read_directory(descriptor, path)
    size = os.fstat(descriptor).st_size
    entries = _decode_entries(directory, path)
    entries.sort()
    _check_places(entries, size - len(directory), size, path)
    runs: Dict[str, Dict[str, Entry]] = {}
    for entry in entries:
        run_id, _, inside = entry.name.decode("utf-8").partition("/")
        run = runs.get(run_id)
        if run is None:
            _check_run_id(run_id, path)
            run = runs[run_id] = {}
        inside = inside or ("/" if entry.name.endswith(b"/") else "")
        if not inside or inside in run:
            raise broken(path, "it has %r twice, or as a run" % _text(entry))
        run[inside] = entry
    for run in runs.values():
        _check_tree(run, path)
    return runs


def iter_content(descriptor: int, entry: Entry, path: str) -> Iterator[bytes]:
    """Yield the bytes of a file in an archive, piece by piece; the last piece comes when all of it proved sound.

    Raises:
        BrokenFileError: It is not what the directory says.
    """
    read = _reader_of(descriptor, entry)
    fixed = read(LOCAL.size, entry.offset)
    if len(fixed) < LOCAL.size:
        raise broken(path, "it is cut short")
    mark, _, flags, method, _, _, _, _, _, name_length, extra_length = LOCAL.unpack(fixed)
    place = entry.offset + LOCAL.size + name_length + extra_length
    named = read(name_length, entry.offset + LOCAL.size)
    if mark != LOCAL_MARK or named != entry.name or method != entry.method or flags & _ENCRYPTED:
        raise broken(path, "%r lies elsewhere than its directory says" % _text(entry))
    if place + entry.packed_size > entry.end:
        raise broken(path, "%r reaches into the next file" % _text(entry))
    checksum = size = 0
    last = b""
    for piece in _inflate(read, place, entry, path):
        size += len(piece)
        if size > entry.size:
            raise broken(path, "%r is longer than its directory says" % _text(entry))
        checksum = zlib.crc32(piece, checksum)
        if last:
            yield last
        last = piece
    if size != entry.size or checksum != entry.checksum:
        raise broken(path, "%r is damaged: its checksum is another" % _text(entry))
    if last:
        yield last


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """Return up to *size* bytes of an open file from *offset* on; whoever opened it is the only one who reads it."""
    parts = []
    if hasattr(os, "pread"):
        while size > 0:
            part = os.pread(descriptor, min(size, CHUNK_BYTES), offset)
            if not part:
                break
            parts.append(part)
            size, offset = size - len(part), offset + len(part)
    else:  # Windows
        os.lseek(descriptor, offset, os.SEEK_SET)
        while size > 0:
            part = os.read(descriptor, min(size, CHUNK_BYTES))
            if not part:
                break
            parts.append(part)
            size -= len(part)
    return b"".join(parts)


def why_unfit(name: str) -> str:
    """Return why no file in an archive may have this path, empty where it may (rule Z2)."""
    try:
        encoded = name.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is no text"
    if not _NAME.fullmatch(name):
        return "its name has a part that is not legal everywhere"
    if len(encoded) > MAX_NAME_BYTES or name.count("/") > MAX_DEPTH:
        return "its path is too long"
    return ""


def broken(path: str, reason: str) -> BrokenFileError:
    """Return the error for an archive that cannot be read."""
    return BrokenFileError("Cannot read %s: %s." % (path, reason), path=path, reason=reason)


def _find_directory(descriptor: int, size: int, path: str) -> Tuple[int, int, int]:
    """Return how many entries the directory has, how many bytes, and where it begins."""
    tail = read_at(descriptor, END.size + LOCATOR_64.size, max(0, size - END.size - LOCATOR_64.size))
    end = tail[-END.size :]
    if len(end) < END.size or end[:4] != END_MARK or end[-2:] != b"\0\0":
        raise broken(path, "it is no whole zip archive")
    _, disk, first_disk, here, count, length, start, _ = END.unpack(end)
    stop = size - END.size
    if 0xFFFF in (here, count) or 0xFFFFFFFF in (length, start):
        locator = tail[: -END.size]
        if len(locator) < LOCATOR_64.size or locator[:4] != LOCATOR_64_MARK:
            raise broken(path, "the place of its directory is missing")
        stop = LOCATOR_64.unpack(locator)[2]
        record = read_at(descriptor, END_64.size, stop)
        if stop != size - END.size - LOCATOR_64.size - END_64.size or record[:4] != END_64_MARK:
            raise broken(path, "the place of its directory is wrong")
        _, _, _, _, disk, first_disk, here, count, length, start = END_64.unpack(record)
    if disk or first_disk or here != count or start + length != stop:
        raise broken(path, "its directory is not where it says")
    return count, length, start


def _decode_entries(directory: bytes, path: str) -> List[Entry]:
    entries: List[Entry] = []
    place, total = 0, len(directory)
    while place < total:
        if total - place < CENTRAL.size:
            raise broken(path, "its directory is cut short")
        fields = CENTRAL.unpack_from(directory, place)
        mark, made, _, flags, method, _, _, checksum, packed_size, size = fields[:10]
        name_length, extra_length, comment, disk, _, attributes, offset = fields[10:]
        begin = place + CENTRAL.size
        place = begin + name_length + extra_length + comment
        if mark != CENTRAL_MARK or place > total or disk not in (0, 0xFFFF):
            raise broken(path, "its directory is damaged")
        name = directory[begin : begin + name_length]
        extra = directory[begin + name_length : begin + name_length + extra_length]
        size, packed_size, offset, time = _decode_extra(extra, size, packed_size, offset, path)
        mode = attributes >> 16 if made >> 8 == _MADE_ON_UNIX else 0
        _check_entry(name, flags, method, mode, packed_size, size, path)
        entries.append(Entry(offset, 0, name, packed_size, size, checksum, method, mode & 0o777, time))
        if len(entries) > MAX_ENTRIES:
            raise broken(path, "it has more than %d entries" % MAX_ENTRIES)
    return entries


def _decode_extra(extra: bytes, size: int, packed_size: int, offset: int, path: str) -> Tuple[int, int, int, int]:
    """Return the sizes, the offset and the time of an entry, those that stand among its extra fields too."""
    time, place = 0, 0
    numbers = [size, packed_size, offset]
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        body = extra[place + 4 : place + 4 + length]
        place += 4 + length
        if len(body) < length:
            raise broken(path, "its directory is damaged")
        if kind == SIZES:
            for number, value in enumerate(numbers):
                if value == 0xFFFFFFFF and len(body) >= 8:
                    numbers[number] = struct.unpack_from("<Q", body)[0]
                    body = body[8:]
        elif kind == TIMES and length >= 16 and body[4:8] == b"\1\0\x18\0":
            time = struct.unpack_from("<Q", body, 8)[0]
    return numbers[0], numbers[1], numbers[2], time


def _check_entry(name: bytes, flags: int, method: int, mode: int, packed_size: int, size: int, path: str) -> None:
    try:
        text = name.decode("utf-8" if flags & UTF_8 else "ascii")
    except UnicodeDecodeError:
        raise broken(path, "the name %r is not UTF-8" % name[:200]) from None
    reason = why_unfit(text)
    if reason:
        raise broken(path, "it has %r: %s" % (text[:200], reason))
    is_folder = text.endswith("/")
    kind = stat.S_IFMT(mode)
    if kind not in (0, stat.S_IFDIR if is_folder else stat.S_IFREG):
        raise broken(path, "%r is neither a file nor a folder" % text[:200])
    if flags & _ENCRYPTED or method not in (STORED, DEFLATED):
        raise broken(path, "%r is encrypted, or packed in a way that is not read" % text[:200])
    if (method == STORED and size != packed_size) or (is_folder and size):
        raise broken(path, "%r has a size that cannot be" % text[:200])


def _check_places(entries: List[Entry], most: int, archive_size: int, path: str) -> None:
    """Give each entry its end in *entries*, sorted by offset; refuse what overlaps, and what is too much (rule Z3).

    Args:
        entries: The entries.
        most: No entry ends behind it.
        archive_size: The size of the archive.
        path: The archive.
    """
    end = most
    for number in range(len(entries) - 1, -1, -1):
        entry = entries[number]
        if entry.offset + LOCAL.size + len(entry.name) + entry.packed_size > end:
            raise broken(path, "%r overlaps another file, or lies beyond the end" % _text(entry))
        entries[number] = Entry(entry[0], end, *entry[2:])
        end = entry.offset
    if sum(entry.size for entry in entries) > MAX_RATIO * archive_size + ALWAYS_BYTES:
        raise broken(path, "it would come to more than %d times its size" % MAX_RATIO)


def _check_run_id(run_id: str, path: str) -> None:
    try:
        keys.check_run_id(run_id)
    except InvalidIdError:
        raise broken(path, "it has %r, which is no id of a run" % run_id[:200]) from None


def _check_tree(run: Dict[str, Entry], path: str) -> None:
    """Refuse a run in which a path is a file and a folder at once."""
    above: Set[str] = set()
    for name in run:
        parent = name.rstrip("/").rpartition("/")[0]
        while parent and parent not in above:
            above.add(parent)
            parent = parent.rpartition("/")[0]
    for name in run:
        is_folder = name.endswith("/")
        if name[:-1] in run if is_folder else name in above:
            raise broken(path, "%r is a file and a folder at once" % name[:200])


def _text(entry: Entry) -> str:
    """Return the name of a file for a message."""
    return str(entry.name.decode("utf-8", "replace")[:200])


def _reader_of(descriptor: int, entry: Entry) -> Callable[[int, int], bytes]:
    """Return what reads bytes of an entry by their number and place: a small one, as most are, in one go."""
    length = entry.end - entry.offset
    if length > _AT_ONCE_BYTES:
        return lambda size, offset: read_at(descriptor, size, offset)
    whole = read_at(descriptor, length, entry.offset)
    return lambda size, offset: whole[offset - entry.offset : offset - entry.offset + size]


def _inflate(read: Callable[[int, int], bytes], place: int, entry: Entry, path: str) -> Iterator[bytes]:
    """Yield what lies at *place*, unpacked, in pieces of bounded size."""
    left = entry.packed_size
    inflater = zlib.decompressobj(-15) if entry.method == DEFLATED else None
    while left > 0:
        data = read(min(left, CHUNK_BYTES), place)
        if not data:
            raise broken(path, "it is cut short")
        left, place = left - len(data), place + len(data)
        if inflater is None:
            yield data
            continue
        try:
            while data:
                piece = inflater.decompress(data, CHUNK_BYTES)
                data = inflater.unconsumed_tail
                if piece:
                    yield piece
                if not piece and not data:
                    break
        except zlib.error as error:
            raise broken(path, "%r is damaged: %s" % (_text(entry), error)) from error
    if inflater is not None:
        while True:  # what is in its window still
            piece = inflater.decompress(b"", CHUNK_BYTES)
            if not piece:
                break
            yield piece
        if not inflater.eof or inflater.unused_data:
            raise broken(path, "%r is damaged: it does not end where it should" % _text(entry))
