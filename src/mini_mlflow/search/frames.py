"""What does a table of runs look like in pandas and Arrow? Column by column."""

from __future__ import annotations

from importlib import import_module

from ..errors import MissingPackageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Sequence

    from ..records import StoredRun

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


def to_pandas(runs: Sequence[Any], pandas: Any) -> Any:
    """Return runs as a DataFrame with the columns that MLflow's has; the front's runs, too."""
    table = _columns(runs)
    for name in _TIMES:
        table[name] = pandas.to_datetime([0, *table[name]], unit="ms", utc=True)[1:]  # the same type without any
    if not runs:
        table.update({name: pandas.Series(table[name], dtype=object) for name in _FIELDS})
    return pandas.DataFrame(table)


def to_arrow(runs: Sequence[StoredRun], pyarrow: Any) -> Any:
    """Return runs as a table of Arrow; a column of params whose values are of several kinds is text."""
    arrays = {}
    for name, values in _columns(runs).items():
        if name in _TIMES:
            arrays[name] = pyarrow.array(values, pyarrow.timestamp("ms", tz="UTC"))
        elif name.startswith("metrics."):
            arrays[name] = pyarrow.array(values, pyarrow.float64())
        elif name in _FIELDS:
            arrays[name] = pyarrow.array(values, pyarrow.string())
        else:
            arrays[name] = _array(values, pyarrow)
    return pyarrow.table(arrays)


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


def _columns(runs: Sequence[Any]) -> Dict[str, Any]:
    """Return a list for each column: fields, then metrics, params and tags in the order in which runs have them."""
    table: Dict[str, Any] = {name: [getattr(run.info, name) for run in runs] for name in (*_FIELDS, *_TIMES)}
    table["experiment_id"] = list(map(str, table["experiment_id"]))
    for key in _keys(runs, "metrics"):
        table["metrics." + key] = [_float(run.data.metrics.get(key, float("nan"))) for run in runs]
    for kind in ("params", "tags"):
        for key in _keys(runs, kind):
            table["%s.%s" % (kind, key)] = [_storable(getattr(run.data, kind).get(key)) for run in runs]
    return table


def _keys(runs: Sequence[Any], kind: str) -> List[str]:
    return list(dict.fromkeys(key for run in runs for key in getattr(run.data, kind)))


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond every float
        return float("inf") if value > 0 else float("-inf")
