"""Who has written to a run, each in a folder of their own, and in whose layout?

Rules W1, W6 and F1 of docs/format.md; G1 of docs/mlflow-stores.md.
"""

from __future__ import annotations

import os
from collections import namedtuple
from operator import itemgetter

from .. import layout
from ..errors import BrokenFileError
from . import folders, meta, mlflow_layout, owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    from .folders import Meta, Part, Report


class Share(namedtuple("Share", ["generation", "name", "folder", "is_format_0", "is_mlflow", "owner"])):
    """One writer's part of a run, with what orders it among the others.

    Attributes:
        generation: The writer's, 0 where no owner.json can be read.
        name: As of ``folders.Part``.
        folder: Where it lies.
        is_format_0: Whether mini-mlflow 0.1.0 wrote it.
        is_mlflow: Whether MLflow did.
        owner: What owner.json says, None where there is none that can be read.
    """

    __slots__ = ()

    generation: int
    name: str
    folder: str
    is_format_0: bool
    is_mlflow: bool
    owner: Optional[owner.Owner]


def list_shares(folder: str, report: Report) -> List[Share]:
    """Return the writers' shares of a run by generation, the run's own folder first among equals.

    Args:
        folder: The run.
        report: Called with the path of an owner.json that cannot be read, and why.
    """
    return shares_of([(part, {} if part.name else _read_own(part)) for part in folders.list_parts(folder)], report)


def shares_of(metas: List[Meta], report: Report) -> List[Share]:
    """Return what ``list_shares`` does, with the meta.yaml of the run's own folder read already."""
    shares = []
    for part, fields in metas:
        record = None
        try:
            record = owner.read_owner(part.folder)
        except (OSError, BrokenFileError) as error:
            report(os.path.join(part.folder, layout.OWNER), error)
        generation = 0 if record is None else record.generation
        is_format_0, is_mlflow = (False, False) if part.name else _layout_of(part.folder, fields)
        shares.append(Share(generation, part.name, part.folder, is_format_0, is_mlflow, record))
    return sorted(shares, key=itemgetter(0, 1))


def _read_own(part: Part) -> Optional[Dict[str, Any]]:
    """Return what meta.yaml of a run's own folder says, nothing where there is none, None where it is broken."""
    try:
        return meta.read_meta(os.path.join(part.folder, layout.META))
    except FileNotFoundError:
        return {}
    except (OSError, BrokenFileError):
        return None


def _layout_of(folder: str, fields: Optional[Dict[str, Any]]) -> Tuple[bool, bool]:
    """Tell whether a run's own files are those of mini-mlflow 0.1.0, and whether those of MLflow."""
    if fields is None:
        return folders.is_format_0(folder, {}), False  # meta.yaml cannot say; the documents can
    is_mlflow = mlflow_layout.is_run(fields)
    return "format" not in fields and not is_mlflow, is_mlflow
