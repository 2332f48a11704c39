"""How does a list of groups of runs look on a terminal?"""

from __future__ import annotations

from math import nan

from . import apart, group_columns, numbers, run_columns, run_table, spans, tables, texts, titles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional, Sequence

    from ..group_records import Group, Groups
    from .group_list import GroupList
    from .run_columns import Spec
    from .screen import Screen
    from .tables import Column

_WIDEST_NAME = 24
_MOST_MARKS = 8
_MOST_OVER = 4  # params that the title names


def mean_and_std(groups: Sequence[Group], screen: Screen) -> List[str]:
    """Return the mean of each group with its spread: two digits of the median spread; NaN where all have diverged."""
    decimals = numbers.spread_decimals([group.mean for group in groups], [group.std for group in groups])
    shown = [nan if group.diverged and not group.count else group.mean for group in groups]
    means = numbers.column(shown, screen.glyph("none"), decimals)
    sign = screen.glyph("plus_minus")
    stds = [None if group.std is None else numbers.fixed(group.std, decimals) for group in groups]
    width = max((len(std) for std in stds if std), default=0)
    return [mean + (" %s %s" % (sign, std.rjust(width)) if std is not None else "") for mean, std in zip(means, stds)]


def best_place(found: Groups) -> Optional[int]:
    """Return which group has the best mean, None where none has."""
    best = None if found.best is None else frozenset(found.best.run_ids)
    return next((place for place, each in enumerate(found.groups) if frozenset(each.run_ids) == best), None)


def verdicts(found: Groups, screen: Screen) -> List[str]:
    """Return signs for each group: ``*`` the best mean, ``≈`` within noise of it, ``×`` without those that diverged."""
    best = best_place(found)
    signs = []
    for place, group in enumerate(found.groups):
        sign = "*" if place == best else screen.glyph("noise") if group.is_within_noise else ""
        signs.append(sign + (screen.glyph("broken") if group.diverged and group.count else ""))
    return signs


def share(group: Group) -> str:
    """Return how many runs are behind a group's numbers: ``3`` or ``2/3``."""
    return "%d" % group.count if group.count == len(group.run_ids) else "%d/%d" % (group.count, len(group.run_ids))


def render(found: GroupList, name: str, limit: Optional[int], screen: Screen, *, is_wide: bool) -> List[str]:
    """Return the title, the table and its footer."""
    first = found.tables[0]
    groups = first.groups[:limit]
    head = [titles.name(name, screen, role="strong")]
    plural = numbers.counted(len(first.groups), "group")
    head.append(titles.fact("%s in %s" % (numbers.counted(found.total, "run"), plural), screen))
    if found.over:
        head.append(titles.fact(over(found, screen), screen))
    full = short = head
    if found.measures:
        full, short = ([*head, titles.fact(screen.own("mean ± std" + of), screen)] for of in (" of finished runs", ""))
    if not groups:
        return [titles.fit(head, screen)]
    columns = columns_of(found, limit, screen, is_wide=is_wide)
    lines, hidden = tables.render(columns, screen, width=0 if is_wide else None)
    more = len(first.groups) - len(groups)
    left = [numbers.counted(more, "more group"), "-n %d shows them" % len(first.groups)] if more else []
    rows = [("hidden", [*hidden, "-w shows them"] if hidden else []), ("not shown", left), parents(found, screen)]
    footer = tables.footer(rows, screen)
    plot = "plot %s g1 g2" % screen.clean(found.measures[0].metric) if found.measures else "compare g1"
    told = [*legend(found, limit, screen), "g1 names all runs of a group: %s" % plot]
    wrapped = texts.join_wrapped(told, screen.own(" · "), screen.width - 1)
    footer += [screen.styled("quiet", " " + part) for part in wrapped]
    return [titles.fit(full, screen, short, width=0 if is_wide else None), "", *lines, "", *footer]


def markdown_of(found: GroupList, limit: Optional[int], screen: Screen) -> List[str]:
    """Return the table as Markdown, and below it what its numbers are."""
    from . import markdown  # few ask for it

    told = [screen.own("mean ± std of finished runs")] if found.measures else []
    told += [over(found, screen)] if found.over else []
    told += [each for each in legend(found, limit, screen) if not each.startswith("*")]  # the best is bold
    return [*markdown.table(columns_of(found, limit, screen, is_wide=True)), *markdown.paragraph(told, screen)]


