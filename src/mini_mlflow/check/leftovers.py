"""What have kills left behind under temporary names?

Rules D1, D2, D5 and W4 of docs/format.md.
"""

from __future__ import annotations

import os

from ..store import mending
from .findings import WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .findings import Faults

LEFTOVER_S = 60.0  # the longest that a temporary name lives while its process does, and then some


def check_leftovers(folder: str, now: float, faults: Faults) -> None:
    """Tell of the temporary files that kills have left in one folder (rules D1, D2, D5, W4)."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not mending.is_leftover(entry.name) or entry.is_dir(follow_symlinks=False):
                    continue
                if is_old(entry.stat(follow_symlinks=False), now, LEFTOVER_S):
                    found.append(entry.name)
    except OSError:
        return  # there is none, or it is told elsewhere
    if found:
        text = "a kill has left it behind" if len(found) == 1 else "kills have left %d files like it here" % len(found)
        repair = "removes it: nothing acknowledged is in it" if len(found) == 1 else "removes them"
        path = os.path.join(folder, min(found))
        faults.add("D1", WARNING, path, text, repair, lambda: mending.sweep(folder, LEFTOVER_S))


def is_old(state: os.stat_result, now: float, age_s: float) -> bool:
    """Tell whether nothing has happened to a file for so long."""
    return now - max(state.st_mtime, state.st_ctime) > age_s
