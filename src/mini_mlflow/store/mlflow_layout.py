"""What do the files say that MLflow's own file store wrote?

Rules G1 to G6 of docs/mlflow-stores.md. Nothing is ever written here.
"""

from __future__ import annotations

import os
import stat

from .. import clock, layout
from ..errors import BrokenFileError
from ..records import Metric
from . import documents, meta
from .metric_text import MAX_HISTORY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple

    Report = Callable[[str, Exception], None]

DELETED = "deleted"
_MARKS = ("artifact_uri", "run_uuid", "lifecycle_stage")  # one of them is in every run's meta.yaml, and none in 0.1.0's
_STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_LINKS = ("inputs", "outputs")
_NAME_TAG = "mlflow.runName"
_PARENT_TAG = "mlflow.parentRunId"
_DEEPEST = 200  # folders within each other: a key has 250 characters
_MOST_FIELDS = 2000  # characters of one row: a number has 400 at most, the name of a data set 500
_INT64 = range(-(2**63), 2**63)


def is_run(fields: Mapping[str, Any]) -> bool:
    """Tell whether these are the fields of a meta.yaml that MLflow wrote for a run."""
    return "format" not in fields and any(name in fields for name in _MARKS)


def is_deleted(fields: Mapping[str, Any]) -> bool:
    """Tell whether MLflow has deleted the run of these fields: it stays in its place."""
    return is_run(fields) and fields.get("lifecycle_stage") == DELETED


def encode_start(fields: Mapping[str, Any]) -> Optional[str]:
    """Return when a run started in the form of rule Y3, None where its meta.yaml does not say."""
    return clock.encode_ms(fields.get("start_time"))


def as_ours(fields: Mapping[str, Any], folder: str, report: Optional[Report] = None) -> Dict[str, Any]:
    """Return the fields of MLflow's meta.yaml with ours beside them: name, status, times, user, parent_run_id.

    Args:
        fields: What the meta.yaml says.
        folder: The run; its tags have the name in 1.0, and the parent.
        report: Called with the path of what makes no sense, and why.
    """
    path = os.path.join(folder, layout.META)
    status = fields.get("status", 1)
    if type(status) is int and status in _STATUSES:
        status = _STATUSES[status]
    elif status not in _STATUSES.values():
        if report is not None:
            report(path, documents.broken(path, "its status is %.100r, which is none of MLflow's" % (status,)))
        status = "RUNNING"
    times = {name: clock.encode_ms(fields.get(name)) for name in ("start_time", "end_time")}
    for field, time in times.items():
        if time is None and fields.get(field) is not None and report is not None:
            report(path, documents.broken(path, "its %s is %.100r, no time" % (field, fields[field])))
    name = fields.get("name") or fields.get("run_name") or _read_tag(folder, _NAME_TAG)
    ours = dict(fields, name=None if name is None else str(name), status=status, run_id=os.path.basename(folder))
    ours.update(times, lifecycle_stage=fields.get("lifecycle_stage", "active"))
    parent = _read_tag(folder, _PARENT_TAG)
    if parent:
        ours["parent_run_id"] = parent
    if fields.get("user_id"):
        ours["user"] = str(fields["user_id"])
    return ours


def read_links(folder: str, report: Report) -> Dict[str, List[Dict[str, Any]]]:
    """Return the data sets and models that a run took and made: ``inputs`` and ``outputs``, each where there are any.

    Each has the fields of its meta.yaml; that of a data set stands in it under ``dataset``.
    """
    found = {}
    for kind in _LINKS:
        links = []
        for name in _names(os.path.join(folder, kind)):
            fields = _read_fields(os.path.join(folder, kind, name), report)
            if fields is None:
                continue
            dataset = str(fields.get("source_id"))
            if fields.get("source_type") == "DATASET" and os.path.basename(dataset) == dataset:
                known = _read_fields(os.path.join(os.path.dirname(folder), "datasets", dataset), report)
                if known is not None:
                    fields["dataset"] = known
            links.append(fields)
        if links:
            found[kind] = links
    return found


def has_links(folder: str) -> bool:
    """Tell whether a run names data sets or models that lie beside it in its experiment."""
    return any(_names(os.path.join(folder, kind)) for kind in _LINKS)


def iter_files(folder: str, kind: str, report: Optional[Report] = None) -> Iterator[Tuple[str, str]]:
    """Yield (key, path) of every file in a folder such as ``params``, sorted; a ``/`` in a key is a folder.

    Links are not followed.
    """
    top = os.path.join(folder, kind)
    found: List[Tuple[str, str]] = []
    waiting = [(top, "", 0)]
    while waiting:
        inside, prefix, depth = waiting.pop()
        try:
            if not stat.S_ISDIR(os.lstat(inside).st_mode) or depth > _DEEPEST:
                raise documents.broken(inside, "it is no folder" if depth <= _DEEPEST else "it lies too deep")
            with os.scandir(inside) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((entry.path, prefix + entry.name + "/", depth + 1))
                    elif entry.is_file(follow_symlinks=False):
                        found.append((prefix + entry.name, entry.path))
                    elif report is not None:
                        report(entry.path, documents.broken(entry.path, "it is neither a file nor a folder"))
        except FileNotFoundError:
            continue  # git keeps no empty folders
        except (OSError, BrokenFileError) as error:
            if report is not None:
                report(inside, error)
    yield from sorted(found)