def over(found: GroupList, screen: Screen) -> str:
    """Return which params make no difference, the first four by name: ``over seed``."""
    names = list(map(screen.clean, found.over[:_MOST_OVER]))
    more = len(found.over) - len(names)
    return "over " + ", ".join(names) + (" and %d more" % more if more else "")


def parents(found: GroupList, screen: Screen) -> Any:
    """Return a row of the footer that tells of runs that are in no group, without texts where there are none."""
    if not found.parents:
        return "left out", []
    runs = numbers.counted(found.parents, "run")
    return "left out", ["%s without %s, of which others are children" % (runs, screen.clean(found.measures[0].metric))]


def legend(found: GroupList, limit: Optional[int], screen: Screen) -> List[str]:
    """Return what the signs behind means say."""
    shown = [found.table_of(spec) for spec in found.specs if spec.kind == "measure"]
    if not any(shown):
        return []
    told = ["* best mean", screen.own("≈ within noise of it (Welch t, 5 %)")]
    if any(group.diverged and group.count for each in shown if each for group in each.groups[:limit]):
        told.append(screen.own("× without its runs that ended at NaN or inf"))
    return told


def columns_of(found: GroupList, limit: Optional[int], screen: Screen, *, is_wide: bool = False) -> List[Column]:
    """Return the columns of the first groups, or of all."""
    of_params = [spec for spec in found.specs if spec.kind in ("params", "tags")]
    named = [(spec.name(), group_columns.values(spec, found)[:limit]) for spec in of_params]
    params = dict(zip(of_params, run_table.param_columns(named, screen, is_wide=is_wide)))
    metrics = [spec for spec in found.specs if spec.kind == "measure"]
    columns = []
    for spec in found.specs:
        if spec.kind == "attributes":
            columns.append(_attribute_column(spec.key, found, limit, screen))
        elif spec.kind == "measure":
            place = metrics.index(spec)
            columns.append(_metric_column(spec, found, limit, screen, 900.0 + place if place else None))
        else:
            columns.append(params[spec])
    return columns


def _attribute_column(name: str, found: GroupList, limit: Optional[int], screen: Screen) -> Column:
    groups = found.tables[0].groups[:limit]
    values = group_columns.values(run_columns.attribute(name), found)[:limit]
    if name == "group":
        return tables.column("#", values, role="quiet")
    if name == "n":
        return tables.column("n", [share(group) for group in groups])
    if name == "runs":
        statuses = ([found.runs[run_id].info.status for run_id in group.run_ids] for group in groups)
        return tables.column("runs", [marks(each, screen) for each in statuses], drops=1000.0)
    if name == "experiment":
        names = apart.cut_apart([screen.clean(each) for each in values], _WIDEST_NAME)
        return tables.column("experiment", names, shrinks="middle")
    if name == "took":
        cells = ["" if each is None else spans.took(each) for each in values]
        return tables.column("took", cells, is_right=True, drops=970.0)
    return tables.column(name, [screen.clean(str(each)) for each in values], is_right=name == "finished", drops=960.0)


def _metric_column(
    spec: Spec, found: GroupList, limit: Optional[int], screen: Screen, drops: Optional[float]
) -> Column:
    of_metric, title = found.table_of(spec), found.measure_of(spec).title(screen)
    if of_metric is None:  # of another run
        none = [screen.glyph("none")] * len(found.tables[0].groups[:limit])
        return tables.column(spec.key, none, title, drops=drops)
    shown = of_metric._replace(groups=of_metric.groups[:limit])
    signs = verdicts(shown, screen)
    cells = mean_and_std(shown.groups, screen)
    width, widest = (max(map(len, each), default=0) for each in (cells, signs))
    cells = [cell.ljust(width) + (" " + sign).ljust(1 + max(widest, 1)) for cell, sign in zip(cells, signs)]
    roles = ["best" if sign.startswith("*") else None for sign in signs]
    return tables.column(spec.key, cells, title, roles=roles, drops=drops)


def marks(statuses: Sequence[str], screen: Screen) -> str:
    """Return the signs of the statuses of a group's runs, the first eight."""
    shown = "".join(screen.mark(status, plain=True) for status in statuses[:_MOST_MARKS])
    return shown + (screen.glyph("ellipsis") if len(statuses) > _MOST_MARKS else "")
