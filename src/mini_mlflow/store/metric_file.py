"""How is the history of a metric read back from its file, and written anew?

One JSON document that grows at its end: rules M1 to M10 of docs/format.md. ``appender`` writes it, row by row.
"""

from __future__ import annotations

import gc
import os
import re
from collections import namedtuple
from functools import lru_cache
from operator import itemgetter

from ..errors import BrokenFileError
from ..records import Metric
from . import documents, mlflow_layout
from .metric_text import CLOSING, MAX_HISTORY_BYTES, NUMBER, PAGE, closing_text, head_text, padded, row_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Tuple

_HEAD_BYTES = 2048  # the longest key, escaped, fits
_TAIL_BYTES = 2 * PAGE
_LARGE_BYTES = 1 << 20
_SMALL_BYTES = _HEAD_BYTES + _TAIL_BYTES
_HEAD = rb'\{"key": ("(?:[^"\\]|\\.)*"), "history": \[(?=\n)'
_ROW = rb"\n\[(-?[0-9]{1,19}), ([0-9]{1,19}), (" + NUMBER + rb")\]"
_STEP = rb"\n\[(-?[0-9]{1,19}), [0-9]{1,19}, (?:" + NUMBER + rb")\]"
_INT64 = range(-(2**63), 2**63)


class History(namedtuple("History", ["key", "rows", "latest", "is_exact", "end"])):
    """What a metric's file holds.

    Attributes:
        key: The metric's name, None where the file does not say (format 0).
        rows: The rows in file order.
        latest: The row that is the newest by timestamp, the last of those; None in a file without rows.
        is_exact: Whether the text is in the exact form of rule M1, to its last byte.
        end: Where the last complete row ends, in bytes.
    """

    __slots__ = ()

    key: Optional[str]
    rows: List[Metric]
    latest: Optional[Metric]
    is_exact: bool
    end: int


class Tail(namedtuple("Tail", ["key", "latest", "position", "size"])):
    """What the end of a metric's file says, found without reading the rest.

    Attributes:
        key: The metric's name.
        latest: The row that the closing repeats.
        position: Where the closing begins, in bytes.
        size: The file's size in bytes.
    """

    __slots__ = ()

    key: str
    latest: Metric
    position: int
    size: int


def encode(key: str, rows: List[Metric]) -> bytes:
    """Return the whole document of a metric that has rows."""
    parts = [head_text(key)]
    size = len(parts[0].encode("utf-8"))
    newest = rows[0]
    for number, row in enumerate(rows):
        newest = row if row.timestamp >= newest.timestamp else newest
        text = ("," if number else "") + row_text(row.step, row.timestamp, documents.encode_number(row.value))
        end = size + len(text) + len(closing_text(newest.step, newest.timestamp, documents.encode_number(newest.value)))
        if number and size // PAGE != (end - 1) // PAGE:
            parts.append(" " * (-size % PAGE))
            size += len(parts[-1])
        parts.append(text)
        size += len(text)
    parts.append(closing_text(newest.step, newest.timestamp, documents.encode_number(newest.value)))
    return "".join(parts).encode("utf-8")


def read_history(path: str) -> History:
    """Return every complete row of a metric's file (rules M8 to M10).

    Raises:
        FileNotFoundError: There is none.
        BrokenFileError: Nothing in it can be read.
    """
    data = documents.read(path, MAX_HISTORY_BYTES)
    if len(data) < _LARGE_BYTES or not gc.isenabled():
        return decode(data, path)
    # Each row is an object that the collector looks at again and again while more are made, and never finds garbage:
    # that takes half of the time of a million rows.
    gc.disable()
    try:
        return decode(data, path)
    finally:
        gc.enable()


def read_greatest_step(path: str) -> Optional[int]:
    """Return the greatest step of a metric's file, a tenth of the cost of reading its rows; None where it has none.

    Raises:
        FileNotFoundError: There is none.
        BrokenFileError: Nothing in it can be read.
    """
    data = documents.read(path, MAX_HISTORY_BYTES)
    if re.match(_HEAD, data) is None:
        return max((row.step for row in decode(data, path).rows), default=None)
    return max(map(int, re.findall(_STEP, data)), default=None)


def read_ends(path: str) -> Tuple[Optional[str], bool]:
    """Return a metric's name, None where it is not in its place, and whether the file ends in a closing (rule M1)."""
    descriptor = documents.open_to_read(path)
    try:
        tail = read_tail(descriptor)
        if tail is not None:
            return tail.key, True
        head = re.match(_HEAD, documents.read_all(descriptor, _HEAD_BYTES))
    finally:
        os.close(descriptor)
    return None if head is None else documents.decode_json(head.group(1), path), False


