"""Which settings hold: from arguments and from the environment? The only module that reads the environment."""

from __future__ import annotations

import errno
import os
import re
import sys

from .errors import InvalidValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional, Tuple, Union

DEFAULT_RUNS_DIR = "mlruns"
DEFAULT_EXPERIMENT_ID = 0
MLFLOW_SYSTEM_METRICS = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"
MLFLOW_SYSTEM_METRICS_INTERVAL = "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL"
_IN_SCHEMES = dict.fromkeys(map(ord, "+-.:"))  # what schemes of URLs, also chained, have beside letters and digits

# What a scheduler calls the job that this process belongs to, so that a run can be found by it; by the variable that
# tells that there is one. JOB_ID alone may be anybody's.
_JOB_VARIABLES = {
    "SLURM_JOB_ID": (
        "SLURM_CLUSTER_NAME", "SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT",
    ),
    "PBS_JOBID": ("PBS_JOBID", "PBS_ARRAY_INDEX"),
    "LSB_JOBID": ("LSB_JOBID", "LSB_JOBINDEX"),
    "SGE_TASK_ID": ("JOB_ID", "SGE_TASK_ID"),
}  # fmt: skip
_USER_VARIABLES = ("LOGNAME", "USER", "LNAME", "USERNAME")
# Not LANG, nor anything that begins with GIT_ or PYTHON.
_PROGRAM_VARIABLES = (
    "PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SUDO_UID",
    "SYSTEMROOT", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "PROGRAMDATA", "TEMP", "TMP",
)  # fmt: skip
# NO_COLOR and FORCE_COLOR: no-color.org and force-color.org.
_TERMINAL_VARIABLES = ("COLUMNS", "LINES", "TERM", "NO_COLOR", "FORCE_COLOR", "WT_SESSION", "ANSICON")


def runs_dir(argument: Union[str, os.PathLike[str], None] = None) -> Union[str, os.PathLike[str]]:
    """Return the store's folder as it was given.

    Args:
        argument: None: ``MINI_MLFLOW_DIR``, else ``MLFLOW_TRACKING_URI`` where that names files, else ``mlruns``.

    Raises:
        InvalidValueError: It is no path of a folder.
    """
    if argument is None:
        argument = os.environ.get("MINI_MLFLOW_DIR") or _tracking_folder() or DEFAULT_RUNS_DIR
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


def folder_of_uri(uri: Union[str, os.PathLike[str]]) -> Union[str, os.PathLike[str]]:
    """Return the folder that a tracking URI names: that of a ``file:`` URI, decoded; a path is its own.

    ``mini:`` stands for ``file:``: so MLflow calls stores of ours.

    Raises:
        InvalidValueError: It names something else than files.
    """
    scheme, rest = _split_uri(uri)
    if not scheme:
        return runs_dir(uri)
    if scheme not in ("file", "mini"):
        message = (
            "The tracking URI must be a folder or a file: URI, got %r. Runs are kept as files: give a path such as "
            "'/data/mlruns'. What shall go to an MLflow server or database goes on with MLflow itself; a script for "
            "MLflow logs into a folder with 'from mini_mlflow.compat import mlflow'."
        )
        raise InvalidValueError(message % uri, value=uri)
    return runs_dir(decode_file_uri(rest, is_windows=os.name == "nt"))


def decode_file_uri(rest: str, *, is_windows: bool) -> str:
    """Return the path that stands in a ``file:`` URI (RFC 8089).

    Args:
        rest: What follows the ``file:``.
        is_windows: Whether drives and shares may be named.

    Raises:
        InvalidValueError: It names another machine, or has a query or fragment.
    """
    host, path = "", rest
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        path = slash + path
    if "?" in path or "#" in path:
        message = "A file: URI has '?' and '#' as %%3F and %%23, got %r. Or give the path as it is."
        raise InvalidValueError(message % rest, value=rest)
    path = os.fsdecode(
        re.sub(
            rb"%([0-9A-Fa-f]{2})",
            lambda match: bytes([int(match.group(1), 16)]),
            path.encode("utf-8", "surrogateescape"),
        )
    )
    if is_windows and re.fullmatch(r"[A-Za-z][:|]", host):
        host, path = "", "/" + host + path  # file://C:/runs, which many write
    if host.lower() not in ("", "localhost"):
        if not is_windows:
            message = "The file: URI names the machine %r; only folders of this one can be. Write file:///data/mlruns."
            raise InvalidValueError(message % host, value=rest)
        return "\\\\" + host + path.replace("/", "\\")
    if is_windows and re.match(r"/[A-Za-z][:|]", path):
        path = path[1] + ":" + path[3:]
    return path


