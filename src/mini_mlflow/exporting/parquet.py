"""How do runs and histories look as Parquet, partitioned by experiment, for engines that read it?"""

from __future__ import annotations

import json
import os
from importlib import import_module
from urllib.parse import quote

from ..errors import MissingPackageError
from ..records import Problem
from ..store import reader, staging
from . import destination, given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Sequence

    from ..records import StoredRun

_FILE = "part-0.parquet"
_INT64 = range(-(2**63), 2**63)
_ROWS = 1 << 18  # of a row group: some 8 MB


def get_package() -> Any:
    """Return pyarrow.

    Raises:
        MissingPackageError: It is not installed.
    """
    try:
        import_module("pyarrow.parquet")
        return import_module("pyarrow")
    except ImportError as error:
        message = "Parquet needs pyarrow. Install it by pip install 'mini-mlflow[parquet]', or export csv."
        raise MissingPackageError(message, package="pyarrow") from error


def write(
    path: str,
    runs: Sequence[StoredRun],
    names: Dict[str, str],
    problems: List[Problem],
    advance: Callable[[int], None],
    *,
    with_histories: bool = False,
) -> None:
    """Write a folder ``runs`` (a row per run) and, if wanted, ``histories`` (a row per value), one part an experiment.

    Each part is called ``experiment_id=ID``, which readers take for a column; what has no place in a name of a file is
    percent-encoded, as they expect.

    Args:
        path: The folder; new or empty. It is there when all of it is.
        runs: The runs.
        names: Of experiments, by ids as texts.
        problems: Gets what could not be read.
        advance: Called with 1 for each run.
        with_histories: Whether histories are written, too.

    Raises:
        MissingPackageError: pyarrow is not installed.
        InvalidValueError: There is something at *path*.
        OSError: The disk refused; nothing is at *path*.
    """
    pyarrow = get_package()
    path = os.path.abspath(path)
    destination.refuse_folder(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    table = _table(runs, names, pyarrow)
    with staging.staged(os.path.dirname(path)) as folder:
        for experiment_id in sorted({str(run.info.experiment_id) for run in runs}):
            rows = [number for number, run in enumerate(runs) if str(run.info.experiment_id) == experiment_id]
            part = "experiment_id=%s" % quote(experiment_id, safe="")
            inside = os.path.join(folder, "runs", part)
            os.makedirs(inside)
            pyarrow.parquet.write_table(table.take(rows).drop(["experiment_id"]), os.path.join(inside, _FILE))
            if with_histories:
                inside = os.path.join(folder, "histories", part)
                os.makedirs(inside)
                _write_histories(os.path.join(inside, _FILE), [runs[row] for row in rows], problems, pyarrow)
            advance(len(rows))
        if not runs:
            os.makedirs(os.path.join(folder, "runs"))
        staging.publish(folder, path)


def _table(runs: Sequence[StoredRun], names: Dict[str, str], pyarrow: Any) -> Any:
    """Return runs as a table; what a run has not is null, and a param that is a list or dict is JSON."""
    described = [given.describe(run, names) for run in runs]
    columns = {
        name: pyarrow.array([_text(each[name]) for each in described], pyarrow.string())
        for name in ("run_id", "name", "experiment_id", "experiment", "status")
    }
    for name in ("start_time", "end_time"):
        columns[name] = pyarrow.array([getattr(run.info, name) for run in runs], pyarrow.timestamp("ms", tz="UTC"))
    for kind in ("metrics", "params", "tags"):
        for key in sorted({key for run in runs for key in getattr(run.data, kind)}):
            values = [getattr(run.data, kind).get(key) for run in runs]
            columns[_sound("%s.%s" % (kind, key))] = _column(values, pyarrow, is_metric=kind == "metrics")
    return pyarrow.table(columns)


def _column(values: List[Any], pyarrow: Any, *, is_metric: bool) -> Any:
    kinds = {type(value) for value in values if value is not None}
    if is_metric or (kinds <= {int, float} and float in kinds):
        return pyarrow.array([None if value is None else _float(value) for value in values], pyarrow.float64())
    if kinds == {bool}:
        return pyarrow.array(values, pyarrow.bool_())
    if kinds == {int} and all(value is None or value in _INT64 for value in values):
        return pyarrow.array(values, pyarrow.int64())
    return pyarrow.array([_text(value) for value in values], pyarrow.string())


def _write_histories(path: str, runs: Sequence[StoredRun], problems: List[Problem], pyarrow: Any) -> None:
    schema = pyarrow.schema(
        [
            ("metric", pyarrow.string()),
            ("run_id", pyarrow.string()),
            ("step", pyarrow.int64()),
            ("time", pyarrow.timestamp("ms", tz="UTC")),
            ("value", pyarrow.float64()),
        ]
    )
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        for key in sorted({key for run in runs for key in run.data.metrics}):
            for run in runs:
                rows = reader.read_history(given.folder_of(run), key, problems) if key in run.data.metrics else []
                for start in range(0, len(rows), _ROWS):
                    part = rows[start : start + _ROWS]
                    columns = {
                        "metric": [_sound(key)] * len(part),
                        "run_id": [_sound(run.info.run_id)] * len(part),
                        "step": [row.step for row in part],
                        "time": [row.timestamp for row in part],
                        "value": [_float(row.value) for row in part],
                    }
                    writer.write_table(pyarrow.table(columns, schema=schema))


def _text(value: Any) -> Any:
    if value is None:
        return None
    return _sound(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _sound(text: str) -> str:
    """Return a text with lone surrogates escaped, which Arrow cannot hold."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond every float
        return float("inf") if value > 0 else float("-inf")
