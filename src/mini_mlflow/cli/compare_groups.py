"""``mini-mlflow compare g1 g2``: what differs between groups of runs, in what their metrics come to, beyond noise?"""

from __future__ import annotations

import re
from collections import namedtuple

from .. import errors, goals, groups, noise, seeds
from ..keys import FINISHED
from ..store import reader
from . import beside, group_documents, group_table, numbers, ranked, rows, texts
from .beside import Section
from .chosen import choose_runs
from .facts import SYSTEM
from .failures import NOT_FOUND, USAGE, CommandError
from .which import which_experiment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence

    from ..group_records import Group, Groups
    from ..records import Problem
    from .chosen import ChosenRun
    from .ranked import Measure
    from .screen import Screen
    from .target import Target

_WORD = re.compile(r"g(\d{1,3})")
_PERCENT, _PLAIN, _P_BELOW = _HOW = ("percent", "plain", "p below")  # what is told of two, where there is room
_LEAST_P = 0.001  # what is less likely is not told apart


class ComparedGroups(
    namedtuple("ComparedGroups", ["words", "members", "params", "over", "same", "measures", "tables"])
):
    """Groups of runs beside each other, as data.

    Attributes:
        words: What the groups are called.
        members: The runs of each.
        params: By name the value in each group, of those that tell the groups apart.
        over: The params that differ within a group.
        same: How many params are the same in all runs.
        measures: What is told of which metric.
        tables: For each measure its groups, in the order of the words.
    """

    __slots__ = ()

    words: List[str]
    members: List[List[ChosenRun]]
    params: Dict[str, List[Any]]
    over: List[str]
    same: int
    measures: List[Measure]
    tables: List[Groups]


def find_groups(words: Sequence[str], target: Target) -> List[str]:
    """Return words that all name groups of the last ``ls -g``, each once; none where one does not, or one alone."""
    there = len(rows.recall(target.folder)[1])
    found = [_WORD.fullmatch(word) for word in words]
    if not all(each and 1 <= int(each.group(1)) <= there for each in found):
        return []
    distinct = list(dict.fromkeys(words))
    return distinct if len(distinct) > 1 else []


def show(
    words: Sequence[str], target: Target, screen: Screen, experiment: Optional[str], *, with_system: bool
) -> None:
    """Compare groups.

    Raises:
        CommandError: A run of one is gone, or none of them has a metric.
    """
    if screen.form in ("tsv", "csv"):
        raise CommandError("groups beside each other have no such form", USAGE, lines=["ls -g --%s has" % screen.form])
    problems: List[Problem] = []
    found = _read(words, target, screen, experiment, problems, with_system=with_system)
    errors.warn_of(problems, stacklevel=2)
    if screen.is_json:
        _show_json(found, target, screen)
    else:
        screen.write_lines(_render(found, target, screen), is_wide=screen.form == "md")


def _read(
    words: Sequence[str],
    target: Target,
    screen: Screen,
    experiment: Optional[str],
    problems: List[Problem],
    *,
    with_system: bool,
) -> ComparedGroups:
    members = [choose_runs([word], target, screen, experiment) for word in words]
    records = [[reader.read_folder(run.folder, run.experiment_id, run.run_id) for run in group] for group in members]
    problems += [problem for group in records for record in group for problem in record.problems]
    names = sorted({key for group in records for record in group for key in record.params})
    params: Dict[str, List[Any]] = {}
    over, same = [], 0
    for name in names:
        values = [[record.params.get(name) for record in group] for group in records]
        kinds = [{seeds.comparable(value) for value in group} for group in values]
        if any(len(each) > 1 for each in kinds):
            over.append(name)
        elif len(set.union(*kinds)) > 1:
            params[name] = [group[0] for group in values]
        else:
            same += 1
    keys = goals.sort_metrics({key for group in records for record in group for key in record.metrics})
    measures = [ranked.measure_of(key) for key in keys if with_system or not key.startswith(SYSTEM)]
    if not measures:
        raise CommandError("no run of these groups has a metric to compare them by", NOT_FOUND)
    runs = [run for group in members for run in group]
    tables = [_in_order(each, runs, list(params), members, target) for each in measures]
    return ComparedGroups(list(words), members, params, over, same, measures, tables)


def _in_order(
    measure: Measure,
    runs: Sequence[ChosenRun],
    by: Sequence[str],
    members: Sequence[Sequence[ChosenRun]],
    target: Target,
) -> Groups:
    """Return what a metric comes to in each group, in the order of the words."""
    wanted = ["attributes.experiment_id", *("params." + name for name in by)]
    found = groups.group_runs(
        runs, wanted, metric=measure.metric, mode=measure.mode, goal=measure.goal, with_parents=True,
        runs_dir=target.folder,
    )
    place = {run.run_id: number for number, group in enumerate(members) for run in group}
    return found._replace(groups=sorted(found.groups, key=lambda group: place[group.run_ids[0]]))


