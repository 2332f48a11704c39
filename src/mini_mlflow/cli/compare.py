"""``mini-mlflow compare``: what differs between runs."""

from __future__ import annotations

from collections import namedtuple

from .. import comparing, errors, goals, seeds
from ..store import reader
from . import (
    beside,
    command_words,
    compared_rows,
    markdown,
    numbers,
    options,
    ranked,
    run_documents,
    run_facts,
    spans,
    texts,
)
from .beside import Section
from .chosen import choose_runs
from .facts import SYSTEM
from .failures import DONE, USAGE, CommandError
from .target import find_target
from .written_rows import write_rows

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

EXAMPLES = (
    "compare 7 6",
    "compare last best:val.acc --json",
    "compare g1 g2              # groups of the last ls -g; g1 alone: its runs",
)
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


def add_arguments(parser: Parser) -> None:
    """Add what ``compare`` takes."""
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="two or more: a row of ls, a name, an id; g1 g2 for groups"
    )
    options.add_place(parser)
    options.add_form(parser, without=["table", "ids"])
    parser.add_argument(
        "-a", "--all", action="store_true", help="what is the same, too, and the metrics of the machine"
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Compare runs, or groups of runs."""
    target = find_target(arguments)
    if len(arguments.runs) > 1 and all(word.startswith("g") for word in arguments.runs):
        from . import compare_groups  # runs alone do without

        words = compare_groups.find_groups(arguments.runs, target)
        if words:
            compare_groups.show(words, target, screen, arguments.experiment, with_system=bool(arguments.all))
            return DONE
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
    elif screen.form in ("tsv", "csv"):
        values = {ranked.measure_of(key).name(): _values(key, facts) for key, facts in found.metrics.items()}
        heading, rows = compared_rows.list_rows(found, values, target.names(), is_all=bool(arguments.all))
        write_rows(heading, rows, screen.form, screen)
    else:
        screen.write_lines(_render(found, screen, is_all=bool(arguments.all)), is_wide=screen.form == "md")
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
    sections = [Section("", [_ages(found, screen)])]
    if params:
        title = _PARAMS if is_all else _PARAMS + " that differ  (%d of %d)" % (len(differing), len(params))
        rows = [_param_row(key, values, screen) for key, values in (params if is_all else differing).items()]
        sections.append(Section(title, _marked(rows, screen) if is_all else rows, is_apart=True))
    metrics = [_metric_row(key, each, screen) for key, each in found.metrics.items()]
    best = [_best_place(key, each) for key, each in found.metrics.items()]
    first = min(found.first_differences.values(), default=None)
    after = [] if first is None else ["", "first difference at step %d" % first]
    difference = "b − a" if len(found.runs) == 2 else ""
    sections.append(Section(_METRICS, metrics, difference, is_whole=True, after=after, best=best))
    sources = _source_rows(found, screen, is_all=is_all)
    if sources:
        sections.append(Section("source", sources))
    names = [screen.clean(each.title()) for each in found.runs]
    if screen.form == "md":
        return markdown.sections(beside.lettered(names), sections, screen.own(difference))
    lines = beside.render(names, sections, screen)
    same = _same(params, differing, found)
    legend = (
        ["* better" if len(found.runs) == 2 else "* best"]
        if any(place is not None for place in best)
        else []
    )
    if is_all and any(row[0].endswith(" " + screen.glyph("differs")) for each in sections for row in each.rows):
        legend.append(screen.own("≠ differs"))
    footer = [*legend, *(["same: " + ", ".join(same)] if same else [])]
    if footer:
        parts = texts.join_wrapped(footer, screen.own(" · "), screen.width - 1)
        lines += ["", *(screen.styled("quiet", " " + part) for part in parts)]
    return lines


def _ages(found: Compared, screen: Screen) -> List[str]:
    none = screen.glyph("none")
    ages = [
        none if each.start_time is None else spans.age((screen.now_ms - each.start_time) / 1000) for each in found.runs
    ]
    return ["age", *("%s %s" % (age, screen.mark(each.status, plain=True)) for age, each in zip(ages, found.runs))]


def _param_row(key: str, values: Sequence[Any], screen: Screen) -> List[str]:
    none = screen.glyph("none")
    shown = zip(values, numbers.params(values))
    return [screen.clean(key), *(none if value is None else screen.clean(text) for value, text in shown)]


def _metric_row(key: str, facts: Sequence[Optional[MetricFacts]], screen: Screen) -> List[str]:
    """Return the values of a metric, the best with a star, and of two the difference."""
    measure = ranked.measure_of(key)
    values = _values(key, facts)
    decimals = numbers.decimals_of(values)
    cells = [numbers.number(value, decimals, screen.glyph("none")) for value in values]
    best = _best_place(key, facts)
    if best is not None:
        cells[best] += " *"
    row = [measure.title(screen), *cells]
    if len(values) == 2:
        row.append(_difference(values[0], values[1], decimals, screen))
    return row


def _best_place(key: str, facts: Sequence[Optional[MetricFacts]]) -> Optional[int]:
    """Return which run has the best value, None where none is better than another."""
    values, goal = _values(key, facts), ranked.measure_of(key).goal
    finite = {value for value in values if value is not None and ranked.is_finite(value)}
    return None if goal is None or len(finite) < 2 else goals.best_place(values, goal)


def _values(key: str, facts: Sequence[Optional[MetricFacts]]) -> List[Any]:
    return [counting_value(each, ranked.measure_of(key)) for each in facts]


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
        else:
            cells = [str(source.get(name) or "") for source in sources]
        if any(cells) and (is_all or len(set(cells)) > 1):
            row = [name, *(screen.clean(cell) or none for cell in cells)]
            row = _marked([row], screen)[0] if is_all else row
            differing = _differing_arguments(sources) if name == "command" else []
            shown = [[none if text is None else screen.clean(text) for text in texts_of] for texts_of in differing]
            lines += [["" if place else row[0], *each] for place, each in enumerate(shown)] or [row]
    for name, versions in found.packages.items():
        lines.append([screen.clean(name), *(none if each is None else screen.clean(str(each)) for each in versions)])
    return lines


def _differing_arguments(sources: Sequence[Dict[str, Any]]) -> List[List[Optional[str]]]:
    return command_words.list_differing([run_facts.words_of(source.get("command") or "") for source in sources])


def _marked(rows: Sequence[List[str]], screen: Screen) -> List[List[str]]:
    """Return rows with a sign behind the keys of those whose cells are not the same."""
    return [[row[0] + (" " + screen.glyph("differs") if len(set(row[1:])) > 1 else ""), *row[1:]] for row in rows]


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
    metrics = {
        key: {"of": ranked.measure_of(key).mode, "values": _values(key, facts)} for key, facts in found.metrics.items()
    }
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
