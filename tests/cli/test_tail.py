"""``tail`` shows what a run logged and printed of late, follows it, and lets nothing of a log steer the terminal."""

import json
import os
import select
import subprocess
import sys

import pytest
from made_store import NOW_MS

from mini_mlflow import layout
from mini_mlflow.cli import tail
from mini_mlflow.cli.followed import FollowedRun

LOG = "epoch 1\n\x1b[32mgreen\x1b[0m \x1b[2J\x1b]0;title\x07saved\n"


def folder_of(store, run_id):
    return next(path for path in store.path.glob("*/%s" % run_id))


@pytest.fixture
def live(store):
    """A run that is running, and its id."""
    run_id = store.run("warm-hare", metrics={"val.acc": [0.1, 0.5, 0.9]}, status="RUNNING", ago_s=120, took_s=118)
    return store.live[-1], run_id


@pytest.fixture
def follow(monkeypatch, run_cli, store):
    """Return a function that follows a run, doing one thing between two looks, and gives what was shown."""

    def run(*arguments, then, **how):
        things = list(then)

        def pause(seconds, out):
            assert things, "it goes on for ever"
            things.pop(0)()

        monkeypatch.setattr(tail, "pause", pause)
        result = run_cli("-d", str(store.path), "tail", *arguments, "-f", **how)
        assert things == []
        return result

    return run


def log(run, key, value, step, ago_s=1.0):
    moment = NOW_MS - int(ago_s * 1000)
    run.writer.write_row(key, str(value), step, moment, moment)


def test_the_last_values_come_by_step_and_then_the_last_lines(store, run_cli):
    run_id = store.run(
        "proud-owl", metrics={"val.acc": [0.1, 0.5, 0.9], "val.loss": [2.0, 1.0, 0.5]}, files={"console.log": LOG}
    )
    path = folder_of(store, run_id) / layout.ARTIFACTS / "console.log"
    os.utime(path, (NOW_MS / 1000 - 60, NOW_MS / 1000 - 60))
    result = run_cli("-d", str(store.path), "tail", "proud-owl", "-n", "2")
    assert (result.code, result.err) == (0, "")
    assert result.lines == [
        "✓ proud-owl  finished 55m ago after 4m35s",
        "08:23:03  step 1  val.acc 0.5000  val.loss 1",
        "08:24:35  step 2  val.acc 0.9000  val.loss 0.5000",
        "         │ epoch 1",
        "09:19:00 │ green saved",
    ]


def test_f02_of_a_log_colours_reach_a_terminal_and_nothing_reaches_a_pipe(store, run_cli):
    store.run("proud-owl", files={"console.log": LOG})
    shown = run_cli("-d", str(store.path), "tail", "last", columns=80).out
    assert "\x1b[32mgreen\x1b[0m saved" in shown
    assert "\x1b[2J" not in shown
    assert "title" not in shown
    piped = run_cli("-d", str(store.path), "tail", "last").out
    assert "green saved" in piped
    assert "\x1b" not in piped


def test_f01_names_and_keys_do_not_steer_the_terminal(store, run_cli):
    store.run("evil\x1b[2J", metrics={"a\x1b]0;x\x07": [1.0]})
    shown = run_cli("-d", str(store.path), "--color", "never", "tail", "last", columns=80).out
    assert "\x1b" not in shown
    assert "\\x1b[2J" in shown


def test_a_run_that_goes_on_says_how_it_is_followed(live, store, run_cli):
    result = run_cli("-d", str(store.path), "tail", "last", "-n", "1")
    assert result.lines == [
        "● warm-hare  running for 2m00s · -f follows, and ends with the run",
        "09:19:58  step 2  val.acc 0.9000",
    ]


def test_following_shows_what_comes_and_ends_with_the_run(live, follow):
    run, _ = live
    logs = folder_of_live(run)
    result = follow(
        "warm-hare",
        "-n",
        "1",
        then=[
            lambda: log(run, "val.acc", 0.95, 3),
            lambda: append(logs, "saved\nhalf"),
            lambda: append(logs, " a line\n50%"),
            lambda: run.end("FAILED"),
        ],
    )
    assert result.code == 0
    first, *lines, last = result.lines
    assert first.startswith("● warm-hare  running for ")
    assert [line[8:] for line in lines] == [
        "  step 2  val.acc 0.9000", "  step 3  val.acc 0.9500", " │ saved", " │ half a line", " │ 50%",
    ]  # fmt: skip
    assert last.startswith("✗ warm-hare  failed after ")


