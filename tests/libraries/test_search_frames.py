"""Tables of runs in pandas and Arrow, and filters beside the real MLflow."""

import math

import pytest

import mini_mlflow
from mini_mlflow.store import documents

RUNS = [
    {"params": {"lr": "0.1", "opt": "adam"}, "metrics": {"acc": 0.9, "loss": 0.2}, "tags": {"team": "a b"}},
    {"params": {"lr": "0.01", "opt": "SGD"}, "metrics": {"acc": 0.5, "loss": math.nan}, "tags": {}},
    {"params": {"lr": "auto"}, "metrics": {"acc": math.inf, "val/acc": 1}, "tags": {"team": "vision"}},
    {"params": {"model.depth": "3"}, "metrics": {}, "tags": {}},
]
FILTERS = [
    "", "metrics.acc > 0.5", "metrics.acc >= 0.5 and metrics.acc < 1", "metrics.acc != 0.5", "metrics.loss != 0.2",
    "metrics.loss < 5", "metrics.`val/acc` = 1", 'metrics."val/acc" = 1', "params.lr = '0.1'", "params.lr != '0.1'",
    "params.lr LIKE '0%'", "params.opt ILIKE 'sgd'", "params.opt LIKE 'sgd'", "params.`model.depth` = '3'",
    "tags.team = 'vision'", 'tags.team = "a b"', "tags.team != 'vision'", "attributes.status = 'FINISHED'",
    "status = 'FINISHED' and params.opt = 'adam'", "attributes.run_name LIKE 'run-%'", "run_name = 'run-2'",
    "attributes.start_time > 0", "params.nothing = 'x'", "metrics.nothing > 1",
    "metrics.acc > 0.5 AND tags.team = 'vision'",
    "params.opt IS NULL", "params.opt IS NOT NULL", "attributes.status != 'FAILED'", "metrics.acc > -1e3",
]  # fmt: skip
ORDERS = [[], ["metrics.acc"], ["metrics.acc DESC"], ["metrics.loss ASC"], ["params.lr"], ["params.lr DESC", "run_id"]]


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """The same runs in a store of MLflow's and in ours."""
    import mlflow

    folder = tmp_path_factory.mktemp("stores")
    patch = pytest.MonkeyPatch()
    patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    patch.setenv("MINI_MLFLOW_DIR", str(folder / "ours"))
    client = mlflow.MlflowClient((folder / "theirs").as_uri())
    for number, content in enumerate(RUNS):
        name = f"run-{number}"
        theirs = client.create_run("0", run_name=name, start_time=1_795_000_000_000 + number)
        with mini_mlflow.start_run(run_name=name) as ours:
            for key, value in content["params"].items():
                client.log_param(theirs.info.run_id, key, value)
                ours.log_param(key, value)
            for key, value in content["metrics"].items():
                client.log_metric(theirs.info.run_id, key, value)
                ours.writer.write_row(key, documents.encode_number(value), 0, None, 1_795_000_000_000)
            for key, value in content["tags"].items():
                client.set_tag(theirs.info.run_id, key, value)
                ours.set_tag(key, value)
        client.set_terminated(theirs.info.run_id, "FINISHED")
    yield client
    patch.undo()


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_of_mlflow_finds_the_same_runs(stores, text):
    theirs = [run.info.run_name for run in stores.search_runs(["0"], text)]
    ours = [run.info.run_name for run in mini_mlflow.search_runs(filter_string=text, output_format="list")]
    assert ours == theirs


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_of_mlflow_gives_the_same_order(stores, order):
    theirs = [run.info.run_name for run in stores.search_runs(["0"], "", order_by=order)]
    ours = [run.info.run_name for run in mini_mlflow.search_runs(order_by=order, output_format="list")]
    assert ours == theirs


