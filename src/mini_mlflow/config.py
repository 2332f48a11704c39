"""Which settings hold: from arguments and from the environment? The only module that reads the environment."""

from __future__ import annotations

import errno
import os

from .errors import InvalidValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional, Union

DEFAULT_RUNS_DIR = "mlruns"
DEFAULT_EXPERIMENT_ID = 0
_IN_SCHEMES = dict.fromkeys(map(ord, "+-."))  # what a URL's scheme may have beside letters and digits

# What a scheduler calls the job that this process belongs to, so that a run can be found by it.
_JOB_VARIABLES = {
    "slurm": ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT"),
    "pbs": ("PBS_JOBID", "PBS_ARRAY_INDEX"),
    "lsf": ("LSB_JOBID", "LSB_JOBINDEX"),
    "sge": ("JOB_ID", "SGE_TASK_ID"),
}


def runs_dir(argument: Union[str, os.PathLike[str], None] = None) -> Union[str, os.PathLike[str]]:
    """Return the store's folder as it was given: *argument*, else ``MINI_MLFLOW_DIR``, else ``mlruns``.

    Raises:
        InvalidValueError: It is no path of a folder.
    """
    if argument is None:
        argument = os.environ.get("MINI_MLFLOW_DIR") or DEFAULT_RUNS_DIR
    path = os.fspath(argument) if isinstance(argument, os.PathLike) else argument
    if not isinstance(path, str):
        message = "runs_dir must be text or a path, got %s. Give a folder such as 'mlruns'."
        raise InvalidValueError(message % type(path).__name__, value=argument)
    if not path or "\0" in path:
        message = "runs_dir cannot be empty or hold NUL: %r. Give a folder such as 'mlruns', or leave it out."
        raise InvalidValueError(message % path, value=argument)
    scheme, separator, _ = path.partition("://")
    if path[:5].lower() == "file:" or (separator and len(scheme) > 1 and scheme.translate(_IN_SCHEMES).isalnum()):
        message = "runs_dir must be the path of a folder, got the URL %r. Give a path such as '/data/mlruns'."
        raise InvalidValueError(message % path, value=argument)
    return argument


def store_folder(argument: Union[str, os.PathLike[str], None] = None) -> str:
    """Return the store's folder as an absolute path; ``~`` and ``~/`` at its beginning are the home folder.

    Args:
        argument: As ``runs_dir``.

    Raises:
        InvalidValueError: It is no path of a folder.
        NotADirectoryError: Something else lies there.
    """
    path = os.fspath(runs_dir(argument))
    path = os.path.abspath(os.path.expanduser(path) if path == "~" or path.startswith(("~/", "~" + os.sep)) else path)
    nearest = path
    while not os.path.isdir(nearest):
        if os.path.lexists(nearest) and not os.path.isdir(nearest):  # asked again: others may just have made it
            message = "This is no folder, so no run can lie in it. Give the path of a folder as runs_dir"
            raise NotADirectoryError(errno.ENOTDIR, message, nearest)
        if os.path.dirname(nearest) == nearest:
            break  # a drive that is not there
        nearest = os.path.dirname(nearest)
    return path


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
