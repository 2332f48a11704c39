"""What does each key of ``watch`` change in what is shown?

Pure: it knows runs, and no terminal.
"""

from __future__ import annotations

from . import keys, live
from .legend import LETTERS
from .live import BEST, NAME, STARTED, Wish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Sequence, Set

    from .live import LiveRun, RunKey, Snapshot

RUNS, DETAILS, KEYS, FILTER = "runs", "details", "keys", "filter"  # what is on the screen
QUIT, LOOK, SHOW = "quit", "look", "show"  # what has to be done about a key
ORDERS = (STARTED, BEST, NAME)
WEIGHTS = (0.0, 0.6, 0.9)  # how smooth
MOST = 200  # runs to scroll through


class Dashboard:
    """What a user has chosen to see, and where they are in it.

    Attributes:
        mode: ``RUNS``, ``DETAILS``, ``KEYS`` or ``FILTER``.
        snapshot: The runs as they were at the last look, None before it.
        cursor: The run that is chosen, None where there is none.
        metric: The metric that is drawn, None where there is none.
        is_log, is_zoomed, is_by_time, weight: How it is drawn.
        filter: The filter that holds.
        typed: The filter that is being typed.
        message: What went wrong at the last key or look; empty: nothing.
        scroll: How many lines of the details are above the screen.
    """

    def __init__(self, filter_text: str = "", metric: Optional[str] = None) -> None:
        """Begin as ``watch`` does: zoomed, by step, the newest runs.

        Args:
            filter_text: The filter that holds.
            metric: The metric that is drawn; None: the one that matters most.
        """
        self.mode = RUNS
        self.snapshot: Optional[Snapshot] = None
        self.cursor: Optional[RunKey] = None
        self.metric = metric
        self.is_log, self.is_zoomed, self.is_by_time, self.weight = False, True, False, 0.0
        self.filter, self.typed, self.message = filter_text, "", ""
        self.scroll = 0
        self.is_running_only = False
        self.order = STARTED
        self._hidden: Set[RunKey] = set()
        self._letters: Dict[RunKey, int] = {}
        self._first = 0  # the run at the top

    @property
    def runs(self) -> List[LiveRun]:
        """The runs that can be scrolled through."""
        return [] if self.snapshot is None else self.snapshot.runs

    @property
    def metrics(self) -> List[str]:
        """The metrics that can be drawn."""
        return live.list_metrics(self.runs)

    def wish(self) -> Wish:
        """Return which runs are to be looked at."""
        return Wish(self.filter, self.order, self.metric, self.is_running_only, MOST)

    def take(self, snapshot: Snapshot) -> None:
        """Take what a look has found; the run that is chosen stays so while it is there."""
        self.snapshot = snapshot
        there = [live_run.key() for live_run in snapshot.runs]
        if self.cursor not in there:
            self.cursor = there[0] if there else None
        metrics = self.metrics
        if metrics and self.metric not in metrics:
            self.metric = metrics[0]

    def press(self, key: str) -> Optional[str]:
        """Do what a key means; return what else has to be done about it: ``QUIT``, ``LOOK``, ``SHOW`` or nothing."""
        if self.mode == FILTER:
            return self._press_in_filter(key)
        self.message = ""
        if key == "q":
            if self.mode == RUNS:
                return QUIT
            self.mode = RUNS
            return None
        if self.mode == KEYS:
            self.mode = RUNS
            return None
        if self.mode == DETAILS:
            return self._press_in_details(key)
        return self._press_in_runs(key)

    def window(self, rows: int) -> List[LiveRun]:
        """Return the runs that *rows* lines show: the chosen one is among them."""
        places = [live_run.key() for live_run in self.runs]
        cursor = places.index(self.cursor) if self.cursor in places else 0
        self._first = max(0, min(self._first, cursor, len(places) - rows))
        if cursor >= self._first + rows:
            self._first = cursor - rows + 1
        shown = self.runs[self._first : self._first + rows]
        self._hand_out_letters([live_run.key() for live_run in shown])
        return shown

    def number_of(self, run: LiveRun) -> int:
        """Return the number of a run's letter and colour; it stays the same for as long as the run is on the screen."""
        return self._letters[run.key()]

    def is_hidden(self, run: LiveRun) -> bool:
        """Tell whether a run's curve is not drawn."""
        return run.key() in self._hidden

    def chosen(self) -> Optional[LiveRun]:
        """Return the run that is chosen."""
        return next((live_run for live_run in self.runs if live_run.key() == self.cursor), None)

    def _hand_out_letters(self, shown: Sequence[RunKey]) -> None:
        self._letters = {key: number for key, number in self._letters.items() if key in shown}
        free = iter(sorted(set(range(len(LETTERS))) - set(self._letters.values())))
        for key in shown:
            if key not in self._letters:
                self._letters[key] = next(free, len(LETTERS) - 1)

    def _press_in_runs(self, key: str) -> Optional[str]:
        steps = {keys.UP: -1, "k": -1, keys.DOWN: 1, "j": 1, keys.PAGE_UP: -10, keys.PAGE_DOWN: 10}
        steps.update({keys.HOME: -MOST, keys.END: MOST})
        if key in steps:
            self._move(steps[key])
        elif key in (keys.TAB, keys.BACK_TAB):
            self._turn_metric(1 if key == keys.TAB else -1)
            return LOOK if self.order == BEST else None
        elif key in ("l", "z", "s", "x", keys.SPACE):
            self._redraw(key)
        elif key == "f":
            self.mode, self.typed = FILTER, self.filter
        elif key == "o":
            self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
            return LOOK
        elif key == "r":
            self.is_running_only = not self.is_running_only
            return LOOK
        elif key == "?":
            self.mode = KEYS
        elif key == keys.ENTER and self.cursor is not None:
            self.mode, self.scroll = DETAILS, 0
            return SHOW
        elif key == keys.ESCAPE and (self.filter or self.is_running_only):
            self.filter, self.is_running_only = "", False
            return LOOK
        return None

    def _redraw(self, key: str) -> None:
        if key == "l":
            self.is_log = not self.is_log
        elif key == "z":
            self.is_zoomed = not self.is_zoomed
        elif key == "s":
            self.weight = WEIGHTS[(WEIGHTS.index(self.weight) + 1) % len(WEIGHTS)]
        elif key == "x":
            self.is_by_time = not self.is_by_time
        elif self.cursor is not None:
            self._hidden ^= {self.cursor}

    def _press_in_details(self, key: str) -> Optional[str]:
        steps = {
            keys.UP: -1, "k": -1, keys.DOWN: 1, "j": 1, keys.PAGE_UP: -10, keys.PAGE_DOWN: 10, keys.SPACE: 10,
            keys.HOME: -(1 << 20), keys.END: 1 << 20,
        }  # fmt: skip
        if key in steps:
            self.scroll = max(0, self.scroll + steps[key])
        elif key in (keys.ESCAPE, keys.ENTER):
            self.mode = RUNS
        elif key == "?":
            self.mode = KEYS
        return None

    def _press_in_filter(self, key: str) -> Optional[str]:
        if key == keys.ENTER:
            self.mode, self.filter, self.message = RUNS, self.typed.strip(), ""
            return LOOK
        if key == keys.ESCAPE:
            self.mode, self.message = RUNS, ""
        elif key == keys.BACKSPACE:
            self.typed = self.typed[:-1]
        elif key == keys.CLEAR:
            self.typed = ""
        elif key == keys.SPACE or len(key) == 1:
            self.typed += " " if key == keys.SPACE else key
        return None

    def _move(self, steps: int) -> None:
        places = [live_run.key() for live_run in self.runs]
        if places:
            place = places.index(self.cursor) if self.cursor in places else 0
            self.cursor = places[max(0, min(place + steps, len(places) - 1))]

    def _turn_metric(self, steps: int) -> None:
        metrics = self.metrics
        if metrics:
            place = metrics.index(self.metric) if self.metric in metrics else 0
            self.metric = metrics[(place + steps) % len(metrics)]
