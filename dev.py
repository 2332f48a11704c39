#!/usr/bin/env python3
"""Run what a developer of this project needs, with nothing installed but Python."""

import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import IO, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

HELP = """\
usage: python3 dev.py COMMAND [arguments]

  demo              train a small model, log every run, show the table of runs
  test [arguments]  run the tests; arguments go to pytest (-k NAME, -x, a path)
  libraries [arguments] run the tests beside real packages: pydantic, matplotlib, MLflow ...
  page [arguments]  run the tests of the page, its server and what a browser shows
  faults [arguments] test faults, kills and crowds at full length, for half an hour
  lint [arguments]  check the style with ruff
  types [arguments] check the types with mypy
  python ARGUMENTS  run the Python of the test environment

The first call makes a virtual environment under .venv/ and installs what the
command needs; later calls start at once. To start afresh, delete .venv/.
"""

ROOT = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENTS = os.path.join(ROOT, ".venv")
STAMP = "set-up-complete"
OLDEST = (3, 7)
# The first pip that installs a project in place from pyproject.toml alone.
OLDEST_PIP = (21, 3)
# What pip and the environments themselves are built with; some systems package them apart from Python.
NEEDED_MODULES = ("venv", "ensurepip", "zlib", "_ssl")


class SetUpError(Exception):
    """A piece is missing. The message is one line that says what to do."""


class Command(NamedTuple):
    """What one command needs: an extra of pyproject.toml, a Python, and the function that runs it."""

    extra: str
    oldest: Tuple[int, int]
    run: Callable[[str, List[str]], int]


def main(arguments: List[str]) -> int:
    """Run the command named by the first argument and return its exit status."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if arguments[0] not in COMMANDS:
        return complain("no command {!r}; there are {}.".format(arguments[0], ", ".join(COMMANDS)), status=2)
    command = COMMANDS[arguments[0]]
    try:
        check_python(arguments[0], command.oldest, sys.version_info[:2])
        with environment(command.extra) as python:
            return command.run(python, arguments[1:])
    except SetUpError as error:
        return complain(str(error))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def complain(message: str, status: int = 1) -> int:
    """Say *message* on the error stream, as one line, and return *status*."""
    print("dev.py: " + " ".join(message.split()), file=sys.stderr)
    return status


def check_python(name: str, oldest: Tuple[int, ...], version: Tuple[int, ...]) -> None:
    """Refuse a Python that is older than the command *name* can use."""
    oldest = max(oldest, OLDEST)
    if version < oldest:
        raise SetUpError(
            f"{name} needs Python {dotted(oldest)} or newer, and this is {dotted(version)} ({sys.executable}). "
            "Start dev.py with a newer one, such as python3.12."
        )


def dotted(version: Sequence[int]) -> str:
    """Write a version as text."""
    return ".".join(str(part) for part in version)


# The environments ------------------------------------------------------------------------------------------------


@contextmanager
def environment(extra: str) -> Iterator[str]:
    """Make the environment for *extra* where it is missing or out of date, and lend its Python.

    Of several that start together one makes it and the others wait; nobody makes it anew while somebody uses it.
    """
    folder = os.path.join(ENVIRONMENTS, environment_name(extra))
    python = environment_python(folder)
    wanted = fingerprint(extra)
    if not is_ready(folder, python, wanted):
        check_modules()
    try:
        os.makedirs(ENVIRONMENTS, exist_ok=True)
        lock = open(folder + ".lock", "ab", buffering=0)  # noqa: SIM115 - closed by the `with` below
    except OSError as error:
        if not is_ready(folder, python, wanted):
            raise cannot_be_set_up(folder, error) from error
        yield python  # on a disk that only reads, nobody makes it anew
        return
    waiting = f"Waiting for another dev.py, which sets up or uses {os.path.relpath(folder, ROOT)} ..."
    with lock:
        share(lock, waiting)
        while not is_ready(folder, python, wanted):
            hold(lock, waiting)
            if not is_ready(folder, python, wanted):
                make(folder, python, extra, wanted)
            share(lock, waiting)
        yield python


def is_ready(folder: str, python: str, wanted: str) -> bool:
    """Tell whether an environment is complete and was made for the project as it is."""
    return os.path.exists(python) and read_text(os.path.join(folder, STAMP)) == wanted


def make(folder: str, python: str, extra: str, wanted: str) -> None:
    """Make an environment from nothing."""
    print(f"Setting up {os.path.relpath(folder, ROOT)} (this once; it takes a minute or two) ...", flush=True)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        build(folder, python, extra)
        with open(os.path.join(folder, STAMP), "w", encoding="utf-8") as file:
            file.write(wanted)
    except OSError as error:
        raise cannot_be_set_up(folder, error) from error


def cannot_be_set_up(folder: str, error: OSError) -> SetUpError:
    """Return the error for a folder that refuses."""
    return SetUpError(f"{folder} cannot be set up: {error}. Free or unlock it, or delete it.")


if sys.platform == "win32":

    def share(lock: "IO[bytes]", waiting: str) -> None:
        """Let others use the environment too: Windows has no shared lock, and keeps files that are in use anyway."""
        lock.seek(0)
        try:
            msvcrt.locking(lock.fileno(), msvcrt.LK_UNLCK, 1)  # it is ours after hold()
        except OSError:
            hold(lock, waiting)
            lock.seek(0)
            msvcrt.locking(lock.fileno(), msvcrt.LK_UNLCK, 1)

    def hold(lock: "IO[bytes]", waiting: str) -> None:
        """Lock *lock* for this process alone; say *waiting* where that takes a while."""
        while True:
            try:
                lock.seek(0)
                return msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)  # gives up after 10 seconds
            except OSError:
                print(waiting, flush=True)

else:

    def share(lock: "IO[bytes]", waiting: str) -> None:
        """Lock *lock* together with all who use the environment."""
        acquire(lock, fcntl.LOCK_SH, waiting)

    def hold(lock: "IO[bytes]", waiting: str) -> None:
        """Lock *lock* for this process alone; say *waiting* where that takes a while."""
        acquire(lock, fcntl.LOCK_EX, waiting)

    def acquire(lock: "IO[bytes]", kind: int, waiting: str) -> None:
        """Lock *lock* as *kind* says; on a disk without locks, go on without."""
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            print(waiting, flush=True)
            fcntl.flock(lock, kind)
        except OSError:
            pass


def environment_name(extra: str) -> str:
    """Name the environment, so that interpreters and systems which share this folder do not share it."""
    interpreter = sys.implementation.name + dotted(sys.version_info[:3]) + getattr(sys, "abiflags", "")
    return f"{interpreter}-{sys.platform}-{extra}"


def environment_python(folder: str) -> str:
    """Return where an environment in *folder* has its Python."""
    return os.path.join(folder, "Scripts", "python.exe") if os.name == "nt" else os.path.join(folder, "bin", "python")


def fingerprint(extra: str) -> str:
    """Return what an environment depends on, shortened: it is made again when this changes."""
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        project = file.read()
    return hashlib.sha256(f"{ROOT}\x00{sys.version}\x00{extra}\x00".encode() + project).hexdigest()


def read_text(path: str) -> Optional[str]:
    """Return the text of a file, or None where it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError):
        return None


