"""Where does a run come from: which command, program, machine, commit and packages?"""

from __future__ import annotations

import os
import sys
from time import monotonic
from types import ModuleType

from . import config, masking, repository
from .probe import Probe, ProbeResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

__all__ = ["Probe", "ProbeResult", "packages", "quick_fields", "start_probe"]

MOST_PACKAGES = 300
MAX_COMMAND_CHARACTERS = 32768
MAX_ARGUMENT_CHARACTERS = 4096
_MAX_VERSION_LENGTH = 100
_FRESH_S = 60.0  # how long an answer of git's counts where people change code while it runs
_SITES = ("site-packages", "dist-packages")


class _Known:
    """What this process has found out about itself already."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Know nothing."""
        self.fields: Dict[str, Any] = {}
        self.repository: Optional[repository.Repository] = None
        self.remote: Optional[str] = None  # masked
        self.probe: Optional[Probe] = None
        self.sites: Dict[str, Dict[str, str]] = {}
        self.modules: List[str] = []  # for which the packages were looked up last
        self.packages: Dict[str, str] = {}
        self.is_for_command = False


_known = _Known()


def quick_fields() -> Dict[str, Any]:
    """Return what can be said at once of where this process comes from, for meta.yaml.

    Returns:
        ``command`` (a list; secrets masked), ``entry`` (the script's or notebook's path, ``-m <module>``, ``-c``,
        ``notebook`` or ``interactive``), ``cwd``, ``user``, ``host``, ``python``, ``platform``, and where they are
        known ``jobs`` (the scheduler's ids), ``git_commit``, ``git_branch`` and ``git_remote`` of the repository that
        the entry script lies in; of the current folder's where there is no script.

    Starts no program and reads a few small files, the first time; later calls cost microseconds. In a notebook or at a
    prompt the repository is looked at each time.
    """
    if not _known.fields:
        _known.fields = {
            "command": _command(),
            "entry": _entry()[0],
            "user": _user(),
            "host": config.host_name(),
            "python": "%s %s" % (sys.implementation.name, sys.version.split()[0]),
            "platform": _platform(),
        }
        _look_at_repository(_entry()[1])
    elif _is_interactive():
        _look_at_repository(_entry()[1])
    fields = dict(_known.fields)
    fields["cwd"] = _current_folder()
    jobs = config.job_ids()
    if jobs:
        fields["jobs"] = jobs
    found = _known.repository
    if found is not None:
        fields.update(git_commit=found.commit, git_branch=found.branch, git_remote=_known.remote)
    return {name: value for name, value in fields.items() if value is not None}


def stand_for(command: List[str], entry: str, folder: Optional[str]) -> None:
    """Let the runs of this process come from a command that it starts, not from itself, from now on.

    Args:
        command: The program and its arguments, as they are.
        entry: What is started, as ``quick_fields`` has it.
        folder: Where its code lies, as an absolute path; None: not known.

    Which Python and packages a command has, nobody here knows; what git says of its code is asked.
    """
    _known.clear()
    _known.is_for_command = True
    _known.fields = {
        "command": _shown(command),
        "entry": entry,
        "user": _user(),
        "host": config.host_name(),
        "platform": _platform(),
    }
    _look_at_repository(folder)


def start_probe() -> Probe:
    """Let git be asked what has changed since the commit, in a process of its own; never waits for it.

    Returns:
        The same probe each time, as long as its answer holds: for ever in a script, for a minute in a notebook.
    """
    if not _known.fields:
        quick_fields()
    probe = _known.probe
    if probe is None or (_is_interactive() and monotonic() - probe.asked_at > _FRESH_S):
        probe = _known.probe = Probe(_known.repository)
    return probe


def packages() -> Dict[str, str]:
    """Return the versions of the packages that are imported by now, by their import names; at most 300.

    A version is the package's ``__version__``, else that in the name of its folder of metadata. What Python brings
    along is left out; nothing is imported, and no code of the packages runs.
    """
    if _known.is_for_command:
        return {}
    modules = list(sys.modules)
    if modules == _known.modules:
        return dict(_known.packages)  # a look at each of two thousand modules takes milliseconds
    found: Dict[str, str] = {}
    for name in sorted(name for name in modules if type(name) is str):
        module = sys.modules.get(name)
        # By its type: a lazy stand-in loads what it stands for when it is asked for its class.
        if "." in name or name.startswith("_") or not issubclass(type(module), ModuleType):
            continue
        about = object.__getattribute__(module, "__dict__")  # a lazy one would load itself
        file = about.get("__file__")
        if type(file) is not str or _is_of_python(name, file):
            continue
        version = about.get("__version__")
        if type(version) is not str:
            version = _installed_version(name, file)
        if version is not None and len(version) <= _MAX_VERSION_LENGTH and len(found) < MOST_PACKAGES:
            found[name] = version
    _known.modules, _known.packages = modules, found
    return dict(found)


def forget() -> None:
    """Know nothing, as in a fresh process: a forked child starts so."""
    if _known.probe is not None:
        _known.probe.forget()
    _known.clear()


def _look_at_repository(folder: Optional[str]) -> None:
    found = _known.repository = None if folder is None else repository.find(os.path.realpath(folder))
    _known.remote = None if found is None or found.remote is None else masking.mask_text(found.remote)


