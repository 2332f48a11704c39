"""Scripts that need pandas, Pillow or matplotlib see under our front what they see under MLflow."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "compat"))
import test_mlflow_scripts


@pytest.mark.parametrize("name", sorted(test_mlflow_scripts.NEEDS))
def test_a_script_that_needs_other_packages_sees_what_it_sees_under_mlflow(name, tmp_path):
    wrong, said = test_mlflow_scripts.mismatches(name, tmp_path)
    assert wrong == {}, said
