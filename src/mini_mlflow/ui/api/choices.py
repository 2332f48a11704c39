"""What does the page show where nobody has chosen: which order, which columns, which runs in charts?"""

from __future__ import annotations

from collections import namedtuple
from itertools import islice, repeat
from math import isnan
from operator import eq, ne

from ... import goals, seeds
from ...query.conditions import to_number
from ...query.grammar import KINDS
from ...query.ordering import parse_order
from . import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

    from ...query.grammar import Operand
    from ...query.ordering import Order

_MOST_FOR_BEST = 2000  # runs whose histories are read to sort by the best value unasked
_MOST_PARAMS = 6
_MOST_METRICS = 3
_SAMPLE = 200
_MOST_MIXED = 5000  # runs that are compared with each other to find what is but a seed
MOST_KEYS = 1000
_MACHINE = "system"  # what metrics of the machine's use begin with


class Column(namedtuple("Column", ["name", "function", "kind", "key"])):
    """A column of the table; ``name`` is how filters and orders write it."""

    __slots__ = ()

    name: str
    function: Optional[str]
    kind: str
    key: str


def name_of(kind: str, key: str, function: Optional[str] = None) -> str:
    """Return how a filter or an order writes a key."""
    is_plain = key.replace(".", "").replace("/", "").replace("_", "").replace("-", "").isalnum() and key.isascii()
    quoted = key if is_plain else '"%s"' % key if '"' not in key else "`%s`" % key
    if function is None:
        return "%s.%s" % (kind, quoted)
    full = quoted if is_plain and key.split(".", maxsplit=1)[0].lower() not in KINDS else "metrics." + quoted
    if function in ("min_step", "max_step"):
        return "best_step(%s, %s)" % (full, function[:3])
    return "%s(%s)" % (function, full)


def to_column(text: str) -> Column:
    """Return the column that a text means.

    Raises:
        QueryError: It is not in the grammar.
    """
    operand = parse_order(text)[0].operand
    return Column(text, operand.function, operand.kind or "", operand.key)


def sort_metrics(keys: Iterable[str]) -> List[str]:
    """Return metrics in the order in which they matter, those of the machine last."""
    return sorted(goals.sort_metrics(keys), key=lambda key: key.startswith(_MACHINE))


def choose_metric(keys: Iterable[str]) -> Optional[str]:
    """Return the metric that runs are most likely judged by, None where no name tells which end is best."""
    return next((key for key in sort_metrics(keys) if goals.goal_of(key)), None)


def choose_order(table: Any) -> List[str]:
    """Return what to sort by: the best value of the likeliest metric; the newest run where no end of it is best."""
    metric = choose_metric(islice(table.keys("metrics"), MOST_KEYS))
    goal = None if metric is None else goals.goal_of(metric)
    if metric is None or goal is None:
        return ["start_time DESC"]
    sign = "ASC" if goal == "min" else "DESC"
    function = goal if table.expected <= _MOST_FOR_BEST else None
    return ["%s %s" % (name_of("metrics", metric, function), sign)]


def choose_columns(table: Any, orders: Sequence[Order], varying: Sequence[str]) -> List[str]:
    """Return the names of the first columns: the sorted metric, two more, and the params that vary."""
    keys = table.keys("metrics")
    found: List[str] = []
    chosen = metric_of(orders)
    if chosen is not None and chosen.key in keys:
        found.append(name_of("metrics", chosen.key, chosen.function))
    used = None if chosen is None else chosen.key
    others = [key for key in sort_metrics(keys) if key != used]
    for key in others[: _MOST_METRICS - len(found)]:
        goal = goals.goal_of(key)
        found.append(name_of("metrics", key, goal if table.expected <= _MOST_FOR_BEST else None))
    return found + [name_of("params", key) for key in varying[:_MOST_PARAMS]]


def metric_of(orders: Sequence[Order]) -> Optional[Operand]:
    """Return the metric that is sorted by first, None where it is something else."""
    if not orders:
        return None
    operand = orders[0].operand
    return operand if operand.kind == "metrics" or operand.function is not None else None


