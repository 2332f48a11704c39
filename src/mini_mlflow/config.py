"""Which settings hold: from arguments and from the environment? The only module that reads the environment."""

from __future__ import annotations

import os

from .errors import InvalidValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional, Union

DEFAULT_RUNS_DIR = "mlruns"
DEFAULT_EXPERIMENT_ID = 0

# What a scheduler calls the job that this process belongs to, so that a run can be found by it.
_JOB_VARIABLES = {
    "slurm": ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT"),
    "pbs": ("PBS_JOBID", "PBS_ARRAY_INDEX"),
    "lsf": ("LSB_JOBID", "LSB_JOBINDEX"),
    "sge": ("JOB_ID", "SGE_TASK_ID"),
}


def runs_dir(argument: Union[str, os.PathLike[str], None] = None) -> Union[str, os.PathLike[str]]:
    """Return the store's folder: *argument*, else ``MINI_MLFLOW_DIR``, else ``mlruns``."""
    if argument is not None:
        return argument
    return os.environ.get("MINI_MLFLOW_DIR") or DEFAULT_RUNS_DIR


def sync_period_s() -> Optional[float]:
    """Return how often a running run is brought to the disk, from ``MINI_MLFLOW_FSYNC``.

    ``end`` (the default): once, when the run ends: infinity. ``off``: never: None. A number: seconds between.

    Raises:
        InvalidValueError: The variable holds something else.
    """
    text = os.environ.get("MINI_MLFLOW_FSYNC", "end").strip().lower()
    if text in ("end", ""):
        return float("inf")
    if text == "off":
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not seconds > 0:
        message = "MINI_MLFLOW_FSYNC must be 'end', 'off' or a number of seconds above 0, got %r."
        raise InvalidValueError(message % text, value=text)
    return seconds


def job_ids() -> Dict[str, str]:
    """Return what the scheduler says of this job: the variables that are set of the first scheduler that has any."""
    for scheduler, names in _JOB_VARIABLES.items():
        found = {name: os.environ[name] for name in names if name in os.environ}
        if scheduler == "sge" and "SGE_TASK_ID" not in found:
            continue  # JOB_ID alone may be anybody's
        if found:
            return found
    return {}


def host_name() -> str:
    """Return this machine's name."""
    if hasattr(os, "uname"):
        return os.uname().nodename
    return os.environ.get("COMPUTERNAME", "windows")
