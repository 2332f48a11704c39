"""The functions of MLflow that look at runs and experiments, and change those that are there."""

# ruff: noqa: FBT001, FBT002 - the signatures are those of MLflow

from __future__ import annotations

import os

from ... import active, config
from . import experimenting, searching
from .client import MlflowClient
from .entities import ViewType
from .exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Mapping, Optional, Sequence, Union

    from .entities import Experiment, Run

_MOST_ROWS = 100000


def get_run(run_id: str) -> Run:
    """Return a run as it is now, also one that is deleted.

    Raises:
        MlflowException: There is none.
    """
    return MlflowClient().get_run(run_id)


def get_parent_run(run_id: str) -> Optional[Run]:
    """Return the run that a run is nested in, None where it is in none.

    Raises:
        MlflowException: There is no such run.
    """
    return MlflowClient().get_parent_run(run_id)


def delete_run(run_id: str) -> None:
    """Delete a run; ``MlflowClient.restore_run`` brings it back.

    Raises:
        MlflowException: There is no such run.
    """
    MlflowClient().delete_run(run_id)


def restore_run(run_id: str) -> None:
    """Bring a run back that was deleted.

    Raises:
        MlflowException: There is no such run.
    """
    MlflowClient().restore_run(run_id)


def search_runs(
    experiment_ids: Optional[Sequence[Union[str, int]]] = None,
    filter_string: str = "",
    run_view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int = _MOST_ROWS,
    order_by: Optional[Sequence[str]] = None,
    output_format: str = "pandas",
    search_all_experiments: bool = False,
    experiment_names: Optional[Sequence[str]] = None,
) -> Any:
    """Return runs that fulfil all conditions, newest first where no order is given.

    Args:
        experiment_ids: Where to look. None: where *experiment_names* says, else in the experiment that runs go to.
        filter_string: Conditions joined by ``and``, such as ``metrics.acc > 0.9 and params.model = 'cnn'``.
        run_view_type: Those that are there, those that are deleted, or all.
        max_results: At most so many.
        order_by: Such as ``["metrics.acc DESC", "start_time"]``.
        output_format: ``pandas``: a table, which needs pandas; ``list``: a list of runs.
        search_all_experiments: Whether to look everywhere, if nothing says where.
        experiment_names: Names of experiments; those that are not there are passed over.

    Raises:
        MlflowException: A condition or an order is not legal.
        ImportError: pandas is not installed.
    """
    if output_format not in ("pandas", "list"):
        message = "Unsupported output format: %s. Supported string values are 'pandas' or 'list'"
        raise ValueError(message % output_format)
    client = MlflowClient()
    if experiment_ids and experiment_names:
        raise invalid("Only experiment_ids or experiment_names can be used, but not both")
    if experiment_names:
        found = [client.get_experiment_by_name(name) for name in experiment_names]
        experiment_ids = [each.experiment_id for each in found if each is not None]
    elif not experiment_ids and search_all_experiments:
        experiment_ids = [each.experiment_id for each in client.search_experiments(ViewType.ACTIVE_ONLY, None)]
    elif not experiment_ids:
        experiment_ids = [current_experiment_id()]
    runs: List[Run] = []
    token: Optional[str] = None
    while len(runs) < max_results:
        most = min(max_results - len(runs), searching.LIMIT)
        page = client.search_runs(experiment_ids, filter_string, run_view_type, most, order_by, token)
        runs += page
        token = page.token
        if token is None:
            break
    return runs if output_format == "list" else searching.as_table(runs)


def create_experiment(
    name: str, artifact_location: Optional[str] = None, tags: Optional[Mapping[str, Any]] = None
) -> str:
    """Make an experiment and return its id; see ``MlflowClient.create_experiment``."""
    return MlflowClient().create_experiment(name, artifact_location, tags)


