"""Which runs or groups of runs does a chart of metrics show, and what do their histories hold?"""

from __future__ import annotations

from collections import namedtuple
from math import isnan

from .. import errors, seeds, series
from ..errors import MiniMLflowError
from ..query.conditions import find_rows
from ..query.grammar import parse_filter
from ..query.ordering import sort_rows
from ..search import scanning
from ..store import columns, reader
from . import chosen, drawn_metrics, ranked
from .failures import NOT_FOUND, CommandError
from .run_rows import runs_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from ..group_records import Group, Groups
    from ..records import Columns, Number, Problem
    from .chosen import ChosenRun
    from .drawn_metrics import Drawn
    from .screen import Screen
    from .target import Target

BEST = 6  # runs, or groups, where none are named
MOST = 52  # there are no more letters


class Line(namedtuple("Line", ["run", "drawn", "params", "history", "other", "last", "best", "best_step"])):
    """One run's history of a metric, and what it comes to.

    Attributes:
        run: The run.
        drawn: The metric, and which end of it is best.
        params: Its params.
        history: One row for each step.
        other: The history of the metric that stands on the x-axis, None where there is none.
        last: The latest value.
        best: The best, None where the metric's name does not tell which that is, or no value is a number.
        best_step: Where that was reached first.
    """

    __slots__ = ()

    run: ChosenRun
    drawn: Drawn
    params: Dict[str, Any]
    history: Columns
    other: Optional[Columns]
    last: Number
    best: Optional[Number]
    best_step: Optional[int]


class GroupLine(namedtuple("GroupLine", ["group", "drawn", "whole"])):
    """What a metric comes to at each step of a group of runs.

    Attributes:
        group: The group, with its ``steps``.
        drawn: The metric, and which end of it is best.
        whole: All groups, of this metric.
    """

    __slots__ = ()

    group: Group
    drawn: Drawn
    whole: Groups


class Grouped(namedtuple("Grouped", ["lines", "count", "by", "over", "experiment_of"])):
    """Groups of runs as they are drawn.

    Attributes:
        lines: Those of one group beside each other; the best group of the first metric first.
        count: How many groups there are, also without a line.
        by: The params that tell groups apart.
        over: The params that make no difference.
        experiment_of: The experiment of each run, by run id.
    """

    __slots__ = ()

    lines: List[GroupLine]
    count: int
    by: List[str]
    over: List[str]
    experiment_of: Dict[str, str]


class Selection(namedtuple("Selection", ["words", "experiment", "filter", "limit"])):
    """Which runs were asked for.

    Attributes:
        words: The RUN words; without any, the best runs are meant.
        experiment: Name or id of the only experiment to look in, or None.
        filter: What the runs have to fulfil, or None; for when no run is named.
        limit: How many of the best; None: as many as make ``BEST`` lines.
    """

    __slots__ = ()

    words: Sequence[str]
    experiment: Optional[str]
    filter: Optional[str]
    limit: Optional[int]


