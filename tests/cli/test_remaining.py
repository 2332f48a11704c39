"""The time that is left is told where params and steps make it plausible, and nowhere else."""

import io
import json

import pytest
from made_store import NOW_MS

from mini_mlflow.cli.dashboard import Dashboard
from mini_mlflow.cli.dashboard_view import DashboardView
from mini_mlflow.cli.live import LiveHistories, LiveRuns
from mini_mlflow.cli.remaining import Progress, find_progress, find_total, rate_of
from mini_mlflow.cli.screen import Screen
from mini_mlflow.cli.target import Target
from mini_mlflow.cli.watch_lines import Changes


@pytest.mark.parametrize(
    ("params", "step", "total"),
    [
        ({"total_steps": 2000}, 667, 2000),
        ({"max_steps": "2000"}, 667, 2000),  # MLflow keeps texts
        ({"num_steps": 2000.0}, 667, 2000),
        ({"steps": 2000}, 2000, 2000),
        ({"steps": 100, "total_steps": 2000}, 667, 2000),
        ({"total_steps": 500, "steps": 2000}, 667, 2000),  # the first counts something else
        ({"epochs": 90}, 37, 90),
        ({"max_epochs": 90}, 90, 90),
        ({"epochs": 90}, 91, None),  # steps are not epochs
        ({"epochs": 90, "max_steps": 2000}, 37, None),  # either may be counted
        ({"epochs": 90, "max_steps": 2000}, 91, 2000),
        ({"epochs": 90, "max_steps": 90}, 3, 90),
        ({"max_steps": -1, "epochs": 90}, 3, 90),  # Lightning's way to say that there is no limit
        ({"max_steps": True}, 0, None),
        ({"max_steps": 0}, 0, None),
        ({"max_steps": 10.5}, 3, None),
        ({"max_steps": float("nan")}, 3, None),
        ({"max_steps": float("inf")}, 3, None),
        ({"max_steps": 10**400}, 3, None),
        ({"max_steps": "many"}, 3, None),
        ({"max_steps": None, "steps": [3]}, 3, None),
        ({"lr": 0.1}, 3, None),
    ],
)
def test_the_total_is_what_a_param_says_where_the_steps_are_not_beyond_it(params, step, total):
    assert find_total(params, step) == total


def test_what_is_left_is_the_rest_at_the_speed_of_late_less_the_time_since():
    params = {"total_steps": 2000}
    assert find_progress(params, 1000, 2.0, 50_000, 60_000) == Progress(1000, 2000, 490.0)
    assert find_progress(params, 1000, 2.0, 70_000, 60_000) == Progress(1000, 2000, 500.0)  # clocks differ
    assert find_progress(params, 1000, None, 50_000, 60_000) == Progress(1000, 2000, None)
    assert find_progress(params, 1000, 0.0, 50_000, 60_000) == Progress(1000, 2000, None)
    assert find_progress(params, 1000, 2.0, 50_000, 600_000) == Progress(1000, 2000, None)  # silent for too long
    assert find_progress(params, None, 2.0, None, 60_000) is None
    assert find_progress({}, 1000, 2.0, 50_000, 60_000) is None


def test_the_speed_is_that_of_the_last_hundred_rows():
    steps = list(range(0, 2000, 10))
    times = [step * 100 if step < 900 else 90_000 + (step - 900) * 200 for step in steps]
    assert rate_of(steps, times) == pytest.approx(5.0)
    assert rate_of([3], [1000]) is None
    assert rate_of([3, 4], [1000, 1000]) is None
    assert rate_of([3, 4], [1000, 500]) is None


def test_show_and_watch_tell_how_far_a_run_is_and_when_it_ends(store, run_cli):
    values = [1.0 / (step + 1) for step in range(500)]
    store.run("far", params={"max_steps": 2000}, metrics={"loss": values}, status="RUNNING", ago_s=500, took_s=500)
    place = ("-d", str(store.path))
    shown = run_cli(*place, "show", "far", "--color", "never", columns=100).lines
    assert "running for 8m20s · 499/2000 · 25m left · started" in shown[1]
    document = json.loads(run_cli(*place, "show", "far", "--json").out)
    assert (document["last_step"], document["total_steps"]) == (499, 2000)
    assert document["left_s"] == pytest.approx(1501, abs=5)
    store.run("done", params={"max_steps": 2000}, metrics={"loss": values[:3]})
    assert "/2000" not in run_cli(*place, "show", "done").out
    document = json.loads(run_cli(*place, "show", "done", "--json").out)
    assert (document["total_steps"], document["left_s"]) == (None, None)


def test_the_dashboard_and_the_lines_of_watch_tell_it_too(store):
    values = [1.0 / (step + 1) for step in range(500)]
    store.run("far", params={"max_steps": 2000}, metrics={"loss": values}, status="RUNNING", ago_s=500, took_s=500)
    live = LiveRuns(Target(str(store.path), "mlruns"), None)
    board = Dashboard()
    board.take(live.look(board.wish(), NOW_MS))
    lines = DashboardView("Default", screen_of(), LiveHistories()).render(board, 100, 24, NOW_MS)
    assert lines[2].split()[:4] == ["name", "step", "left", "/s"]
    assert lines[3].split()[4:6] == ["499/2000", "25m"]
    screen = screen_of()
    Changes(screen).tell(board.snapshot, NOW_MS)
    assert "step 499/2000  25m left  loss 0.002" in screen.out.getvalue()
    screen = screen_of(form="json")
    Changes(screen).tell(board.snapshot, NOW_MS)
    told = json.loads(screen.out.getvalue().splitlines()[-1])
    assert (told["step"], told["total_steps"]) == (499, 2000)
    assert told["left_s"] == pytest.approx(1504, abs=5)


def screen_of(**how):
    return Screen(io.StringIO(), io.StringIO(), {"TERM": "xterm"}, colour="never", now_ms=NOW_MS, **how)


def test_a_run_that_is_lost_says_when_it_was_heard_last(store, run_cli):
    store.run("gone", metrics={"loss": [3.0, 2.0, 1.0]}, status="LOST", ago_s=3600, took_s=1200)
    store.run("mute", status="LOST", ago_s=3600)
    place = ("-d", str(store.path))
    out = " ".join(run_cli(*place, "show", "gone", "--color", "never", columns=80).out.split())
    assert "· lost · started 2026-11-23 08:20:00 last heard 08:40:00 (step 2), 20m00s after its start" in out
    document = json.loads(run_cli(*place, "show", "gone", "--json").out)
    assert (document["last_heard"], document["last_step"]) == ("2026-11-23T08:40:00.000Z", 2)
    assert document["end_time"] is None
    assert "last heard" not in run_cli(*place, "show", "mute").out
    assert json.loads(run_cli(*place, "show", "mute", "--json").out)["last_heard"] is None