def experiment_name() -> Optional[str]:
    """Return the name of the experiment that new runs go to, from ``MLFLOW_EXPERIMENT_NAME``, None where it is not set.

    This variable and the two that follow are not heard where ``MLFLOW_TRACKING_URI`` names a server or a database:
    what they name lies there.
    """
    return _mlflow_setting("MLFLOW_EXPERIMENT_NAME")


def experiment_id() -> Optional[str]:
    """Return the id of the experiment that new runs go to, from ``MLFLOW_EXPERIMENT_ID``, None where it is not set."""
    return _mlflow_setting("MLFLOW_EXPERIMENT_ID")


def run_id() -> Optional[str]:
    """Return the run that is to be continued, from ``MLFLOW_RUN_ID``, None where it is not set."""
    return _mlflow_setting("MLFLOW_RUN_ID")


def _mlflow_setting(name: str) -> Optional[str]:
    value = os.environ.get(name)
    if not value or (os.environ.get("MLFLOW_TRACKING_URI") and _tracking_folder() is None):
        return None
    return value


def _tracking_folder() -> Union[str, os.PathLike[str], None]:
    """Return the folder that ``MLFLOW_TRACKING_URI`` names, None where it names none."""
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        return None
    try:
        return folder_of_uri(uri)
    except InvalidValueError:
        return None  # a server or a database: MLflow's to use


def _split_uri(uri: object) -> Tuple[str, str]:
    """Return the scheme of a tracking URI and what follows; a path has none, also with the drive of Windows."""
    if not isinstance(uri, str):
        return "", ""
    if re.fullmatch(r"databricks(-uc)?|uc", uri):
        return uri, ""  # so MLflow calls these without anything that follows
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", uri)
    return (match.group(1).lower(), uri[match.end() :]) if match else ("", uri)


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
    return _seconds("MINI_MLFLOW_FSYNC", text, "end")


def job_ids() -> Dict[str, str]:
    """Return what the scheduler says of this job: the variables that are set of the first scheduler that has one."""
    for sign, names in _JOB_VARIABLES.items():
        if sign in os.environ:
            return {name: os.environ[name] for name in names if name in os.environ}
    if "KUBERNETES_SERVICE_HOST" in os.environ and "HOSTNAME" in os.environ:
        return {"KUBERNETES_POD": os.environ["HOSTNAME"]}  # a container's host name is its pod's
    return {}


def user_name() -> Optional[str]:
    """Return the user as the environment names it, None where it does not."""
    return next((os.environ[name] for name in _USER_VARIABLES if os.environ.get(name)), None)


def notebook() -> Optional[str]:
    """Return the path of the notebook that Jupyter runs this process for, None where it tells none."""
    return os.environ.get("JPY_SESSION_NAME") or None


def processor() -> str:
    """Return the kind of processor as Windows names it."""
    return os.environ.get("PROCESSOR_ARCHITECTURE", "")


def program_environment() -> Dict[str, str]:
    """Return what of the environment a program of ours may know: where things lie, and nothing that steers it."""
    return {name: os.environ[name] for name in _PROGRAM_VARIABLES if name in os.environ}


def temporary_folder() -> str:
    """Return where files may lie that are needed for a moment."""
    found = next((os.environ[name] for name in ("TMPDIR", "TEMP", "TMP") if os.environ.get(name)), "/tmp")
    return os.path.abspath(found)


def cache_folder() -> Optional[str]:
    """Return where this user's programs keep what can be made anew, None where that is not to be found out.

    ``XDG_CACHE_HOME`` where it is a full path, else what is usual on this system.
    """
    given = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(given) and "\0" not in given:
        return given
    if os.name == "nt":
        found = os.environ.get("LOCALAPPDATA", "")
    else:
        found = os.path.join(os.path.expanduser("~"), ".cache")
    return found if os.path.isabs(found) else None


def host_name() -> str:
    """Return this machine's name."""
    if hasattr(os, "uname"):
        return os.uname().nodename
    return os.environ.get("COMPUTERNAME", "windows")


def package_version() -> str:
    """Return the version of this package, which is loaded as a whole whenever this is called."""
    return str(sys.modules[str(__package__)].__version__)


