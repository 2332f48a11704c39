"""In which order do the rows of a table of runs come?"""

from __future__ import annotations

from collections import namedtuple
from functools import partial
from heapq import nlargest, nsmallest
from itertools import compress, repeat
from math import isnan
from operator import eq, ge, le, ne

from ..errors import InvalidValueError, shown
from . import conditions
from .grammar import Operand, Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

    _Key = Tuple[Callable[[], Optional[Sequence[Any]]], bool]  # what gives the values, and whether upwards

_MOST_KEYS = 100
_MANY = 10  # times as many as are asked for: then it pays to find the last of these first
_START = ("start_time", "start_us")  # runs that follow each other at once start within one millisecond
_LAST = (*((key, False) for key in _START), ("run_id", True))  # what decides between runs that are equal in all else


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
        InvalidValueError: One is no text, or there are more than 100.
    """
    orders: Dict[Operand, Order] = {}  # of a key that is there twice the first decides
    for text in _each(order_by):
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
        orders.setdefault(operand._replace(position=0), Order(operand, not is_descending, text))
    if len(orders) > _MOST_KEYS:
        message = "order_by takes %d keys at most, got %d."
        raise InvalidValueError(message % (_MOST_KEYS, len(orders)), value=order_by)
    return list(orders.values())


def _each(order_by: Any) -> List[Any]:
    if order_by is None or isinstance(order_by, str):
        return [] if order_by is None else [order_by]
    try:
        return list(order_by)
    except TypeError:
        return [order_by]  # which is told to be no text


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
    by: List[_Key] = []
    for order in orders:
        operand = conditions.resolve(order.operand, table, order.text)
        by.append((partial(conditions.values_of, operand, table, now_ms), order.is_ascending))
        if operand.kind == "attributes" and operand.key == _START[0]:
            by.append((partial(table.column, "attributes", _START[1]), order.is_ascending))
    by += [(partial(table.column, "attributes", key), is_ascending) for key, is_ascending in _LAST]
    return _in_order(rows, by, limit)[:limit] if rows else []


def _in_order(rows: Sequence[int], by: Sequence[_Key], limit: Optional[int]) -> List[int]:
    """Return rows by the first key; those that are equal in it by the others, which are read only then."""
    if not by:
        return list(rows)
    (read, is_ascending), *others = by
    values = read()
    if values is None:
        return _in_order(rows, others, limit)
    if limit is not None:
        rows = _leading(rows, values, limit, is_ascending=is_ascending)
    found = _sorted(rows, values, is_ascending=is_ascending)
    levels: List[Any] = [values[row] for row in found]
    if not _are_plain(levels):
        levels = list(map(_level_of, levels))
    is_same = [False, *map(eq, levels, levels[1:]), False]  # as the one before
    if True in is_same:
        places = [place for place in range(len(found)) if is_same[place] or is_same[place + 1]]
        tied = _in_order([found[place] for place in places], others, None)
        tied = _sorted(tied, values, is_ascending=is_ascending)
        for place, row in zip(places, tied):
            found[place] = row
    return found


def _leading(rows: Sequence[int], values: Sequence[Any], limit: int, *, is_ascending: bool) -> Sequence[int]:
    """Return the rows that can be among the first, in any order: most of very many never need to be sorted."""
    there, found = rows, [values[row] for row in rows]
    if not _are_plain(found):
        there = [row for row in rows if type(values[row]) in (int, float) and values[row] == values[row]]
        found = [values[row] for row in there]
    if not 0 < limit <= len(found) // _MANY:
        return rows
    last = (nsmallest if is_ascending else nlargest)(limit, found)[-1]
    return list(compress(there, map(le if is_ascending else ge, found, repeat(last))))


def _sorted(rows: Sequence[int], values: Sequence[Any], *, is_ascending: bool) -> List[int]:
    """Return rows by their values; those that are equal stay as they are."""
    found = [values[row] for row in rows]
    if _are_plain(found) or set(map(type, found)) == {str}:  # the usual cases, at a fifth of the cost
        return sorted(rows, key=values.__getitem__, reverse=not is_ascending)
    levels = dict(zip(rows, map(_level_of, found)))
    kinds: Tuple[List[int], ...] = ([], [], [], [])
    for row in rows:
        kinds[levels[row][0]].append(row)
    for some in kinds:
        some.sort(key=levels.__getitem__, reverse=not is_ascending)
    return [row for some in kinds for row in some]


def _are_plain(values: Sequence[Any]) -> bool:
    return set(map(type, values)) <= {int, float} and not any(map(ne, values, values))


def _level_of(value: Any) -> Tuple[Any, ...]:
    """Return of which kind a value is, in the order in which these come, and what it is among them."""
    if value is None:
        return (3,)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return 2, conditions.to_text(value)
    return (1,) if isinstance(value, float) and isnan(value) else (0, value)
