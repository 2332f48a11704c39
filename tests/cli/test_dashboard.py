"""Each key of ``watch`` changes one thing, letters stay with their runs, and the picture fits every terminal."""

import io
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_store import NOW_MS
from measured import widest

import mini_mlflow
from mini_mlflow.cli import dashboard as module
from mini_mlflow.cli import texts, watch
from mini_mlflow.cli.chosen import ChosenRun
from mini_mlflow.cli.dashboard import DETAILS, FILTER, KEYS, LOOK, QUIT, RUNS, SHOW, Dashboard
from mini_mlflow.cli.dashboard_view import DashboardView
from mini_mlflow.cli.live import LiveHistories, LiveRun, LiveRuns, Snapshot, Wish
from mini_mlflow.cli.screen import Screen
from mini_mlflow.cli.target import Target


def live_run(name, status="RUNNING", **metrics):
    run = ChosenRun(name, "0", name, status, NOW_MS - 60000, None, "/nowhere/" + name)
    return LiveRun(run, {"lr": len(name)}, metrics or {"acc": 0.5, "loss": 1.0}, 7, NOW_MS - 2000, 0.5)


def snapshot(*names):
    runs = [live_run(name) for name in names]
    return Snapshot(runs, len(runs), {"RUNNING": len(runs)}, {"0": "Default"})


@pytest.fixture
def board():
    found = Dashboard()
    found.take(snapshot("one", "two", "three", "four"))
    return found


def name_of(board):
    return board.chosen().run.name


def test_at_the_start_it_is_zoomed_and_linear_by_step_of_the_metric_that_matters_most(board):
    assert (board.is_zoomed, board.is_log, board.is_by_time, board.weight) == (True, False, False, 0.0)
    assert board.metric == "acc"
    assert name_of(board) == "one"


@pytest.mark.parametrize(
    ("pressed", "name"),
    [
        (["j"], "two"),
        (["down", "down"], "three"),
        (["j", "k", "up"], "one"),
        (["end"], "four"),
        (["end", "j"], "four"),
        (["page down", "home"], "one"),
    ],
)
def test_the_chosen_run_moves_and_stays_within_the_list(board, pressed, name):
    for key in pressed:
        assert board.press(key) is None
    assert name_of(board) == name


def test_the_chosen_run_stays_chosen_where_runs_come_and_go(board):
    board.press("j")
    board.take(snapshot("new", "one", "two"))
    assert name_of(board) == "two"
    board.take(snapshot("new", "one"))
    assert name_of(board) == "new"
    board.take(snapshot())
    assert board.chosen() is None
    assert board.press("j") is None
    assert board.press("enter") is None
    assert board.press("space") is None


def test_each_way_of_drawing_turns_on_and_off(board):
    for key, name in (("l", "is_log"), ("z", "is_zoomed"), ("x", "is_by_time")):
        before = getattr(board, name)
        board.press(key)
        assert getattr(board, name) is not before
        board.press(key)
        assert getattr(board, name) is before
    assert [board.press("s") or board.weight for _ in range(3)] == [0.6, 0.9, 0.0]


def test_tab_goes_through_the_metrics_and_around(board):
    assert [board.press("tab") or board.metric for _ in range(3)] == ["loss", "acc", "loss"]
    board.press("back tab")
    assert board.metric == "acc"


def test_space_hides_the_curve_of_the_chosen_run_alone(board):
    board.press("j")
    board.press("space")
    assert [board.is_hidden(each) for each in board.runs] == [False, True, False, False]
    board.press("space")
    assert not any(board.is_hidden(each) for each in board.runs)


def test_what_changes_the_runs_asks_for_a_look(board):
    assert board.press("r") == LOOK
    assert board.wish().is_running_only
    assert [board.press("o") and board.wish().order for _ in range(3)] == ["best", "name", "started"]
    board.press("o")
    assert board.press("tab") == LOOK  # the best of another metric come first
    board.press("o")
    assert board.press("tab") is None
    assert board.press("escape") == LOOK
    assert not board.wish().is_running_only


def test_a_filter_is_typed_and_holds_with_enter(board):
    board.press("f")
    assert board.mode == FILTER
    for key in ("l", "r", "space", "<", "1", "backspace", "q"):
        assert board.press(key) is None
    assert board.typed == "lr <q"
    board.press("clear")
    for key in "x=1":
        board.press(key)
    assert board.press("enter") == LOOK
    assert (board.mode, board.filter) == (RUNS, "x=1")
    board.press("f")
    assert board.typed == "x=1"
    board.press("escape")
    assert (board.mode, board.filter) == (RUNS, "x=1")
    assert board.press("escape") == LOOK
    assert board.filter == ""


