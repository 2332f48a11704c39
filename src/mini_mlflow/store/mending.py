"""How is a damaged file of a run mended without losing a value? Whoever calls keeps the run from being written.

Rules D1, D3, D4, K6, M13, Y1 and Y3 of docs/format.md. Each mending is one rename or one unlink: a kill leaves the old
file or the new one, and to mend twice changes nothing more.
"""

from __future__ import annotations

import errno
import os
import re
import stat

from ..layout import TEMPORARY
from . import documents, held_folder, meta, metric_file
from .metric_text import MAX_HISTORY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from ..records import Metric

_LEFTOVER = re.escape(TEMPORARY) + "[0-9a-f]{16}"
_NOTHING = b"\0 \t\r\n"


def is_leftover(name: str) -> bool:
    """Tell whether a file has a temporary name of ours: what a kill leaves behind (rules D1, A2 and T5)."""
    return name.startswith(TEMPORARY) and bool(re.fullmatch(_LEFTOVER, name))


def is_blank(data: bytes) -> bool:
    """Tell whether a file says nothing at all: what a power cut leaves of one that had not reached the disk."""
    return not data.strip(_NOTHING)


def close_metric(path: str) -> None:
    """Write the file of a metric as rule M1 has it, every complete row kept; the rows of a file that is whole stay.

    Raises:
        BrokenFileError: It has no row, or changed meanwhile so that it is to be looked at again.
        OSError: The disk refused; the file is as it was.
    """
    data = documents.read(path, MAX_HISTORY_BYTES)
    history = metric_file.decode(data, path)
    if history.latest is None or history.key is None:
        raise documents.broken(path, "it has no row of a known metric")
    rows = all_rows(data, history)
    closing = metric_file.closing_behind(data, history) if len(rows) == len(history.rows) else None
    mended = metric_file.encode(history.key, rows) if closing is None else data[: history.end] + closing
    if metric_file.count_rows(mended) != len(rows) or metric_file.crosses_page(mended, len(mended)):
        mended = metric_file.encode(history.key, rows)
    if not metric_file.decode(mended, path).is_exact:
        raise documents.broken(path, "its rows do not give a whole file")
    replace(path, mended)


def all_rows(data: bytes, history: metric_file.History) -> List[Metric]:
    """Return the rows of a metric's file: those of the JSON document where it is one, else those that are in form."""
    try:
        document = documents.decode_json(data, "")
    except ValueError:
        return list(history.rows)
    rows = metric_file.checked_rows(document.get("history")) if isinstance(document, dict) else None
    return list(history.rows if rows is None or len(rows) < len(history.rows) else rows)


def encode_anew(path: str) -> None:
    """Write a param or tag anew in its own form, so that it is JSON and ends in a line break (rules D3 and D4).

    Raises:
        BrokenFileError: It is none that says its key.
        OSError: The disk refused; the file is as it was.
    """
    data = documents.read(path)
    document = documents.decode_json(data, path)
    if not isinstance(document, dict) or not isinstance(document.get("key"), str) or "value" not in document:
        raise documents.broken(path, "it is no param or tag")
    timestamp = document.get("timestamp")
    if set(document) - {"key", "value", "type", "timestamp"} or type(timestamp) is not int:
        replace(path, data.rstrip() + b"\n")  # what we do not know stays as it is
        return
    replace(path, documents.encode_value(document["key"], documents.decode_value(document), timestamp))


def change_fields(path: str, changes: Dict[str, Any]) -> None:
    """Write a meta.yaml anew in our own form, with some of its fields changed (rules Y1 to Y3).

    Raises:
        BrokenFileError: It cannot be read.
        OSError: The disk refused; the file is as it was.
    """
    fields = meta.read_meta(path)
    fields.update(changes)
    replace(path, meta.encode(fields))


def replace(path: str, data: bytes) -> None:
    """Replace a file by its mended form, on the disk before it has the name, with the old one's times.

    What sorts by the time of a file (rules S6 and L4) goes on as before; that it changed shows in its inode.
    """
    state = os.stat(path)
    documents.replace(path, data, sync=True)
    try:
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    except OSError:
        pass  # another user's file is ours now, and newer
    sync_quietly(os.path.dirname(path))


def sync_quietly(folder: str) -> None:
    """Bring the names in a folder to the disk, where the disk can."""
    try:
        documents.sync(folder)
    except OSError:
        pass  # the next sync brings them


def remove_blank(path: str) -> None:
    """Remove a file that says nothing, or nothing any more; one that has got a content meanwhile stays."""
    if is_blank(documents.read(path, MAX_HISTORY_BYTES)):
        os.unlink(path)
        sync_quietly(os.path.dirname(path))


def rename(path: str, name: str) -> None:
    """Give a document the name that its key asks for, in the same folder.

    Raises:
        FileExistsError: Another file has it.
    """
    target = os.path.join(os.path.dirname(path), name)
    if os.path.lexists(target) and not os.path.samefile(path, target):  # on some disks it is the same but for its case
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    os.rename(path, target)
    sync_quietly(os.path.dirname(path))


def sweep(folder_path: str, age_s: float) -> int:
    """Remove the temporary files that kills left in one folder; return how many. Folders stay, and are not entered.

    Args:
        folder_path: The folder; a link is not followed.
        age_s: For how long, by the disk's own clock, nothing must have happened to one.
    """
    count = 0
    with held_folder.hold(folder_path) as folder:
        found = [(name, state) for name, state in folder.list_entries() if is_leftover(name)]
        found = [(name, state) for name, state in found if not stat.S_ISDIR(state.st_mode)]
        now = held_folder.clock_of(folder) if found else 0.0
        for name, state in found:
            if now - max(state.st_mtime, state.st_ctime) >= age_s:
                try:
                    folder.unlink(name)
                    count += 1
                except FileNotFoundError:
                    continue  # another was faster
    return count
