"""``mini-mlflow ls`` without an experiment: which are there, how are their runs, and what is the best of each?"""

from __future__ import annotations

import os
from collections import Counter, namedtuple

from .. import goals
from ..keys import STATUSES
from ..records import NOTE
from ..store.experiments import ACTIVE
from . import numbers, ranked, spans, tables, titles
from .facts import SYSTEM
from .failures import DONE
from .first_steps import first_steps
from .which import which_experiment, which_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Dict, List, Optional, Sequence

    from .ranked import Measure
    from .screen import Screen
    from .tables import Column
    from .target import Target

# What is left out first where there is no room: a higher number goes earlier.
_DROPS = {"KILLED": 50.0, "FINISHED": 49.0, "LOST": 30.0, "FAILED": 29.0, "RUNNING": 28.0}


class Overview(
    namedtuple(
        "Overview", ["experiment", "counts", "newest", "measure", "best", "best_run_id", "best_run_name"]
    )
):
    """What an experiment comes to.

    Attributes:
        experiment: The experiment.
        counts: How many runs have which status.
        newest: When its newest run started, milliseconds since 1970-01-01 UTC; None without runs.
        measure: The metric that matters most, None without any.
        best: The best value of it.
        best_run_id: Whose that is.
        best_run_name: What that run is called, None where it has no name.
    """

    __slots__ = ()

    experiment: Any
    counts: Dict[str, int]
    newest: Optional[int]
    measure: Optional[Measure]
    best: Any
    best_run_id: Optional[str]
    best_run_name: Optional[str]


def show(arguments: argparse.Namespace, target: Target, screen: Screen) -> int:
    """List the experiments of a store."""
    experiments = target.experiments(with_deleted=bool(arguments.all)) if target.is_there else []
    found = read_overviews(experiments, target, refresh=arguments.refresh) if experiments else []
    found.sort(key=lambda each: (each.newest is None, -(each.newest or 0), each.experiment.name))
    count, total = len(found), sum(sum(each.counts.values()) for each in found)
    found = found[: arguments.limit]
    form = screen.list_form()
    if form == "json":
        documents = [_document(each) for each in found]
        screen.write_json("experiments", store=target.shown, total=total, experiments=documents)
    elif form == "md":
        from . import markdown  # few ask for it

        screen.write_lines(markdown.table(_columns(found, screen, is_wide=bool(arguments.wide))), is_wide=True)
    elif form == "table":
        is_empty = not any(each.counts for each in found)
        if is_empty and len(found) < 2:
            screen.write_lines(first_steps(target, screen))
        else:
            is_wide = bool(arguments.wide)
            screen.write_lines(_render(found, count, total, target, screen, is_wide=is_wide), is_wide=is_wide)
    else:
        from .written_rows import write_rows  # a table does without

        heading = ["id", "name", "runs", *map(str.lower, STATUSES), "newest", "metric", "best", "best_run_id"]
        write_rows(heading, [_row(each) for each in found], form, screen)
    return DONE


def read_overviews(experiments: Sequence[Any], target: Target, *, refresh: bool = False) -> List[Overview]:
    """Return what experiments come to, in one look at all their runs."""

    def question(table: Any) -> List[Overview]:
        rows: Dict[str, List[int]] = {str(each.experiment_id): [] for each in experiments}
        for row, experiment_id in enumerate(table.column("attributes", "experiment_id") or ()):
            rows[str(experiment_id)].append(row)
        measures = _measures(table, rows)
        return [
            _overview(each, rows[str(each.experiment_id)], measures.get(str(each.experiment_id)), table)
            for each in experiments
        ]

    return target.ask([each.experiment_id for each in experiments], question, refresh=refresh)


def _measures(table: Any, rows: Dict[str, List[int]]) -> Dict[str, Measure]:
    """Return for each experiment the metric that matters most of those that its runs have."""
    found: Dict[str, Measure] = {}
    waiting = {experiment_id for experiment_id, there in rows.items() if there}
    for key in goals.sort_metrics(key for key in table.keys("metrics") if not key.startswith(SYSTEM)):
        if not waiting:
            break
        column = table.column("metrics", key) or ()
        having = {each for each in waiting if any(column[row] is not None for row in rows[each])}
        found.update(dict.fromkeys(having, ranked.measure_of(key)))
        waiting -= having
    return found


def _overview(experiment: Any, rows: Sequence[int], measure: Optional[Measure], table: Any) -> Overview:
    statuses, starts = table.column("attributes", "status"), table.column("attributes", "start_time")
    counts = dict(Counter(statuses[row] for row in rows))
    newest = max((starts[row] for row in rows if starts[row] is not None), default=None)
    if measure is None or measure.goal is None:
        return Overview(experiment, counts, newest, measure, None, None, None)
    values = ranked.values_of(measure, table, rows)
    place = goals.best_place(values, measure.goal)
    if place is None:
        return Overview(experiment, counts, newest, measure, None, None, None)
    table.give([rows[place]])
    run_id, name = ((table.column("attributes", key) or {})[rows[place]] for key in ("run_id", "run_name"))
    return Overview(experiment, counts, newest, measure, values[place], run_id, name)


