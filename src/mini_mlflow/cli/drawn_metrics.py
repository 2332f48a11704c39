"""Which metrics does the METRIC of ``plot`` mean: one, several between commas, those that a pattern fits?"""

from __future__ import annotations

from collections import namedtuple

from .. import goals
from . import run_columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Sequence

_MORE_THAN_ONE = ",*?["  # a metric may be called so all the same


class Drawn(namedtuple("Drawn", ["metric", "goal"])):
    """A metric that is drawn.

    Attributes:
        metric: The metric.
        goal: Which end of it is best, ``min`` or ``max``; None where neither the user nor its name tells.
    """

    __slots__ = ()

    metric: str
    goal: Optional[str]


def is_one(text: str) -> bool:
    """Tell whether a text can mean but one metric, so that nobody has to know which there are."""
    return not any(sign in text for sign in _MORE_THAN_ONE)


def read_metrics(text: str, there: Sequence[str]) -> List[Drawn]:
    """Return the metrics that a text means, each once.

    Args:
        text: ``loss``, ``loss:min``, ``val.loss,train.loss``, ``val.*``.
        there: The metrics that there are.

    Raises:
        CommandError: Of several one is not there. One alone is returned as it was typed.
    """
    metric, goal = goals.split_goal(text)
    if is_one(text) or metric in there:
        return [Drawn(metric, goal or goals.goal_of(metric))]
    found: Dict[str, Optional[str]] = {}
    for part in run_columns.split_list(text):
        pattern, goal = goals.split_goal(part)
        for key in run_columns.match_keys(pattern, goals.sort_metrics(there), "metric"):
            found.setdefault(key, goal or goals.goal_of(key))
    return [Drawn(key, goal) for key, goal in found.items()]
