"""Which runs does the page show, in which order, and what of each: the answer of ``api/runs``?"""

from __future__ import annotations

import os
from collections import Counter, namedtuple
from itertools import islice
from math import inf, nan

from ...errors import QueryError
from ...goals import BEST
from ...query.conditions import find_rows, resolve
from ...query.grammar import parse_filter
from ...query.ordering import parse_order, sort_rows
from . import choices, grouping, rows, tables
from .last_steps import NAME as LAST_STEP
from .last_steps import LastSteps
from .patience import Patience
from .ranks import Ranks
from .requests import MAX_COLUMNS, MAX_ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence

    from ...query.grammar import Operand
    from ...query.ordering import Order
    from .histories import Histories
    from .requests import Body
    from .stores import Stores
    from .tables import Joined

_SHOWN = 20
_MOST_PROBLEMS = 50
_SHORTEST_ID = 6
_SAMPLE = 10000
_LAST_STEP = "\0last step"  # no tag has such a key


class Wanted(namedtuple("Wanted", ["text", "order", "columns", "offset", "limit", "shown", "picks", "group"])):
    """What a request asks for; ``order`` and ``columns`` are None where the page leaves them to us."""

    __slots__ = ()

    text: str
    order: Optional[List[str]]
    columns: Optional[List[str]]
    offset: int
    limit: int
    shown: int
    picks: List[str]
    group: Optional[grouping.Wanted]


def read_runs(
    stores: Stores, histories: Histories, body: Body, now_ms: int, patience: Optional[Patience] = None
) -> Dict[str, Any]:
    """Return the answer of ``api/runs``.

    Args:
        stores: The stores.
        histories: What was read of histories already.
        body: The request.
        now_ms: The clock.
        patience: Answers with what is known where reading takes long; None: waits for all.

    Raises:
        QueryError: The filter, an order or a column cannot be read; its ``where`` says which.
        InvalidValueError: The request asks for what there cannot be.
        InvalidIdError: An experiment or a run is no reference.
    """
    chosen, wanted = tables.choose(stores, body), read_wanted(body)
    patience = Patience(inf) if patience is None else patience
    stage = tables.stage_of(body)

    def question(table: Joined) -> Any:
        return _answer(table, wanted, now_ms, histories.last_steps), table.has_learned

    answer: Dict[str, Any]
    (answer, has_learned), pending = patience.ask(chosen, stage, question)
    if pending is not None:
        answer["pending"] = pending
    elif has_learned:  # the stamp is another one now, and the second time all is known
        answer, _ = tables.ask(chosen, stage, question)
    shown = (column["key"] for column in answer["columns"] if column["kind"] == "metrics")
    metric = answer["sorted_metric"] or next(shown, None)
    for told in (answer["rows"], answer["extra"]):
        rows.add_steps(histories, told, metric)
    return answer


def read_wanted(body: Body) -> Wanted:
    """Return what a request asks for."""
    return Wanted(
        text=body.text("filter", ""),
        order=body.texts("order", most=10),
        columns=body.texts("columns", most=MAX_COLUMNS),
        offset=body.whole("offset", 0, 0, 10**9),
        limit=body.whole("limit", 100, 0, MAX_ROWS),
        shown=body.whole("shown", _SHOWN, 0, MAX_ROWS),
        picks=body.texts("picks") or [],
        group=grouping.read_wanted(body.body("group")),
    )


def find_matched(table: Joined, text: str, now_ms: int) -> List[int]:
    """Return the rows that a filter means.

    Raises:
        QueryError: It cannot be read.
    """
    with _told_of("filter"):
        return find_rows(parse_filter(text), table, now_ms)


def find_order(
    table: Joined,
    matched: Sequence[int],
    texts: Optional[Sequence[str]],
    now_ms: int,
    known: Optional[LastSteps] = None,
) -> Any:
    """Return what is sorted by, with kinds, and what sorts some of the matched rows so: all, or the first *most*.

    Raises:
        QueryError: An order cannot be read.
    """
    with _told_of("order"):
        given = parse_order(list(texts) if texts else choices.choose_order(table))
        orders = [order._replace(operand=_resolve(order.operand, table, order.text)) for order in given]
    narrowed = _Narrowed(table, matched, LastSteps() if known is None else known)

    def sort(rows: Sequence[int], most: Optional[int] = None) -> List[int]:
        return sort_rows(rows, orders, narrowed, now_ms, most)

    return orders, sort


def _resolve(operand: Operand, table: Joined, text: str) -> Operand:
    """Return an operand with its kind; how far a run has come is none of the attributes that filters know."""
    if (operand.function, operand.kind, operand.key) == (None, "attributes", LAST_STEP):
        return operand._replace(kind="tags", key=_LAST_STEP)
    return resolve(operand, table, text)


def is_last_step(operand: Operand) -> bool:
    """Tell whether a column that is resolved is how far the runs have come."""
    return operand.key == _LAST_STEP


class _Narrowed:
    """A table that reads files of some rows alone, those that are sorted, and each once."""

    def __init__(self, table: Joined, matched: Sequence[int], known: LastSteps) -> None:
        self.count = table.count
        self.keys = table.keys
        self._table = table
        self._matched = matched
        self._known = known
        self._steps: Optional[Sequence[Any]] = None
        self._summaries: Dict[Any, Any] = {}

    def column(self, kind: str, key: str) -> Any:
        if key != _LAST_STEP:
            return self._table.column(kind, key)
        if self._steps is None:
            self._steps = read_last_steps(self._table, self._matched, self._known)
        return self._steps

    def summary_column(self, function: str, key: str) -> Any:
        if (function, key) not in self._summaries:
            found = self._table.counting_column(function, key, self._matched)
            self._summaries[function, key] = _odd_last(found) if function in BEST else found
        return self._summaries[function, key]


