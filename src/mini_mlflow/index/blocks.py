"""How do the values of many runs become bytes, and how is it known that the bytes are still theirs?

Runs stand in blocks of 512 places, each block of one experiment and stage; a run's slot is its block's number times
512, plus its place. A block has one body for each key that any of its runs has. Numbers are as in memory, since an
index is read by the machine that wrote it; all else is JSON.
"""

from __future__ import annotations

import json
import struct
from array import array
from collections import namedtuple
from zlib import crc32

from .entry import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

    from .entry import Entry

SIZE = 512
KINDS = ("attributes", "params", "metrics", "tags", "summaries")
# Of a value that is longer, the column only says that its run's document has it: columns are read whole.
LONGEST = 1000
_MASK_BYTES = SIZE // 8
_HEAD = 1 + _MASK_BYTES
_STATE = struct.Struct("<BqII")
_CONVERT = {"q": struct.Struct("=q"), "d": struct.Struct("=d")}
_CODE_OF = {int: "q", float: "d"}
_BITS = 63  # of the integers that an array holds


class Column(namedtuple("Column", ["mask", "values", "long"])):
    """The values of one key in one block.

    Attributes:
        mask: A bit for each place whose run has the key.
        values: By place, None where the run has none; as long as the last place that has one.
        long: A bit for each place whose value stands in the run's document alone.
    """

    __slots__ = ()

    mask: int
    values: List[Any]
    long: int


class _Mark:
    """Stand in for a value."""


MISSING = _Mark()
LONG = _Mark()


def checksum(body: bytes, block: int, kind: str, key: str) -> int:
    """Return what tells a body from every other, also from a sound one of another key or block."""
    place = "%d/%s/%s" % (block, kind, key)
    return crc32(body, crc32(place.encode("utf-8", "surrogatepass")))


def row_checksum(body: bytes, slot: int) -> int:
    """Return what tells the state or the document of a run from every other."""
    return crc32(body, slot & 0xFFFFFFFF)


def encode_column(values: Mapping[int, Any]) -> bytes:
    """Return the body of a column.

    Args:
        values: By place, of at least one; ``LONG`` for a value that stands in the document.
    """
    count = max(values) + 1
    mask = long = 0
    for place in values:
        mask |= 1 << place
    head = mask.to_bytes(_MASK_BYTES, "little")
    kinds = set(map(type, values.values()))
    code = _CODE_OF.get(kinds.pop()) if len(kinds) == 1 else None
    if code == "d" or (code == "q" and all(value.bit_length() < _BITS for value in values.values())):
        numbers = array(code, bytes(8 * count))
        for place, value in values.items():
            numbers[place] = value
        return code.encode() + head + numbers.tobytes()
    shown: List[Any] = [None] * count
    for place, value in values.items():
        if value is LONG:
            long |= 1 << place
        else:
            shown[place] = value
    return b"j" + head + long.to_bytes(_MASK_BYTES, "little") + _dump(shown)


def decode_column(body: bytes) -> Column:
    """Return what a body holds, which ``checksum`` has vouched for.

    Raises:
        ValueError: It is none.
    """
    code = body[:1].decode("latin-1")
    mask = int.from_bytes(body[1:_HEAD], "little")
    if code in _CONVERT:
        numbers = array(code)
        numbers.frombytes(body[_HEAD:])
        values: List[Any] = list(numbers)
        if mask + 1 != 1 << len(values):
            values = [value if bit == "1" else None for value, bit in zip(values, bits_of(mask))]
        long = 0
    else:
        long = int.from_bytes(body[_HEAD : _HEAD + _MASK_BYTES], "little")
        values = json.loads(body[_HEAD + _MASK_BYTES :].decode("ascii"))
    if len(values) != mask.bit_length():
        raise ValueError("a column of %d values has %d" % (mask.bit_length(), len(values)))
    return Column(mask, values, long)


