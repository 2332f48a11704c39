"""How do histories become arrays or a table: of NumPy, pandas, Polars, or plain lists?

Each package is imported where its output is asked for.
"""

from __future__ import annotations

from array import array
from collections import namedtuple

from . import series
from .errors import InvalidValueError, MissingPackageError, shown
from .records import Columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence

    from .records import Number

    Found = Dict[str, Dict[str, Columns]]  # by metric, then by run

_FORMATS = ("numpy", "pandas", "polars", "list")


class Histories(namedtuple("Histories", ["run_ids", "steps", "values"])):
    """Histories of several metrics of several runs, aligned on step.

    Attributes:
        run_ids: The runs, in the order in which they were asked for.
        steps: Every step that any of the histories has, ascending.
        values: By metric: one row for each run, one column for each step. Where a run has no value at a step there is
            NaN in arrays of NumPy, None in lists.
    """

    __slots__ = ()

    run_ids: List[str]
    steps: Any
    values: Dict[str, Any]


def aligned(found: Found, run_ids: List[str], output_format: str, package: Any) -> Any:
    """Return histories with one column of steps for all, in the form that ``histories`` describes.

    Args:
        found: The histories, one value per step; of each metric as many as there are runs.
        run_ids: The runs.
        output_format: What ``histories`` takes.
        package: What ``get_package`` returns for it.
    """
    steps, places = series.align([each.steps for of_runs in found.values() for each in of_runs.values()])
    next_places = iter(places)
    if output_format in ("list", "polars"):
        values = {
            key: [_spread(len(steps), next(next_places), _values(each, output_format)) for each in of_runs.values()]
            for key, of_runs in found.items()
        }
        if output_format == "list":
            return Histories(run_ids, list(steps), values)
        table = [package.Series("step", list(steps), dtype=package.Int64)]
        for key, rows in values.items():
            for run_id, row in zip(run_ids, rows):
                table.append(package.Series("%s/%s" % (key, run_id), row, dtype=package.Float64))
        return package.DataFrame(table)
    import numpy as np  # there: pandas stands on it

    arrays: Dict[str, Any] = {}
    for key, of_runs in found.items():
        arrays[key] = np.full((len(run_ids), len(steps)), np.nan)
        for row, each in zip(arrays[key], of_runs.values()):
            where = next(next_places)
            row[slice(None) if isinstance(where, range) else where] = series.to_floats(each.values)
    if output_format == "numpy":
        return Histories(run_ids, np.array(steps, dtype=np.int64), arrays)
    return package.DataFrame(
        np.concatenate([*arrays.values(), np.empty((0, len(steps)))]).T,
        index=package.Index(np.array(steps, dtype=np.int64), name="step"),
        columns=package.MultiIndex.from_product([list(found), run_ids], names=["metric", "run_id"]),
    )


def _spread(count: int, places: Sequence[int], values: Sequence[Number]) -> List[Optional[Number]]:
    """Return *count* values, None at the places that have none."""
    spread: List[Optional[Number]] = [None] * count
    for place, value in zip(places, values):
        spread[place] = value
    return spread


def apart(found: Found, output_format: str, package: Any) -> Any:
    """Return histories with the steps of each, in the form that ``histories`` describes; see ``aligned``."""
    if output_format == "list":
        return {
            key: {run_id: Columns(*map(list, each)) for run_id, each in of_runs.items()}
            for key, of_runs in found.items()
        }
    if output_format == "numpy":
        return {
            key: {
                run_id: Columns(*(package.array(column) for column in _floats(each)))
                for run_id, each in of_runs.items()
            }
            for key, of_runs in found.items()
        }
    rows: List[Any] = [[], [], array("q"), array("q"), array("d")]
    for key, of_runs in found.items():
        for run_id, each in of_runs.items():
            added = ([run_id] * len(each.steps), [key] * len(each.steps), *_floats(each))
            for column, more in zip(rows, added):
                column.extend(more)
    names = ["run_id", "metric", "step", "timestamp", "value"]
    if output_format == "polars":
        kinds = [package.String, package.String, package.Int64, package.Int64, package.Float64]
        return package.DataFrame(
            [package.Series(name, list(column), dtype=kind) for name, column, kind in zip(names, rows, kinds)]
        )
    import numpy as np  # as above

    return package.DataFrame(
        {name: column if isinstance(column, list) else np.array(column) for name, column in zip(names, rows)},
        columns=names,
    )


def _values(each: Columns, output_format: str) -> Sequence[Number]:
    return each.values if output_format == "list" else series.to_floats(each.values)


def _floats(each: Columns) -> Columns:
    return each._replace(values=series.to_floats(each.values))


def get_package(output_format: Any) -> Any:
    """Return the package that makes the output, None where none is needed.

    Raises:
        InvalidValueError: There is no such output.
        MissingPackageError: It is not installed.
    """
    if output_format not in _FORMATS:
        message = "output_format must be one of %s, got %s."
        raise InvalidValueError(message % (", ".join(map(repr, _FORMATS)), shown(output_format)), value=output_format)
    if output_format == "list":
        return None
    from importlib import import_module

    try:
        return import_module(output_format)
    except ImportError as error:
        message = "Histories as %s need that package. Install it by pip install %s, or take output_format='list'."
        raise MissingPackageError(message % (output_format, output_format), package=output_format) from error
