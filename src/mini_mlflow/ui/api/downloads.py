"""How are the runs of a view, and the rows of a chart, written as CSV?"""

from __future__ import annotations

from datetime import datetime, timezone

from ...keys import check_known_key
from ...query.conditions import values_of
from ...separated import csv_line
from . import axes, choices, group_csv, runs, series, tables
from .last_steps import LastSteps
from .requests import MAX_SERIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, List, Sequence

    from .histories import Histories
    from .requests import Body
    from .stores import Stores

_PORTION = 500  # rows that are written at once
_FIELDS = ("run_id", "experiment_id", "name", "status", "start_time", "end_time", "duration_s")


def write_runs(stores: Stores, body: Body, now_ms: int) -> Iterator[bytes]:
    """Yield all runs, or groups, that a request means as CSV in UTF-8, in order, with the columns it names, or all.

    Raises:
        QueryError: The filter, an order or a column cannot be read; before anything is yielded.
    """
    chosen, wanted = tables.choose(stores, body), runs.read_wanted(body)
    stage, is_raw = tables.stage_of(body), body.flag("is_raw")

    def question(table: tables.Joined) -> Any:
        if wanted.group is not None:
            return group_csv.read_groups(table, wanted, now_ms)
        matched = runs.find_matched(table, wanted.text, now_ms)
        _, sort = runs.find_order(table, matched, wanted.order, now_ms)
        ordered = sort(matched)
        names = wanted.columns if wanted.columns is not None else all_columns(table)
        columns = runs.resolve_columns(table, names)
        values = [_column(table, operand, ordered, now_ms) for _, operand in columns]
        return [*_FIELDS, *(column.name for column, _ in columns)], _fields(table, ordered, now_ms) + values

    header, columns = tables.ask(chosen, stage, question)
    return _write(header, columns, is_raw=is_raw)


def all_columns(table: tables.Joined) -> List[str]:
    """Return the name of every metric, param and tag of the user's that there is."""
    metrics = [choices.name_of("metrics", key) for key in table.keys("metrics")]
    params = [choices.name_of("params", key) for key in table.keys("params")]
    return metrics + params + [choices.name_of("tags", key) for key in table.keys("tags") if choices.is_own_tag(key)]


def write_series(stores: Stores, histories: Histories, body: Body) -> Iterator[bytes]:
    """Yield every row of some metrics of some runs as CSV: run, its name, metric, step, timestamp in ms, value.

    Where the axis is none of these columns, it stands before the step: ``relative_s``, or the name of another metric.
    """
    refs = body.get_texts("runs", most=MAX_SERIES)
    keys = [check_known_key(key) for key in body.get_texts("metrics", most=MAX_SERIES)]
    axis, bounds, is_raw = axes.check_axis(body.text("x", axes.STEP)), body.range("range"), body.flag("is_raw")
    stage = tables.stage_of(body)
    sources = [(ref, series.find_source(stores, ref, stage)) for ref in refs]
    return _series_rows(histories, sources, keys, axis, bounds, is_raw=is_raw)


def _series_rows(
    histories: Histories, sources: Any, keys: Sequence[str], axis: str, bounds: Any, *, is_raw: bool
) -> Iterator[bytes]:
    extra = [] if axis in (axes.STEP, axes.TIME) else ["relative_s" if axis == axes.RELATIVE else axis]
    yield _lines([("run_id", "run_name", "metric", *extra, "step", "timestamp", "value")], is_raw=is_raw)
    for _, source in sources:
        if source.place is None:
            continue
        for key in keys:
            history = histories.get(source.place.folder, key, is_live=source.is_live)

            def find_other(name: str, source: Any = source) -> Any:
                return histories.get(source.place.folder, name, is_live=source.is_live)

            placed = axes.place_rows(history, axis, source.start_ms, find_other)
            for start in range(0, len(placed.xs), _PORTION):
                rows = []
                for number in range(start, min(start + _PORTION, len(placed.xs))):
                    x = placed.xs[number]
                    if bounds is None or bounds[0] <= x <= bounds[1]:
                        row = history.row(number if placed.places is None else placed.places[number])
                        place = [x] if extra else []
                        about = (source.place.run_id, source.name, key)
                        rows.append((*about, *place, row.step, row.timestamp, row.value))
                if rows:
                    yield _lines(rows, is_raw=is_raw)


def _fields(table: tables.Joined, ordered: Sequence[int], now_ms: int) -> List[Sequence[Any]]:
    found: List[Sequence[Any]] = []
    for name in ("run_id", "experiment_id", "run_name", "status", "start_time", "end_time"):
        column = table.column("attributes", name) or [None] * table.count
        values = [column[row] for row in ordered]
        found.append([_time(value) for value in values] if name.endswith("_time") else values)
    operand = choices.to_column("attributes.duration")
    durations = values_of(runs.resolve_columns(table, [operand.name])[0][1], table, now_ms) or [None] * table.count
    return [*found, [durations[row] for row in ordered]]


def _column(table: tables.Joined, operand: Any, ordered: Sequence[int], now_ms: int) -> Sequence[Any]:
    column: Any
    if runs.is_last_step(operand):
        column = runs.read_last_steps(table, ordered, LastSteps())
    elif operand.function is not None:
        column = table.counting_column(operand.function, operand.key, ordered)
    else:
        column = values_of(operand, table, now_ms)
    return [None] * len(ordered) if column is None else [column[row] for row in ordered]


def _write(header: Sequence[str], columns: Sequence[Sequence[Any]], *, is_raw: bool) -> Iterator[bytes]:
    yield _lines([header], is_raw=is_raw)
    count = len(columns[0])
    for start in range(0, count, _PORTION):
        yield _lines(zip(*(column[start : start + _PORTION] for column in columns)), is_raw=is_raw)


def _lines(rows: Any, *, is_raw: bool) -> bytes:
    return "".join(csv_line(row, raw=is_raw) + "\r\n" for row in rows).encode("utf-8", "backslashreplace")


def _time(milliseconds: Any) -> Any:
    if milliseconds is None:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError, OSError):
        return milliseconds
