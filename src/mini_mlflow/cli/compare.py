"""``mini-mlflow compare``: what differs between runs."""

from __future__ import annotations

from collections import namedtuple

from .. import comparing, errors, goals, seeds
from ..store import reader
from . import apart, numbers, options, ranked, run_documents, run_facts, spans, tables, texts
from .chosen import choose_runs
from .facts import SYSTEM
from .failures import DONE, USAGE, CommandError
from .target import find_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Dict, List, Optional, Sequence

    from ..records import Problem, RunRecord
    from .chosen import ChosenRun
    from .options import Parser
    from .ranked import Measure
    from .run_facts import MetricFacts
    from .screen import Screen
    from .target import Target

EXAMPLES = ("compare 7 6", "compare last best:val/acc", "compare g1 --json")
_METRICS = "metrics"
_PARAMS = "params"
_SOURCE = ("command", "git", "python", "host", "user", "cwd", "platform")


class Compared(
    namedtuple("Compared", ["runs", "records", "metrics", "first_differences", "same_packages", "packages"])
):
    """Runs beside each other, as data.

    Attributes:
        runs: The runs.
        records: What their files hold.
        metrics: By key what it comes to in each run, None where a run has none.
        first_differences: Of two runs: by metric the first step at which the values differ.
        same_packages: How many packages are the same in all.
        packages: Versions of those that are not, by name.
    """

    __slots__ = ()

    runs: List[ChosenRun]
    records: List[RunRecord]
    metrics: Dict[str, List[Optional[MetricFacts]]]
    first_differences: Dict[str, int]
    same_packages: int
    packages: Dict[str, List[Any]]


class Section(namedtuple("Section", ["title", "rows", "after"])):
    """A part of the screen: a title, rows of a key and a cell for each run, and lines below them."""

    __slots__ = ()

    title: str
    rows: List[List[str]]
    after: List[str]


