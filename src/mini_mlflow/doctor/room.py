"""How much room has a disk, and how is it mounted?"""

from __future__ import annotations

import os

from ..store import machine
from .findings import BAD, GOOD, WARN, Probe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple

    from ..store.mounts import Mount

_FILES_OF_A_RUN = 20  # 8 params, 5 metrics, a tag, meta.yaml, owner.json, and their folders
_LITTLE_BYTES = 10**9
_LITTLE = 0.05
_NETWORK = ("nfs", "nfs4", "lustre", "gpfs", "beegfs", "ceph", "cifs", "smb3", "smbfs", "glusterfs", "afs", "9p")
_NFS_CACHE_S = 60  # nfs(5): acregmax, where the options do not say


def free_bytes(folder: str) -> Optional[int]:
    """Return how many bytes this user may still write on the disk of a folder, None where that is not told."""
    import shutil

    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def probe_space(folder: str) -> Probe:
    """Ask how much is free, of bytes and of inodes."""
    free = free_bytes(folder)
    files, free_files = _inodes(folder)
    facts: Dict[str, Any] = {"free_bytes": free, "free_inodes": free_files, "inodes": files}
    parts = ["%s free" % size(free)] if free is not None else []
    level, meaning = GOOD, ""
    if files and free_files is not None:
        runs = free_files // _FILES_OF_A_RUN
        parts.append("%d%% of inodes" % (free_files * 100 // files))
        if free_files < files * _LITTLE:
            meaning = "room for about %s more runs of 20 files; gc removes what was deleted" % format(runs, ",d")
            level = WARN
    if free is not None and free < _LITTLE_BYTES:
        level = BAD if free < _LITTLE_BYTES // 100 else WARN
        meaning = "a full disk stops no training: 100,000 values of it wait in memory until there is room"
    return Probe("space", level, ", ".join(parts) or "not told", meaning, facts)


def probe_mount(folder: str, mount: Optional[Mount]) -> Probe:
    """Say what the kind of disk means: whose it is, what other machines see late, what happens when its server dies."""
    name = "kind of disk"
    if mount is None:
        meaning = "not known as local, so a thread gives signs of life while a run is open"
        return Probe(name, GOOD, "not told by this system", meaning, {"is_local": None})
    is_local = machine.is_local_device(os.stat(folder).st_dev)
    facts: Dict[str, Any] = {"is_local": is_local, "kind": mount.kind, "options": sorted(mount.options)}
    if is_local:
        meaning = "of this machine alone: a run whose process dies is LOST at once, and can be gone on with"
        return Probe(name, GOOD, "local", meaning, facts)
    known = "on the network" if mount.kind in _NETWORK or ":" in mount.source else "not known as local"
    meaning = (
        "processes of this machine are told apart at once; a run of another one is LOST after 10 minutes of silence"
    )
    level = GOOD
    late_s = _late_s(mount)
    if late_s:
        facts["seen_late_s"] = late_s
        meaning += "; another machine may see values %d s late" % late_s
    if mount.kind.startswith("nfs") and "soft" not in mount.options and "softerr" not in mount.options:
        facts["is_hard"] = True
        level = WARN
        meaning += "; a hard mount: while the server is gone, training waits for it in the kernel"
    return Probe(name, level, known, meaning, facts)


def size(size_bytes: int) -> str:
    """Return a size for people: ``12.4 TB``."""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB", "TB", "PB"):
        if amount < 999.95 or unit == "PB":
            break
        amount /= 1000
    return "%.1f %s" % (amount, unit) if unit != "B" else "%d B" % size_bytes


def _inodes(folder: str) -> Tuple[Optional[int], Optional[int]]:
    """Return how many inodes there are and how many are free; None where there is no such limit (btrfs, Windows)."""
    try:
        state = os.statvfs(folder)
    except (AttributeError, OSError):
        return None, None
    return (state.f_files, state.f_favail) if state.f_files else (None, None)


def _late_s(mount: Mount) -> int:
    """Return for how long a client of NFS may trust what it knows of a file (nfs(5))."""
    if not mount.kind.startswith("nfs") or "noac" in mount.options:
        return 0
    for option in ("acregmax", "actimeo"):
        text = mount.options.get(option, "")
        if text.isdigit():
            return int(text)
    return _NFS_CACHE_S
