"""Which runs does a list show, and in which order?"""

from __future__ import annotations

from collections import namedtuple

from .. import goals
from ..errors import QueryError, near_names
from ..query.conditions import ATTRIBUTES, check_metric, find_rows
from ..query.grammar import parse_filter
from ..query.ordering import parse_order, sort_rows
from ..query.times import duration_s
from ..records import NOTE
from ..store.experiments import ACTIVE, DELETED
from . import ranked
from .chosen import no_metric
from .facts import SYSTEM, count_steps
from .failures import NOT_FOUND, USAGE, CommandError, closing_advice

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from .ranked import Measure

_OTHER_NAMES = {
    "took": "duration", "id": "run_id", "ended": "end_time", "user": "user_id",
    "stage": "lifecycle_stage", "note": "tags." + NOTE,
}  # fmt: skip
ON_A_TERMINAL = 40


class Wanted(namedtuple("Wanted", ["condition", "orders", "ranking", "sorting", "is_last", "limit", "stages"])):
    """What a user asked to see.

    Attributes:
        condition: A filter, None for all.
        orders: What to sort by.
        ranking: ``-b``: the measure whose best comes first, None without.
        sorting: ``-s``: a key that may be a metric, and whether upwards; None without.
        is_last: Whether latest values are shown, not the best.
        limit: At most so many rows, None for all.
        stages: Whether runs of the trash are meant, too.
    """

    __slots__ = ()

    condition: Any
    orders: List[Any]
    ranking: Optional[Measure]
    sorting: Optional[Tuple[str, bool]]
    is_last: bool
    limit: Optional[int]
    stages: Tuple[str, ...]


def read_wanted(arguments: argparse.Namespace, limit: Optional[int]) -> Wanted:
    """Return what the options ``-f -b -s -l -n -a`` ask for.

    Args:
        arguments: The options.
        limit: How many rows there are unless they say.

    Raises:
        QueryError: The filter or the order cannot be read.
        CommandError: An option makes no sense beside another.
    """
    if arguments.best is not None and arguments.sort is not None:
        raise CommandError("-b and -s both say in which order the runs come: leave one of them out", USAGE)
    ranking = sorting = None
    orders: List[Any] = []
    is_last = bool(getattr(arguments, "last", False))
    if arguments.best is not None:
        metric, goal = goals.split_goal(arguments.best)
        ranking = ranked.measure_of(metric, goal, is_last=is_last)
    if arguments.sort is not None:
        is_ascending = not arguments.sort.startswith("-")
        key = arguments.sort.lstrip("-+")
        key = _OTHER_NAMES.get(key, key)
        sorting = (key, is_ascending)
        if key == "trend":
            advice = "-s METRIC sorts by what it is drawn of"
            raise CommandError("a trend is a drawing, and no order comes of it", USAGE, lines=[advice])
        orders = _read_orders(key, is_ascending)
    return Wanted(
        condition=parse_filter(arguments.filter),
        orders=orders,
        ranking=ranking,
        sorting=sorting,
        is_last=is_last,
        limit=None if arguments.all else arguments.limit or limit,
        stages=(ACTIVE, DELETED) if arguments.all else (ACTIVE,),
    )


def check_ranking(wanted: Wanted, table: Any, where: str) -> None:
    """Refuse to rank by a metric that no run of a table has.

    Raises:
        CommandError: No run has the metric of ``-b``.
    """
    if wanted.ranking is not None and table.count and wanted.ranking.metric not in table.keys("metrics"):
        raise no_metric(wanted.ranking.metric, table, where)


def find(wanted: Wanted, table: Any, now_ms: int) -> List[int]:
    """Return the rows that are meant, ascending, without the limit.

    Raises:
        QueryError: The filter asks for what no run has.
    """
    return find_rows(wanted.condition, table, now_ms)