def test_a_data_frame_has_the_columns_of_mlflow(stores):
    found = mini_mlflow.search_runs()
    assert list(found.columns)[:6] == ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"]
    assert str(found["start_time"].dtype).startswith("datetime64[")
    assert str(found["start_time"].dt.tz) == "UTC"
    assert found["metrics.acc"].dtype == float
    assert {"params.lr", "params.model.depth", "tags.team", "tags.mlflow.runName"} <= set(found.columns)
    assert list(found["tags.mlflow.runName"]) == ["run-3", "run-2", "run-1", "run-0"]


def test_b09_a_lone_surrogate_comes_into_every_table(tmp_path):
    with mini_mlflow.start_run(runs_dir=tmp_path) as run:
        run.log_param("text", "a\ud800b")
    assert mini_mlflow.search_runs(runs_dir=tmp_path)["params.text"][0] == "a\\ud800b"
    table = mini_mlflow.search_runs(runs_dir=tmp_path, output_format="arrow")
    assert table.column("params.text").to_pylist() == ["a\\ud800b"]


# What the guide to search of MLflow's documentation shows, with the runs that it makes first.
GUIDE = [
    "metrics.accuracy > 0.72", 'metrics."accuracy" > 0.72', "metrics.loss <= 0.15 and metrics.accuracy > 0.5",
    "metrics.accuracy > 0.72 AND metrics.loss <= 0.15", "metrics.`f1_score` >= 0.5", 'params.batch_size = "2"',
    'params.model LIKE "GPT%"', 'params.model ILIKE "gPt%"',
    "params.model = 'GPT-3' and params.learning_rate = '0.001'",
    'params."batch_size" = "2"', 'tags."environment" = "notebook"', "tags.environment = 'notebook'",
    'tags.task ILIKE "classif%"', "tags.`mlflow.user` = 'Monkey D Luffy'", "tags.mlflow.user = 'Monkey D Luffy'",
    'datasets.name LIKE "custom"', 'datasets.digest = "s8ds293b"', 'datasets.context = "train"',
    "datasets.digest IN ('s8ds293b', 'jks834s2')", "dataset.name = 'custom' and dataset.context = 'train'",
    "datasets.name != 'custom'", "datasets.context ILIKE 'TR%'", "attributes.status = 'FINISHED'",
    'attributes.run_id IN ("%s", "%s")', "attributes.run_id NOT IN ('%s', '%s')",
    'attributes.run_name LIKE "guide-1%%"',
    "attributes.start_time >= 1664067852747", "attributes.created > 1664067852747",
    "attributes.end_time < 1664067852747",
    'params.model = "LogisticRegression" and params.lambda = "0.001" and metrics.error <= 0.05',
    'attributes.status = "FAILED"', "metrics.`cross-validation accuracy` > 0.5", 'metrics."accuracy (std)" < 1',
    "tags.mlflow.parentRunId = 'x'", "attribute.artifact_uri LIKE '%%artifacts'", "params.alpha IS NULL",
    "tags.task IS NOT NULL and params.model IS NOT NULL",
]  # fmt: skip


@pytest.fixture(scope="module")
def guide(stores, tmp_path_factory):
    """The runs of the guide, in a store of MLflow's that both read."""
    import mlflow
    from mlflow.entities import Dataset, DatasetInput, InputTag

    folder = tmp_path_factory.mktemp("guide")
    client = mlflow.MlflowClient(folder.as_uri())
    experiment = client.create_experiment("guide")
    run_ids = []
    for number in range(10):
        tags = {"environment": "notebook"} if number < 5 else {}
        tags.update({"mlflow.user": "Monkey D Luffy"} if number < 3 else {})
        tags.update({"task": ["classification", "regression", "causal lm"][number]} if number < 3 else {})
        run_id = client.create_run(
            experiment, start_time=1_795_000_000_000 + number, tags=tags, run_name=f"guide-{number}"
        ).info.run_id
        run_ids.append(run_id)
        client.log_metric(run_id, "accuracy", number / 10)
        client.log_metric(run_id, "loss", 1 - number / 10)
        client.log_metric(run_id, "f1_score", number / 10)
        client.log_metric(run_id, "cross-validation accuracy", number / 10)
        client.log_param(run_id, "batch_size", 2 if number < 5 else 4)
        client.log_param(run_id, "learning_rate", [0.001, 0.01][number % 2])
        if number < 4:
            client.log_param(run_id, "model", ["GPT-2", "GPT-3", "GPT-3.5", "GPT-4"][number])
        name, context = ("custom", "train") if number < 5 else ("also custom", "test")
        dataset = Dataset(name, ["s8ds293b", "jks834s2"][number % 2], "code", "{}")
        client.log_inputs(run_id, datasets=[DatasetInput(dataset, [InputTag("mlflow.data.context", context)])])
        client.set_terminated(run_id)
    return client, experiment, str(folder), run_ids


