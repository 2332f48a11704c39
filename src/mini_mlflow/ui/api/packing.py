"""How do arrays of numbers travel to the page?

One document: ``MMS1``, the length of the header (32 bits, little-endian), the header as JSON, padded with spaces to a
multiple of 8, then arrays, each at a multiple of 8 from the end of the header.
"""

from __future__ import annotations

import struct
import sys
from array import array

from . import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Tuple

MAGIC = b"MMS1"
_LARGEST = 3.4028234663852886e38  # float32


class Packer:
    """Collects arrays, then makes the document."""

    def __init__(self) -> None:
        self._parts: List[bytes] = []
        self._known: Dict[bytes, int] = {}
        self.size = 0

    def add(self, kind: str, values: Iterable[float]) -> int:
        """Take an array; return where it begins: one that was taken before stands there once.

        Args:
            kind: ``d`` (64 bits), ``f`` (32 bits), ``H`` (whole, 16 bits) or ``I`` (whole, 32 bits).
            values: The numbers.
        """
        place = self.size
        numbers = array(kind, _capped(values) if kind == "f" else values)
        if sys.byteorder == "big":
            numbers.byteswap()
        data = numbers.tobytes()
        data += bytes(-len(data) % 8)
        if data in self._known:  # runs that log at the same steps share places and weights
            return self._known[data]
        self._known[data] = place
        self._parts.append(data)
        self.size += len(data)
        return place

    def pack(self, header: Dict[str, Any]) -> bytes:
        """Return the document."""
        text = plain.encode(header)
        text += b" " * (-(8 + len(text)) % 8)
        return b"".join([MAGIC, struct.pack("<I", len(text)), text, *self._parts])


def unpack(data: bytes) -> Tuple[Dict[str, Any], bytes]:
    """Return the header and the arrays of a document.

    Raises:
        ValueError: It is none.
    """
    import json

    if data[:4] != MAGIC:
        raise ValueError("This is no document of series.")
    (length,) = struct.unpack("<I", data[4:8])
    return json.loads(data[8 : 8 + length].decode("utf-8")), data[8 + length :]


def read(data: bytes, place: int, kind: str, count: int) -> array[float]:
    """Return an array that begins at *place* of a document's arrays."""
    numbers: array[float] = array(kind)
    numbers.frombytes(data[place : place + count * numbers.itemsize])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _capped(values: Iterable[float]) -> Iterable[float]:
    """Return values that fit into 32 bits; callers send what does not in 64."""
    try:
        return array("f", values)
    except OverflowError:
        return [min(max(value, -_LARGEST), _LARGEST) if value - value == 0 else value for value in values]
