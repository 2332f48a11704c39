"""Which runs does a SQLite file of MLflow hold, on their way into a store of ours?"""

from __future__ import annotations

import os
import re
import sys
from itertools import groupby
from operator import itemgetter

from .. import clock, config, layout
from ..errors import InvalidValueError
from ..records import Metric, Problem
from ..store import documents
from . import mlflow_fields
from .foreign import ForeignExperiment, ForeignRun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

    from .sqlite_file import SqliteFile

_INT64 = range(-(2**63), 2**63)
_LARGEST = sys.float_info.max  # how MLflow keeps infinities there
_RUN = (
    "run_uuid", "experiment_id", "name", "status", "start_time", "end_time", "user_id", "lifecycle_stage",
    "artifact_uri",
)  # fmt: skip
_ARTIFACT_FOLDERS = ("mlruns", "mlartifacts")  # where MLflow puts artifacts beside its database unless told otherwise


def check(file: SqliteFile) -> None:
    """Refuse a file that is none of MLflow's.

    Raises:
        BrokenFileError: It is none; a view in a table's place is told, too.
    """
    for table, column in (("experiments", "experiment_id"), ("runs", "run_uuid")):
        if column not in file.columns.get(table, ()):
            reason = "it is no database of MLflow: it has no table %s with a column %s" % (table, column)
            raise documents.broken(file.path, reason)


def count_runs(file: SqliteFile, only: Optional[str]) -> int:
    """Return how many runs there are; see ``iter_runs``."""
    chosen = _experiments(file, only)
    return sum(row[0] in chosen for row in file.rows("runs", ["experiment_id"]))


def iter_runs(file: SqliteFile, only: Optional[str], *, reach: Optional[str] = None) -> Iterator[ForeignRun]:
    """Yield the runs, by their ids.

    Args:
        file: The database.
        only: The name or id of one experiment; None: all that are not deleted.
        reach: The folder in which artifacts may lie; None: that of the file.
    """
    experiments = _experiments(file, only)
    top = os.path.realpath(reach if reach is not None else os.path.dirname(os.path.abspath(file.path)))
    tables = {
        "params": _Cursor(file.rows("params", ["run_uuid", "key", "value"], ["run_uuid", "key"])),
        "tags": _Cursor(file.rows("tags", ["run_uuid", "key", "value"], ["run_uuid", "key"])),
        "metrics": _Cursor(
            file.rows(
                "metrics",
                ["run_uuid", "key", "value", "timestamp", "step", "is_nan"],
                ["run_uuid", "key", "timestamp", "step"],
            )
        ),
    }
    for row in file.rows("runs", _RUN, ["run_uuid"]):
        run = dict(zip(_RUN, row))
        if run["experiment_id"] in experiments:
            yield _describe(run, experiments[run["experiment_id"]], tables, top)


class _Cursor:
    """The rows of a table that is sorted by runs, given out run by run."""

    def __init__(self, rows: Iterator[Tuple[Any, ...]]) -> None:
        self._groups = groupby(rows, itemgetter(0))
        self._waiting: Optional[Tuple[Any, Iterator[Tuple[Any, ...]]]] = None
        self._has_more = True

    def of(self, run_id: str) -> Iterator[Tuple[Any, ...]]:
        """Return the rows of a run; runs must be asked for in their order."""
        while self._has_more and (self._waiting is None or _is_before(self._waiting[0], run_id)):
            self._waiting = next(self._groups, None)
            self._has_more = self._waiting is not None
        if self._waiting is None or self._waiting[0] != run_id:
            return iter(())
        rows, self._waiting = self._waiting[1], None
        return rows


def _is_before(one: Any, other: str) -> bool:
    """Tell whether SQLite sorts one id before the other: by the bytes of their UTF-8; bytes come last, others first."""
    if isinstance(one, bytes):
        return False
    return not isinstance(one, str) or one.encode("utf-8", "replace") < other.encode("utf-8", "replace")


def _describe(run: Dict[str, Any], experiment: ForeignExperiment, tables: Dict[str, _Cursor], top: str) -> ForeignRun:
    problems: List[Problem] = []
    run_id = str(run["run_uuid"])
    tags = _texts(tables["tags"].of(run_id))
    told = {"from": "mlflow", "experiment_id": str(run["experiment_id"])}
    if run["artifact_uri"]:
        told["artifact_uri"] = str(run["artifact_uri"])
    fields, tags = mlflow_fields.convert(
        tags,
        name=str(run["name"]) if run["name"] else None,
        status=run["status"],
        start_time=clock.encode_ms(run["start_time"]),
        end_time=clock.encode_ms(run["end_time"]),
        user=str(run["user_id"]) if run["user_id"] else None,
        told=told,
    )
    artifacts = _find_artifacts(run_id, str(run["experiment_id"]), str(run["artifact_uri"] or ""), top, problems)

    def read() -> Tuple[Dict[str, Any], Dict[str, Any], Iterable[Tuple[str, List[Metric]]]]:
        params = _texts(tables["params"].of(run_id))
        return params, tags, _iter_metrics(run_id, tables["metrics"].of(run_id), problems)

    is_deleted = run["lifecycle_stage"] == "deleted"
    return ForeignRun(run_id, experiment, fields, is_deleted, read, artifacts, problems)


