"""``mini-mlflow show``: everything about one run."""

from __future__ import annotations

import os

from .. import errors, layout
from ..index import reading
from ..records import NOTE
from ..store import reader
from ..store.experiments import ACTIVE, DELETED
from . import (
    children,
    numbers,
    options,
    ranked,
    run_documents,
    run_facts,
    run_table,
    spans,
    tables,
    texts,
    titles,
    trend,
)
from .chosen import choose_run
from .facts import INTERNAL
from .failures import DONE
from .target import find_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Dict, List, Sequence, Tuple

    from ..records import Problem, RunRecord
    from .chosen import ChosenRun
    from .options import Parser
    from .run_facts import MetricFacts
    from .screen import Screen
    from .target import Target

EXAMPLES = ("show last", "show best:val.acc -a", "show 013c --json")
_TREND = 14
_MOST_FILES = 8
_MOST_COLUMNS = 4


def add_arguments(parser: Parser) -> None:
    """Add what ``show`` takes."""
    parser.add_argument("run", metavar="RUN", help="last, best:METRIC, a row of ls, a name or an id")
    options.add_place(parser)
    parser.add_argument(
        "-a", "--all", action="store_true", help="all metrics, files, tags and packages; runs in the trash too"
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show one run."""
    target = find_target(arguments)
    stages = (ACTIVE, DELETED) if arguments.all else (ACTIVE,)
    chosen = choose_run(arguments.run, target, screen, arguments.experiment, stages=stages)
    record = reader.read_folder(chosen.folder, chosen.experiment_id, chosen.run_id)
    problems: List[Problem] = list(record.problems)
    metrics, left_out = run_facts.read_metrics(
        chosen.folder, list(record.metrics), problems, with_system=bool(arguments.all)
    )
    if screen.is_json:
        _show_json(chosen, record, metrics, target, problems, screen)
    else:
        lines = _head(chosen, record, metrics, target, screen)
        lines += _params(record.params, screen)
        lines += _metrics(metrics, left_out, screen)
        lines += children.render(children.read_children(chosen, target, is_all=bool(arguments.all)), screen)
        lines += _tags(record.tags, screen, is_all=arguments.all)
        lines += _files(chosen, screen, is_all=arguments.all)
        lines += _source(record.metadata, screen, is_all=arguments.all)
        screen.write_lines(lines)
    errors.warn_of(problems, stacklevel=2)
    return DONE


def _head(
    chosen: ChosenRun, record: RunRecord, metrics: Sequence[MetricFacts], target: Target, screen: Screen
) -> List[str]:
    status, width = str(record.metadata.get("status") or chosen.status), screen.width
    experiment = target.names().get(chosen.experiment_id, chosen.experiment_id)
    experiment = texts.cut_middle(screen.clean(experiment), width - 2, screen.glyph("ellipsis"))
    facts = [experiment, _story(chosen, status, screen)]
    progress = run_facts.progress_of(metrics, record.params, status, screen.now_ms)
    if progress is not None:
        facts.append("%d/%d" % (progress.step, progress.total))
        facts += [] if progress.left_s is None else [spans.age(progress.left_s) + " left"]
    code, why = record.metadata.get("exit_code"), str(record.metadata.get("ended_by") or "")
    if isinstance(code, int) and code and (code < 0 or not why):  # -n where signal n ended it
        facts.append("exit code %d" % code if code > 0 else "ended by signal %d" % -code)
    if chosen.start_time is not None:
        facts.append("started " + spans.date_and_clock(chosen.start_time))
    if status == "LOST":
        facts += _last_heard(chosen, metrics)
    parent = record.metadata.get("parent_run_id")
    if parent:
        facts.append("child of " + screen.clean(str(parent))[:8])
    if record.metadata.get("version"):
        facts.append("version " + screen.clean(str(record.metadata["version"])))
    lines = _title(chosen, status, screen)
    lines += ["  " + part for part in texts.join_wrapped(facts, screen.own(" · "), width - 2)]
    for part in texts.wrap(screen.clean(why), width - 2) if why else ():
        lines.append("  " + screen.styled("bad", part))
    if chosen.stage == DELETED:
        lines.append("  " + screen.styled("warn", "in the trash: restore brings it back, gc removes it for good"))
    note = record.tags.get(NOTE)
    if note:
        for line in texts.clean_lines(str(note), screen.encoding):
            lines += ["  " + part for part in texts.wrap(line, width - 2)]
    return lines


def _title(chosen: ChosenRun, status: str, screen: Screen) -> List[str]:
    """Return a run's name and its whole id, beside each other where there is room."""
    name, run_id, room = screen.clean(chosen.title()), screen.clean(chosen.run_id), screen.width - 2
    beside = room - len(titles.GAP) - texts.width_of(run_id)
    is_named = name != run_id
    fits = is_named and beside >= min(texts.width_of(name), tables.NARROWEST_NAME)
    shown = texts.cut_middle(name, beside if fits else room, screen.glyph("ellipsis"))
    head = "%s %s" % (screen.mark(status), screen.styled("strong", shown))
    if fits:
        return [head + titles.GAP + screen.styled("quiet", run_id)]
    if shown == run_id:
        return [head]
    return [head, *("  " + screen.styled("quiet", part) for part in texts.wrap(run_id, room))]


def _story(chosen: ChosenRun, status: str, screen: Screen) -> str:
    """Return how a run went: ``finished 1h ago after 4m35s``."""
    now, start, end = screen.now_ms, chosen.start_time, chosen.end_time
    word = status.lower()
    if status == "RUNNING" or end is None:
        ago = "" if start is None else spans.took((now - start) / 1000)
        return "%s for %s" % (word, ago) if status == "RUNNING" and ago else word
    after = "" if start is None else " after " + spans.took((end - start) / 1000)
    return "%s %s ago%s" % (word, spans.age((now - end) / 1000), after)


def _last_heard(chosen: ChosenRun, metrics: Sequence[MetricFacts]) -> List[str]:
    """Return when a run that is lost was heard of last: ``last heard 21:40:03 (step 41), 4m12s after its start``."""
    heard = run_facts.last_heard(metrics)
    if heard is None:
        return []
    text = "last heard %s (step %d)" % (spans.clock(heard[0]), heard[1])
    after_s = 0 if chosen.start_time is None else (heard[0] - chosen.start_time) / 1000
    return [text + ", %s after its start" % spans.took(after_s) if after_s > 0 else text]


def _params(params: Dict[str, Any], screen: Screen) -> List[str]:
    if not params:
        return []
    items = [(screen.clean(key), screen.clean(numbers.as_logged(value))) for key, value in params.items()]
    return ["", screen.styled("strong", "params"), *side_by_side(items, screen)]


def side_by_side(items: Sequence[Tuple[str, str]], screen: Screen) -> List[str]:
    """Return names and values in as many columns as fit, to be read downwards."""
    ellipsis = screen.glyph("ellipsis")
    room = screen.width - 2
    for count in range(min(_MOST_COLUMNS, len(items)), 0, -1):
        height = -(-len(items) // count)
        parts = [items[start : start + height] for start in range(0, len(items), height)]
        widths = [tuple(max(map(texts.width_of, each)) for each in zip(*part)) for part in parts]
        if count > 1 and sum(key + value + 2 for key, value in widths) + 4 * (len(parts) - 1) > room:
            continue
        if count == 1:
            key_width = min(widths[0][0], max(8, room // 2))
            widths = [(key_width, max(8, room - key_width - 2))]
        lines = []
        for row in range(height):
            cells = []
            for part, (key_width, value_width) in zip(parts, widths):
                if row < len(part):
                    key = texts.pad(texts.cut_middle(part[row][0], key_width, ellipsis), key_width)
                    value = texts.cut_end(part[row][1], value_width, ellipsis)
                    cells.append("%s  %s" % (screen.styled("quiet", key), texts.pad(value, value_width)))
            lines.append(("  " + "    ".join(cells)).rstrip(" "))
        return lines
    return []


def _metrics(metrics: Sequence[MetricFacts], left_out: int, screen: Screen) -> List[str]:
    if not metrics and not left_out:
        return []
    lines = ["", screen.styled("strong", "metrics")]
    if metrics:
        columns = metric_columns(metrics, screen)
        table, _ = tables.render(columns, screen, width=screen.width - 1)
        lines += [" " + line for line in table]
    if left_out:
        lines.append(screen.styled("quiet", "  + %s: show -a" % numbers.counted(left_out, "system metric")))
    return lines


def metric_columns(metrics: Sequence[MetricFacts], screen: Screen) -> List[tables.Column]:
    """Return the columns of a table of metrics, a row each."""
    none, cells = screen.glyph("none"), []
    for each in metrics:
        summary, measure = each.summary, ranked.measure_of(each.key)
        best, step = None, None
        if measure.goal is not None:
            best = getattr(summary, measure.goal)
            step = summary.best_step(measure.goal)
        values = (summary.last, best, summary.first, summary.mean)
        decimals = numbers.decimals_of(values)
        shown = [numbers.number(value, decimals, none) for value in values]
        arrow = {"max": screen.glyph("up"), "min": screen.glyph("down")}.get(measure.goal or "", "")
        cells.append([shown[0], shown[1], arrow, none if step is None else str(step), shown[2], shown[3]])
    last, best_cells, arrows, steps, first, mean = (list(column) for column in zip(*cells))
    columns = [
        tables.column("metric", [screen.clean(each.key) for each in metrics], "", shrinks="middle"),
        tables.column("last", run_table.align_points(last)),
        tables.column("best", run_table.align_points(best_cells), drops=50.0),
        tables.column("arrow", arrows, "", drops=51.0),
        tables.column("at step", steps, is_right=True, drops=60.0),
        tables.column("first", run_table.align_points(first), drops=80.0),
        tables.column("mean", run_table.align_points(mean), drops=90.0),
        tables.column("steps", [numbers.count(each.summary.count) for each in metrics], is_right=True, drops=70.0),
    ]
    if not screen.is_ascii:
        bars = [trend.trend(each.history, _TREND) for each in metrics]
        columns.append(tables.column("trend", bars, role="quiet", drops=100.0))
    return columns


def _tags(tags: Dict[str, Any], screen: Screen, *, is_all: bool) -> List[str]:
    shown = {key: value for key, value in tags.items() if key != NOTE and (is_all or not key.startswith(INTERNAL))}
    if not shown:
        return []
    items = [(screen.clean(key), screen.clean(numbers.as_logged(value))) for key, value in shown.items()]
    return ["", screen.styled("strong", "tags"), *side_by_side(items, screen)]


def _files(chosen: ChosenRun, screen: Screen, *, is_all: bool) -> List[str]:
    found = run_facts.list_artifacts(chosen.folder)
    if not found:
        return []
    total = numbers.size(sum(each.file_size or 0 for each in found))
    lines = ["", "%s  %s%s%s" % (screen.styled("strong", "files"), numbers.count(len(found)), screen.own(" · "), total)]
    shown = found if is_all else found[:_MOST_FILES]
    names = tables.column("path", [screen.clean(each.path) for each in shown], "", shrinks="middle")
    sizes = tables.column("size", [numbers.size(each.file_size or 0) for each in shown], "", is_right=True)
    table, _ = tables.render([names, sizes], screen, width=screen.width - 1)
    lines += [" " + line for line in table[1:]]
    if len(found) > len(shown):
        lines.append(screen.styled("quiet", "  + %s: show -a" % numbers.counted(len(found) - len(shown), "file")))
    return lines


def _source(metadata: Dict[str, Any], screen: Screen, *, is_all: bool) -> List[str]:
    source = run_facts.source_of(metadata)
    items = [
        ("command", run_facts.command_text(source["command"]) if source.get("command") else ""),
        ("git", run_facts.git_text(source)),
        ("python", run_facts.python_text(source)),
        ("host", ", ".join(str(source[name]) for name in ("host", "user") if source.get(name))),
        ("folder", str(source.get("cwd") or "")),
    ]
    jobs = source.get("jobs")
    if isinstance(jobs, dict):
        items.append(("job", ", ".join("%s %s" % (name, value) for name, value in jobs.items())))
    packages = source.get("packages")
    if is_all and isinstance(packages, dict):
        items.append(("packages", ", ".join("%s %s" % (name, packages[name]) for name in packages)))
    items = [(name, text) for name, text in items if text]
    if not items:
        return []
    indent = max(len(name) for name, _ in items) + 4
    lines = ["", screen.styled("strong", "source")]
    for name, text in items:
        wrapped = texts.wrap(screen.clean(text), max(12, screen.width - indent))
        for place, part in enumerate(wrapped if is_all else _cut(wrapped, screen)):
            head = screen.styled("quiet", name) + " " * (indent - 2 - len(name)) if place == 0 else " " * (indent - 2)
            lines.append("  %s%s" % (head, part))
    return lines


def _cut(lines: List[str], screen: Screen) -> List[str]:
    """Return the first two lines of a long text."""
    if len(lines) <= 2:
        return lines
    return [lines[0], texts.cut_end(lines[1], max(4, texts.width_of(lines[1]) - 2), "") + screen.glyph("ellipsis")]


def _show_json(
    chosen: ChosenRun,
    record: RunRecord,
    metrics: Sequence[MetricFacts],
    target: Target,
    problems: Sequence[Problem],
    screen: Screen,
) -> None:
    trash, name = os.path.split(chosen.folder)
    is_in_trash = trash == layout.trash_folder(target.folder, chosen.experiment_id)  # MLflow's lie where they lay
    stored = reading.read_stored(chosen.folder, chosen.experiment_id, name, DELETED if is_in_trash else ACTIVE)
    errors.warn_of(list(problems), stacklevel=2)
    document = run_documents.run_document(stored, chosen.folder, target.names(), screen.now_ms)
    code = record.metadata.get("exit_code")
    if isinstance(code, int) and code < 0:
        code = 128 - code  # as a shell and ``run`` say it
    heard = run_facts.last_heard(metrics)
    progress = run_facts.progress_of(metrics, record.params, stored.info.status, screen.now_ms)
    files = [{"path": each.path, "size_bytes": each.file_size} for each in run_facts.list_artifacts(chosen.folder)]
    source = run_facts.source_of(record.metadata)
    screen.write_json(
        "run",
        store=target.shown,
        **document,
        folder=os.path.abspath(chosen.folder),
        exit_code=code,
        last_heard=heard and spans.iso(heard[0]),
        last_step=heard and heard[1],
        total_steps=progress and progress.total,
        left_s=progress and progress.left_s,
        files=files,
        source=source,
        note=record.tags.get(NOTE),
        children=children.read_children(chosen, target).runs,
    )