def add_arguments(parser: Parser) -> None:
    """Add what ``compare`` takes."""
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="two or more: a row of ls, a name, an id, g1 for a group"
    )
    options.add_place(parser)
    parser.add_argument(
        "-a", "--all", action="store_true", help="what is the same, too, and the metrics of the machine"
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Compare runs."""
    target = find_target(arguments)
    chosen = choose_runs(arguments.runs, target, screen, arguments.experiment)
    if len(chosen) < 2:
        words = arguments.runs
        what = "'%s' is one" % words[0] if len(words) == 1 else "these are the same one"
        raise CommandError("compare needs two runs, and %s" % what, USAGE)
    problems: List[Problem] = []
    found = read_compared(chosen, problems, with_system=bool(arguments.all))
    errors.warn_of(problems, stacklevel=2)
    if screen.is_json:
        _show_json(found, target, screen)
    else:
        screen.write_lines(_render(found, screen, is_all=bool(arguments.all)))
    return DONE


def read_compared(chosen: Sequence[ChosenRun], problems: List[Problem], *, with_system: bool = False) -> Compared:
    """Return runs beside each other; *problems* gets what cannot be read."""
    records = [reader.read_folder(each.folder, each.experiment_id, each.run_id) for each in chosen]
    for record in records:
        problems += record.problems
    keys = goals.sort_metrics({key for record in records for key in record.metrics})
    wanted = [key for key in keys if with_system or not key.startswith(SYSTEM)]
    metrics = {
        key: [
            run_facts.read_metric(each.folder, key, problems) if key in record.metrics else None
            for each, record in zip(chosen, records)
        ]
        for key in wanted
    }
    first: Dict[str, int] = {}
    if len(chosen) == 2:
        for key, (a, b) in metrics.items():
            step = None if a is None or b is None else comparing.first_difference(a.history, b.history)
            if step is not None:
                first[key] = step
    versions = [record.metadata.get("packages") for record in records]
    mappings = [each if isinstance(each, dict) else {} for each in versions]
    names = sorted({name for each in mappings for name in each})
    packages = {name: [each.get(name) for each in mappings] for name in names}
    differing = {name: found for name, found in packages.items() if len(set(map(str, found))) > 1}
    return Compared(list(chosen), records, metrics, first, len(packages) - len(differing), differing)


def _render(found: Compared, screen: Screen, *, is_all: bool) -> List[str]:
    """Return a table for each section, all with the same columns."""
    params = _by_key([record.params for record in found.records])
    differing = {key: values for key, values in params.items() if _differs(values)}
    sections = [Section("", [_ages(found, screen)], [])]
    if params:
        title = _PARAMS if is_all else _PARAMS + " that differ  (%d of %d)" % (len(differing), len(params))
        shown = params if is_all else differing
        sections.append(Section(title, [_param_row(key, values, screen) for key, values in shown.items()], []))
    metrics = [_metric_row(key, each, screen) for key, each in found.metrics.items()]
    first = min(found.first_differences.values(), default=None)
    after = [] if first is None else ["", "first difference at step %d" % first]
    sections.append(Section(_METRICS, metrics, after))
    sources = _source_rows(found, screen, is_all=is_all)
    if sources:
        sections.append(Section("source", sources, []))
    lines = _layout(found, sections, screen)
    same = _same(params, differing, found)
    legend = (
        ["* better" if len(found.runs) == 2 else "* best"]
        if any("*" in cell for row in metrics for cell in row)
        else []
    )
    footer = [*legend, *(["same: " + ", ".join(same)] if same else [])]
    if footer:
        parts = texts.join_wrapped(footer, screen.own(" · "), screen.width - 1)
        lines += ["", *(screen.styled("quiet", " " + part) for part in parts)]
    return lines


def _layout(found: Compared, sections: Sequence[Section], screen: Screen) -> List[str]:
    """Return the sections below each other: a column for each run that fits, of two runs also the difference."""
    count = len(found.runs)
    all_rows = [row for section in sections for row in section.rows]
    widest_key = min(max(texts.width_of(row[0]) for row in all_rows), max(12, screen.width // 4))
    heads = ["%s %s" % (_letter(place), screen.clean(each.title())) for place, each in enumerate(found.runs)]
    needed = [
        max(texts.width_of(head), *(texts.width_of(row[place + 1]) for row in all_rows))
        for place, head in enumerate(heads)
    ]
    extra = max((texts.width_of(row[3]) + 2 for row in all_rows if len(row) > 3), default=0) if count == 2 else 0
    grid = _Grid(widest_key, _share(needed, screen.width - 3 - widest_key - extra), screen)
    lines = []
    for section in sections:
        if not section.title:
            lines.append(grid.row("", heads, role="strong"))
        else:
            lines += ["", screen.styled("strong", section.title)]
            if section.title == _METRICS and count == 2:
                gap = grid.indent() - len(section.title)
                lines[-1] += " " * max(1, gap) + screen.styled("quiet", screen.own("b − a"))
        is_param = section.title.startswith(_PARAMS)
        rows = [grid.row(row[0], row[1:], is_param=is_param) for row in section.rows]
        lines += rows or [screen.styled("quiet", " none")]
        lines += [" " + line for line in section.after]
    if len(grid.widths) < count:
        left_out = numbers.counted(count - len(grid.widths), "more run")
        lines += ["", screen.styled("quiet", " no room for %s: --json has all" % left_out)]
    return lines


class _Grid:
    """Columns that all sections share."""

    def __init__(self, key_width: int, widths: Sequence[int], screen: Screen) -> None:
        self.key_width, self.widths, self.screen = key_width, widths, screen

    def indent(self) -> int:
        """Return how many columns stand before what follows the runs."""
        return 1 + self.key_width + sum(width + 2 for width in self.widths) + 2

    def row(self, key: str, cells: Sequence[str], role: str = "", *, is_param: bool = False) -> str:
        """Return one line: a key, a cell for each run that has a column, and of two runs the difference."""
        screen, ellipsis = self.screen, self.screen.glyph("ellipsis")
        there = list(zip(cells, self.widths))
        too_wide = [width for cell, width in there if texts.width_of(cell) > width]
        if too_wide and (is_param or key == "command"):
            none = screen.glyph("none")
            values = [None if cell == none else cell for cell, _ in there]
            shown = apart.cut_values([cell for cell, _ in there], values, min(too_wide), ellipsis)
        else:
            cut = texts.cut_end if key else texts.cut_middle  # without a key these are names
            shown = [cut(cell, width, ellipsis) for cell, width in there]
        parts = [screen.styled("quiet", texts.pad(texts.cut_middle(key, self.key_width, ellipsis), self.key_width))]
        for cell, text, width in zip(cells, shown, self.widths):
            styled = screen.styled(role or ("good" if cell.endswith(" *") else ""), text)
            parts.append(texts.pad(styled, width))
        if len(self.widths) == 2:
            parts += cells[2:3]
        return (" " + "  ".join(parts)).rstrip(" ")


def _share(cells: List[int], room: int) -> List[int]:
    """Return the widths of the columns of runs: the widest are cut first, to 12; then the last are left out."""
    widths = list(cells)
    while sum(widths) + 2 * (len(widths) - 1) > room:
        widest = max(range(len(widths)), key=widths.__getitem__)
        if widths[widest] > tables.NARROWEST_NAME:
            widths[widest] -= 1
        elif len(widths) > 2:
            widths.pop()
        elif widths[widest] > 6:
            widths[widest] -= 1
        else:
            break
    return widths


def _letter(place: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[place % 26]


def _ages(found: Compared, screen: Screen) -> List[str]:
    none = screen.glyph("none")
    ages = [
        none if each.start_time is None else spans.age((screen.now_ms - each.start_time) / 1000) for each in found.runs
    ]
    return ["age", *("%s %s" % (age, screen.mark(each.status, plain=True)) for age, each in zip(ages, found.runs))]


def _param_row(key: str, values: Sequence[Any], screen: Screen) -> List[str]:
    none = screen.glyph("none")
    return [screen.clean(key), *(none if value is None else screen.clean(numbers.as_logged(value)) for value in values)]


def _metric_row(key: str, facts: Sequence[Optional[MetricFacts]], screen: Screen) -> List[str]:
    """Return the values of a metric, the best with a star, and of two the difference."""
    measure = ranked.measure_of(key)
    values = [counting_value(each, measure) for each in facts]
    decimals = numbers.decimals_of(values)
    cells = [numbers.number(value, decimals, screen.glyph("none")) for value in values]
    finite = [value for value in values if value is not None and ranked.is_finite(value)]
    best = None if measure.goal is None else ranked.best_place(values, measure.goal)
    if best is not None and len(finite) > 1 and len(set(finite)) > 1:
        cells[best] += " *"
    row = [measure.title(screen), *cells]
    if len(values) == 2:
        row.append(_difference(values[0], values[1], decimals, screen))
    return row


def counting_value(facts: Optional[MetricFacts], measure: Measure) -> Any:
    """Return the value of a metric that counts for a run, None where it has none."""
    if facts is None:
        return None
    best = None if measure.mode == "last" else getattr(facts.summary, measure.mode)
    return ranked.counting(measure, best, facts.summary.last)


def _difference(a: Any, b: Any, decimals: int, screen: Screen) -> str:
    if a is None or b is None or not (ranked.is_finite(a) and ranked.is_finite(b)):
        return ""
    try:
        difference = float(b) - float(a)
        share = difference / abs(float(a)) * 100 if a else None
    except OverflowError:
        return ""
    text = numbers.signed(difference, decimals, screen.glyph("minus")) if difference else "0"
    percent = "" if share is None else numbers.percent(share, screen.glyph("minus"))
    return "%s  %s" % (text, percent) if percent else text


def _source_rows(found: Compared, screen: Screen, *, is_all: bool) -> List[List[str]]:
    none = screen.glyph("none")
    sources = [run_facts.source_of(record.metadata) for record in found.records]
    lines = []
    for name in _SOURCE:
        if name == "git":
            cells = [run_facts.git_text(source) for source in sources]
        elif name == "command":
            cells = [run_facts.command_text(source["command"]) if source.get("command") else "" for source in sources]
            cells = _without_shared_start(cells, screen.glyph("ellipsis"))
        else:
            cells = [str(source.get(name) or "") for source in sources]
        if any(cells) and (is_all or len(set(cells)) > 1):
            lines.append([name, *(screen.clean(cell) or none for cell in cells)])
    for name, versions in found.packages.items():
        lines.append([screen.clean(name), *(none if each is None else screen.clean(str(each)) for each in versions)])
    return lines


def _without_shared_start(cells: List[str], ellipsis: str) -> List[str]:
    """Return commands without the words that all of them begin with, where any would be left."""
    words = [cell.split(" ") for cell in cells]
    shared = 0
    while all(len(each) > shared + 1 for each in words) and len({each[shared] for each in words}) == 1:
        shared += 1
    if shared < 2 or len(set(cells)) == 1:
        return cells
    return ["%s %s" % (ellipsis, " ".join(each[shared:])) for each in words]


def _same(params: Dict[str, List[Any]], differing: Dict[str, List[Any]], found: Compared) -> List[str]:
    same = []
    if len(params) > len(differing):
        same.append(numbers.counted(len(params) - len(differing), "param"))
    sources = [run_facts.source_of(record.metadata) for record in found.records]
    same += [
        name
        for name in ("command", "host", "python")
        if sources[0].get(name) is not None and all(source.get(name) == sources[0][name] for source in sources)
    ]
    commits = {source.get("git_commit") for source in sources}
    if len(commits) == 1 and None not in commits:
        same.append("commit")
    if found.same_packages:
        same.append(numbers.counted(found.same_packages, "package"))
    return same


def _by_key(mappings: Sequence[Dict[str, Any]]) -> Dict[str, List[Any]]:
    keys = sorted({key for each in mappings for key in each})
    return {key: [each.get(key) for each in mappings] for key in keys}


def _differs(values: Sequence[Any]) -> bool:
    return len({seeds.comparable(value) for value in values}) > 1


def _show_json(found: Compared, target: Target, screen: Screen) -> None:
    from ..search import scanning

    names = target.names()
    documents = []
    for each in found.runs:
        stored = scanning.read_run(target.folder, each.experiment_id, each.run_id)
        documents.append(run_documents.run_document(stored, each.folder, names, screen.now_ms))
    metrics = {}
    for key, facts in found.metrics.items():
        measure = ranked.measure_of(key)
        metrics[key] = {"of": measure.mode, "values": [counting_value(each, measure) for each in facts]}
    sources = [run_facts.source_of(record.metadata) for record in found.records]
    screen.write_json(
        "compare",
        store=target.shown,
        runs=documents,
        params={
            key: values
            for key, values in _by_key([record.params for record in found.records]).items()
            if _differs(values)
        },
        metrics=metrics,
        source={key: values for key, values in _by_key(sources).items() if _differs(values)},
        first_difference=found.first_differences,
    )
