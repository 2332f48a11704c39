"""``plot``: how did a metric go, of several runs or groups of runs?"""

from __future__ import annotations

import re

from . import chart, curves, fitted, legend, limits, numbers, plotted, tables, titles
from .canvas import Pen
from .failures import DONE, NOT_FOUND, USAGE, CommandError
from .options import add_place, whole
from .target import find_target
from .which import which_experiment, which_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from ..group_records import Group
    from .canvas import Piece
    from .chart import Curve, View
    from .chosen import ChosenRun
    from .drawn_metrics import Drawn
    from .options import Parser
    from .plotted import Grouped, GroupLine, Line
    from .screen import Screen
    from .target import Target

EXAMPLES = (
    "plot val.loss                      # its best runs",
    "plot val.loss 1 4-6 --log -z       # rows of the last ls; zoomed",
    "plot val.loss,train.loss last      # both of one run",
    "plot val.loss --ylim 0.2:0.5       # that part of the axis",
    "plot val.acc -g -e cifar10-sweep   # a line per group, over seeds",
)
_ROWS, _MORE_ROWS, _WIDE = 16, 20, 100
_FEWEST_ROWS, _MOST_ROWS = chart.FEWEST_ROWS, 500
_BY_STEP, _BY_TIME = "step", "time"
_MOST_NAMES = 3  # of metrics in the title
_ROW = re.compile(r"g?\d{1,3}(?:-\d{1,3})?")