def _odd_last(column: Optional[Sequence[Any]]) -> Optional[Sequence[Any]]:
    """Return a column whose infinities are NaN, which comes behind all numbers whichever end is best."""
    return column and [value if value is None or value - value == 0 else nan for value in column]


class _told_of:  # noqa: N801 - a context, as those of contextlib are called
    """Adds to a ``QueryError`` which part of the request it is about."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: Optional[BaseException], trace: object) -> None:
        if isinstance(error, QueryError):
            error.where = self._where  # type: ignore[attr-defined]


def read_last_steps(table: Joined, rows: Sequence[int], known: LastSteps) -> Sequence[Any]:
    """Return as a column how far the runs of some rows have come."""

    def read(run: Any) -> Optional[int]:
        info = run.info
        return known.of(os.path.dirname(info.artifact_uri), info.status, info.end_time, run.data.metrics)

    return table.read_runs(rows, read)


def _answer(table: Joined, wanted: Wanted, now_ms: int, known: LastSteps) -> Dict[str, Any]:
    matched = find_matched(table, wanted.text, now_ms)
    limit = max(wanted.offset + wanted.limit, 2 * wanted.shown) if wanted.group is None else None
    orders, sort = find_order(table, matched, wanted.order, now_ms, known)
    ordered = sort(matched, limit)
    varying = choices.list_varying(table)
    differing, seed_like = choices.split_seeds(table, varying)
    names = wanted.columns if wanted.columns is not None else choices.choose_columns(table, orders, varying)
    columns = resolve_columns(table, names)
    operands = [operand for _, operand in columns]
    ranks = Ranks(table)
    statuses = table.column("attributes", "status") or ()
    running = [row for row in matched if statuses[row] == "RUNNING"]
    first = [*sort(running, wanted.shown), *(row for row in ordered if statuses[row] != "RUNNING")][: wanted.shown]
    groups: Optional[Dict[str, Any]] = None
    if wanted.group is None:
        window = ordered[wanted.offset : wanted.offset + wanted.limit]
    else:
        by = differing if wanted.group.by is None else wanted.group.by
        with _told_of("group"):
            groups, window = grouping.group_rows(table, ordered, by, wanted, orders, operands, ranks, now_ms)
    told = rows.describe(table, window, operands, ranks, now_ms)
    if groups is not None:
        told["group"] = groups.pop("_of_rows")
    picked, gone = _find_picks(table, wanted.picks)
    there = set(window)
    others = [row for row in dict.fromkeys([*first, *picked]) if row not in there]
    problems = table.problems()
    metric = choices.metric_of(orders)
    return {
        "now_ms": now_ms,
        "stamp": table.stamp,
        "total": table.count,
        "matched": len(matched),
        "offset": wanted.offset,
        "statuses": dict(sorted(Counter(map(statuses.__getitem__, matched)).items())),
        "id_length": find_id_length(table),
        "keys": choices.describe_keys(table, varying, seed_like),
        "order": [_written(order) for order in orders],
        "sorted_metric": None if metric is None else metric.key,
        "goal": None if metric is None else choices.goal_of_order(orders[0]),
        "columns": [
            {
                "name": column.name, "kind": operand.kind, "key": operand.key, "function": operand.function,
                "label": choices.label_of(choices.Column(column.name, *operand[:3])),
                "type": choices.type_of(choices.Column(column.name, *operand[:3]), values),
            }
            for (column, operand), values in zip(columns, told["values"])
        ],
        "rows": told,
        "extra": rows.describe(table, others, operands, ranks, now_ms),
        "gone": gone,
        "first": table.refs(first),
        "groups": groups,
        "problems": [_tell_problem(store, problem) for store, problem in islice(problems, _MOST_PROBLEMS)],
        "problem_count": len(problems),
        "pending": None,
    }  # fmt: skip


def resolve_columns(table: Joined, names: Sequence[str]) -> List[Any]:
    """Return each column, and what it means; one that no run has any more is empty.

    Raises:
        QueryError: A name is not in the grammar.
    """
    found = []
    with _told_of("columns"):
        for name in names:
            operand = parse_order(name)[0].operand
            try:
                operand = _resolve(operand, table, name)
            except QueryError:
                operand = operand._replace(kind=operand.kind if operand.kind != "attributes" else "tags")
                operand = operand._replace(kind=operand.kind or "metrics")
            found.append((choices.Column(name, operand.function, operand.kind, operand.key), operand))
    return found


def find_id_length(table: Joined) -> int:
    """Return from how many characters on the ids of the runs differ, at least 6."""
    ids = table.column("attributes", "run_id") or ()
    length = _SHORTEST_ID
    for some in (ids[:_SAMPLE], ids):  # of very many, some tell most
        count = len(set(some))
        while len({run_id[:length] for run_id in some}) < count:
            length += 1
    return length


def _find_picks(table: Joined, picks: Sequence[str]) -> Any:
    if not picks:
        return [], []
    places = dict(zip(table.refs(range(table.count)), range(table.count)))
    return [places[ref] for ref in picks if ref in places], [ref for ref in picks if ref not in places]


def _written(order: Order) -> str:
    text = order.text.strip()
    return text if text.split()[-1].lower() in ("asc", "desc") else text + (" ASC" if order.is_ascending else " DESC")


def _tell_problem(store: Any, problem: str) -> Dict[str, str]:
    path, _, reason = problem.partition(": ")
    if path.startswith(store.path):
        path = path[len(store.path) :].lstrip("/\\")
    return {
        "path": "%s/%s" % (store.name, path),
        "what": reason[:1000],
        "advice": "mini-mlflow check tells more, and repairs what can be repaired.",
    }
