"""Which runs that go on are by now far from the best that they have been?"""

from __future__ import annotations

from . import ranked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Sequence

    from .facts import Facts
    from .run_columns import Spec

_SHARE = 10  # one part of so many of what a run had gained


def is_far(goal: Optional[str], first: Any, best: Any, last: Any) -> bool:
    """Tell whether a value has lost more than a tenth of what it had gained since the first, or more than the best is.

    Args:
        goal: Which end is best, ``max`` or ``min``; None: neither is, and nothing is far.
        first: The first value; None where there is none, as of the others.
        best: The best.
        last: The latest.
    """
    known = [value for value in (first, best, last) if value is not None and ranked.is_finite(value)]
    if goal is None or len(known) < 3:
        return False
    sign = 1 if goal == "max" else -1
    try:
        lost, gained = sign * (best - last), sign * (best - first)
    except OverflowError:  # an integer beyond every float
        return False
    return bool(lost > 0 and (lost > abs(best) or (gained > 0 and lost * _SHARE > gained)))


def find_fallen(facts: Facts, specs: Sequence[Spec], statuses: Sequence[str]) -> Dict[Spec, Dict[int, Any]]:
    """Return the latest values that are far from the best, of runs that go on, by column and row.

    Args:
        facts: The runs.
        specs: The columns; those of best values count.
        statuses: The status of each run.
    """
    running = [place for place, status in enumerate(statuses) if status == "RUNNING"]
    found: Dict[Spec, Dict[int, Any]] = {}
    for spec in specs:
        if spec.kind != "measure" or spec.mode not in ("min", "max") or not running:
            continue
        last = facts.values("metrics", spec.key)
        places = [place for place in running if last[place] is not None]
        firsts, bests = (facts.summary_of(name, spec.key, places) for name in ("first", spec.mode))
        far = {
            place: last[place]
            for place, first, best in zip(places, firsts, bests)
            if is_far(spec.mode, first, best, last[place])
        }
        if far:
            found[spec] = far
    return found