def find_file(folder: str, kind: str, key: str) -> Optional[str]:
    """Return the file that holds a key, None where there is none; a link is none."""
    path = os.path.join(folder, kind)
    parts = key.split("/")
    if any(part in ("", ".", "..") or "\0" in part or os.path.basename(part) != part for part in parts):
        return None
    if any(os.path.splitdrive(part)[0] for part in parts):
        return None  # Windows would look on another drive
    try:
        for part in parts:
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                return None
            path = os.path.join(path, part)
        return path if stat.S_ISREG(os.lstat(path).st_mode) else None
    except (OSError, ValueError):
        return None


def iter_values(folder: str, kind: str, report: Report) -> Iterator[Tuple[str, str]]:
    """Yield key and text of every param or tag: the file's whole content, as it stands."""
    for key, path in iter_files(folder, kind, report):
        try:
            yield key, _decode_text(documents.read(path), path)
        except FileNotFoundError:
            continue
        except (OSError, BrokenFileError) as error:
            report(path, error)


def iter_latest(folder: str, report: Report) -> Iterator[Tuple[str, Metric]]:
    """Yield key and latest row of every metric."""
    for key, path in iter_files(folder, layout.METRICS, report):
        try:
            row = newest(read_rows(path, report))
        except FileNotFoundError:
            continue
        except (OSError, BrokenFileError) as error:
            report(path, error)
            continue
        if row is None:
            report(path, documents.broken(path, "it has no row"))
        else:
            yield key, row


def newest(rows: List[Metric]) -> Optional[Metric]:
    """Return the row that MLflow takes for the latest: the greatest by step, timestamp, value; numbers above NaN."""
    return max(rows, key=_rank, default=None)


def read_rows(path: str, report: Optional[Report] = None) -> List[Metric]:
    """Return the rows of a metric's file, in its order; lines that are none are reported and passed over.

    Raises:
        FileNotFoundError: There is none.
        BrokenFileError: It is no regular file, or too large.
    """
    rows, faults = decode_rows(documents.read(path, MAX_HISTORY_BYTES))
    if faults and report is not None:
        number, text = faults[0]
        reason = "%d of its lines are no rows, the first is line %d: %.100r" % (len(faults), number, text)
        report(path, documents.broken(path, reason))
    return rows


def check_rows(path: str, report: Report) -> None:
    """Report the lines of a metric's file that are no rows; a file that cannot be read is left to who reads it."""
    try:
        read_rows(path, report)
    except (OSError, BrokenFileError):
        pass


def decode_rows(data: bytes) -> Tuple[List[Metric], List[Tuple[int, bytes]]]:
    """Return the rows of a metric's text, and the lines that are none, each with its number from 1 on.

    A row is ``<timestamp> <value> <step>``. Without a step it is that of step 0; after it there may be the name and the
    digest of a data set.
    """
    rows, faults = [], []
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()  # what ends in a line break
    for number, line in enumerate(lines, 1):
        row = _decode_row(line)
        if row is not None:
            rows.append(row)
        else:
            faults.append((number, line[:100]))
    return rows, faults


def _decode_row(line: bytes) -> Optional[Metric]:
    try:
        fields = line.decode("utf-8").strip().split(" ")
        if len(fields) in (1, 4) or len(line) > _MOST_FIELDS:
            return None
        row = Metric(int(fields[2]) if len(fields) > 2 else 0, int(fields[0]), float(fields[1]))
    except (ValueError, OverflowError):
        return None
    return row if row.step in _INT64 and row.timestamp in _INT64 else None


def _rank(row: Metric) -> Tuple[int, int, bool, float]:
    is_number = row.value == row.value
    return row.step, row.timestamp, is_number, row.value if is_number else 0.0


def _read_tag(folder: str, key: str) -> Optional[str]:
    path = find_file(folder, layout.TAGS, key)
    try:
        return None if path is None else _decode_text(documents.read(path), path)
    except (OSError, BrokenFileError):
        return None  # who reads the tags reports it


def _decode_text(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise documents.broken(path, "it is not UTF-8 text") from error


def _names(folder: str) -> List[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError:
        return []


def _read_fields(folder: str, report: Report) -> Optional[Dict[str, Any]]:
    path = os.path.join(folder, layout.META)
    try:
        return meta.read_meta(path)
    except FileNotFoundError:
        return None
    except (OSError, BrokenFileError) as error:
        report(path, error)
        return None
