"""What does a metric's history come to: first, last, min, max, mean; and one value for each step?"""

from __future__ import annotations

from array import array
from math import fsum, inf, isinf, isnan
from operator import lt

from .errors import MiniMLflowError
from .records import Summary
from .store import columns, latest_rows, reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Optional, Tuple

    from .records import Metric, Number, Problem


def read_summary(folder: str, run_id: str, key: str) -> Summary:
    """Return what a metric of the run in *folder* comes to.

    Raises:
        MetricNotFoundError: The run has no such metric.
    """
    quick = _read_quickly(folder, key)
    if quick is not None:
        return quick
    history, latest = reader.get_metric(folder, run_id, key)
    return summarize(history, latest.value)


def find_summary(folder: str, run_id: str, key: str) -> Optional[Summary]:
    """Return what ``read_summary`` does, None where the metric, or its run, is not there or cannot be read."""
    try:
        return read_summary(folder, run_id, key)
    except (MiniMLflowError, OSError):
        return None


def _read_quickly(folder: str, key: str) -> Optional[Summary]:
    """Return the summary of a metric from its columns, at a fifth of the cost of its rows; None where they may differ.

    Columns hold whole numbers as floats: where one would be told, the rows are read.
    """
    problems: List[Problem] = []
    (steps, _, values), last = columns.read_with_latest(folder, key, problems)
    if problems or not isinstance(values, array) or isnan(sum(values)) or not values:
        return None
    least, most = min(values), max(values)
    if any(value.is_integer() or isinf(value) for value in (values[0], least, most)):
        return None
    if last is None or float(last).is_integer():
        latest = latest_rows.read_latest_rows(folder, [key], problems).get(key)
        if latest is None:
            return None
        last = latest.value
    try:
        mean = fsum(values) / len(values)
    except OverflowError:
        return None
    return Summary(
        first=values[0],
        last=last,
        min=least,
        max=most,
        mean=mean,
        count=len(values),
        min_step=steps[values.index(least)],
        max_step=steps[values.index(most)],
    )


def summarize(history: List[Metric], last: Number) -> Summary:
    """Return what a history that has rows comes to.

    Args:
        history: Its rows, sorted as ``read_history`` does.
        last: The latest value (docs/format.md, rule W8): the last row by step need not be the last that was logged.
    """
    rows = [row for row in history if row.value == row.value]
    least = min(rows, key=lambda row: row.value, default=None)
    most = max(rows, key=lambda row: row.value, default=None)
    return Summary(
        first=history[0].value,
        last=last,
        min=least.value if least else None,
        max=most.value if most else None,
        mean=_mean([row.value for row in rows]) if rows else None,
        count=len(history),
        min_step=least.step if least else None,
        max_step=most.step if most else None,
    )


def read_latest_per_step(folder: str, run_id: str, key: str) -> List[Metric]:
    """Return one row of a metric for each step; see ``latest_per_step``.

    Args:
        folder: The run's folder.
        run_id: The run, for the message.
        key: The metric.

    Raises:
        MetricNotFoundError: The run has no such metric.
    """
    return latest_per_step(reader.read_parts(folder, key, [])) or reader.get_history(folder, run_id, key)


def latest_per_step(parts: Iterable[Tuple[int, List[Metric]]]) -> List[Metric]:
    """Return one row for each step, sorted by step: what counts where a step was logged more than once.

    Of each writer it is the row that was written last; of these that of the greatest generation, then the newest
    timestamp, then the last (docs/format.md, rule W8). A run that went on from a checkpoint has logged the steps after
    it again.

    Args:
        parts: Of each writer the generation and its rows in the order of its file; the writers in the order of their
            names.
    """
    best: Dict[int, Tuple[Tuple[int, int], Metric]] = {}
    given = list(parts)
    if len(given) == 1:
        steps = [row[0] for row in given[0][1]]
        if all(map(lt, steps, steps[1:])):
            return given[0][1]
    for generation, rows in given:
        for step, row in {row[0]: row for row in rows}.items():
            rank = (generation, row[1])
            if step not in best or rank >= best[step][0]:
                best[step] = rank, row
    return [best[step][1] for step in sorted(best)]


def _mean(values: List[Number]) -> float:
    """Return the arithmetic mean; infinities of both signs have none: NaN."""
    infinite = {value for value in values if isinstance(value, float) and isinf(value)}
    if infinite:
        return sum(infinite)
    try:
        return fsum(values) / len(values)
    except OverflowError:  # integers beyond every double, or a sum beyond
        from fractions import Fraction  # such values alone need it

        mean = sum(map(Fraction, values)) / len(values)
    try:
        return float(mean)
    except OverflowError:  # the nearest double of integers between the greatest one and 2**1024
        return inf if mean > 0 else -inf
