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

import os as _os
import sys as _sys

if getattr(_sys, "argv", [""])[:1] == ["-m"]:  # python -m is looking for what to run
    from .starting import leave_out_current_folder

    leave_out_current_folder()
    del leave_out_current_folder

from .errors import (
    ActiveRunError,
    AmbiguousRunError,
    ArtifactNotFoundError,
    BrokenFileError,
    ExperimentDeletedError,
    ExperimentExistsError,
    ExperimentNotFoundError,
    InvalidArtifactPathError,
    InvalidIdError,
    InvalidKeyError,
    InvalidStatusError,
    InvalidValueError,
    MetricNotFoundError,
    MiniMLflowError,
    MissingPackageError,
    NoActiveRunError,
    QueryError,
    RunEndedError,
    RunExistsError,
    RunNotFoundError,
    StorageWarning,
    UnsupportedFormatError,
)

# A script pays for what it logs by here and when it starts a run, not in the midst of its training; most commands log
# nothing.
_program = _os.path.basename((getattr(_sys, "argv", None) or [""])[0])
TYPE_CHECKING = False
if TYPE_CHECKING or _program not in ("-m", "mini-mlflow", "mini-mlflow.exe"):
    from .fluent import (
        active_run,
        end_run,
        last_active_run,
        log_batch,
        log_metric,
        log_metrics,
        log_param,
        log_params,
        set_tag,
        set_tags,
        start_run,
    )
    from .run import Run
if TYPE_CHECKING:
    from .comparing import Comparison, compare
    from .experiments import (
        create_experiment,
        delete_experiment,
        get_experiment,
        get_experiment_by_name,
        get_tracking_uri,
        rename_experiment,
        restore_experiment,
        search_experiments,
        set_experiment,
        set_experiment_tag,
        set_tracking_uri,
    )
    from .fluent_artifacts import (
        delete_artifact,
        download_artifacts,
        get_artifact_uri,
        list_artifacts,
        log_artifact,
        log_artifacts,
        log_dict,
        log_figure,
        log_image,
        log_table,
        log_text,
    )
    from .group_records import Group, Groups
    from .groups import group_runs
    from .history_tables import histories
    from .packs import pack, unpack
    from .records import (
        DeletedRun,
        Experiment,
        FileInfo,
        Metric,
        PackResult,
        Removed,
        RunData,
        RunInfo,
        StoredRun,
        Summary,
    )
    from .search.runs import best_run, find_run, get_run, search_runs
    from .tracker import ExperimentTracker
    from .ui.notebook import show
    from .ui.report import report
    from .upkeep import (
        delete_run,
        gc,
        get_note,
        list_deleted_runs,
        move_run,
        rename_run,
        restore_run,
        set_note,
        tag_run,
        untag_run,
    )

__version__ = "0.2.0"

# Loaded at their first use: a script that only logs numbers never needs most, and pays for each file that is imported.
_LAZY = {
    "experiments": (
        "create_experiment delete_experiment get_experiment get_experiment_by_name get_tracking_uri rename_experiment "
        "restore_experiment search_experiments set_experiment set_experiment_tag set_tracking_uri"
    ),
    "fluent": (
        "active_run end_run last_active_run log_batch log_metric log_metrics log_param log_params set_tag set_tags "
        "start_run"
    ),
    "fluent_artifacts": (
        "delete_artifact download_artifacts get_artifact_uri list_artifacts log_artifact log_artifacts log_dict "
        "log_figure log_image log_table log_text"
    ),
    "comparing": "Comparison compare",
    "group_records": "Group Groups",
    "groups": "group_runs",
    "history_tables": "histories",
    "packs": "pack unpack",
    "records": "DeletedRun Experiment FileInfo Metric PackResult Removed RunData RunInfo StoredRun Summary",
    "run": "Run",
    "search.runs": "best_run find_run get_run search_runs",
    "tracker": "ExperimentTracker",
    "ui.notebook": "show",
    "ui.report": "report",
    "upkeep": "delete_run gc get_note list_deleted_runs move_run rename_run restore_run set_note tag_run untag_run",
}


def __getattr__(name: str) -> object:
    """Load what few scripts need at its first use: a name, or the module that has it."""
    for module, names in _LAZY.items():
        if name == module or name in names.split():
            from importlib import import_module

            loaded = import_module("." + module, __name__)
            found: object = loaded if name == module else getattr(loaded, name)
            globals()[name] = found
            return found
    raise AttributeError("module %r has no attribute %r" % (__name__, name))


def __dir__() -> object:
    """Return the public names, those included that are not loaded yet."""
    return sorted(set(globals()) | set(__all__))


__all__ = [
    "ActiveRunError",
    "AmbiguousRunError",
    "ArtifactNotFoundError",
    "BrokenFileError",
    "Comparison",
    "DeletedRun",
    "Experiment",
    "ExperimentDeletedError",
    "ExperimentExistsError",
    "ExperimentNotFoundError",
    "ExperimentTracker",
    "FileInfo",
    "Group",
    "Groups",
    "InvalidArtifactPathError",
    "InvalidIdError",
    "InvalidKeyError",
    "InvalidStatusError",
    "InvalidValueError",
    "Metric",
    "MetricNotFoundError",
    "MiniMLflowError",
    "MissingPackageError",
    "NoActiveRunError",
    "PackResult",
    "QueryError",
    "Removed",
    "Run",
    "RunData",
    "RunEndedError",
    "RunExistsError",
    "RunInfo",
    "RunNotFoundError",
    "StorageWarning",
    "StoredRun",
    "Summary",
    "UnsupportedFormatError",
    "__version__",
    "active_run",
    "best_run",
    "compare",
    "create_experiment",
    "delete_artifact",
    "delete_experiment",
    "delete_run",
    "download_artifacts",
    "end_run",
    "find_run",
    "gc",
    "get_artifact_uri",
    "get_experiment",
    "get_experiment_by_name",
    "get_note",
    "get_run",
    "get_tracking_uri",
    "group_runs",
    "histories",
    "last_active_run",
    "list_artifacts",
    "list_deleted_runs",
    "log_artifact",
    "log_artifacts",
    "log_batch",
    "log_dict",
    "log_figure",
    "log_image",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_table",
    "log_text",
    "move_run",
    "pack",
    "rename_experiment",
    "rename_run",
    "report",
    "restore_experiment",
    "restore_run",
    "search_experiments",
    "search_runs",
    "set_experiment",
    "set_experiment_tag",
    "set_note",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "show",
    "start_run",
    "tag_run",
    "unpack",
    "untag_run",
]
