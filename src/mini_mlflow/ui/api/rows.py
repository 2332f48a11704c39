"""What does the table on the page tell of single runs?"""

from __future__ import annotations

import os
from time import monotonic

from ... import goals, layout
from ...query.conditions import values_of
from ...query.times import duration_s
from ...records import NOTE
from ...store import folders
from . import choices, last_steps, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence

    from ...query.grammar import Operand
    from ...records import StoredRun
    from .histories import Histories
    from .ranks import Ranks
    from .tables import Joined

_PATIENCE_S = 0.25  # for the ends of files that tell the last step, and for files that tell of NaN
MOST_TAGS = 50  # of one run


def describe(
    table: Joined, rows: Sequence[int], columns: Sequence[Operand], ranks: Ranks, now_ms: int
) -> Dict[str, Any]:
    """Return what is told of some rows: a list for each field, and in ``values`` one for each column.

    Args:
        table: The runs.
        rows: Which.
        columns: What is shown of them, resolved.
        ranks: Tells the place of a run in its experiment, by start.
        now_ms: The clock.
    """
    runs = table.runs(rows)
    found: Dict[str, Any] = {
        "ref": table.refs(rows),
        "id": [run.info.run_id for run in runs],
        "name": [plain.value(run.info.run_name) for run in runs],
        "status": [run.info.status for run in runs],
        "start_ms": [run.info.start_time for run in runs],
        "end_ms": [run.info.end_time for run in runs],
        "duration_s": [duration_s(run.info.status, run.info.start_time, run.info.end_time, now_ms) for run in runs],
        "rank": ranks.of(rows),
        "parent": [run.info.parent_run_id for run in runs],
        "problems": [len(run.problems) for run in runs],
        "note": [bool(run.data.tags.get(NOTE)) for run in runs],
        "tags": [own_tags(run.data.tags) for run in runs],
        "stage": [run.info.lifecycle_stage for run in runs],
        "step": [None] * len(runs),
        "first_nan_step": [None] * len(runs),
    }
    found["values"] = [values(table, rows, runs, operand, now_ms) for operand in columns]
    found["_folders"] = [os.path.dirname(run.info.artifact_uri) for run in runs]
    found["_metrics"] = [run.data.metrics for run in runs]
    return found


def values(table: Joined, rows: Sequence[int], runs: Sequence[StoredRun], operand: Operand, now_ms: int) -> List[Any]:
    """Return the values of a column for some rows."""
    if operand.function is not None:
        column = table.summary_column(operand.function, operand.key, rows)
        if column is None:
            return [None] * len(rows)
        found = [column[row] for row in rows]
        if operand.function in goals.BEST:
            found = goals.counting_values(found, [run.data.metrics.get(operand.key) for run in runs])
        return list(map(plain.value, found))
    if operand.kind in ("metrics", "params", "tags"):
        return [plain.value(getattr(run.data, operand.kind).get(operand.key)) for run in runs]
    whole = values_of(operand, table, now_ms)
    return [None] * len(rows) if whole is None else [plain.value(whole[row]) for row in rows]


def add_steps(histories: Histories, told: Dict[str, Any], metric: Optional[str]) -> None:
    """Fill in how far each run has come, and since when a metric was no number; takes the folders out again."""
    places, metrics = told.pop("_folders"), told.pop("_metrics")
    deadline = monotonic() + _PATIENCE_S
    for number, folder in enumerate(places):
        status = told["status"][number]
        if number and monotonic() > deadline:
            if metric is not None:  # not of all metrics, as there is no time
                told["step"][number] = plain.number(_last_step(folder, metric))
            continue
        step = histories.last_steps.of(folder, status, told["end_ms"][number], metrics[number])
        told["step"][number] = plain.number(step)
    deadline = monotonic() + _PATIENCE_S
    for number, folder in enumerate(places if metric is not None else ()):
        if number and monotonic() > deadline:
            break
        step = histories.find_broken_step(folder, metric or "", told["status"][number], told["end_ms"][number])
        told["first_nan_step"][number] = plain.number(step)


def own_tags(tags: Dict[str, Any]) -> Dict[str, Any]:
    """Return the user's tags of a run."""
    own = [key for key in tags if choices.is_own_tag(key)]
    return {key: plain.value(tags[key]) for key in own[:MOST_TAGS]}


def _last_step(folder: str, metric: str) -> Optional[int]:
    """Return the step of the newest row of a metric, from the ends of its files alone; None where they do not tell."""
    found = [folders.find_documents(part.folder, layout.METRICS, metric) for part in folders.list_parts(folder)]
    return last_steps.last_of(path for paths in found for path in paths)
