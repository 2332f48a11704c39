"""Libraries that log to MLflow by themselves, and forked workers: the calls that they make, as they make them."""

import os
import subprocess
import sys

import pytest

import mini_mlflow
from mini_mlflow import active
from mini_mlflow.compat import mlflow
from mini_mlflow.compat.mlflow import inner
from mini_mlflow.compat.mlflow.exceptions import MlflowException


@pytest.fixture(autouse=True)
def _fresh(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "MINI_MLFLOW_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "0")
    monkeypatch.setenv("MINI_MLFLOW_DIR", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    active.reset()
    yield
    for run in active.live_runs():
        run.end()
    active.reset()


def played(code, **environ):
    """Run code after ``install()`` in a new process, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import mini_mlflow.compat.mlflow as front; front.install()\n" + code],
        capture_output=True, check=False, env=dict(os.environ, **environ),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout.decode("utf-8")


# MLFlowLogger of lightning 2.6, its calls in their order
LIGHTNING = """
import os, time
from mlflow.tracking import MlflowClient
uri = "file:./ml-runs"
client = MlflowClient(uri)
import mlflow
mlflow.set_tracking_uri(uri)
found = client.get_experiment_by_name("lightning_logs")
assert found is None
number = client.create_experiment(name="lightning_logs", artifact_location=None)
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME
tags = {"team": "a", MLFLOW_RUN_NAME: "fit"}
from mlflow.tracking import context
if hasattr(context, "resolve_tags"):
    from mlflow.tracking.context import resolve_tags
elif hasattr(context, "registry"):
    from mlflow.tracking.context.registry import resolve_tags
run_id = client.create_run(experiment_id=number, tags=resolve_tags(tags)).info.run_id
from mlflow.entities import Param
params = [Param(key="p%d" % n, value=str(n)[:250]) for n in range(250)]
for at in range(0, len(params), 100):
    client.log_batch(run_id=run_id, params=params[at : at + 100])
from mlflow.entities import Metric
for step in range(3):
    now = int(time.time() * 1000)
    client.log_batch(run_id=run_id, metrics=[Metric(key="train_loss", value=1 / (step + 1), timestamp=now, step=step)])
    client.log_batch(run_id=run_id, metrics=[Metric("epoch", float(step), now, step or 0)], synchronous=False)
open("last.ckpt", "w").close()
client.log_artifact(run_id, "last.ckpt", "last")
os.mkdir("described")
open("described/aliases.txt", "w").write("['latest', 'best']")
client.log_artifacts(run_id, "described", "last")
assert client.get_run(run_id)
client.set_terminated(run_id, "FINISHED")
"""
# MLflowCallback of transformers 5, likewise
TRANSFORMERS = """
import importlib.util, os
assert importlib.util.find_spec("mlflow") is not None
import mlflow
longest = mlflow.utils.validation.MAX_PARAM_VAL_LENGTH
most = mlflow.utils.validation.MAX_PARAMS_TAGS_PER_BATCH
assert int(mlflow.__version__.split(".")[0]) >= 2
if not mlflow.is_tracking_uri_set():
    raise SystemExit("the environment says where")
if mlflow.active_run() is None:
    mlflow.set_experiment(os.environ["MLFLOW_EXPERIMENT_NAME"])
    mlflow.start_run(run_name="trainer", nested=False)
    assert mlflow.active_run().info.run_id
settings = {"lr": 5e-5, "fp16": False, "label_names": None, "betas": [0.9, 0.99], "text": "x" * 6001}
settings.update(("s%d" % n, n) for n in range(150))
kept = [(name, value) for name, value in settings.items() if len(str(value)) <= longest]
for at in range(0, len(kept), most):
    mlflow.log_params(dict(kept[at : at + most]), synchronous=False)
mlflow.set_tags({"release.candidate": "RC1"})
for step in range(3):
    logs = {"loss": 1 / (step + 1), "grad_norm": 2.0, "epoch": step / 2}
    mlflow.log_metrics(metrics=logs, step=step, synchronous=False)
if mlflow.active_run():
    mlflow.end_run()
"""


def test_the_calls_of_lightnings_logger_make_a_whole_run(tmp_path):
    played(LIGHTNING)
    client = mlflow.MlflowClient(tmp_path / "ml-runs")
    run = client.search_runs([client.get_experiment_by_name("lightning_logs").experiment_id])[0]
    assert (run.info.run_name, run.info.status, run.data.tags["team"]) == ("fit", "FINISHED", "a")
    assert (len(run.data.params), run.data.metrics) == (250, {"train_loss": 1 / 3, "epoch": 2.0})
    names = [each.path for each in client.list_artifacts(run.info.run_id, "last")]
    assert names == ["last/aliases.txt", "last/last.ckpt"]


def test_the_calls_of_the_callback_of_transformers_make_a_whole_run(tmp_path):
    uri = (tmp_path / "hf").as_uri()
    chosen = {"MLFLOW_TRACKING_URI": uri, "MLFLOW_EXPERIMENT_NAME": "hf"}
    played(TRANSFORMERS, MLFLOW_EXPERIMENT_ID="", MINI_MLFLOW_DIR="", **chosen)
    client = mlflow.MlflowClient(uri)
    run = client.search_runs([client.get_experiment_by_name("hf").experiment_id])[0]
    assert (run.info.run_name, run.info.status, run.data.tags["release.candidate"]) == ("trainer", "FINISHED", "RC1")
    assert (len(run.data.params), run.data.params["lr"], run.data.params["betas"]) == (154, "5e-05", "[0.9, 0.99]")
    assert run.data.metrics == {"loss": 1 / 3, "grad_norm": 2.0, "epoch": 1.0}


@pytest.mark.parametrize(
    "line",
    [
        "import mlflow.utils.validation; mlflow.utils.validation.MAX_TAG_VAL_LENGTH",
        "from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH, MAX_ENTITY_KEY_LENGTH",
        "from mlflow.utils import mlflow_tags; mlflow_tags.MLFLOW_PARENT_RUN_ID",
        "from mlflow.tracking.context.registry import resolve_tags",
        "import mlflow.tracking.fluent; mlflow.tracking.fluent.start_run",
        "from mlflow.tracking.fluent import log_metric, get_experiment_by_name",
        "from mlflow.tracking.client import MlflowClient",
        "import mlflow.tracking.client; mlflow.tracking.client.MlflowClient, mlflow.tracking.context.registry",
        "from mlflow.version import VERSION",
        "import mlflow; mlflow.config.enable_async_logging; mlflow.environment_variables.MLFLOW_TRACKING_URI",
        "from mlflow.utils.file_utils import TempDir",
        "from mlflow.store.tracking import file_store",
    ],
)
def test_inner_modules_are_imported_in_the_ways_that_libraries_import_them(line):
    played(line)


def test_inner_modules_are_there_without_install():
    assert mlflow.utils.validation.MAX_PARAMS_TAGS_PER_BATCH == 100
    assert mlflow.utils.mlflow_tags.MLFLOW_RUN_NAME == "mlflow.runName"
    assert mlflow.tracking.context.registry.resolve_tags({"a": "1"}) == {"a": "1"}
    assert inner.resolve_tags() == {}
    with pytest.raises(AttributeError, match="no_such"):
        mlflow.tracking.no_such  # noqa: B018 - looking is the test
    with pytest.raises(AttributeError, match="MAX_NOTHING"):
        mlflow.utils.validation.MAX_NOTHING  # noqa: B018 - likewise


def test_a_class_made_of_what_is_not_there_says_what_to_do():
    with pytest.raises(MlflowException, match="log_artifact"):

        class _Model(mlflow.pyfunc.PythonModel):
            pass


@pytest.mark.parametrize("name", ["./sub/x.txt", "././sub/x.txt"])
def test_a_file_may_be_named_from_here(name):
    with mlflow.start_run() as run:
        mlflow.log_text("x", name)
    assert mlflow.artifacts.load_text("runs:/%s/sub/x.txt" % run.info.run_id) == "x"


@pytest.mark.parametrize("name", [".//etc/x", "./../x", "./", "."])
def test_a01_what_follows_the_dot_is_checked_like_any_name(name):
    with mlflow.start_run(), pytest.raises(MlflowException):
        mlflow.log_text("x", name)


@pytest.mark.parametrize("kind", ["float", "float64", "float32", "int64"])
def test_a_step_that_is_a_whole_number_is_taken_whatever_its_type(kind):
    make = float if kind == "float" else getattr(pytest.importorskip("numpy"), kind)
    client = mlflow.MlflowClient()
    with mlflow.start_run() as run:
        mlflow.log_metric("a", 1.0, step=make(2))
        mlflow.log_metric("a", 1.0, step=make(3))
        mlflow.log_metrics({"a": 1.0}, step=make(4))
        client.log_batch(run.info.run_id, [mlflow.entities.Metric("a", 1.0, 1, make(5))])
    assert [row.step for row in client.get_metric_history(run.info.run_id, "a")] == [2, 3, 4, 5]


@pytest.mark.parametrize("step", [1.5, float("nan"), float("inf"), 2.0**63])
def test_a_float_that_is_no_step_is_refused(step):
    with mlflow.start_run():
        for call in (lambda: mlflow.log_metric("a", 1.0, step=step), lambda: mlflow.log_metrics({"a": 1.0}, step=step)):
            with pytest.raises(MlflowException, match="Step of metric 'a' must be a whole number"):
                call()


def test_an_image_of_a_series_takes_a_float_step():
    with mlflow.start_run() as run:
        mlflow.log_image(pytest.importorskip("numpy").zeros((2, 2)), key="k", step=1.0)
        with pytest.raises(MlflowException, match="whole number"):
            mlflow.log_image(None, key="k", step=1.5)
    assert mlflow.MlflowClient().list_artifacts(run.info.run_id, "images")


POOL = """
import multiprocessing
from mini_mlflow.compat import mlflow

def work(number):
    with mlflow.start_run(run_name="w%d" % number) as run:
        mlflow.log_metric("x", number)
    return run.info.run_id

if __name__ == "__main__":
    with mlflow.start_run(run_name="parent") as parent:
        with multiprocessing.get_context("fork").Pool(2) as pool:
            ids = pool.map(work, range(4), 1)
        assert mlflow.active_run().info.run_id == parent.info.run_id
    runs = [mlflow.get_run(run_id) for run_id in ids]
    print([(run.info.status, run.data.metrics["x"]) for run in runs], mlflow.get_run(parent.info.run_id).info.status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_workers_of_a_pool_that_is_forked_below_an_active_run_have_runs_of_their_own():
    runs = [("FINISHED", float(number)) for number in range(4)]
    assert played(POOL).strip() == "%s FINISHED" % runs


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_in_a_forked_worker_our_own_functions_still_log_into_the_run_of_the_parent():
    with mlflow.start_run() as run:
        child = os.fork()
        if not child:
            try:
                assert mlflow.active_run() is None
                with mlflow.start_run(run_name="own"):
                    mini_mlflow.log_metric("inside", 1)
                run.__exit__(None, None, None)  # not this process's to end
                mini_mlflow.log_metric("beside", 2)
                mlflow.MlflowClient().log_metric(run.info.run_id, "by id", 3)
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        mlflow.log_metric("here", 4)
    assert mlflow.get_run(run.info.run_id).data.metrics == {"beside": 2.0, "by id": 3.0, "here": 4.0}
    own = mlflow.search_runs(filter_string="run_name = 'own'", output_format="list")[0]
    assert own.data.metrics == {"inside": 1.0}