def _render(
    found: List[Overview], count: int, total: int, target: Target, screen: Screen, *, is_wide: bool
) -> List[str]:
    """Return the lines of a table of some of *count* experiments, which have *total* runs."""
    counts = [numbers.counted(count, "experiment"), numbers.counted(total, "run")]
    columns = _columns(found, screen, is_wide=is_wide)
    if is_wide:
        sizes = [_size_of(target.folder, each.experiment.experiment_id) for each in found]
        counts.append(numbers.size(sum(sizes)))
        columns.append(tables.column("size", list(map(numbers.size, sizes)), is_right=True))
    lines, hidden = tables.render(columns, screen, width=0 if is_wide else None)
    if not is_wide:
        hidden = ["id", *hidden, "note", "size"]
    more = [numbers.counted(count - len(found), "more experiment")] if count > len(found) else []
    footer = tables.footer([("hidden", [*hidden, "-w shows them"] if hidden else []), ("not shown", more)], screen)
    head = [titles.name(target.shown, screen, role="strong"), *(titles.fact(each, screen) for each in counts)]
    return [titles.fit(head, screen, width=0 if is_wide else None), "", *lines, *(["", *footer] if footer else [])]


def _columns(found: List[Overview], screen: Screen, *, is_wide: bool) -> List[Column]:
    none = screen.glyph("dot")
    names = [screen.clean(each.experiment.name) for each in found]
    columns = [tables.column("experiment", names, shrinks=None if is_wide else "middle")]
    if is_wide:
        ids = [screen.clean(str(each.experiment.experiment_id)) for each in found]
        columns.append(tables.column("id", ids, role="quiet"))
    if any(each.experiment.lifecycle_stage != ACTIVE for each in found):
        stages = ["" if each.experiment.lifecycle_stage == ACTIVE else "deleted" for each in found]
        columns.append(tables.column("stage", stages, "", role="warn"))
    counts = [numbers.count(sum(each.counts.values())) for each in found]
    columns.append(tables.column("runs", counts, is_right=True))
    for status in STATUSES:
        cells = [numbers.count(each.counts[status]) if each.counts.get(status) else none for each in found]
        role = {"RUNNING": "live", "FINISHED": "good", "FAILED": "bad"}.get(status, "warn")
        roles = [None if cell == none else role for cell in cells]
        title = screen.mark(status, plain=True)
        columns.append(tables.column(status.lower(), cells, title, is_right=True, roles=roles, drops=_DROPS[status]))
    ages = [none if each.newest is None else spans.age((screen.now_ms - each.newest) / 1000) for each in found]
    columns.append(tables.column("newest", ages, is_right=True, drops=40.0))
    bests = numbers.column([each.best for each in found], screen.glyph("none"))
    columns.append(tables.column("best", bests, drops=20.0))
    metrics = ["" if each.measure is None or each.best is None else each.measure.title(screen) for each in found]
    columns.append(tables.column("metric", metrics, shrinks=None if is_wide else "middle", drops=10.0))
    if is_wide:
        notes = [screen.clean(str(each.experiment.tags.get(NOTE, ""))) for each in found]
        columns.append(tables.column("note", notes))
    return columns


def _row(found: Overview) -> List[Any]:
    experiment = found.experiment
    counts = [found.counts.get(status, 0) for status in STATUSES]
    metric = None if found.measure is None or found.best is None else found.measure.name()
    newest = spans.iso(found.newest)
    head = [str(experiment.experiment_id), experiment.name, sum(found.counts.values())]
    return [*head, *counts, newest, metric, found.best, found.best_run_id]


def _document(found: Overview) -> Dict[str, Any]:
    experiment, measure = found.experiment, found.measure
    names = {str(experiment.experiment_id): experiment.name}
    best = None
    if measure is not None and found.best is not None:
        run = which_run(found.best_run_id, found.best_run_name, experiment.experiment_id, names)
        best = {"metric": measure.metric, "of": measure.mode, "value": found.best, **run}
    return {
        **which_experiment(experiment.experiment_id, names),
        "name": experiment.name,
        "stage": experiment.lifecycle_stage,
        "creation_time": spans.iso(experiment.creation_time),
        "tags": experiment.tags,
        "runs": sum(found.counts.values()),
        "statuses": {status: found.counts.get(status, 0) for status in STATUSES},
        "newest": spans.iso(found.newest),
        "best": best,
    }


def _size_of(store: str, experiment_id: Any) -> int:
    """Return how many bytes the files of an experiment hold."""
    from .. import layout

    total = 0
    for folder, _, names in os.walk(layout.experiment_folder(store, experiment_id)):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                continue
    return total
