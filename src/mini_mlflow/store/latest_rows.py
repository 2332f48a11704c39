"""Which row of each metric of a run is the latest, told from the ends of the files?"""

from __future__ import annotations

import os

from .. import layout
from . import metric_file, mlflow_layout, reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Optional, Tuple

    from ..records import Metric, Problem


def read_latest_rows(folder: str, keys: Iterable[str], problems: List[Problem]) -> Dict[str, Metric]:
    """Return the latest row of each of some metrics (docs/format.md, rule W8); those that have none are left out.

    Args:
        folder: The run's folder.
        keys: The metrics.
        problems: Gets the files that cannot be read, and why.
    """
    found = {}
    for key in keys:
        best: Optional[Tuple[Tuple[int, int, str], Metric]] = None
        for share, rows in reader.iter_histories(folder, key, problems, _read):
            row = mlflow_layout.newest(rows) if share.is_mlflow else rows[-1] if rows else None
            if row is not None and (best is None or (share.generation, row.timestamp, share.name) >= best[0]):
                best = (share.generation, row.timestamp, share.name), row
        if best is not None:
            found[key] = best[1]
    return found


def _read(path: str) -> List[Metric]:
    """Return the newest row of one file; of one of MLflow's all rows, as its newest is another."""
    if layout.stem_of(os.path.basename(path)) is None:
        return metric_file.read_history(path).rows
    row = metric_file.read_latest(path)[1]
    return [] if row is None else [row]
