"""``mini-mlflow history``: every value of metrics, step by step."""

from __future__ import annotations

from collections import namedtuple

from .. import errors, goals, series
from ..store import columns, reader
from . import numbers, options, ranked, run_columns, spans, tables, titles
from .chosen import choose_run
from .facts import SYSTEM
from .failures import DONE, NOT_FOUND, CommandError
from .target import find_target
from .which import which_run
from .written_rows import write_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from ..records import Columns, Problem
    from .chosen import ChosenRun
    from .options import Parser
    from .screen import Screen
    from .target import Target

EXAMPLES = ("history last", "history 4 val.acc 'val.*' -n 80", "history last --json")
_ON_A_TERMINAL = 10


class History(namedtuple("History", ["steps", "timestamps", "metrics", "values"])):
    """Metrics of a run, aligned by step.

    Attributes:
        steps: Every step that any of them has, ascending.
        timestamps: When its last value was logged, milliseconds since 1970-01-01 UTC.
        metrics: Their names.
        values: Of each metric a value for each step, None where it has none.
    """

    __slots__ = ()

    steps: List[int]
    timestamps: List[int]
    metrics: List[str]
    values: List[List[Any]]


def add_arguments(parser: Parser) -> None:
    """Add what ``history`` takes."""
    parser.add_argument("run", metavar="RUN", help="last, best:METRIC, a row of ls, a name or an id")
    parser.add_argument(
        "metrics", nargs="*", metavar="METRIC", help="names or patterns such as 'val.*'; without: all but system/"
    )
    options.add_place(parser)
    parser.add_argument(
        "-n",
        "--limit",
        metavar="N",
        type=options.whole,
        help="at most N rows: the first and the last; 10 on a terminal, else all",
    )
    parser.add_argument("-a", "--all", action="store_true", help="all rows and all metrics")
    options.add_form(parser, without=["md"])


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show histories."""
    target = find_target(arguments)
    chosen = choose_run(arguments.run, target, screen, arguments.experiment)
    metrics = _list_metrics(arguments, chosen)
    problems: List[Problem] = []
    form = screen.list_form()
    if form == "json":
        _show_json(chosen, metrics, target, problems, screen)
    else:
        found = read_histories(chosen.folder, metrics, problems)
        limit = None if arguments.all else arguments.limit
        if form == "table":
            _show_table(
                chosen, found, limit or (_ON_A_TERMINAL if screen.is_terminal and not arguments.all else None), screen
            )
        elif form == "ids":
            screen.write(screen.clean(chosen.run_id) + "\n")
        else:
            _write_rows(found, limit, form, screen)
    errors.warn_of(problems, stacklevel=2)
    return DONE


def _list_metrics(arguments: argparse.Namespace, chosen: ChosenRun) -> List[str]:
    there = reader.list_metrics(chosen.folder)
    if arguments.metrics:
        return run_columns.match_keys(",".join(arguments.metrics), there, "metric")
    if not there:
        raise CommandError("run '%s' has no metrics" % chosen.title(), NOT_FOUND)
    shown = [key for key in there if arguments.all or not key.startswith(SYSTEM)]
    return list(goals.sort_metrics(shown or there))


def read_histories(folder: str, metrics: Sequence[str], problems: List[Problem]) -> History:
    """Return metrics of a run aligned by step; *problems* gets what cannot be read."""
    histories = [series.latest_per_step(columns.read_parts(folder, key, problems)) for key in metrics]
    steps, places = series.align([each.steps for each in histories])
    timestamps = [0] * len(steps)
    values: List[List[Any]] = []
    for each, where in zip(histories, places):
        column: List[Any] = [None] * len(steps)
        for place, value, timestamp in zip(where, each.values, each.timestamps):
            column[place] = value
            timestamps[place] = max(timestamps[place], timestamp)
        values.append(column)
    return History(list(steps), timestamps, list(metrics), values)


def _show_table(chosen: ChosenRun, found: History, limit: Optional[int], screen: Screen) -> None:
    places, gap = _ends(len(found.steps), limit)
    head = titles.fit([
        titles.name(chosen.title(), screen, role="strong"),
        titles.fact(numbers.counted(len(found.metrics), "metric"), screen, titles.GAP),
        titles.fact(numbers.counted(len(found.steps), "step"), screen, ", "),
    ], screen)  # fmt: skip
    measures = [ranked.measure_of(key) for key in found.metrics]
    bests = [
        None if measure.goal is None else goals.best_place(values, measure.goal)
        for measure, values in zip(measures, found.values)
    ]
    lines, hidden = tables.render(_columns(found, measures, bests, places, screen), screen)
    if gap:
        middle = 1 + (len(places) + 1) // 2
        dots = " %s  %s (--all shows them)" % (
            screen.glyph("dot").rjust(_step_width(found)),
            numbers.counted(gap, "more step"),
        )
        lines.insert(middle, screen.styled("quiet", dots))
    footer = []
    told = [
        "%s is best at step %d" % (screen.clean(measure.metric), found.steps[place])
        for measure, place in zip(measures, bests)
        if place is not None and place not in places
    ]
    starred = ["* best"] if any(place in places for place in bests if place is not None) else []
    footer += [screen.styled("quiet", " " + part) for part in _joined([*starred, *told], screen)]
    footer += tables.footer([("hidden", hidden)], screen)
    screen.write_lines([head, "", *lines, *(["", *footer] if footer else [])])


def _joined(parts: Sequence[str], screen: Screen) -> List[str]:
    from . import texts

    return texts.join_wrapped(parts, screen.own(" · "), screen.width - 1) if parts else []


def _step_width(found: History) -> int:
    return max([4, *(len(str(step)) for step in (found.steps[0], found.steps[-1]))]) if found.steps else 4


def _columns(
    found: History, measures: Sequence[Any], bests: Sequence[Optional[int]], places: Sequence[int], screen: Screen
) -> List[tables.Column]:
    shown = [
        tables.column("step", [str(found.steps[place]) for place in places], is_right=True, role="quiet"),
        tables.column("time", [spans.clock(found.timestamps[place]) for place in places], role="quiet", drops=500.0),
    ]
    for number, (measure, values, best) in enumerate(zip(measures, found.values, bests)):
        decimals = numbers.decimals_of(values)
        cells = numbers.column([values[place] for place in places], screen.glyph("none"), decimals)
        if best in places:
            cells = [cell + (" *" if place == best else "  ") for cell, place in zip(cells, places)]
        roles = ["best" if place == best else None for place in places]
        title = measure.title(screen)
        shown.append(tables.column(measure.metric, cells, title, roles=roles, drops=900.0 + number if number else None))
    return shown


def _ends(count: int, limit: Optional[int]) -> Tuple[List[int], int]:
    """Return the places that are shown, the first and the last, and how many are between them."""
    if limit is None or count <= limit:
        return list(range(count)), 0
    first = (limit + 1) // 2
    last = limit - first
    return [*range(first), *range(count - last, count)], count - limit


def _write_rows(found: History, limit: Optional[int], form: str, screen: Screen) -> None:
    places, _ = _ends(len(found.steps), limit)
    lines = [
        [found.steps[place], spans.iso(found.timestamps[place]), *(values[place] for values in found.values)]
        for place in places
    ]
    write_rows(["step", "time", *found.metrics], lines, form, screen)


def _show_json(
    chosen: ChosenRun, metrics: Sequence[str], target: Target, problems: List[Problem], screen: Screen
) -> None:
    """Write every row, also where a step was logged more than once."""
    found: Dict[str, Any] = {}
    for key in metrics:
        history: Columns = columns.read_columns(chosen.folder, key, problems)
        found[key] = {
            "steps": list(history.steps),
            "timestamps_ms": list(history.timestamps),
            "values": list(history.values),
        }
    errors.warn_of(problems, stacklevel=2)
    which = which_run(chosen.run_id, chosen.name, chosen.experiment_id, target.names())
    screen.write_json("history", store=target.shown, **which, metrics=found)
