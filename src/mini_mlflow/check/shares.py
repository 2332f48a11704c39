"""Is the share of each writer of a run as it should be, and who says that he has written it?

Rules W2, W4, W6 to W8, W13, L3, D1 and D5 of docs/format.md.
"""

from __future__ import annotations

import os
import re
import stat

from .. import layout
from ..errors import BrokenFileError
from ..store import documents, mending, meta, owner
from ..store.names import KINDS
from .findings import ERROR, WARNING
from .keyed import list_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

    from .findings import Faults

_RECORD_BYTES = 2048
_HEIR = r"resume-(0|[1-9][0-9]{0,17})-[0-9a-f]{8}"
_HEIRS_MARK = r"\.resume-[0-9]+"
_JOINERS_MARK = r"\.joined-[0-9]+"


def check_writers(run_folder: str, faults: Faults) -> None:
    """Look at what lies in ``writers/`` of a run, but for what is in the shares themselves."""
    folder = os.path.join(run_folder, layout.WRITERS)
    if os.path.islink(folder):
        faults.add("W8", ERROR, folder, "is a link, which is not followed: what other processes logged is not read")
        return
    for name in list_names(folder, faults) or []:
        path = os.path.join(folder, name)
        if os.path.islink(path) and not name.startswith("."):
            faults.add("W8", ERROR, path, "is a link, and a link is no share: what it leads to is not read")
        elif re.fullmatch(_HEIRS_MARK, name) and (not _is_own_folder(path) or os.listdir(path)):
            faults.add("W6", WARNING, path, "should be an empty folder")
        elif re.fullmatch(_JOINERS_MARK, name):
            _check_told(path, faults)


def _is_own_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _check_told(folder: str, faults: Faults) -> None:
    """Look at what the first one who joined for its environment has told the owner (rule W13)."""
    if not _is_own_folder(folder):
        faults.add("W13", WARNING, folder, "should be a folder")
        return
    path = os.path.join(folder, layout.TOLD)
    try:
        if not isinstance(documents.decode_json(documents.read(path), path), dict):
            faults.add("W13", WARNING, path, "is no JSON object, so nothing of it gets into meta.yaml")
    except FileNotFoundError:
        return  # it has told nothing yet
    except (OSError, BrokenFileError) as error:
        faults.unreadable(path, error, "W13")


def check_owner(
    folder: str, name: str, fields: Optional[Dict[str, Any]], now: float, faults: Faults, *, is_living: bool
) -> None:
    """Look at the owner.json of a share.

    Args:
        folder: The share.
        name: Its name under ``writers/``, empty for the run's own folder.
        fields: What the meta.yaml in it says, None where there is none.
        now: The time, in seconds since 1970.
        faults: Gets what is wrong.
        is_living: Whether somebody writes the run now.
    """
    path = os.path.join(folder, layout.OWNER)
    try:
        data = documents.read(path)
        if mending.is_blank(data):
            _tell_blank(path, now, faults, is_living=is_living)
            return
        record = owner.read_owner(folder)
        state = os.stat(path)
    except FileNotFoundError:
        if name and any(os.path.isdir(os.path.join(folder, kind)) for kind in KINDS):
            faults.add("W7", WARNING, folder, "has no owner.json: its values count as those of generation 0")
        return
    except (OSError, BrokenFileError) as error:
        faults.unreadable(path, error, "W2")
        return
    if record is None:
        return  # removed at this moment
    if len(data) != _RECORD_BYTES or not data.endswith(b"\n"):
        text = "has %d bytes; with 2,048, the last a line break, one write replaces it"
        faults.add("W2", WARNING, path, text % len(data))
    if state.st_mtime - record.skew_ms / 1000 > now + owner.SILENCE_MS / 1000:
        text = "its last sign of life lies in the future: where no lock tells, the run counts as alive until then"
        faults.add("L3", WARNING, path, text)
    generation = -1 if fields is None else meta.generation_of(fields)
    if generation > record.generation:
        text = "is of generation %d, but the meta.yaml beside it of %d: its values count less than they should"
        faults.add("W6", WARNING, path, text % (record.generation, generation))
    match = re.fullmatch(_HEIR, name)
    if match and int(match.group(1)) != record.generation:
        text = "is of generation %d, but lies in %s"
        faults.add("W6", WARNING, path, text % (record.generation, name))


def _tell_blank(path: str, now: float, faults: Faults, *, is_living: bool) -> None:
    text = "is empty, or has nothing but NUL bytes: a power cut"
    try:
        is_silent = now - os.stat(path).st_mtime > owner.SILENCE_MS / 1000
    except OSError:
        is_silent = False
    if is_living or not is_silent:  # who wrote it may live elsewhere, and hold it open
        faults.add("W2", ERROR, path, text)
    else:
        repair = "removes it: it names nobody"
        faults.add("W2", ERROR, path, text, repair, lambda: mending.remove_blank(path))


def check_lock(path: str, rule: str, what: str, faults: Faults) -> None:
    """Look whether a ``.lock``, where there is one, can be locked.

    Args:
        path: The file.
        rule: Which rule speaks of it.
        what: What cannot be done if it is something else.
        faults: Gets what is wrong.
    """
    try:
        state = os.lstat(path)
    except OSError:
        return
    if not stat.S_ISREG(state.st_mode):
        faults.add(rule, ERROR, path, "is no regular file, so %s" % what)
    elif state.st_size:
        faults.add(rule, WARNING, path, "should be empty")
