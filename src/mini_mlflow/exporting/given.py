"""What does every export say of a run: its fields, where its files lie, when something was?"""

from __future__ import annotations

import os

from .. import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

    from ..records import StoredRun


def describe(run: StoredRun, names: Dict[str, str]) -> Dict[str, Any]:
    """Return the fields of a run as the command line's documents have them.

    Args:
        run: The run.
        names: Of experiments, by ids as texts.
    """
    info = run.info
    took_ms = None if info.end_time is None or info.start_time is None else info.end_time - info.start_time
    return {
        "run_id": info.run_id,
        "name": info.run_name,
        "experiment_id": str(info.experiment_id),
        "experiment": names.get(str(info.experiment_id), str(info.experiment_id)),
        "status": info.status,
        "start_time": moment(info.start_time),
        "end_time": moment(info.end_time),
        "duration_s": None if took_ms is None else took_ms / 1000,
    }


def folder_of(run: StoredRun) -> str:
    """Return where the files of a run lie."""
    return os.path.dirname(run.info.artifact_uri)


def moment(milliseconds: Optional[int]) -> Optional[str]:
    """Return a moment in UTC, ISO 8601 with ``Z``; the number itself, as text, where no calendar reaches it."""
    if milliseconds is None:
        return None
    text = clock.encode_ms(milliseconds)
    return str(milliseconds) if text is None else text[:-4] + "Z"
