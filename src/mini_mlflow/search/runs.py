"""The functions that find runs: by a filter, by id, by name, the best one."""

from __future__ import annotations

from operator import index

from .. import active, clock, goals, identity, keys
from ..errors import InvalidValueError, MetricNotFoundError, advice_on_name, shown
from ..experiments import check_max_results, check_view
from ..query.conditions import check_metric, find_rows
from ..query.grammar import parse_filter
from ..query.ordering import parse_order, sort_rows
from ..records import StoredRun
from ..store import experiments
from . import frames, scanning

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any, Callable, List, Optional, Sequence, Union

    from .scanning import Table

    ExperimentId = Union[int, str]
    Path = Union[str, os.PathLike[str]]

_FORMATS = ("pandas", "arrow", "list")


def search_runs(
    experiment_ids: Union[ExperimentId, Sequence[ExperimentId], None] = None,
    filter_string: str = "",
    run_view_type: str = "ACTIVE_ONLY",
    max_results: Optional[int] = 100000,
    order_by: Union[str, Sequence[str], None] = None,
    output_format: str = "pandas",
    search_all_experiments: bool = False,  # noqa: FBT001, FBT002 - the place that it has in MLflow
    experiment_names: Optional[Sequence[str]] = None,
    *,
    refresh: bool = False,
    runs_dir: Optional[Path] = None,
) -> Any:
    """Return the runs that a filter means.

    Args:
        experiment_ids: Ids or names of experiments, or one. None: the one that new runs go to; an empty list: none.
        filter_string: Such as ``val.acc > 0.9 and lr < 0.1``; docs/filters.md has the grammar, which is that of MLflow
            and more. Empty: all runs.
        run_view_type: ``"ACTIVE_ONLY"``, ``"DELETED_ONLY"`` or ``"ALL"``.
        max_results: At most so many; None: all.
        order_by: Keys as in a filter, each with ``ASC`` or ``DESC``, the most important first. What is equal, and all
            with None, comes newest first.
        output_format: ``"pandas"``, ``"arrow"``, or ``"list"``, which needs no package.
        search_all_experiments: Whether to search every experiment that is not deleted, where none is named.
        experiment_names: Names of experiments, as well.
        refresh: Whether to look at every file of every run first, which also finds what was edited in place in runs
            that had ended; docs/searching.md tells what is found without.
        runs_dir: The store's folder, as in ``start_run``.

    Returns:
        A DataFrame (or a table of Arrow) with ``run_id``, ``experiment_id``, ``status``, ``artifact_uri``,
        ``start_time``, ``end_time`` and a column ``metrics.KEY``, ``params.KEY``, ``tags.KEY`` for each key; metrics
        are the latest values. Or a list of ``StoredRun``.

    Raises:
        QueryError: The filter or an order cannot be read; the message points at the place.
        ExperimentNotFoundError: An experiment is not there.
        InvalidValueError: An argument is out of its range.
        MissingPackageError: The package that *output_format* names is not installed.

    Warns:
        StorageWarning: Some runs cannot be read, all or in part; the others are returned.
    """
    if output_format not in _FORMATS:
        message = "output_format must be 'pandas', 'arrow' or 'list', got %s."
        raise InvalidValueError(message % shown(output_format), value=output_format)
    package = None
    if output_format != "list":
        package = frames.get_package("pandas" if output_format == "pandas" else "pyarrow")
    store = active.store_folder(runs_dir)
    chosen = _experiments(store, experiment_ids, experiment_names, is_all=search_all_experiments)
    find = _finder(filter_string, max_results, order_by)
    stages = check_view(run_view_type, "run_view_type")

    def question(table: Table) -> Any:
        rows = find(table)
        return table.runs(rows) if package is None else frames.columns_of(table, rows)

    found = scanning.ask(store, chosen, stages, question, is_refreshed=refresh, stacklevel=3)
    if package is None:
        return found
    return frames.to_pandas(found, package) if output_format == "pandas" else frames.to_arrow(found, package)


def get_run(run_id: str, *, experiment_id: Optional[ExperimentId] = None, runs_dir: Optional[Path] = None) -> StoredRun:
    """Return a run as it lies in its files: ``info`` and ``data``, as MLflow's ``get_run`` does.

    Args:
        run_id: The run.
        experiment_id: Id or name of its experiment. None: the one that has a run of this id.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        RunNotFoundError: There is no such run.
        AmbiguousRunError: Several experiments have a run of this id; say which.
        InvalidIdError: An id is not legal.
        BrokenFileError: Its meta.yaml cannot be read.
        UnsupportedFormatError: It was written in a newer format.
    """
    store = active.store_folder(runs_dir)
    if experiment_id is not None:
        experiment_id = identity.known_experiment(store, experiment_id)
    from .. import given_runs  # with all that reads files, which a search of the index does without

    return given_runs.read_stored(given_runs.find_one(run_id, experiment_id, store))