def test_pages_are_entered_and_left(board):
    assert board.press("enter") == SHOW
    assert board.mode == DETAILS
    board.press("j")
    board.press("page down")
    assert board.scroll == 11
    board.press("home")
    assert board.scroll == 0
    assert board.press("q") is None
    assert board.mode == RUNS
    board.press("?")
    assert board.mode == KEYS
    board.press("z")
    assert (board.mode, board.is_zoomed) == (RUNS, True)
    assert board.press("q") == QUIT


PRESSED = [*"jklzsxforq? ", "up", "down", "tab", "back tab", "enter", "escape", "space", "backspace"]


@given(st.lists(st.sampled_from(PRESSED)))
def test_no_keys_break_it(pressed):
    board = Dashboard()
    for number, key in enumerate(pressed):
        if number % 3 == 0:
            board.take(snapshot(*"abc"[: number % 4]))
        board.press(key)
        shown = board.window(2)
        assert len(shown) <= 2
        assert len({board.number_of(each) for each in shown}) == len(shown)


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(1, 6))
def test_the_chosen_run_is_always_among_those_that_are_seen(moves, rows):
    board = Dashboard()
    board.take(snapshot(*map(str, range(10))))
    for move in moves:
        for _ in range(move):
            board.press("j" if move % 2 else "k")
        shown = board.window(rows)
        assert len(shown) == rows
        assert board.cursor in [each.key() for each in shown]


def test_a_run_keeps_its_letter_for_as_long_as_it_is_seen(board):
    board.window(4)
    before = {each.run.name: board.number_of(each) for each in board.runs}
    board.take(snapshot("new", "one", "two", "three"))
    after = {each.run.name: board.number_of(each) for each in board.window(4)}
    assert {name: after[name] for name in ("one", "two", "three")} == {
        name: before[name] for name in ("one", "two", "three")
    }
    assert after["new"] == before["four"]  # which is free again


@pytest.fixture
def make_view(sweep):
    """Return a function that makes a dashboard of the sweep and its view: ``make_view(colour="never")``."""

    def make(filter_text="", metric=None, **how):
        form = {"colour": "never", "now_ms": NOW_MS, **how}
        screen = Screen(io.StringIO(), io.StringIO(), {"TERM": "xterm"}, **form)
        board = Dashboard(filter_text, metric)
        board.take(LiveRuns(Target(str(sweep.path), "mlruns"), "cifar10-sweep").look(board.wish(), NOW_MS))
        return board, DashboardView("cifar10-sweep", screen, LiveHistories())

    return make


def test_sorted_by_a_metric_the_runs_stand_in_the_order_of_the_values_that_are_shown(store):
    store.run("had-the-best", metrics={"loss": [0.1, 0.9]})
    store.run("is-best-now", metrics={"loss": [0.8, 0.5]}, status="RUNNING")
    store.run("in-between", metrics={"loss": [0.3, 0.7]})
    store.run("broken", metrics={"loss": [0.01, float("nan")]})
    board = Dashboard()
    live = LiveRuns(Target(str(store.path), "mlruns"), None)
    board.take(live.look(board.wish(), NOW_MS))
    assert board.press("o") == LOOK
    board.take(live.look(board.wish(), NOW_MS))
    assert [each.run.name for each in board.runs] == ["is-best-now", "in-between", "had-the-best", "broken"]
    screen = Screen(io.StringIO(), io.StringIO(), {"TERM": "xterm"}, colour="never", now_ms=NOW_MS)
    lines = DashboardView("Default", screen, LiveHistories()).render(board, 80, 24, NOW_MS)
    assert "by latest loss" in lines[0]
    assert [line.split()[-1] for line in lines[3:7]] == ["0.5000", "0.7000", "0.9000", "NaN"]


@pytest.mark.long
@pytest.mark.parametrize(("width", "height"), [(60, 20), (80, 24), (120, 40), (200, 50)])
def test_the_dashboard_looks_as_it_should_at_every_width(make_view, check_screen, width, height):
    board, view = make_view()
    lines = view.render(board, width, height, NOW_MS)
    assert len(lines) == height
    assert widest(lines) <= width
    check_screen("watch-%d" % width, "".join(line.rstrip() + "\n" for line in lines))


