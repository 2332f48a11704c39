"""Does the public API behave like a dict, whatever is called in whatever order, over crashes and reopenings?"""

import json
import math
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from mini_mlflow import ExperimentTracker, Run, RunEndedError

EXAMPLES = 400 if os.environ.get("FAULTS") == "all" else 15
KEYS = st.sampled_from(
    ["loss", "Loss", "LOSS", "val loss", "é", "e\u0301", "NUL", "aux.x", "a%2Fb", "k" * 250, "ß" * 200]
)
NUMBERS = st.one_of(
    st.floats(), st.integers(-(2**70), 2**70), st.sampled_from([10**300, True, -0.0, 1e-320, 2**53 + 1])
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


def as_read(value):
    """Return a param's value as every reader gives it: NaN deeper in a value is text (rule D4)."""
    if isinstance(value, dict):
        return {key: as_read_inside(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_read_inside(item) for item in value]
    return value


def as_read_inside(value):
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(value)]
    return as_read(value)


def same(found, wanted):
    """Tell whether two values are the same, NaN to NaN, and 1 not to 1.0."""
    return repr(found) == repr(wanted)


class Store(RuleBasedStateMachine):
    """Runs of one store, and beside each what it must hold."""

    runs = Bundle("runs")
    ended = Bundle("ended")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.tracker = ExperimentTracker(runs_dir=self.folder)
        self.model = {}
        self.prepare()

    def prepare(self):
        """Leave the store empty; a store of format 0 does otherwise."""

    def teardown(self):
        for entry in self.model.values():
            if entry["run"] is not None:
                entry["run"].end()
                entry.update(run=None, status="FINISHED")
        self.compare()
        for path in Path(self.folder).rglob("*.json"):
            if path.name != "owner.json" and "format-0" not in str(path):
                text = path.read_text("utf-8")
                json.loads(text.replace("NaN", "0") if '"key"' not in text else text)
        shutil.rmtree(self.folder)

    @rule(target=runs, name=st.one_of(st.none(), st.text(max_size=8)))
    def start(self, name):
        run = Run(runs_dir=self.folder, name=name)
        kept = {"params": {}, "tags": {}, "metrics": {}, "status": "RUNNING", "start": run.start_time}
        self.model[run.run_id] = dict(kept, run=run, name=name)
        return run.run_id

    @rule(run_id=runs, key=KEYS, value=VALUES)
    def log_param(self, run_id, key, value):
        self.model[run_id]["run"].log_param(key, value)
        self.model[run_id]["params"][key] = as_read(value)

    @rule(run_id=runs, key=KEYS, value=VALUES)
    def set_tag(self, run_id, key, value):
        self.model[run_id]["run"].set_tag(key, value)
        self.model[run_id]["tags"][key] = as_read(value)

    @rule(run_id=runs, key=KEYS, values=st.lists(NUMBERS, min_size=1, max_size=120))
    def log_metric(self, run_id, key, values):
        rows = self.model[run_id]["metrics"].setdefault(key, [])
        for value in values:
            self.model[run_id]["run"].log_metric(key, value)
            step = max(row[0] for row in rows) + 1 if rows else 0
            rows.append((step, int(value) if isinstance(value, bool) else value))

    @rule(run_id=runs, key=KEYS, value=NUMBERS, step=st.integers(-1000, 1000))
    def log_metric_at(self, run_id, key, value, step):
        self.model[run_id]["run"].log_metric(key, value, step=step)
        rows = self.model[run_id]["metrics"].setdefault(key, [])
        rows.append((step, int(value) if isinstance(value, bool) else value))

    @rule(target=ended, run_id=consumes(runs), status=st.sampled_from(["FINISHED", "FAILED", "KILLED"]))
    def end(self, run_id, status):
        entry = self.model[run_id]
        entry["run"].end(status)
        with pytest.raises(RunEndedError):
            entry["run"].log_metric("loss", 1.0)
        entry.update(run=None, status=status)
        return run_id

    @rule(target=ended, run_id=consumes(runs))
    def crash(self, run_id):
        """Lose the run without ending it, as a killed process does: its lock is gone, its files are as they are."""
        entry = self.model[run_id]
        entry["run"].writer.release()
        entry["run"].status = "LOST"  # so that nobody ends this object
        entry.update(run=None, status="LOST")
        return run_id

    @rule(target=runs, run_id=consumes(ended))
    def resume(self, run_id):
        entry = self.model[run_id]
        run = Run(run_id=run_id, runs_dir=self.folder)
        assert run.start_time == entry["start"]
        assert same(run.name, entry["name"])
        entry.update(run=run, status="RUNNING")
        return run_id

    @invariant()
    def compare(self):
        assert sorted(self.tracker.list_runs()) == sorted(self.model)
        for run_id, entry in self.model.items():
            found = self.tracker.get_run(run_id)
            assert found["metadata"]["status"] == entry["status"]
            for kind in ("params", "tags"):
                assert sorted(found[kind]) == sorted(entry[kind])
                for key, value in entry[kind].items():
                    assert same(found[kind][key], value)
            assert sorted(found["metrics"]) == sorted(entry["metrics"])
            for key, rows in entry["metrics"].items():
                history = self.tracker.history(run_id, key)
                assert [row.step for row in history] == sorted(row[0] for row in rows)
                assert sorted(repr((row.step, row.value)) for row in history) == sorted(map(repr, rows))
                assert same(found["metrics"][key], rows[-1][1])
                assert self.tracker.summary(run_id, key).count == len(rows)


class StoreOfFormat0(Store):
    """The same in a store that 0.1.0 wrote."""

    ended = Store.ended
    runs = Store.runs

    def prepare(self):
        folder = Path(self.folder) / "0" / "old"
        (folder / "params").mkdir(parents=True)
        (folder / "metrics").mkdir()
        (folder / "meta.yaml").write_text(
            "name: old\nversion: null\nstatus: FAILED\nstart_time: '2025-01-01T00:00:00.123456Z'\n"
            "end_time: '2025-01-01T01:00:00.123456Z'\nrun_id: old\nexperiment_id: 0\n"
        )
        (folder / "params" / "lr.json").write_text('{\n  "value": 0.1,\n  "timestamp": "2025-01-01T00:00:01.5Z"\n}')
        (folder / "metrics" / "loss.json").write_text('{\n  "value": NaN,\n  "timestamp": "2025-01-01T00:00:02.5Z"\n}')
        self.model["old"] = {
            "run": None, "name": "old", "params": {"lr": 0.1}, "tags": {}, "metrics": {"loss": [(0, math.nan)]},
            "status": "FAILED", "start": "2025-01-01T00:00:00.123456Z",
        }  # fmt: skip

    @initialize(target=ended)
    def find_the_old_one(self):
        return "old"


TestStore = pytest.mark.long(Store.TestCase)
TestStore.settings = settings(max_examples=EXAMPLES, stateful_step_count=25)
TestStoreOfFormat0 = pytest.mark.long(StoreOfFormat0.TestCase)
TestStoreOfFormat0.settings = settings(max_examples=EXAMPLES, stateful_step_count=25)