def choose(
    text: str, wanted: Selection, target: Target, screen: Screen, *, is_for_groups: bool
) -> Tuple[List[ChosenRun], List[Drawn]]:
    """Return what to draw of which runs: those that are named, else the best; for groups all that have the metric.

    Of several metrics the first tells which runs are the best, and there are fewer of these.

    Raises:
        CommandError: There is no such run or metric, or several experiments have the metric.
    """
    if wanted.words:
        runs = chosen.choose_runs(wanted.words, target, screen, wanted.experiment)
        is_one = drawn_metrics.is_one(text)
        there = [] if is_one else sorted({key for run in runs for key in reader.list_metrics(run.folder)})
        return runs, drawn_metrics.read_metrics(text, there)

    def look(table: Any) -> Tuple[List[ChosenRun], List[Drawn]]:
        metrics = drawn_metrics.read_metrics(text, table.keys("metrics"))
        limit = wanted.limit or max(1, BEST // len(metrics))
        first = metrics[0]
        chosen_runs = _look(
            table, first.metric, first.goal, wanted._replace(limit=limit), target, screen, is_for_groups=is_for_groups
        )
        return chosen_runs, metrics

    return target.ask(target.ids(wanted.experiment), look)


def _look(
    table: Any,
    metric: str,
    goal: Optional[str],
    wanted: Selection,
    target: Target,
    screen: Screen,
    *,
    is_for_groups: bool,
) -> List[ChosenRun]:
    """Return the runs of a table that are to be drawn; see ``choose``."""
    rows = find_rows(parse_filter(wanted.filter), table, screen.now_ms)
    last = table.column("metrics", metric)
    if last is None:
        raise chosen.no_metric(metric, table, target.where(wanted.experiment))
    there = [row for row in rows if last[row] is not None]
    experiments = table.column("attributes", "experiment_id") or []
    of_rows = [experiments[row] for row in there]
    chosen.check_one_experiment(metric, of_rows, [last[row] for row in there], target)
    if not there:
        fitting = " that fits the filter" if wanted.filter else ""
        raise CommandError("no run%s has a metric '%s'" % (fitting, metric), NOT_FOUND)
    if is_for_groups:
        return runs_of(table, there)
    if len(there) > 1:  # else nothing has to be read to know the best
        measure = ranked.measure_of(metric, goal)
        there = sort_rows(there, [], table, screen.now_ms)  # of equal ones the newest
        order = ranked.sort_by(ranked.values_of(measure, table, there), measure.goal)
        there = [there[place] for place in order[: wanted.limit]]
    return runs_of(table, there)


def read_lines(
    runs: Sequence[ChosenRun], metrics: Sequence[Drawn], target: Target, other: Optional[str] = None
) -> Tuple[List[Line], List[Tuple[Drawn, ChosenRun]]]:
    """Return the histories of runs, those of one run beside each other, and which runs have none of what.

    Args:
        runs: The runs.
        metrics: The metrics.
        target: The store.
        other: The metric of the x-axis; None: there is none.

    Warns:
        StorageWarning: A part of a run cannot be read.
    """
    problems: List[Problem] = []
    lines: List[Line] = []
    without: List[Tuple[Drawn, ChosenRun]] = []
    for run in runs:
        try:
            stored = scanning.read_run(target.folder, run.experiment_id, run.run_id)
        except (OSError, MiniMLflowError):  # removed since, or broken as a whole: ls tells why
            without += [(drawn, run) for drawn in metrics]
            continue
        others = None if other is None else series.latest_per_step(columns.read_parts(run.folder, other, problems))
        for drawn in metrics:
            parts = columns.read_parts(run.folder, drawn.metric, problems)
            history = series.latest_per_step(parts)
            last = stored.data.metrics.get(drawn.metric)
            if not history.steps or last is None or (others is not None and not others.steps):
                without.append((drawn, run))
                continue
            best, best_step = find_best(parts, drawn.goal)
            lines.append(Line(run, drawn, stored.data.params, history, others, last, best, best_step))
    errors.warn_of(problems, stacklevel=2)
    return lines, without


def read_groups(runs: Sequence[ChosenRun], metrics: Sequence[Drawn], over: str, target: Target) -> Grouped:
    """Return runs as groups that are equal but for the seed, as ``ls -g`` has them, with what metrics come to per step.

    Args:
        runs: The runs.
        metrics: The metrics; those that no run has are left out, but for the first.
        over: The params that make no difference, between commas; empty: the seed.
        target: The store.

    Raises:
        CommandError: No run has such a param.
        MetricNotFoundError: None of the runs has the first metric.
    """
    from ..groups import group_runs  # charts of runs do without
    from . import group_list

    stored = []
    for run in runs:
        try:
            stored.append(scanning.read_run(target.folder, run.experiment_id, run.run_id))
        except (OSError, MiniMLflowError):  # removed since, or broken as a whole: ls tells why
            continue
    ids = [str(each.info.experiment_id) for each in stored]
    by, apart_from = group_list.split_keys([each.data.params for each in stored], ids, over)
    found: List[Groups] = []
    for place, drawn in enumerate(metrics):
        if place == 0 or any(drawn.metric in each.data.metrics for each in stored):
            mode = drawn.goal or "last"
            keys = [group_list.BY_EXPERIMENT, *by]
            found.append(
                group_runs(
                    stored,
                    keys,
                    metric=drawn.metric,
                    mode=mode,
                    per_step=True,
                    with_parents=True,
                    runs_dir=target.folder,
                )
            )
    lines = []
    for group in found[0].groups:
        for whole in found:
            same = next(each for each in whole.groups if each.run_ids == group.run_ids)
            if same.steps and same.steps.steps:
                drawn = next(each for each in metrics if each.metric == whole.metric)
                lines.append(GroupLine(same, drawn, whole))
    experiment_of = {each.info.run_id: experiment for each, experiment in zip(stored, ids)}
    return Grouped(lines, len(found[0].groups), by, apart_from, experiment_of)


def find_best(parts: Sequence[Tuple[int, Columns]], goal: Optional[str]) -> Tuple[Optional[Number], Optional[int]]:
    """Return the best value of a history, and the step at which it was reached first; None where nothing is best.

    Args:
        parts: Of each writer its generation and its rows.
        goal: ``min`` or ``max``; None: nothing is best.
    """
    best: Optional[Tuple[Number, int]] = None
    pick = {"max": max, "min": min}.get(goal or "")
    if pick is None:
        return None, None
    for _, part in parts:
        values = part.values
        real = [value for value in values if not isnan(value)] if isnan(sum(values)) else values
        if not real:
            continue
        value = pick(real)
        place = values.index(value)
        if best is None or (value != best[0] and pick(value, best[0]) == value):
            best = value, part.steps[place]
        elif value == best[0]:
            best = value, min(best[1], part.steps[place])
    return best or (None, None)


def list_varying(lines: Sequence[Line]) -> List[str]:
    """Return the params that are not the same in all runs, those with the fewest values last."""
    known = [{key: seeds.comparable(value) for key, value in line.params.items()} for line in lines]
    varying = seeds.list_varying(known)
    return sorted(varying, key=lambda key: (-len({each.get(key) for each in known}), key))