def test_with_colours_and_in_ascii_it_looks_as_it_should(make_view, check_screen):
    board, view = make_view(colour="always")
    lines = view.render(board, 80, 24, NOW_MS)
    check_screen("watch-80-colour", "".join(line.rstrip() + "\n" for line in lines).replace("\x1b", "␛"))
    board, view = make_view(ascii_only=True)
    lines = view.render(board, 80, 24, NOW_MS)
    assert "".join(lines).isascii()
    check_screen("watch-80-ascii", "".join(line.rstrip() + "\n" for line in lines))


def test_what_is_left_behind_is_the_table_without_keys_and_letters(make_view, check_screen):
    board, view = make_view("aug = mixup and lr = 0.003")
    lines = view.render_last(board, 80, 24, NOW_MS)
    check_screen("watch-80-last", "".join(line.rstrip() + "\n" for line in lines))


def test_a_curve_that_is_chosen_lies_on_top_then_those_that_go_on(make_view):
    board, view = make_view()
    board.press("end")
    shown = board.window(5)
    curves = view._curves(board, shown, "val.acc", module_view(), 80)
    order = [curve.pen.colour for curve in curves]
    assert order[0] == board.number_of(board.chosen())


def module_view():
    from mini_mlflow.cli.chart import STEP, View

    return View(STEP, "step", False, False)


@given(st.integers(1, 150), st.integers(1, 60), st.lists(st.sampled_from("jlzsx?\r f"), max_size=4))
def test_no_picture_is_larger_than_the_terminal(width, height, pressed):
    board = Dashboard()
    board.take(snapshot(*("run-%d" % number for number in range(12))))
    for key in pressed:
        board.press({"\r": "enter", " ": "space"}.get(key, key))
    screen = Screen(io.StringIO(), io.StringIO(), {}, colour="never", now_ms=NOW_MS)
    lines = DashboardView("some experiment", screen, LiveHistories()).render(board, width, height, NOW_MS)
    assert len(lines) <= max(height, 1)
    if width >= 60:
        assert all(texts.width_of(line) <= width for line in lines)


class ScriptedTerminal:
    """Stands for a terminal: what each wait brings, and how long it takes, is told beforehand."""

    def __init__(self, clock, events):
        self.clock, self.events, self.written = clock, list(events), []

    def write(self, text):
        self.written.append(text)

    def wait(self, timeout_s):
        key, after_s = self.events.pop(0)
        self.clock[0] += timeout_s if after_s is None else after_s
        return [key] if key else []


class CountedRuns:
    """Stands for the runs that are watched; counts the looks."""

    def __init__(self):
        self.looks = 0

    def look(self, _wish):
        self.looks += 1
        return snapshot("one", "two")

    def is_over(self, _shown):
        return False


@pytest.fixture
def show(monkeypatch):
    """Return a function that plays events to a dashboard: how many looks there were, and what was written when."""

    def play(events):
        clock = [100.0]
        monkeypatch.setattr(watch, "monotonic", lambda: clock[0])
        monkeypatch.setattr(watch, "now_ms", lambda: NOW_MS)
        runs, board = CountedRuns(), Dashboard()
        board.take(snapshot("one", "two"))
        screen = Screen(io.StringIO(), io.StringIO(), {"COLUMNS": "80", "LINES": "24"}, colour="never", now_ms=NOW_MS)
        taken = ScriptedTerminal(clock, [*events, ("q", 0.0)])
        assert watch._Show(runs, board, None, None, "runs", screen).run(taken) == 0
        return runs.looks, taken.written

    return play


def test_the_runs_are_looked_at_once_a_second_however_many_keys_are_pressed(show):
    looks, _ = show([("l", 0.1)] * 25)
    assert looks == 3


def test_nothing_is_sent_while_nothing_changes_and_a_key_sends_the_lines_that_it_changes(show):
    looks, written = show([("", None)] * 5)
    assert looks == 6
    assert written[0].count("\x1b[2J") == 1
    assert written[1:] == [""] * 5
    _, written = show([("j", 0.1)])
    assert re.findall("\x1b\\[(\\d+);1H", written[1]) == ["4", "5"]  # where the chosen run was, and where it is


def test_keys_and_quit_are_said_however_narrow_it_is(make_view):
    board, view = make_view()
    assert view.render(board, 200, 30, NOW_MS)[-1].count("   ") == 12
    for width in (30, 60, 80):
        bottom = view.render(board, width, 30, NOW_MS)[-1]
        assert bottom.endswith("? keys   q quit")
        assert texts.width_of(bottom) <= width


