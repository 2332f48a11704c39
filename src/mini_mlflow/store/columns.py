"""How is a long history read into arrays, faster than into rows?

What it reads and in which order is what ``reader.read_metric`` gives: rules M1 to M10 and W8 of docs/format.md.
"""

from __future__ import annotations

import json
import re
from array import array
from math import isnan
from operator import lt

from ..errors import BrokenFileError
from ..records import Columns
from . import documents, metric_file, reader
from .metric_text import MAX_HISTORY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Sequence, Tuple, Union

    from ..records import Metric, Number, Problem

_CHUNK_BYTES = 1 << 15  # the numbers of so many bytes are made and gone while the processor has them at hand
_LONGEST_BYTES = 2 * _CHUNK_BYTES
_WITHIN = b"0123456789-.e+ \n"  # what numbers and the room between them are made of
_ROW = b"[,,],"  # what is left of a row without these
_BROKEN = (b"nan", b"inf")  # as format 1, MLflow and hand-written JSON spell them, in small letters
_EXACT = 2**53  # integers up to here are floats, too


def read_columns(folder: str, key: str, problems: List[Problem]) -> Columns:
    """Return every row of a metric from all writers of a run, as columns; see ``reader.read_metric``.

    Args:
        folder: The run's folder.
        key: The metric.
        problems: Gets the files that cannot be read, and why.
    """
    return merge([columns for _, columns in read_parts(folder, key, problems)])


def merge(parts: Sequence[Columns]) -> Columns:
    """Return the rows of several writers by step, then by time."""
    found = _Collected()
    for columns in parts:
        found.extend(columns.steps, columns.timestamps, columns.values)
    steps, timestamps, values = found.steps, found.timestamps, found.values
    if not all(map(lt, steps, steps[1:])):
        order = sorted(range(len(steps)), key=list(zip(steps, timestamps)).__getitem__)
        steps, timestamps = (array("q", map(column.__getitem__, order)) for column in (steps, timestamps))
        sorted_values = map(values.__getitem__, order)
        values = list(sorted_values) if isinstance(values, list) else array("d", sorted_values)
    return Columns(steps, timestamps, values)


def read_parts(folder: str, key: str, problems: List[Problem]) -> List[Tuple[int, Columns]]:
    """Return the columns of a metric apart by writer, in file order, as ``reader.read_parts`` does with rows."""
    return [(share.generation, columns) for share, columns in reader.iter_histories(folder, key, problems, _read)]


def read_with_latest(folder: str, key: str, problems: List[Problem]) -> Tuple[Columns, Optional[Number]]:
    """Return every row of a metric, and its latest value: None where more than one file has to say that.

    Args:
        folder: The run's folder.
        key: The metric.
        problems: Gets the files that cannot be read, and why.
    """
    found = list(reader.iter_histories(folder, key, problems, _read))
    latest: Optional[Number] = None
    if len(found) == 1 and not found[0][0].is_mlflow and found[0][1].timestamps:
        latest = found[0][1].values[_place_of_newest(found[0][1].timestamps)]
    return merge([columns for _, columns in found]), latest


def may_be_broken(folder: str, key: str) -> bool:
    """Tell whether the files of a metric hold a word as values that are not finite do, at a hundredth of their cost.

    A number that somebody wrote too large for a float by hand, such as 1e999, is not found.
    """
    found = reader.iter_histories(folder, key, [], lambda path: documents.read(path, MAX_HISTORY_BYTES).lower())
    return any(word in data for _, data in found for word in _BROKEN)


def decode_columns(data: bytes, path: str) -> Columns:
    """Return the rows that the bytes of a metric's file hold, in file order.

    Raises:
        BrokenFileError: Nothing in them can be read.
    """
    return _decode_exact(data, path) or from_rows(metric_file.decode(data, path).rows)


def _read(path: str) -> Columns:
    return decode_columns(documents.read(path, MAX_HISTORY_BYTES), path)


