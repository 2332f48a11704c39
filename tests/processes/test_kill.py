"""SIGKILL at random moments: what was acknowledged is there, the run shows as lost, and goes on.

``MINI_MLFLOW_TEST_KILLS`` sets how often; a quarter of that hits opening, params, ending and resuming.
"""

import json
import mmap
import os
import random
import signal
import struct
import time

import pytest

from mini_mlflow import Run
from mini_mlflow.store import reader

KILLS = int(os.environ.get("MINI_MLFLOW_TEST_KILLS", "340"))
KEYS = ["loss", "acc", "a longer name of a metric", "lr"]


class Counters:
    """Numbers that a process shares with its parent, and that outlive it."""

    def __init__(self, count):
        self._map = mmap.mmap(-1, 8 * count)
        self._count = count

    def __setitem__(self, place, number):
        # One copy of eight bytes; struct.pack_into would write zeros first, and a kill may fall in between.
        self._map[8 * place : 8 * place + 8] = struct.pack("q", number)

    def read(self):
        return list(struct.unpack("%dq" % self._count, self._map[:]))


def value_of(place, step):
    """Return what is logged at a step: texts of many lengths, so that closings shrink and grow."""
    return [step * 0.1, step, -1.0 / (step + 1), 1e300 * (step % 3)][place]


def kill_after(delay_s, work):
    """Fork a process that does *work*, and kill it."""
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(1)
    time.sleep(delay_s)  # the random moment itself; nothing waits for it to be long enough
    os.kill(pid, signal.SIGKILL)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL


def is_padded(data):
    """Tell whether a file is in the one state that is no JSON: complete rows and spaces without a closing (rule M4)."""
    text = data.rstrip(b" ")
    return text.endswith(b"]") and text.count(b"\n[") == text.count(b"]")


@pytest.mark.long
def test_a_kill_while_logging_loses_no_acknowledged_value(store, capsys):
    """Rules P1, M2 to M4, M13, L1 and W5."""
    begun = time.monotonic()
    with Run(run_id="first", runs_dir=store) as run:
        for key in KEYS:
            run.log_metric(key, 0.5)
        start_s = time.monotonic() - begun  # 1 ms on ext4; btrfs takes as long as a run used to be given to log
    chance = random.Random()
    longest_s = 0.02 + start_s
    padded = rows_read = kills = 0
    while kills < KILLS * 3 // 4 or rows_read <= KILLS:
        run_id = "run-%d" % kills
        acknowledged = Counters(len(KEYS))
        kills += 1
        if kills > KILLS:
            longest_s *= 1.5  # another program has had the processor since a start was timed
        assert kills < KILLS + 30

        def log(run_id=run_id, acknowledged=acknowledged):
            run = Run(run_id=run_id, runs_dir=store)
            for step in range(10**9):
                for place, key in enumerate(KEYS):
                    run.log_metric(key, value_of(place, step))
                    acknowledged[place] = step + 1

        kill_after(chance.uniform(0.0005, longest_s), log)
        folder = os.path.join(store, "0", run_id)
        done = acknowledged.read()
        if not os.path.exists(os.path.join(folder, "meta.yaml")):
            assert done[0] == 0
            continue
        assert reader.read_run(store, 0, run_id).metadata["status"] == "LOST"
        for place, key in enumerate(KEYS):
            padded += check_file(os.path.join(folder, "metrics", key + ".json"), done[place])
            rows = reader.read_history(folder, key, [])
            assert len(rows) in (done[place], done[place] + 1)
            assert [(row.step, row.value) for row in rows] == [(n, value_of(place, n)) for n in range(len(rows))]
            rows_read += len(rows)
        check_that_it_goes_on(store, run_id, done)
    with capsys.disabled():
        print("\n%d kills, %d rows, %d files in the padding state" % (kills, rows_read, padded))


def check_file(path, acknowledged):
    """Return 1 for a file in the padding state, 0 for one that is valid JSON or not there yet."""
    if not os.path.exists(path):
        assert acknowledged == 0
        return 0
    with open(path, "rb") as file:
        data = file.read()
    try:
        json.loads(data.decode())
        return 0
    except ValueError:
        assert is_padded(data), data[-5000:]
        return 1


