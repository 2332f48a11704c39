"""How are the groups of a view written as CSV: one line each, with what stands behind the means?"""

from __future__ import annotations

from ...keys import STATUSES
from . import choices, grouping, runs
from .ranks import Ranks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Sequence, Tuple

    from .tables import Joined

_FIGURES = (
    ("mean", "mean"), ("std", "std"), ("min", "min"), ("max", "max"), ("count", "count"),
    ("within_noise", "is_within_noise"), ("so_far", "so_far"),
)  # fmt: skip


def read_groups(table: Joined, wanted: runs.Wanted, now_ms: int) -> Tuple[List[str], List[Sequence[Any]]]:
    """Return the header and the columns of all groups that a request means, in order.

    ``so_far`` is the mean of a group of which no run has finished; the other numbers are of those that have.

    Raises:
        QueryError: The filter, an order, a column or what is grouped by cannot be read.
    """
    matched = runs.find_matched(table, wanted.text, now_ms)
    orders, sort = runs.find_order(table, matched, wanted.order, now_ms)
    asked = wanted.group or grouping.Wanted(by=None, open=[], only_finished=True)
    varying = choices.list_varying(table)
    by = choices.split_seeds(table, varying)[0] if asked.by is None else asked.by
    names = choices.choose_columns(table, orders, varying) if wanted.columns is None else wanted.columns
    columns = runs.resolve_columns(table, names)
    whole = wanted._replace(offset=0, limit=len(matched), group=asked._replace(open=[]))
    operands = [operand for _, operand in columns]
    groups, _ = grouping.group_rows(table, sort(matched), by, whole, orders, operands, Ranks(table), now_ms)
    header = [*groups["by"], "runs", *map(str.lower, STATUSES)]
    found: List[Sequence[Any]] = list(zip(*groups["values_by"])) or [[] for _ in groups["by"]]
    found.append(groups["n"])
    found += [[counts.get(status, 0) for counts in groups["statuses"]] for status in STATUSES]
    for (column, _), stats in zip(columns, groups["stats"]):
        if "same" in stats:
            header.append(column.name)
            found.append(stats["same"])
            continue
        header += ["%s(%s)" % (figure, column.name) for figure, _ in _FIGURES]
        found += [stats[name] for _, name in _FIGURES]
    return header, found
