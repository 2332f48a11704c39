"""How does an experiment come to be, and how is one found?

Rules E1 to E4 of docs/format.md.
"""

from __future__ import annotations

import os

from .. import layout
from ..errors import BrokenFileError
from ..keys import check_experiment_id
from ..records import Experiment
from . import documents, meta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Union

_FIRST_NAMED = 10**11
_NAMED = 9 * 10**11
ACTIVE = "active"


def home_id(name: str) -> int:
    """Return the id that an experiment of this name gets wherever it is created (rule E1).

    10**11 + SHA-256 of the name's UTF-8 in Unicode form NFC, as a big-endian number, modulo 9 * 10**11.
    """
    from hashlib import sha256

    digest = sha256(_as_kept(name).encode("utf-8")).digest()
    return _FIRST_NAMED + int.from_bytes(digest, "big") % _NAMED


def ensure(runs_dir: str, experiment_id: Union[int, str], now_ms: int) -> None:
    """Create an experiment that is asked for by its id, unless it is there (rule E4)."""
    folder = layout.experiment_folder(runs_dir, experiment_id)
    if not os.path.exists(os.path.join(folder, layout.META)):
        name = "Default" if experiment_id == 0 else str(experiment_id)
        os.makedirs(folder, exist_ok=True)
        _write_new(folder, experiment_id, name, now_ms)


def create(runs_dir: str, name: str, now_ms: int) -> Experiment:
    """Return the experiment of a name, created if need be; processes that race get the same one (rules E1 to E3)."""
    name = _as_kept(name)
    there = find(runs_dir, name)
    experiment_id = home_id(name)
    while there is None:
        folder = layout.experiment_folder(runs_dir, experiment_id)
        os.makedirs(folder, exist_ok=True)
        _write_new(folder, experiment_id, name, now_ms)
        holder = read(runs_dir, experiment_id)
        if holder is not None and _as_kept(holder.name) == name:
            there = holder
        experiment_id += 1  # a renamed experiment sits there
    return there


def find(runs_dir: str, name: str) -> Optional[Experiment]:
    """Return the experiment of a name, None where there is none.

    Of two with one name the one at its home id counts, else the oldest (rule E3).
    """
    name = _as_kept(name)
    home = read(runs_dir, home_id(name))
    if home is not None and _as_kept(home.name) == name:
        return home
    same = [each for each in list_experiments(runs_dir) if _as_kept(each.name) == name]
    return min(same, key=lambda each: (each.creation_time or 0, str(each.experiment_id))) if same else None


def read(runs_dir: str, experiment_id: Union[int, str]) -> Optional[Experiment]:
    """Return an experiment by its id, None where it has no folder; without a readable meta.yaml its id is its name."""
    folder = layout.experiment_folder(runs_dir, experiment_id)
    try:
        fields = meta.read_meta(os.path.join(folder, layout.META))
    except FileNotFoundError:
        if not os.path.isdir(folder):
            return None
        fields = {}
    except (OSError, BrokenFileError):
        fields = {}
    created = fields.get("creation_time")
    name = fields.get("name")
    return Experiment(
        experiment_id=experiment_id,
        name=name if isinstance(name, str) else "Default" if experiment_id == 0 else str(experiment_id),
        creation_time=created if type(created) is int else None,
        lifecycle_stage=str(fields.get("lifecycle_stage") or ACTIVE),
    )


def list_experiments(runs_dir: str) -> List[Experiment]:
    """Return every experiment of a store, by id: numbers first."""
    return [each for each in (read(runs_dir, number) for number in list_ids(runs_dir)) if each is not None]


def list_ids(runs_dir: str) -> List[Union[int, str]]:
    """Return the id of every experiment of a store: numbers first."""
    try:
        names = os.listdir(runs_dir)
    except OSError:
        return []
    found = []
    for name in names:
        try:
            experiment_id = check_experiment_id(name)
        except ValueError:
            continue  # no experiment: junk, or the trash
        if os.path.isdir(os.path.join(runs_dir, name)):
            found.append(experiment_id)
    return sorted(found, key=lambda each: (isinstance(each, str), each))


def _as_kept(name: str) -> str:
    """Return a name in the form in which it is kept and compared: one of several that look the same (rule E1)."""
    from unicodedata import normalize

    return normalize("NFC", meta.storable(name))


def _write_new(folder: str, experiment_id: Union[int, str], name: str, now_ms: int) -> None:
    fields = {
        "format": layout.FORMAT_VERSION,
        "experiment_id": experiment_id,
        "name": name,
        "creation_time": now_ms,
        "lifecycle_stage": ACTIVE,
    }
    try:
        documents.create(os.path.join(folder, layout.META), meta.encode(fields))
    except FileExistsError:
        pass  # another process was first, with the same content but for the time
