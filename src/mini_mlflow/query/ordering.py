"""In which order do the rows of a table of runs come?"""

from __future__ import annotations

from collections import namedtuple
from math import isnan

from ..errors import InvalidValueError, shown
from . import conditions
from .grammar import Operand, Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Sequence, Union


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


def sort_rows(rows: Sequence[int], orders: Sequence[Order], table: Any, now_ms: int) -> List[int]:
    """Return rows in order; those that are equal in it newest first, then by run id.

    Numbers come before NaN, numbers of params before texts, and what is missing last, upwards and downwards.

    Args:
        rows: Rows of *table*.
        orders: What to sort by, first things first.
        table: As in ``conditions``.
        now_ms: The clock.

    Raises:
        QueryError: An order asks for what no run has.
    """
    found = _newest_first(rows, table)
    for order in reversed(orders):
        operand = conditions.resolve(order.operand, table, order.text)
        values = conditions.values_of(operand, table, now_ms)
        if values is not None:
            found = _sorted(found, values, is_ascending=order.is_ascending)
    return found


def _newest_first(rows: Sequence[int], table: Any) -> List[int]:
    starts = table.column("attributes", "start_time")
    run_ids = table.column("attributes", "run_id")
    found = sorted(rows, key=run_ids.__getitem__) if run_ids is not None else list(rows)
    if starts is not None:
        is_whole = None not in starts
        found.sort(
            key=starts.__getitem__ if is_whole else lambda row: -1 if starts[row] is None else starts[row], reverse=True
        )
    return found


def _sorted(rows: List[int], values: Sequence[Any], *, is_ascending: bool) -> List[int]:
    if set(map(type, values)) == {float} and not any(map(isnan, values)):  # the usual case, at a third of the cost
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
