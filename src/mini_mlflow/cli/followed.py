"""What has one run logged since the last look, and is it still running?"""

from __future__ import annotations

from collections import namedtuple
from fnmatch import fnmatchcase

from .. import clock
from ..errors import MiniMLflowError
from ..store import reader
from ..store.following import HistoryReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Sequence

    from ..records import Number, Problem

SYSTEM = "system/"
RUNNING = "RUNNING"


class Values(namedtuple("Values", ["step", "time_ms", "metrics"])):
    """What was logged at one step.

    Attributes:
        step: The step.
        time_ms: When the newest of the values was logged.
        metrics: The values by key.
    """

    __slots__ = ()

    step: int
    time_ms: int
    metrics: Dict[str, Number]


class State(namedtuple("State", ["status", "end_time", "ended_by"], defaults=[None])):
    """How a run is: its true status, when it ended and what made it fail, None while and where that is not known."""

    __slots__ = ()

    status: str
    end_time: Optional[int]
    ended_by: Optional[str]


class FollowedRun:
    """Reads what a run has logged, and afterwards what it logs."""

    def __init__(self, folder: str, patterns: Sequence[str] = (), *, with_system: bool = False) -> None:
        """Read nothing yet.

        Args:
            folder: The run's folder.
            patterns: Names of the metrics that are wanted, ``*`` stands for any text; none: all.
            with_system: Whether what the machine does is wanted, too.
        """
        self._folder = folder
        self._patterns = patterns
        self._with_system = with_system
        self._readers: Dict[str, HistoryReader] = {}
        self._is_begun = False

    def read_values(self, most: int) -> List[Values]:
        """Return the values that came since the last call by step, at the first one those of the last *most* steps.

        A history that was rewritten meanwhile is not told again.
        """
        by_step: Dict[int, Values] = {}
        problems: List[Problem] = []
        for key in reader.list_metrics(self._folder):
            if not self._is_wanted(key):
                continue
            is_new = key not in self._readers
            history = self._readers.setdefault(key, HistoryReader(self._folder, key))
            appended = history.read_appended(problems)
            if appended.is_anew and not is_new:
                continue
            for _, rows in appended.parts:
                first = max(0, len(rows.steps) - most) if not self._is_begun else 0
                for step, time_ms, value in zip(rows.steps[first:], rows.timestamps[first:], rows.values[first:]):
                    known = by_step.get(step)
                    if known is None:
                        by_step[step] = Values(step, time_ms, {key: value})
                    else:
                        known.metrics[key] = value
                        by_step[step] = known._replace(time_ms=max(known.time_ms, time_ms))
        found = sorted(by_step.values(), key=lambda values: (values.time_ms, values.step))
        if not self._is_begun:
            found = found[max(0, len(found) - most) :]
        self._is_begun = True
        return found

    def read_state(self) -> Optional[State]:
        """Return how the run is now, None where it is gone."""
        try:
            fields = reader.read_metadata(self._folder, [])
        except (OSError, MiniMLflowError):
            fields = {}
        if not fields:
            return None
        why = fields.get("ended_by")
        end_time = clock.decode_time(fields.get("end_time"))
        return State(str(fields.get("status") or RUNNING), end_time, None if why is None else str(why))

    def _is_wanted(self, key: str) -> bool:
        if self._patterns:
            return any(fnmatchcase(key, pattern) for pattern in self._patterns)
        return self._with_system or not key.startswith(SYSTEM)
