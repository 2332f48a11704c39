"""How are the histories of several metrics of several runs read together?"""

from __future__ import annotations

import operator

from . import active, given_runs, keys, series, series_tables
from .errors import InvalidValueError, MetricNotFoundError, advice_on_name, shown, warn_of
from .store import columns, reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any, Dict, Iterable, List, Optional, Union

    from .records import Problem
    from .series_tables import Found

    ExperimentId = Union[int, str]


def histories(
    runs: Any,
    metrics: Union[str, Iterable[str], None] = None,
    *,
    output_format: str = "numpy",
    align: bool = True,
    max_points: Optional[int] = None,
    smoothing: float = 0.0,
    latest_per_step: bool = True,
    experiment_id: Optional[ExperimentId] = None,
    runs_dir: Union[str, os.PathLike[str], None] = None,
) -> Any:
    """Return the histories of metrics of several runs as arrays or a table.

    Args:
        runs: Ids, runs (what ``start_run``, ``get_run`` or ``search_runs`` return, a DataFrame of runs, too), or one.
        metrics: Names, or one. None: every metric that any of the runs has.
        output_format: ``"numpy"``, ``"pandas"``, ``"polars"``, or ``"list"``, which needs no package.
        align: Whether there is one row of steps for all. Otherwise each history keeps its own.
        max_points: Thin each history out to at most so many points, 5 or more; each stretch of steps keeps its first,
            last, least and greatest value. Aligned, the steps that stand for any history are kept for all. None: all.
        smoothing: Weight of TensorBoard's exponential moving average, from 0 (none) to below 1; applied before
            *max_points*.
        latest_per_step: Whether a step that was logged more than once is there once, as logged last (docs/format.md,
            rule W8). Otherwise every row is there, which needs ``align=False``.
        experiment_id: The experiment of the runs that are given as ids; None: the one that has them.
        runs_dir: The store's folder, as in ``start_run``.

    Returns:
        Aligned: ``Histories(run_ids, steps, values)`` of arrays or lists; ``values["loss"][0]`` is the first run's.
        As a DataFrame of pandas: indexed by ``step``, with a column for each ``(metric, run_id)``. Of Polars: with a
        column ``step`` and one ``metric/run_id`` for each. A run without a metric has NaN (None, null) there.

        Not aligned: ``found[metric][run_id]``, which is ``Columns(steps, timestamps, values)``, and is empty where the
        run lacks the metric. As a DataFrame: one row for each value, with ``run_id``, ``metric``, ``step``,
        ``timestamp`` and ``value``.

        Values are floats; lists keep the integers beyond 2^53 that no float holds, unless they are smoothed.

    Raises:
        RunNotFoundError: There is no such run.
        MetricNotFoundError: None of the runs has such a metric.
        AmbiguousRunError: Several experiments have a run of an id; say which.
        InvalidIdError: An id is not legal.
        InvalidKeyError: The name of a metric is no text.
        InvalidValueError: An argument is out of its range.
        MissingPackageError: The package that *output_format* names is not installed.

    Warns:
        StorageWarning: Some files cannot be read; the rest is returned.
    """
    package = series_tables.get_package(output_format)
    max_points, smoothing = _check_max_points(max_points), _check_smoothing(smoothing)
    if align and not latest_per_step:
        message = "Histories with several values per step cannot be aligned. Add align=False to latest_per_step=False."
        raise InvalidValueError(message, value=latest_per_step)
    given = given_runs.find_given(runs, experiment_id, active.store_folder(runs_dir))
    folders = {run.run_id: run.folder for run in given}
    found = _read(folders, _names(metrics, folders), latest_per_step=latest_per_step)
    prepared = _prepare(found, max_points, smoothing, align=align)
    if not align:
        return series_tables.apart(prepared, output_format, package)
    return series_tables.aligned(prepared, list(folders), output_format, package)


