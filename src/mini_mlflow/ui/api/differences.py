"""What differs between runs: the answer of ``api/compare``?"""

from __future__ import annotations

from math import isfinite

from ... import goals
from ...comparing import first_difference
from ...errors import InvalidValueError
from ...query.conditions import to_number
from ...records import Columns
from ...seeds import comparable
from ...store import reader
from . import choices, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

    from .histories import Histories, History
    from .requests import Body
    from .stores import Place, Stores

MOST_RUNS = 20
_SOURCE = ("command", "entry", "cwd", "user", "host", "python", "platform")
_RUN = ("status", "start_time", "end_time", "version")
_MOST_SAME = 2000


def compare(stores: Stores, histories: Histories, body: Body, *, most: int = MOST_RUNS) -> Dict[str, Any]:
    """Return what differs between two runs or more, *most* at most.

    Raises:
        InvalidValueError: They are fewer than two.
        RunNotFoundError: One is gone.
        BrokenFileError: The meta.yaml of one cannot be read.
    """
    refs = body.get_texts("runs", most=most)
    if len(refs) < 2:
        raise InvalidValueError("Two runs or more can be compared.", value=None)
    places = [stores.get_run(ref) for ref in refs]
    records = [reader.read_folder(place.folder, place.experiment_id, place.run_id) for place in places]
    params, same_params = _differing([record.params for record in records])
    provenance, same_provenance = _provenance([record.metadata for record in records])
    tags, same_tags = _differing(
        [{key: value for key, value in record.tags.items() if choices.is_own_tag(key)} for record in records]
    )
    live = [record.metadata.get("status") == reader.RUNNING for record in records]
    metrics, same_metrics = _metrics(histories, places, [record.metrics for record in records], live)
    return {
        "runs": refs,
        "metrics": metrics,
        "params": [{**row, **_ratio(row["values"])} for row in params],
        "tags": tags,
        "provenance": provenance,
        "same": {
            "params": len(same_params),
            "tags": len(same_tags),
            "provenance": len(same_provenance),
            "metrics": same_metrics,
        },
        "same_rows": {
            "params": same_params[:_MOST_SAME],
            "tags": same_tags,
            "provenance": same_provenance[:_MOST_SAME],
        },
    }


def _differing(several: Sequence[Mapping[str, Any]]) -> Tuple[List[Dict[str, Any]], List[Dict[str, Any]]]:
    """Return the keys whose values differ, with all values, and those that are the same, with the one."""
    differing, same = [], []
    for key in sorted(set().union(*several)):
        values = [each.get(key) for each in several]
        texts = {comparable(value) if key in each else None for each, value in zip(several, values)}
        if len(texts) > 1:
            differing.append({"key": key, "values": plain.values(values)})
        else:
            same.append({"key": key, "value": plain.value(values[0])})
    return differing, same


def _provenance(several: Sequence[Mapping[str, Any]]) -> Tuple[List[Dict[str, Any]], List[Dict[str, Any]]]:
    differing: List[Dict[str, Any]] = []
    same: List[Dict[str, Any]] = []
    for group, fields in (
        ("git", [{key: value for key, value in each.items() if key.startswith("git_")} for each in several]),
        ("versions", [_mapping(each.get("packages")) for each in several]),
        ("machine", [{key: each[key] for key in _SOURCE if each.get(key) is not None} for each in several]),
        ("run", [{key: each[key] for key in _RUN if each.get(key) is not None} for each in several]),
    ):
        rows, equal = _differing(fields)
        differing += [{"group": group, **row} for row in rows]
        same += [{"group": group, **row} for row in equal]
    return differing, same


def _metrics(
    histories: Histories, places: Sequence[Place], several: Sequence[Mapping[str, Any]], live: Sequence[bool]
) -> Tuple[List[Dict[str, Any]], int]:
    found, same = [], 0
    for key in sorted(set().union(*several)):
        there = [
            histories.get(place.folder, key, is_live=is_live) if key in metrics else None
            for place, metrics, is_live in zip(places, several, live)
        ]
        row = _metric(key, there)
        if row is None:
            same += 1
        else:
            found.append(row)
    order = choices.sort_metrics(row["key"] for row in found)
    return sorted(found, key=lambda row: order.index(row["key"])), same


def _metric(key: str, there: Sequence[Optional[History]]) -> Optional[Dict[str, Any]]:
    goal = goals.goal_of(key)
    last = [history.columns.values[-1] if history and history.count else None for history in there]
    best, steps = zip(*(_best(history, goal) for history in there))
    first = _first_difference(there)
    is_same = first is None and len({comparable(value) for value in [*last]}) == 1
    if is_same and len({comparable(value) for value in best}) == 1:
        return None
    row: Dict[str, Any] = {
        "key": key,
        "goal": goal,
        "last": plain.values(last),
        "best": plain.values(best),
        "best_step": plain.values(steps),
        "first_difference_step": plain.number(first),
        "difference": None,
        "percent": None,
        "better": None,
    }
    numbers = [plain.to_float(value) for value in (best if goal else last)]
    finite = [value for value in numbers if value is not None and isfinite(value)]
    if goal and finite and len(set(finite)) > 1:
        row["better"] = numbers.index((min if goal == "min" else max)(finite))
    if len(numbers) == 2 and len(finite) == 2:
        row["difference"] = plain.number(finite[1] - finite[0])
        if finite[0]:
            row["percent"] = plain.number((finite[1] - finite[0]) / abs(finite[0]) * 100)
    return row


def _best(history: Optional[History], goal: Optional[str]) -> Tuple[Any, Any]:
    if history is None or not history.count:
        return None, None
    least, most, _ = history.extremes()
    place = least if goal == "min" else most if goal == "max" else history.count - 1
    if place is not None and not isfinite(history.floats[-1]):  # as ``goals.counting_values`` has it
        place = history.count - 1
    return (None, None) if place is None else (history.columns.values[place], history.columns.steps[place])


def _first_difference(there: Sequence[Optional[History]]) -> Optional[int]:
    """Return the first step at which any of the others differs from the first that has the metric."""
    histories: List[Columns] = [history.columns for history in there if history is not None and history.count]
    steps = [first_difference(histories[0], other) for other in histories[1:]]
    return min((step for step in steps if step is not None), default=None)


def _ratio(values: Sequence[Any]) -> Dict[str, Any]:
    """Return how many times the second of two numbers is the first, where that says something, and how much more."""
    numbers = [plain.to_float(to_number(value)) for value in values]
    if len(numbers) != 2 or any(number is None or not isfinite(number) for number in numbers):
        return {"ratio": None, "difference": None}
    first, second = float(numbers[0] or 0.0), float(numbers[1] or 0.0)
    ratio = plain.number(second / first) if min(first, second) > 0 or max(first, second) < 0 else None
    return {"ratio": ratio, "difference": plain.number(second - first)}


def _mapping(value: Any) -> Dict[str, Any]:
    return value if isinstance(value, dict) else {}  # what someone wrote by hand may be anything
