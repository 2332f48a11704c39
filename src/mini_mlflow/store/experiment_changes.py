"""How does an experiment change: its name, its tags, whether it is deleted?

Rules E5 and E6 of docs/format.md.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from .. import layout
from ..errors import ActiveRunError, BrokenFileError, ExperimentExistsError
from ..records import Experiment
from . import documents, lock_file, meta, unowned
from .experiments import ACTIVE, DELETED, PATIENCE_S, as_kept, encode, get, list_named, refuse_deleted, taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, Mapping, Optional, Tuple, Union

    ExperimentId = Union[int, str]


def rename(runs_dir: str, experiment_id: ExperimentId, name: str, now_ms: int) -> None:
    """Give an experiment another name.

    Raises:
        ExperimentNotFoundError: There is none of this id.
        ExperimentExistsError: Another has this name.
        ExperimentDeletedError: It is deleted.
    """
    name = as_kept(name)
    with _changing(runs_dir, experiment_id) as (folder, before):
        refuse_deleted(before)
        _refuse_taken(runs_dir, experiment_id, name)
        _change(folder, before, {"name": name, "last_update_time": now_ms})
        try:  # another may have taken the name between the look and the deed: of two who rename, both see it here
            _refuse_taken(runs_dir, experiment_id, name)
        except ExperimentExistsError:
            _change(folder, before, {"name": before.name})
            raise


def delete(runs_dir: str, experiment_id: ExperimentId, now_ms: int) -> None:
    """Mark an experiment as deleted: it and its runs stay where they are until they are removed for good (rule E6).

    Raises:
        ExperimentNotFoundError: There is none of this id.
        ActiveRunError: Somebody writes a run of it.
    """
    with _changing(runs_dir, experiment_id) as (folder, experiment):
        if experiment.lifecycle_stage == DELETED:
            return
        run_id = find_living(folder)
        if run_id is not None:
            message = "Run %s of experiment %r is being written, so the experiment cannot be deleted now. End it first."
            raise ActiveRunError(message % (run_id, experiment.name), run_id=run_id)
        changes = {"lifecycle_stage": DELETED, "last_update_time": now_ms, "deleted_time": now_ms}
        _change(folder, experiment, changes)


def restore(runs_dir: str, experiment_id: ExperimentId, now_ms: int) -> None:
    """Make a deleted experiment an active one again.

    Raises:
        ExperimentNotFoundError: There is none of this id.
        ExperimentExistsError: An active one has its name.
    """
    with _changing(runs_dir, experiment_id) as (folder, experiment):
        if experiment.lifecycle_stage == ACTIVE:
            return
        _refuse_taken(runs_dir, experiment_id, experiment.name, stages=(ACTIVE,))
        changes = {"lifecycle_stage": ACTIVE, "last_update_time": now_ms, "deleted_time": None}
        _change(folder, experiment, changes)


def set_tags(runs_dir: str, experiment_id: ExperimentId, tags: Mapping[str, Any], now_ms: int) -> None:
    """Attach tags to an experiment; those that are there and not named stay.

    Raises:
        ExperimentNotFoundError: There is none of this id.
        ExperimentDeletedError: It is deleted.
        InvalidValueError: Its tags would pass 512 KiB together.
    """
    with _changing(runs_dir, experiment_id) as (folder, experiment):
        refuse_deleted(experiment)
        _change(folder, experiment, {"last_update_time": now_ms, "tags": {**experiment.tags, **tags}})


def deleted_ms(runs_dir: str, experiment_id: ExperimentId) -> Optional[int]:
    """Return when an experiment was deleted, in milliseconds since 1970, None where it is not deleted (rule E6)."""
    path = os.path.join(layout.experiment_folder(runs_dir, experiment_id), layout.META)
    try:
        fields = meta.read_meta(path)
        if fields.get("lifecycle_stage") != DELETED:
            return None
        found = fields.get("deleted_time")
        return found if type(found) is int else os.stat(path).st_mtime_ns // 1000000
    except (OSError, BrokenFileError):
        return None


def find_living(folder: str) -> Optional[str]:
    """Return the id of a run in an experiment's folder that somebody writes, None where nobody does."""
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if not name.startswith(".") and os.path.isdir(path) and unowned.find_writer(path) is not None:
            return name
    return None


@contextmanager
def locked(runs_dir: str, experiment_id: ExperimentId) -> Iterator[str]:
    """Be the only one who changes an experiment within the block (rule E5); its folder is given.

    Raises:
        ExperimentNotFoundError: It has no folder.
        TimeoutError: Another process keeps it locked for ten seconds.
    """
    folder = layout.experiment_folder(runs_dir, experiment_id)
    if not os.path.isdir(folder):
        get(runs_dir, experiment_id)  # raises
    with lock_file.locked(os.path.join(folder, layout.LOCK), "the experiment", PATIENCE_S):
        yield folder


@contextmanager
def _changing(runs_dir: str, experiment_id: ExperimentId) -> Iterator[Tuple[str, Experiment]]:
    """Be the only one who changes an experiment within the block; its folder is given, and what it is by then.

    Raises:
        ExperimentNotFoundError: There is none of this id.
        TimeoutError: As ``locked``.
    """
    get(runs_dir, experiment_id)  # before a lock is made where there is no experiment
    with locked(runs_dir, experiment_id) as folder:
        yield folder, get(runs_dir, experiment_id)


def _refuse_taken(
    runs_dir: str, experiment_id: ExperimentId, name: str, stages: Tuple[str, ...] = (ACTIVE, DELETED)
) -> None:
    for each in list_named(runs_dir, as_kept(name)):
        if each.experiment_id != experiment_id and each.lifecycle_stage in stages:
            raise taken(each)


def _change(folder: str, experiment: Experiment, changes: Mapping[str, Any]) -> None:
    """Change fields of an experiment's meta.yaml, the lock being ours; None removes one, others stay as they are.

    Raises:
        BrokenFileError: It cannot be read, so what is in it would be lost.
        UnsupportedFormatError: It was written in a newer format.
    """
    path = os.path.join(folder, layout.META)
    try:
        fields = meta.read_meta(path)
    except FileNotFoundError:
        fields = {"format": layout.FORMAT_VERSION, "experiment_id": experiment.experiment_id, "name": experiment.name}
    meta.check_format(fields, path)
    fields.update(changes)
    documents.replace(path, encode({key: fields[key] for key in fields if changes.get(key, key) is not None}))
