"""Which plain values travel between the floors of this package?"""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Union

    Number = Union[int, float]


class Metric(namedtuple("Metric", ["step", "timestamp", "value"])):
    """One recorded value of a metric.

    Attributes:
        step: Position on the x-axis, an integer.
        timestamp: Milliseconds since 1970-01-01 UTC.
        value: The number; NaN and infinities are possible.
    """

    __slots__ = ()

    step: int
    timestamp: int
    value: Number


class Summary(namedtuple("Summary", ["first", "last", "min", "max", "mean", "count", "min_step", "max_step"])):
    """What a metric's history comes to.

    ``min``, ``max``, ``mean`` and their steps leave NaN out and are None where nothing else was logged.

    Attributes:
        first: Value of the first row in history order.
        last: The latest value (docs/format.md, rule W8).
        min: Smallest value.
        max: Greatest value.
        mean: Arithmetic mean.
        count: Number of rows, NaN included.
        min_step: Step of the first row that has the smallest value.
        max_step: Step of the first row that has the greatest value.
    """

    __slots__ = ()

    first: Number
    last: Number
    min: Optional[Number]
    max: Optional[Number]
    mean: Optional[float]
    count: int
    min_step: Optional[int]
    max_step: Optional[int]

    def best_step(self, mode: str) -> Optional[int]:
        """Return the step of the best value.

        Args:
            mode: ``"min"`` or ``"max"``: which end is best.

        Raises:
            ValueError: *mode* is neither.
        """
        if mode not in ("min", "max"):
            raise ValueError("mode must be 'min' or 'max', got %r." % (mode,))
        return self.min_step if mode == "min" else self.max_step


class Experiment(namedtuple("Experiment", ["experiment_id", "name", "creation_time", "lifecycle_stage"])):
    """A named group of runs.

    Attributes:
        experiment_id: Integer, or text where the folder is no number.
        name: The name; 0 is "Default".
        creation_time: Milliseconds since 1970-01-01 UTC, None where unknown.
        lifecycle_stage: ``active`` or ``deleted``.
    """

    __slots__ = ()

    experiment_id: Union[int, str]
    name: str
    creation_time: Optional[int]
    lifecycle_stage: str


class Problem(namedtuple("Problem", ["path", "reason"])):
    """A file of a store that could not be read, and why; the rest was read.

    Attributes:
        path: The file.
        reason: What is wrong, in words.
    """

    __slots__ = ()

    path: str
    reason: str


class RunRecord(namedtuple("RunRecord", ["metadata", "params", "metrics", "tags", "problems"])):
    """A run as read from its files, its writers merged.

    Attributes:
        metadata: The fields of meta.yaml with the true status (LOST where the owner is gone).
        params: Param values by key.
        metrics: Latest value by key.
        tags: Tag values by key.
        problems: What could not be read.
    """

    __slots__ = ()

    metadata: Dict[str, Any]
    params: Dict[str, Any]
    metrics: Dict[str, Number]
    tags: Dict[str, Any]
    problems: List[Problem]
