"""Mini MLflow: an experiment tracker that is just files.

    from mini_mlflow import start_run, log_param, log_metric, end_run

    start_run(run_name="my_experiment")
    log_param("learning_rate", 0.01)
    log_metric("accuracy", 0.95)
    end_run()

or

    from mini_mlflow import ExperimentTracker

    with ExperimentTracker(run_name="my_experiment") as run:
        run.log_param("learning_rate", 0.01)
        run.log_metric("accuracy", 0.95)

Everything lies in ``mlruns/<experiment>/<run>/`` as YAML and JSON that a person can read.
"""

from .errors import (
    ActiveRunError,
    AmbiguousRunError,
    BrokenFileError,
    InvalidIdError,
    InvalidKeyError,
    InvalidStatusError,
    InvalidValueError,
    MetricNotFoundError,
    MiniMLflowError,
    NoActiveRunError,
    RunEndedError,
    RunNotFoundError,
    StorageWarning,
    UnsupportedFormatError,
)
from .fluent import (
    active_run,
    end_run,
    log_metric,
    log_metrics,
    log_param,
    log_params,
    set_tag,
    set_tags,
    start_run,
)
from .records import Metric, Summary
from .run import Run
from .tracker import ExperimentTracker

__version__ = "0.2.0"

__all__ = [
    "ActiveRunError",
    "AmbiguousRunError",
    "BrokenFileError",
    "ExperimentTracker",
    "InvalidIdError",
    "InvalidKeyError",
    "InvalidStatusError",
    "InvalidValueError",
    "Metric",
    "MetricNotFoundError",
    "MiniMLflowError",
    "NoActiveRunError",
    "Run",
    "RunEndedError",
    "RunNotFoundError",
    "StorageWarning",
    "Summary",
    "UnsupportedFormatError",
    "__version__",
    "active_run",
    "end_run",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "set_tag",
    "set_tags",
    "start_run",
]
