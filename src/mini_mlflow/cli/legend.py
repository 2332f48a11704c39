"""What stands below a chart: which letter is which run, with what makes it differ, its last value and its best?"""

from __future__ import annotations

from .. import goals
from . import numbers, run_table, tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Sequence, Tuple

    from ..group_records import Group, Groups
    from .plotted import Line
    from .screen import Screen
    from .tables import Column
    from .target import Target

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
COLOURS = ("cyan", "yellow", "magenta", "green", "blue", "red")


def colour_of(number: int) -> str:
    """Return the role of a curve by its number, from 0 on."""
    return COLOURS[number % len(COLOURS)]


def render_lines(
    lines: Sequence[Line], varying: Sequence[str], goal: Optional[str], target: Target, screen: Screen
) -> Tuple[List[str], List[str]]:
    """Return the table of the runs that are drawn, and the columns that found no room.

    Args:
        lines: In the order of their letters.
        varying: The params that tell them apart, those that are left out first last.
        goal: Which end of the metric is best.
        target: The store, for the names of experiments.
        screen: Where the table goes to.
    """
    columns = [
        _letters(len(lines)),
        tables.column(
            "mark",
            [screen.mark(line.run.status, plain=True) for line in lines],
            "",
            roles=[run_table.role_of(line.run.status) for line in lines],
        ),
        tables.column("name", [screen.clean(line.run.title()) for line in lines], shrinks="middle"),
    ]
    experiments = [line.run.experiment_id for line in lines]
    if len(set(experiments)) > 1:
        names = target.names()
        cells = [screen.clean(names.get(each, each)) for each in experiments]
        columns.append(tables.column("experiment", cells, shrinks="middle", drops=100))
    for key in sorted(varying):
        values = [line.params.get(key) for line in lines]
        columns.append(run_table.param_column(key, values, screen, drops=10.0 + varying.index(key)))
    last, best = [line.last for line in lines], [line.best for line in lines]
    decimals = numbers.decimals_of([*last, *best])
    columns.append(_numbers("last", last, decimals, screen, drops=5))
    if goal is not None:
        title = "best " + screen.glyph("up" if goal == "max" else "down")
        pick = max if goal == "max" else min
        top = pick((value for value in best if value is not None), default=None)
        roles = ["best" if value is not None and value == top else None for value in best]
        columns.append(_numbers("best", best, decimals, screen, title, roles=roles))
        steps = [screen.glyph("none") if line.best_step is None else "%d" % line.best_step for line in lines]
        columns.append(tables.column("at step", steps, is_right=True, drops=200))
    return tables.render(columns, screen)


def render_groups(
    groups: Sequence[Group], whole: Groups, statuses: Sequence[str], screen: Screen
) -> Tuple[List[str], List[str]]:
    """Return the table of the groups that are drawn, and the columns that found no room.

    Args:
        groups: In the order of their letters.
        whole: What they are of.
        statuses: Of each group the signs of its runs.
        screen: Where the table goes to.
    """
    counts = [
        "%d" % group.count if group.count == len(group.run_ids) else "%d/%d" % (group.count, len(group.run_ids))
        for group in groups
    ]
    columns = [_letters(len(groups)), tables.column("n", counts), tables.column("runs", statuses, drops=200)]
    for place, key in enumerate(whole.by):
        values = [group.params.get(key) for group in groups]
        columns.append(run_table.param_column(key, values, screen, drops=10.0 + place))
    decimals = numbers.spread_decimals([group.mean for group in groups], [group.std for group in groups])
    arrow = {"max": " " + screen.glyph("up"), "min": " " + screen.glyph("down")}.get(whole.mode, "")
    none = screen.glyph("none")
    means = [numbers.number(group.mean, decimals, none) for group in groups]
    width = max(map(len, means), default=0)
    cells = []
    for group, mean in zip(groups, means):
        sign = " *" if group is whole.best else " " + screen.glyph("noise") if group.is_within_noise else ""
        spread = ""
        if group.std is not None:
            spread = " %s %s" % (screen.glyph("plus_minus"), numbers.fixed(group.std, decimals))
        cells.append(mean.rjust(width) + spread + sign)
    roles = ["best" if group is whole.best else None for group in groups]
    columns.append(tables.column("mean", cells, ("mean" if arrow else "mean of last") + arrow, roles=roles))
    return tables.render(columns, screen)


def goal_of(metric: str, goal: Optional[str]) -> Optional[str]:
    """Return which end of a metric is best: as was said, else as its name tells, else None."""
    return goal or goals.goal_of(metric)


def _letters(count: int) -> Column:
    return tables.column("letter", LETTERS[:count], "", roles=[colour_of(number) for number in range(count)])


def _numbers(
    key: str, values: Sequence[Any], decimals: int, screen: Screen, title: Optional[str] = None, **how: Any
) -> Column:
    cells = numbers.column(values, screen.glyph("none"), decimals)
    return tables.column(key, cells, title, is_right=True, **how)
