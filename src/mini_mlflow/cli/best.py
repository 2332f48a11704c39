"""``mini-mlflow best``: the runs with the best values of a metric."""

from __future__ import annotations

from collections import namedtuple

from .. import goals, seeds
from ..groups import group_runs
from ..query.conditions import find_rows
from ..query.grammar import parse_filter
from ..query.ordering import sort_rows
from . import (
    group_list,
    group_table,
    numbers,
    options,
    ranked,
    rows,
    run_columns,
    run_documents,
    run_table,
    spans,
    tables,
    titles,
)
from .chosen import check_one_experiment, no_metric, title_of
from .facts import Facts
from .failures import DONE, NOT_FOUND, USAGE, CommandError
from .target import find_target
from .written_rows import write_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Dict, List, Optional, Tuple

    from ..group_records import Groups
    from .options import Parser
    from .ranked import Measure
    from .screen import Screen
    from .target import Target

EXAMPLES = ("best val.acc -e cifar10-sweep", "best val.loss:min -f 'lr < 0.1' -n 3", "best val.acc -q")
_ON_A_TERMINAL = 10


class Best(namedtuple("Best", ["measure", "total", "runs", "values", "steps", "counts", "lasts", "params", "groups"])):
    """The best runs, as data.

    Attributes:
        measure: The metric, and which end is best.
        total: How many runs were looked at.
        runs: The best of them, the best first.
        values: Their best values.
        steps: At which steps these are.
        counts: How many values each has.
        lasts: Their latest values.
        params: Params that are not the same in all runs that were looked at.
        groups: All of them as groups that are equal but for the seed, by which params, and the command that lists them
            in this order; None where nothing is.
    """

    __slots__ = ()

    measure: Measure
    total: int
    runs: List[Any]
    values: List[Any]
    steps: List[Any]
    counts: List[Any]
    lasts: List[Any]
    params: List[str]
    groups: Optional[Tuple[Groups, List[str], str]]