def sort(
    wanted: Wanted, rows: List[int], table: Any, now_ms: int, experiments: Dict[str, str], limit: Optional[int] = None
) -> List[int]:
    """Return rows in the order that is meant; with a limit only so many.

    Args:
        wanted: What was asked for.
        rows: The rows.
        table: Where they are.
        now_ms: The clock.
        experiments: The names of experiments by their ids.
        limit: How many; None: all.

    Raises:
        QueryError: The order asks for what no run has.
        CommandError: No run has the metric of ``-b``.
    """
    if wanted.sorting is not None and wanted.sorting[0] == "experiment":
        ids = table.column("attributes", "experiment_id") or ()
        in_order = sort_rows(rows, [], table, now_ms)
        in_order.sort(key=lambda row: experiments.get(str(ids[row]), str(ids[row])), reverse=not wanted.sorting[1])
        return in_order[:limit]
    return _sorted(wanted, rows, table, now_ms, limit)[:limit]


def _sorted(wanted: Wanted, rows: List[int], table: Any, now_ms: int, limit: Optional[int]) -> List[int]:
    measure = wanted.ranking
    if measure is not None:
        rows = sort_rows(rows, [], table, now_ms)
        values = ranked.values_of(measure, table, rows)
        return [rows[place] for place in ranked.sort_by(values, measure.goal)]
    if wanted.sorting is not None:
        key, is_ascending = wanted.sorting
        if key == _OTHER_NAMES["took"]:
            rows = sort_rows(rows, [], table, now_ms)
            columns = [table.column("attributes", name) or [] for name in ("status", "start_time", "end_time")]
            statuses, starts, ends = columns
            took = [duration_s(statuses[row], starts[row], ends[row], now_ms) for row in rows]
            return [rows[place] for place in ranked.sort_by(took, "min" if is_ascending else "max")]
        if key == "steps":
            rows = sort_rows(rows, [], table, now_ms)
            steps = _steps(table, rows)
            return [rows[place] for place in ranked.sort_by(steps, "min" if is_ascending else "max")]
        shown = ranked.measure_of(key, is_last=wanted.is_last)
        if shown.mode != "last" and key in table.keys("metrics"):  # sorted by what is shown
            rows = sort_rows(rows, [], table, now_ms)
            values = ranked.values_of(shown, table, rows)
            return [rows[place] for place in ranked.sort_by(values, "min" if is_ascending else "max")]
    try:
        for order in wanted.orders:
            check_metric(order.operand, table, order.text)
        return sort_rows(rows, wanted.orders, table, now_ms, limit)
    except QueryError:
        if wanted.sorting is None:
            raise
        there = [key for kind in ("metrics", "params", "tags") for key in table.keys(kind)]
        near = near_names(wanted.sorting[0], [*ATTRIBUTES, *there])
        lines = [] if near else closing_advice(there)
        raise CommandError("no column '%s' to sort by" % wanted.sorting[0], NOT_FOUND, near=near, lines=lines) from None


def _steps(table: Any, rows: Sequence[int]) -> List[Any]:
    """Return how many steps each of some rows has, as the column has it."""
    metrics = goals.sort_metrics(key for key in table.keys("metrics") if not key.startswith(SYSTEM))

    def latest(key: str) -> List[Any]:
        column = table.column("metrics", key)
        return [None] * len(rows) if column is None else [column[row] for row in rows]

    def counts(key: str, places: Sequence[int]) -> List[Any]:
        there = [rows[place] for place in places]
        column = table.summary_column("count", key, there)
        return [None if column is None else column[row] for row in there]

    return count_steps(metrics, len(rows), latest, counts)


def _read_orders(key: str, is_ascending: bool) -> List[Any]:  # noqa: FBT001
    direction = "ASC" if is_ascending else "DESC"
    try:
        return parse_order("%s %s" % (key, direction))
    except QueryError:
        if "`" in key:
            raise
    return parse_order("`%s` %s" % (key, direction))
