"""Which runs were started within a run, and what came of them?"""

from __future__ import annotations

from collections import namedtuple

from .. import goals
from ..query.ordering import sort_rows
from . import numbers, ranked, run_table, tables
from .chosen import short_id, title_of
from .facts import SYSTEM, Facts
from .which import which_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence

    from .chosen import ChosenRun
    from .ranked import Measure
    from .screen import Screen
    from .target import Target

_MOST = 8


class Children(namedtuple("Children", ["count", "runs"])):
    """The runs that were started within one.

    Attributes:
        count: How many there are.
        runs: Of each that was read, the oldest first: which it is, ``status``, ``metric`` and ``value``. The metric is
            the one that matters most of those that they have, and the value its best; both are None without.
    """

    __slots__ = ()

    count: int
    runs: List[Dict[str, Any]]


def read_children(chosen: ChosenRun, target: Target, *, is_all: bool = True) -> Children:
    """Return the runs of its experiment whose parent a run is; the values of the first eight alone unless *is_all*.

    What of them cannot be read is not told: it is no matter of this run.
    """

    def question(table: Any) -> Any:
        parents = table.column("attributes", "parent_run_id") or ()
        rows = [row for row, parent in enumerate(parents) if parent == chosen.run_id]
        if not rows:
            return 0, []
        facts = Facts(table, sort_rows(rows, [], table, 0)[::-1])
        places = range(facts.count if is_all else min(_MOST, facts.count))
        metric = _metric_of(facts)
        measure = None if metric is None else ranked.measure_of(metric)
        values = [None] * len(places) if measure is None else _values_of(measure, facts, places)
        names, statuses, experiments = (
            facts.values("attributes", key) for key in ("run_name", "status", "experiment_id")
        )
        shown = zip(facts.ids(), names, experiments, statuses, values)
        return facts.count, [(run_id, *rest, measure and measure.name()) for (_, run_id), *rest in shown]

    count, found = target.ask([chosen.experiment_id], question, [chosen.stage], is_quiet=True)
    experiments = target.names() if found else {}
    return Children(
        count,
        [
            {**which_run(run_id, name, experiment_id, experiments), "status": status, "metric": metric, "value": value}
            for run_id, name, experiment_id, status, value, metric in found
        ],
    )


def _metric_of(facts: Facts) -> Optional[str]:
    """Return the metric that matters most of those that any of the runs has."""
    keys = [key for key in goals.sort_metrics(facts.keys("metrics")) if not key.startswith(SYSTEM)]
    return next((key for key in keys if any(each is not None for each in facts.values("metrics", key))), None)


def _values_of(measure: Measure, facts: Facts, places: Sequence[int]) -> List[Any]:
    last = [facts.values("metrics", measure.metric)[place] for place in places]
    if measure.mode == "last":
        return last
    best = facts.summary_of(measure.mode, measure.metric, places)
    return [ranked.counting(measure, *both) for both in zip(best, last)]


def render(children: Children, screen: Screen) -> List[str]:
    """Return a part of the screen that lists those that were read; nothing without any."""
    shown = children.runs
    if not shown:
        return []
    statuses = [each["status"] for each in shown]
    names = [screen.clean(title_of(each["name"], each["run_id"])) for each in shown]
    marks = [screen.mark(status, plain=True) for status in statuses]
    columns = [
        tables.column("status", marks, "", roles=[run_table.role_of(status) for status in statuses]),
        tables.column("name", names, "", shrinks="middle"),
        tables.column("id", [screen.clean(short_id(each["run_id"])) for each in shown], "", role="quiet"),
    ]
    title = "%s  %s" % (screen.styled("strong", "children"), numbers.count(children.count))
    metric = shown[0]["metric"]
    if metric is not None:
        cells = numbers.column([each["value"] for each in shown], screen.glyph("none"))
        columns.append(tables.column("value", cells, "", is_right=True))
        title += screen.own(" · ") + screen.clean(metric)
    table, _ = tables.render(columns, screen, width=screen.width - 1)
    lines = ["", title, *(" " + line for line in table[1:])]
    more = children.count - len(shown)
    if more:
        lines.append(screen.styled("quiet", "  + %s: show -a" % numbers.counted(more, "more run")))
    return lines
