"""What do programs get of a run: which part of a document of ``--json`` is it?"""

from __future__ import annotations

import os

from ..errors import MiniMLflowError
from ..query.times import duration_s
from ..records import Problem
from ..store import reader
from ..summary import summarize
from . import spans
from .which import which_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from ..records import StoredRun


def run_document(
    run: StoredRun, folder: str, experiments: Dict[str, str], now_ms: int, *, is_last: bool = False
) -> Dict[str, Any]:
    """Return a run as a program gets it.

    Args:
        run: The run.
        folder: Where its files lie.
        experiments: The names of experiments by their ids.
        now_ms: The clock.
        is_last: Whether latest values are enough, so that no history is read.
    """
    info = run.info
    return {
        **which_run(info.run_id, info.run_name, info.experiment_id, experiments),
        "status": info.status,
        "stage": info.lifecycle_stage,
        "start_time": spans.iso(info.start_time),
        "end_time": spans.iso(info.end_time),
        "duration_s": duration_s(info.status, info.start_time, info.end_time, now_ms),
        "ended_by": info.ended_by,
        "params": run.data.params,
        "tags": run.data.tags,
        "metrics": {
            key: {"last": value} if is_last else metric_document(folder, key, value)
            for key, value in run.data.metrics.items()
        },
    }


def metric_document(folder: str, key: str, last: Any) -> Dict[str, Any]:
    """Return what a metric comes to; only its latest value where its history cannot be read any more."""
    problems: List[Problem] = []
    try:
        history, latest = reader.read_metric(folder, key, problems)
    except (OSError, MiniMLflowError):
        history, latest = [], None
    if latest is None:
        return {"last": last}
    summary = summarize(history, latest.value)
    return {
        "last": latest.value, "step": latest.step, "first": summary.first, "min": summary.min,
        "min_step": summary.min_step, "max": summary.max, "max_step": summary.max_step, "mean": summary.mean,
        "count": summary.count,
    }  # fmt: skip


def folder_of(run: StoredRun) -> str:
    """Return where the files of a run lie."""
    return os.path.dirname(run.info.artifact_uri)
