"""What is left of a run when the power fails at any moment?"""

import os
import random
import shutil

import pytest
import scenarios
import verdict
from power_cut import Recording

from mini_mlflow import Run

STATES = 40 if os.environ.get("FAULTS") == "all" else 2  # tried per moment
STRIDE = 1 if os.environ.get("FAULTS") == "all" else 3


@pytest.fixture(scope="module")
def recording(cases, tmp_path_factory):
    """Record a whole run, call by call."""
    folder = tmp_path_factory.mktemp("recording")
    report = cases.run("whole_run", folder / "store", log=folder / "log")
    assert report["result"] == "FINISHED"
    return Recording(folder / "log", folder / "store")


def test_the_model_of_the_disk_gives_back_what_was_written_where_all_is_synced(recording, tmp_path):
    """The model itself: at the end, nothing of the run is left to chance."""
    images = []
    for seed in range(5):
        recording.state(recording.length, random.Random(seed), tmp_path / str(seed))
        run = tmp_path / str(seed) / "0" / scenarios.RUN_ID
        files = sorted(path for path in run.rglob("*") if path.is_file() and not path.name.startswith(".tmp-"))
        images.append([(path.relative_to(run), path.read_bytes()) for path in files])
    assert all(image == images[0] for image in images)
    assert len(images[0]) == 8


def test_h13_a_run_that_has_ended_survives_a_power_cut_whole(recording, tmp_path):
    """Rule P2: every value, and the status."""
    ended = next(number for number, item in recording.acknowledged if item == ["ended"])
    acknowledged = [item for _, item in recording.acknowledged]
    for seed in range(20 * STATES):
        store = tmp_path / str(seed)
        recording.state(ended, random.Random(seed), store)
        found = verdict.check_nothing_lost(store, acknowledged)
        assert found["status"] == "FINISHED"
        verdict.check_files(store)


def test_h13_a_power_cut_in_a_run_costs_only_what_was_not_synced_and_never_gives_a_wrong_value(recording, tmp_path):
    """Rules P2 and M9: whatever is read was logged, and each row is there once."""
    every = [item for _, item in recording.acknowledged]
    values = [tuple(item) for item in every if len(item) == 3]
    partial = 0
    for cut in range(1, recording.length + 1, STRIDE):
        for seed in range(STATES):
            store = tmp_path / ("%d-%d" % (cut, seed))
            recording.state(cut, random.Random(cut * 1000 + seed), store)
            found = verdict.stored(store)
            rows = [tuple(item) for item in found["values"]]
            assert len(set(rows)) == len(rows)
            assert [row for row in rows if row not in values] == []
            partial += 0 < len(rows) < len(values)
            shutil.rmtree(str(store))
    assert partial > recording.length // STRIDE // 4  # the model leaves something to read


def test_h13_a_run_cut_off_in_the_middle_is_resumed_and_is_whole_after_that(recording, tmp_path):
    """Rule M13."""
    for cut in range(5, recording.length, 7 * STRIDE):
        store = tmp_path / str(cut)
        recording.state(cut, random.Random(cut), store)
        owner = store / "0" / scenarios.RUN_ID / "owner.json"
        if owner.exists():
            os.utime(str(owner), (1700000000, 1700000000))  # the machine was off for a while
        before = verdict.stored(store)
        if before["status"] is None:
            continue  # not even its folder or meta.yaml was on the disk
        rows = [item for item in before["values"] if item[0] in ("loss", "acc", "Loss")]
        run = Run(run_id=scenarios.RUN_ID, experiment_id=0, runs_dir=str(store))
        scenarios.log_all(run, rows.append, first=1000)
        run.end()
        after = verdict.stored(store)
        assert [item for item in rows if item[0] in ("loss", "acc", "Loss") and item not in after["values"]] == []
        assert after["status"] == "FINISHED"
        shutil.rmtree(str(store))
