"""What do programs get of runs: the documents of ``--json``, the lines of TSV and CSV?"""

from __future__ import annotations

import os

from .. import separated
from ..errors import MiniMLflowError
from ..query.times import duration_s
from ..records import Problem
from ..store import reader
from ..summary import summarize
from . import spans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Sequence

    from ..records import StoredRun
    from .screen import Screen


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
    experiment_id = str(info.experiment_id)
    return {
        "run_id": info.run_id,
        "name": info.run_name,
        "experiment_id": experiment_id,
        "experiment": experiments.get(experiment_id, experiment_id),
        "status": info.status,
        "stage": info.lifecycle_stage,
        "start_time": spans.iso(info.start_time),
        "end_time": spans.iso(info.end_time),
        "duration_s": duration_s(info.status, info.start_time, info.end_time, now_ms),
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


def write_rows(heading: Sequence[str], rows: Sequence[Sequence[Any]], form: str, screen: Screen) -> None:
    """Write rows as TSV or CSV, the heading first."""
    line = separated.csv_line if form == "csv" else separated.tsv_line
    end = "\r\n" if form == "csv" else "\n"
    parts = [line(heading) + end]
    for place, row in enumerate(rows, 1):
        parts.append(line(row) + end)
        if place % 1000 == 0:
            screen.write(_writable("".join(parts), screen))
            parts = []
    screen.write(_writable("".join(parts), screen))


def _writable(text: str, screen: Screen) -> str:
    """Return a text that the stream can hold; half characters of file names become question marks."""
    return text.encode(screen.encoding, "backslashreplace").decode(screen.encoding)
