"""``tail``: what has a run logged and printed of late, and what does it log and print now?"""

from __future__ import annotations

import os

from .. import clock, layout
from ..console_reading import LogReader
from . import log_text, numbers, spans, texts, titles
from .chosen import choose_run
from .failures import DONE, NOT_FOUND, CommandError
from .followed import RUNNING, FollowedRun
from .options import add_place, whole
from .pausing import pause
from .target import find_target
from .which import which_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Dict, List, Optional, Sequence

    from ..console_reading import Printed
    from .chosen import ChosenRun
    from .followed import State, Values
    from .options import Parser
    from .screen import Screen

EXAMPLES = (
    "tail last                 # the last values and lines",
    "tail warm-hare -f         # and what comes, until the run ends",
    "tail 1 -n 50 -m 'val.*'   # more of them; these metrics alone",
)
_LINES = 10
_LOOK_S = 0.5  # between two looks at a run
_INDENT = " " * 8  # as wide as a clock


def add_arguments(parser: Parser) -> None:
    """Say which words and options there are."""
    parser.add_argument("run", metavar="RUN", help="which run")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what comes; ends with the run")
    parser.add_argument("-n", "--lines", metavar="N", type=whole, default=_LINES, help="the last N steps and N lines")
    parser.add_argument("-m", "--metrics", metavar="KEYS", help="of the metrics these: 'val.*,train.loss'")
    parser.add_argument("-a", "--all", action="store_true", help="what the machine does, too (system/)")
    add_place(parser)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show what there is, with -f also what comes, and return the exit code."""
    target = find_target(arguments)
    chosen = choose_run(arguments.run, target, screen, arguments.experiment)
    patterns = [part.strip() for part in (arguments.metrics or "").split(",") if part.strip()]
    followed = FollowedRun(chosen.folder, patterns, with_system=arguments.all)
    logs = LogReader(os.path.join(chosen.folder, layout.ARTIFACTS))
    state = followed.read_state()
    which = which_run(chosen.run_id, chosen.name, chosen.experiment_id, target.names())
    view = _view(chosen, which, screen, is_followed=arguments.follow)
    if not arguments.follow:
        values, lines = followed.read_values(arguments.lines), logs.read_lines(arguments.lines)
        rest = logs.read_rest() if state is None or state.status != RUNNING else []
        lines = [*lines, *rest][-arguments.lines :]
        view.begin(state)
        view.show(values, lines)
        view.finish(state)
        return DONE
    view.begin(state)
    while True:
        # The status first: what a run logs before its end is there once the end is.
        state = followed.read_state()
        view.show(followed.read_values(arguments.lines), logs.read_lines(arguments.lines))
        if state is None:
            screen.flush()
            raise CommandError("the run '%s' is not there any more" % chosen.title(), NOT_FOUND)
        if state.status != RUNNING:
            view.show([], logs.read_rest())
            view.end(state)
            return DONE
        screen.flush()
        pause(_LOOK_S, screen.out)


def _view(run: ChosenRun, which: Dict[str, Any], screen: Screen, *, is_followed: bool) -> Any:
    if screen.is_json:
        return (_Objects if is_followed else _Document)(run, which, screen)
    return _Lines(run, screen, is_followed=is_followed)


class _Lines:
    """What people read."""

    def __init__(self, run: ChosenRun, screen: Screen, *, is_followed: bool) -> None:
        self._run, self._screen, self._is_followed = run, screen, is_followed

    def begin(self, state: Optional[State]) -> None:
        screen, title = self._screen, self._title(state)
        if state is not None and state.status == RUNNING and not self._is_followed:
            advice = screen.own(" · -f follows, and ends with the run")
            if texts.width_of(title + advice) <= screen.width:
                title += screen.styled("quiet", advice)
        screen.write_lines([title])

    def show(self, values: Sequence[Values], lines: Sequence[Printed]) -> None:
        found = []
        for each in values:
            found += self._render_values(each)
        for line in lines:
            found += self._render_line(line)
        if not self._screen.is_terminal:
            self._screen.write("".join(line + "\n" for line in found))  # whole, however long
        else:
            self._screen.write_lines(found)

    def end(self, state: State) -> None:
        self._screen.write_lines([self._title(state), *self._why(state)])

    def finish(self, state: Optional[State]) -> None:
        self._screen.write_lines(self._why(state))

    def _why(self, state: Optional[State]) -> List[str]:
        if state is None or state.ended_by is None:
            return []
        screen = self._screen
        return [screen.styled("bad", part) for part in texts.wrap(screen.clean(state.ended_by), screen.width)]

    def _title(self, state: Optional[State]) -> str:
        screen, run = self._screen, self._run
        status = run.status if state is None else state.status
        told = [
            titles.name(run.title(), screen, role="strong"),
            titles.fact(self._facts(status, state), screen, titles.GAP),
        ]
        return "%s %s" % (screen.mark(status), titles.fit(told, screen, width=screen.width - 2))

    def _facts(self, status: str, state: Optional[State]) -> str:
        start, end = self._run.start_time, None if state is None else state.end_time
        if status == RUNNING:
            return "running" if start is None else "running for " + spans.took((self._now() - start) / 1000)
        word = status.lower()
        if end is None or self._is_followed:
            ago = ""
        else:
            ago = " %s ago" % spans.age((self._now() - end) / 1000)
        after = "" if start is None or end is None else " after " + spans.took((end - start) / 1000)
        return word + ago + after

    def _now(self) -> int:
        if not self._is_followed:
            return self._screen.now_ms
        return clock.now_ms()

    def _render_values(self, values: Values) -> List[str]:
        screen = self._screen
        words = [
            "%s %s" % (screen.styled("quiet", screen.clean(key)), numbers.alone(values.metrics[key]))
            for key in sorted(values.metrics)
        ]
        words = ["step %d" % values.step, *words]
        clock = screen.styled("quiet", spans.clock(values.time_ms))
        room = screen.width - len(_INDENT) - 2 if screen.is_terminal else 1 << 30
        first, *rest = texts.join_wrapped(words, "  ", max(room, 20))
        return [clock + "  " + first, *(_INDENT + "  " + line for line in rest)]

    def _render_line(self, line: Printed) -> List[str]:
        screen = self._screen
        text = log_text.render_line(line.text, has_colour=screen.has_colour, encoding=screen.encoding)
        clock = _INDENT if line.time_ms is None else screen.styled("quiet", spans.clock(line.time_ms))
        bar = screen.styled("quiet", screen.glyph("bar"))
        parts = log_text.wrap(text, max(screen.width - len(_INDENT) - 3, 10)) if screen.is_terminal else [text]
        return ["%s %s %s" % (clock if not place else _INDENT, bar, part) for place, part in enumerate(parts)]


class _Document:
    """What programs read of what is there: one document."""

    def __init__(self, run: ChosenRun, which: Dict[str, Any], screen: Screen) -> None:
        self._run, self._which, self._screen = run, which, screen
        self._fields: Any = {}

    def begin(self, state: Optional[State]) -> None:
        self._fields = {"run": {**self._which, **_state(self._run, state)}}

    def show(self, values: Sequence[Values], lines: Sequence[Printed]) -> None:
        self._fields["values"] = [_values(each) for each in values]
        self._fields["console"] = [line.text for line in lines]

    def finish(self, _: Optional[State]) -> None:
        self._screen.write_json("tail", **self._fields)


class _Objects:
    """What programs read of what comes: an object a line, which says its ``kind``."""

    def __init__(self, run: ChosenRun, which: Dict[str, Any], screen: Screen) -> None:
        self._run, self._which, self._screen = run, which, screen

    def begin(self, state: Optional[State]) -> None:
        self._write("status", run={**self._which, **_state(self._run, state)})

    def show(self, values: Sequence[Values], lines: Sequence[Printed]) -> None:
        for each in values:
            self._write("values", run=self._which, **_values(each))
        for line in lines:
            self._write("console", run=self._which, text=line.text)

    def end(self, state: State) -> None:
        self.begin(state)

    def _write(self, kind: str, **fields: Any) -> None:
        self._screen.write_json("tail", kind=kind, **fields)


def _state(run: ChosenRun, state: Optional[State]) -> Dict[str, Any]:
    return {
        "status": run.status if state is None else state.status, "start_time": spans.iso(run.start_time),
        "end_time": spans.iso(None if state is None else state.end_time),
        "ended_by": None if state is None else state.ended_by,
    }  # fmt: skip


def _values(values: Values) -> Any:
    return {"step": values.step, "time": spans.iso(values.time_ms), "metrics": values.metrics}
