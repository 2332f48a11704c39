"""Which machine and process is this, and does a process of this machine still live?"""

from __future__ import annotations

import os
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Tuple

_LOCAL_FILE_SYSTEMS = frozenset(
    [
        "ext2",
        "ext3",
        "ext4",
        "xfs",
        "btrfs",
        "zfs",
        "f2fs",
        "jfs",
        "reiserfs",
        "nilfs2",
        "bcachefs",
        "tmpfs",
        "ramfs",
        "ntfs",
        "ntfs3",
        "vfat",
        "exfat",
        "hfsplus",
        "apfs",
    ]
)
# Where the times of a folder tell that something in it was added, replaced or removed.
_FOLDERS_WITH_TIMES = (_LOCAL_FILE_SYSTEMS - frozenset(["vfat", "exfat"])) | frozenset(
    ["nfs", "nfs4", "lustre", "gpfs", "beegfs", "ceph", "cifs", "smb3", "overlay", "virtiofs", "9p"]
)

_DEAD = frozenset([b"Z", b"X", b"x"])  # it runs no more, though its parent has not asked how it ended


@lru_cache(maxsize=None)
def boot_id(host: str) -> str:
    """Return what tells this start of this machine from every other; elsewhere than on Linux its *host* name."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            return file.read().decode("ascii").strip()
    except OSError:
        return host


@lru_cache(maxsize=None)
def pid_namespace() -> Optional[str]:
    """Return which numbering of processes this one lives in (containers have their own), None where it is not said."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return None


@lru_cache(maxsize=1)
def own_start(pid: int) -> Optional[int]:
    """Return ``process_start`` of this process, which does not change; a forked child has another *pid*."""
    return process_start(pid)


def process_start(pid: int) -> Optional[int]:
    """Return when a process started, in clock ticks since boot: tells it from a later one of the same number.

    None where there is no such process, or no way to ask.
    """
    return _stat(pid)[1]


def is_process_gone(pid: int, start: Optional[int]) -> bool:
    """Tell whether a process of this numbering is certainly no more; sends no signal."""
    if not os.path.exists("/proc/self/stat"):
        return False
    try:
        os.kill(pid, 0)  # asks only; /proc alone hides the processes of others where it is mounted with hidepid
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    state, now = _stat(pid)
    return state in _DEAD or (now is not None and start is not None and now != start)


def _stat(pid: int) -> Tuple[bytes, Optional[int]]:
    """Return the state and the start of a process as /proc has them, empty and None where it does not."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
            return fields[0], int(fields[19])
    except (OSError, ValueError, IndexError):
        return b"", None


def is_local_device(device: int) -> bool:
    """Tell whether the file system of this device number is known to be on a disk of this machine alone."""
    return _kind_of_device(device) in _LOCAL_FILE_SYSTEMS


def has_folder_times(device: int) -> bool:
    """Tell whether folders on the file system of this device number have times that tell what happens in them.

    Where the system does not say what it is, they have: btrfs and overlays give their folders other numbers.
    """
    return _kind_of_device(device) in (_FOLDERS_WITH_TIMES | {""})


@lru_cache(maxsize=64)
def _kind_of_device(device: int) -> str:
    """Return the kind of the file system of a device number, empty where the system does not say."""
    number = "%d:%d" % (os.major(device), os.minor(device)) if hasattr(os, "major") else ""
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            for line in file:
                fields = line.split(b" ")
                if fields[2].decode("ascii") == number:
                    return fields[fields.index(b"-") + 1].decode("ascii", "replace")
    except (OSError, ValueError, IndexError):
        pass
    return ""
