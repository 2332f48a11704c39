"""Which histories has the server read already, and what came since?

They are kept in memory up to a bound, the ones used last; nothing is ever written. What a run has appended is read from
where the last look ended (``store.following``).
"""

from __future__ import annotations

import os
import threading
from array import array
from collections import OrderedDict, namedtuple
from itertools import count
from math import inf, isfinite
from time import monotonic

from ... import series
from ...errors import MiniMLflowError
from ...records import Columns, Metric
from ...store import columns, following
from . import thinning
from .last_steps import LastSteps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    from ...records import Problem

MOST_BYTES = 256 << 20
_ROW_BYTES = 32  # step, timestamp, value, and the place on the axis
_LONG_ROW_BYTES = 120  # the same where values are a list
_FRESH_S = 0.5  # so long nobody looks again
_SETTLED_S = 60.0  # the same for a run that has ended
_MOST_FINITE = 100000  # series that are known to be numbers throughout
_COSTLY = 5.0  # a history that has to be read whole is read anew after so many times as long as that took
_epochs = count(int.from_bytes(os.urandom(4), "big"))


class Extremes(namedtuple("Extremes", ["least", "most", "first_not_finite"])):
    """Places of rows: of the least and the greatest finite value, and of the first that is none; None where none is."""

    __slots__ = ()

    least: Optional[int]
    most: Optional[int]
    first_not_finite: Optional[int]