def read_latest(path: str) -> Tuple[Optional[str], Optional[Metric]]:
    """Return a metric's name and latest row, from the ends of its file where they are in exact form.

    Raises:
        FileNotFoundError: There is none.
        BrokenFileError: Nothing in it can be read.
    """
    if documents.is_packed(path):
        data = documents.read(path, MAX_HISTORY_BYTES)
        start = max(0, len(data) - _TAIL_BYTES)
        tail = _decode_tail(data[:_HEAD_BYTES], data[start:], start)
    else:
        descriptor = documents.open_to_read(path)
        try:
            tail = read_tail(descriptor)
        except OSError:
            tail = None  # a folder, or a device: let the careful reader say so
        finally:
            os.close(descriptor)
    if tail is not None:
        return tail.key, tail.latest
    history = read_history(path)
    return history.key, history.latest


def read_tail(descriptor: int) -> Optional[Tail]:
    """Return what the ends of an open file say, None where they are not in exact form."""
    size = os.fstat(descriptor).st_size
    if size <= _SMALL_BYTES:
        head = end = documents.read_all(descriptor, size)
        start = 0
    else:
        head = documents.read_all(descriptor, _HEAD_BYTES)
        start = size - _TAIL_BYTES
        end = documents.read_all(descriptor, _TAIL_BYTES, start)
    return _decode_tail(head, end, start)


def _decode_tail(head: bytes, end: bytes, start: int) -> Optional[Tail]:
    """Return what the first and last bytes of a file say, of which the last begin at *start*."""
    key, closing = re.match(_HEAD, head), re.search(CLOSING, end)
    if key is None or closing is None:
        return None
    latest = _decode_row(closing)
    if latest is None or end.rfind(_row_repeated_by(closing), 0, closing.start()) < 0:
        return None  # a glimpse of a write may show two closings mixed, so only one that repeats a row counts
    return Tail(_decode_key(key.group(1)), latest, start + closing.start(), start + len(end))


@lru_cache(1024)  # who reads many runs reads the same few keys
def _decode_key(data: bytes) -> Any:
    return documents.decode_json(data, "")


def decode(data: bytes, path: str) -> History:
    """Return what the bytes of a metric's file hold.

    Raises:
        BrokenFileError: Nothing in them can be read.
    """
    head, closing = match_ends(data)
    if head is None:
        return _decode_other(data, path)
    key = documents.decode_json(head.group(1), path)
    if closing is not None:
        try:
            rows = checked_rows(documents.decode_json(data, path).get("history"))
        except BrokenFileError:
            rows = None
        latest = newest(rows or [])
        if rows and latest is not None and _encode_row(latest) == _row_repeated_by(closing):
            return History(
                key, rows, latest, is_exact=True, end=len(data) - min(len(data), _TAIL_BYTES) + closing.start()
            )
    return _salvage(key, data, head.end())


def match_ends(data: bytes) -> Tuple[Any, Any]:
    """Return the matches of a file's head, and of its closing in its last bytes; None where they are not exact."""
    head, closing = re.match(_HEAD, data), re.search(CLOSING, data[-_TAIL_BYTES:])
    return head, None if b"\0" in data else closing


def newest(rows: List[Metric]) -> Optional[Metric]:
    """Return the row that is the newest by timestamp, the last of those (rule M5)."""
    if not rows:
        return None
    timestamp = max([row[1] for row in rows])
    best = len(rows) - 1
    while rows[best][1] != timestamp:
        best -= 1
    return rows[best]


def rows_in(data: bytes) -> List[Metric]:
    """Return every complete row of a part of a metric's file."""
    return [row for row in map(_decode_row, re.finditer(_ROW, data)) if row is not None]


def find_last_row(data: bytes) -> Optional[Tuple[int, int]]:
    """Return where the last complete row of a metric's file begins and ends, None where there is none."""
    for tail in (data[-_TAIL_BYTES:], data):  # a damaged file may have no row near its end
        place = None
        for match in re.finditer(_ROW, tail):
            place = match.span()
        if place is not None:
            skipped = len(data) - len(tail)
            return skipped + place[0], skipped + place[1]
    return None


def count_rows(data: bytes) -> int:
    """Return how many rows stand in a metric's file in the form of rule M1."""
    return len(re.findall(_STEP, data))


def find_gaps(data: bytes) -> List[Tuple[int, int]]:
    """Return where, behind the head, there are bytes that are neither rows nor what may stand around them (M1 to M4).

    A closing that is missing altogether is none of them; one that is cut is.
    """
    head = re.match(_HEAD, data)
    if head is None:
        return []
    gaps, end, allowed = [], head.end(), rb""
    for match in re.compile(_ROW).finditer(data, end):
        if _decode_row(match) is None:
            continue  # a number of it is beyond what rule M7 allows
        if not re.fullmatch(allowed, data[end : match.start()]):
            gaps.append((end, match.start()))
        end, allowed = match.end(), rb" *,"
    rest = data[end:]
    if rest.strip(b" \n") and not (end > head.end() and re.fullmatch(CLOSING, rest)):
        gaps.append((end, len(data)))
    return gaps


