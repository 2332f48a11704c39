"""``mini-mlflow ls -g``: which runs are equal but for the seed, and which group is best beyond noise?"""

from __future__ import annotations

from collections import namedtuple

from .. import seeds
from ..group_records import Group, Groups
from ..groups import group_runs
from . import apart, numbers, picked, rows, run_columns, run_table, spans, tables, titles
from .facts import Facts
from .failures import DONE, NOT_FOUND, CommandError, closing_advice
from .which import which_experiment
from .written_rows import write_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from .picked import Wanted
    from .ranked import Measure
    from .screen import Screen
    from .tables import Column
    from .target import Target

_FINISHED = "FINISHED"
BY_EXPERIMENT = "attributes.experiment_id"  # equal params of two experiments mean two things
_EXPERIMENT = "\0experiment"  # no param is called so
_WIDEST_NAME = 24
_MOST_MARKS = 8


class GroupList(namedtuple("GroupList", ["total", "over", "by", "measures", "runs", "tables", "names"])):
    """Groups of runs, as data.

    Attributes:
        total: How many runs they are made of.
        over: The params that make no difference.
        by: The params that tell groups apart.
        measures: What is shown of metrics; the groups are in the order of the first.
        runs: The runs by id.
        tables: For each measure its ``Groups``, all in the order of the first one's; one where there is no measure.
        names: The names of experiments by their ids.
    """

    __slots__ = ()

    total: int
    over: List[str]
    by: List[str]
    measures: List[Measure]
    runs: Dict[str, Any]
    tables: List[Groups]
    names: Dict[str, str]

    def experiment_of(self, group: Group) -> str:
        """Return the id of the experiment whose runs a group has."""
        return str(self.runs[group.run_ids[0]].info.experiment_id)

    def is_across(self) -> bool:
        """Tell whether the runs are of several experiments."""
        return len({each.info.experiment_id for each in self.runs.values()}) > 1


def show(arguments: argparse.Namespace, target: Target, word: Optional[str], screen: Screen) -> int:
    """List groups of runs."""
    wanted = picked.read_wanted(arguments, None)._replace(limit=None)
    found = read_groups(arguments, wanted, target, word, screen)
    form = screen.list_form()
    limit = arguments.limit
    if form == "json":
        groups = _documents(found, limit)
        screen.write_json("groups", store=target.shown, total=found.total, over=found.over, groups=groups)
    elif form == "ids":
        shown = found.tables[0].groups[:limit]
        screen.write("".join(screen.clean(each) + "\n" for group in shown for each in group.run_ids))
    elif form == "table":
        remember(found, target)
        name = target.shown if word is None else target.experiment(word).name
        lines = _render(found, name, limit, screen, is_wide=bool(arguments.wide))
        screen.write_lines(lines, is_wide=bool(arguments.wide))
    else:
        heading, values = _rows(found)
        write_rows(heading, values[:limit], form, screen)
    return DONE


def read_groups(
    arguments: argparse.Namespace, wanted: Wanted, target: Target, word: Optional[str], screen: Screen
) -> GroupList:
    """Return groups of the runs that options mean: with ``arguments.group`` the params that make no difference.

    Raises:
        CommandError: A metric or a param is not there.
    """

    def question(table: Any) -> Tuple[List[Any], List[Measure], List[str], List[str]]:
        picked.check_ranking(wanted, table, target.where(word))
        found = picked.sort(wanted, picked.find(wanted, table, screen.now_ms), table, screen.now_ms, target.names())
        facts = Facts(table, found)
        measures = run_columns.list_metrics(
            facts, arguments.metrics, wanted.ranking, is_last=wanted.is_last, is_all=bool(arguments.all)
        )
        by, over = split_params(facts, arguments.group or "")
        return table.runs(found), measures, by, over

    runs, measures, by, over = target.ask(target.ids(word), question, wanted.stages, refresh=arguments.refresh)
    measures = [each for each in measures if any(each.metric in run.data.metrics for run in runs)]
    keys = [BY_EXPERIMENT, *by]
    found = [
        group_runs(runs, keys, metric=each.metric, mode=each.mode, goal=each.goal, runs_dir=target.folder)
        for each in measures
    ]
    found = found or [_without_metric(runs, by, over)]
    order = [frozenset(group.run_ids) for group in found[0].groups]
    if wanted.sorting is not None:  # groups come as the first of their runs do
        place_of = {run.info.run_id: place for place, run in enumerate(runs)}
        order.sort(key=lambda ids: min(map(place_of.__getitem__, ids)))
    in_order = [
        each._replace(groups=sorted(each.groups, key=lambda group: order.index(frozenset(group.run_ids))))
        for each in found
    ]
    return GroupList(len(runs), over, by, measures, {run.info.run_id: run for run in runs}, in_order, target.names())