def check_modules() -> None:
    """Refuse a Python without the modules that make an environment, and say how to get them."""
    missing = [name for name in NEEDED_MODULES if importlib.util.find_spec(name) is None]
    if not missing:
        return
    version = dotted(sys.version_info[:2])
    if shutil.which("apt-get") and set(missing) <= {"venv", "ensurepip"}:
        cure = f"Install it with: sudo apt-get install python{version}-venv"
    else:
        cure = "Install a complete Python, for example from https://www.python.org/downloads/, and use that one."
    modules = " and ".join(missing)
    raise SetUpError(f"this Python ({version}, {sys.executable}) comes without its module {modules}. {cure}")


def build(folder: str, python: str, extra: str) -> None:
    """Make the environment in *folder* and install the project in place, with *extra*."""
    log = folder + ".log"
    set_up([sys.executable, "-m", "venv", folder], log)
    # Named piece by piece: a build from source of these would take an hour, and mostly fail.
    ready_made = ["--only-binary", "numpy,scipy,scikit-learn"]
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    if pip_version(python) < OLDEST_PIP:
        set_up([*pip, "--upgrade", "pip>=" + dotted(OLDEST_PIP)], log)
    # Compiled when first imported: of large packages most modules never are.
    set_up([*pip, "--no-compile", *ready_made, "--editable", f"{ROOT}[{extra}]"], log)


def pip_version(python: str) -> Tuple[int, ...]:
    """Return the version of the pip beside *python*."""
    found = subprocess.run([python, "-m", "pip", "--version"], stdout=subprocess.PIPE, check=False, env=clean_environ())
    match = re.match(rb"pip (\d+)\.(\d+)", found.stdout)
    return tuple(int(part) for part in match.groups()) if match else (0, 0)


def set_up(command: List[str], log: str) -> None:
    """Run one step quietly, with its output in the file *log*; where it fails, say why in one line."""
    with open(log, "wb") as file:
        status = subprocess.call(
            command, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=clean_environ()
        )
    if status:
        with open(log, encoding="utf-8", errors="replace") as file:
            output = file.read()
        raise SetUpError(f"{explain(output)} (Full output: {log})")
    os.unlink(log)


def explain(output: str) -> str:
    """Turn the output of a failed step into one sentence on what to do."""
    for signs, advice in CAUSES:
        if any(sign in output for sign in signs):
            return advice
    version = dotted(sys.version_info[:3])
    missing = re.findall(r"No matching distribution found for (\S+)", output)
    if missing:
        return (
            f"pip finds no {missing[-1]} for Python {version}: check the network and pip's settings (pip config list), "
            "or use another Python, such as 3.12."
        )
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"\w*error: \S", line, re.IGNORECASE)] or lines or ["no output at all"]
    return f"the environment could not be made; the tool says: {errors[-1]}"