def test_a_look_knows_how_far_and_how_fast_a_run_is(store):
    store.run("fast", metrics={"loss": [3.0, 2.0, 1.0]}, status="RUNNING", ago_s=100, took_s=60)
    live = LiveRuns(Target(str(store.path), "mlruns"), None)
    wish = Wish("", "started", None, False, 9)
    (found,) = live.look(wish, NOW_MS).runs
    assert (found.step, found.heard_ms) == (2, NOW_MS - 40000)
    assert found.rate == pytest.approx(2 / 60)  # since its start
    moment = NOW_MS - 20000
    store.live[-1].writer.write_row("loss", "0.5", 12, moment, moment)
    (found,) = live.look(wish, NOW_MS).runs
    assert (found.step, found.metrics) == (12, {"loss": 0.5})
    assert found.rate == pytest.approx(10 / 20)  # of late
    store.live[-1].end()
    (found,) = live.look(wish, NOW_MS).runs
    assert (found.run.status, found.rate) == ("FINISHED", None)


def test_runs_that_go_on_come_first_then_the_newest_or_the_best_or_by_name(store):
    store.run("b", metrics={"acc": [0.9]}, ago_s=500)
    store.run("c", metrics={"acc": [0.8]}, ago_s=400, status="RUNNING")
    store.run("a", metrics={"acc": [0.7]}, ago_s=300)
    store.run("d", ago_s=200)
    live = LiveRuns(Target(str(store.path), "mlruns"), None)

    def names(order, **how):
        wish = Wish("", order, "acc", False, 9)._replace(**how)
        return [each.run.name for each in live.look(wish, NOW_MS).runs]

    assert names("started") == ["c", "d", "a", "b"]
    assert names("best") == ["b", "c", "a", "d"]
    assert names("name") == ["a", "b", "c", "d"]
    assert names("started", is_running_only=True) == ["c"]
    assert names("started", most=2) == ["c", "d"]
    assert names("started", filter="acc > 0.75") == ["c", "b"]


def test_of_a_run_that_has_ended_the_files_are_read_once(store, monkeypatch):
    store.run("a", metrics={"acc": [0.9]})
    store.run("b", metrics={"acc": [0.9]}, status="RUNNING")
    live = LiveRuns(Target(str(store.path), "mlruns"), None)
    wish = Wish("", "started", None, False, 9)
    live.look(wish, NOW_MS)
    read = []
    monkeypatch.setattr("mini_mlflow.cli.live.read_latest_rows", lambda folder, *_: read.append(folder) or {})
    live.look(wish, NOW_MS)
    assert len(read) == 1


def test_a_history_grows_by_what_is_logged_and_a_step_that_is_logged_again_counts_anew(store):
    store.run("a", metrics={"acc": [0.1, 0.2]}, status="RUNNING")
    run = store.live[-1]
    folder = str(next(store.path.glob("0/*/meta.yaml")).parent)
    histories = LiveHistories()
    assert list(histories.read(folder, "acc").values) == [0.1, 0.2]
    for step, value in ((2, 0.3), (1, 0.9), (3, 2**60 + 1)):
        now = int(time.time() * 1000)
        run.writer.write_row("acc", str(value), step, now, now)
    assert list(histories.read(folder, "acc").values) == [0.1, 0.2]  # as it was at the last look
    histories.look()
    found = histories.read(folder, "acc")
    assert (list(found.steps), list(found.values)) == ([0, 1, 2, 3], [0.1, 0.9, 0.3, 2**60 + 1])
    assert module.MOST == 200


@pytest.mark.parametrize(("status", "code"), [("FINISHED", 0), ("FAILED", 1)])
def test_a_run_that_newer_ones_push_out_of_sight_counts_for_the_exit_code_too(store, status, code):
    old = mini_mlflow.Run(name="old", runs_dir=store.path)
    while int(time.time() * 1000) <= old.info.start_time:
        pass  # of two that started in one millisecond neither is newer
    mini_mlflow.Run(name="new", runs_dir=store.path).end()
    watched = watch.Watched(LiveRuns(Target(str(store.path), "mlruns"), None), is_until_done=True)
    wish = Wish("", "started", None, False, 1)
    assert not watched.is_over(watched.look(wish))
    old.end(status)
    found = watched.look(wish)
    assert [each.run.name for each in found.runs] == ["new"]
    assert watched.is_over(found)
    assert watched.exit_code() == code
