"""How does a list of runs look on a terminal?"""

from __future__ import annotations

from .. import goals
from . import apart, numbers, ranked, run_columns, spans, tables, texts, titles, trend
from .chosen import short_id, title_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from .ranked import Measure
    from .run_list import RunList
    from .screen import Screen
    from .tables import Column

WIDEST_TEXT = 24  # of a param or tag that is a text, unless the table may be wide
_WIDEST_TEXT_OF_FEW, _FEW_COLUMNS = 16, 100  # on a screen of less than so many columns
_NARROW = 12
_FALLEN = "!"  # behind a best value that the latest one is far from
_MOST_FALLEN = 3  # that are told in the footer
TREND = 8
_MOST_SHARED_LINES = 3
_WORDS = (
    ("RUNNING", "running"),
    ("FINISHED", "finished"),
    ("FAILED", "failed"),
    ("KILLED", "killed"),
    ("LOST", "lost"),
)
_LIKE_NUMBERS = ("age", "took", "duration_s", "steps")
# What is left out first where there is no room, by the rule of the house: a higher number goes earlier.
_DROPS = {"id": 1000.0, "trend": 990.0, "steps": 980.0, "took": 970.0, "age": 800.0, "experiment": 690.0}
_METRICS_DROP, _PARAMS_DROP = 900.0, 700.0
_WIDE_TEXT_DROP = 901.5  # one takes the room of three others: the second metric stays rather than it


def title(name: str, found: RunList, screen: Screen, *, is_wide: bool = False) -> str:
    """Return the line above a list: its name, how many runs, how many of which status."""
    count = numbers.counted(found.matched, "run")
    if found.matched != found.total:
        count = "%s of %s" % (numbers.count(found.matched), numbers.counted(found.total, "run"))
    head = [titles.name(name, screen, role="strong"), titles.fact(count, screen, titles.GAP)]
    full, short = ([*head, *statuses(found.counts, screen, with_words=each)] for each in (True, False))
    return titles.fit(full, screen, short, width=0 if is_wide else None)


def statuses(counts: Dict[str, int], screen: Screen, *, with_words: bool) -> List[titles.Part]:
    """Return how many runs have which status: ``●2 running``, ``✓18 finished``."""
    there = [(status, word) for status, word in _WORDS if counts.get(status)]
    return [
        titles.fact(
            screen.mark(status) + numbers.count(counts[status]) + (" " + word if with_words else ""),
            screen,
            titles.GAP if place == 0 else " ",
        )
        for place, (status, word) in enumerate(there)
    ]


def render(found: RunList, screen: Screen, *, is_wide: bool) -> List[str]:
    """Return the table and its footer."""
    columns = columns_of(found, screen, is_wide=is_wide)
    width = 0 if is_wide else screen.width
    _, hidden = tables.render(columns, screen, width=width)
    if "trend" not in hidden and any(spec.key == "trend" for spec in found.specs):
        columns = _with_trend(columns, found, screen)
    lines, hidden = tables.render(columns, screen, width=width)
    shared = _shared(found.shared, screen)
    rows: List[Tuple[str, Sequence[str]]] = [
        ("same in all" if found.matched == len(found.ids) else "same here", shared)
    ]
    rows.append((_FALLEN + " by now", _told_fallen(found, screen)))
    if hidden:
        rows.append(("hidden", [*hidden, "-w shows them"]))
    more = found.matched - len(found.ids)
    if more > 0:
        rows.append(("not shown", [numbers.counted(more, "more run"), "-a shows them"]))
    return [*lines, *_after_blank(tables.footer(rows, screen))]


def markdown_of(found: RunList, screen: Screen) -> List[str]:
    """Return the table as Markdown, without trends, and what all runs have in common below it."""
    from . import markdown  # few ask for it

    columns = [each for each in columns_of(found, screen, is_wide=True) if each.key != "trend"]
    shared = ["%s %s" % (screen.clean(key), screen.clean(numbers.params([value])[0])) for key, value in found.shared]
    told = ["same in all: " + shared[0], *shared[1:]] if shared else []
    fallen = _told_fallen(found, screen)
    told += ["%s by now: %s" % (_FALLEN, fallen[0]), *fallen[1:]] if fallen else []
    return [*markdown.table(columns), *markdown.paragraph(told, screen)]


