"""What is known of groups of runs, and how do they look as a table?"""

from __future__ import annotations

from collections import namedtuple

from . import text_tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence


class Steps(namedtuple("Steps", ["steps", "mean", "std", "min", "max", "count"])):
    """What the histories of a group come to at each step: six lists of equal length.

    Attributes:
        steps: Every step that any of the runs has logged, ascending.
        mean: Mean over the runs that have a finite value there; None where none has.
        std: Sample standard deviation (n - 1), None where fewer than two have one.
        min: Least value, None as the mean is.
        max: Greatest value, likewise.
        count: How many runs are behind these.
    """

    __slots__ = ()

    steps: List[int]
    mean: List[Optional[float]]
    std: List[Optional[float]]
    min: List[Optional[float]]
    max: List[Optional[float]]
    count: List[int]


class Group(
    namedtuple(
        "Group",
        [
            "params", "run_ids", "count", "mean", "std", "min", "max", "values", "p_value", "is_within_noise", "steps",
            "diverged",
        ],
        defaults=((),),
    )
):
    """Runs that are equal in what they are grouped by.

    Attributes:
        params: What they have in common, by the names that they are grouped by; what they lack is not there.
        run_ids: All its runs, in the order given.
        count: How many of them are behind the numbers: those that are finished and whose last value is finite.
        mean: Mean of their values, None where there is none.
        std: Sample standard deviation (n - 1), None for fewer than two.
        min: Least value, None as the mean is.
        max: Greatest value, likewise.
        values: The values themselves, by run id.
        p_value: How likely chance alone makes its mean differ so much from that of the best group: two-sided p of
            Welch's t-test. None of the best itself, and where either has fewer than two values.
        is_within_noise: Whether that is above *alpha*, so that the best group may be best by chance; None as *p_value*.
        steps: The same per step, None unless asked for. There a run counts at each step at which its value is finite.
        diverged: Those of its runs whose last value is NaN or an infinity: no number here is of them.
    """

    __slots__ = ()

    params: Dict[str, Any]
    run_ids: List[str]
    count: int
    mean: Optional[float]
    std: Optional[float]
    min: Optional[float]
    max: Optional[float]
    values: Dict[str, float]
    p_value: Optional[float]
    is_within_noise: Optional[bool]
    steps: Optional[Steps]
    diverged: Sequence[str]


class Groups(namedtuple("Groups", ["metric", "mode", "by", "over", "groups", "best"])):
    """Groups of runs, and what a metric comes to in each; printed, they are a table.

    Attributes:
        metric: The metric.
        mode: Which value counts of each run: ``"max"``, ``"min"`` or ``"last"``.
        by: What the runs of a group have in common, and those of two groups have not.
        over: The params that differ within groups, such as ``seed``.
        groups: The best mean first, those without a value last; in the order of their first runs where nothing is best.
        best: The one of the best mean, None where there is none.
    """

    __slots__ = ()

    metric: str
    mode: str
    by: List[str]
    over: List[str]
    groups: List[Group]
    best: Optional[Group]

    def __str__(self) -> str:
        """Return them as a table."""
        runs = sum(len(group.run_ids) for group in self.groups)
        title = "%s (%s of each run): %d runs in %d groups" % (self.metric, self.mode, runs, len(self.groups))
        rows = [["runs", *self.by, "mean", "std", "min", "max", ""]]
        for group in self.groups:
            params = [text_tables.render_value(group.params[key]) if key in group.params else "–" for key in self.by]
            mean = "NaN" if group.diverged and not group.count else _number(group.mean)
            numbers = [mean, _number(group.std, 2), _number(group.min), _number(group.max)]
            rows.append([_share(group), *params, *numbers, self._verdict(group)])
        over = ", over " + ", ".join(self.over) if self.over else ""
        return "\n".join([title + over, *text_tables.render_table(rows)])

    def _verdict(self, group: Group) -> str:
        told = "%d diverged" % len(group.diverged) if group.diverged else ""
        return ", ".join(filter(None, [self._compared(group), told]))

    def _compared(self, group: Group) -> str:
        if self.best is None or group.mean is None:
            return ""
        if group is self.best:
            return "best"
        if group.p_value is None:
            return "too few runs to tell"
        return ("within noise of the best, p = %.2g" if group.is_within_noise else "p = %.2g") % group.p_value


def _share(group: Group) -> str:
    """Return how many runs are behind a group's numbers, of how many: ``3`` or ``2/3``."""
    return "%d" % group.count if group.count == len(group.run_ids) else "%d/%d" % (group.count, len(group.run_ids))


def _number(value: Optional[float], digits: int = 6) -> str:
    return "–" if value is None else "%.*g" % (digits, value)