def get_experiment(experiment_id: Union[str, int]) -> Experiment:
    """Return an experiment, also one that is deleted.

    Raises:
        MlflowException: There is none of this id.
    """
    return MlflowClient().get_experiment(experiment_id)


def get_experiment_by_name(name: str) -> Optional[Experiment]:
    """Return the experiment of a name, also one that is deleted, None where there is none."""
    return MlflowClient().get_experiment_by_name(name)


def search_experiments(
    view_type: int = ViewType.ACTIVE_ONLY,
    max_results: Optional[int] = None,
    filter_string: Optional[str] = None,
    order_by: Optional[Sequence[str]] = None,
) -> List[Experiment]:
    """Return experiments that fulfil all conditions; see ``MlflowClient.search_experiments``."""
    return list(MlflowClient().search_experiments(view_type, max_results, filter_string, order_by))


def delete_experiment(experiment_id: Union[str, int]) -> None:
    """Mark an experiment as deleted; see ``MlflowClient.delete_experiment``."""
    MlflowClient().delete_experiment(experiment_id)


def restore_experiment(experiment_id: Union[str, int]) -> None:
    """Bring an experiment back; see ``MlflowClient.restore_experiment``."""
    MlflowClient().restore_experiment(experiment_id)


def set_experiment_tag(key: str, value: Any) -> None:
    """Attach a remark to the experiment that runs go to.

    Raises:
        MlflowException: The name is not legal.
    """
    MlflowClient().set_experiment_tag(current_experiment_id(), key, value)


def set_experiment_tags(tags: Mapping[str, Any]) -> None:
    """Attach several remarks to the experiment that runs go to.

    Raises:
        MlflowException: A name is not legal.
    """
    for key, value in tags.items():
        set_experiment_tag(key, value)


def load_table(
    artifact_file: str, run_ids: Optional[Sequence[str]] = None, extra_columns: Optional[Sequence[str]] = None
) -> Any:
    """Return the tables of this name of all runs of the current experiment as one pandas DataFrame.

    Args:
        artifact_file: As in ``log_table``.
        run_ids: Only of these runs.
        extra_columns: Facts of the run to be added, as ``search_runs`` names them: ``run_id``, ``params.lr``.

    Raises:
        MlflowException: No run has such a table.
        ImportError: pandas is not installed.
    """
    return MlflowClient().load_table(current_experiment_id(), artifact_file, run_ids, extra_columns)


def current_experiment_id() -> str:
    """Return the id of the experiment that runs go to."""
    return str(experimenting.usable_id(active.store_folder(), None))


def flush_async_logging() -> None:
    """Return at once: whatever was logged is written when the call returns."""


def flush_artifact_async_logging() -> None:
    """Return at once, as ``flush_async_logging``."""


def enable_system_metrics_logging() -> None:
    """Let runs that start from now on log the use of the machine; needs ``pip install mini-mlflow[system]``."""
    os.environ[config.MLFLOW_SYSTEM_METRICS] = "true"


def disable_system_metrics_logging() -> None:
    """Let runs that start from now on not log the use of the machine."""
    os.environ[config.MLFLOW_SYSTEM_METRICS] = "false"


def set_system_metrics_sampling_interval(interval: Optional[float]) -> None:
    """Say how many seconds lie between two looks at the machine; None: 10."""
    if interval is None:
        os.environ.pop(config.MLFLOW_SYSTEM_METRICS_INTERVAL, None)
    else:
        os.environ[config.MLFLOW_SYSTEM_METRICS_INTERVAL] = str(interval)


def set_system_metrics_samples_before_logging(samples: Optional[int]) -> None:
    """Do nothing: every look at the machine is logged."""


def set_system_metrics_node_id(node_id: Optional[str]) -> None:
    """Do nothing: each process logs into its own run, or beside others under the same names."""


def autolog(*_: object, **__: object) -> None:
    """Warn that nothing is logged by itself."""
    from . import absent

    absent.warn_of_autolog("autolog()")
