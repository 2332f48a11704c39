"""How is an archive written that every program for zip files reads?

Rules Z2 and Z3 of docs/format.md.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import namedtuple
from time import gmtime

from .documents import write_all, write_at
from .zip_reading import (
    CENTRAL,
    CENTRAL_MARK,
    CHUNK_BYTES,
    DEFLATED,
    END,
    END_64,
    END_64_MARK,
    END_MARK,
    LOCAL,
    LOCAL_MARK,
    LOCATOR_64,
    LOCATOR_64_MARK,
    SINCE_1601,
    SIZES,
    STORED,
    TIMES,
    UTF_8,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List

LEVEL = 6
_ON_UNIX, _VERSION, _VERSION_64 = 3 << 8 | 45, 20, 45
_SAMPLE_BYTES = 1 << 16
_WORTHWHILE = 0.95  # of its size, at most, else a file is stored as it is: images, weights, archives
_SMALL = 1 << 16
_MOST_RATIO = 200  # below what readers take (rule Z3); small files count with their headers
_LARGEST_32 = 0xFFFFFFFF


class _Written(namedtuple("_Written", ["name", "offset", "packed_size", "size", "checksum", "method", "mode", "time"])):
    """What the directory will say of a file."""

    __slots__ = ()


class ArchiveWriter:
    """An archive that grows in an open file: file by file, then its directory.

    Attributes:
        position: How many bytes it has.
    """

    def __init__(self, descriptor: int) -> None:
        self.position = 0
        self._descriptor = descriptor
        self._written: List[_Written] = []

    @property
    def count(self) -> int:
        """Return how many files and folders it has."""
        return len(self._written)

    @property
    def size_bytes(self) -> int:
        """Return how many bytes its files have."""
        return sum(each.size for each in self._written)

    def add_folder(self, name: str, mode: int, mtime_ns: int) -> None:
        """Add a folder; its name ends in ``/``."""
        self._add(_Written(name.encode("utf-8"), self.position, 0, 0, 0, STORED, mode, _time(mtime_ns)), b"")

    def add_file(self, name: str, source: int, mode: int, mtime_ns: int, advance: Callable[[int], None]) -> None:
        """Add the content of an open file, from its beginning to where it ends now.

        Args:
            name: Its path in the archive.
            source: Descriptor.
            mode: Its kind and permissions, as ``os.stat`` gives them.
            mtime_ns: When it was modified, in ns since 1970.
            advance: Called with the number of bytes of each portion that is done.
        """
        encoded, time = name.encode("utf-8"), _time(mtime_ns)
        first = _read(source, CHUNK_BYTES)
        more = _read(source, CHUNK_BYTES) if len(first) == CHUNK_BYTES else b""
        if not more:
            packed = _deflate(first)
            method = STORED if packed is first else DEFLATED
            facts = (self.position, len(packed), len(first), zlib.crc32(first), method, mode, time)
            self._add(_Written(encoded, *facts), packed)
            advance(len(first))
            return
        method = DEFLATED if _shrinks(first) else STORED
        begin = self.position
        written = self._stream(encoded, source, [first, more], method, mode, time, advance)
        if method == DEFLATED and written.size > _MOST_RATIO * written.packed_size:
            self.roll_back(begin, self.count)
            os.lseek(source, 0, os.SEEK_SET)
            written = self._stream(encoded, source, [], STORED, mode, time, lambda _: None)
        self._written.append(written)

    def roll_back(self, position: int, count: int) -> None:
        """Take away what was added since the archive had *position* bytes and *count* files."""
        os.ftruncate(self._descriptor, position)
        os.lseek(self._descriptor, position, os.SEEK_SET)
        self.position = position
        del self._written[count:]

    def finish(self) -> bytes:
        """Write the directory, and return it: it tells what is in the archive."""
        directory = b"".join(map(_encode_entry, self._written))
        start, count = self.position, self.count
        end = b""
        if count >= 0xFFFF or start + len(directory) >= _LARGEST_32:
            facts = (_ON_UNIX, _VERSION_64, 0, 0, count, count, len(directory), start)
            end = END_64.pack(END_64_MARK, END_64.size - 12, *facts)
            end += LOCATOR_64.pack(LOCATOR_64_MARK, 0, start + len(directory), 1)
        in_16 = min(count, 0xFFFF)
        sizes = min(len(directory), _LARGEST_32), min(start, _LARGEST_32)
        if end:
            in_16, sizes = 0xFFFF, (_LARGEST_32, _LARGEST_32)
        end += END.pack(END_MARK, 0, 0, in_16, in_16, *sizes, 0)
        self._write(directory + end)
        return directory

    def _add(self, written: _Written, packed: bytes) -> None:
        self._write(_encode_header(written) + packed)
        self._written.append(written)

    def _stream(
        self,
        name: bytes,
        source: int,
        pieces: List[bytes],
        method: int,
        mode: int,
        time: int,
        advance: Callable[[int], None],
    ) -> _Written:
        """Write a file that is too large to be held; its header comes last, into the room that is left for it."""
        begin = self.position
        self._write(_encode_header(_Written(name, begin, 0, 0, 0, method, mode, time), is_large=True))
        start, size, checksum = self.position, 0, 0
        deflater = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
        waiting = list(reversed(pieces))
        while True:
            piece = waiting.pop() if waiting else _read(source, CHUNK_BYTES)
            if not piece:
                break
            size += len(piece)
            checksum = zlib.crc32(piece, checksum)
            self._write(deflater.compress(piece) if method == DEFLATED else piece)
            advance(len(piece))
        if method == DEFLATED:
            self._write(deflater.flush())
        written = _Written(name, begin, self.position - start, size, checksum, method, mode, time)
        write_at(self._descriptor, _encode_header(written, is_large=True), begin)
        os.lseek(self._descriptor, self.position, os.SEEK_SET)
        return written

    def _write(self, data: bytes) -> None:
        if data:
            write_all(self._descriptor, data)
            self.position += len(data)


def _read(source: int, size: int) -> bytes:
    parts = []
    while size > 0:
        part = os.read(source, size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _deflate(data: bytes) -> bytes:
    """Return the data deflated, and the very data where that is not worth it, or too good for readers to believe."""
    deflater = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
    packed = deflater.compress(data) + deflater.flush()
    if len(packed) > len(data) * _WORTHWHILE or (len(data) > _SMALL and len(data) > _MOST_RATIO * len(packed)):
        return data
    return packed


def _shrinks(data: bytes) -> bool:
    """Tell whether a large file that begins so is worth deflating."""
    sample = data[:_SAMPLE_BYTES]
    return len(zlib.compress(sample, 1)) < len(sample) * _WORTHWHILE


def _time(mtime_ns: int) -> int:
    return max(0, mtime_ns // 100 + SINCE_1601)


def _flags(name: bytes) -> int:
    return 0 if name.isascii() else UTF_8


def _dos_time(time: int) -> int:
    """Return a time as two numbers of 16 bits, in UTC, to 2 seconds: what zip files began with."""
    moment = gmtime(max(315532800, min(4354819198, (time - SINCE_1601) // 10**7)))  # 1980 to 2107
    date = moment.tm_year - 1980 << 9 | moment.tm_mon << 5 | moment.tm_mday
    return date << 16 | moment.tm_hour << 11 | moment.tm_min << 5 | moment.tm_sec // 2


def _encode_header(written: _Written, *, is_large: bool = False) -> bytes:
    moment = _dos_time(written.time)
    sizes, extra, version = (written.packed_size, written.size), b"", _VERSION
    if is_large:
        extra = struct.pack("<2H2Q", SIZES, 16, written.size, written.packed_size)
        sizes, version = (_LARGEST_32, _LARGEST_32), _VERSION_64
    facts = (version, _flags(written.name), written.method, moment & 0xFFFF, moment >> 16, written.checksum)
    fixed = LOCAL.pack(LOCAL_MARK, *facts, *sizes, len(written.name), len(extra))
    return b"".join([fixed, written.name, extra])


def _encode_entry(written: _Written) -> bytes:
    moment = _dos_time(written.time)
    numbers = [written.size, written.packed_size, written.offset]
    large = [number for number in numbers if number >= _LARGEST_32]
    size, packed_size, offset = (min(number, _LARGEST_32) for number in numbers)
    # What the second number of a time is (read, made) nobody needs here; programs expect all three.
    extra = struct.pack("<2HL2H3Q", TIMES, 32, 0, 1, 24, written.time, written.time, written.time)
    if large:
        extra += struct.pack("<2H%dQ" % len(large), SIZES, 8 * len(large), *large)
    version = _VERSION_64 if large else _VERSION
    facts = (_ON_UNIX, version, _flags(written.name), written.method, moment & 0xFFFF, moment >> 16, written.checksum)
    lengths = (packed_size, size, len(written.name), len(extra), 0, 0, 0)
    attributes = written.mode << 16 | (0x10 if written.name.endswith(b"/") else 0)
    fixed = CENTRAL.pack(CENTRAL_MARK, *facts, *lengths, attributes, offset)
    return b"".join([fixed, written.name, extra])