CAUSES = (
    (
        ("CERTIFICATE_VERIFY_FAILED", "SSLCertVerificationError"),
        "the package index's certificate is not trusted here: behind a company proxy, set PIP_CERT to its certificate.",
    ),
    (
        ("No space left on device", "Errno 28"),
        "the disk is full: free about 1 GB and start again.",
    ),
    (
        (
            "Failed to establish a new connection",
            "Temporary failure in name resolution",
            "getaddrinfo failed",
            "Network is unreachable",
            "Connection refused",
            "ConnectTimeoutError",
            "Read timed out",
            "ReadTimeoutError",
            "ProxyError",
            "RemoteDisconnected",
        ),
        "no network: packages could not be downloaded. Connect, or set PIP_INDEX_URL or HTTPS_PROXY, and start again.",
    ),
)


# The commands ----------------------------------------------------------------------------------------------------


def run_demo(python: str, arguments: List[str]) -> int:
    """Run the demo; its runs go to mlruns/ of this folder."""
    script = os.path.join(ROOT, "examples", "digits_sweep.py")
    return run_child([python, script, "--runs-dir", os.path.join(ROOT, "mlruns"), *arguments])


def run_tests(python: str, arguments: List[str], paths: Sequence[str] = (), spare: int = 1) -> int:
    """Run pytest from the project's root; paths among the arguments may be relative to the current folder.

    Where nothing is chosen, the tests run in several processes: *spare* more than there are cores, 4 at most, as tests
    wait for other processes and for the disk.
    """
    workers = [] if set(arguments) - {"-q", "-v"} else ["-n", str(min(4, (os.cpu_count() or 1) + spare))]
    return run_child([python, "-m", "pytest", *workers, *paths, *map(absolute_path, arguments)], cwd=ROOT)


FAULT_TESTS = tuple(os.path.join(ROOT, "tests", name) for name in ("faults", "processes"))


def run_faults(python: str, arguments: List[str]) -> int:
    """Run the tests of faults and of processes at full length; what the environment sets already holds."""
    os.environ.setdefault("FAULTS", "all")
    os.environ.setdefault("MINI_MLFLOW_TEST_KILLS", "10000")
    return run_tests(python, ["--timeout=7200", *FAULT_TESTS, *arguments])


def run_libraries(python: str, arguments: List[str]) -> int:
    """Run the tests that stand beside real packages; where one is missing they fail."""
    os.environ["MINI_MLFLOW_TEST_LIBRARIES"] = "1"
    return run_tests(python, arguments, [os.path.join(ROOT, "tests", "libraries")])


PAGE_TESTS = tuple(os.path.join(ROOT, "tests", name) for name in ("ui", "browser"))


def run_page(python: str, arguments: List[str]) -> int:
    """Run the tests of the page: of its server, and in a browser; where one is missing they fail."""
    os.environ["MINI_MLFLOW_TEST_PAGE"] = "1"
    named = any(os.path.exists(argument.partition("::")[0]) for argument in arguments)
    return run_tests(python, arguments, () if named else PAGE_TESTS, spare=0)  # a browser has processes of its own


def run_lint(python: str, arguments: List[str]) -> int:
    """Run ruff over the project."""
    return run_child([python, "-m", "ruff", "check", *map(absolute_path, arguments)], cwd=ROOT)


def run_types(python: str, arguments: List[str]) -> int:
    """Run mypy over the project."""
    return run_child([python, "-m", "mypy", *map(absolute_path, arguments)], cwd=ROOT)


def run_python(python: str, arguments: List[str]) -> int:
    """Run the environment's Python in the current folder."""
    return run_child([python, *arguments])


def absolute_path(argument: str) -> str:
    """Make an argument that names an existing file absolute, a pytest node id included."""
    path, separator, rest = argument.partition("::")
    return os.path.abspath(path) + separator + rest if path and os.path.exists(path) else argument


def run_child(command: List[str], cwd: Optional[str] = None) -> int:
    """Run *command* to its end and return its exit status; Ctrl-C is left to the child, which gets it too."""
    with subprocess.Popen(command, cwd=cwd, env=clean_environ()) as child:
        while True:
            try:
                status = child.wait()
                break
            except KeyboardInterrupt:
                continue
    return status if status >= 0 else 128 - status


def clean_environ() -> Dict[str, str]:
    """Return the environment without what would send packages or runs somewhere else.

    Nor without bytecode: tests start thousands of processes, and each would compile all that it imports again.
    """
    unwanted = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "MINI_MLFLOW_DIR")
    return {name: value for name, value in os.environ.items() if name not in unwanted}


COMMANDS: Dict[str, Command] = {
    "demo": Command("demo", (3, 9), run_demo),
    "test": Command("test", OLDEST, run_tests),
    "faults": Command("test", OLDEST, run_faults),
    "libraries": Command("libraries", (3, 10), run_libraries),
    "page": Command("page", (3, 10), run_page),
    "lint": Command("dev", OLDEST, run_lint),
    "types": Command("dev", (3, 10), run_types),
    "python": Command("test", OLDEST, run_python),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
