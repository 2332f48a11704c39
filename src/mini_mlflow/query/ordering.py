"""In which order do the rows of a table of runs come?"""

from __future__ import annotations

from collections import namedtuple
from math import isnan
from operator import ne

from ..errors import InvalidValueError, shown
from . import conditions
from .grammar import Operand, Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Sequence, Union


class Order(namedtuple("Order", ["operand", "is_ascending", "text"])):
    """What to sort by, and whether upwards.

    Attributes:
        operand: A key, or a function of a metric.
        is_ascending: Whether the least comes first.
        text: As it was given, for messages.
    """

    __slots__ = ()

    operand: Operand
    is_ascending: bool
    text: str


def parse_order(order_by: Union[Sequence[str], str, None]) -> List[Order]:
    """Return what to sort by, first things first.

    Args:
        order_by: Keys as in a filter, each with ``ASC`` (which is meant without) or ``DESC``; one or several.

    Raises:
        QueryError: One is not in the grammar.
        InvalidValueError: One is no text.
    """
    orders = []
    for text in [order_by] if isinstance(order_by, str) else order_by or ():
        if not isinstance(text, str):
            raise InvalidValueError(
                "order_by takes texts such as 'metrics.loss ASC', got %s." % shown(text), value=text
            )
        parser = Parser(text)
        operand = parser.parse_operand()
        is_descending = parser.take_name("desc")
        if not is_descending:
            parser.take_name("asc")
        parser.expect_end("ASC, DESC or the end")
        orders.append(Order(operand, not is_descending, text))
    return orders


def sort_rows(
    rows: Sequence[int], orders: Sequence[Order], table: Any, now_ms: int, limit: Optional[int] = None
) -> List[int]:
    """Return rows in order; those that are equal in it newest first, then by run id.

    Numbers come before NaN, numbers of params before texts, and what is missing last, upwards and downwards.

    Args:
        rows: Rows of *table*.
        orders: What to sort by, first things first.
        table: As in ``conditions``.
        now_ms: The clock.
        limit: Return only so many, the first ones; None: all.

    Raises:
        QueryError: An order asks for what no run has.
    """
    by = []
    for order in orders:
        operand = conditions.resolve(order.operand, table, order.text)
        values = conditions.values_of(operand, table, now_ms)
        if values is not None:
            by.append((values, order.is_ascending))
    found = list(rows)
    for key, is_ascending in (("start_time", False), ("run_id", True)):
        if by and limit is not None:
            found = _leading(found, *by[0], limit)
        if any(_are_different(values, found) for values, _ in by):
            break
        values = table.column("attributes", key)
        if values is not None:
            by.append((values, is_ascending))
    for values, is_ascending in reversed(by):
        found = _sorted(found, values, is_ascending=is_ascending)
    return found[:limit]


def _leading(rows: Sequence[int], values: Sequence[Any], is_ascending: bool, limit: int) -> List[int]:  # noqa: FBT001
    """Return the rows that can be among the first, in any order: most of very many never need to be sorted."""
    numbers = [row for row in rows if type(values[row]) in (int, float) and values[row] == values[row]]
    if not 0 < limit < len(numbers):
        return list(rows)
    last = sorted(map(values.__getitem__, numbers), reverse=not is_ascending)[limit - 1]
    if is_ascending:
        return [row for row in numbers if values[row] <= last]
    return [row for row in numbers if values[row] >= last]


def _are_different(values: Sequence[Any], rows: Sequence[int]) -> bool:
    """Tell whether rows have plain numbers, each another: then nothing else decides where they come."""
    found = [values[row] for row in rows]
    return _are_plain(found) and len(set(found)) == len(found)


def _are_plain(values: Sequence[Any]) -> bool:
    return set(map(type, values)) <= {int, float} and not any(map(ne, values, values))


def _sorted(rows: List[int], values: Sequence[Any], *, is_ascending: bool) -> List[int]:
    found = [values[row] for row in rows]
    if _are_plain(found) or set(map(type, found)) == {str}:  # the usual cases, at a third of the cost
        return sorted(rows, key=values.__getitem__, reverse=not is_ascending)
    numbers: List[int] = []
    nans: List[int] = []
    texts: List[int] = []
    missing: List[int] = []
    for row in rows:
        value = values[row]
        if value is None:
            missing.append(row)
        elif not isinstance(value, (int, float)) or isinstance(value, bool):
            texts.append(row)
        elif isinstance(value, float) and isnan(value):
            nans.append(row)
        else:
            numbers.append(row)
    numbers.sort(key=values.__getitem__, reverse=not is_ascending)
    texts.sort(key=lambda row: conditions.to_text(values[row]), reverse=not is_ascending)
    return numbers + nans + texts + missing