def goal_of_order(order: Order) -> str:
    """Return which end an order has first: ``min`` or ``max``."""
    return "min" if order.is_ascending else "max"


def list_varying(table: Any) -> List[str]:
    """Return the params that are not the same in all runs, seed-like ones last."""
    found = []
    for key in islice(table.keys("params"), MOST_KEYS):
        column = table.column("params", key)
        if column and _varies(column):
            found.append(key)
    return sorted(found, key=lambda key: (seeds.is_seed_like(key), key))


def _varies(column: Sequence[Any]) -> bool:
    if isinstance(column[0], float) and isnan(column[0]):  # which equals nothing: is there anything else?
        return any(map(eq, column, column))
    return any(map(ne, column, repeat(column[0])))


def split_seeds(table: Any, varying: Sequence[str]) -> Tuple[List[str], List[str]]:
    """Return the params that make a difference, and those that are but the seed; see ``seeds.split_seeds``."""
    if table.count > _MOST_MIXED:
        likely = [key for key in varying if seeds.is_seed_like(key)]
        return [key for key in varying if key not in likely], likely
    texts: List[Dict[str, str]] = [{} for _ in range(table.count)]
    for key in varying:
        for text, value in zip(texts, table.column("params", key) or ()):
            if value is not None:
                text[key] = seeds.comparable(value)
    return seeds.split_seeds(texts)


def describe_keys(table: Any, varying: Sequence[str], seed_like: Sequence[str]) -> Dict[str, List[Dict[str, Any]]]:
    """Return what can be columns, and what is known of each; at most 1,000 of a kind."""
    metrics: List[Dict[str, Any]] = [
        {"key": key, "name": name_of("metrics", key), "goal": goals.goal_of(key)}
        for key in islice(table.keys("metrics"), MOST_KEYS)
    ]
    params: List[Dict[str, Any]] = [
        {
            "key": key,
            "name": name_of("params", key),
            "is_varying": key in varying,
            "is_seed": key in seed_like,
            "is_number": is_numeric(table.column("params", key)),
        }
        for key in islice(table.keys("params"), MOST_KEYS)
    ]
    tags = [key for key in table.keys("tags") if is_own_tag(key)][:MOST_KEYS]
    return {"metrics": metrics, "params": params, "tags": [{"key": key, "name": name_of("tags", key)} for key in tags]}


def is_own_tag(key: str) -> bool:
    """Tell whether a tag is the user's, and none of those that a program sets."""
    return not key.startswith("mlflow.")


def is_numeric(column: Optional[Sequence[Any]]) -> bool:
    """Tell whether the values of a column look like numbers, by the first of them."""
    there = list(islice((value for value in column or () if value is not None), _SAMPLE))
    return bool(there) and all(to_number(value) is not None for value in there)


def type_of(column: Column, values: Sequence[Any]) -> str:
    """Return what kind of values a column has: ``number``, ``text``, ``mixed``, ``time`` or ``duration``."""
    if column.kind == "attributes":
        if column.key in ("start_time", "end_time", "created"):
            return "time"
        return "duration" if column.key in ("duration", "age") else "text"
    if column.kind == "metrics" or column.function is not None:
        return "number"
    there = [value for value in values if value is not None]
    numbers = sum(to_number(value) is not None for value in there)
    return "number" if there and numbers == len(there) else "text" if not numbers else "mixed"


def label_of(column: Column) -> str:
    """Return what stands above a column's name."""
    if column.function is not None:
        return {"min_step": "step of min", "max_step": "step of max"}.get(column.function, column.function)
    return {"metrics": "last", "params": "param", "tags": "tag", "attributes": "run"}.get(column.kind, column.kind)


def label_of_group(names: Sequence[str], values: Sequence[Any]) -> str:
    """Return what a group is called: ``lr 0.003 · depth 8``."""
    parts = [
        "%s %s" % (name, "none" if value is None else plain.text(value)[:100]) for name, value in zip(names, values)
    ]
    return " · ".join(parts) or "all"
