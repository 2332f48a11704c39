"""What do runs come to that are equal in some params: how many, mean, spread, and what is within noise?"""

from __future__ import annotations

import json
from collections import Counter, namedtuple
from hashlib import blake2b
from math import isfinite

from ... import goals, keys, noise, seeds
from ...query.conditions import resolve, to_number, values_of
from ...query.ordering import parse_order
from . import choices, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from ...query.grammar import Operand
    from ...query.ordering import Order
    from .ranks import Ranks
    from .requests import Body
    from .tables import Joined

_MOST_BY = 20
_MOST_MEMBERS = 200  # refs of one group that are sent
_MOST_SUMMARIZED = 5000  # runs whose histories are read for the numbers of groups


class Wanted(namedtuple("Wanted", ["by", "open", "only_finished"])):
    """How to group; ``by`` is None for all params that differ but for the seed."""

    __slots__ = ()

    by: Optional[List[str]]
    open: List[str]
    only_finished: bool


class _Group(namedtuple("_Group", ["id", "values", "rows"])):
    """Runs that are equal in what they are grouped by."""

    __slots__ = ()

    id: str
    values: List[Any]
    rows: List[int]


def read_wanted(body: Optional[Body]) -> Optional[Wanted]:
    """Return how a request wants runs grouped, None where it does not.

    Raises:
        InvalidValueError: It says so in no way that we know.
    """
    if body is None:
        return None
    by = None if body.has("by") and body.is_text("by", "auto") else body.texts("by", most=_MOST_BY)
    return Wanted(by, body.texts("open") or [], body.flag("only_finished", default=True))


def group_rows(
    table: Joined,
    ordered: Sequence[int],
    by: Sequence[str],
    wanted: Any,
    orders: Sequence[Order],
    columns: Sequence[Operand],
    ranks: Ranks,
    now_ms: int,
) -> Tuple[Dict[str, Any], List[int]]:
    """Return what groups come to, and the rows of those that are open.

    Args:
        table: The runs.
        ordered: The rows to be grouped, in order.
        by: Params (tags, attributes) by name.
        wanted: The request.
        orders: What it sorts by: groups go by their means of the first.
        columns: What is shown.
        ranks: Tells the place of a run in its experiment, by start.
        now_ms: The clock.
    """
    operands = [_operand(table, name) for name in by]
    groups = _make_groups(table, ordered, operands, now_ms)
    statuses = table.column("attributes", "status") or ()
    counted = [
        [row for row in group.rows if statuses[row] == keys.FINISHED or not wanted.group.only_finished]
        for group in groups
    ]
    groups, counted = _sorted(table, groups, counted, orders, now_ms)
    part = slice(wanted.offset, wanted.offset + wanted.limit)
    shown = groups[part]
    opened = [(row, group.id) for group in groups if group.id in wanted.group.open for row in group.rows]
    names = [operand.key for operand in operands]
    refs = [table.refs(group.rows[:_MOST_MEMBERS]) for group in shown]
    return {
        "by": names,
        "over": _varying_within(table, groups),
        "total": len(groups),
        "offset": wanted.offset,
        "id": [group.id for group in shown],
        "label": [choices.label_of_group(names, group.values) for group in shown],
        "values_by": [plain.values(group.values) for group in shown],
        "n": [len(group.rows) for group in shown],
        "statuses": [dict(sorted(Counter(statuses[row] for row in group.rows).items())) for group in shown],
        "rank": [min(ranks.of(group.rows), default=0) for group in shown],
        "runs": refs,
        "stats": [
            {
                **_stats(table, operand, groups, counted, part, orders, now_ms),
                "so_far": _so_far(table, operand, shown, counted[part], now_ms),
            }
            for operand in columns
        ],
        "_of_rows": [group_id for _, group_id in opened],
    }, [row for row, _ in opened]


def _operand(table: Joined, name: str) -> Operand:
    operand = parse_order(name)[0].operand
    if operand.kind is None and operand.function is None and table.column("params", operand.key) is not None:
        return operand._replace(kind="params")
    return resolve(operand, table, name)


def _make_groups(table: Joined, ordered: Sequence[int], operands: Sequence[Operand], now_ms: int) -> List[_Group]:
    columns = [values_of(operand, table, now_ms) or [None] * table.count for operand in operands]
    texts = [[seeds.comparable(value) for value in column] for column in columns]
    found: Dict[Tuple[str, ...], List[int]] = {}
    for row in ordered:
        found.setdefault(tuple(text[row] for text in texts), []).append(row)
    return [_Group(_id_of(key), [column[rows[0]] for column in columns], rows) for key, rows in found.items()]


