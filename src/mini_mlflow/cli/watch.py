"""``watch``: what do the runs do now? A dashboard on a terminal, else a line for each change."""

from __future__ import annotations

import argparse
import io
import signal
import sys
from time import monotonic

from ..clock import now_ms
from ..errors import MiniMLflowError
from ..query.grammar import parse_filter
from . import keys, terminal, watch_lines
from .dashboard import FILTER, LOOK, QUIT, SHOW, Dashboard
from .dashboard_view import DashboardView
from .failures import DONE, INTERRUPTED, NO, USAGE, CommandError
from .followed import FollowedRun, State
from .live import RUNNING, STARTED, LiveHistories, LiveRuns, Wish
from .pausing import pause
from .repaint import Painter
from .screen import Screen
from .target import find_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional

    from .chosen import ChosenRun
    from .live import RunKey, Snapshot
    from .options import Parser
    from .target import Target

EXAMPLES = (
    "watch                              # all runs",
    "watch cifar10-sweep -f 'lr < 0.1'  # those of one experiment that fit",
    "watch cifar10-sweep --until-done && mini-mlflow best val.acc",
)
_MOST_IN_LINES = 2000  # runs whose changes are told
_PERIOD_S = 1.0  # between two looks
_SHARE = 4  # a look that takes long is followed by a pause so many times as long
_SIGNAL = 128  # and the number of a signal: the exit code of who was ended by it


