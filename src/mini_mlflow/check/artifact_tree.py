"""Are the artifacts of a run such that all of them are read, here and on every disk that they are copied to?

Rules A1 to A3 of docs/format.md.
"""

from __future__ import annotations

import os

from .. import artifacts, layout
from ..artifact_names import check_artifact_path, find_fault
from ..artifact_sources import kind_of
from ..errors import InvalidArtifactPathError
from ..store import held_folder
from .findings import COLLISION, WARNING
from .leftovers import is_old

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Tuple

    from .findings import Faults

_LEFTOVER_S = 3600.0  # as artifacts.sweep has it
_DEEPEST = 400


def check_artifacts(run_folder: str, now: float, faults: Faults) -> None:
    """Look at the names and kinds of all that lies in ``artifacts/`` of a run; no content is read."""
    root = os.path.join(run_folder, layout.ARTIFACTS)
    waiting: List[Tuple[str, ...]] = [()]
    leftovers = 0
    while waiting:
        parts = waiting.pop()
        path = os.path.join(root, *parts)
        try:
            with held_folder.descend(root, parts) as folder:
                entries = folder.list_entries()
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno in held_folder.NO_FOLDER and not parts:
                faults.add("A3", WARNING, root, "is no folder of its own, so no artifact is read")
            elif error.errno not in held_folder.NO_FOLDER:
                faults.unreadable(path, error)
            continue
        taken: Dict[str, str] = {}
        for name, state in entries:
            if name.startswith(layout.TEMPORARY):
                leftovers += is_old(state, now, _LEFTOVER_S)
                continue
            _check_entry(os.path.join(path, name), parts, name, state, faults)
            first = taken.setdefault(layout.fold(name), name)
            if first != name:
                text = COLLISION
                faults.add("A1", WARNING, os.path.join(path, name), text % first)
            if held_folder.is_folder(state) and len(parts) < _DEEPEST:
                waiting.append((*parts, name))
    if leftovers:
        text = "copying or removing was killed %s: temporary names are left" % (
            "once" if leftovers == 1 else "%d times" % leftovers
        )
        faults.add("A2", WARNING, root, text, "removes them", lambda: artifacts.sweep(root, _LEFTOVER_S))


def _check_entry(path: str, parts: Tuple[str, ...], name: str, state: os.stat_result, faults: Faults) -> None:
    if held_folder.is_link(state):
        faults.add("A3", WARNING, path, "is a link, which is not followed: what it leads to is no artifact")
    elif not (held_folder.is_folder(state) or held_folder.is_file(state)):
        faults.add("A2", WARNING, path, "is %s, which readers pass over" % kind_of(state))
    else:
        fault = find_fault(name)
        if fault is None and len(path) > 1000:
            try:
                check_artifact_path("/".join((*parts, name)))
            except InvalidArtifactPathError as error:
                fault = error.reason
        if fault is not None:
            faults.add("A1", WARNING, path, "no function reaches it: %s" % fault)
