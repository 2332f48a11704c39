"""Which file system does a folder lie on, and how is it mounted?"""

from __future__ import annotations

import os
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional

_MOUNTS = "/proc/self/mountinfo"


class Mount(namedtuple("Mount", ["kind", "source", "point", "options"])):
    """A file system in its place.

    Attributes:
        kind: Such as ``ext4`` or ``nfs4``.
        source: What is mounted: a device, ``server:/path``.
        point: The folder where it is mounted.
        options: By name; those without a value have an empty one. ``ro`` is one of them.
    """

    __slots__ = ()

    kind: str
    source: str
    point: str
    options: Dict[str, str]


def find_mount(folder: str) -> Optional[Mount]:
    """Return what a folder lies on, None where the system does not say (Linux does, in ``/proc``)."""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
            return choose_mount(os.path.realpath(folder), file.read())
    except OSError:
        return None


def choose_mount(folder: str, mounts: str) -> Optional[Mount]:
    """Return the mount that a folder lies on; of several in one place the last one is seen.

    Args:
        folder: An absolute path without links.
        mounts: What ``/proc/self/mountinfo`` says (proc(5)).
    """
    best: Optional[Mount] = None
    for line in mounts.splitlines():
        fields = line.split(" ")
        if "-" not in fields[6:]:
            continue
        rest = fields[fields.index("-", 6) + 1 :]
        point = _decoded(fields[4])
        if len(rest) < 3 or not (folder + "/").startswith(point.rstrip("/") + "/"):
            continue
        if best is None or len(point) >= len(best.point):
            options = dict(each.partition("=")[::2] for each in (fields[5] + "," + rest[2]).split(","))
            best = Mount(rest[0], _decoded(rest[1]), point, options)
    return best


def _decoded(text: str) -> str:
    return text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
