"""Which runs has the CSVLogger of Lightning written: ``metrics.csv`` and ``hparams.yaml`` of each version?"""

from __future__ import annotations

import csv
import io
import os

from .. import clock, keys
from ..errors import BrokenFileError, InvalidValueError
from ..params import flatten
from ..records import Metric, Problem
from ..store import documents, held_folder, meta
from .foreign import ForeignExperiment, ForeignRun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

METRICS_FILE = "metrics.csv"
PARAMS_FILE = "hparams.yaml"
_STEP = "step"
_MOST_BYTES = 1 << 30
_MOST_COLUMNS = 10000
_MOST_CELL = 1 << 16
_INT64 = range(-(2**63), 2**63)


def list_folders(path: str) -> List[str]:
    """Return the folders of the runs that a path means: its own, or those below it, at most three deep; sorted.

    Args:
        path: A ``metrics.csv``, a version's folder, or one that holds such folders: ``lightning_logs``.

    Raises:
        FileNotFoundError: There is no such path.
        InvalidValueError: There is no metrics.csv in it.
    """
    path = os.path.abspath(path)
    if not os.path.lexists(path):
        raise FileNotFoundError(2, "There is no such file or folder", path)
    if os.path.basename(path) == METRICS_FILE and os.path.isfile(path):
        return [os.path.dirname(path)]
    found: List[str] = []
    level = [path]
    for _ in range(4):
        within = []
        for folder in level:
            if os.path.isfile(os.path.join(folder, METRICS_FILE)):
                found.append(folder)
            else:
                within += _list_folders(folder)
        level = within
    if not found:
        message = "There is no %s in %s. Name the folder that Lightning's CSVLogger wrote, such as lightning_logs."
        raise InvalidValueError(message % (METRICS_FILE, path), value=path)
    return sorted(found)


def iter_runs(folders: Iterable[str]) -> Iterator[ForeignRun]:
    """Yield the runs in these folders.

    A run's id comes from its path, so that a second import finds what the first has brought in. The file does not say
    when a row was logged: all have the time at which the run began.
    """
    for folder in folders:
        yield _describe(folder)


def _describe(folder: str) -> ForeignRun:
    from hashlib import sha256

    problems: List[Problem] = []
    path = os.path.join(folder, METRICS_FILE)
    start_ms, end_ms = _times(folder)
    run_id = "lightning-" + sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:22]
    fields = {
        "name": meta.storable(os.path.basename(folder)),
        "version": None,
        "status": "FINISHED",  # the file tells no other
        "start_time": clock.encode_ms(start_ms),
        "end_time": clock.encode_ms(max(start_ms, end_ms)),
        "parent_run_id": None,
        "generation": 0,
        "imported": {"from": "lightning-csv", "path": meta.storable(folder)},
    }

    def read() -> Tuple[Dict[str, Any], Dict[str, Any], Iterable[Tuple[str, List[Metric]]]]:
        metrics = _read_metrics(path, start_ms, problems)
        return _read_params(os.path.join(folder, PARAMS_FILE), problems), {}, sorted(metrics.items())

    name = meta.storable(os.path.basename(os.path.dirname(folder))) or "lightning_logs"
    experiment = ForeignExperiment(name, None, {})
    return ForeignRun(run_id, experiment, fields, is_deleted=False, read=read, artifacts=[], problems=problems)