def _id_of(key: Tuple[str, ...]) -> str:
    return blake2b(json.dumps(key).encode(), digest_size=6).hexdigest()


def _sorted(
    table: Joined, groups: List[_Group], counted: List[List[int]], orders: Sequence[Order], now_ms: int
) -> Tuple[List[_Group], List[List[int]]]:
    """Return groups by their means of what is sorted by first; those without one last."""
    if not orders:
        return groups, counted
    column = _column(table, orders[0].operand, counted, now_ms)
    means = [_mean(_finite(column, rows)) for rows in counted]
    if all(mean is None for mean in means):
        return groups, counted  # by their first runs
    there = [place for place, mean in enumerate(means) if mean is not None]
    there.sort(key=lambda place: means[place] or 0.0, reverse=not orders[0].is_ascending)
    places = there + [place for place, mean in enumerate(means) if mean is None]
    return [groups[place] for place in places], [counted[place] for place in places]


def _stats(
    table: Joined,
    operand: Operand,
    groups: Sequence[_Group],
    counted: Sequence[Sequence[int]],
    part: slice,
    orders: Sequence[Order],
    now_ms: int,
) -> Dict[str, Any]:
    """Return what a column comes to in each of the groups that are shown."""
    if not _is_number(operand):
        column = values_of(operand, table, now_ms)
        return {"same": [_same(column, group.rows) for group in groups[part]]}
    column = _column(table, operand, counted, now_ms)
    numbers = [_finite(column, rows) for rows in counted]
    best = _best(numbers, operand, orders)
    shown = numbers[part]
    return {
        "mean": [plain.number(_mean(each)) for each in shown],
        "std": [plain.number(noise.std(each)) for each in shown],
        "min": [min(each, default=None) for each in shown],
        "max": [max(each, default=None) for each in shown],
        "count": [len(each) for each in shown],
        "is_within_noise": [
            None if best is None or each is best else noise.is_within_noise(each, best) for each in shown
        ],
    }


def _so_far(
    table: Joined, operand: Operand, shown: Sequence[_Group], counted: Sequence[Sequence[int]], now_ms: int
) -> List[Optional[float]]:
    """Return of each group of which no run counts yet the mean of what its runs have; None of the others."""
    if not _is_number(operand):
        return [None] * len(shown)
    open_rows = [[] if rows else group.rows for group, rows in zip(shown, counted)]
    if not any(open_rows):
        return [None] * len(shown)
    column = _column(table, operand, open_rows, now_ms)
    return [plain.number(_mean(_finite(column, rows))) for rows in open_rows]


def _is_number(operand: Operand) -> bool:
    return operand.kind == "metrics" or operand.function is not None or operand.key == "duration"


def _column(table: Joined, operand: Operand, counted: Sequence[Sequence[int]], now_ms: int) -> Any:
    if operand.function is None:
        return values_of(operand, table, now_ms)
    rows = [row for rows in counted for row in rows]
    if len(rows) > _MOST_SUMMARIZED:
        return None
    return table.counting_column(operand.function, operand.key, rows)


def _best(numbers: Sequence[List[float]], operand: Operand, orders: Sequence[Order]) -> Optional[List[float]]:
    """Return the numbers of the best group, None where no end is best."""
    goal = operand.function if operand.function in ("min", "max") else goals.goal_of(operand.key)
    sorted_by = choices.metric_of(orders)
    if sorted_by is not None and (sorted_by.function, sorted_by.key) == (operand.function, operand.key):
        goal = choices.goal_of_order(orders[0])
    there = [each for each in numbers if each]
    if not there or goal is None:
        return None
    return (min if goal == "min" else max)(there, key=noise.mean)


def _varying_within(table: Joined, groups: Sequence[_Group]) -> List[str]:
    """Return the params that differ within groups, seed-like ones first."""
    found = []
    for key in choices.list_varying(table):
        column = table.column("params", key) or ()
        if any(len({seeds.comparable(column[row]) for row in group.rows}) > 1 for group in groups):
            found.append(key)
    return sorted(found, key=lambda key: (not seeds.is_seed_like(key), key))


def _finite(column: Any, rows: Sequence[int]) -> List[float]:
    if column is None:
        return []
    found = (plain.to_float(to_number(column[row])) for row in rows)
    return [value for value in found if value is not None and isfinite(value)]


def _mean(values: List[float]) -> Optional[float]:
    return noise.mean(values) if values else None


def _same(column: Any, rows: Sequence[int]) -> Any:
    if column is None:
        return None
    first = column[rows[0]]
    return plain.value(first) if all(seeds.comparable(column[row]) == seeds.comparable(first) for row in rows) else None
