"""How does an experiment come to be, and how is one found?

Rules E1 to E4 and E6 of docs/format.md.
"""

from __future__ import annotations

import os
from functools import lru_cache
from time import time

from .. import config, layout
from ..errors import (
    BrokenFileError,
    ExperimentDeletedError,
    ExperimentExistsError,
    ExperimentNotFoundError,
    InvalidValueError,
)
from ..keys import check_experiment_id
from . import documents, meta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

    from ..records import Experiment

    ExperimentId = Union[int, str]

_FIRST_NAMED = 10**11
_NAMED = 9 * 10**11
ACTIVE = "active"
DELETED = "deleted"
DEFAULT_NAME = "Default"
PATIENCE_S = 10.0  # who changes an experiment needs milliseconds
_WAIT_S = 1.0  # for who changes one: training is not kept waiting for a process that was stopped
_MAX_BYTES = meta.MAX_META_BYTES // 2
_TICK_S = 0.05  # a file that changes twice between two ticks of the disk's clock may look the same (10 ms on Linux)


def home_id(name: str) -> int:
    """Return the id that an experiment of this name gets wherever it is created (rule E1).

    10**11 + SHA-256 of the name's UTF-8 in Unicode form NFC, as a big-endian number, modulo 9 * 10**11. That of
    "Default" is 0.
    """
    from hashlib import sha256

    if name == DEFAULT_NAME:
        return config.DEFAULT_EXPERIMENT_ID
    digest = sha256(as_kept(name).encode("utf-8")).digest()
    return _FIRST_NAMED + int.from_bytes(digest, "big") % _NAMED


def ensure(runs_dir: str, experiment_id: ExperimentId, now_ms: int) -> None:
    """Create an experiment that is asked for by its id, unless it is there (rule E4).

    Raises:
        ExperimentDeletedError: It is there, and deleted (rule E6).
    """
    folder = layout.experiment_folder(runs_dir, experiment_id)
    path = os.path.join(folder, layout.META)
    try:
        state = os.stat(path)
    except OSError:
        os.makedirs(folder, exist_ok=True)
        _write_new(folder, experiment_id, _name_of_id(experiment_id), now_ms, None)
        return
    # A read costs ten times the look; who starts a thousand runs in an experiment reads it once.
    if not _is_active(path, state.st_mtime_ns, state.st_ino, state.st_size):
        refuse_deleted(get(runs_dir, experiment_id))


def create(runs_dir: str, name: str, now_ms: int) -> Experiment:
    """Return the experiment of a name, created if need be; processes that race get the same one (rules E1 to E3)."""
    there = find(runs_dir, name)
    if there is not None and there.experiment_id != home_id(name):
        _let_changes_end(runs_dir, there.experiment_id)  # a rename that finds the name taken takes it back
        there = find(runs_dir, name)
    return there or _create(runs_dir, name, now_ms, None)[0]


def create_new(runs_dir: str, name: str, now_ms: int, tags: Optional[Mapping[str, Any]] = None) -> Experiment:
    """Create the experiment of a name; of processes that race one does.

    Raises:
        ExperimentExistsError: There is one.
    """
    there = find(runs_dir, name)
    if there is None:
        there, is_mine = _create(runs_dir, name, now_ms, tags)
        if is_mine:
            return there
    raise taken(there)


def find(runs_dir: str, name: str) -> Optional[Experiment]:
    """Return the experiment of a name, None where there is none.

    Of several with one name an active one counts, then the one at its home id, then the oldest (rule E3).
    """
    name = as_kept(name)
    home = read(runs_dir, home_id(name))
    if home is not None and home.lifecycle_stage == ACTIVE and as_kept(home.name) == name:
        return home
    return min(list_named(runs_dir, name), key=_rank, default=None)