def columns_of(found: RunList, screen: Screen, *, is_wide: bool = False) -> List[Column]:
    """Return the columns of a list of runs; that of trends still empty."""
    count = len(found.ids)
    columns = [
        tables.column("#", [str(place + 1) for place in range(count)], is_right=True, role="quiet"),
        tables.column("status", [screen.mark(status, plain=True) for status in found.statuses], "", roles=[
            role_of(status) for status in found.statuses
        ]),
    ]  # fmt: skip
    others = [spec for spec in found.specs if spec.kind in ("params", "tags")]
    named = [(spec.name(), found.values[spec]) for spec in others]
    of_others = dict(zip(others, param_columns(named, screen, is_wide=is_wide)))
    measures = [spec for spec in found.specs if spec.kind == "measure"]
    for spec in found.specs:
        values = found.values[spec]
        if spec == run_columns.attribute("name"):  # runs without one have to be told apart, too
            values = [title_of(name, run_id) for name, (_, run_id) in zip(values, found.ids)]
        if spec.kind == "attributes":
            columns.append(attribute_column(spec.key, values, found.statuses, screen, is_wide=is_wide))
        elif spec.kind == "measure":
            place = measures.index(spec)
            drops = None if place == 0 else _METRICS_DROP + place
            column = metric_column(ranked.of_mode(spec.key, spec.mode), values, screen, drops)
            columns.append(_with_fallen(column, (found.fallen or {}).get(spec, {})))
        elif spec.kind == "summary":
            cells = numbers.column(values, screen.glyph("none"))
            columns.append(tables.column(spec.name(), cells, screen.clean(spec.name()), is_right=True, drops=890.0))
        else:
            columns.append(of_others[spec])
    return columns


def param_columns(
    given: Sequence[Tuple[str, Sequence[Any]]], screen: Screen, *, is_wide: bool = False
) -> List[Column]:
    """Return columns of params that are left out where there is no room: wide texts, then those with few values.

    Args:
        given: Names and values, in their order.
        screen: Where they go to.
        is_wide: Whether nothing is cut.
    """
    columns = [param_column(name, values, screen, is_wide=is_wide) for name, values in given]
    is_narrow = [
        max(map(texts.width_of, each.cells), default=0) <= _NARROW or all(map(_is_number_or_none, values))
        for each, (_, values) in zip(columns, given)
    ]
    drops = [
        _PARAMS_DROP + 50 / (1 + len(set(map(repr, values)))) + place / 1000
        if narrow or not any(is_narrow) else _WIDE_TEXT_DROP + place / 1000
        for place, (narrow, (_, values)) in enumerate(zip(is_narrow, given))
    ]  # fmt: skip
    return [each._replace(drops=when) for each, when in zip(columns, drops)]


def param_column(
    name: str, values: Sequence[Any], screen: Screen, *, drops: Optional[float] = None, is_wide: bool = False
) -> Column:
    """Return a column of params as they were logged: numbers with their points aligned, texts at the left."""
    none = screen.glyph("none")
    drawn = zip(values, numbers.params(values))
    shown = [none if value is None else screen.clean(text) for value, text in drawn]
    there = [value for value in values if value is not None]
    heading = screen.clean(name)
    widest = _widest_text(screen, is_wide=is_wide)
    if there and all(map(numbers.is_number, there)):
        is_whole = all(isinstance(value, int) for value in there)
        cells = [texts.pad(text, 0) for text in shown] if is_whole else align_points(shown)
        return tables.column(name, cells, _heading(heading, cells, screen, widest), is_right=is_whole, drops=drops)
    cells = apart.cut_values(shown, values, widest, screen.glyph("ellipsis"))
    return tables.column(name, cells, _heading(heading, cells, screen, widest), drops=drops)


def metric_column(measure: Measure, values: Sequence[Any], screen: Screen, drops: Optional[float] = None) -> Column:
    """Return a column of a metric; its best value stands out."""
    cells = numbers.column(values, screen.glyph("none"))
    best = None if measure.goal is None else goals.best_place(values, measure.goal)
    roles = ["best" if place == best else None for place in range(len(values))]
    is_whole = not any("." in cell for cell in cells)
    heading = measure.title(screen)
    return tables.column(measure.metric, cells, heading, is_right=is_whole, roles=roles, drops=drops)


def _with_fallen(column: Column, fallen: Dict[int, Any]) -> Column:
    """Return a column of best values with a sign behind those that the latest are far from."""
    if not fallen:
        return column
    cells = [cell + (" " + _FALLEN if place in fallen else "  ") for place, cell in enumerate(column.cells)]
    roles = [role or ("warn" if place in fallen else None) for place, role in enumerate(column.roles or [])]
    return column._replace(cells=cells, roles=roles, is_right=False)


def _told_fallen(found: RunList, screen: Screen) -> List[str]:
    """Return which latest values are far from the best, a text each, and where the others are."""
    told = [
        "%s of %d is %s" % (screen.clean(spec.key), place + 1, numbers.alone(value))
        for spec, places in (found.fallen or {}).items()
        for place, value in places.items()
    ]
    more = ["%d more" % (len(told) - _MOST_FALLEN)] if len(told) > _MOST_FALLEN else []
    return [*told[:_MOST_FALLEN], *more, "-l shows latest values"] if told else []


