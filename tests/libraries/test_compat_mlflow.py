"""MLflow scripts under the real client: what tests/compat/expected.json says is what MLflow shows, on both stores."""

import importlib
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMPAT = Path(__file__).resolve().parent.parent / "compat"
sys.path.insert(0, str(COMPAT))
import play  # noqa: E402

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the scripts are forked from one import of MLflow")

with open(play.EXPECTED, encoding="utf-8") as file:
    EXPECTED = json.load(file)
CODE = (
    "import json, sys; sys.path.insert(0, sys.argv[1]); import play\n"
    "facts = play.play_real(sys.argv[2], sys.argv[3], play.script_names())\n"
    "open(sys.argv[4], 'w').write(json.dumps(facts))"
)
# Arguments that our front does not have; it would refuse what they ask for.
LEFT_OUT = {"trace_location"}
STORES = os.environ.get("MINI_MLFLOW_TEST_STORES", "file sqlite").split()


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """What every script sees under the real client, by store: in a process each, both at once."""
    folder = tmp_path_factory.mktemp("real")
    running = {}
    for store in STORES:
        (folder / store).mkdir()
        arguments = [str(COMPAT), store, str(folder / store), str(folder / (store + ".json"))]
        running[store] = subprocess.Popen([sys.executable, "-c", CODE, *arguments])
    codes = {store: process.wait() for store, process in running.items()}
    assert codes == dict.fromkeys(STORES, 0)
    return {store: json.loads((folder / (store + ".json")).read_text()) for store in STORES}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.timeout(1800)  # MLflow opens a store for each script, twice: a minute on a slow machine
def test_what_the_scripts_are_compared_with_is_what_mlflow_shows(played, store):
    facts = played[store]
    wrong = {}
    for name, expected in EXPECTED["facts"].items():
        for key, values in expected.items():
            value = values[-1 if store == "sqlite" else 0]
            if facts[name].get(key) != value:
                wrong["%s: %s" % (name, key)] = {"recorded": value, "now": facts[name].get(key)}
    assert wrong == {}
    assert sorted(facts) == play.script_names()


def parameters(function):
    return [each for each in inspect.signature(function).parameters.values() if each.name != "self"]


def functions():
    """Yield (name, ours, MLflow's) for every function of the front, and every method of the client."""
    ours = importlib.import_module("mini_mlflow.compat.mlflow")
    real = importlib.import_module("mlflow")
    for name in ours.__all__:
        if inspect.isfunction(getattr(ours, name)) and name not in ("install", "autolog"):
            yield name, getattr(ours, name), getattr(real, name)
    for module in ("artifacts",):
        for name, function in inspect.getmembers(getattr(ours, module), inspect.isfunction):
            if name.split("_")[0] in ("load", "download", "list"):
                yield "%s.%s" % (module, name), function, getattr(getattr(real, module), name)
    for name, method in inspect.getmembers(ours.MlflowClient, inspect.isfunction):
        if not name.startswith("_"):
            yield "MlflowClient." + name, method, getattr(real.MlflowClient, name)
    for name in ("Metric", "Param", "RunTag", "ExperimentTag", "FileInfo", "RunInfo", "RunData"):
        yield "entities." + name, getattr(ours.entities, name), getattr(real.entities, name)


def test_every_function_takes_what_mlflows_takes_in_the_same_places():
    wrong = {}
    for name, ours, real in functions():
        theirs = [each for each in parameters(real) if each.name not in LEFT_OUT]
        for place, (mine, its) in enumerate(zip(parameters(ours), theirs)):
            if mine.name != its.name or mine.kind != its.kind:
                wrong[name] = "%d: %s, not %s" % (place, mine, its)
                break
        else:
            if len(theirs) != len(parameters(ours)):
                wrong[name] = [str(each) for each in theirs[len(parameters(ours)) :]] or "ours takes more"
    assert wrong == {}


def test_every_function_that_mlflows_tracking_module_has_is_there_or_says_what_to_do():
    ours = importlib.import_module("mini_mlflow.compat.mlflow")
    real = importlib.import_module("mlflow.tracking.fluent")
    public = [
        name
        for name, function in inspect.getmembers(real, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == real.__name__
    ]
    assert [name for name in public if not hasattr(ours, name)] == []


def test_the_limits_and_names_of_tags_that_other_libraries_look_up_are_mlflows():
    inner = importlib.import_module("mini_mlflow.compat.mlflow.inner")
    for name, ours in (("validation", inner.LIMITS), ("mlflow_tags", inner.TAGS)):
        real = importlib.import_module("mlflow.utils." + name)
        assert {key: getattr(real, key, None) for key in ours} == ours