def read(runs_dir: str, experiment_id: ExperimentId) -> Optional[Experiment]:
    """Return an experiment by its id, None where it has no folder; without a readable meta.yaml its id is its name."""
    from ..records import Experiment  # who starts a run needs no look at what its experiment is

    folder = layout.experiment_folder(runs_dir, experiment_id)
    try:
        fields = meta.read_meta(os.path.join(folder, layout.META))
    except FileNotFoundError:
        if not os.path.isdir(folder):
            return None
        fields = {}
    except (OSError, BrokenFileError):
        fields = {}
    created, updated = fields.get("creation_time"), fields.get("last_update_time")
    name, tags = fields.get("name"), fields.get("tags")
    created = created if type(created) is int else None
    if "format" not in fields and "artifact_location" in fields:
        from . import mlflow_layout  # who starts a run reads nothing that MLflow wrote

        tags = dict(mlflow_layout.iter_values(folder, layout.TAGS, lambda *_: None))
    return Experiment(
        experiment_id=experiment_id,
        name=name if isinstance(name, str) else _name_of_id(experiment_id),
        creation_time=created,
        lifecycle_stage=DELETED if fields.get("lifecycle_stage") == DELETED else ACTIVE,
        last_update_time=updated if type(updated) is int else created,
        tags=tags if isinstance(tags, dict) else {},
    )


def get(runs_dir: str, experiment_id: ExperimentId) -> Experiment:
    """Return an experiment that exists.

    Raises:
        ExperimentNotFoundError: There is none of this id.
    """
    experiment = read(runs_dir, experiment_id)
    if experiment is None:
        message = (
            "There is no experiment %r in %s. set_experiment('a name') or create_experiment('a name') makes one, and "
            "search_experiments() tells which there are."
        )
        raise ExperimentNotFoundError(message % (experiment_id, runs_dir), experiment_id=experiment_id)
    return experiment


def list_experiments(runs_dir: str) -> List[Experiment]:
    """Return every experiment of a store, by id: numbers first."""
    return _those_there(runs_dir, list_ids(runs_dir))


def list_named(runs_dir: str, name: str) -> List[Experiment]:
    """Return every experiment of a name, by id as in ``list_experiments``.

    Args:
        runs_dir: The store.
        name: As ``as_kept`` returns it.
    """
    # A look at each of a thousand costs a fifth of reading them; what they are called is known from the last time.
    now = time()
    same = [entry for entry in _scan(runs_dir) if _look_up_name(entry.path, entry.name, now) == name]
    return [each for each in _those_there(runs_dir, _ids(same)) if as_kept(each.name) == name]


def _those_there(runs_dir: str, ids: Sequence[ExperimentId]) -> List[Experiment]:
    """Return those of some folders that are experiments (rule S2)."""
    from . import presence  # who starts a run lists none

    def is_one(each: Experiment) -> bool:  # a folder that does not say when it was made as one may be somebody else's
        folder = layout.experiment_folder(runs_dir, each.experiment_id)
        return each.creation_time is not None or presence.is_experiment(folder)

    found = [read(runs_dir, experiment_id) for experiment_id in ids]
    return [each for each in found if each is not None and is_one(each)]


def list_ids(runs_dir: str, run_id: str = "") -> List[ExperimentId]:
    """Return the id of every experiment of a store: numbers first.

    Args:
        runs_dir: The store.
        run_id: Only those that have a run of this id; empty: all.
    """
    entries = _scan(runs_dir)
    if run_id:
        # Most have none, and access() says so without an error to be raised and caught.
        paths = [(entry, entry.path + os.sep + run_id) for entry in entries]
        entries = [
            entry
            for entry, path in paths
            if (os.access(path, os.F_OK) and os.path.isdir(path)) or _is_packed(entry.path, path)
        ]
    return _ids(entries)


def _is_packed(folder: str, run_folder: str) -> bool:
    """Tell whether a run lies in a pack of an experiment."""
    if not os.access(layout.packs_folder(folder), os.F_OK):
        return False
    from . import packed  # few stores have packs

    return packed.find(run_folder) is not None


