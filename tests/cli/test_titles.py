"""The line above a screen: names are cut in their middle, facts are shown whole or not at all."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_store import NOW_MS

from mini_mlflow.cli import texts, titles
from mini_mlflow.cli.dashboard import Dashboard
from mini_mlflow.cli.dashboard_view import DashboardView
from mini_mlflow.cli.live import LiveHistories, LiveRuns
from mini_mlflow.cli.screen import Screen
from mini_mlflow.cli.target import Target

STATUSES = ("RUNNING", "FINISHED", "FAILED", "KILLED", "LOST")


class Plain:
    """A screen without colours."""

    def __init__(self, width):
        self.width = width

    def clean(self, text):
        return text

    def own(self, text):
        return text

    def glyph(self, name):
        return {"ellipsis": "…"}[name]

    def styled(self, role, text):
        return "%s" % text if role else text


def fit(width, name, *facts):
    screen = Plain(width)
    return titles.fit([titles.name(name, screen), *(titles.fact(each, screen) for each in facts)], screen)


def test_a_name_is_cut_to_the_room_that_the_facts_leave():
    assert fit(40, "a" * 24 + "b" * 24, "24 runs") == "a" * 15 + "…" + "b" * 14 + " · 24 runs"


def test_facts_go_as_a_whole_and_a_sign_tells_that_some_are_gone():
    assert fit(30, "imagenet-from-scratch", "24 runs in 8 groups") == "imagenet-from-scratch …"
    assert fit(20, "imagenet-from-scratch", "24 runs in 8 groups") == "imagenet-f…m-scratch"


def test_it_is_told_in_fewer_words_before_a_name_is_cut():
    screen = Plain(24)
    head = titles.name("tokenizer", screen)
    full, short = ([head, titles.fact("18" + words, screen)] for words in (" finished runs", " runs"))
    assert titles.fit(full, screen, short) == "tokenizer · 18 runs"
    assert titles.fit(full, screen, short, width=0) == "tokenizer · 18 finished runs"


@given(
    st.text("abc名", min_size=1, max_size=60),
    st.lists(st.from_regex(r"[0-9]{1,6} runs", fullmatch=True), max_size=4),
    st.integers(20, 90),
)
def test_no_fact_is_ever_shown_in_part(name, facts, width):
    line = fit(width, name, *facts)
    assert texts.width_of(line) <= width
    assert {found.strip(" …") for found in re.findall("[0-9]+[^·]*", line)} <= set(facts)


LONG = "experiment-with-a-very-long-name-%s"


@pytest.mark.parametrize("letters", [48, 52, 63])
def test_however_long_the_name_of_an_experiment_is_the_counts_are_true(store, run_cli, letters):
    experiment = store.experiment((LONG % ("x" * 63))[:letters])
    for number in range(24):
        params = {"seed": number % 3, "lr": number // 3}
        store.run("run-%02d" % number, experiment, params=params, metrics={"acc": [0.5]})
    place = ("-d", str(store.path), "--color", "never")
    name = (LONG % ("x" * 63))[:letters]
    best = run_cli(*place, "best", "acc", "-e", name, columns=60).lines[0]
    assert re.fullmatch(r"acc ↑ · experiment-[^ ]*…[^ ]*x+ · 24 runs", best) or best.endswith(name + " · 24 runs")
    assert run_cli(*place, "ls", name, columns=60).lines[0].endswith("  24 runs  ✓24")
    groups = run_cli(*place, "ls", name, "-g", columns=60).lines[0]
    assert "24 runs in 8 groups · over seed" in groups
    assert groups.endswith(("mean ± std", "…"))
    plot = run_cli(*place, "plot", "acc", "-e", name, columns=60).lines[0]
    assert plot.endswith(" · 6 runs")


def test_a_list_of_groups_says_what_its_numbers_are_whole(shared_sweep, run_cli):
    line = run_cli("ls", "cifar10-sweep", "-g", "--color", "never", columns=60).lines[0]
    assert line == "cifar10-sweep · 24 runs in 8 groups · over seed · mean ± std"


@pytest.mark.parametrize("columns", [20, 24, 30, 40])
def test_counts_of_a_narrow_screen_are_whole(shared_sweep, run_cli, columns):
    line = run_cli("ls", "cifar10-sweep", "--color", "never", columns=columns).lines[0]
    counts = {"●2", "✓18", "✗2", "■1", "?1", "24", "runs", "…"}
    assert set(line.split()[1:]) <= counts
    assert texts.width_of(line) <= columns


def test_a_line_that_is_too_long_shows_that_it_was_cut():
    assert texts.clip("one two three", 8, "…") == "one two…"
    assert texts.clip("one \x1b[31mtwo\x1b[0m three", 6, "…") == "one \x1b[31mt…\x1b[0m"
    assert texts.clip("one two three", 8, "..") == "one tw.."


@pytest.mark.parametrize("width", [20, 24, 30, 60])
@pytest.mark.parametrize("form", [{}, {"ascii_only": True}])
def test_what_is_watched_is_titled_with_whole_counts(shared_sweep, width, form):
    screen = Screen(io.StringIO(), io.StringIO(), {}, colour="never", now_ms=NOW_MS, **form)
    board = Dashboard("lr < 0.05")
    board.take(LiveRuns(Target(str(shared_sweep.path), "mlruns"), "cifar10-sweep").look(board.wish(), NOW_MS))
    lines = DashboardView("cifar10-sweep", screen, LiveHistories()).render(board, width, 24, NOW_MS)
    counts = board.snapshot.counts
    told = re.findall("[●✓✗■?>.x#]([0-9]+)", lines[0].partition(" lr")[0])
    whole = ["%d" % count for count in map(counts.get, STATUSES) if count]
    assert told == whole[: len(told)]
    assert told == whole or width < 60
    assert max(map(texts.width_of, lines)) <= width
    assert all(line.isascii() for line in lines) or not form
