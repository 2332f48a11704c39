"""What stands below a chart: which letter is which run, with what makes it differ, its last value and its best?"""

from __future__ import annotations

from .. import goals
from . import group_table, numbers, run_table, tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence, Tuple

    from .plotted import Grouped, GroupLine, Line
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
        top = goals.best_place(of_best, drawn.goal)
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
    lines: Sequence[GroupLine], grouped: Grouped, statuses: Sequence[str], target: Target, screen: Screen
) -> Tuple[List[str], List[str]]:
    """Return the table of the groups that are drawn, and the columns that found no room.

    Args:
        lines: In the order of their letters.
        grouped: What they are of.
        statuses: Of each line the signs of its runs.
        target: The store, for the names of experiments.
        screen: Where the table goes to.
    """
    groups = [line.group for line in lines]
    counts = [group_table.share(group) for group in groups]
    columns = [_letters(len(groups)), tables.column("n", counts), tables.column("runs", statuses, drops=200)]
    if len({line.drawn for line in lines}) > 1:
        cells = [screen.clean(line.drawn.metric) for line in lines]
        columns.append(tables.column("metric", cells, shrinks="middle"))
    experiments = [grouped.experiment_of[group.run_ids[0]] for group in groups]
    if len(set(experiments)) > 1:
        names = target.names()
        cells = [screen.clean(names.get(each, each)) for each in experiments]
        columns.append(tables.column("experiment", cells, shrinks="middle", drops=100))
    for place, key in enumerate(grouped.by):
        values = [group.params.get(key) for group in groups]
        columns.append(run_table.param_column(key, values, screen, drops=10.0 + place))
    return tables.render([*columns, _means(lines, screen)], screen)


def _means(lines: Sequence[GroupLine], screen: Screen) -> Column:
    """Return the column of means and spreads; each metric has its own decimals, and its own best."""
    metrics = list(dict.fromkeys(line.drawn for line in lines))
    arrows = {None: "", "max": " " + screen.glyph("up"), "min": " " + screen.glyph("down")}
    is_mixed = len({drawn.goal for drawn in metrics}) > 1
    cells, roles = [""] * len(lines), [""] * len(lines)
    for drawn in metrics:
        places = [place for place, line in enumerate(lines) if line.drawn == drawn]
        whole = lines[places[0]].whole
        groups = [lines[place].group for place in places]
        signs = group_table.verdicts(whole._replace(groups=groups), screen)
        for place, cell, sign in zip(places, group_table.mean_and_std(groups, screen), signs):
            cells[place] = cell + (arrows[drawn.goal] if is_mixed else "") + (" " + sign if sign else "")
            roles[place] = "best" if sign.startswith("*") else ""
    goal = None if is_mixed else metrics[0].goal
    is_last = not is_mixed and goal is None
    return tables.column("mean", cells, ("mean of last" if is_last else "mean") + arrows[goal], roles=roles)


def _letters(count: int) -> Column:
    return tables.column("letter", LETTERS[:count], "", roles=[colour_of(number) for number in range(count)])