def _read_metrics(path: str, time_ms: int, problems: List[Problem]) -> Dict[str, List[Metric]]:
    """Return the rows of each metric in a metrics.csv.

    Raises:
        BrokenFileError: It cannot be read; the message says where and why.
    """
    data = documents.read(path, _MOST_BYTES)
    if b"\0" in data:
        raise documents.broken(path, "it has a NUL byte at %d" % data.index(b"\0"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise documents.broken(path, "it is not UTF-8 text: %s" % error) from error
    limit = csv.field_size_limit(_MOST_CELL)
    try:
        return _decode_rows(csv.reader(io.StringIO(text, newline="")), path, time_ms, problems)
    except csv.Error as error:
        raise documents.broken(path, "it is no CSV: %s" % error) from error
    finally:
        csv.field_size_limit(limit)


def _decode_rows(reader: Any, path: str, time_ms: int, problems: List[Problem]) -> Dict[str, List[Metric]]:
    head = next(reader, None)
    if not head:
        raise documents.broken(path, "it is empty")
    _check_head(head, path)
    place = head.index(_STEP) if _STEP in head else None
    metrics: Dict[str, List[Metric]] = {}
    faults: List[str] = []
    for number, cells in enumerate(reader):
        if len(cells) > len(head):
            raise documents.broken(path, "line %d has %d cells, its head %d" % (reader.line_num, len(cells), len(head)))
        if len(cells) < len(head) and cells:
            faults.append("line %d has %d cells, its head %d" % (reader.line_num, len(cells), len(head)))
        step = number if place is None else _step(cells[place] if place < len(cells) else "")
        if step is None:
            faults.append("line %d has no step" % reader.line_num)
            continue
        for key, cell in zip(head, cells):
            if key == _STEP or not cell:
                continue
            value = _number(cell)
            if value is None:
                faults.append("line %d has %.60r for %.60r, which is no number" % (reader.line_num, cell, key))
            else:
                metrics.setdefault(key, []).append(Metric(step, time_ms, value))
    if faults:
        more = "" if len(faults) == 1 else "; and %d more" % (len(faults) - 1)
        problems.append(Problem(path, faults[0] + more))
    return metrics


def _check_head(head: List[str], path: str) -> None:
    if len(head) > _MOST_COLUMNS:
        raise documents.broken(path, "it has %d columns, at most %d are read" % (len(head), _MOST_COLUMNS))
    for key in head:
        if not key:
            raise documents.broken(path, "a column of it has no name")
        if len(key) > keys.MAX_KEY_LENGTH:
            facts = (len(key), keys.MAX_KEY_LENGTH, key[:40])
            raise documents.broken(path, "the name of a column has %d characters, %d are allowed: '%s...'" % facts)
    double = sorted({key for key in head if head.count(key) > 1}) if len(set(head)) < len(head) else []
    if double:
        raise documents.broken(path, "two columns of it are called %.100r" % double[0])


def _step(cell: str) -> Optional[int]:
    value = _number(cell)
    if value is None or (isinstance(value, float) and not documents.is_finite(value)) or value != int(value):
        return None
    return int(value) if int(value) in _INT64 else None


def _number(cell: str) -> Any:
    """Return the number in a cell, None where there is none; an integer stays one."""
    text = cell.strip()
    if text in ("True", "False"):
        return int(text == "True")
    if len(text) > 400 or "_" in text:
        return None
    try:
        return int(text) if text.lstrip("+-").isdigit() and len(text) <= 300 else float(text)
    except ValueError:
        return None


def _read_params(path: str, problems: List[Problem]) -> Dict[str, Any]:
    """Return what hparams.yaml says, by dotted names; nothing where it is missing, or reported."""
    try:
        if held_folder.is_link(os.lstat(path)):
            raise documents.broken(path, "it is a link, which is not followed")
        data = documents.read(path, meta.MAX_META_BYTES)
        if not data.strip() or data.strip() == b"{}":
            return {}
        return flatten(meta.decode(data, path))
    except FileNotFoundError:
        return {}
    except (OSError, BrokenFileError, ValueError) as error:
        problems.append(Problem(path, getattr(error, "reason", None) or str(error)))
        return {}


def _times(folder: str) -> Tuple[int, int]:
    """Return when a run began and ended, in milliseconds: by its files, of which hparams.yaml is written first."""
    times = []
    for name in (PARAMS_FILE, METRICS_FILE):
        try:
            times.append(os.lstat(os.path.join(folder, name)).st_mtime_ns // 1000000)
        except OSError:
            continue
    return (min(times), max(times)) if times else (0, 0)


def _list_folders(folder: str) -> List[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []
