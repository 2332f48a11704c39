"""Which machine and process is this, and does a process of this machine, or of an earlier attempt at a job, live?"""

from __future__ import annotations

import os
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional, Tuple

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

_ATTEMPT = "SLURM_RESTART_COUNT"
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
    if not _is_proc_ours():
        return False
    try:
        os.kill(pid, 0)  # asks only; /proc alone hides the processes of others where it is mounted with hidepid
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    state, now = _stat(pid)
    return state in _DEAD or (now is not None and start is not None and now != start)


def is_earlier_attempt(theirs: Dict[str, str], ours: Dict[str, str]) -> bool:
    """Tell whether a job is an earlier attempt at our own: Slurm ends it before it starts the next.

    Slurm counts in SLURM_RESTART_COUNT how often it has put a job back into the queue; a first attempt has none.
    """
    attempts = [jobs.get(_ATTEMPT, "0") for jobs in (theirs, ours)]
    same = [{name: value for name, value in jobs.items() if name != _ATTEMPT} for jobs in (theirs, ours)]
    return (
        bool(same[0]) and same[0] == same[1] and all(map(str.isdigit, attempts)) and int(attempts[0]) < int(attempts[1])
    )


def _is_proc_ours() -> bool:
    """Tell whether /proc counts processes as this one does; a sandbox may show that of its host."""
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return False


def _stat(pid: int) -> Tuple[bytes, Optional[int]]:
    """Return the state and the start of a process as /proc has them, empty and None where it does not."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
            state = b"" if int(fields[17]) > 1 else fields[0]  # a zombie with threads: others go on
            return state, int(fields[19])
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