def by_id(experiment_id: ExperimentId) -> Tuple[bool, ExperimentId]:
    """Return what sorts experiments by their ids: numbers first."""
    return isinstance(experiment_id, str), experiment_id


def named_by_environment(runs_dir: str, now_ms: int) -> Optional[ExperimentId]:
    """Return the experiment that the environment chooses for new runs, None where it chooses none.

    ``MLFLOW_EXPERIMENT_NAME`` is created if need be. An ``MLFLOW_EXPERIMENT_ID`` that is not in this store belongs to
    another, and is passed over: MLflow sets it for the processes that it starts.

    Raises:
        InvalidValueError: Both are set, and do not belong together.
    """
    name, text = config.experiment_name(), config.experiment_id()
    there = None
    if text is not None:
        try:
            there = read(runs_dir, check_experiment_id(text))
        except ValueError:
            pass  # no id that a store of ours could have
    if name is None:
        return None if there is None else there.experiment_id
    chosen = create(runs_dir, name, now_ms)
    if there is not None and there.experiment_id != chosen.experiment_id:
        message = "MLFLOW_EXPERIMENT_ID is %s, but MLFLOW_EXPERIMENT_NAME %r is experiment %s. Leave one of them out."
        raise InvalidValueError(message % (text, name, chosen.experiment_id), value=text)
    return chosen.experiment_id


def refuse_deleted(experiment: Experiment) -> None:
    """Raise where an experiment is deleted.

    Raises:
        ExperimentDeletedError: It is.
    """
    if experiment.lifecycle_stage == DELETED:
        message = (
            "Experiment %r is deleted, so nothing goes into it. restore_experiment(%r) brings it back; or take another "
            "name; gc() removes it for good."
        )
        facts = (experiment.name, experiment.experiment_id)
        raise ExperimentDeletedError(message % facts, experiment_id=experiment.experiment_id)


def _let_changes_end(runs_dir: str, experiment_id: ExperimentId) -> None:
    """Wait until nobody changes an experiment (rule E5)."""
    from . import lock_file  # most experiments lie at their home id

    path = os.path.join(layout.experiment_folder(runs_dir, experiment_id), layout.LOCK)
    if os.path.exists(path):
        try:
            with lock_file.locked(path, "the experiment", _WAIT_S, is_shared=True):
                pass
        except OSError:
            pass  # it may only be read, or is being changed for very long: it counts as it was found


def _create(runs_dir: str, name: str, now_ms: int, tags: Optional[Mapping[str, Any]]) -> Tuple[Experiment, bool]:
    """Return the experiment at the first id from home on that has the name, and whether we made it (rule E2)."""
    name = as_kept(name)
    experiment_id = home_id(name)
    while True:
        folder = layout.experiment_folder(runs_dir, experiment_id)
        os.makedirs(folder, exist_ok=True)
        is_mine = _write_new(folder, experiment_id, name, now_ms, tags)
        holder = read(runs_dir, experiment_id)
        if holder is not None and as_kept(holder.name) == name:
            return holder, is_mine
        # A renamed experiment sits there. Ids from 1 on are asked for by people, so they are no place to go on.
        experiment_id = experiment_id + 1 if experiment_id else _FIRST_NAMED


def taken(there: Experiment) -> ExperimentExistsError:
    """Return the error for a name that another experiment has."""
    facts = (there.name, there.experiment_id)
    message = "There is an experiment %r already, of the id %r. set_experiment() goes on with it; or take another name."
    if there.lifecycle_stage == DELETED:
        message = (
            "There is a deleted experiment %r, of the id %r. restore_experiment() brings it back, gc() removes it for "
            "good; or take another name."
        )
    return ExperimentExistsError(message % facts, name=there.name)