def is_provenance_wanted() -> bool:
    """Tell whether a run notes where it comes from: unless ``MINI_MLFLOW_PROVENANCE`` is ``off``.

    Raises:
        InvalidValueError: The variable holds something else than ``on`` or ``off``.
    """
    return _switch("MINI_MLFLOW_PROVENANCE", default=True)


def is_masking_wanted() -> bool:
    """Tell whether what looks like a secret is written as ``***``: unless ``MINI_MLFLOW_MASK`` is ``off``.

    Raises:
        InvalidValueError: The variable holds something else than ``on`` or ``off``.
    """
    return _switch("MINI_MLFLOW_MASK", default=True)


def is_console_wanted() -> bool:
    """Tell whether a run keeps what the process prints: where ``MINI_MLFLOW_CONSOLE`` is ``on``.

    Raises:
        InvalidValueError: The variable holds something else than ``on`` or ``off``.
    """
    return _switch("MINI_MLFLOW_CONSOLE", default=False)


def is_progress_wanted() -> bool:
    """Tell whether what takes long shows on a terminal how far it is: unless ``MINI_MLFLOW_PROGRESS`` is ``off``.

    Raises:
        InvalidValueError: The variable holds something else than ``on`` or ``off``.
    """
    return _switch("MINI_MLFLOW_PROGRESS", default=True)


def check_switches() -> None:
    """Refuse, when a run starts, what would be refused later, in the middle of a training.

    Raises:
        InvalidValueError: A variable that is asked for later holds something else than ``on`` or ``off``.
    """
    is_masking_wanted()
    is_progress_wanted()


def _switch(name: str, *, default: bool) -> bool:
    text = os.environ.get(name, "").strip().lower()
    if text in ("on", "1", "true", "yes"):
        return True
    if text in ("off", "0", "false", "no"):
        return False
    if text:
        raise InvalidValueError("%s must be 'on' or 'off', got %r." % (name, text), value=text)
    return default


def system_metrics_interval_s() -> Optional[float]:
    """Return how often a run logs the use of the machine, from ``MINI_MLFLOW_SYSTEM_METRICS``.

    ``off`` (the default): never: None. ``on``: as often as is usual: 0. A number: seconds between.

    Raises:
        InvalidValueError: The variable holds something else.
    """
    text = os.environ.get("MINI_MLFLOW_SYSTEM_METRICS", "off").strip().lower()
    if text in ("off", "", "0", "false", "no"):
        return None
    if text in ("on", "true", "yes"):
        return 0.0
    return _seconds("MINI_MLFLOW_SYSTEM_METRICS", text, "on")


def _seconds(name: str, text: str, word: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not seconds > 0:
        message = "%s must be %r, 'off' or a number of seconds above 0, got %r."
        raise InvalidValueError(message % (name, word, text), value=text)
    return seconds


def is_mlflow_system_metrics_wanted() -> bool:
    """Tell whether runs of MLflow's API log the use of the machine, from ``MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING``."""
    return os.environ.get(MLFLOW_SYSTEM_METRICS, "").strip().lower() in ("true", "1")


def mlflow_system_metrics_interval_s() -> Optional[float]:
    """Return how often they do, from ``MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL``; None where it tells no seconds."""
    try:
        return float(os.environ.get(MLFLOW_SYSTEM_METRICS_INTERVAL, ""))
    except ValueError:
        return None


def terminal() -> Dict[str, str]:
    """Return what the environment says of the terminal and of what is shown on it; what is not set is left out."""
    return {name: os.environ[name] for name in _TERMINAL_VARIABLES if os.environ.get(name)}


def is_debug_wanted() -> bool:
    """Tell whether the command line shows where an error came from: where ``MINI_MLFLOW_DEBUG`` is ``on``.

    Raises:
        InvalidValueError: The variable holds something else than ``on`` or ``off``.
    """
    return _switch("MINI_MLFLOW_DEBUG", default=False)


def editor() -> str:
    """Return the command of the user's editor, from ``VISUAL`` or ``EDITOR``, else one that this system has."""
    usual = "notepad" if os.name == "nt" else "vi"
    return os.environ.get("VISUAL") or os.environ.get("EDITOR") or usual


def has_display() -> bool:
    """Tell whether a browser that is started here would be seen: not on a machine that one is only logged in to."""
    if os.name == "nt" or (hasattr(os, "uname") and os.uname().sysname == "Darwin"):
        return "SSH_CONNECTION" not in os.environ
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
