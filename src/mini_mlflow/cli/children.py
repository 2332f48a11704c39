"""Which runs were started within a run, and what came of them?"""

from __future__ import annotations

from .. import goals
from . import numbers, ranked, run_table, tables
from .chosen import short_id, title_of
from .facts import SYSTEM, Facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Sequence

    from .chosen import ChosenRun
    from .screen import Screen
    from .target import Target

_MOST = 8


def read_children(chosen: ChosenRun, target: Target) -> List[Dict[str, Any]]:
    """Return the runs whose parent a run is, the oldest first: ``run_id``, ``name``, ``status``, ``metric``, ``value``.

    The metric is the one that matters most of those that they have, and the value its best; both are None without.
    """

    def question(table: Any) -> List[Dict[str, Any]]:
        parents = table.column("attributes", "parent_run_id") or ()
        starts = table.column("attributes", "start_time") or ()
        rows = [row for row, parent in enumerate(parents) if parent == chosen.run_id]
        if not rows:
            return []
        facts = Facts(table, sorted(rows, key=lambda row: starts[row] or 0))
        there = [key for key in goals.sort_metrics(facts.keys("metrics")) if not key.startswith(SYSTEM)]
        measure = ranked.measure_of(there[0]) if there else None
        values = facts.measured(measure) if measure else [None] * facts.count
        names, statuses = (facts.values("attributes", key) for key in ("run_name", "status"))
        return [
            {"run_id": run_id, "name": name, "status": status, "metric": measure and measure.name(), "value": value}
            for (_, run_id), name, status, value in zip(facts.ids(), names, statuses, values)
        ]

    return target.ask(target.ids(), question, [chosen.stage])


def render(children: Sequence[Dict[str, Any]], screen: Screen, *, is_all: bool) -> List[str]:
    """Return a part of the screen that lists them, the first eight unless all are wanted; nothing without any."""
    if not children:
        return []
    shown = children if is_all else children[:_MOST]
    statuses = [each["status"] for each in shown]
    names = [screen.clean(title_of(each["name"], each["run_id"])) for each in shown]
    marks = [screen.mark(status, plain=True) for status in statuses]
    columns = [
        tables.column("status", marks, "", roles=[run_table.role_of(status) for status in statuses]),
        tables.column("name", names, "", shrinks="middle"),
        tables.column("id", [screen.clean(short_id(each["run_id"])) for each in shown], "", role="quiet"),
    ]
    title = "%s  %s" % (screen.styled("strong", "children"), numbers.count(len(children)))
    metric = children[0]["metric"]
    if metric is not None:
        cells = numbers.column([each["value"] for each in shown], screen.glyph("none"))
        columns.append(tables.column("value", cells, "", is_right=True))
        title += screen.own(" · ") + screen.clean(metric)
    table, _ = tables.render(columns, screen, width=screen.width - 1)
    lines = ["", title, *(" " + line for line in table[1:])]
    more = len(children) - len(shown)
    if more:
        lines.append(screen.styled("quiet", "  + %s: show -a" % numbers.counted(more, "more run")))
    return lines
