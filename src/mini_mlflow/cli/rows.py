"""Which runs did the last ``ls`` in this terminal number, for this store?"""

from __future__ import annotations

import json
import os
import sys
from time import time

from ..index import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    Row = Tuple[str, str]

MOST = 999  # a number from 1000 on is no row
_ENDING = ".rows"
_OLD_S = 30 * 86400
_LARGEST = 4 << 20


def is_terminal_here() -> bool:
    """Tell whether this process belongs to a terminal, so that rows are remembered."""
    return _terminal() is not None


def remember(
    store: str, rows: Optional[Sequence[Row]] = None, groups: Optional[Sequence[Sequence[Row]]] = None
) -> None:
    """Note what the numbers of a table mean; nothing where there is no terminal, or no cache.

    Args:
        store: The store.
        rows: Experiment and run of row 1, 2 and so on; None: as they were.
        groups: Those of group g1, g2 and so on; None: as they were.
    """
    path = _path(store)
    if path is None:
        return
    noted = _read(path)
    if rows is not None:
        noted["rows"] = [list(row) for row in rows[:MOST]]
    if groups is not None:
        noted["groups"] = [[list(row) for row in group] for group in groups[:MOST]]
    temporary = "%s.%d" % (path, os.getpid())
    try:
        if not os.path.exists(path):
            _remove_old(os.path.dirname(path))
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            json.dump(noted, file)
        os.replace(temporary, path)
    except OSError:  # what numbers mean is a comfort
        try:
            os.remove(temporary)
        except OSError:
            pass


def recall(store: str) -> Tuple[List[Row], List[List[Row]]]:
    """Return the runs of the rows and of the groups, as experiment and run; empty where none are remembered."""
    path = _path(store)
    noted = {} if path is None else _read(path)
    try:
        rows = [(str(experiment), str(run)) for experiment, run in noted.get("rows", ())]
        groups = [[(str(experiment), str(run)) for experiment, run in group] for group in noted.get("groups", ())]
    except (TypeError, ValueError):
        return [], []
    return rows, groups


def _read(path: str) -> Dict[str, Any]:
    try:
        with open(path, encoding="ascii") as file:
            noted = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _path(store: str) -> Optional[str]:
    """Return the file for this terminal and store, None where there is none to be had."""
    terminal = _terminal()
    index = None if terminal is None else place.find_place(store)
    if terminal is None or index is None:
        return None
    from hashlib import sha256

    name = sha256(terminal.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return os.path.splitext(index)[0] + "-" + name + _ENDING


def _terminal() -> Optional[str]:
    """Return what tells this terminal from others, also from a later one of the same name."""
    for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        try:
            if stream is None or not os.isatty(stream.fileno()):
                continue
            if not hasattr(os, "ttyname"):
                return "%d" % os.getppid()
            return "%s %d" % (os.ttyname(stream.fileno()), os.getsid(0))
        except (OSError, ValueError, AttributeError):
            continue
    return None


def _remove_old(folder: str) -> None:
    with os.scandir(folder) as found:
        for each in found:
            if each.name.endswith(_ENDING) and each.stat(follow_symlinks=False).st_mtime < time() - _OLD_S:
                os.remove(each.path)