def crosses_page(data: bytes, end: int) -> bool:
    """Tell whether a row of an exact file, but for the first, lies across the boundary of a page (rule M3).

    Args:
        data: The file.
        end: Where its last row ends.
    """
    for boundary in range(PAGE, end, PAGE):
        start = data.rfind(b"\n[", 0, boundary + 2)
        if data[start - 1 : start] == b"," and start <= boundary <= data.find(b"]", start):
            return True
    return False


def closing_behind(data: bytes, history: History) -> Optional[bytes]:
    """Return the closing that makes a file whole behind its last complete row, spaces over the rest (rule M13).

    None where what stands before it is not valid either: then the file must be written anew.
    """
    if history.latest is None:
        return None
    step, timestamp, value = history.latest
    closing = padded(closing_text(step, timestamp, documents.encode_number(value)).encode(), len(data) - history.end)
    is_sound = history.end and decode(data[: history.end] + closing, "").is_exact
    return closing if is_sound else None


def _salvage(key: Any, data: bytes, start: int) -> History:
    """Take every complete row, whatever lies between and after them (rules M8 and M9)."""
    rows, end = [], start
    for match in re.finditer(_ROW, data[start:]):
        row = _decode_row(match)
        if row is not None:
            rows.append(row)
            end = start + match.end()
    return History(key, rows, newest(rows), is_exact=False, end=end)


def _decode_row(match: Any) -> Optional[Metric]:
    step, timestamp, text = match.groups()
    if len(text) > 400:
        return None
    if text[:1] == b'"':
        value = documents.decode_number(text[1:-1].decode("ascii"))
    else:
        value = int(text) if text.lstrip(b"-").isdigit() else float(text)
    row = Metric(int(step), int(timestamp), value)
    return row if row.step in _INT64 and row.timestamp in _INT64 else None


def _encode_row(row: Metric) -> bytes:
    return row_text(row.step, row.timestamp, documents.encode_number(row.value)).encode()


def _row_repeated_by(closing: Any) -> bytes:
    return b"\n[%b, %b, %b]" % closing.groups()


def _decode_other(data: bytes, path: str) -> History:
    """Read a document in another form: an editor's, format 0 (rules M10 and F1), or lines of MLflow's.

    Those are rule G3 of docs/mlflow-stores.md.
    """
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        lines = mlflow_layout.decode_rows(data)[0]
        if lines:
            return History(None, lines, newest(lines), is_exact=False, end=0)
    document = documents.decode_json(data.rstrip(b"\0"), path)
    if not isinstance(document, dict):
        raise documents.broken(path, "it is no metric")
    key = document.get("key")
    if key is not None and not isinstance(key, str):
        raise documents.broken(path, "its key is no text")
    if "history" in document:
        rows = checked_rows(document["history"])
        if rows is None:
            raise documents.broken(path, "its history holds something else than rows [step, timestamp, value]")
        return History(key, rows, newest(rows), is_exact=False, end=0)
    value = documents.decode_number(document.get("value"))
    if isinstance(value, bool):
        value = int(value)
    if not isinstance(value, (int, float)):
        raise documents.broken(path, "its value is no number")
    row = Metric(0, _milliseconds(document.get("timestamp")), value)
    return History(key, [row], row, is_exact=False, end=0)


def checked_rows(history: Any) -> Optional[List[Metric]]:
    """Return the rows of a parsed history, None where it holds anything else."""
    # Column by column in C: checking a million rows one by one in Python takes longer than parsing them.
    if not isinstance(history, list) or set(map(type, history)) - {list} or set(map(len, history)) - {3}:
        return None
    if not history:
        return []
    steps, timestamps = list(map(itemgetter(0), history)), list(map(itemgetter(1), history))
    if set(map(type, steps)) != {int} or set(map(type, timestamps)) != {int}:
        return None
    if min(steps) not in _INT64 or max(steps) not in _INT64 or min(timestamps) < 0 or max(timestamps) not in _INT64:
        return None
    kinds = set(map(type, map(itemgetter(2), history)))
    if str in kinds:
        history = [[step, timestamp, documents.decode_number(value)] for step, timestamp, value in history]
        kinds = set(map(type, map(itemgetter(2), history)))
    new = tuple.__new__  # Metric(*row) would unpack and pack again
    return [new(Metric, row) for row in history] if kinds <= {int, float} else None


def _milliseconds(timestamp: Any) -> int:
    """Return a timestamp of format 0, ISO 8601 in UTC, as milliseconds since 1970; 0 where it is none."""
    if type(timestamp) is int and 0 <= timestamp in _INT64:
        return timestamp
    from datetime import datetime, timedelta, timezone  # format 0 only

    try:
        text = str(timestamp).rstrip("Z")
        text += "+0000" if "." in text else ".0+0000"
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
    except ValueError:
        return 0
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)