def attribute_column(
    name: str, values: Sequence[Any], of_statuses: Sequence[str], screen: Screen, *, is_wide: bool = False
) -> Column:
    """Return a column of an attribute; *values* are those for programs."""
    del of_statuses
    none = screen.glyph("none")
    drops = _DROPS.get(name, 760.0)
    if name == "name":
        cells = [none if value is None else screen.clean(value) for value in values]
        return tables.column(name, cells, shrinks="middle")
    if name == "id":
        return tables.column(name, [screen.clean(short_id(value)) for value in values], role="quiet", drops=drops)
    if name == "age":
        cells = [none if value is None else spans.age(value) for value in values]
    elif name in ("took", "duration_s"):
        cells = [none if value is None else spans.took(value) for value in values]
    elif name == "trend":
        return tables.column(name, [" " * TREND if values else ""] * len(values), role="quiet", drops=drops)
    else:
        shown = [none if value is None else screen.clean(numbers.as_logged(value)) for value in values]
        widest = _widest_text(screen, is_wide=is_wide)
        cells = apart.cut_values(shown, values, widest, screen.glyph("ellipsis"))
    return tables.column(name, cells, is_right=name in _LIKE_NUMBERS, drops=drops)


def _widest_text(screen: Screen, *, is_wide: bool) -> int:
    if is_wide:
        return 10**9
    return WIDEST_TEXT if screen.width >= _FEW_COLUMNS else _WIDEST_TEXT_OF_FEW


def _is_number_or_none(value: Any) -> bool:
    return value is None or numbers.is_number(value)


def align_points(cells: Sequence[str]) -> List[str]:
    """Return texts of numbers, all equally wide, with their points below each other; other texts at the right."""
    parts = [_split_at_point(cell) for cell in cells]
    left = max((len(each[0]) for each in parts if each), default=0)
    right = max((len(each[1]) for each in parts if each), default=0)
    width = max([left + right, *(len(cell) for cell, each in zip(cells, parts) if not each)])
    return [
        (each[0].rjust(left) + each[1].ljust(right)).ljust(width) if each else cell.rjust(left + right).ljust(width)
        for cell, each in zip(cells, parts)
    ]


def _split_at_point(text: str) -> Optional[Tuple[str, str]]:
    """Return what stands before the point of a number and the rest; None of what is none."""
    if not text.lstrip("-")[:1].isdigit():
        return None
    place = next((place for place, character in enumerate(text) if character in ".e"), len(text))
    return text[:place], text[place:]


def _heading(heading: str, cells: Sequence[str], screen: Screen, widest: int) -> str:
    """Return a heading; a long one is cut in its middle to what is usual, or to its cells."""
    room = max([widest // 2 * 2 if widest > 100 else 16, *map(texts.width_of, cells)])
    return texts.cut_middle(heading, room, screen.glyph("ellipsis"))


def _with_trend(columns: List[Column], found: RunList, screen: Screen) -> List[Column]:
    """Return columns with the trends drawn, or without a column for them where there can be none."""
    place = next(place for place, each in enumerate(columns) if each.key == "trend")
    if screen.is_ascii or not found.measures:
        return columns[:place] + columns[place + 1 :]
    from .. import series
    from ..store import columns as histories

    read = []
    for folder in found.folders:
        history = series.latest_per_step(histories.read_parts(folder, found.measures[0].metric, []))
        read.append(history if history.steps else None)
    drawn = columns[place]._replace(cells=trend.trends(read, TREND))
    return [*columns[:place], drawn, *columns[place + 1 :]]


def _shared(shared: Sequence[Tuple[str, Any]], screen: Screen) -> List[str]:
    """Return what all runs have in common, a text each, as many as three lines hold."""
    texts_of: List[str] = []
    room = _MOST_SHARED_LINES * max(20, screen.width - 20)
    for place, (key, value) in enumerate(shared):
        shown = texts.cut_end(screen.clean(numbers.params([value])[0]), WIDEST_TEXT, screen.glyph("ellipsis"))
        text = "%s %s" % (texts.cut_middle(screen.clean(key), WIDEST_TEXT, screen.glyph("ellipsis")), shown)
        room -= texts.width_of(text) + 3
        if room < 0:
            return [*texts_of, "%d more" % (len(shared) - place)]
        texts_of.append(text)
    return texts_of


def role_of(status: str) -> str:
    """Return the role of a status's sign."""
    return {"RUNNING": "live", "FINISHED": "good", "FAILED": "bad"}.get(status, "warn")


def _after_blank(lines: List[str]) -> List[str]:
    return ["", *lines] if lines else []
