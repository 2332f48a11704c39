"""How are tables that runs have logged read again, as one?"""

from __future__ import annotations

import json
import re

from ...artifacts import exists, find_path
from ...layout import ARTIFACTS
from . import reading, searching
from .entities import ViewType
from .exceptions import missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Sequence

_FORBIDDEN = r"[\"',:\[\]{}]"


def noted(there: Any, artifact_file: str) -> str:
    """Return the tag that tells which tables a run has, with one more.

    Args:
        there: What it says so far, None for nothing.
        artifact_file: The table.
    """
    try:
        tables = json.loads(there) if isinstance(there, str) else []
    except ValueError:
        tables = []
    table = {"path": artifact_file, "type": "table"}
    if not isinstance(tables, list):
        tables = []
    return json.dumps(tables if table in tables else [*tables, table])


def load(
    store: str,
    experiment_id: Any,
    artifact_file: str,
    run_ids: Optional[Sequence[str]],
    extra_columns: Optional[Sequence[str]],
) -> Any:
    """Return the tables of this name of several runs as one pandas DataFrame; see ``mlflow.load_table``.

    Raises:
        MlflowException: No run has such a table.
        ImportError: pandas is not installed.
    """
    try:
        import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError as error:
        raise ImportError("load_table() makes a pandas table: pip install pandas.") from error
    check_file_name(artifact_file)
    runs = [
        run
        for run in reading.iter_runs(store, experiment_id, ViewType.ACTIVE_ONLY)
        if run_ids is None or run.info.run_id in run_ids
    ]
    facts = searching.as_table(runs)
    found = []
    for number, run in enumerate(runs):
        root = "%s/%s" % (reading.locate(store, run.info.run_id).folder, ARTIFACTS)
        if not exists(root, artifact_file):
            continue
        with open(find_path(root, artifact_file), encoding="utf-8") as file:
            content = json.load(file)
        table = pd.DataFrame(content["data"], columns=content["columns"])
        for column in extra_columns or []:
            table[column + "_" if column in table else column] = facts.iloc[number][column]
        found.append(table)
    if not found:
        raise missing("No runs found with the corresponding table artifact %r." % artifact_file)
    return pd.concat(found, ignore_index=True)


def check_file_name(artifact_file: Any) -> None:
    """Raise where MLflow lets no table be called so.

    Raises:
        ValueError: It has a quote, comma, colon, bracket or brace.
    """
    bad = re.search(_FORBIDDEN, str(artifact_file))
    if bad:
        raise ValueError("The artifact_file contains forbidden character: %s" % bad.group())
