"""How do the curves of a report become few bytes?

Each curve is thinned to the columns of a chart as the server does it (least, greatest and mean value of a column), then
what is alike is put together, so that it packs well: the distances of the x, how many rows stand behind each mean, and
the numbers y byte by byte. A y keeps as many binary digits as a chart of its range can show, and 15 at least: that is
four decimal ones. What a curve's last, least and greatest value is, is told exactly, beside.
"""

from __future__ import annotations

import math
import struct
from array import array

from .api import packing, requests, series

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Sequence, Tuple

    from .api.histories import Histories
    from .api.stores import Stores

_LEAST_BITS = 15  # of a number's 23 behind the point
_SHOWN_BITS = 13  # of a curve's range
_MOST_WHOLE = 2**53
_KEPT = ("rows", "is_raw", "gaps", "last", "min", "max", "first_nan", "error")


def read_curves(
    stores: Stores,
    histories: Histories,
    refs: Sequence[str],
    keys: Sequence[str],
    width: int,
    now_ms: int,
) -> Tuple[List[Dict[str, Any]], bytes]:
    """Return what is known of each curve, those of a run together, and their points.

    Args:
        stores: The stores.
        histories: What was read already.
        refs: The runs.
        keys: The metrics.
        width: Columns of a chart: a curve has twice as many points at most, and as many means.
        now_ms: The clock.
    """
    told: List[Dict[str, Any]] = []
    packer = _Packer()
    for number, ref in enumerate(refs):
        if not keys:
            break
        body = requests.Body({"runs": [ref], "metrics": list(keys), "width": width, "means": True})
        header, data = packing.unpack(series.read_series(stores, histories, body, now_ms, is_whole=True))
        told += [packer.add(about, data, number) for about in header["series"] if about["n"] or about["error"]]
    return told, packer.pack()


class _Packer:
    """Collects the points of curves, alike with alike: what it makes is read by ``static/report.js``."""

    def __init__(self) -> None:
        self.whole = bytearray()  # distances of x, and counts
        self.floats = array("f")
        self.doubles = array("d")

    def add(self, about: Dict[str, Any], data: bytes, number: int) -> Dict[str, Any]:
        """Take one curve; return what the page must know of it."""
        told = {"run": number, "metric": about["metric"], "n": about["n"], "m": about.get("m", 0)}
        told.update((name, about[name]) for name in _KEPT if about.get(name) not in (None, []))
        if not about["n"]:
            return told
        kind = "d" if about["y"] == "f8" else "f"
        xs, ys = packing.read(data, about["x_at"], "d", about["n"]), packing.read(data, about["y_at"], kind, about["n"])
        means, counts = array("d"), array("I")
        if about.get("m"):
            means = packing.read(data, about["mx_at"], "d", about["m"])
            counts = packing.read(data, about["mw_at"], "I", about["m"])  # type: ignore[assignment]
            ys.extend(packing.read(data, about["my_at"], kind, about["m"]))
        told["y"] = kind
        if all(math.isfinite(x) and x == int(x) and abs(x) < _MOST_WHOLE for x in xs):
            self._add_whole(map(int, xs))
            self._add_whole(map(round, means))  # the middle of a column, to half a step
        else:
            told["x"] = "d"
            self.doubles.extend(xs)
            self.doubles.extend(means)
        for count in counts:
            _write(self.whole, count)
        if kind == "d":
            self.doubles.extend(ys)
        else:
            self.floats.extend(round_floats(ys, _bits_of(ys)))
        return told

    def pack(self) -> bytes:
        """Return all points: lengths of the three parts, then the parts."""
        return b"".join([
            struct.pack("<III", len(self.whole), len(self.floats), len(self.doubles)),
            bytes(self.whole),
            _in_planes(self.floats),
            _in_planes(self.doubles),
        ])  # fmt: skip

    def _add_whole(self, numbers: Any) -> None:
        before = 0
        for number in numbers:
            _write(self.whole, (number - before) << 1 if number >= before else ((before - number) << 1) - 1)
            before = number


def round_floats(values: array[float], bits: int) -> array[float]:
    """Return 32-bit floats rounded to so many binary digits behind the point: the others are zeros.

    NaN and infinities stay, and nothing becomes infinite.
    """
    spare = 23 - bits
    if spare <= 0:
        return values
    half, keep, top = 1 << (spare - 1), 0xFFFFFFFF << spare & 0xFFFFFFFF, 0x7F800000
    numbers = array("I")
    numbers.frombytes(values.tobytes())
    rounded = array("I")
    for number in numbers:
        near = number + half & keep if number & top != top else number
        rounded.append(near if near & top != top else number)
    found = array("f")
    found.frombytes(rounded.tobytes())
    return found


def _bits_of(values: array[float]) -> int:
    """Return how many binary digits a curve needs, so that its chart has no steps."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return _LEAST_BITS
    least, most = min(finite), max(finite)
    if least == most:
        return 23
    return min(23, max(_LEAST_BITS, _SHOWN_BITS + math.ceil(math.log2(max(abs(least), abs(most)) / (most - least)))))


def _in_planes(numbers: array[float]) -> bytes:
    """Return the first bytes of all numbers, then their second ones, and so on: least significant first."""
    data, size = struct.pack("<%d%s" % (len(numbers), numbers.typecode), *numbers), numbers.itemsize
    return b"".join(data[place::size] for place in range(size))


def _write(into: bytearray, number: int) -> None:
    """Append a whole number, seven bits a byte, the last with its high bit free."""
    while number > 127:
        into.append(number & 127 | 128)
        number >>= 7
    into.append(number)