def add_arguments(parser: Parser) -> None:
    """Say which words and options there are."""
    parser.add_argument("experiment_word", metavar="EXPERIMENT", nargs="?", help="name or id; none: all")
    parser.add_argument("-e", "--experiment", metavar="NAME", help="the same")
    parser.add_argument("-f", "--filter", metavar="TEXT", default="", help="such as 'val.acc > 0.9 and lr < 0.1'")
    parser.add_argument("-m", "--metric", metavar="METRIC", help="the metric whose curves are drawn first")
    parser.add_argument(
        "--until-done", action="store_true", help="end when none of them runs any more; exit 1 if one did not finish"
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Watch, and return the exit code."""
    target = find_target(arguments)
    words = [word for word in (arguments.experiment_word, arguments.experiment) if word is not None]
    if len(words) > 1:
        raise CommandError("EXPERIMENT and -e both name one: leave one of them out", USAGE)
    word = words[0] if words else None
    name = target.shown if word is None else target.experiment(word).name
    parse_filter(arguments.filter)
    watched = Watched(LiveRuns(target, word), arguments.until_done)
    out_fd = _fileno(screen)
    if screen.form is None and screen.is_terminal and terminal.is_possible(terminal.input_fd(), out_fd):
        return _watch_on_terminal(watched, arguments, target, name, screen, out_fd)
    return _watch_in_lines(watched, arguments.filter, screen)


class Watched:
    """The runs that are watched, and how those ended that ran meanwhile."""

    def __init__(self, runs: LiveRuns, is_until_done: bool) -> None:  # noqa: FBT001 - an option of the command
        self._runs = runs
        self._is_until_done = is_until_done
        self._seen: Dict[RunKey, ChosenRun] = {}  # those that were seen running, as they were last

    def look(self, wish: Wish) -> Snapshot:
        """Return the runs as they are now; see ``LiveRuns.look``."""
        snapshot = self._runs.look(wish, now_ms())
        for each in snapshot.runs:
            if each.run.status == RUNNING or each.key() in self._seen:
                self._seen[each.key()] = each.run
        return snapshot

    def is_over(self, snapshot: Snapshot) -> bool:
        """Tell whether there is nothing to wait for any more."""
        return self._is_until_done and not snapshot.counts.get(RUNNING)

    def exit_code(self) -> int:
        """Return 1 where a run that was seen running has not finished."""
        for run in self._seen.values():
            # One that newer runs have pushed out of sight may have ended since.
            state = FollowedRun(run.folder).read_state() if run.status == RUNNING else State(run.status, None)
            if state is not None and state.status not in (RUNNING, "FINISHED"):
                return NO
        return DONE


def _watch_in_lines(watched: Watched, filter_text: str, screen: Screen) -> int:
    changes = watch_lines.Changes(screen)
    wish = Wish(filter_text, STARTED, None, is_running_only=False, most=_MOST_IN_LINES)
    while True:
        begun = monotonic()
        snapshot = watched.look(wish)
        changes.tell(snapshot, now_ms())
        if watched.is_over(snapshot):
            return watched.exit_code()
        screen.flush()
        pause(max(_PERIOD_S, _SHARE * (monotonic() - begun)), screen.out)


def _watch_on_terminal(
    watched: Watched, arguments: argparse.Namespace, target: Target, name: str, screen: Screen, out_fd: int
) -> int:
    dashboard = Dashboard(arguments.filter, arguments.metric)
    dashboard.take(watched.look(dashboard.wish()))  # before the screen is taken: it may take a while, and fail
    show = _Show(watched, dashboard, arguments, target, name, screen)
    screen.flush()
    held, real = io.StringIO(), sys.stderr
    sys.stderr = held  # what is said on the alternate screen would be gone with it
    code = DONE
    taken = terminal.Terminal(terminal.input_fd(), out_fd)
    try:
        with taken:
            code = show.run(taken)
    except terminal.Ended as ended:
        code = INTERRUPTED if ended.signum == signal.SIGINT else _SIGNAL + ended.signum
    finally:
        taken.close()
        sys.stderr = real
        is_there = show.leave()
        _write_quietly(real, held.getvalue())
    if not is_there:
        raise BrokenPipeError  # the terminal is closed: nobody hears anything any more
    return code


class _Show:
    """The dashboard while the terminal is taken."""

    def __init__(
        self,
        watched: Watched,
        dashboard: Dashboard,
        arguments: argparse.Namespace,
        target: Target,
        name: str,
        screen: Screen,
    ) -> None:
        self._watched, self._dashboard, self._screen = watched, dashboard, screen
        self._arguments = arguments
        self._histories = LiveHistories()
        self._view = DashboardView(name, screen, self._histories)
        self._painter = Painter()
        self._target = target
        self._due = 0.0

    def run(self, taken: terminal.Terminal) -> int:
        dashboard = self._dashboard
        while True:
            if monotonic() >= self._due:
                self._look()
            taken.write(self._painter.paint(self._render(), self._screen.width, self._screen.height))
            if dashboard.snapshot is not None and self._watched.is_over(dashboard.snapshot):
                return self._watched.exit_code()
            for event in taken.wait(self._due - monotonic()):
                if event == terminal.RESIZED:
                    self._painter.forget()
                elif self._do(event) == QUIT:
                    return DONE

    def leave(self) -> bool:
        """Write the last table below what was on the terminal before; tell whether that is still there."""
        screen = self._screen
        lines = self._view.render_last(self._dashboard, screen.width, screen.height, now_ms())
        try:
            screen.write_lines(lines)
            screen.out.flush()
        except (CommandError, OSError, ValueError):
            return False
        return True

    def _render(self) -> List[str]:
        return self._view.render(self._dashboard, self._screen.width, self._screen.height, now_ms())

    def _look(self) -> None:
        """Look at the runs; a fault of the disk is told, and the next look may see more."""
        begun = monotonic()
        self._histories.look()
        try:
            self._dashboard.take(self._watched.look(self._dashboard.wish()))
        except (MiniMLflowError, CommandError, OSError) as error:
            self._dashboard.message = "cannot look: %s" % str(error).split("\n", maxsplit=1)[0]
        self._due = monotonic() + max(_PERIOD_S, _SHARE * (monotonic() - begun))

    def _do(self, key: str) -> Optional[str]:
        """Do what a key means, and what has to be done about it."""
        dashboard = self._dashboard
        before = dashboard.filter
        is_of_filter = dashboard.mode == FILTER and key == keys.ENTER
        action = dashboard.press(key)
        if action == LOOK:
            self._look()
            if is_of_filter and dashboard.message:
                dashboard.mode, dashboard.typed, dashboard.filter = FILTER, dashboard.filter, before
                dashboard.message = dashboard.message.replace("cannot look: ", "", 1)
        elif action == SHOW:
            self._view.details = self._read_details()
        return action

    def _read_details(self) -> List[str]:
        """Return what ``show`` says of the run that is chosen."""
        chosen = self._dashboard.chosen()
        if chosen is None:
            return []
        from . import show

        page = _Page(self._screen)
        words = argparse.Namespace(**vars(self._arguments))
        words.run, words.experiment, words.all = "id:" + chosen.run.run_id, "id:" + chosen.run.experiment_id, True
        try:
            show.run(words, page)
        except (MiniMLflowError, CommandError, OSError) as error:
            page.lines.append(self._screen.styled("bad", self._screen.clean(str(error))))
        return page.lines


class _Page(Screen):
    """A screen that keeps what is written to it."""

    def __init__(self, screen: Screen) -> None:
        self.__dict__.update(vars(screen))
        self.lines: List[str] = []

    def write_lines(self, lines: List[str], *, is_wide: bool = False) -> None:  # noqa: ARG002 - as a screen has it
        self.lines += lines


def _fileno(screen: Screen) -> int:
    try:
        return screen.out.fileno()
    except (AttributeError, OSError, ValueError):
        return -1


def _write_quietly(stream: object, text: str) -> None:
    try:
        stream.write(text)  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        pass