def _iter_metrics(
    run_id: str, rows: Iterator[Tuple[Any, ...]], problems: List[Problem]
) -> Iterator[Tuple[str, List[Metric]]]:
    for key, group in groupby(rows, itemgetter(1)):
        found, faults = [], 0
        for _, _, value, timestamp, step, is_nan in group:
            row = _row(value, timestamp, step, is_nan)
            if row is None:
                faults += 1
            else:
                found.append(row)
        if faults or not isinstance(key, str) or not key:
            reason = "%d rows of the metric %.100r of run %s are none" % (faults or len(found), key, run_id)
            problems.append(Problem("metrics", reason))
        if found and isinstance(key, str) and key:
            yield key, found


def _row(value: Any, timestamp: Any, step: Any, is_nan: Any) -> Optional[Metric]:
    if is_nan:
        number = float("nan")
    elif type(value) in (int, float):
        number = float("inf") if value == _LARGEST else float("-inf") if value == -_LARGEST else float(value)
    else:
        return None
    step = 0 if step is None else step
    if type(timestamp) is not int or type(step) is not int or step not in _INT64:
        return None
    return Metric(step, timestamp, number)


def _texts(rows: Iterable[Tuple[Any, ...]]) -> Dict[str, Any]:
    return {key: "" if value is None else str(value) for _, key, value in rows if isinstance(key, str) and key}


def _experiments(file: SqliteFile, only: Optional[str]) -> Dict[Any, ForeignExperiment]:
    tags: Dict[Any, Dict[str, str]] = {}
    for experiment_id, key, value in file.rows("experiment_tags", ["experiment_id", "key", "value"]):
        if isinstance(key, str) and key:
            tags.setdefault(experiment_id, {})[key] = "" if value is None else str(value)
    found = {}
    columns = ["experiment_id", "name", "lifecycle_stage", "creation_time"]
    names = []
    for experiment_id, called, stage, created in file.rows("experiments", columns, ["experiment_id"]):
        name = str(experiment_id if called is None else called)
        names.append(name)
        if only is None and stage == "deleted":
            continue
        if only is None or only in (name, str(experiment_id)):
            time_ms = created if type(created) is int else None
            found[experiment_id] = ForeignExperiment(name, time_ms, tags.get(experiment_id, {}))
    if only is not None and not found:
        message = "There is no experiment %r in %s. There are: %s."
        raise InvalidValueError(message % (only, file.path, ", ".join(map(repr, names[:20])) or "none"), value=only)
    return found


def _find_artifacts(
    run_id: str, experiment_id: str, uri: str, top: str, problems: List[Problem]
) -> List[Tuple[str, str]]:
    """Return the folder of a run's artifacts if it lies within reach: below *top*, and called after the run.

    What a database says is no reason to read anywhere else on this machine.
    """
    if os.path.basename(run_id) != run_id or os.path.basename(experiment_id) != experiment_id:
        return []
    places = [os.path.join(top, name, experiment_id, run_id, layout.ARTIFACTS) for name in _ARTIFACT_FOLDERS]
    places.append(os.path.join(top, experiment_id, run_id, layout.ARTIFACTS))
    named = _local_path(uri)
    if named is not None:
        places.insert(0, os.path.join(top, named))
    for place in places:
        real = os.path.realpath(place)
        if _is_below(real, top) and real.split(os.sep)[-2:] == [run_id, layout.ARTIFACTS] and os.path.isdir(real):
            return [(real, "")]
    if uri and (named is None or os.path.isdir(os.path.join(top, named))):
        problems.append(Problem(uri, "the artifacts of run %s lie out of reach, and are left out" % run_id))
    return []


def _local_path(uri: str) -> Optional[str]:
    """Return the path that the address of artifacts means, None where it is no path of this machine."""
    if uri.startswith("file:"):
        try:
            return config.decode_file_uri(uri[len("file:") :], is_windows=os.name == "nt")
        except (InvalidValueError, ValueError):
            return None
    return None if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", uri) or "\0" in uri else uri


def _is_below(path: str, top: str) -> bool:
    """Tell whether a path lies within a folder; compared by parts, not by text."""
    return path.split(os.sep)[: len(top.split(os.sep))] == top.split(os.sep)
