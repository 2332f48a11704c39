"""Scripts see under our front what they see under MLflow; ``expected.json`` keeps what that was.

tests/libraries/test_compat_mlflow.py plays the same scripts under the real one, so that the file stays true.
"""

import importlib
import json
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import differences  # noqa: E402
import play  # noqa: E402

with open(play.EXPECTED, encoding="utf-8") as file:
    EXPECTED = json.load(file)["facts"]
# What a script needs that the plain test environment lacks; tests/libraries/test_compat_scripts.py plays these.
NEEDS = {"pictures": "matplotlib", "searched_as_table": "pandas"}


def mismatches(name, folder):
    """Return the facts of a script that MLflow shows on none of its stores, but for the differences that are named."""
    ours, said = play.play_ours(name, str(folder))
    wrong = {}
    for key in sorted({*ours, *EXPECTED[name]}):
        found, expected = ours.get(key), EXPECTED[name].get(key, [None])
        title, named = differences.DIFFERENCES.get((name, key), (None, None))
        if title is None:
            if found not in expected:
                wrong[key] = {"ours": found, "MLflow's": expected}
        elif found in expected:
            wrong[key] = "no difference any more, though one is named"
        elif named is not None and found != named:
            wrong[key] = {"ours": found, "named": named}
    return wrong, said


@pytest.mark.parametrize("name", sorted(set(play.script_names()) - set(NEEDS)))
def test_a_script_sees_what_it_sees_under_mlflow(name, tmp_path):
    if name == "numpy_values":
        pytest.importorskip("numpy")
    if name == "forked_workers" and not hasattr(os, "fork"):
        pytest.skip("there is no fork here")
    wrong, said = mismatches(name, tmp_path)
    assert wrong == {}, said


def test_every_script_was_played_under_mlflow():
    assert sorted(EXPECTED) == play.script_names()


def test_every_named_difference_is_of_a_fact_that_there_is():
    assert [key for key in differences.DIFFERENCES if key[1] not in EXPECTED.get(key[0], {})] == []


def test_the_page_gives_a_reason_for_every_named_difference():
    page = (HERE.parent.parent / "docs" / "mlflow-scripts.md").read_text(encoding="utf-8")
    titles = {title for title, _ in differences.DIFFERENCES.values()}
    assert [title for title in sorted(titles) if "**%s.**" % title not in page] == []


def test_the_page_names_every_function_that_there_is():
    page = (HERE.parent.parent / "docs" / "mlflow-scripts.md").read_text(encoding="utf-8")
    front = importlib.import_module("mini_mlflow.compat.mlflow")
    names = [name for name in front.__all__ if not name.startswith("_")]
    names += [name for name in dir(front.MlflowClient) if not name.startswith("_") and name != "tracking_uri"]
    assert [name for name in names if "`%s`" % name not in page] == []
