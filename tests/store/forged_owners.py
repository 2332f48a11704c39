"""How does an owner.json look that another machine, another start or another process has written?"""

import json
import os
from time import time

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