def _render(found: ComparedGroups, target: Target, screen: Screen) -> List[str]:
    none, is_pair = screen.glyph("none"), len(found.words) == 2
    counts = ["runs", *(_count(group, screen) for group in found.members)]
    names = target.names()
    experiments = [names.get(group[0].experiment_id, group[0].experiment_id) for group in found.members]
    sections = [Section("", [counts])]
    if len(set(experiments)) > 1:
        sections[0].rows.append(["experiment", *map(screen.clean, experiments)])
    total = len(found.params) + len(found.over) + found.same
    if total:
        shown = []
        for name, values in found.params.items():
            drawn = numbers.params(values)
            cells = [none if value is None else screen.clean(text) for value, text in zip(values, drawn)]
            shown.append([screen.clean(name), *cells])
        title = "params that differ  (%d of %d)" % (len(shown), total)
        sections.append(Section(title, shown, is_apart=True))
    heads = [screen.clean(word) for word in found.words]
    for how in _HOW if is_pair else _HOW[-1:]:
        told_of = [_metric_rows(*each, screen, how) for each in zip(found.measures, found.tables)]
        metrics = [row for rows_of in told_of for row in rows_of]
        difference = "b − a" if how != _P_BELOW else ""
        title = "metrics  mean %s std" % screen.glyph("plus_minus")
        best = [
            place
            for table, rows_of in zip(found.tables, told_of)
            for place in [group_table.best_place(table), *[None] * (len(rows_of) - 1)]
        ]
        told = [*sections, Section(title, metrics, difference, is_whole=True, best=best)]
        if beside.is_one_block(heads, told, screen):
            break
    footer = _footer(found, best, screen)
    if screen.form == "md":
        from . import markdown  # few ask for it

        lines = markdown.sections(beside.lettered(heads), told, screen.own(difference))
        return [*lines, *markdown.paragraph([each for each in footer if not each.startswith("*")], screen)]
    parts = texts.join_wrapped(footer, screen.own(" · "), screen.width - 1)
    return [*beside.render(heads, told, screen), "", *(screen.styled("quiet", " " + part) for part in parts)]


def _footer(found: ComparedGroups, best: Sequence[Optional[int]], screen: Screen) -> List[str]:
    """Return what the signs say, and what the groups have in common."""
    is_pair = len(found.words) == 2
    footer = ["* better mean" if is_pair else "* best mean"] if any(each is not None for each in best) else []
    if any(group.is_within_noise for table in found.tables for group in table.groups):
        footer.append(screen.own("≈ within noise of it (Welch t, 5 %)"))
    if any(group.diverged and group.count for table in found.tables for group in table.groups):
        footer.append(screen.own("× without its runs that ended at NaN or inf"))
    footer.append("of finished runs")
    footer += ["over " + ", ".join(map(screen.clean, found.over))] if found.over else []
    return footer + (["same: " + numbers.counted(found.same, "param")] if found.same else [])


def _count(group: Sequence[ChosenRun], screen: Screen) -> str:
    return "%d %s" % (len(group), group_table.marks([run.status for run in group], screen))


def _metric_rows(measure: Measure, table: Groups, screen: Screen, how: str) -> List[List[str]]:
    """Return the means of a metric with the difference of two, or with a row that tells how likely each one's is."""
    cells = group_table.mean_and_std(table.groups, screen)
    signs = group_table.verdicts(table, screen)
    row = [measure.title(screen)]
    for group, cell, sign in zip(table.groups, cells, signs):
        is_part = group.count < len(group.run_ids)
        count = "  (%s)" % group_table.share(group) if is_part else ""
        row.append((cell.strip() + count + " " + sign).rstrip())
    if how != _P_BELOW:
        a, b = table.groups
        return [[*row, _difference(a, b, screen, with_percent=how == _PERCENT)]]
    if len(table.groups) == 2:
        of_two = _p_of(*table.groups)
        return [row] if of_two is None else [row, ["  p", "", _p(of_two)]]
    if all(group.p_value is None for group in table.groups):
        return [row]
    return [row, ["  p", *("" if group.p_value is None else _p(group.p_value) for group in table.groups)]]


def _difference(a: Group, b: Group, screen: Screen, *, with_percent: bool) -> str:
    if a.mean is None or b.mean is None:
        return ""
    decimals = numbers.spread_decimals([a.mean, b.mean], [a.std, b.std])
    minus, difference = screen.glyph("minus"), b.mean - a.mean
    parts = [numbers.signed(difference, decimals, minus) if difference else "0"]
    if a.mean and difference and with_percent:
        parts.append(numbers.percent(difference / abs(a.mean) * 100, minus))
    p_value = _p_of(a, b)
    parts.append("" if p_value is None else "p " + _p(p_value))
    return "  ".join(part for part in parts if part)


def _p_of(a: Group, b: Group) -> Optional[float]:
    return noise.welch_p(list(a.values.values()), list(b.values.values()))


def _p(value: float) -> str:
    return "< %g" % _LEAST_P if value < _LEAST_P else "%.2g" % value


def _show_json(found: ComparedGroups, target: Target, screen: Screen) -> None:
    names = target.names()
    documents = []
    for place, (word, members) in enumerate(zip(found.words, found.members)):
        documents.append(
            {
                "group": word,
                **which_experiment(members[0].experiment_id, names),
                "params": {name: values[place] for name, values in found.params.items()},
                "run_ids": [run.run_id for run in members],
                "finished": sum(run.status == FINISHED for run in members),
                "metrics": {
                    measure.metric: group_documents.numbers_of(measure.mode, table.groups[place])
                    for measure, table in zip(found.measures, found.tables)
                },
            }
        )
    total = sum(map(len, found.members))
    screen.write_json("groups", store=target.shown, total=total, over=found.over, groups=documents)
