"""How does a run get into another experiment?

Rules S3, E5, T3 and T7 of docs/format.md.
"""

from __future__ import annotations

import errno
import os

from .. import layout
from ..errors import BrokenFileError, InvalidValueError, RunExistsError
from . import (
    documents,
    experiment_changes,
    experiments,
    folders,
    meta,
    mlflow_layout,
    presence,
    reader,
    touching,
    unowned,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Union

    ExperimentId = Union[int, str]

_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR)
_WHAT = "moved"


def move_run(runs_dir: str, experiment_id: ExperimentId, run_id: str, target_id: ExperimentId) -> str:
    """Move a run that nobody writes into another experiment, by one rename; return the folder that it has there.

    Whoever is killed at it leaves the run in the one experiment or in the other, whole. Its children stay where they
    are, and keep their parent. Nothing happens where it is in that experiment already.

    Args:
        runs_dir: The store.
        experiment_id: The experiment that has it.
        run_id: The run.
        target_id: The experiment that gets it, which exists.

    Raises:
        RunNotFoundError: There is no such run.
        ExperimentNotFoundError: There is no experiment *target_id*.
        ExperimentDeletedError: It is deleted.
        RunExistsError: It has a run of this id.
        ActiveRunError: Somebody writes the run, here or elsewhere.
        InvalidValueError: It is one of MLflow's that names data sets or models, which lie in its experiment.
        UnsupportedFormatError: The run was written in a newer format.
        OSError: It cannot be moved, such as to another disk; it is where it was.
    """
    folder = reader.run_folder(runs_dir, experiment_id, run_id)
    if str(experiment_id) == str(target_id):
        return folder
    fields, _ = folders.read_meta(folder, _pass_over)  # a newer format may keep more of its place than we would change
    if mlflow_layout.is_run(fields) and mlflow_layout.has_links(folder):
        message = "Run %s cannot be moved: it names data sets or models that MLflow keeps beside it, in experiment %s."
        raise InvalidValueError(message % (run_id, experiment_id), value=run_id)
    experiments.refuse_deleted(experiments.get(runs_dir, target_id))
    presence.ensure_only_folder(folder)
    there = layout.run_folder(runs_dir, target_id, run_id)

    def move() -> str:
        _rename_to_free_place(folder, there, run_id, target_id)
        return there

    # Nobody deletes the experiment, and then removes it for good, while a run is on its way into it.
    with experiment_changes.locked(runs_dir, target_id):
        experiments.refuse_deleted(experiments.get(runs_dir, target_id))
        try:
            with unowned.moved(folder, run_id, _WHAT, move):
                for part in folders.list_parts(there):
                    _note_place(part.folder, target_id)
                touching.touch_run(there)  # rule X1; the rename has told of itself in both folders
        except FileNotFoundError:
            reader.run_folder(runs_dir, experiment_id, run_id)  # raises: another has moved or deleted it meanwhile
            raise
    return there


def _rename_to_free_place(folder: str, there: str, run_id: str, target_id: ExperimentId) -> None:
    try:
        if os.path.lexists(there) or presence.is_there(there):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), there)
        unowned.rename(folder, there)
    except OSError as error:
        if error.errno == errno.EXDEV:
            message = "Run %s cannot be moved: experiment %s lies on another disk. Copy the run's folder there"
            raise OSError(errno.EXDEV, message % (run_id, target_id), there) from error
        if error.errno not in _TAKEN or not (os.path.lexists(there) or presence.is_there(there)):
            raise
        message = "Run %s cannot be moved: experiment %s has a run of this id. Delete or move that one first."
        raise RunExistsError(message % (run_id, target_id), run_id=run_id, experiment_id=target_id) from error


def _note_place(folder: str, experiment_id: ExperimentId) -> None:
    """Let a share's meta.yaml name the experiment that it lies in now (rule T7).

    Readers of ours do without: the folder's name is the truth (rule S3). So what cannot be written, or was cut off by a
    kill, is no fault; it is for those who read these files by themselves, and for MLflow, which passes over a run whose
    file names another experiment.
    """
    path = os.path.join(folder, layout.META)
    try:
        fields = meta.read_meta(path)
        changes = _place_fields(fields, experiment_id)
        if changes:
            documents.replace(path, meta.encode({**fields, **changes}))
    except (OSError, BrokenFileError):
        pass


def _place_fields(fields: Dict[str, Any], experiment_id: ExperimentId) -> Dict[str, Any]:
    """Return what of these fields changes with the place of a run."""
    if "experiment_id" not in fields:
        return {}
    if "format" in fields:
        return {"experiment_id": experiment_id}
    if not mlflow_layout.is_run(fields):
        return {}  # of format 0: it is sorted by the time of this very file (rule S6)
    changes: Dict[str, Any] = {"experiment_id": str(experiment_id)}
    uri = fields.get("artifact_uri")
    if isinstance(uri, str):
        parts = uri.split("/")
        if parts[-1] == layout.ARTIFACTS and parts[-3:-2] == [str(fields["experiment_id"])]:
            changes["artifact_uri"] = "/".join([*parts[:-3], str(experiment_id), *parts[-2:]])
    return changes


def _pass_over(path: str, error: Exception) -> None:
    """Take note of what cannot be read: it is moved as it is."""
