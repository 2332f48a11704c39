"""What stands below a chart: which letter is which run, with what makes it differ, its last value and its best?"""

from __future__ import annotations

from . import numbers, ranked, run_table, tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence, Tuple

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
    lines: Sequence[Line], varying: Sequence[str], target: Target, screen: Screen
) -> Tuple[List[str], List[str]]:
    """Return the table of the runs that are drawn, and the columns that found no room.

    Args:
        lines: In the order of their letters.
        varying: The params that tell them apart, those that are left out first last.
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
    if len({line.drawn for line in lines}) > 1:
        cells = [screen.clean(line.drawn.metric) for line in lines]
        columns.append(tables.column("metric", cells, shrinks="middle"))
    experiments = [line.run.experiment_id for line in lines]
    if len(set(experiments)) > 1:
        names = target.names()
        cells = [screen.clean(names.get(each, each)) for each in experiments]
        columns.append(tables.column("experiment", cells, shrinks="middle", drops=100))
    for key in sorted(varying):
        values = [line.params.get(key) for line in lines]
        columns.append(run_table.param_column(key, values, screen, drops=10.0 + varying.index(key)))
    return tables.render([*columns, *_values(lines, screen)], screen)


def _values(lines: Sequence[Line], screen: Screen) -> List[Column]:
    """Return the columns of the latest and the best values; each metric has its own decimals, and its own best."""
    metrics = list(dict.fromkeys(line.drawn for line in lines))
    none = screen.glyph("none")
    last, best = [""] * len(lines), [""] * len(lines)
    roles: List[Optional[str]] = [None] * len(lines)
    for drawn in metrics:
        places = [place for place, line in enumerate(lines) if line.drawn == drawn]
        of_last, of_best = ([getattr(lines[place], name) for place in places] for name in ("last", "best"))
        decimals = numbers.decimals_of([*of_last, *of_best])
        shown = zip(places, numbers.column(of_last, none, decimals), numbers.column(of_best, none, decimals), of_best)
        top = ranked.best_place(of_best, drawn.goal)
        for place, last[place], best[place], value in shown:
            roles[place] = "best" if top is not None and value == of_best[top] else None
    columns = [tables.column("last", _aligned(last, len(metrics)), is_right=True, drops=5)]
    ends = {drawn.goal for drawn in metrics}
    if ends == {None}:
        return columns
    arrows = {None: "", "max": " " + screen.glyph("up"), "min": " " + screen.glyph("down")}
    cells = _aligned(best, len(metrics))
    if len(ends) > 1:
        cells = [cell + (arrows[line.drawn.goal] or "  ") for cell, line in zip(cells, lines)]
    title = "best" + (arrows[metrics[0].goal] if len(ends) == 1 else "")
    columns.append(tables.column("best", cells, title, is_right=True, roles=roles))
    steps = [screen.glyph("none") if line.best_step is None else "%d" % line.best_step for line in lines]
    return [*columns, tables.column("at step", steps, is_right=True, drops=200)]


def _aligned(cells: List[str], metrics: int) -> List[str]:
    return cells if metrics == 1 else run_table.align_points([cell.strip() for cell in cells])


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


def _letters(count: int) -> Column:
    return tables.column("letter", LETTERS[:count], "", roles=[colour_of(number) for number in range(count)])
