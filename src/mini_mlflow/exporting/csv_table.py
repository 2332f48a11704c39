"""How do runs and histories look as CSV that a spreadsheet may open?"""

from __future__ import annotations

import json
import re
from math import isnan

from ..records import Problem
from ..store import reader
from . import given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Sequence, TextIO

    from ..records import StoredRun

FIELDS = ("run_id", "name", "experiment_id", "experiment", "status", "start_time", "end_time", "duration_s")
HISTORY_FIELDS = ("run_id", "name", "experiment", "metric", "step", "time", "value")
_KINDS = ("metrics", "params", "tags")
_QUOTED = re.compile('[,"\r\n]|^ | $')
_FORMULA = re.compile(r"[=+\-@\t\r]")  # what a spreadsheet takes for the beginning of a formula
_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|-?inf", re.ASCII)


def write_runs(stream: TextIO, runs: Sequence[StoredRun], names: Dict[str, str], *, is_raw: bool = False) -> None:
    """Write a row per run, with a column for each metric (its latest value), param and tag.

    Args:
        stream: Where to.
        runs: The runs.
        names: Of experiments, by ids as texts.
        is_raw: Whether texts that a spreadsheet would take for formulas stay as they are; else they get an apostrophe.
    """
    keys = {kind: sorted({key for run in runs for key in getattr(run.data, kind)}) for kind in _KINDS}
    head = [*FIELDS, *("%s.%s" % (kind, key) for kind in _KINDS for key in keys[kind])]
    stream.write(_line([cell(each, is_raw=is_raw) for each in head]))
    for run in runs:
        described = given.describe(run, names)
        row = [described[field] for field in FIELDS]
        for kind in _KINDS:
            values = getattr(run.data, kind)
            row += map(values.get, keys[kind])
        stream.write(_line([cell(each, is_raw=is_raw) for each in row]))


def write_histories(
    stream: TextIO,
    runs: Sequence[StoredRun],
    names: Dict[str, str],
    problems: List[Problem],
    advance: Callable[[int], None],
    *,
    is_raw: bool = False,
) -> None:
    """Write a row per logged value: which run, metric, step, time, and the value; see ``write_runs``."""
    stream.write(_line(HISTORY_FIELDS))
    for run in runs:
        described = given.describe(run, names)
        before = [cell(described[field], is_raw=is_raw) for field in HISTORY_FIELDS[:3]]
        for key in sorted(run.data.metrics):
            name = cell(key, is_raw=is_raw)
            for row in reader.read_history(given.folder_of(run), key, problems):
                moment = given.moment(row.timestamp)
                stream.write(_line([*before, name, row.step, moment, cell(row.value, is_raw=is_raw)]))
        advance(1)


def cell(value: Any, *, is_raw: bool = False) -> Any:
    """Return what a cell holds: numbers as they are, texts that a spreadsheet would compute behind an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"  # as in JSON
    if isinstance(value, float):
        return "NaN" if isnan(value) else repr(value)
    if isinstance(value, int):
        return value if value.bit_length() < 13000 else hex(value)  # more digits than Python writes out
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False)
    value = value.replace("\0", "\\x00")  # which some readers of CSV end at
    if is_raw or not _FORMULA.match(value) or _NUMBER.fullmatch(value):
        return value
    return "'" + value


def _line(cells: Sequence[Any]) -> str:
    """Return a row; csv.writer leaves a carriage return unquoted where rows end in a line feed alone."""
    return ",".join(map(_quoted, map(str, cells))) + "\n"


def _quoted(text: str) -> str:
    if not _QUOTED.search(text):
        return text
    return '"%s"' % text.replace('"', '""')