class History:
    """One metric of a run at one moment: one row for each step, ascending.

    Attributes:
        columns: The rows.
        epoch: Another number whenever rows that were there before are not as they were; else rows were appended.
        problem: What could not be read, None where all could.
        thinned: What charts got of it, by their kind; for who makes it.
        placed: Where its rows lie on an axis, by its name; likewise.
    """

    def __init__(self, columns: Columns, epoch: int, problem: Optional[str]) -> None:
        self.columns = columns
        self.epoch = epoch
        self.problem = problem
        self.thinned: Dict[Any, Any] = {}
        self.placed: Dict[Any, Any] = {}
        self._floats: Optional[array[float]] = None
        self._extremes: Optional[Extremes] = None

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.columns.steps)

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory."""
        return 2000 + self.count * (_ROW_BYTES if isinstance(self.columns.values, array) else _LONG_ROW_BYTES)

    @property
    def floats(self) -> array[float]:
        """The values as floats."""
        if isinstance(self.columns.values, array):
            return self.columns.values
        if self._floats is None:
            self._floats = series.to_floats(self.columns.values)
        return self._floats

    @property
    def cursor(self) -> str:
        """What says which rows somebody has got already."""
        return "%d:%d" % (self.epoch, self.count)

    def row(self, place: int) -> Metric:
        """Return one row."""
        return Metric(self.columns.steps[place], self.columns.timestamps[place], self.columns.values[place])

    def extremes(self) -> Extremes:
        """Return where the least, the greatest and the first value that is not finite stand."""
        if self._extremes is None:
            floats = self.floats
            broken = thinning.first_not_finite(floats)
            finite: Any = floats if broken is None else [value for value in floats if isfinite(value)]
            if len(finite):
                self._extremes = Extremes(floats.index(min(finite)), floats.index(max(finite)), broken)
            else:
                self._extremes = Extremes(None, None, broken)
        return self._extremes


class _Followed:
    """A metric that is read again and again.

    Attributes:
        history: How it stood at the last look.
    """

    def __init__(self, folder: str, key: str) -> None:
        self.history = History(Columns(array("q"), array("q"), array("d")), 0, None)
        self.lock = threading.Lock()
        self._folder = folder
        self._key = key
        self._reader = following.HistoryReader(folder, key)
        self._looked_at = -inf
        self._cost_s = 0.0
        self._is_plain = True

    def refresh(self, now: float, patience_s: float) -> None:
        """Read what was appended, unless that was done just now."""
        if now - self._looked_at < max(patience_s, _COSTLY * self._cost_s):
            return
        self._looked_at = now
        problems: List[Problem] = []
        had = self.history
        try:
            appended = self._reader.read_appended(problems)
            found, epoch = had.columns, had.epoch
            if appended.is_anew or appended.parts or not epoch:
                found, epoch = self._take(appended, problems)
        except (OSError, MiniMLflowError) as error:
            self.history = History(had.columns, had.epoch, str(error))
            return
        problem = problems[0].reason if problems else None
        if found is not had.columns or problem != had.problem or epoch != had.epoch:
            self.history = History(found, epoch, problem)

    def _take(self, appended: Any, problems: List[Problem]) -> Tuple[Columns, int]:
        parts, had = appended.parts, self.history
        if appended.is_anew or not had.epoch:
            merged = series.latest_per_step(parts) if parts else Columns(array("q"), array("q"), array("d"))
            self._is_plain = (len(parts) == 1 and len(merged.steps) == len(parts[0][1].steps)) or not parts
            return self._replaced(merged)
        if self._is_plain and len(parts) == 1 and self._follows(parts[0][1]):
            return _joined(had.columns, parts[0][1]), had.epoch
        start = monotonic()  # several writers, or steps logged again: what counts at a step may be another row now
        self._is_plain = False
        merged = series.latest_per_step(columns.read_parts(self._folder, self._key, problems))
        self._cost_s = monotonic() - start
        return self._replaced(merged)

    def _follows(self, part: Columns) -> bool:
        had, steps = self.history.columns.steps, part.steps
        is_behind = not len(had) or steps[0] > had[-1]
        return is_behind and all(before < after for before, after in zip(steps, steps[1:]))

    def _replaced(self, merged: Columns) -> Tuple[Columns, int]:
        had = self.history
        if had.epoch and _starts(merged, had.columns):
            return merged, had.epoch  # several writers, but what was there is as it was
        return merged, next(_epochs)


def _joined(had: Columns, part: Columns) -> Columns:
    """Return rows with others behind them, as new columns: somebody may be looking at the old ones."""
    values: Any
    if isinstance(had.values, array) and isinstance(part.values, array):
        values = had.values + part.values
    else:
        values = [*had.values, *part.values]
    return Columns(had.steps + part.steps, had.timestamps + part.timestamps, values)


def _starts(longer: Columns, shorter: Columns) -> bool:
    """Tell whether a history begins with the rows of another; NaN is taken for a change."""
    there = len(shorter.steps)
    is_same = longer.steps[:there] == shorter.steps and longer.timestamps[:there] == shorter.timestamps
    return is_same and list(longer.values[:there]) == list(shorter.values)


class Histories:
    """The histories that are kept.

    Attributes:
        last_steps: How far runs have come, without their histories.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Keep none yet.

        Args:
            most_bytes: What all of them may take in memory; the one used longest ago goes first.
        """
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Tuple[str, str], _Followed] = OrderedDict()
        self._sizes: Dict[Tuple[str, str], int] = {}
        self._size = 0
        self._finite: OrderedDict[Tuple[str, str], Any] = OrderedDict()  # with how the run stood
        self.last_steps = LastSteps()

    @property
    def size_bytes(self) -> int:
        """About what they take in memory."""
        return self._size

    def get(self, folder: str, key: str, *, is_live: bool) -> History:
        """Return a metric of the run in *folder* as it stands.

        Args:
            folder: The run.
            key: The metric; one that the run has not is empty.
            is_live: Whether more may come soon.
        """
        name = folder, key
        with self._lock:
            followed = self._kept.get(name)
            if followed is None:
                followed = self._kept[name] = _Followed(folder, key)
                self._sizes[name] = 0
            self._kept.move_to_end(name)
        with followed.lock:
            followed.refresh(monotonic(), _FRESH_S if is_live else _SETTLED_S)
            history = followed.history
        with self._lock:
            if self._kept.get(name) is followed:
                self._size += history.size_bytes - self._sizes[name]
                self._sizes[name] = history.size_bytes
                while self._size > self._most_bytes and len(self._kept) > 1:
                    oldest, _ = self._kept.popitem(last=False)
                    self._size -= self._sizes.pop(oldest)
        return history

    def find_broken_step(self, folder: str, key: str, status: Optional[str], end_ms: Optional[int]) -> Optional[int]:
        """Return the step from which on a metric was no number, None where it is one throughout.

        A history that was not asked for otherwise is read only where its files seem to hold such a value.

        Args:
            folder: The run.
            key: The metric.
            status: How the run stands: while it is ``RUNNING`` it is looked at each time.
            end_ms: When it ended; a run that was gone on with since is looked at again.
        """
        name, state = (folder, key), (status, end_ms)
        is_live = status == "RUNNING"
        if name not in self._kept and not is_live and self._finite.get(name) == state:
            return None
        if name not in self._kept and not columns.may_be_broken(folder, key):
            with self._lock:
                self._finite[name] = state
                while len(self._finite) > _MOST_FINITE:
                    self._finite.popitem(last=False)
            return None
        history = self.get(folder, key, is_live=is_live)
        broken = history.extremes().first_not_finite if history.count else None
        return None if broken is None else history.columns.steps[broken]

    def forget(self, folder: str) -> None:
        """Let go of a run: it was deleted, or brought back."""
        self.last_steps.forget(folder)
        with self._lock:
            for name in [name for name in self._finite if name[0] == folder]:
                del self._finite[name]
            for name in [name for name in self._kept if name[0] == folder]:
                del self._kept[name]
                self._size -= self._sizes.pop(name)
