"""What does a page hold that needs no server: the data of a report?

The same shapes as the server gives, in one object: the page's modules read them from where it begins.
"""

from __future__ import annotations

from base64 import b64encode
from math import inf

from . import desk
from .api import details, differences, histories, overview, plain, requests, runs, series
from .api.patience import Patience

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence

    from .api.stores import Stores

MOST_RUNS = 500
_WIDTH = 400  # pixels that the charts of a report can tell apart
_PRIVATE = ("provenance", "system_tags", "user", "console", "problems", "has_diff")


def make_report_data(
    stores: Stores,
    refs: Sequence[str],
    *,
    version: str,
    metrics: Optional[Sequence[str]] = None,
    width: int = _WIDTH,
    has_provenance: bool = False,
) -> Dict[str, Any]:
    """Return what a report of some runs holds.

    Args:
        stores: The stores.
        refs: The runs, 1 to 500.
        version: Of this package.
        metrics: The metrics that are drawn; None: all that any of the runs has.
        width: Points of each series: twice as many at most.
        has_provenance: Whether command lines, hosts, users, paths and changes of code go along; else nothing tells
            where the runs come from, as reports are made to be sent on.

    Raises:
        InvalidIdError: A reference is none.
        RunNotFoundError: A run is gone.
    """
    kept = histories.Histories()
    now_ms = desk.now_ms()
    experiments = list(dict.fromkeys(ref.rpartition("/")[0] for ref in refs))
    view = {"experiments": experiments, "picks": list(refs), "limit": 0, "shown": 0}
    answer = runs.read_runs(stores, kept, requests.Body(view), now_ms, Patience(inf))
    _keep_picked(answer, refs)
    keys = list(metrics) if metrics is not None else [each["key"] for each in answer["keys"]["metrics"]]
    told = {ref: details.read_run(stores, kept, ref, now_ms) for ref in refs}
    if not has_provenance:
        for each in told.values():
            for name in _PRIVATE:
                each[name] = (
                    {} if name in ("provenance", "system_tags") else [] if name in ("console", "problems") else None
                )
    compared = None
    if 2 <= len(refs) <= differences.MOST_RUNS:
        compared = differences.compare(stores, kept, requests.Body({"runs": list(refs)}))
        if not has_provenance:
            compared.update(provenance=[], same_rows=dict(compared["same_rows"], provenance=[]))
    return {
        "is_report": True,
        "server": dict(overview.describe_server(stores, "", version, now_ms), is_read_only=True),
        "stores": [_tell_store(store, has_provenance=has_provenance) for store in stores.all],
        "experiments": [
            each for each in overview.read_experiments(stores)["experiments"] if each["ref"] in experiments
        ],
        "view": {"experiments": experiments},
        "runs": answer,
        "series": b64encode(_read_series(stores, kept, refs, keys, width, now_ms)).decode("ascii"),
        "series_keys": keys,
        "details": told,
        "compare": compared,
    }


def _read_series(
    stores: Stores, kept: histories.Histories, refs: Sequence[str], keys: Sequence[str], width: int, now_ms: int
) -> bytes:
    if not refs or not keys:
        return b""
    body = requests.Body({"runs": list(refs), "metrics": list(keys), "width": width})
    return series.read_series(stores, kept, body, now_ms, is_whole=True)


def _keep_picked(answer: Dict[str, Any], refs: Sequence[str]) -> None:
    """Let the table hold the runs of the report alone, in the order given."""
    extra: Dict[str, Any] = answer["extra"]
    place = {ref: number for number, ref in enumerate(extra["ref"])}
    order: List[int] = [place[ref] for ref in refs if ref in place]
    rows = {name: [column[number] for number in order] for name, column in extra.items() if name != "values"}
    rows["values"] = [[column[number] for number in order] for column in extra["values"]]
    empty: Dict[str, List[Any]] = {name: [] for name in rows}
    statuses: Dict[str, int] = {}
    for status in rows["status"]:
        statuses[status] = statuses.get(status, 0) + 1
    answer.update(
        rows=rows, extra=dict(empty, values=[[] for _ in extra["values"]]), first=rows["ref"], statuses=statuses,
        total=len(order), matched=len(order), problems=[], problem_count=0,
    )  # fmt: skip


def _tell_store(store: Any, *, has_provenance: bool) -> Dict[str, Any]:
    path = plain.text(store.path) if has_provenance else ""
    name = plain.text(store.name) if has_provenance else "report"
    return {"number": store.number, "path": path, "name": name, "is_writable": False, "is_empty": False, "error": None}
