"""Who is the first to join a run that the environment names, and what does it say of the run?

Rule W13 of docs/format.md.
"""

from __future__ import annotations

import os

from .. import layout
from ..errors import BrokenFileError
from . import documents, folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional


def claim_first(run_folder: str) -> Optional[str]:
    """Make the mark of the first who joins; return its folder, empty where another was first.

    None where the disk takes no mark: then nobody can know.
    """
    generation = max((generation for generation, _ in folders.generations(run_folder)), default=0)
    mark = os.path.join(run_folder, layout.WRITERS, layout.join_mark(generation))
    try:
        if not os.path.isdir(os.path.dirname(mark)):
            os.mkdir(os.path.dirname(mark))
    except FileExistsError:
        pass  # another was faster
    except OSError:
        return None
    try:
        os.mkdir(mark)
        return mark
    except FileExistsError:
        return ""
    except OSError:
        return None


def tell(mark: str, fields: Dict[str, Any]) -> None:
    """Write down what the first would say of the run in its meta.yaml if it owned it.

    Args:
        mark: The folder that ``claim_first`` returned.
        fields: All of it.

    Raises:
        OSError: The disk refused.
    """
    data = documents.encode_json(fields).encode("utf-8", "surrogatepass") + b"\n"
    documents.replace(os.path.join(mark, layout.TOLD), data)


def read_told(run_folder: str, generation: int) -> Dict[str, Any]:
    """Return what the first who joined said, empty where nobody did or it cannot be read.

    Args:
        run_folder: The run.
        generation: The owner's.
    """
    path = os.path.join(run_folder, layout.WRITERS, layout.join_mark(generation), layout.TOLD)
    try:
        found = documents.decode_json(documents.read(path), path)
    except (OSError, BrokenFileError):
        return {}
    return found if isinstance(found, dict) else {}
