"""How is a tag taken away from a run?

Rules W1, W8 and X1 of docs/format.md: it may lie in the share of every writer, and is gone when none has it.
"""

from __future__ import annotations

import os

from . import folders, presence, touching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List


def delete_documents(run_folder: str, kind: str, key: str) -> bool:
    """Remove what every writer's share of a run holds of a tag; tell whether there was any.

    A writer that lives goes on undisturbed: it looks after its metrics alone, and writes a tag anew that is set again.

    Args:
        run_folder: The run.
        kind: ``tags``.
        key: The tag.

    Raises:
        OSError: A file may not be removed.
    """
    presence.ensure_folder(run_folder)
    found: List[str] = []
    for part in folders.list_parts(run_folder):
        found += folders.find_documents(part.folder, kind, key)
    if not found:
        return False
    with touching.Told(run_folder):
        for path in found:
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass  # another was faster
    return True
