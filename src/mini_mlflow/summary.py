"""What does a metric's history come to: first, last, min, max, mean?"""

from __future__ import annotations

from math import fsum, inf, isinf

from .records import Summary
from .store import reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

    from .records import Metric, Number


def read_summary(folder: str, run_id: str, key: str) -> Summary:
    """Return what a metric of the run in *folder* comes to.

    Raises:
        MetricNotFoundError: The run has no such metric.
    """
    history, latest = reader.get_metric(folder, run_id, key)
    return summarize(history, latest.value)


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