def check_that_it_goes_on(store, run_id, done):
    folder = os.path.join(store, "0", run_id)
    run = Run(run_id=run_id, runs_dir=store)
    assert os.listdir(folder).count("writers") == 0
    before = [reader.read_history(folder, key, []) for key in KEYS]
    for key in KEYS:
        run.log_metric(key, 7.0)
    assert reader.read_run(store, 0, run_id).metadata["status"] == "RUNNING"
    run.end()
    for place, key in enumerate(KEYS):
        with open(os.path.join(folder, "metrics", key + ".json"), "rb") as file:
            history = json.loads(file.read().decode())["history"]
        assert len(history) >= done[place] + 1
        assert [tuple(row) for row in history[:-1]] == [tuple(row) for row in before[place]]
        assert (history[-1][0], history[-1][2]) == (len(history) - 1, 7.0)
    assert reader.read_run(store, 0, run_id).metadata["status"] == "FINISHED"
    leftovers = [name for _, _, names in os.walk(folder) for name in names if name.startswith(".tmp-")]
    assert len(leftovers) <= 1


@pytest.mark.long
def test_a_kill_while_opening_ending_or_resuming_leaves_what_was_done(store):
    """Rules P1, D1, D2, W2, W4, W5 and Y1."""
    begun = time.monotonic()
    live(store, Counters(1), range(1))
    life_s = time.monotonic() - begun  # 5 ms, or ten times that where the disk or the machine is slow
    chance = random.Random()
    run_number, stages = 1, set()
    for _ in range(KILLS // 4):
        at = Counters(1)
        at[0] = run_number * 10
        numbers = range(run_number, 10**9)
        kill_after(chance.uniform(0.0005, 0.01 + life_s), lambda at=at, numbers=numbers: live(store, at, numbers))
        number, stage = divmod(at.read()[0], 10)
        check_life(store, number, stage)
        stages.add(stage)
        run_number = number + 1
    assert len(stages) > 3 or KILLS < 100  # some were hit in the middle of a life, wherever the disk is slow
    ids = reader.list_run_ids(store, 0)
    assert all(reader.read_run(store, 0, run_id).problems == [] for run_id in ids)


def live(store, at, numbers):
    """Go through the life of one run after the other, and note in *at* which it is and what it has reached."""
    for number in numbers:
        at[0] = number * 10
        run = Run(run_id="life-%d" % number, runs_dir=store, name="n")
        at[0] = number * 10 + 1
        run.log_param("lr", number)
        at[0] = number * 10 + 2
        run.set_tag("tag", "x" * 5000)
        at[0] = number * 10 + 3
        run.log_metric("loss", 0.5)
        at[0] = number * 10 + 4
        run.end()
        at[0] = number * 10 + 5
        run = Run(run_id="life-%d" % number, runs_dir=store)
        at[0] = number * 10 + 6
        run.end("KILLED")
        at[0] = number * 10 + 7


def check_life(store, number, stage):
    run_id = "life-%d" % number
    if not os.path.exists(os.path.join(store, "0", run_id, "meta.yaml")):
        assert stage == 0
    else:
        record = reader.read_run(store, 0, run_id)
        assert record.problems == []
        assert record.metadata["name"] == "n"
        allowed = {4: {"LOST", "FINISHED"}, 5: {"LOST", "FINISHED"}, 6: {"LOST", "KILLED"}, 7: {"KILLED"}}
        assert record.metadata["status"] in allowed.get(stage, {"LOST"}), stage
        for least, found, whole in (
            (2, record.params, {"lr": number}),
            (3, record.tags, {"tag": "x" * 5000}),
            (4, record.metrics, {"loss": 0.5}),
        ):
            assert found == whole or (stage < least and found == {})
    run = Run(run_id=run_id, runs_dir=store, name="n")
    run.log_param("lr", number)
    run.log_metric("loss", 0.25)
    run.end()
    record = reader.read_run(store, 0, run_id)
    assert (record.metadata["status"], record.params, record.metrics) == ("FINISHED", {"lr": number}, {"loss": 0.25})
    assert not os.path.exists(os.path.join(store, "0", run_id, "writers"))