def add_arguments(parser: Parser) -> None:
    """Add what ``best`` takes."""
    parser.add_argument(
        "metric", metavar="METRIC[:min|:max]", help="the metric; its name tells which end is best, else :max"
    )
    options.add_place(parser)
    parser.add_argument("-f", "--filter", metavar="TEXT", help="only runs that this means, such as 'lr < 0.1'")
    parser.add_argument(
        "-n", "--limit", metavar="N", type=options.whole, help="at most N; 10 on a terminal, 1 with -q, else all"
    )
    parser.add_argument("--refresh", action="store_true", help="read every file's state anew")
    options.add_form(parser)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show the best runs."""
    target = find_target(arguments)
    form = screen.list_form()
    limit = arguments.limit or {"ids": 1, "table": _ON_A_TERMINAL if screen.is_terminal else None}.get(form)
    found = read_best(arguments, target, limit, screen, form=form)
    if form == "ids":
        screen.write("".join(screen.clean(each.info.run_id) + "\n" for each in found.runs))
    elif form == "json":
        _show_json(found, target, screen)
    elif form == "md":
        from . import markdown  # few ask for it

        screen.write_lines(markdown.table(_columns(found, screen, is_wide=True)), is_wide=True)
    elif form == "table":
        _show_table(found, target, screen)
    else:
        heading, lines = _rows(found, target)
        write_rows(heading, lines, form, screen)
    return DONE


def read_best(
    arguments: argparse.Namespace, target: Target, limit: Optional[int], screen: Screen, *, form: str
) -> Best:
    """Return the best runs of one experiment.

    Raises:
        CommandError: No run has the metric, or those of several experiments have.
    """
    metric, goal = goals.split_goal(arguments.metric)
    if not metric:
        raise CommandError("best needs a METRIC", USAGE)
    goal = goal or goals.goal_of(metric) or "max"
    measure = ranked.Measure(metric, goal, goal)
    condition = parse_filter(arguments.filter)

    def question(table: Any) -> Best:
        found = sort_rows(find_rows(condition, table, screen.now_ms), [], table, screen.now_ms)
        if metric not in table.keys("metrics"):
            raise no_metric(metric, table, target.where(arguments.experiment))
        values = ranked.values_of(measure, table, found)
        experiments = table.column("attributes", "experiment_id") or ()
        check_one_experiment(metric, [experiments[row] for row in found], values, target)
        order = [place for place in ranked.sort_by(values, goal) if values[place] is not None]
        if not order:
            raise CommandError("none of %s has metric '%s'" % (numbers.counted(len(found), "run"), metric), NOT_FOUND)
        there = [found[place] for place in order]
        facts = Facts(table, there[:limit])
        everything = None if form in ("ids", "json") else Facts(table, there)
        params = [] if everything is None else run_columns.split_params(everything)[0]
        groups = _grouped(everything, table, there, measure, target) if everything and form == "table" else None
        return Best(
            measure=measure,
            total=len(there),
            runs=table.runs(there[:limit]),
            values=[values[place] for place in order[:limit]],
            steps=[
                step if ranked.is_finite(values[place]) else None
                for place, step in zip(order, facts.summary("%s_step" % goal, metric))
            ],
            counts=facts.summary("count", metric),
            lasts=facts.summary("last", metric),
            params=params,
            groups=groups,
        )

    return target.ask(target.ids(arguments.experiment), question, refresh=arguments.refresh)


def _grouped(
    facts: Facts, table: Any, there: List[int], measure: Measure, target: Target
) -> Optional[Tuple[Groups, List[str], str]]:
    """Return the runs as groups, and how to list these; None where each run stands alone."""
    by, over = group_list.split_params(facts, "")
    if not over or not any(seeds.is_seed_like(name) for name in over):
        return None
    stored = table.runs(there)
    groups = group_runs(stored, by, metric=measure.metric, mode=measure.mode, runs_dir=target.folder)
    return groups, over, _listing(facts, measure)


def _listing(facts: Facts, measure: Measure) -> str:
    """Return the command that lists groups by the measure: what they are listed by at first need not be named."""
    if run_columns.list_metrics(facts, None, None, is_last=False, is_all=False)[:1] == [measure]:
        return "ls -g"
    is_named = measure == ranked.measure_of(measure.metric)
    return "ls -g -b " + (measure.metric if is_named else "%s:%s" % (measure.metric, measure.mode))


def _show_table(found: Best, target: Target, screen: Screen) -> None:
    names = target.names()
    ids = [(str(each.info.experiment_id), each.info.run_id) for each in found.runs]
    rows.remember(target.folder, ids)
    experiment = names.get(ids[0][0], ids[0][0])
    counted = numbers.counted(found.total, "run")
    head = titles.fit([
        titles.name(found.measure.title(screen), screen, role="strong"), titles.name(experiment, screen),
        titles.fact(counted, screen),
    ], screen)  # fmt: skip
    lines, hidden = tables.render(_columns(found, screen), screen)
    told = [] if found.groups is None else _over_seed(found, target, screen)
    footer = tables.footer([*told, ("hidden", hidden)], screen)
    screen.write_lines([head, "", *lines, *(["", *footer] if footer else [])])


def _columns(found: Best, screen: Screen, *, is_wide: bool = False) -> List[tables.Column]:
    none = screen.glyph("none")
    infos = [each.info for each in found.runs]
    at = [none if step is None else str(step) for step in found.steps]
    counts = [none if count is None else numbers.count(count) for count in found.counts]
    decimals = numbers.decimals_of([*found.values, *found.lasts])
    columns = [
        tables.column("#", [str(place + 1) for place in range(len(infos))], is_right=True, role="quiet"),
        tables.column(
            "status", [screen.mark(each.status, plain=True) for each in infos], "",
            roles=[run_table.role_of(each.status) for each in infos],
        ),
        tables.column("name", [screen.clean(title_of(each.run_name, each.run_id)) for each in infos], shrinks="middle"),
        run_table.metric_column(found.measure, found.values, screen),
        tables.column("at step", at, is_right=True, drops=850.0),
        tables.column("steps", counts, is_right=True, drops=980.0),
        tables.column("last", numbers.column(found.lasts, none, decimals), drops=900.0),
    ]  # fmt: skip
    varying = [(key, [each.data.params.get(key) for each in found.runs]) for key in found.params]
    columns += run_table.param_columns(varying, screen, is_wide=is_wide)
    ages = [none if each.start_time is None else spans.age((screen.now_ms - each.start_time) / 1000) for each in infos]
    columns.append(tables.column("age", ages, is_right=True, drops=800.0))
    return columns


def _over_seed(found: Best, target: Target, screen: Screen) -> List[Tuple[str, List[str]]]:
    """Return what the best group over seeds is, and whether others are within noise of it."""
    assert found.groups is not None
    groups, over, listing = found.groups
    if groups.best is None:
        return []
    experiment_id = str(found.runs[0].info.experiment_id)
    rows.remember(target.folder, groups=[[(experiment_id, each) for each in group.run_ids] for group in groups.groups])
    best = groups.best
    params = [
        "%s %s" % (screen.clean(key), screen.clean(numbers.params([value])[0])) for key, value in best.params.items()
    ]
    text = group_table.mean_and_std([best], screen)[0].strip()
    near = ["g%d" % (place + 1) for place, group in enumerate(groups.groups) if group.is_within_noise]
    if best.count < 2:
        verdict = "too few runs to tell what is noise"
    elif near:
        verdict = "within noise of it: %s (%s)" % (", ".join(near), screen.clean(listing))
    else:
        verdict = "no other group is within noise of it (%s)" % screen.clean(listing)
    label = "over " + ", ".join(map(screen.clean, over))
    items = ["g1", *params, text, "n " + group_table.share(best)]
    return [(label, items), ("", [verdict])]


def _rows(found: Best, target: Target) -> Tuple[List[str], List[List[Any]]]:
    names = target.names()
    heading = [
        "id",
        "name",
        "experiment",
        "status",
        found.measure.name(),
        "best_step",
        "last(%s)" % found.measure.metric,
    ]
    heading += ["count", "start_time", *found.params]
    lines = []
    for each, value, step, last, count in zip(found.runs, found.values, found.steps, found.lasts, found.counts):
        info = each.info
        experiment = names.get(str(info.experiment_id), str(info.experiment_id))
        params = [each.data.params.get(key) for key in found.params]
        head = [info.run_id, info.run_name, experiment, info.status, value, step, last, count]
        lines.append([*head, spans.iso(info.start_time), *params])
    return heading, lines


def _show_json(found: Best, target: Target, screen: Screen) -> None:
    names = target.names()
    documents: List[Dict[str, Any]] = []
    for each, value, step in zip(found.runs, found.values, found.steps):
        folder = run_documents.folder_of(each)
        document = run_documents.run_document(each, folder, names, screen.now_ms)
        documents.append({**document, "best": {"value": value, "step": step}})
    screen.write_json(
        "best",
        store=target.shown,
        metric=found.measure.metric,
        of=found.measure.mode,
        total=found.total,
        runs=documents,
    )
