"""Which files has a run, and what is in them: listing, looking inside, the end of a log?

Every path is checked by ``artifact_names`` and opened by ``artifact_files``, which follow no link. Nothing here decodes
an image, a pickle or an archive.
"""

from __future__ import annotations

import os
import re
from collections import namedtuple

from ... import artifacts
from ...artifact_files import open_artifact, reach_parent, state_of
from ...artifact_names import check_artifact_path
from ...errors import ArtifactNotFoundError
from ...store import held_folder
from . import plain, previews

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from .stores import Place

MOST_FILES = 5000
_MOST_PREVIEWED = 256 << 10  # bytes of a text
_MOST_TAIL = 256 << 10
_HEAD = 64 << 10  # bytes of an image that tell its size
_MOST_DIFF = 2 << 20
_CONSOLE = r"console(-[0-9]+)?\.log"
# Colours and what moves a cursor: of no use on a page.
_ANSI = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|[@-Z\\-_])"
_CONTROLS = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127))


class Opened(namedtuple("Opened", ["descriptor", "size", "modified_ns", "name"])):
    """An artifact that is open for reading; who gets it closes it."""

    __slots__ = ()

    descriptor: int
    size: int
    modified_ns: int
    name: str


def open_file(place: Place, path: str) -> Opened:
    """Open an artifact.

    Raises:
        InvalidArtifactPathError: The path is not legal, leads through a link, or to something else than a file.
        ArtifactNotFoundError: There is none.
    """
    parts = check_artifact_path(path)
    with reach_parent(_root(place), parts) as folder:
        descriptor = open_artifact(folder, parts)
    state = os.fstat(descriptor)
    return Opened(descriptor, state.st_size, state.st_mtime_ns, parts[-1])


def list_files(place: Place, path: str) -> Dict[str, Any]:
    """Return what lies in a folder of a run's artifacts; an empty path means the top.

    Raises:
        InvalidArtifactPathError: The path is not legal, or leads through a link.
    """
    found = artifacts.list_files(_root(place), path or None)
    told = [
        {
            "path": plain.text(each.path),
            "name": plain.text(each.path.rsplit("/", 1)[-1]),
            "is_dir": each.is_dir,
            "size_bytes": each.file_size,
        }
        for each in found[:MOST_FILES]
    ]
    return {"path": path, "files": told, "is_cut": len(found) > MOST_FILES}


def find_size(place: Place, path: str) -> Optional[int]:
    """Return the size of an artifact in bytes, None for a folder.

    Raises:
        InvalidArtifactPathError: As for ``open_file``.
        ArtifactNotFoundError: There is none.
    """
    parts = check_artifact_path(path)
    with reach_parent(_root(place), parts) as folder:
        state = state_of(folder, parts)
    return None if held_folder.is_folder(state) else state.st_size


def list_consoles(place: Place) -> List[str]:
    """Return the logs of what a run has printed, the first one first."""
    found = artifacts.list_files(_root(place))
    logs = [each.path for each in found if not each.is_dir and re.fullmatch(_CONSOLE, each.path)]
    return sorted(logs, key=lambda path: (len(path), path))


def read_preview(place: Place, path: str) -> Dict[str, Any]:
    """Return what of a file can be shown: a text, a table, the size of an image; else why not.

    Raises:
        InvalidArtifactPathError: As for ``open_file``.
        ArtifactNotFoundError: There is none.
    """
    opened = open_file(place, path)
    try:
        data = _read(opened.descriptor, 0, min(opened.size, _MOST_PREVIEWED))
    finally:
        os.close(opened.descriptor)
    told = previews.preview(opened.name, data, is_cut=opened.size > len(data), head=data[:_HEAD])
    return {"path": path, "size_bytes": opened.size, **told}


def read_tail(place: Place, path: str, wanted: int, seen: Optional[int]) -> Dict[str, Any]:
    """Return the end of a log.

    Args:
        place: The run.
        path: The log.
        wanted: At most so many bytes; cut at the beginning of a line where there is one.
        seen: Up to which byte somebody has it already: what came since; None: its end.

    Raises:
        InvalidArtifactPathError: As for ``open_file``.
        ArtifactNotFoundError: There is none.
    """
    opened = open_file(place, path)
    wanted = max(1, min(wanted, _MOST_TAIL))
    try:
        start = max(0, opened.size - wanted)
        if seen is not None and 0 <= seen <= opened.size:
            start = max(start, seen)
        data = _read(opened.descriptor, start, opened.size - start)
    finally:
        os.close(opened.descriptor)
    is_cut = start > (seen or 0)
    if is_cut and start:
        newline = data.find(b"\n", 0, len(data) // 2)
        if newline >= 0:
            start, data = start + newline + 1, data[newline + 1 :]
    return {
        "text": clean(data.decode("utf-8", "replace")),
        "start": start,
        "end": start + len(data),
        "size_bytes": opened.size,
        "is_cut": is_cut,
    }


def read_diff(place: Place, path: str) -> Dict[str, Any]:
    """Return what was not committed when a run started; an empty text where that is not known."""
    try:
        opened = open_file(place, path)
    except ArtifactNotFoundError:
        return {"text": "", "is_cut": False, "size_bytes": 0}
    try:
        data = _read(opened.descriptor, 0, min(opened.size, _MOST_DIFF))
    finally:
        os.close(opened.descriptor)
    text = clean(data.decode("utf-8", "replace"))
    return {"text": text, "is_cut": opened.size > len(data), "size_bytes": opened.size}


def clean(text: str) -> str:
    """Return a text without colours, moves of a cursor and control characters; a line overwritten by CR is its end."""
    if "\x1b" in text:
        text = re.sub(_ANSI, "", text)
    text = text.replace("\r\n", "\n")
    if "\r" in text:
        text = "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n"))
    return text.translate(_CONTROLS)


def _root(place: Place) -> str:
    return place.artifacts


def _read(descriptor: int, start: int, size: int) -> bytes:
    os.lseek(descriptor, start, os.SEEK_SET)
    parts = []
    while size > 0:
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