def _names(metrics: Union[str, Iterable[str], None], folders: Dict[str, str]) -> List[str]:
    """Return the metrics that are asked for, each once."""
    if metrics is None:
        return sorted({key for folder in folders.values() for key in reader.list_metrics(folder)})
    given: Any = [metrics] if isinstance(metrics, str) else metrics
    try:
        given = list(given)
    except TypeError:
        given = [given]  # told below what it must be
    return list(dict.fromkeys(map(keys.check_known_key, given)))


def _read(folders: Dict[str, str], metrics: List[str], *, latest_per_step: bool) -> Found:
    """Return the histories; empty ones where a run lacks a metric that another has."""
    found: Found = {}
    problems: List[Problem] = []
    for key in metrics:
        found[key] = of_runs = {}
        for run_id, folder in folders.items():
            if latest_per_step:
                of_runs[run_id] = series.latest_per_step(columns.read_parts(folder, key, problems))
            else:
                of_runs[run_id] = columns.read_columns(folder, key, problems)
        if folders and not any(each.steps for each in of_runs.values()):
            raise _not_found(key, folders, problems)
    warn_of(problems, stacklevel=3)
    return found


def _not_found(key: str, folders: Dict[str, str], problems: List[Problem]) -> MetricNotFoundError:
    run_id = next(iter(folders)) if len(folders) == 1 else None
    whose = "Run %s has no" % run_id if run_id else "None of these %d runs has a" % len(folders)
    there = sorted({each for folder in folders.values() for each in reader.list_metrics(folder)})
    advice = advice_on_name(key, there)
    if problems:
        advice += " Some files cannot be read: %s: %s." % problems[0]
    return MetricNotFoundError("%s metric %r. %s" % (whose, key, advice), run_id=run_id, key=key)


def _prepare(found: Found, max_points: Optional[int], smoothing: float, *, align: bool) -> Found:
    """Return the histories smoothed and thinned out."""
    if smoothing:
        found = {
            key: {
                run_id: each._replace(values=series.smooth(series.to_floats(each.values), smoothing))
                for run_id, each in of_runs.items()
            }
            for key, of_runs in found.items()
        }
    if max_points is None:
        return found
    there = [each for of_runs in found.values() for each in of_runs.values() if each.steps]
    if not there:
        return found
    # The same buckets for all, so that histories of equal steps keep equal ends.
    bounds = (min(each.steps[0] for each in there), max(each.steps[-1] for each in there)) if align else None
    places = {
        (key, run_id): series.downsample(each.steps, series.to_floats(each.values), max_points, bounds)
        for key, of_runs in found.items()
        for run_id, each in of_runs.items()
        if each.steps
    }
    if align:
        # Each history gets its value at every step that stands for another one: a gap in the table is one in the files.
        chosen = sorted({found[key][run_id].steps[place] for (key, run_id), kept in places.items() for place in kept})
        places = {(key, run_id): series.places_of(found[key][run_id].steps, chosen) for key, run_id in places}
    return {
        key: {
            run_id: series.take(each, places[key, run_id]) if each.steps else each for run_id, each in of_runs.items()
        }
        for key, of_runs in found.items()
    }


def _check_max_points(max_points: Any) -> Optional[int]:
    if max_points is None:
        return None
    try:
        number = -1 if isinstance(max_points, bool) else operator.index(max_points)
    except TypeError:
        number = -1
    if number < series.FEWEST_POINTS:
        message = "max_points must be a whole number from %d, or None for all points, got %s."
        raise InvalidValueError(message % (series.FEWEST_POINTS, shown(max_points)), value=max_points)
    return number


def _check_smoothing(smoothing: Any) -> float:
    try:
        number = -1.0 if isinstance(smoothing, (bool, str)) else float(smoothing)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if not 0.0 <= number < 1.0:
        message = "smoothing must be a number from 0 (none) to below 1, got %s."
        raise InvalidValueError(message % shown(smoothing), value=smoothing)
    return number
