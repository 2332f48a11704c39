"""What does the page begin with: the server, its stores, their experiments, and the first look at the runs?"""

from __future__ import annotations

import os

from ... import layout
from ...store.experiments import ACTIVE
from . import plain, requests, runs, stores

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from .histories import Histories
    from .patience import Patience
    from .stores import Store, Stores

POLL_MS = 2000
_MOST_EXPERIMENTS = 5000


def describe_server(shown: Stores, instance: str, version: str, now_ms: int) -> Dict[str, Any]:
    """Return what the page must know of the server."""
    return {
        "version": version,
        "instance": instance,
        "is_read_only": shown.is_read_only or not any(store.is_writable for store in shown.all),
        "now_ms": now_ms,
        "poll_ms": POLL_MS,
        "limits": {
            "series": requests.MAX_SERIES, "rows": requests.MAX_ROWS, "columns": requests.MAX_COLUMNS,
            "body_bytes": requests.MAX_BODY_BYTES,
        },
    }  # fmt: skip


def read_experiments(shown: Stores) -> Dict[str, Any]:
    """Return the answer of ``api/experiments``."""
    told_stores, told = [], []
    for store in shown.all:
        found = _experiments(store)
        told += found
        told_stores.append(
            {
                "number": store.number,
                "path": plain.text(store.path),
                "name": plain.text(store.name),
                "is_writable": store.is_writable,
                "is_empty": not any(each["runs"] for each in found),
                "error": stores.tell_error(store),
            }
        )
    told.sort(key=lambda each: (each["updated_ms"] or 0, each["ref"]), reverse=True)
    return {"stores": told_stores, "experiments": told[:_MOST_EXPERIMENTS]}


def read_bootstrap(
    shown: Stores,
    histories: Histories,
    instance: str,
    version: str,
    now_ms: int,
    patience: Optional[Patience] = None,
) -> Dict[str, Any]:
    """Return what the page begins with.

    Args:
        shown: The stores.
        histories: What was read already.
        instance: Which server this is.
        version: Of this package.
        now_ms: The clock.
        patience: As for ``runs.read_runs``.
    """
    told = read_experiments(shown)
    first = next((each["ref"] for each in told["experiments"] if each["stage"] == ACTIVE and each["runs"]), None)
    view = {"experiments": [] if first is None else [first]}
    found = None
    if first is not None:
        found = runs.read_runs(shown, histories, requests.Body(dict(view)), now_ms, patience)
    return {"server": describe_server(shown, instance, version, now_ms), **told, "view": view, "runs": found}


def _experiments(store: Store) -> List[Dict[str, Any]]:
    found = []
    for each in stores.list_experiments(store):
        count, changed_ms = _look(layout.experiment_folder(store.path, each.experiment_id))
        times = [time for time in (each.last_update_time, each.creation_time, changed_ms) if time is not None]
        found.append(
            {
                "ref": "%d/%s" % (store.number, each.experiment_id),
                "name": plain.text(each.name),
                "stage": each.lifecycle_stage,
                "runs": count,
                "created_ms": each.creation_time,
                "updated_ms": max(times, default=None),
            }
        )
    return found


def _look(folder: str) -> Any:
    """Return how many runs a folder seems to hold, and when one was added or removed last."""
    count: int = 0
    changed_ms: Optional[int] = None
    try:
        changed_ms = os.stat(folder).st_mtime_ns // 1000000
        with os.scandir(folder) as entries:
            count = sum(
                1 for entry in entries if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            )
    except OSError:
        pass
    return count, changed_ms
