"""MLflow's tracking API on our files, for scripts that were written for MLflow.

    from mini_mlflow.compat import mlflow

    mlflow.set_experiment("first")
    with mlflow.start_run():
        mlflow.log_param("lr", 0.01)
        mlflow.log_metric("loss", 0.5, step=1)

MLflow need not be installed, and is never imported. Models, data sets, registry, traces and autologging are not here;
docs/mlflow-scripts.md says what is.
"""

from . import absent, artifacts, client, entities, exceptions, tracking
from .client import MlflowClient
from .exceptions import MlflowException
from .fluent import (
    active_run,
    delete_tag,
    end_run,
    get_artifact_uri,
    get_tracking_uri,
    is_tracking_uri_set,
    last_active_run,
    log_artifact,
    log_artifacts,
    log_dict,
    log_figure,
    log_image,
    log_metric,
    log_metrics,
    log_param,
    log_params,
    log_stream,
    log_table,
    log_text,
    set_experiment,
    set_tag,
    set_tags,
    set_tracking_uri,
    start_run,
)
from .lookup import (
    autolog,
    create_experiment,
    delete_experiment,
    delete_run,
    disable_system_metrics_logging,
    enable_system_metrics_logging,
    flush_artifact_async_logging,
    flush_async_logging,
    get_experiment,
    get_experiment_by_name,
    get_parent_run,
    get_run,
    load_table,
    restore_experiment,
    restore_run,
    search_experiments,
    search_runs,
    set_experiment_tag,
    set_experiment_tags,
    set_system_metrics_node_id,
    set_system_metrics_samples_before_logging,
    set_system_metrics_sampling_interval,
)
from .running import ActiveRun
from .writing import RunOperations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = "3.17.2"  # the MLflow whose behaviour this front was compared with

__all__ = [
    "ActiveRun",
    "MlflowClient",
    "MlflowException",
    "RunOperations",
    "__version__",
    "active_run",
    "artifacts",
    "autolog",
    "client",
    "create_experiment",
    "delete_experiment",
    "delete_run",
    "delete_tag",
    "disable_system_metrics_logging",
    "enable_system_metrics_logging",
    "end_run",
    "entities",
    "exceptions",
    "flush_artifact_async_logging",
    "flush_async_logging",
    "get_artifact_uri",
    "get_experiment",
    "get_experiment_by_name",
    "get_parent_run",
    "get_run",
    "get_tracking_uri",
    "install",
    "is_tracking_uri_set",
    "last_active_run",
    "load_table",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_image",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_stream",
    "log_table",
    "log_text",
    "restore_experiment",
    "restore_run",
    "search_experiments",
    "search_runs",
    "set_experiment",
    "set_experiment_tag",
    "set_experiment_tags",
    "set_system_metrics_node_id",
    "set_system_metrics_samples_before_logging",
    "set_system_metrics_sampling_interval",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "start_run",
    "tracking",
]


def install() -> None:
    """Let ``import mlflow`` in this process mean this front, so that a script runs as it is.

    Raises:
        ImportError: MLflow itself is imported already.
    """
    from .installing import install as install_front

    install_front()


def __getattr__(name: str) -> "Any":
    if name in ("utils", "version"):
        from . import inner

        return inner.modules()[name]
    found = None if name.startswith("_") else absent.find(name)
    if found is None:
        raise AttributeError("mini_mlflow.compat.mlflow has no %r; docs/mlflow-scripts.md says what there is" % name)
    return found


def __dir__() -> "list[str]":
    return sorted(__all__)
