"""What does a table say of some of its rows as runs?"""

from __future__ import annotations

import os

from .chosen import ChosenRun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Sequence

    from ..records import StoredRun


def runs_of(table: Any, rows: Sequence[int]) -> List[ChosenRun]:
    """Return the runs of some rows.

    Args:
        table: See ``query.conditions``.
        rows: The rows, in the order wanted.
    """
    return [run_of(stored) for stored in table.runs(rows)]


def run_of(stored: StoredRun) -> ChosenRun:
    """Return what tells a run that was read from others."""
    info = stored.info
    return ChosenRun(
        run_id=info.run_id,
        experiment_id=str(info.experiment_id),
        name=info.run_name,
        status=info.status,
        start_time=info.start_time,
        end_time=info.end_time,
        folder=os.path.dirname(info.artifact_uri),
        stage=info.lifecycle_stage,
    )
