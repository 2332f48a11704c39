"""How is a store that takes long to read shown meanwhile?

The index is brought up to date in a thread beside; who asks waits for it a little, and then gets what is known so far.
"""

from __future__ import annotations

import os
import threading
from math import inf
from time import monotonic

from ... import layout
from . import tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional, Tuple

    from .tables import Chosen, Joined

_QUICK_S = 0.5  # who took no longer the last time is asked without a thread
_BUDGET_S = 1.5  # for histories that are read to sort by their best values
_MOST_KNOWN = 256


class _Reading:
    """A store that is being read in a thread."""

    def __init__(self, chosen: Chosen, stage: str) -> None:
        self.error: Optional[BaseException] = None
        self.is_over = threading.Event()
        self._chosen = chosen
        self._stage = stage
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        try:
            tables.ask(self._chosen, self._stage, lambda table: table.count)
        except Exception as error:  # noqa: BLE001 - it is raised where somebody waits
            self.error = error
        finally:
            self.is_over.set()


class Patience:
    """How long somebody waits, and what is being read."""

    def __init__(self, wait_s: float = 1.0) -> None:
        """Read nothing yet.

        Args:
            wait_s: How long to wait before what is known is shown.
        """
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._readings: Dict[Any, _Reading] = {}
        self._costs: Dict[Any, float] = {}

    def ask(
        self, chosen: Chosen, stage: str, question: Callable[[Joined], Any]
    ) -> Tuple[Any, Optional[Dict[str, Any]]]:
        """Return what a question finds, and how far reading is where it is not over.

        Args:
            chosen: Of each store the experiments.
            stage: ``active`` or ``deleted``.
            question: As for ``tables.ask``.
        """
        name = stage, tuple((store.number, tuple(map(str, ids))) for store, ids in chosen)
        if self._wait_s != inf and self._costs.get(name, _QUICK_S + 1) > _QUICK_S and not self._read(name, chosen):
            return self._peek(chosen, stage, question)
        start, costs = monotonic(), []
        if self._wait_s == inf:
            return tables.ask(chosen, stage, question), None

        def within(table: Joined) -> Any:
            costs.append(monotonic() - start)
            return question(table), table.wanted, table.unread

        answer, total, unread = tables.ask(chosen, stage, within, budget_s=_BUDGET_S)
        if unread:
            return answer, {"done": total - unread, "total": total, "what": "Reading histories"}
        with self._lock:
            self._costs[name] = costs[0]  # of the look at the files: without the question, which may be asked again
            while len(self._costs) > _MOST_KNOWN:
                del self._costs[next(iter(self._costs))]
        return answer, None

    def is_reading(self, chosen: Chosen, stage: str) -> bool:
        """Tell whether some experiments are being read and are not known in full."""
        name = stage, tuple((store.number, tuple(map(str, ids))) for store, ids in chosen)
        reading = self._readings.get(name)
        return reading is not None and not reading.is_over.is_set()

    def _read(self, name: Any, chosen: Chosen) -> bool:
        """Let experiments be read in a thread; tell whether that is over before patience is."""
        with self._lock:
            reading = self._readings.get(name)
            if reading is None:
                reading = self._readings[name] = _Reading(chosen, name[0])
        if not reading.is_over.wait(self._wait_s):
            return False
        with self._lock:
            self._readings.pop(name, None)
        if reading.error is not None:
            raise reading.error
        return True

    def _peek(
        self, chosen: Chosen, stage: str, question: Callable[[Joined], Any]
    ) -> Tuple[Any, Optional[Dict[str, Any]]]:
        total = sum(_count_runs(store.path, each) for store, ids in chosen for each in ids)

        def within(table: Joined) -> Any:
            table.expected = max(table.count, total)
            return question(table), table.count

        answer = tables.peek(chosen, stage, within)
        if answer is None:  # without an index nothing is known before all is
            return tables.ask(chosen, stage, question), None
        found, count = answer
        return found, {"done": min(count, total), "total": total, "what": "Reading runs"}


def _count_runs(store: str, experiment_id: Any) -> int:
    """Return how many runs a folder seems to hold."""
    try:
        with os.scandir(layout.experiment_folder(store, experiment_id)) as entries:
            return sum(1 for entry in entries if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False))
    except OSError:
        return 0
