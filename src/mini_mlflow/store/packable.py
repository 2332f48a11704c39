"""Which runs may be packed, and what lies in their folders?

Rules Z2 and Z7 of docs/format.md.
"""

from __future__ import annotations

import os
from collections import namedtuple

from .. import keys, layout
from ..errors import BrokenFileError, InvalidIdError
from . import folders, held_folder, meta, mlflow_layout, reader, unowned, unpacking
from .zip_reading import MAX_DEPTH, MAX_ENTRIES, why_unfit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Tuple, Union

MOST_FILES = MAX_ENTRIES // 2
_ENDED = ("FINISHED", "FAILED", "KILLED")


class Survey(namedtuple("Survey", ["run_id", "count", "size_bytes", "is_private"])):
    """What a run that may be packed comes to.

    Attributes:
        run_id: Its id.
        count: Its files, and its folders that are empty or not open to all.
        size_bytes: What its files hold.
        is_private: Permissions that a file or folder of it lacks, of those that let others read: 0o040 and 0o004.
    """

    __slots__ = ()

    run_id: str
    count: int
    size_bytes: int
    is_private: int


def survey(runs_dir: str, experiment_id: Union[int, str], run_id: str) -> Survey:
    """Look at a run that may be packed.

    Raises:
        BrokenFileError: It may not be; ``reason`` says why.
        OSError: It may not be read, or is gone.
        MiniMLflowError: The same, by what its files say.
    """
    folder = layout.run_folder(runs_dir, experiment_id, run_id)
    try:
        keys.check_run_id(run_id)
    except InvalidIdError:
        raise _unfit(folder, "its id could not be a new run's: rename the folder by hand") from None
    with held_folder.hold(folder) as top:
        _check_stand(folder)
        count = size_bytes = is_private = 0
        here = os.stat(folder)
        for path, state in iter_tree(top, here):
            is_folder = path.endswith("/")
            size_bytes += 0 if is_folder else state.st_size
            is_private |= hidden_from(state)
            count += 1
        is_private |= hidden_from(here)
    if count > MOST_FILES:
        raise _unfit(folder, "it has %d files, and a pack at most %d" % (count, MOST_FILES))
    return Survey(run_id, count, size_bytes, is_private)


def reason_of(error: Exception) -> str:
    """Return why a run is passed over, in words."""
    if isinstance(error, OSError) and error.errno in held_folder.NO_FOLDER:
        return "it is a link, which is not followed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else "%s: %s" % (error.filename, error.strerror)
    return getattr(error, "reason", None) or str(error)


def _check_stand(folder: str) -> None:
    """Refuse a run that is none of ours, or that somebody writes or may go on with (rule Z7).

    Raises:
        BrokenFileError, ActiveRunError: It is one.
    """
    own = meta.read_meta(os.path.join(folder, layout.META))
    if mlflow_layout.is_run(own):
        raise _unfit(folder, "MLflow wrote it, and could not read it any more")
    if folders.is_format_0(folder, own):
        raise _unfit(folder, "version 0.1.0 wrote it, and could not read it any more")
    record = reader.read_folder(folder, "", "")
    status = record.metadata.get("status")
    if record.problems:
        raise _unfit(folder, "a part of it cannot be read (%s: %s)" % record.problems[0])
    if status == reader.LOST:
        raise _unfit(folder, "it is LOST and may be continued; continue and end it, or delete it")
    if status not in _ENDED:
        raise _unfit(folder, "it has not ended")
    if not os.path.isfile(os.path.join(folder, layout.OWNER)):
        raise _unfit(folder, "it has no owner.json, so nobody can tell whether somebody writes it")
    unowned.refuse_if_written(folder, os.path.basename(folder), "packed")


def iter_tree(top: held_folder.HeldFolder, here: os.stat_result) -> Iterator[Tuple[str, os.stat_result]]:
    """Yield path and state of what a pack keeps of a run: its files, and folders that are empty or not open to all.

    Raises:
        BrokenFileError: There is something that it does not keep, or that may not be removed.
    """
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with unpacking.enter(top, inside) as folder:
            path = folder.path
            if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError(13, os.strerror(13), path)
            entries = folder.list_entries()
        within = []
        for name, state in entries:
            path = "%s/%s" % (inside, name) if inside else name
            full = os.path.join(top.path, path)
            check_kind(path, full, state, here)
            if held_folder.is_folder(state):
                within.append(path)
                if hidden_from(state) or _is_empty(top, path):
                    yield path + "/", state
            else:
                yield path, state
        waiting += reversed(within)


def check_kind(path: str, full: str, state: os.stat_result, here: os.stat_result) -> None:
    """Refuse what a pack does not keep, or what may not be removed (rule Z7).

    Args:
        path: Its path in the run.
        full: Its path, for the message.
        state: What it is.
        here: What the run's folder is.

    Raises:
        BrokenFileError: It is such a thing.
    """
    if held_folder.is_link(state):
        raise _unfit(full, "it is a link, and a pack keeps files alone")
    is_folder = held_folder.is_folder(state)
    if not is_folder and not held_folder.is_file(state):
        raise _unfit(full, "it is neither a file nor a folder, and a pack keeps these alone")
    if state.st_dev != here.st_dev:
        raise _unfit(full, "another disk is mounted there")
    if hasattr(os, "geteuid") and state.st_uid != os.geteuid():
        raise _unfit(full, "it belongs to another user")
    reason = why_unfit(path)
    if reason or path.count("/") >= MAX_DEPTH:
        raise _unfit(full, reason or "it lies too deep")


def _is_empty(top: held_folder.HeldFolder, path: str) -> bool:
    with unpacking.enter(top, path) as folder:
        return not folder.list_entries()


def hidden_from(state: os.stat_result) -> int:
    """Return which of 0o040 (the group) and 0o004 (others) cannot read a file, or enter a folder."""
    needed = 0o5 if held_folder.is_folder(state) else 0o4
    return sum(0o4 << shift for shift in (0, 3) if state.st_mode >> shift & needed != needed)


def _unfit(path: str, reason: str) -> BrokenFileError:
    return BrokenFileError("%s is not packed: %s." % (path, reason), path=path, reason=reason)