def _rank(experiment: Experiment) -> Tuple[bool, bool, int, str]:
    is_away = experiment.experiment_id != home_id(experiment.name)
    created = experiment.creation_time or 0
    return experiment.lifecycle_stage != ACTIVE, is_away, created, str(experiment.experiment_id)


@lru_cache(maxsize=64)
def _is_active(path: str, *_: int) -> bool:
    """Tell whether the meta.yaml of an experiment says that it is active; what identifies its content follows."""
    try:
        return meta.read_meta(path).get("lifecycle_stage") != DELETED
    except (OSError, BrokenFileError):
        return True


def _scan(runs_dir: str) -> List[os.DirEntry[str]]:
    try:
        with os.scandir(runs_dir) as entries:
            return list(entries)
    except OSError:
        return []


def _ids(entries: List[os.DirEntry[str]]) -> List[ExperimentId]:
    """Return the ids of those that are experiments, and no junk and not the trash, in order."""
    found = []
    for entry in entries:
        try:
            experiment_id = check_experiment_id(entry.name)
            if entry.is_dir() and not _is_registry(entry):  # costs nothing: the listing tells
                found.append(experiment_id)
        except (OSError, ValueError):
            continue
    return sorted(found, key=by_id)


def _is_registry(entry: os.DirEntry[str]) -> bool:
    """Tell whether this is where MLflow keeps registered models: no experiment, and without meta.yaml."""
    return entry.name == "models" and not os.path.exists(os.path.join(entry.path, layout.META))


def _look_up_name(folder: str, experiment_id: str, now: float) -> str:
    """Return the name of an experiment, as kept; what has not changed is not read again."""
    path = folder + os.sep + layout.META
    try:
        state = os.stat(path)
        read_name = _read_name if abs(now - state.st_mtime) > _TICK_S else _read_name.__wrapped__
        return read_name(path, experiment_id, state.st_mtime_ns, state.st_ino, state.st_size)
    except (OSError, BrokenFileError):  # which is not remembered: the next look may succeed
        return as_kept(_name_of_id(experiment_id))


@lru_cache(maxsize=16384)
def _read_name(path: str, experiment_id: str, *_: int) -> str:
    """Return the name of an experiment from its meta.yaml; what identifies its content follows."""
    name = meta.read_meta(path).get("name")
    return as_kept(name if isinstance(name, str) else _name_of_id(experiment_id))


def _name_of_id(experiment_id: ExperimentId) -> str:
    text = str(experiment_id)
    return DEFAULT_NAME if text == str(config.DEFAULT_EXPERIMENT_ID) else text


def as_kept(name: str) -> str:
    """Return a name in the form in which it is kept and compared: one of several that look the same (rule E1)."""
    from unicodedata import normalize

    return normalize("NFC", meta.storable(name))


def _write_new(
    folder: str, experiment_id: ExperimentId, name: str, now_ms: int, tags: Optional[Mapping[str, Any]]
) -> bool:
    """Write the meta.yaml of an experiment; tell whether there was none."""
    fields: Dict[str, Any] = {
        "format": layout.FORMAT_VERSION,
        "experiment_id": experiment_id,
        "name": name,
        "creation_time": now_ms,
        "lifecycle_stage": ACTIVE,
    }
    if tags:
        fields["tags"] = dict(tags)
    try:
        documents.create(os.path.join(folder, layout.META), encode(fields))
        return True
    except FileExistsError:
        return False  # another process was first, with the same content but for the time


def encode(fields: Dict[str, Any]) -> bytes:
    """Return the meta.yaml of an experiment.

    Raises:
        InvalidValueError: Its tags make it longer than 512 KiB.
    """
    data = meta.encode(fields)
    if len(data) > _MAX_BYTES:
        message = "The tags of an experiment may have %d bytes together, these come to %d. Keep long text in a run."
        raise InvalidValueError(message % (_MAX_BYTES, len(data)), value=fields.get("tags"))
    return data
