"""How far has a run come: which step did it log last, of any of its metrics?

The ends of its files tell, without the histories. Those of the machine's use are left out: they count samples.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from itertools import islice

from ... import layout
from ...errors import BrokenFileError
from ...store import folders, metric_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, List, Optional, Tuple

NAME = "last_step"  # as ``attributes.last_step`` in an order or a column
_MACHINE = "system/"  # what metrics of the machine's use begin with
_STEM_OF_MACHINE = layout.plain_stem(_MACHINE)
_MOST_FILES = 200  # of one run
_MOST_KEPT = 200000


class LastSteps:
    """The last steps of runs; those of runs that have ended are kept."""

    def __init__(self) -> None:
        """Know none yet."""
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Tuple[Any, Optional[int]]] = OrderedDict()

    def of(self, folder: str, status: Optional[str], end_ms: Optional[int], keys: Iterable[str] = ()) -> Optional[int]:
        """Return the last step of a run, None where nothing tells.

        Args:
            folder: Where it lies.
            status: How it stands: while it is ``RUNNING`` it is looked at each time.
            end_ms: When it ended; a run that was gone on with since is looked at again.
            keys: Its metrics, for stores whose files are not called as ours are.
        """
        state = status, end_ms
        with self._lock:
            kept = self._kept.get(folder)
        if kept is not None and kept[0] == state and status != "RUNNING":
            return kept[1]
        step = _read(folder, keys)
        with self._lock:
            self._kept[folder] = state, step
            self._kept.move_to_end(folder)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return step

    def forget(self, folder: str) -> None:
        """Let go of a run: it was deleted, or brought back."""
        with self._lock:
            self._kept.pop(folder, None)


def _read(folder: str, keys: Iterable[str]) -> Optional[int]:
    parts = [part.folder for part in folders.list_parts(folder)]
    paths: List[str] = []
    for part in parts:
        try:
            documents = list(islice(folders.iter_documents(part, layout.METRICS), 10 * _MOST_FILES))
        except OSError:
            continue
        paths += [path for stem, path in documents if not stem.startswith(_STEM_OF_MACHINE)][:_MOST_FILES]
    if not paths:
        for key in islice((key for key in keys if not key.startswith(_MACHINE)), _MOST_FILES):
            paths += [path for part in parts for path in folders.find_documents(part, layout.METRICS, key)]
    return last_of(paths)


def last_of(paths: Iterable[str]) -> Optional[int]:
    """Return the greatest step of the newest rows of some metrics' files; None where they do not tell."""
    steps = []
    for path in paths:
        try:
            row = metric_file.read_latest(path)[1]
        except (OSError, BrokenFileError):
            continue
        if row is not None:
            steps.append(row.step)
    return max(steps, default=None)
