"""How does an owner.json look that another machine, another start or a process that is no more has written?"""

import json
import os
from time import time

from mini_mlflow.store import locks, owner

FOREIGN_BOOT = "00000000-0000-4000-8000-000000000000"
RECORD_BYTES = 2048


def record_in(folder):
    """Return the fields of an owner.json."""
    with open(os.path.join(str(folder), "owner.json"), encoding="utf-8") as file:
        return json.load(file)


def forge(folder, *, age_s=0.0, **changes):
    """Change fields of an owner.json in place: the file stays the same one, its last sign of life is *age_s* old.

    Another start is another machine's too, unless ``host`` says that it is an earlier one of this machine.
    """
    if "boot_id" in changes:
        changes.setdefault("host", "elsewhere")
    path = os.path.join(str(folder), "owner.json")
    text = json.dumps(dict(record_in(folder), **changes))
    with open(path, "r+", encoding="utf-8") as file:
        file.write(text.ljust(RECORD_BYTES - 1) + "\n")
    os.utime(path, (time() - age_s, time() - age_s))


def path_in(folder):
    """Return where a folder's owner.json lies."""
    return os.path.join(folder, "owner.json")


def bytes_of(folder):
    """Return what a folder's owner.json holds."""
    with open(path_in(folder), "rb") as file:
        return file.read()


def can_lock(path, *, shared=False):
    """Tell whether a lock on a file is to be had now."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        return locks.try_lock(descriptor, shared=shared)
    finally:
        locks.unlock(descriptor)
        os.close(descriptor)


def left_by_the_dead(folder, generation=0):
    """Let owner.json look as after the death of its owner: the lock is free, the record is there."""
    owner.claim_new(folder, generation).release()