def join_numbers(bodies: Sequence[bytes], counts: Sequence[int]) -> Optional[List[Any]]:
    """Return the values of columns, one after the other, where each place has a number of one sort, else None.

    What ``decode_column`` would give, at a fifth of the cost.

    Args:
        bodies: The columns.
        counts: How many places each has.
    """
    code = bodies[0][:1].decode("latin-1")
    if code not in _CONVERT:
        return None
    heads = {count: bodies[0][:1] + ((1 << count) - 1).to_bytes(_MASK_BYTES, "little") for count in set(counts)}
    for body, count in zip(bodies, counts):
        if len(body) != _HEAD + 8 * count or not body.startswith(heads[count]):
            return None
    numbers = array(code)
    numbers.frombytes(b"".join([body[_HEAD:] for body in bodies]))
    return numbers.tolist()


def bits_of(mask: int) -> str:
    """Return the bits of a mask as digits, that of the first place first."""
    return format(mask, "b")[::-1]


def places_of(mask: int, first: int = 0) -> Sequence[int]:
    """Return the places whose bits are set, ascending, the first place being called *first*."""
    count = mask.bit_length()
    if mask + 1 == 1 << count:  # all of them, the usual case
        return range(first, first + count)
    return [place for place, bit in enumerate(bits_of(mask), first) if bit == "1"]


def patch_column(body: bytes, changes: Mapping[int, Any]) -> bytes:
    """Return the body with some values changed; empty where none is left.

    Args:
        body: What there is; empty where there is nothing.
        changes: New values by place, ``MISSING`` where there is none any more.
    """
    code = body[:1].decode("latin-1")
    count = (len(body) - _HEAD) // 8
    if code in _CONVERT and all(
        place < count and _CODE_OF.get(type(value)) == code and (code == "d" or value.bit_length() < _BITS)
        for place, value in changes.items()
    ):  # the usual case, at a tenth of the cost
        patched = bytearray(body)
        for place, value in changes.items():
            patched[1 + place // 8] |= 1 << place % 8
            _CONVERT[code].pack_into(patched, _HEAD + 8 * place, value)
        return bytes(patched)
    values: Dict[int, Any] = {}
    if body:
        column = decode_column(body)
        values = {place: column.values[place] for place in places_of(column.mask)}
        for place in places_of(column.long):
            values[place] = LONG
    for place, value in changes.items():
        if value is MISSING:
            values.pop(place, None)
        else:
            values[place] = LONG if is_long(value) else value
    return encode_column(values) if values else b""


def is_long(value: Any) -> bool:
    """Tell whether a value is kept out of its column."""
    if isinstance(value, (list, dict)):
        return len(_dump(value)) > LONGEST
    return isinstance(value, str) and len(value) > LONGEST


def is_same(value: Any, other: Any) -> bool:
    """Tell whether two values of JSON are one, unlike ``==`` also of what they are: 1, 1.0 and true are three."""
    if type(value) is not type(other):
        return False
    if isinstance(value, (str, int)) or value is None:
        return bool(value == other)
    return _dump(value) == _dump(other)


def encode_state(state: State) -> bytes:
    """Return the body of a run's state."""
    flags = state.is_live | state.is_deep << 1 | state.is_provisional << 2
    return _STATE.pack(flags, state.read_at_ms, len(state.shallow), len(state.deep)) + state.shallow + state.deep


def decode_state(body: bytes) -> State:
    """Return the state that a body holds, which ``row_checksum`` has vouched for."""
    flags, read_at_ms, length, deep_length = _STATE.unpack_from(body)
    start = _STATE.size
    middle = start + length
    return State(
        body[start:middle],
        body[middle : middle + deep_length],
        bool(flags & 1),
        bool(flags & 2),
        read_at_ms,
        bool(flags & 4),
    )


def encode_document(entry: Entry) -> bytes:
    """Return the body of what a run's files said, and of its name; where the run lies is told by its block."""
    return _dump([*(getattr(entry, kind) for kind in KINDS), entry.problems, entry.name])


def decode_document(body: bytes) -> Tuple[Any, ...]:
    """Return what a body holds of each of ``KINDS``, the problems and the name: ``row_checksum`` has vouched for it."""
    *values, problems, name = json.loads(body.decode("ascii"))
    if len(values) != len(KINDS):
        raise ValueError("a document of %d kinds" % len(values))
    return (*values, [(path, reason) for path, reason in problems], name)


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")