def add_arguments(parser: Parser) -> None:
    """Say which words and options there are."""
    parser.add_argument(
        "metric", metavar="METRIC",
        help="what is drawn: a metric, several between commas, 'val.*'; METRIC:min or METRIC:max says what is best",
    )  # fmt: skip
    parser.add_argument("runs", metavar="RUN", nargs="*", help="which runs; none: the best that make 6 curves")
    group = parser.add_argument_group("which runs")
    add_place(group)  # type: ignore[arg-type]
    group.add_argument("-f", "--filter", metavar="TEXT", help="of those that fit the best")
    group.add_argument("-n", "--limit", metavar="N", type=whole, help="the best N, not 6")
    group.add_argument(
        "-g", "--group", metavar="PARAM", nargs="?", const="",
        help="a line for each group of runs that are equal but for the seed, or but for PARAM",
    )
    group = parser.add_argument_group("how they are drawn")
    group.add_argument("--log", action="store_true", help="a logarithmic axis of values")
    group.add_argument("--smooth", metavar="W", type=_weight, default=0.0, help="how smooth, from 0 to below 1: 0.6")
    group.add_argument("-z", "--zoom", action="store_true", help="fit what most do after the first tenth")
    group.add_argument("--ylim", metavar="LO:HI", help="the values from LO to HI; 0.2: or :0.5 fits the other end")
    group.add_argument("--xlim", metavar="LO:HI", help="the steps from LO to HI; with -x time seconds or 10m:2h")
    group.add_argument("-x", metavar="X", default=_BY_STEP, help="the other axis: step, time or a METRIC")
    group.add_argument("-H", "--height", metavar="ROWS", type=_rows, help="16 rows; 20 from 100 columns on")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Draw, and return the exit code."""
    target = find_target(arguments)
    by = arguments.group
    if by and _ROW.fullmatch(by):  # -g before rows of ls takes the first one for its own
        arguments.runs, by = [by, *arguments.runs], ""
    wanted = plotted.Selection(arguments.runs, arguments.experiment, arguments.filter, arguments.limit)
    if by is not None and arguments.x != _BY_STEP:
        raise CommandError("-g draws means at each step: -x %s does not go with it" % arguments.x, USAGE)
    _view(arguments, screen)  # before anything is read: its limits may be wrong
    runs, metrics = plotted.choose(arguments.metric, wanted, target, screen, is_for_groups=by is not None)
    if by is None:
        return _plot_runs(runs, metrics, arguments, target, screen)
    return _plot_groups(runs, metrics, by, arguments, target, screen)


def _plot_runs(
    runs: Sequence[ChosenRun], metrics: Sequence[Drawn], arguments: argparse.Namespace, target: Target, screen: Screen
) -> int:
    other = None if arguments.x in (_BY_STEP, _BY_TIME) else arguments.x
    most = max(1, plotted.MOST // len(metrics))
    lines, without = plotted.read_lines(runs[:most], metrics[: plotted.MOST], target, other)
    if not lines:
        raise _nothing(metrics[0].metric, other, runs)
    if screen.is_json:
        keys = [each.metric for each in metrics]
        data = [_as_data(line, target) for line in lines]
        screen.write_json("plot", store=target.shown, metric=keys[0], metrics=keys, x=arguments.x, runs=data)
        return DONE
    view = _view(arguments, screen)
    drawn = [_curve(line, number, view, screen, arguments.smooth) for number, line in enumerate(lines)]
    varying = plotted.list_varying(lines)
    table, hidden = legend.render_lines(lines, varying, target, screen)
    several = numbers.counted(len({line.run for line in lines}), "run")
    where = _where([line.run.experiment_id for line in lines], target)
    lacking: Dict[str, List[str]] = {}
    for drawn_metric, run_without in without:
        lacking.setdefault(screen.clean(other or drawn_metric.metric), []).append(screen.clean(run_without.title()))
    notes = [("no %s" % key, list(dict.fromkeys(names))[:20]) for key, names in lacking.items()]
    if len(runs) > most:
        notes.append(("not drawn", ["%d runs: there are %d letters" % (len(runs) - most, plotted.MOST)]))
    if len(metrics) > plotted.MOST:
        left_out = len(metrics) - plotted.MOST
        notes.append(("not drawn", ["%d metrics: there are %d letters" % (left_out, plotted.MOST)]))
    notes += [*_beyond(drawn, view), ("hidden", _names(hidden))]
    names = [each.metric for each in metrics]
    shown = names if len(names) <= _MOST_NAMES else [arguments.metric]
    _write(screen, shown, arguments, [where, several], _draw(drawn, view, arguments, screen), table, notes)
    return DONE


def _plot_groups(
    runs: Sequence[ChosenRun],
    metrics: Sequence[Drawn],
    over: str,
    arguments: argparse.Namespace,
    target: Target,
    screen: Screen,
) -> int:
    grouped = plotted.read_groups(runs, metrics, over, target)
    if not grouped.lines:
        advice = "means are of finished runs: without -g the others are drawn, too"
        message = "none of these runs is finished and has a metric '%s'" % metrics[0].metric
        raise CommandError(message, NOT_FOUND, lines=[advice])
    groups = list(dict.fromkeys(tuple(line.group.run_ids) for line in grouped.lines))
    most = max(1, (plotted.MOST if arguments.runs else plotted.BEST) // len(metrics))
    shown = set(groups[: arguments.limit or most])
    lines = [line for line in grouped.lines if tuple(line.group.run_ids) in shown][: plotted.MOST]
    keys = list(dict.fromkeys(line.drawn.metric for line in lines))
    if screen.is_json:
        data = [_group_as_data(line, grouped, target) for line in lines]
        facts = {"metric": metrics[0].metric, "metrics": keys, "x": _BY_STEP, "over": grouped.over, "groups": data}
        screen.write_json("plot", store=target.shown, **facts)
        return DONE
    view = _view(arguments, screen)
    drawn = [_curve_of_group(line.group, number, view, screen, arguments.smooth) for number, line in enumerate(lines)]
    status_of = {run.run_id: run.status for run in runs}
    statuses = [
        "".join(screen.mark(status_of[each], plain=True) for each in line.group.run_ids[:8]) for line in lines
    ]
    table, hidden = legend.render_groups(lines, grouped, statuses, target, screen)
    several = numbers.counted(grouped.count, "group")
    facts_told = [_where([run.experiment_id for run in runs], target), "%d runs in %s" % (len(runs), several)]
    if grouped.over:
        facts_told.append("over " + ", ".join(map(screen.clean, grouped.over)))
    notes = [*_beyond(drawn, view), ("hidden", _names(hidden))]
    drawn_groups = len({tuple(line.group.run_ids) for line in lines})
    if drawn_groups < len(groups):
        left_out = numbers.counted(len(groups) - drawn_groups, "group")
        more = "there are %d letters" % plotted.MOST if len(lines) == plotted.MOST else "-n draws more"
        notes.insert(0, ("not drawn", ["%s; %s" % (left_out, more)]))
    if grouped.count > len(groups):
        notes.insert(0, ("not finished", [numbers.counted(grouped.count - len(groups), "group")]))
    names = keys if len(keys) <= _MOST_NAMES else [arguments.metric]
    _write(screen, names, arguments, facts_told, _draw(drawn, view, arguments, screen), table, notes)
    return DONE


def _view(arguments: argparse.Namespace, screen: Screen) -> View:
    kind = {_BY_STEP: chart.STEP, _BY_TIME: chart.TIME}.get(arguments.x, chart.VALUE)
    x_range = limits.read_limits(arguments.xlim, "--xlim", is_time=kind == chart.TIME)
    y_range = limits.read_limits(arguments.ylim, "--ylim", is_log=arguments.log)
    return chart.View(kind, screen.clean(arguments.x), arguments.log, arguments.zoom, x_range, y_range)


def _curve(line: Line, number: int, view: View, screen: Screen, weight: float) -> Curve:
    columns = screen.width
    if view.x_kind == chart.TIME:
        first = min(line.history.timestamps)  # values may come with times of their own, from before the run
        start_ms = first if line.run.start_time is None else min(first, line.run.start_time)
        points = curves.by_time(line.history, start_ms, columns, weight, view.x_range)
    elif line.other is not None:
        points = curves.by_metric(line.history, line.other, columns, weight)
    else:
        points = curves.by_step(line.history, columns, weight, view.x_range)
    return chart.Curve(Pen(number, legend.LETTERS[number]), *points, [])


def _curve_of_group(group: Group, number: int, view: View, screen: Screen, weight: float) -> Curve:
    steps = group.steps
    assert steps is not None
    middle, least, most = (
        curves.of_group(steps.steps, values, screen.width, weight, view.x_range)
        for values in (steps.mean, steps.min, steps.max)
    )
    edges = [least, most] if max(steps.count) > 1 else []
    return chart.Curve(Pen(number, legend.LETTERS[number]), *middle, edges)


def _draw(drawn: Sequence[Curve], view: View, arguments: argparse.Namespace, screen: Screen) -> List[str]:
    rows = arguments.height or (_MORE_ROWS if screen.width >= _WIDE else _ROWS)
    form = {"is_ascii": screen.is_ascii, "has_colour": screen.has_colour}
    lines = chart.draw(drawn, view, screen.width, rows, **form)
    if not lines:
        whole_ = view._replace(x_range=limits.ANYWHERE, y_range=limits.ANYWHERE)
        if whole_ != view and chart.draw(drawn, whole_, screen.width, rows, **form):
            return [screen.styled("warn", " no value lies there: without --xlim and --ylim there is a chart")]
        view = whole_
        if view.is_log and chart.draw(drawn, view._replace(is_log=False), screen.width, rows, **form):
            return [screen.styled("warn", " no value is above 0: without --log there is a chart")]
        return [screen.styled("warn", " no value is a number")]
    return [styled(line, screen) for line in lines]


def _beyond(drawn: Sequence[Curve], view: View) -> List[Tuple[str, List[str]]]:
    """Return the note on what zooming leaves out beside the first tenth."""
    far = fitted.list_beyond(drawn, view)
    told = ["%s goes to %s" % (each.pen.letter, numbers.alone(each.value)) for each in far]
    return [("beyond", [*told, "without -z all is drawn"])] if told else []


def styled(line: Sequence[Piece], screen: Screen) -> str:
    """Return a line of a chart as text with colours, where the screen has them."""
    return "".join(
        text if colour is None else screen.styled("quiet" if colour == chart.FRAME else legend.colour_of(colour), text)
        for text, colour in line
    )


def _write(
    screen: Screen,
    names: Sequence[str],
    arguments: argparse.Namespace,
    facts: Sequence[str],
    drawing: Sequence[str],
    table: Sequence[str],
    notes: Sequence[Tuple[str, Sequence[str]]],
) -> None:
    how = ["log"] if arguments.log else []
    how += ["zoomed"] if arguments.zoom else []
    how += ["y %s" % screen.clean(arguments.ylim)] if arguments.ylim else []
    how += ["x %s" % screen.clean(arguments.xlim)] if arguments.xlim else []
    how += ["smoothed %g" % arguments.smooth] if arguments.smooth else []
    parts = [titles.name(each, screen, ", ", "strong") for each in names]
    parts += [titles.fact(each, screen, ", ") for each in how]
    parts += [titles.name(facts[0], screen), *(titles.fact(each, screen) for each in facts[1:])]
    title = titles.fit(parts, screen)
    footer = tables.footer(notes, screen)
    screen.write_lines([title, *drawing, *table, *([""] if footer else []), *footer])


def _where(experiment_ids: Sequence[str], target: Target) -> str:
    there = list(dict.fromkeys(experiment_ids))
    if len(there) > 1:
        return "%d experiments" % len(there)
    return target.names().get(there[0], there[0])


def _names(keys: Sequence[str]) -> List[str]:
    return [key.partition("params.")[2] or key for key in keys]


def _as_data(line: Line, target: Target) -> Any:
    run, history = line.run, line.history
    data: Dict[str, Any] = {
        **which_run(run.run_id, run.name, run.experiment_id, target.names()),
        "metric": line.drawn.metric,
        "status": run.status,
        "steps": list(history.steps),
        "timestamps_ms": list(history.timestamps),
        "values": list(history.values),
    }
    if line.other is not None:
        places = dict(zip(line.other.steps, line.other.values))
        data["x_values"] = [places.get(step) for step in history.steps]
    return data


def _group_as_data(line: GroupLine, grouped: Grouped, target: Target) -> Any:
    group = line.group
    assert group.steps is not None
    which = which_experiment(grouped.experiment_of[group.run_ids[0]], target.names())
    params = {key: value for key, value in group.params.items() if key in grouped.by}
    head = {**which, "metric": line.drawn.metric, "params": params, "run_ids": group.run_ids}
    return {**head, "finished": group.count, **group.steps._asdict()}


def _nothing(metric: str, other: Optional[str], runs: Sequence[ChosenRun]) -> CommandError:
    """Return the error that no run has what is to be drawn."""
    from ..store import reader
    from .failures import closing_advice, not_found

    there = sorted({key for run in runs[: plotted.MOST] for key in reader.list_metrics(run.folder)})
    missing = metric if metric not in there or other is None else other
    if missing in there:
        return CommandError("no run has a value of '%s' where it has one of '%s'" % (metric, other), NOT_FOUND)
    error = not_found("metric", missing, "these runs" if len(runs) > 1 else "this run", there)
    if not error.near:
        error.lines = closing_advice(there)
    return error


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = -1.0
    if not 0.0 <= weight < 1.0:
        raise CommandError("'%s' is no smoothing: from 0, which changes nothing, to below 1" % text, USAGE)
    return weight


def _rows(text: str) -> int:
    rows = whole(text)
    if not _FEWEST_ROWS <= rows <= _MOST_ROWS:
        raise CommandError("'%s' is no height: from %d to %d rows" % (text, _FEWEST_ROWS, _MOST_ROWS), USAGE)
    return rows