def _command() -> List[str]:
    """Return the command line that started this process, secrets masked and very long parts cut."""
    command: List[str] = list(getattr(sys, "orig_argv", ())) or _kernel_command()
    if not command:
        command = [sys.executable or "python", *getattr(sys, "argv", ())]
    return _shown(command)


def _shown(command: List[str]) -> List[str]:
    shown: List[str] = []
    room = MAX_COMMAND_CHARACTERS
    for argument in masking.mask_arguments(command):
        text = argument if len(argument) <= MAX_ARGUMENT_CHARACTERS else argument[:MAX_ARGUMENT_CHARACTERS] + "…"
        room -= len(text) + 1
        if room < 0:
            return [*shown, "…"]
        shown.append(text)
    return shown


def _kernel_command() -> List[str]:
    """Return the command line as Linux has it; Python before 3.10 keeps only what follows the script."""
    try:
        with open("/proc/self/cmdline", "rb") as file:
            return [os.fsdecode(part) for part in file.read(2 * MAX_COMMAND_CHARACTERS).split(b"\0")[:-1]]
    except OSError:
        return []


def _entry() -> Tuple[str, Optional[str]]:
    """Return what was started, and the folder that it lies in."""
    main = sys.modules.get("__main__")
    about: Dict[str, Any] = {} if main is None else object.__getattribute__(main, "__dict__")
    spec, file = about.get("__spec__"), about.get("__file__")
    if "ipykernel" in sys.modules and not file:
        notebook: Any = about.get("__vsc_ipynb_file__") or config.notebook()
        if type(notebook) is str and os.path.isabs(notebook) and os.path.isfile(notebook):
            return notebook, os.path.dirname(notebook)
        return "notebook", _current_folder()
    if type(file) is str and not file.startswith("<"):  # what comes through a pipe is <stdin>
        name = getattr(spec, "name", None)
        if name == "__main__":  # of a folder or an archive that was started by its path
            path = _started_path(os.path.dirname(file))
            return path, _folder_of(path)
        if name is None:
            path = _started_path(file)
            return path, _folder_of(path)
        module = name[: -len(".__main__")] if name.endswith(".__main__") else name
        return "-m " + module, _folder_of(os.path.abspath(file))
    if getattr(sys, "argv", [""])[:1] == ["-c"]:
        return "-c", _current_folder()
    return "interactive", _current_folder()


def _started_path(path: str) -> str:
    """Return the absolute path of what was started, or the one that was given if nothing tells where it lies."""
    here = os.path.abspath(path)
    # Python before 3.9 keeps a path as it was given, and the current folder may be another by now. Where Python looks
    # for what a script imports is absolute.
    if os.path.isabs(path) or os.path.dirname(os.path.realpath(here)) in sys.path:
        return here
    for folder in sys.path:
        there = os.path.join(folder, os.path.basename(path))
        if os.path.isabs(there) and os.path.isfile(there):
            return there
    return here if os.path.exists(here) else path


def _folder_of(path: str) -> Optional[str]:
    """Return where Python looks for what a script or folder imports, None where the path is only as it was given."""
    if not os.path.isabs(path):
        return None
    path = os.path.realpath(path)
    return path if os.path.isdir(path) else os.path.dirname(path)


def _is_interactive() -> bool:
    """Tell whether people change code while this process runs."""
    entry = _known.fields["entry"]
    return not _known.is_for_command and (entry in ("interactive", "notebook") or entry.endswith(".ipynb"))


def _current_folder() -> Optional[str]:
    try:
        return os.getcwd()
    except OSError:
        return None  # it was removed


def _user() -> Optional[str]:
    name = config.user_name()  # first: a look into the users' directory may ask another machine
    if name is None and hasattr(os, "getuid"):
        try:
            import pwd  # only Unix has it

            name = pwd.getpwuid(os.getuid()).pw_name
        except (ImportError, KeyError):
            name = str(os.getuid())
    return name


def _platform() -> str:
    if hasattr(os, "uname"):
        system = os.uname()
        return "%s-%s-%s" % (system.sysname, system.release, system.machine)
    version: Any = getattr(sys, "getwindowsversion", lambda: (0, 0, 0))()
    return "Windows-%d.%d.%d-%s" % (*version[:3], config.processor())


def _is_of_python(name: str, file: str) -> bool:
    """Tell whether a module came with Python itself."""
    if name in getattr(sys, "stdlib_module_names", ()):
        return True
    folder = os.path.join(os.path.dirname(os.__file__), "")
    return file.startswith(folder) and not file[len(folder) :].startswith(_SITES)


def _installed_version(name: str, file: str) -> Optional[str]:
    """Return the version that the folder of metadata beside a package tells, None where there is none."""
    site = os.path.dirname(file)
    if os.path.basename(file).startswith("__init__."):
        site = os.path.dirname(site)
    versions = _known.sites.get(site)
    if versions is None:
        versions = _known.sites[site] = _list_versions(site) if site.endswith(_SITES) else {}
    return versions.get(name.lower().replace("-", "_").replace(".", "_"))


def _list_versions(site: str) -> Dict[str, str]:
    try:
        names = os.listdir(site)
    except OSError:
        return {}
    versions = {}
    for name in sorted(names):
        base, _, ending = name.rpartition(".")
        if ending in ("dist-info", "egg-info") and "-" in base:
            package, version = base.split("-")[:2]
            versions[package.lower().replace(".", "_")] = version
    return versions


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget)