class _Collected:
    """Columns that grow."""

    def __init__(self) -> None:
        self.steps = array("q")
        self.timestamps = array("q")
        self.values: Union[array[float], List[Number]] = array("d")

    def extend(self, steps: Any, timestamps: Any, values: Any) -> None:
        """Add rows.

        Raises:
            OverflowError: A step or timestamp is beyond 64 bits.
            TypeError: One is no integer.
        """
        self.steps.extend(array("q", steps))
        self.timestamps.extend(array("q", timestamps))
        if isinstance(self.values, list) or isinstance(values, array):
            self.values.extend(values)
        elif any(type(value) is int and not -_EXACT <= value <= _EXACT for value in values):
            self.values = [*self.values, *values]
        else:
            self.values.extend(array("d", values))


def _decode_exact(data: bytes, path: str) -> Optional[Columns]:
    """Return the rows of a file in the exact form (rule M1), None where it is in any other, or damaged."""
    head, closing = metric_file.match_ends(data)
    if head is None or closing is None:
        return None
    found = _Collected()
    begin, end = head.end(), len(data) - len(closing.string) + closing.start()
    try:
        documents.decode_json(head.group(1), path)  # a key that is none makes the file no document
        while begin < end:
            stop = data.find(b"\n[", min(begin + _CHUNK_BYTES, end), end)
            stop = end if stop < 0 else stop
            chunk = data[begin + 1 : stop]
            if stop < end and not chunk.endswith(b","):
                return None
            if not _decode_chunk((chunk[:-1] if stop < end else chunk).rstrip(b" "), path, found):
                return None
            begin = stop
        if not found.steps or min(found.timestamps) < 0:
            return None
        step, timestamp, text = closing.groups()
        last = _place_of_newest(found.timestamps)
        number = documents.decode_number(documents.decode_json(text, path))
        is_repeated = (int(step), int(timestamp)) == (found.steps[last], found.timestamps[last]) and _is_same(
            number, found.values[last]
        )
    except (BrokenFileError, ValueError, OverflowError, TypeError):
        return None
    return Columns(found.steps, found.timestamps, found.values) if is_repeated else None


def _is_same(number: Number, other: Number) -> bool:
    """Tell whether two numbers are written alike: NaN is NaN, and 0 is not -0."""
    if not number or isnan(number):
        return str(float(number)) == str(float(other))
    return number == other


def _place_of_newest(timestamps: array[int]) -> int:
    """Return where the newest row is, the last of those (rule M5)."""
    newest = max(timestamps)
    place = len(timestamps) - 1
    while timestamps[place] != newest:
        place -= 1
    return place


def _decode_chunk(chunk: bytes, path: str, found: _Collected) -> bool:
    """Add some whole rows to *found*; False where they are not such."""
    if len(chunk) > _LONGEST_BYTES:
        return False  # a number without end, which json would take minutes for
    chunk = re.sub(rb"\] +,", b"],", chunk)  # rows fill pages
    shape = chunk.translate(None, _WITHIN)
    count = (len(shape) + 1) // len(_ROW)
    # Where brackets are left out, what touches them from outside would become part of a number.
    is_apart = chunk[:1] + chunk[-1:] == b"[]" and chunk.count(b"],\n[") == count - 1
    if not is_apart or shape != (_ROW * count)[:-1]:  # something else than numbers, or not three of them
        rows = metric_file.checked_rows(documents.decode_json(b"[" + chunk + b"]", path))
        if rows is None:
            return False
        found.extend(*zip(*rows))
        return True
    numbers = json.loads("[" + chunk.translate(None, b"[]").decode("ascii") + "]")
    values = numbers[2::3]
    # A point in each value: all of them are floats.
    found.extend(numbers[0::3], numbers[1::3], array("d", values) if chunk.count(b".") == count else values)
    return True


def from_rows(rows: List[Metric]) -> Columns:
    """Return rows as columns."""
    found = _Collected()
    if rows:
        found.extend(*zip(*rows))
    return Columns(found.steps, found.timestamps, found.values)
