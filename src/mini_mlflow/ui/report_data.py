"""What does a page hold that needs no server: the data of a report?

The first look at the runs has the shape that the server gives it, ``rest`` holds what is asked for later: every column
of the table, what there is to know of each run, what differs, and the curves. ``static/report.js`` answers from it.
"""

from __future__ import annotations

import re
from math import inf

from ..search import scanning
from ..seeds import comparable
from . import report_curves
from .api import choices, details, differences, files, histories, overview, plain, requests, runs
from .api.patience import Patience

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Sequence, Set

    from .api.stores import Stores

MOST_RUNS = 500
MOST_METRICS = 300
_PRIVATE: Dict[str, Any] = {
    "provenance": {}, "system_tags": {}, "user": None, "version": None, "problems": [], "has_diff": False,
}  # fmt: skip
_OWN = ("name", "status", "start_time", "end_time", "duration", "run_id")
_PRIVATE_COLUMNS = ("attributes.user_id", "attributes.version")
_KINDS = ("min", "max", "mean")
_AT_ONCE = 100  # columns
_SHOWN_PARAMS = 8
_MAYBE_NUMBER = re.compile(r"NaN|-?Infinity|-?\d{16,}")


def make_report_data(
    stores: Stores,
    refs: Sequence[str],
    *,
    version: str,
    now_ms: int,
    has_provenance: bool = False,
    kept: Optional[histories.Histories] = None,
    advance: Optional[Callable[[int], None]] = None,
) -> Dict[str, Any]:
    """Return what a report of some runs holds, but for the curves.

    Args:
        stores: The stores.
        refs: The runs, 1 to 500.
        version: Of this package.
        now_ms: The clock.
        has_provenance: Whether command lines, hosts, users, paths and changes of code go along; else nothing tells
            where the runs come from, as reports are made to be sent on.
        kept: What was read of histories already.
        advance: Is called with 1 when a run is read.

    Raises:
        InvalidIdError: A reference is none.
        RunNotFoundError: A run is gone.
    """
    kept = histories.Histories() if kept is None else kept
    view = {"experiments": list(dict.fromkeys(ref.rpartition("/")[0] for ref in refs))}
    asked = {**view, "picks": list(refs), "limit": 0, "shown": 0}

    def ask(**more: Any) -> Dict[str, Any]:
        answer = runs.read_runs(stores, kept, requests.Body({**asked, **more}), now_ms, Patience(inf))
        _keep_picked(answer, refs)
        return answer

    answer = ask()
    columns = _read_columns(ask, answer, has_provenance=has_provenance)
    _tell_numbers(stores, answer["rows"]["ref"], columns)
    _narrow(answer, columns)
    told = {}
    for ref in refs:
        told[ref] = _read_details(stores, kept, ref, now_ms, answer, has_provenance=has_provenance)
        if advance is not None:
            advance(1)
    compared = None
    if len(refs) > 1:
        compared = differences.compare(stores, kept, requests.Body({"runs": list(refs)}), most=MOST_RUNS)
        if not has_provenance:
            compared.update(provenance=[], same_rows=dict(compared["same_rows"], provenance=[]))
            compared["same"]["provenance"] = 0
    diffs = {}
    if has_provenance:
        diffs = {ref: files.read_diff(stores.get_run(ref), details.DIFF_FILE) for ref in refs if told[ref]["has_diff"]}
    return {
        "is_report": True,
        "server": dict(overview.describe_server(stores, "", version, now_ms), is_read_only=True),
        "stores": [_tell_store(store, has_provenance=has_provenance) for store in stores.all],
        "experiments": [
            dict(each, runs=None)
            for each in overview.read_experiments(stores)["experiments"]
            if each["ref"] in view["experiments"]
        ],
        "view": view,
        "has_provenance": has_provenance,
        "runs": answer,
        "rest": {"columns": columns, "details": told, "compare": compared, "diffs": diffs},
    }


def read_curves(
    stores: Stores,
    kept: histories.Histories,
    data: Dict[str, Any],
    width: int,
    refs: Sequence[str],
) -> bytes:
    """Return the rest of a report with its curves: the length of the JSON (32 bits, little-endian), it, the points."""
    keys = [each["key"] for each in data["runs"]["keys"]["metrics"]][:MOST_METRICS]
    told, points = report_curves.read_curves(stores, kept, refs, keys, width, data["server"]["now_ms"])
    text = plain.encode({**data["rest"], "curves": told, "keys": keys})
    return b"".join([len(text).to_bytes(4, "little"), text, points])