def _without_metric(runs: Sequence[Any], by: List[str], over: List[str]) -> Groups:
    """Return groups of runs that have no metric: what they have in common, and how many of them are finished."""
    groups: Dict[Tuple[str, ...], List[Any]] = {}
    for run in runs:
        texts = (seeds.comparable(run.data.params[key]) if key in run.data.params else "" for key in by)
        groups.setdefault((str(run.info.experiment_id), *texts), []).append(run)
    return Groups("", "last", by, over, [
        Group(
            {key: each[0].data.params[key] for key in by if key in each[0].data.params},
            [run.info.run_id for run in each],
            sum(run.info.status == _FINISHED for run in each),
            None, None, None, None, {}, None, None, None,
        )
        for each in groups.values()
    ], None)  # fmt: skip


def split_params(facts: Facts, given: str) -> Tuple[List[str], List[str]]:
    """Return the params that tell groups apart, and those that make no difference.

    Raises:
        CommandError: No run has a param that was given.
    """
    keys = facts.keys("params")
    columns = [facts.values("params", key) for key in keys]
    params = [
        {key: value for key, value in zip(keys, values) if value is not None}
        for values in (zip(*columns) if columns else [()] * facts.count)
    ]
    return split_keys(params, facts.values("attributes", "experiment_id"), given)


def split_keys(
    params: Sequence[Dict[str, Any]], ids: Sequence[Any], given: str
) -> Tuple[List[str], List[str]]:
    """Return the same of runs by their params and experiments; see ``split_params``."""
    keys = sorted({key for each in params for key in each})
    texts = [{key: seeds.comparable(value) for key, value in each.items()} for each in params]
    for each, experiment_id in zip(texts, ids):
        each[_EXPERIMENT] = str(experiment_id)  # runs of two experiments are equal in nothing
    if given:
        over = run_columns.split_list(given)
        unknown = [name for name in over if name not in keys]
        if unknown:
            from ..errors import near_names

            near = near_names(unknown[0], keys)
            lines = [] if near else closing_advice(keys, "params")
            raise CommandError("no param '%s' to group over" % unknown[0], NOT_FOUND, near=near, lines=lines)
        varying = seeds.list_varying(texts) if texts else []
        return [name for name in varying if name not in (*over, _EXPERIMENT)], over
    by, over = seeds.split_seeds(texts) if texts else ([], [])
    by = [name for name in by if name != _EXPERIMENT]
    if not over and by:
        most = max(by, key=lambda name: len({each.get(name) for each in texts}))
        by, over = [name for name in by if name != most], [most]
    return by, over


def remember(found: GroupList, target: Target) -> None:
    """Note which runs g1, g2 and so on are."""
    meant = [
        [(str(found.runs[run_id].info.experiment_id), run_id) for run_id in group.run_ids]
        for group in found.tables[0].groups
    ]
    rows.remember(target.folder, groups=meant)


def mean_and_std(groups: Sequence[Group], screen: Screen) -> List[str]:
    """Return the mean of each group with its spread: two digits of the median spread."""
    decimals = numbers.spread_decimals([group.mean for group in groups], [group.std for group in groups])
    means = numbers.column([group.mean for group in groups], screen.glyph("none"), decimals)
    sign = screen.glyph("plus_minus")
    stds = [None if group.std is None else numbers.fixed(group.std, decimals) for group in groups]
    width = max((len(std) for std in stds if std), default=0)
    return [mean + (" %s %s" % (sign, std.rjust(width)) if std is not None else "") for mean, std in zip(means, stds)]


def verdicts(found: Groups, screen: Screen) -> List[str]:
    """Return a sign for each group: ``*`` the best mean, ``≈`` within noise of it."""
    best = None if found.best is None else frozenset(found.best.run_ids)
    signs = []
    for group in found.groups:
        is_best = best is not None and frozenset(group.run_ids) == best
        signs.append("*" if is_best else screen.glyph("noise") if group.is_within_noise else "")
    return signs


def share(group: Group) -> str:
    """Return how many runs are behind a group's numbers: ``3`` or ``2/3``."""
    return "%d" % group.count if group.count == len(group.run_ids) else "%d/%d" % (group.count, len(group.run_ids))


def _render(found: GroupList, name: str, limit: Optional[int], screen: Screen, *, is_wide: bool) -> List[str]:
    first = found.tables[0]
    head = [titles.name(name, screen, role="strong")]
    groups = first.groups[:limit]
    plural = numbers.counted(len(first.groups), "group")
    head.append(titles.fact("%s in %s" % (numbers.counted(found.total, "run"), plural), screen))
    if found.over:
        head.append(titles.fact("over " + ", ".join(map(screen.clean, found.over)), screen))
    full = short = head
    if found.measures:
        full, short = ([*head, titles.fact(screen.own("mean ± std" + of), screen)] for of in (" of finished runs", ""))
    if not groups:
        return [titles.fit(head, screen)]
    columns = _columns(found, groups, limit, screen, is_wide=is_wide)
    lines, hidden = tables.render(columns, screen, width=0 if is_wide else None)
    dot = screen.own(" · ")
    legend = ["* best mean", screen.own("≈ within noise of it (Welch t, 5 %)")] if found.measures else []
    plot = "plot %s g1 g2" % screen.clean(found.measures[0].metric) if found.measures else "compare g1"
    legend.append("g1 names all runs of a group: %s" % plot)
    more = len(first.groups) - len(groups)
    left = [numbers.counted(more, "more group"), "-n %d shows them" % len(first.groups)] if more else []
    footer = tables.footer([("hidden", [*hidden, "-w shows them"] if hidden else []), ("not shown", left)], screen)
    from . import texts

    footer += [screen.styled("quiet", " " + part) for part in texts.join_wrapped(legend, dot, screen.width - 1)]
    return [titles.fit(full, screen, short, width=0 if is_wide else None), "", *lines, "", *footer]


