"""Where does a command that is about to be started come from: which script is it, and where does its code lie?"""

from __future__ import annotations

import os

from . import provenance
from .probe import is_python

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Tuple

_SCRIPTS = (".py", ".pyw", ".ipynb", ".sh", ".bash", ".zsh", ".r", ".jl", ".pl", ".lua", ".js", ".ts", ".rb", ".m")
_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")  # options of Python's


def stand_for_command(command: List[str]) -> None:
    """Let the runs of this process come from a command; see ``provenance.stand_for``.

    Args:
        command: The program and its arguments.
    """
    provenance.stand_for(command, *find_entry(command))


def find_entry(command: List[str]) -> Tuple[str, Optional[str]]:
    """Return what a command starts, and the folder that its code lies in.

    The script that Python or another interpreter is given, ``-m <module>`` or ``-c``; else the program as it is called.
    A launcher such as ``torchrun`` or ``uv run`` is seen through: the first argument counts that is a script's file.
    """
    program, *arguments = command
    if is_python(program):
        found = _entry_of_python(arguments)
        if found is not None:
            return found
    for word in arguments:
        if word.lower().endswith(_SCRIPTS) and os.path.isfile(word):
            path = os.path.abspath(word)
            return path, os.path.dirname(path)
    if os.path.dirname(program):
        path = os.path.abspath(program)
        return path, os.path.dirname(path)
    return program, _current_folder()


def _entry_of_python(arguments: List[str]) -> Optional[Tuple[str, Optional[str]]]:
    """Return what Python's own arguments start, None where none of them says."""
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word in _WITH_VALUE:
            waiting = waiting[1:]
        elif word[:1] == "-" and word[:2] != "--" and len(word) > 1:
            letters = word[1:]
            if letters[0] in "WX":
                continue
            place = min((letters.index(each) for each in "cm" if each in letters), default=-1)
            if place < 0:
                continue
            if letters[place] == "c":
                return "-c", _current_folder()
            module = letters[place + 1 :] or (waiting[0] if waiting else "")
            return "-m " + module, _current_folder()
        elif word[:2] != "--":
            if word == "-":
                return "interactive", _current_folder()
            path = os.path.abspath(word)
            return path, path if os.path.isdir(path) else os.path.dirname(path)
    return None


def _current_folder() -> Optional[str]:
    try:
        return os.getcwd()
    except OSError:
        return None  # it was removed