def _read_columns(
    ask: Callable[..., Dict[str, Any]], answer: Dict[str, Any], *, has_provenance: bool
) -> Dict[str, Dict[str, Any]]:
    """Return every column that the table may show, by its name: those in which a run has a value."""
    names = [each["name"] for each in answer["columns"]]
    for each in answer["keys"]["metrics"]:
        bare = each["name"][len("metrics.") :] if each["name"].startswith("metrics.") else each["name"]
        names += [each["name"], *("%s(%s)" % (kind, bare) for kind in _KINDS)]
    names += [each["name"] for kind in ("params", "tags") for each in answer["keys"][kind]]
    names += [*_OWN, *(_PRIVATE_COLUMNS if has_provenance else ())]
    names = list(dict.fromkeys(names))
    found: Dict[str, Dict[str, Any]] = {}
    for start in range(0, len(names), _AT_ONCE):
        more = ask(columns=names[start : start + _AT_ONCE])
        for column, values in zip(more["columns"], more["rows"]["values"]):
            if any(value is not None for value in values):
                kind = choices.type_of(choices.Column(*(column[part] for part in choices.Column._fields)), values)
                found[column["name"]] = dict(column, values=values, type=kind)
    return found


def _tell_numbers(stores: Stores, refs: Sequence[str], columns: Dict[str, Dict[str, Any]]) -> None:
    """Tell of params which texts are numbers that JSON has no other way to say: they are sorted as numbers."""
    params = [each for each in columns.values() if each["kind"] == "params"]
    unclear = [each for each in params if any(_MAYBE_NUMBER.fullmatch(str(value)) for value in each["values"])]
    if not unclear:
        return
    for each in unclear:
        each["numbers"] = []
    for ref in refs:
        place = stores.get_run(ref)
        known = scanning.read_run(place.store.path, place.experiment_id, place.run_id).data.params
        for each in unclear:
            value = known.get(each["key"])
            each["numbers"].append(isinstance(value, (int, float)) and not isinstance(value, bool))


def _narrow(answer: Dict[str, Any], columns: Dict[str, Dict[str, Any]]) -> None:
    """Let the table know of nothing that only other runs of the experiment have."""
    keys: Dict[str, List[Dict[str, Any]]] = answer["keys"]
    for kind, known in keys.items():
        keys[kind] = [each for each in known if each["name"] in columns]
    for each in keys["params"]:
        each["is_varying"] = len({comparable(value) for value in columns[each["name"]]["values"]}) > 1
        each["is_seed"] = each["is_seed"] and each["is_varying"]
    if answer["sorted_metric"] not in [each["key"] for each in keys["metrics"]]:
        answer.update(order=["start_time DESC"], sorted_metric=None, goal=None)
    varying = [each["name"] for each in keys["params"] if each["is_varying"] and not each["is_seed"]]
    first = [each["name"] for each in answer["columns"] if each["name"] in columns]
    shown = [name for name in first if columns[name]["kind"] != "params" or name in varying]
    shown += [name for name in varying if name not in shown][:_SHOWN_PARAMS]
    answer["columns"] = [{name: columns[each][name] for name in columns[each] if name != "values"} for each in shown]
    answer["rows"]["values"] = [columns[name]["values"] for name in shown]
    answer["extra"]["values"] = [[] for _ in shown]


def _read_details(
    stores: Stores,
    kept: histories.Histories,
    ref: str,
    now_ms: int,
    answer: Dict[str, Any],
    *,
    has_provenance: bool,
) -> Dict[str, Any]:
    told = details.read_run(stores, kept, ref, now_ms, has_sparklines=False)
    known: Set[str] = set(answer["rows"]["ref"])
    varying = {each["key"] for each in answer["keys"]["params"] if each["is_varying"]}
    told.update(console=[], is_writable=False, children=[each for each in told["children"] if each in known])
    told["parent"] = told["parent"] if told["parent"] in known else None
    for each in told["params"]:
        each["is_varying"] = each["key"] in varying
    for each in told["metrics"]:
        del each["sparkline"]  # the page draws it from the curve
    return told if has_provenance else {**told, **_PRIVATE}


def _keep_picked(answer: Dict[str, Any], refs: Sequence[str]) -> None:
    """Let the table hold the runs of the report alone, in the order given."""
    extra: Dict[str, Any] = answer["extra"]
    place = {ref: number for number, ref in enumerate(extra["ref"])}
    order: List[int] = [place[ref] for ref in refs if ref in place]
    rows = {name: [column[number] for number in order] for name, column in extra.items() if name != "values"}
    rows["values"] = [[column[number] for number in order] for column in extra["values"]]
    shown = set(rows["ref"])
    rows["parent"] = [parent if parent in shown else None for parent in rows["parent"]]
    rows["problems"] = [0 for _ in order]
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