def _columns(
    found: GroupList, groups: Sequence[Group], limit: Optional[int], screen: Screen, *, is_wide: bool
) -> List[Column]:
    columns = [
        tables.column("#", ["g%d" % (place + 1) for place in range(len(groups))], role="quiet"),
        tables.column("n", [share(group) for group in groups]),
        tables.column("runs", [_marks(group, found, screen) for group in groups], drops=1000.0),
    ]
    if found.is_across():
        ids = [found.experiment_of(group) for group in groups]
        names = apart.cut_apart([screen.clean(found.names.get(each, each)) for each in ids], _WIDEST_NAME)
        columns.append(tables.column("experiment", names, shrinks="middle"))
    varying = [(name, [group.params.get(name) for group in groups]) for name in found.by]
    columns += run_table.param_columns(varying, screen, is_wide=is_wide)
    for place, (measure, of_metric) in enumerate(zip(found.measures, found.tables)):
        shown = of_metric._replace(groups=of_metric.groups[:limit])
        signs = verdicts(shown, screen)
        cells = mean_and_std(shown.groups, screen)
        width = max(map(len, cells), default=0)
        cells = [cell.ljust(width) + (" " + sign if sign else "  ") for cell, sign in zip(cells, signs)]
        roles = ["best" if sign == "*" else None for sign in signs]
        later = None if place == 0 else 900.0 + place
        columns.append(tables.column(measure.metric, cells, measure.title(screen), roles=roles, drops=later))
    took = [_took(group, found) for group in groups]
    cells = ["" if each is None else spans.took(each) for each in took]
    return [*columns, tables.column("took", cells, is_right=True, drops=970.0)]


def _marks(group: Group, found: GroupList, screen: Screen) -> str:
    statuses = [found.runs[run_id].info.status for run_id in group.run_ids]
    marks = "".join(screen.mark(status, plain=True) for status in statuses[:_MOST_MARKS])
    return marks + (screen.glyph("ellipsis") if len(statuses) > _MOST_MARKS else "")


def _took(group: Group, found: GroupList) -> Optional[float]:
    """Return how long its finished runs took on average."""
    infos = [found.runs[run_id].info for run_id in group.run_ids]
    spans_ms = [
        each.end_time - each.start_time
        for each in infos
        if each.status == _FINISHED and each.end_time is not None and each.start_time is not None
    ]
    return sum(spans_ms) / len(spans_ms) / 1000 if spans_ms else None


def _documents(found: GroupList, limit: Optional[int]) -> List[Dict[str, Any]]:
    told = []
    for place, group in enumerate(found.tables[0].groups[:limit]):
        told.append(
            {
                **which_experiment(found.experiment_of(group), found.names),
                "params": {name: group.params[name] for name in found.by if name in group.params},
                "run_ids": group.run_ids,
                "finished": sum(found.runs[each].info.status == _FINISHED for each in group.run_ids),
                "within_noise": group.is_within_noise,
                "metrics": {
                    measure.metric: numbers_of(measure, of_metric.groups[place])
                    for measure, of_metric in zip(found.measures, found.tables)
                },
            }
        )
    return told


def numbers_of(measure: Measure, group: Group) -> Dict[str, Any]:
    """Return what a metric comes to in a group, for programs."""
    return {
        "of": measure.mode, "mean": group.mean, "std": group.std, "min": group.min, "max": group.max,
        "count": group.count, "p_value": group.p_value, "within_noise": group.is_within_noise,
    }  # fmt: skip


def _rows(found: GroupList) -> Tuple[List[str], List[List[Any]]]:
    """Return the heading and the lines for programs."""
    heading = ["group", "runs", "finished", *found.by]
    for measure in found.measures:
        name = measure.name()
        heading += ["mean(%s)" % name, "std(%s)" % name, "count(%s)" % name, "within_noise(%s)" % name]
    heading += ["experiment", "run_ids"]
    lines = []
    for place, group in enumerate(found.tables[0].groups):
        finished = sum(found.runs[each].info.status == _FINISHED for each in group.run_ids)
        experiment = found.names.get(found.experiment_of(group), found.experiment_of(group))
        line = ["g%d" % (place + 1), len(group.run_ids), finished]
        line += [*(group.params.get(name) for name in found.by)]
        for _, of_metric in zip(found.measures, found.tables):
            each = of_metric.groups[place]
            line += [each.mean, each.std, each.count, each.is_within_noise]
        lines.append([*line, experiment, " ".join(group.run_ids)])
    return heading, lines
