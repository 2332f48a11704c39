"""What does a table of runs look like in pandas and Arrow? Column by column."""

from __future__ import annotations

from importlib import import_module

from ..errors import MissingPackageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Sequence

    Columns = Dict[str, List[Any]]

_FIELDS = ("run_id", "experiment_id", "status", "artifact_uri")
_EXTRAS = {"pandas": "pandas", "pyarrow": "arrow"}
_TIMES = ("start_time", "end_time")


def get_package(name: str) -> Any:
    """Return a package that makes tables.

    Raises:
        MissingPackageError: It is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        message = "This table needs %s. Install it by pip install 'mini-mlflow[%s]', or take output_format='list'."
        raise MissingPackageError(message % (name, _EXTRAS[name]), package=name) from error


def columns_of(table: Any, rows: Sequence[int]) -> Columns:
    """Return some rows of a table of runs as lists by the name of their column.

    Fields come first, then the metrics, params and tags that any of these runs has.

    Args:
        table: As in ``query.conditions``; also what the MLflow front has.
        rows: Its rows.
    """
    table.give(rows)
    found: Columns = {name: _picked(table.column("attributes", name), rows) for name in (*_FIELDS, *_TIMES)}
    for kind in ("metrics", "params", "tags"):
        for key in table.keys(kind):
            values = _picked(table.column(kind, key), rows)
            if values.count(None) < len(rows):
                found["%s.%s" % (kind, key)] = list(map(_float if kind == "metrics" else _storable, values))
    return found


def to_pandas(columns: Columns, pandas: Any) -> Any:
    """Return columns as a DataFrame as MLflow's is."""
    table: Dict[str, Any] = dict(columns)
    for name in _TIMES:
        table[name] = pandas.to_datetime([0, *table[name]], unit="ms", utc=True)[1:]  # the same type without any
    for name, values in columns.items():
        # Beside a gap pandas would make floats of whole numbers, and no more of integers beyond theirs.
        if name.startswith("params.") and None in values and any(type(value) is int for value in values):
            table[name] = pandas.Series(values, dtype=object)
    if not columns["run_id"]:
        table.update({name: pandas.Series([], dtype=object) for name in _FIELDS})
    return pandas.DataFrame(table)


def to_arrow(columns: Columns, pyarrow: Any) -> Any:
    """Return columns as a table of Arrow; a column of params whose values are of several kinds is text."""
    arrays = {}
    for name, values in columns.items():
        if name in _TIMES:
            arrays[name] = pyarrow.array(values, pyarrow.timestamp("ms", tz="UTC"))
        elif name.startswith("metrics."):
            arrays[name] = pyarrow.array(values, pyarrow.float64())
        elif name in _FIELDS:
            arrays[name] = pyarrow.array(values, pyarrow.string())
        else:
            arrays[name] = _array(values, pyarrow)
    return pyarrow.table(arrays)


def _picked(column: Any, rows: Sequence[int]) -> List[Any]:
    return [None] * len(rows) if column is None else [column[row] for row in rows]


def _array(values: List[Any], pyarrow: Any) -> Any:
    try:
        return pyarrow.array(values)
    except (
        pyarrow.ArrowInvalid,
        pyarrow.ArrowTypeError,
        OverflowError,
        UnicodeEncodeError,
    ):  # of several kinds, or surrogates within
        return pyarrow.array([None if value is None else _storable(str(value)) for value in values], pyarrow.string())


def _storable(value: Any) -> Any:
    """Return a value with lone surrogates escaped: Arrow, and the texts of pandas from 3 on, cannot hold them."""
    if not isinstance(value, str) or value.isascii():
        return value
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def _float(value: Any) -> float:
    try:
        return float("nan") if value is None else float(value)
    except OverflowError:  # an integer beyond every float
        return float("inf") if value > 0 else float("-inf")
