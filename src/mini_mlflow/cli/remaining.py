"""How many steps will a run make, and how long will the rest of them take?

Pure: it knows params and numbers, and no files.
"""

from __future__ import annotations

import re
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, Optional, Sequence

_OF_STEPS = ("total_steps", "max_steps", "num_steps", "steps")
_OF_EPOCHS = ("epochs", "num_epochs", "max_epochs")
_RECENT = 100  # rows whose speed counts
_MOST = 10**15  # nobody makes more steps; NaN and infinities are not below it


class Progress(namedtuple("Progress", ["step", "total", "left_s"])):
    """How far a run is.

    Attributes:
        step: The greatest step that it has logged.
        total: How many there will be.
        left_s: How long the rest takes, None where nobody can tell.
    """

    __slots__ = ()

    step: int
    total: int
    left_s: Optional[float]


def find_progress(
    params: Mapping[str, Any], step: Optional[int], rate: Optional[float], heard_ms: Optional[int], now_ms: int
) -> Optional[Progress]:
    """Return how far a run is that goes on, None where its params do not tell.

    Args:
        params: Its params.
        step: The greatest step of any metric of its own, None where it has none.
        rate: Steps in a second, None where unknown.
        heard_ms: When it was heard of last, milliseconds since 1970-01-01 UTC.
        now_ms: The clock.

    Returns:
        Without ``left_s`` where it has been silent for longer than the rest should have taken.
    """
    total = None if step is None else find_total(params, step)
    if step is None or total is None:
        return None
    if not rate or rate < 0 or heard_ms is None:
        return Progress(step, total, None)
    left_s = (total - step) / rate - max(0, now_ms - heard_ms) / 1000
    return Progress(step, total, left_s if left_s > 0 else None)


def find_total(params: Mapping[str, Any], step: int) -> Optional[int]:
    """Return how many steps a run will make, None where its params do not tell.

    It is the first of ``total_steps``, ``max_steps``, ``num_steps``, ``steps`` that is a whole number above 0 and not
    below *step*; without one the first such of ``epochs``, ``num_epochs``, ``max_epochs``. A run that has both kinds,
    and has not gone beyond its epochs yet, may count either: nobody can tell.
    """
    of_steps, of_epochs = (_first(params, names, step) for names in (_OF_STEPS, _OF_EPOCHS))
    if of_steps is not None and of_epochs is not None and of_steps != of_epochs:
        return None
    return of_epochs if of_steps is None else of_steps


def rate_of(steps: Sequence[int], timestamps_ms: Sequence[int]) -> Optional[float]:
    """Return how many steps a second a history has made in its last hundred rows, None where it tells nothing.

    Args:
        steps: Ascending.
        timestamps_ms: As many.
    """
    if len(steps) < 2:
        return None
    first = max(0, len(steps) - _RECENT)
    took_ms = timestamps_ms[-1] - timestamps_ms[first]
    return (steps[-1] - steps[first]) / took_ms * 1000 if took_ms > 0 else None


def _first(params: Mapping[str, Any], names: Sequence[str], step: int) -> Optional[int]:
    totals = (_whole(params.get(name)) for name in names)
    return next((total for total in totals if total is not None and total >= max(step, 1)), None)


def _whole(value: Any) -> Optional[int]:
    """Return a whole number, also of one that was logged as text or with a point; None of what is none."""
    if isinstance(value, str):
        return int(value) if len(value) < 16 and re.fullmatch("[0-9]+", value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if abs(value) < _MOST and value == int(value) else None