def folder_of_live(run):
    folder = layout.run_folder(str(run.runs_dir), run.experiment_id, run.run_id)
    artifacts = os.path.join(folder, layout.ARTIFACTS)
    os.makedirs(artifacts, exist_ok=True)
    return os.path.join(artifacts, "console.log")


def append(path, text):
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


def test_a_run_whose_process_is_gone_ends_the_following_as_lost(live, follow):
    run, _ = live
    result = follow("last", then=[run.writer.release])
    assert result.lines[-1].startswith("? warm-hare  lost")


def test_a_run_that_is_removed_ends_the_following_with_an_error(live, follow, store):
    _, run_id = live
    folder = folder_of(store, run_id)

    def remove():
        os.rename(folder, str(folder) + ".gone")
        os.rename(str(folder) + ".gone", store.path / "gone")

    result = follow("last", then=[remove])
    os.rename(store.path / "gone", folder)
    assert result.code == 3
    assert result.err == "error: the run 'warm-hare' is not there any more\n"


def test_json_is_one_document_and_while_following_one_object_a_line(live, follow, run_cli, store):
    run, run_id = live
    document = json.loads(run_cli("-d", str(store.path), "tail", "last", "--json").out)
    assert document["schema"] == "mini-mlflow/tail/1"
    assert document["run"]["run_id"] == run_id
    assert document["run"]["status"] == "RUNNING"
    assert document["values"][-1] == {"step": 2, "time": "2026-11-23T09:19:58.000Z", "metrics": {"val.acc": 0.9}}
    assert document["console"] == []
    result = follow(
        "last",
        "--json",
        then=[lambda: log(run, "val.acc", '"NaN"', 3), lambda: append(folder_of_live(run), "x\n"), run.end],
    )
    objects = [json.loads(line) for line in result.lines]
    assert [each["kind"] for each in objects] == ["status", "values", "values", "values", "values", "console", "status"]
    assert objects[4]["metrics"] == {"val.acc": "NaN"}
    assert objects[5]["text"] == "x"
    assert objects[6]["run"]["status"] == "FINISHED"


def test_metrics_of_the_machine_are_left_out_unless_asked_for(store, run_cli):
    store.run("a", metrics={"system/cpu": [50.0], "val.acc": [0.5], "val.loss": [0.4]})
    plain = run_cli("-d", str(store.path), "tail", "last").out
    assert "system/cpu" not in plain
    assert "system/cpu 50" in run_cli("-d", str(store.path), "tail", "last", "-a").out
    some = run_cli("-d", str(store.path), "tail", "last", "-m", "*.loss,x").out
    assert "val.loss" in some
    assert "val.acc" not in some


def test_no_line_is_wider_than_the_terminal_and_nothing_is_cut_off(store, run_cli):
    metrics = {"metric_number_%d" % number: [0.5] for number in range(9)}
    store.run("a" * 70, metrics=metrics, files={"console.log": "word " * 60 + "\n"})
    shown = run_cli("-d", str(store.path), "--color", "never", "tail", "last", columns=60).lines
    assert max(map(len, shown)) <= 60
    text = " ".join(shown)
    assert all(key in text for key in metrics)
    assert "".join(line[11:] for line in shown if " │ " in line).count("word") == 60
    piped = run_cli("-d", str(store.path), "tail", "last").lines
    assert len(piped) == 3
    assert piped[2].count("word") == 60


@pytest.mark.skipif(not hasattr(select, "poll"), reason="needs poll")
def test_f06_following_ends_when_nobody_reads_any_more_though_nothing_is_written(live, store):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "mini_mlflow", "-d", str(store.path), "tail", "last", "-f"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    with process:
        assert process.stdout.readline().startswith("● warm-hare".encode())
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


def test_a_history_that_is_rewritten_is_not_told_again(store):
    run_id = store.run("a", metrics={"loss": [0.3, 0.2], "acc": [0.5]})
    folder = folder_of(store, run_id)
    followed = FollowedRun(str(folder))
    found = [(values.step, sorted(values.metrics)) for values in followed.read_values(9)]
    assert found == [(0, ["acc", "loss"]), (1, ["loss"])]
    path = folder / "metrics" / "loss.json"
    path.with_name("other").write_bytes(path.read_bytes().replace(b"0.2]", b"0.1]"))
    os.replace(path.with_name("other"), path)
    assert followed.read_values(9) == []