@pytest.mark.parametrize("text", GUIDE)
@pytest.mark.parametrize("refresh", [False, True])
def test_what_the_guide_of_mlflow_searches_for_is_found_in_its_store(guide, text, refresh):
    client, experiment, folder, run_ids = guide
    if "%s" in text:
        text = text % tuple(run_ids[2:4])
    text = text.replace("%%", "%")
    theirs = [run.info.run_id for run in client.search_runs([experiment], text)]
    found = mini_mlflow.search_runs(
        experiment, filter_string=text, runs_dir=folder, output_format="list", refresh=refresh
    )
    assert [run.info.run_id for run in found] == theirs


def test_a_run_has_the_data_sets_that_mlflow_noted(guide):
    _, _, folder, run_ids = guide
    assert mini_mlflow.get_run(run_ids[1], runs_dir=folder).datasets == [("custom", "jks834s2", "train")]


def test_an_empty_frame_has_the_types_of_a_full_one(stores):
    empty = mini_mlflow.search_runs(filter_string="metrics.acc > 1e9 and metrics.acc < 0")
    assert len(empty) == 0
    assert empty["run_id"].dtype == object
    assert empty["end_time"].dtype == mini_mlflow.search_runs()["end_time"].dtype


def test_a_table_of_arrow_has_the_same_columns(stores):
    table = mini_mlflow.search_runs(output_format="arrow")
    assert table.column_names == list(mini_mlflow.search_runs().columns)
    assert table.column("metrics.acc").to_pylist()[1:] == [math.inf, 0.5, 0.9]


def test_whole_numbers_of_params_stay_whole_where_other_runs_have_none(tmp_path):
    for seed in (2**60 + 1, 3, None):
        with mini_mlflow.start_run(runs_dir=tmp_path) as run:
            run.log_params({"lr": 0.1} if seed is None else {"seed": seed})
    found = mini_mlflow.search_runs(runs_dir=tmp_path, order_by=["seed"])
    assert found["params.seed"].tolist() == [3, 2**60 + 1, None]
    assert found["params.lr"].dtype == float  # with NaN, for those who reckon with it


def test_tables_and_their_rows_are_runs_for_other_functions(tmp_path):
    for number in range(3):
        with mini_mlflow.start_run(run_id=f"r{number}", runs_dir=tmp_path) as run:
            run.log_metric("loss", number)
            run.log_param("lr", number)
    mini_mlflow.delete_run("r1", runs_dir=tmp_path)
    arguments = {"runs_dir": tmp_path, "run_view_type": "ALL"}
    frame = mini_mlflow.search_runs(**arguments)
    table = mini_mlflow.search_runs(output_format="arrow", **arguments)
    for runs in (frame, table, [row for _, row in frame.iterrows()]):
        found = mini_mlflow.histories(runs, ["loss"], runs_dir=tmp_path)
        assert sorted(found.run_ids) == ["r0", "r1", "r2"]
    first, _, last = (frame.iloc[place] for place in range(3))
    assert mini_mlflow.compare(first, last, runs_dir=tmp_path).params["lr"][:2] == (2, 0)
    mini_mlflow.delete_run("r0", runs_dir=tmp_path)
    with pytest.raises(mini_mlflow.RunNotFoundError, match="is deleted"):
        mini_mlflow.histories(frame, ["loss"], runs_dir=tmp_path)
