"""What has changed in the runs that are watched, a line for each change?"""

from __future__ import annotations

from .. import goals
from . import numbers, spans
from .live import RUNNING
from .which import which_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from .live import LiveRun, RunKey, Snapshot
    from .screen import Screen

_MOST_METRICS = 6


class Changes:
    """Compares each look with the one before, and tells what is new."""

    def __init__(self, screen: Screen) -> None:
        """Know of no run yet.

        Args:
            screen: Where lines go to; objects, where JSON is wanted.
        """
        self._screen = screen
        self._known: Dict[RunKey, LiveRun] = {}
        self._names: Dict[str, str] = {}  # of experiments
        self._is_begun = False

    def tell(self, snapshot: Snapshot, now_ms: int) -> None:
        """Tell of the runs that began, logged or ended since the last look; at the first one of those that run."""
        self._names = snapshot.names
        for each in reversed(snapshot.runs):
            before = self._known.get(each.key())
            self._known[each.key()] = each
            if before is None:
                if each.run.status == RUNNING:
                    self._tell_status(each, now_ms)
                    self._tell_values(each, now_ms)
                elif self._is_begun:  # it came and went between two looks
                    self._tell_values(each, now_ms)
                    self._tell_status(each, now_ms)
                continue
            if (each.heard_ms, each.step, each.metrics) != (before.heard_ms, before.step, before.metrics):
                self._tell_values(each, now_ms)
            if each.run.status != before.run.status:
                self._tell_status(each, now_ms)
        self._is_begun = True

    def _tell_status(self, live: LiveRun, now_ms: int) -> None:
        run, screen = live.run, self._screen
        if screen.is_json:
            times = {"start_time": spans.iso(run.start_time), "end_time": spans.iso(run.end_time)}
            screen.write_json("watch", kind="status", run={**self._which(live), "status": run.status, **times})
            return
        text = run.status.lower()
        if run.start_time is not None and (run.status == RUNNING or run.end_time is not None):
            end = now_ms if run.end_time is None else run.end_time
            text += (" for " if run.status == RUNNING else " after ") + spans.took((end - run.start_time) / 1000)
        when = now_ms if run.end_time is None else run.end_time
        self._write(when, live, text)

    def _tell_values(self, live: LiveRun, now_ms: int) -> None:
        if live.step is None or live.heard_ms is None:
            return
        screen, far = self._screen, live.progress(now_ms)
        if screen.is_json:
            facts = {
                "step": live.step, "time": spans.iso(live.heard_ms), "metrics": live.metrics,
                "total_steps": far and far.total, "left_s": far and far.left_s,
            }  # fmt: skip
            screen.write_json("watch", kind="values", run=self._which(live), **facts)
            return
        shown = [key for key in goals.sort_metrics(live.metrics) if not key.startswith("system/")][:_MOST_METRICS]
        words = ["%s %s" % (screen.clean(key), numbers.alone(live.metrics[key])) for key in shown]
        step = "step %d" % live.step
        if far and far.step == live.step:
            step += "/%d" % far.total
        left = [] if far is None or far.left_s is None else [spans.age(far.left_s) + " left"]
        self._write(live.heard_ms, live, "  ".join([step, *left, *words]))

    def _which(self, live: LiveRun) -> Dict[str, Any]:
        return which_run(live.run.run_id, live.run.name, live.run.experiment_id, self._names)

    def _write(self, when_ms: int, live: LiveRun, text: str) -> None:
        screen = self._screen
        line = "%s  %s %s  %s" % (spans.clock(when_ms), screen.mark(live.run.status), _title(live, screen), text)
        if screen.is_terminal:
            screen.write_lines([line])
        else:
            screen.write(line + "\n")  # whole, however long


def _title(live: LiveRun, screen: Screen) -> str:
    return screen.styled("strong", screen.clean(live.run.title()))
