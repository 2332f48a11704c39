"""How the front is imported, what it keeps on disk, and what a script gets that asks for what is not there."""

import io
import json
import os
import subprocess
import sys

import pytest

import mini_mlflow
from mini_mlflow import ExperimentTracker, active
from mini_mlflow.compat import mlflow
from mini_mlflow.compat.mlflow.exceptions import MlflowException


@pytest.fixture(autouse=True)
def _fresh(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "MINI_MLFLOW_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "0")  # set by set_experiment, and put back after the test
    monkeypatch.setenv("MINI_MLFLOW_DIR", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    active.reset()
    yield
    for run in active.live_runs():
        run.end()
    active.reset()


def python(code, *arguments, **environ):
    """Run code in a new process and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True, check=False, env=dict(os.environ, **environ),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout.decode("utf-8")


# Importing


@pytest.mark.parametrize(
    "line",
    [
        "from mini_mlflow.compat import mlflow; mlflow.start_run",
        "import mini_mlflow.compat.mlflow as mlflow; mlflow.start_run",
        "from mini_mlflow.compat.mlflow import MlflowClient",
        "from mini_mlflow.compat.mlflow.client import MlflowClient",
        "from mini_mlflow.compat.mlflow.tracking import MlflowClient",
        "from mini_mlflow.compat.mlflow.entities import Metric, Param, RunTag, RunStatus, ViewType",
        "from mini_mlflow.compat.mlflow.exceptions import MlflowException, RestException",
        "from mini_mlflow.compat.mlflow import sklearn, pytorch, models, data, pyfunc; sklearn.log_model",
        "from mini_mlflow.compat import mlflow; mlflow.entities.RunStatus, mlflow.tracking.MlflowClient",
        "from mini_mlflow.compat import mlflow; mlflow.exceptions.MlflowException, mlflow.artifacts.load_text",
    ],
)
def test_it_is_imported_in_every_way_that_scripts_import_mlflow(line):
    python(line)


def test_importing_it_loads_neither_mlflow_nor_anything_heavy():
    code = "import sys, json; from mini_mlflow.compat import mlflow; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(python(code)))
    heavy = {"mlflow", "numpy", "pandas", "yaml", "sqlite3", "subprocess", "logging", "uuid", "PIL", "matplotlib"}
    assert loaded & heavy == set()


def test_importing_the_package_does_not_load_it():
    code = "import sys, mini_mlflow; print([name for name in sys.modules if 'compat' in name])"
    assert python(code).strip() == "[]"


def test_after_install_a_script_that_says_import_mlflow_runs_as_it_is(tmp_path):
    (tmp_path / "train.py").write_text(
        "import mlflow, mlflow.sklearn\n"
        "from mlflow.tracking import MlflowClient\n"
        "from mlflow.entities import Metric\n"
        "from mlflow.exceptions import MlflowException\n"
        "from mlflow.models.signature import infer_signature\n"
        "import mlflow.pytorch as mp\n"
        "with mlflow.start_run(run_name='as it is') as run:\n"
        "    MlflowClient().log_batch(run.info.run_id, [Metric('loss', 0.5, 1, 0)])\n"
    )
    code = "import mini_mlflow.compat.mlflow as front; front.install(); front.install(); import train"
    python(code, PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    run = mlflow.search_runs(output_format="list")[0]
    assert (run.info.run_name, run.data.metrics) == ("as it is", {"loss": 0.5})


def test_install_refuses_where_mlflow_is_imported_already():
    code = (
        "import sys, types; sys.modules['mlflow'] = types.ModuleType('mlflow')\n"
        "import mini_mlflow.compat.mlflow as front\n"
        "try: front.install()\n"
        "except ImportError as error: print(error)"
    )
    assert "before the first" in python(code)


def test_install_finds_no_module_that_mlflow_lacks_too():
    code = (
        "import mini_mlflow.compat.mlflow as front; front.install()\n"
        "try: import mlflow.nothing\n"
        "except ModuleNotFoundError as error: print(error.name)"
    )
    assert python(code).strip() == "mlflow.nothing"


# What is not there


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        (lambda: mlflow.sklearn.log_model(object(), "model"), "log_artifact"),
        (lambda: mlflow.pyfunc.load_model("runs:/x/model"), "log_artifact"),
        (lambda: mlflow.models.infer_signature([1], [2]), "log_artifact"),
        (lambda: mlflow.models.signature.infer_signature([1]), "log_artifact"),
        (lambda: mlflow.register_model("runs:/x/model", "name"), "set_tag"),
        (lambda: mlflow.MlflowClient().create_registered_model("name"), "set_tag"),
        (lambda: mlflow.data.from_pandas(None), "log_params"),
        (lambda: mlflow.log_input(None), "log_params"),
        (lambda: mlflow.evaluate(None), "MLflow itself"),
        (lambda: mlflow.run("uri"), "MLflow itself"),
        (lambda: mlflow.MlflowClient().search_model_versions("name='x'"), "set_tag"),
        (lambda: mlflow.start_span("x"), "MLflow itself"),
        (lambda: mlflow.set_active_model(name="x"), "log_artifact"),
        (lambda: mlflow.delete_experiment_tag("x"), "set_experiment_tag"),
        (mlflow.genai.evaluate, "MLflow itself"),
    ],
)
def test_what_is_not_there_raises_when_it_is_called_and_says_what_to_do(call, advice):
    with pytest.raises(MlflowException, match=advice) as caught:
        call()
    assert caught.value.error_code == "NOT_IMPLEMENTED"


@pytest.mark.parametrize("holder", [mlflow, mlflow.MlflowClient()])
def test_a_name_that_mlflow_lacks_too_is_an_attribute_error(holder):
    with pytest.raises(AttributeError, match="no_such_thing"):
        holder.no_such_thing  # noqa: B018 - looking is the test


@pytest.mark.parametrize("call", [mlflow.autolog, mlflow.sklearn.autolog, mlflow.keras.autolog])
def test_autolog_warns_that_it_logs_nothing_and_lets_the_script_go_on(call):
    with pytest.warns(UserWarning, match="logs nothing here"):
        call(log_models=False)


@pytest.mark.parametrize("uri", ["http://localhost:5000", "sqlite:///mlflow.db", "databricks", "postgresql://h/d"])
def test_a_tracking_uri_that_names_no_folder_is_refused(uri):
    with pytest.raises(MlflowException, match="files alone"):
        mlflow.set_tracking_uri(uri)
    with pytest.raises(MlflowException, match="files alone"):
        mlflow.MlflowClient(tracking_uri=uri)
    assert active.live_runs() == []


def test_an_artifact_location_is_not_followed_and_that_is_said(tmp_path):
    with pytest.warns(UserWarning, match="not followed"):
        number = mlflow.create_experiment("elsewhere", artifact_location="s3://bucket/x")
    assert mlflow.get_experiment(number).artifact_location.startswith("file://")


@pytest.mark.parametrize("name", ["plain", "artifacts", "a b", "100%25", "gr\u00f6\u00dfe", "a#b"])
def test_an_artifact_is_found_by_its_address_whatever_the_store_is_called(tmp_path, name):
    mlflow.set_tracking_uri(tmp_path / name)
    with mlflow.start_run() as run:
        mlflow.log_text("x", "artifacts/a b.txt")
        uri = mlflow.get_artifact_uri("artifacts/a b.txt")
    assert mlflow.artifacts.load_text(uri) == "x"
    with pytest.raises(MlflowException, match="no address"):
        mlflow.artifacts.load_text("file:///artifacts/x")
    assert mlflow.MlflowClient(mlflow.get_tracking_uri()).get_run(run.info.run_id).info.status == "FINISHED"
    assert (tmp_path / name / "0" / run.info.run_id).is_dir()


# What lies on disk


def test_params_stay_numbers_for_our_own_tools_and_are_text_for_mlflows():
    values = {"lr": 0.01, "n": 3, "on": True, "none": None, "text": "3", "list": [1, 2]}
    with mlflow.start_run() as run:
        mlflow.log_params(values)
    kept = ExperimentTracker().get_run(run.info.run_id)["params"]
    assert kept == dict(values, list="[1, 2]")
    assert [type(kept[key]) for key in ("lr", "n", "on", "text")] == [float, int, bool, str]
    assert mlflow.get_run(run.info.run_id).data.params == {key: str(value) for key, value in values.items()}


def test_keys_with_slashes_are_read_by_our_own_tools_under_the_same_name():
    with mlflow.start_run() as run:
        mlflow.log_metric("train/loss", 0.5, step=1)
        mlflow.log_param("model/lr", 1)
        mlflow.set_tag("team/a b", "x")
    read = ExperimentTracker().get_run(run.info.run_id)
    assert (read["metrics"], read["params"], read["tags"]) == ({"train/loss": 0.5}, {"model/lr": 1}, {"team/a b": "x"})


def test_a17_keys_that_look_like_each_other_encoded_are_different_metrics():
    keys = ("a/b", "a%2Fb", "a%252Fb", "%")
    client = mlflow.MlflowClient()
    with mlflow.start_run() as run:
        mlflow.log_metric(keys[0], 0)
        for key in keys[1:]:
            with pytest.raises(MlflowException, match="alphanumerics"):  # as MLflow refuses '%'
                mlflow.log_metric(key, 1)
    assert client.get_run(run.info.run_id).data.metrics == {"a/b": 0.0}


def test_e08_a_param_that_looks_like_a_secret_is_masked_and_may_be_logged_again():
    with mlflow.start_run() as run:
        mlflow.log_param("api_token", "hf_abcdefghijklmnopqrstuvwxyz0123456789")
        mlflow.log_param("api_token", "hf_abcdefghijklmnopqrstuvwxyz0123456789")
        mlflow.log_params({"max_tokens": 5})
    params = mlflow.get_run(run.info.run_id).data.params
    assert "abcdefghijklmnop" not in params["api_token"]
    assert params["max_tokens"] == "5"


def test_its_functions_and_those_of_the_package_work_on_the_same_active_run():
    with mini_mlflow.start_run(run_name="ours") as run:
        mlflow.log_metric("a", 1)
        assert mlflow.active_run().info.run_id == run.run_id
    with mlflow.start_run(run_name="theirs") as view:
        mini_mlflow.log_metric("b", 2)
        assert mini_mlflow.active_run().run_id == view.info.run_id
    assert mlflow.get_run(view.info.run_id).data.metrics == {"b": 2.0}
    assert mlflow.get_run(run.run_id).data.metrics == {"a": 1.0}


def test_leaving_a_block_ends_the_runs_within_it_that_nobody_has_ended():
    with mlflow.start_run() as outer:
        mlflow.start_run(nested=True)
        inner = mlflow.active_run()
    assert mlflow.active_run() is None
    assert {mlflow.get_run(run.info.run_id).info.status for run in (outer, inner)} == {"FINISHED"}


def test_mlflow_experiment_id_is_set_for_processes_that_this_one_starts():
    mlflow.set_experiment("inherited")
    code = "from mini_mlflow.compat import mlflow; print(mlflow.start_run().info.experiment_id)"
    assert python(code).strip() == mlflow.get_experiment_by_name("inherited").experiment_id


# Other processes


def test_a_client_in_another_process_logs_beside_the_owner_in_one_share(tmp_path):
    code = (
        "import sys; from mini_mlflow.compat import mlflow\n"
        "client = mlflow.MlflowClient()\n"
        "for step in range(5): client.log_metric(sys.argv[1], 'theirs', step, step=step)\n"
        "client.set_tag(sys.argv[1], 'who', 'they')"
    )
    with mlflow.start_run() as run:
        mlflow.log_metric("ours", 1)
        python(code, run.info.run_id)
        shares = os.listdir(str(tmp_path / "store" / "0" / run.info.run_id / "writers"))
    read = mlflow.get_run(run.info.run_id)
    assert len(shares) == 1
    assert (read.data.metrics, read.data.tags["who"], read.info.status) == (
        {"ours": 1.0, "theirs": 4.0},
        "they",
        "FINISHED",
    )


def test_logging_to_a_run_that_has_ended_leaves_no_share_and_no_other_status(tmp_path):
    with mlflow.start_run() as run:
        mlflow.log_metric("a", 1)
    before = mlflow.get_run(run.info.run_id).info
    client = mlflow.MlflowClient()
    for step in range(3):
        client.log_metric(run.info.run_id, "a", 2, step=step)
    client.log_text(run.info.run_id, "late", "late.txt")
    assert mlflow.get_run(run.info.run_id).info == before
    assert not (tmp_path / "store" / "0" / run.info.run_id / "writers").exists()


def test_a_run_whose_process_was_killed_reads_killed(tmp_path):
    code = (
        "import os; from mini_mlflow.compat import mlflow\n"
        "print(mlflow.start_run().info.run_id, flush=True); os._exit(0)"
    )
    run_id = python(code).strip()
    assert mlflow.get_run(run_id).info.status == "KILLED"


def test_a_tag_is_taken_away_from_every_share():
    code = (
        "import sys; from mini_mlflow.compat import mlflow; mlflow.MlflowClient().set_tag(sys.argv[1], 'x', 'theirs')"
    )
    with mlflow.start_run() as run:
        mlflow.set_tag("x", "ours")
        python(code, run.info.run_id)
        mlflow.delete_tag("x")
        assert "x" not in mlflow.get_run(run.info.run_id).data.tags
        mlflow.set_tag("x", "again")
    assert mlflow.get_run(run.info.run_id).data.tags["x"] == "again"


# Edges of single calls


@pytest.mark.parametrize("step", [1.5, "3", 2**63])
def test_a_step_that_is_no_whole_number_is_refused(step):
    with mlflow.start_run(), pytest.raises(MlflowException, match="Step of metric 'loss'"):
        mlflow.log_metric("loss", 1, step=step)


def test_the_second_value_of_a_metric_is_checked_like_the_first():
    with mlflow.start_run() as run:
        mlflow.log_metric("loss", 1.0)
        mlflow.log_metric("loss", True)
        for bad in ("abc", None):
            with pytest.raises(MlflowException):
                mlflow.log_metric("loss", bad)
        for step in ("3", 2.5):
            with pytest.raises(MlflowException):
                mlflow.log_metric("loss", 1.0, step=step)
        with pytest.raises(MlflowException):
            mlflow.log_metric("loss", 1.0, timestamp=-1)
    assert len(mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")) == 2


def test_an_exit_with_a_code_fails_the_run_and_ctrl_c_kills_it():
    statuses = []
    for error in (SystemExit(3), SystemExit(0), KeyboardInterrupt()):
        with pytest.raises(type(error)), mlflow.start_run() as run:
            raise error
        statuses.append(mlflow.get_run(run.info.run_id).info.status)
    assert statuses == ["FAILED", "FINISHED", "KILLED"]


def test_a_stream_is_kept_to_its_end():
    with mlflow.start_run() as run:
        mlflow.log_stream(io.BytesIO(b"abc" * 100000), "deep/er/stream.bin")
    path = mlflow.MlflowClient().download_artifacts(run.info.run_id, "deep/er/stream.bin")
    assert os.path.getsize(path) == 300000


def test_a_run_that_is_being_written_is_not_deleted():
    with mlflow.start_run() as run, pytest.raises(mini_mlflow.errors.ActiveRunError, match="cannot be deleted"):
        mlflow.delete_run(run.info.run_id)
    mlflow.delete_run(run.info.run_id)
    assert mlflow.get_run(run.info.run_id).info.lifecycle_stage == "deleted"


@pytest.mark.parametrize("token", ["-1", "x", "1.5", "../x", "9" * 30, "eyJvZmZzZXQiOiAyfQ=="])
def test_b15_a_page_token_that_is_none_of_ours_is_refused(token):
    with pytest.raises(MlflowException, match="page token"):
        mlflow.MlflowClient().search_runs(["0"], page_token=token)


@pytest.mark.parametrize("most", [0, -1, 10**9, "5"])
def test_b15_max_results_out_of_range_is_refused(most):
    with pytest.raises(MlflowException, match="max_results"):
        mlflow.MlflowClient().search_runs(["0"], max_results=most)


@pytest.mark.parametrize("path", ["../../../etc/passwd", "/etc/passwd", "..\\x", "C:\\x", "//host/share"])
def test_a01_a02_a04_a_path_out_of_the_artifacts_is_refused(path):
    client = mlflow.MlflowClient()
    with mlflow.start_run() as run:
        mlflow.log_text("x", "x.txt")
        for call in (
            lambda: mlflow.log_text("x", path),
            lambda: client.list_artifacts(run.info.run_id, path),
            lambda: client.download_artifacts(run.info.run_id, path),
            lambda: mlflow.artifacts.load_text("runs:/%s/%s" % (run.info.run_id, path)),
        ):
            with pytest.raises(MlflowException):
                call()


@pytest.mark.parametrize("run_id", ["..", "../0/x", ".trash", "a/b", "-rf", "", "x" * 300, None, 5])
def test_a08_a_run_id_that_is_none_is_refused(run_id):
    client = mlflow.MlflowClient()
    for call in (client.get_run, client.delete_run, client.list_artifacts):
        with pytest.raises(MlflowException, match="run_id"):
            call(run_id)