def find_run(
    name: str,
    experiment_ids: Union[ExperimentId, Sequence[ExperimentId], None] = None,
    *,
    refresh: bool = False,
    runs_dir: Optional[Path] = None,
) -> Optional[StoredRun]:
    """Return the newest run of a name, None where there is none.

    Args:
        name: The run's name.
        experiment_ids: Ids or names of experiments, or one. None: all.
        refresh: As in ``search_runs``.
        runs_dir: The store's folder, as in ``start_run``.
    """
    store = active.store_folder(runs_dir)
    chosen = _experiments(store, experiment_ids, None, is_all=experiment_ids is None)

    def question(table: Table) -> Optional[StoredRun]:
        names = table.column("attributes", "run_name") or ()
        rows = [row for row, each in enumerate(names) if each == name]
        newest = sort_rows(rows, [], table, 0, 1)
        return table.runs(newest)[0] if newest else None

    return scanning.ask(store, chosen, (experiments.ACTIVE,), question, is_refreshed=refresh, stacklevel=3)


def best_run(
    metric: str,
    mode: str = "max",
    experiment_ids: Union[ExperimentId, Sequence[ExperimentId], None] = None,
    filter_string: str = "",
    *,
    refresh: bool = False,
    runs_dir: Optional[Path] = None,
) -> StoredRun:
    """Return the run with the best value of a metric, at whichever step it was; of equal ones the newest.

    A run that has diverged, whose latest or best value is NaN or infinite, is the best only where all have.

    Args:
        metric: The metric.
        mode: ``"max"`` or ``"min"``: which end is best.
        experiment_ids: As in ``search_runs``.
        filter_string: Only runs that it means, such as ``status = 'FINISHED'``.
        refresh: As in ``search_runs``.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        InvalidValueError: *mode* is neither.
        MetricNotFoundError: No such run has a value of this metric.
        QueryError: The filter cannot be read.
    """
    if mode not in ("max", "min"):
        raise InvalidValueError("mode must be 'max' or 'min', got %s." % shown(mode), value=mode)
    metric = keys.check_known_key(metric)
    store = active.store_folder(runs_dir)
    chosen = _experiments(store, experiment_ids, None, is_all=False)
    find = _finder(filter_string, None, None)

    def question(table: Table) -> StoredRun:
        rows = find(table)
        if not rows:
            what = "the filter means none of %d runs" % table.count if table.count else "there are no runs"
            raise MetricNotFoundError("There is no best value of metric %r: %s." % (metric, what), key=metric)
        values = table.summary_column(mode, metric, rows) or []
        ranked = [row for row in rows if values and values[row] is not None]
        if not ranked:
            message = "None of these %d runs has a value of metric %r. %s"
            advice = advice_on_name(metric, table.keys("metrics"))
            raise MetricNotFoundError(message % (len(rows), metric, advice), key=metric)
        latest = table.column("metrics", metric) or values
        counting = goals.counting_values(map(values.__getitem__, ranked), map(latest.__getitem__, ranked))
        place = goals.best_place(counting, mode)
        if place is None:  # all have diverged
            return table.runs([(max if mode == "max" else min)(ranked, key=values.__getitem__)])[0]
        return table.runs([ranked[place]])[0]

    return scanning.ask(store, chosen, (experiments.ACTIVE,), question, is_refreshed=refresh, stacklevel=3)


def _finder(
    filter_string: Optional[str], max_results: Optional[int], order_by: Union[str, Sequence[str], None]
) -> Callable[[Table], List[int]]:
    """Return what finds the rows that are meant, in order."""
    limit = check_max_results(max_results)
    condition, orders = parse_filter(filter_string), parse_order(order_by)
    now_ms = clock.now_ms()

    def find(table: Table) -> List[int]:
        for order in orders:
            check_metric(order.operand, table, order.text)
        return sort_rows(find_rows(condition, table, now_ms), orders, table, now_ms, limit)

    return find


def _experiments(
    store: str, experiment_ids: Any, names: Optional[Sequence[str]], *, is_all: bool
) -> List[ExperimentId]:
    """Return the experiments that are meant, each once.

    Raises:
        ExperimentNotFoundError: One is not there.
    """
    given = [*_each(experiment_ids), *(_named(store, each) for each in _each(names))]
    if given:
        found = [identity.known_experiment(store, each) for each in given]
        return list(dict.fromkeys(experiments.get(store, each).experiment_id for each in found))
    if is_all:
        there = experiments.list_experiments(store)
        return [each.experiment_id for each in there if each.lifecycle_stage == experiments.ACTIVE]
    if experiment_ids is not None or names is not None:
        return []  # an empty list
    default = identity.find_default_experiment(store)
    return [] if default is None else [default]


def _named(store: str, name: Any) -> Any:
    """Return the id of the experiment of a name, which may be the id of another; what is no name as it is."""
    named = experiments.find(store, name) if isinstance(name, str) else None
    return name if named is None else named.experiment_id


def _each(given: Any) -> List[Any]:
    """Return the experiments that were given, one or several, as ids and names.

    Raises:
        InvalidValueError: They are none.
    """
    if given is None:
        return []
    if isinstance(given, str) or hasattr(given, "experiment_id"):
        given = [given]
    try:
        several = [index(given)]
    except TypeError:
        try:
            several = list(given)
        except TypeError:
            message = "experiment_ids takes ids or names of experiments, one or a list, got %s."
            raise InvalidValueError(message % shown(given), value=given) from None
    return [getattr(each, "experiment_id", each) for each in several]
