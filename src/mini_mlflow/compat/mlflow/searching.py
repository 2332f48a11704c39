"""Which runs and experiments fulfil a filter, in which order, page by page?"""

from __future__ import annotations

from math import isnan

from ...search import frames
from ...search.scanning import RunTable
from . import filters, reading
from .entities import ViewType
from .exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, List, Optional, Sequence, Tuple, TypeVar, Union

    from .entities import Experiment, Run

    T = TypeVar("T")

MOST_RUNS = 1000
LIMIT = 50000
_VIEWS = (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL)
_NUMBERS = {"created": "start_time"}  # an attribute's other name


class PagedList(list):  # type: ignore[type-arg]  # no list[T] on 3.7
    """A list, and what leads to the rest of it.

    Attributes:
        token: To be given as ``page_token``; None where there is no more.
    """

    def __init__(self, items: Iterable[Any], token: Optional[str]) -> None:
        """Make one.

        Args:
            items: What is on this page.
            token: What leads to the next.
        """
        super().__init__(items)
        self.token = token


def search_runs(
    store: str,
    experiment_ids: Sequence[Union[str, int]],
    filter_string: Optional[str],
    view_type: int,
    max_results: Optional[int],
    order_by: Optional[Sequence[str]],
    page_token: Optional[str],
) -> PagedList:
    """Return runs of some experiments; see ``MlflowClient.search_runs``."""
    conditions = filters.parse_filter(filter_string, filters.RUNS)
    orders = filters.parse_order(order_by, filters.RUNS)
    start, most = _window(view_type, max_results, page_token)
    found = [
        run
        for experiment_id in dict.fromkeys(experiment_ids)
        for run in reading.iter_runs(store, experiment_id, view_type)
        if all(each.holds(_of_run(run, each.kind, each.key)) for each in conditions)
    ]
    found.sort(key=lambda run: -run.info.start_time)  # of one millisecond, in the order of their experiment: S6
    if any(each.is_ascending and _is_start(each) for each in orders):
        found.reverse()
    return _page(_sorted(found, orders, _of_run), start, most)


def search_experiments(
    store: str,
    view_type: int,
    max_results: Optional[int],
    filter_string: Optional[str],
    order_by: Optional[Sequence[str]],
    page_token: Optional[str],
) -> PagedList:
    """Return experiments; see ``MlflowClient.search_experiments``."""
    conditions = filters.parse_filter(filter_string, filters.EXPERIMENTS)
    orders = filters.parse_order(order_by, filters.EXPERIMENTS)
    start, most = _window(view_type, max_results, page_token)
    stages = {ViewType.ACTIVE_ONLY: ("active",), ViewType.DELETED_ONLY: ("deleted",)}
    found = [
        each
        for each in reading.list_experiments(store)
        if each.lifecycle_stage in stages.get(view_type, ("active", "deleted"))
        and all(condition.holds(_of_experiment(each, condition.kind, condition.key)) for condition in conditions)
    ]
    return _page(_sorted(found, orders, _of_experiment), start, most)


def as_table(runs: Sequence[Run]) -> Any:
    """Return runs as a pandas DataFrame with a column for each field, metric, param and tag.

    Raises:
        ImportError: pandas is not installed.
    """
    try:
        import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError as error:
        message = "search_runs() makes a pandas table: pip install pandas, or give output_format='list'."
        raise ImportError(message) from error
    return frames.to_pandas(frames.columns_of(RunTable(runs), range(len(runs))), pd)


def _window(view_type: int, max_results: Optional[int], page_token: Optional[str]) -> Tuple[int, int]:
    """Return which result comes first, and how many at most."""
    if view_type not in _VIEWS:
        raise invalid("Invalid view type %r. Give a number of mlflow.entities.ViewType." % (view_type,))
    most = LIMIT if max_results is None else max_results
    if type(most) is not int or not 0 < most <= LIMIT:
        raise invalid("Invalid value %r for parameter 'max_results': a whole number from 1 to %d." % (most, LIMIT))
    if not page_token:
        return 0, most
    if type(page_token) is not str or not page_token.isdigit() or len(page_token) > 18:
        raise invalid("Invalid page token %.40r. Give the token of an earlier page." % (page_token,))
    return int(page_token), most


def _page(found: Sequence[T], start: int, most: int) -> PagedList:
    end = start + most
    return PagedList(found[start:end], str(end) if end < len(found) else None)


def _sorted(found: List[T], orders: Sequence[filters.Order], value_of: Callable[[T, str, str], Any]) -> List[T]:
    """Sort by several things, the last of them first, as each keeps the order of the one before.

    Numbers, then NaN, then what is missing, whether upwards or downwards.
    """
    for order in reversed(orders):
        there, nan, missing = [], [], []
        for each in found:
            value = value_of(each, order.kind, order.key)
            if value is None:
                missing.append(each)
            elif isinstance(value, float) and isnan(value):
                nan.append(each)
            else:
                there.append((value, each))
        there.sort(key=lambda pair: pair[0], reverse=not order.is_ascending)
        found = [each for _, each in there] + nan + missing
    return found


def _is_start(order: filters.Order) -> bool:
    return order.kind == "attributes" and _NUMBERS.get(order.key, order.key) == "start_time"


def _of_run(run: Run, kind: str, key: str) -> Any:
    if kind == "attributes":
        return getattr(run.info, _NUMBERS.get(key, key))
    return getattr(run.data, kind).get(key)


def _of_experiment(experiment: Experiment, kind: str, key: str) -> Any:
    return experiment.tags.get(key) if kind == "tags" else getattr(experiment, key)
