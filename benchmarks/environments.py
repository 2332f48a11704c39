"""Where does each tracker's own virtual environment come from?"""

import hashlib
import json
import os
import shutil
import subprocess
import sys

from peers import ROOT

FOLDER = os.path.join(ROOT, "benchmarks", ".venvs")
_NOT_COMPILED = " without bytecode"


class NotInstalledError(Exception):
    """A peer could not be installed; the message is one line that says why."""


def prepare(peer, folder=FOLDER, *, is_compiled=True):
    """Make the environment of *peer* where it is missing or out of date, and return its Python.

    Args:
        peer: The tracker.
        folder: Where the environments lie.
        is_compiled: Whether its bytecode has to be there, as it is for users: else the first import makes it. What it
            takes to compile a large package is half of its installation.

    Raises:
        NotInstalledError: It could not be made.
    """
    home = os.path.join(folder, peer.environment)
    python = os.path.join(home, "Scripts" if os.name == "nt" else "bin", "python")
    stamp = os.path.join(home, "set-up-complete")
    wanted = _fingerprint(peer)
    try:
        with open(stamp, encoding="utf-8") as file:
            found = file.read()
        if found in ([wanted] if is_compiled else [wanted, wanted + _NOT_COMPILED]) and os.path.exists(python):
            return python
    except OSError:
        pass
    shutil.rmtree(home, ignore_errors=True)
    os.makedirs(folder, exist_ok=True)
    _call([sys.executable, "-m", "venv", home])
    requirements = [ROOT + name[1:] if _is_ours(name) else name for name in peer.requirements]
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "install"]
    _call([*pip, *([] if is_compiled else ["--no-compile"]), *requirements])
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(wanted + ("" if is_compiled else _NOT_COMPILED))
    return python


def versions(peer, python):
    """Return the version of each package that *peer* asked for, by name."""
    names = ["mini-mlflow" if _is_ours(name) else name.split("=")[0].split("<")[0] for name in peer.requirements]
    code = (
        "import json, sys\n"
        "try: from importlib.metadata import version\n"
        "except ImportError:\n"
        "    from pkg_resources import get_distribution\n"
        "    version = lambda name: get_distribution(name).version\n"
        "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
    )
    return json.loads(subprocess.check_output([python, "-c", code, *names]).decode())


def _call(command):
    result = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if result.returncode:
        lines = [line.strip() for line in result.stdout.decode("utf-8", "replace").splitlines()]
        errors = [line for line in lines if line.lower().startswith("error")] or lines or ["no output"]
        raise NotInstalledError(errors[-1])


def _is_ours(requirement):
    """Tell whether a requirement is this checkout, with or without an extra: ``.[ui]``."""
    return requirement.split("[")[0] == "."


def _fingerprint(peer):
    """Return what the environment depends on: for this checkout, all that gets installed of it."""
    parts = [sys.version, ROOT, *peer.requirements]
    if any(map(_is_ours, peer.requirements)):
        for path in _sources():
            with open(path, "rb") as file:
                parts.append(path + hashlib.sha256(file.read()).hexdigest())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _sources():
    yield os.path.join(ROOT, "pyproject.toml")
    for folder, folders, names in os.walk(os.path.join(ROOT, "src")):
        folders.sort()
        for name in sorted(names):
            if not name.endswith(".pyc"):
                yield os.path.join(folder, name)
