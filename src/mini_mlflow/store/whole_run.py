"""How is a run written in one go that was logged elsewhere?

In the form that a writer of ours gives it (docs/format.md), into a folder that nobody sees yet.
"""

from __future__ import annotations

import os
from collections import namedtuple

from .. import config, layout
from ..records import Metric
from . import documents, meta, metric_file, owner
from .names import Names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Tuple, Union

INT64_MAX = 2**63 - 1


class WholeRun(namedtuple("WholeRun", ["run_id", "fields", "params", "tags", "metrics", "time_ms"])):
    """A run with all that is recorded in it.

    Attributes:
        run_id: Its id.
        fields: Those of its meta.yaml but for format and ids: name, status, start_time, end_time …
        params: Values by key.
        tags: Values by key.
        metrics: Pairs of a key and its rows, in the order in which they were logged; read once.
        time_ms: When its params and tags were logged, in milliseconds since 1970.
    """

    __slots__ = ()

    run_id: str
    fields: Dict[str, Any]
    params: Dict[str, Any]
    tags: Dict[str, Any]
    metrics: Iterable[Tuple[str, List[Metric]]]
    time_ms: int


def write(folder: str, experiment_id: Union[int, str], run: WholeRun) -> None:
    """Write the files of a run into an empty folder; meta.yaml comes last, and each file is on the disk.

    A run that is not over is signed by this process, which then lets go of it: so it shows as LOST, and whoever resumes
    it takes it over.

    Raises:
        OSError: The disk refused.
    """
    is_synced = config.sync_period_s() is not None
    names = Names()
    for kind, values in ((layout.PARAMS, run.params), (layout.TAGS, run.tags)):
        for key in sorted(values):
            data = documents.encode_value(key, values[key], run.time_ms)
            _write(folder, kind, names.stem(kind, key), data, is_synced=is_synced)
    for key, rows in run.metrics:
        if rows:
            data = metric_file.encode(key, [_legal(row) for row in rows])
            _write(folder, layout.METRICS, names.stem(layout.METRICS, key), data, is_synced=is_synced)
    fields = {"format": layout.FORMAT_VERSION, "run_id": run.run_id, "experiment_id": experiment_id}
    fields = {**fields, **run.fields, **fields}  # in this order, and whatever a source says
    if fields.get("status") == "RUNNING":
        owner.claim_new(folder, 0).release()
    documents.replace(os.path.join(folder, layout.META), meta.encode(fields), sync=is_synced)


def _write(folder: str, kind: str, stem: str, data: bytes, *, is_synced: bool) -> None:
    inside = os.path.join(folder, kind)
    path = os.path.join(inside, layout.file_name(stem))
    try:
        documents.replace(path, data, sync=is_synced)
    except FileNotFoundError:
        os.makedirs(inside, exist_ok=True)
        documents.replace(path, data, sync=is_synced)


def _legal(row: Metric) -> Metric:
    """Return a row that rule M7 allows: other trackers take times before 1970 and beyond 64 bits."""
    if 0 <= row.timestamp <= INT64_MAX:
        return row
    return row._replace(timestamp=min(max(row.timestamp, 0), INT64_MAX))
