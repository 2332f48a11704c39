"""Does the index say what the files say, whatever happens to the store between two searches?"""

import os
import shutil
import tarfile
import tempfile
import warnings

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from indexed_store import IndexedStore, copy_run, give_coarse_clock, replace

import mini_mlflow
from mini_mlflow import MiniMLflowError, Run, StorageWarning, active
from mini_mlflow.compat import mlflow
from mini_mlflow.index import place

RUNS = st.sampled_from(["a", "b", "c"])
PARAMS = st.sampled_from(["lr", "depth", "new"])
VALUES = st.integers(0, 99)


class Store(RuleBasedStateMachine):
    """Live writers, ended runs that are changed by us and by others, an index that is lost, and a coarse clock."""

    is_coarse = False

    @initialize()
    def begin(self):
        self.patches = pytest.MonkeyPatch()
        self.root = tempfile.mkdtemp()
        self.store = IndexedStore(os.path.join(self.root, "mlruns"), self.patches)
        if self.is_coarse:
            give_coarse_clock(self.patches, self.store)
        self.live = {}
        for run_id in "ab":
            self.store.make(run_id)
        self.catch = warnings.catch_warnings()
        self.catch.__enter__()
        warnings.simplefilter("ignore", StorageWarning)
        mlflow.set_tracking_uri(self.store.folder)

    def teardown(self):
        if not hasattr(self, "store"):
            return
        for run in self.live.values():
            run.end()
        self.catch.__exit__(None, None, None)
        self.patches.undo()
        active.reset()
        shutil.rmtree(self.root)

    def is_there(self, run_id):
        return os.path.isdir(self.store.path("0", run_id))

    # What we do ----------------------------------------------------------------------------------------------------

    @rule(run_id=RUNS)
    def start(self, run_id):
        """Begin a run, or go on with the one of that id."""
        if run_id not in self.live:
            self.live[run_id] = Run(run_id=run_id, runs_dir=self.store.folder)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), key=PARAMS, value=VALUES)
    def log(self, data, key, value):
        run = self.live[data.draw(st.sampled_from(sorted(self.live)))]
        run.log_param(key, value)
        run.log_metric("loss", value)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), status=st.sampled_from(["FINISHED", "FAILED", "KILLED"]))
    def end(self, data, status):
        self.live.pop(data.draw(st.sampled_from(sorted(self.live)))).end(status)

    @rule(run_id=RUNS, value=VALUES)
    def tag(self, run_id, value):
        if self.is_there(run_id):
            self.ours(lambda: mlflow.MlflowClient().set_tag(run_id, "note", value))

    @rule(run_id=RUNS, value=VALUES)
    def rename(self, run_id, value):
        self.ours(lambda: mini_mlflow.rename_run(run_id, f"name {value}", runs_dir=self.store.folder))

    @rule(run_id=RUNS)
    def delete(self, run_id):
        self.ours(lambda: mini_mlflow.delete_run(run_id, runs_dir=self.store.folder))

    @rule(run_id=RUNS)
    def restore(self, run_id):
        self.ours(lambda: mini_mlflow.restore_run(run_id, runs_dir=self.store.folder))

    @rule()
    def gc(self):
        self.ours(lambda: mini_mlflow.gc(runs_dir=self.store.folder))

    @staticmethod
    def ours(act):
        try:
            act()
        except (MiniMLflowError, mlflow.exceptions.MlflowException):
            pass  # there is no such run, or it is alive

    # What others do ------------------------------------------------------------------------------------------------

    def ended(self, run_id):
        return run_id not in self.live and self.is_there(run_id)

    @rule(run_id=RUNS, key=PARAMS, value=VALUES)
    def edit(self, run_id, key, value):
        """As ``sed -i`` and editors do."""
        if self.ended(run_id):
            os.makedirs(self.store.path("0", run_id, "params"), exist_ok=True)
            path = self.store.path("0", run_id, "params", key + ".json")
            replace(path, '{"key": "%s", "value": %d, "timestamp": 1}' % (key, value))

    @rule(run_id=RUNS, days=st.integers(0, 9000))
    def take_times_back(self, run_id, days):
        """As a restored backup has them."""
        if self.ended(run_id):
            for folder, _, names in os.walk(self.store.path("0", run_id)):
                for name in ["", *names]:
                    os.utime(os.path.join(folder, name), (days * 86400, days * 86400))

    @rule(run_id=RUNS, other=RUNS, is_time_kept=st.booleans())
    def copy(self, run_id, other, is_time_kept):
        """As ``rsync -a`` and ``cp -r`` do."""
        if self.ended(run_id) and not self.is_there(other) and other not in self.live:
            copy_run(self.store.path("0", run_id), self.store.path("0", other), is_time_kept=is_time_kept)

    @rule(run_id=RUNS)
    def remove(self, run_id):
        if self.ended(run_id):
            shutil.rmtree(self.store.path("0", run_id))

    @rule(run_id=RUNS)
    def tear(self, run_id):
        """Leave a run without its meta.yaml, as a copy that is under way."""
        path = self.store.path("0", run_id, "meta.yaml")
        if self.ended(run_id) and os.path.exists(path):
            os.rename(path, self.store.path("..", run_id + ".meta"))

    @rule(run_id=RUNS)
    def complete(self, run_id):
        path = self.store.path("..", run_id + ".meta")
        if self.ended(run_id) and os.path.exists(path):
            os.rename(path, self.store.path("0", run_id, "meta.yaml"))

    @precondition(lambda self: not self.live)
    @rule()
    def pack_and_unpack(self):
        """As ``tar`` keeps a store and puts it back over what is there."""
        archive = self.store.path("..", "store.tar")
        if os.path.exists(archive):
            with tarfile.open(archive) as tar:
                tar.extraction_filter = lambda member, _: member  # as it is; newer versions of Python ask
                tar.extractall(self.root)
            os.unlink(archive)
        else:
            with tarfile.open(archive, "w") as tar:
                tar.add(self.store.folder, "mlruns")

    @rule()
    def lose_the_index(self):
        path = place.find_place(self.store.folder)
        if os.path.exists(path):
            os.unlink(path)

    # What is found -------------------------------------------------------------------------------------------------

    @rule()
    def wait(self):
        self.store.wait()

    @rule()
    def look(self):
        """Let the index learn what there is in the middle of a tick."""
        self.store.ask()

    @rule(stages=st.sampled_from([["active"], ["deleted"], ["active", "deleted"]]))
    def search(self, stages):
        if self.is_coarse:  # what comes within the same tick is seen after it
            self.store.ask(stages=stages)
            self.store.wait()
        assert self.store.ask(stages=stages) == self.store.files(stages=stages)

    @rule()
    def refresh(self):
        """The index refreshed says what an index from nothing says."""
        if self.is_coarse:
            self.store.wait()
        refreshed = self.store.ask(is_refreshed=True)
        self.lose_the_index()
        assert refreshed == self.store.ask() == self.store.files()


class StoreOnCoarseDisk(Store):
    """The same on a disk whose clock stands still for seconds."""

    is_coarse = True


@pytest.mark.parametrize("model", [Store, StoreOnCoarseDisk])
def test_the_index_says_what_the_files_say(model):
    run_state_machine_as_test(
        model,
        settings=settings(
            max_examples=int(os.environ.get("MINI_MLFLOW_MODEL_EXAMPLES", "25")),
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
