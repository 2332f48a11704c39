"""Is one run as it should be?

Rules S1, S3 to S5, W1 to W8, A2 and F1 of docs/format.md; G1 to G6 of docs/mlflow-stores.md.
"""

from __future__ import annotations

import os

from .. import layout
from ..errors import InvalidIdError, MiniMLflowError
from ..keys import check_known_run_id, check_run_id
from ..store import folders, held_folder, mlflow_layout, reader, unowned
from ..store.names import KINDS
from .artifact_tree import check_artifacts
from .findings import ERROR, WARNING, Faults
from .keyed import check_kinds
from .leftovers import check_leftovers
from .metas import check_run_meta
from .shares import check_lock, check_owner, check_writers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

_PARTS = (*KINDS, layout.WRITERS, layout.OWNER)


def looks_like_run(folder: str) -> bool:
    """Tell whether a folder in an experiment is a run, if one that was copied by half.

    MLflow leaves folders there that hold artifacts alone, and some for other things; those are none.
    """
    if os.path.lexists(os.path.join(folder, layout.META)):
        return True
    if os.path.basename(folder) in ("datasets", "traces", "models", *KINDS):
        return False
    return os.path.isdir(folder) and any(os.path.lexists(os.path.join(folder, part)) for part in _PARTS)


def check_run(store: str, folder: str, run_id: str, experiment_id: str, now: float) -> Faults:
    """Look at all files of a run, but for the content of artifacts.

    Args:
        store: The store.
        folder: The run's; in the trash its name is another than its id.
        run_id: Its id.
        experiment_id: The name of its experiment's folder.
        now: The time, in seconds since 1970.
    """
    living = _is_living(folder)
    faults = _look(store, folder, run_id, experiment_id, now, is_living=living)
    if not living and faults.found and _is_living(folder):  # somebody came while we looked
        faults = _look(store, folder, run_id, experiment_id, now, is_living=True)
    return faults


def _is_living(folder: str) -> bool:
    try:
        return unowned.find_writer(folder) is not None
    except OSError:
        return True  # nobody can know, so nothing is done to it


def _look(store: str, folder: str, run_id: str, experiment_id: str, now: float, *, is_living: bool) -> Faults:
    faults = Faults(store)
    faults.runs = 1
    faults.living = int(is_living)
    _check_name(folder, run_id, faults)
    own = check_run_meta(os.path.join(folder, layout.META), run_id, experiment_id, faults)
    if own is None and faults.has(os.path.join(folder, layout.META)) and _is_too_new(folder):
        return faults
    if own is not None and mlflow_layout.is_run(own):
        _check_mlflow(folder, experiment_id, run_id, faults)
    else:
        _check_own(folder, own, now, faults, is_living=is_living)
    check_writers(folder, faults)
    for part in folders.list_parts(folder)[1:]:
        fields = check_run_meta(os.path.join(part.folder, layout.META), run_id, experiment_id, faults)
        check_owner(part.folder, part.name, fields, now, faults, is_living=is_living)
        check_kinds(part.folder, now, faults, is_format_0=False, is_living=is_living)
    check_lock(os.path.join(folder, layout.LOCK), "A2", "no rows are added to a table of the artifacts", faults)
    check_artifacts(folder, now, faults)
    if not is_living:
        for part in folders.list_parts(folder):
            check_leftovers(part.folder, now, faults)
        check_leftovers(os.path.join(folder, layout.WRITERS), now, faults)
    return faults


def _check_name(folder: str, run_id: str, faults: Faults) -> None:
    if held_folder.is_link(os.lstat(folder)):
        faults.add("S1", WARNING, folder, "is a link: the run that it leads to does not travel with the store")
    try:
        check_known_run_id(run_id)
        check_run_id(run_id)
    except InvalidIdError:
        try:
            check_known_run_id(run_id)
            text = "is no legal run id: it is read, but no script can go on with it"
            faults.add("S3", WARNING, folder, text)
        except InvalidIdError:
            faults.add("S3", ERROR, folder, "can be no run id, so no function reaches it. Rename the folder")


def _is_too_new(folder: str) -> bool:
    try:
        folders.read_meta(folder, lambda *_: None)
    except MiniMLflowError:
        return True
    return False


def _check_own(folder: str, own: Any, now: float, faults: Faults, *, is_living: bool) -> None:
    """Look at the run's own share, unless MLflow has written it."""
    fields: Dict[str, Any] = own or {}
    path = os.path.join(folder, layout.META)
    is_format_0 = folders.is_format_0(folder, fields)
    if not os.path.lexists(path):
        text = "has no meta.yaml, so it is in no list: its copying was broken off, or nobody ever started it"
        faults.add("S4", WARNING, folder, text)
    if is_format_0 and own is not None and os.path.lexists(os.path.join(folder, layout.OWNER)):
        text = "a run of 0.1.0 has its owner under writers/"
        faults.add("F2", WARNING, os.path.join(folder, layout.OWNER), text)
    check_owner(folder, "", own, now, faults, is_living=is_living)
    check_kinds(folder, now, faults, is_format_0=is_format_0, is_living=is_living)


def _check_mlflow(folder: str, experiment_id: str, run_id: str, faults: Faults) -> None:
    """Look at what MLflow has written, with the eyes of the reader: nothing of it is ever changed."""
    try:
        record = reader.read_folder(folder, experiment_id, run_id)
    except (OSError, MiniMLflowError) as error:
        faults.unreadable(folder, error, "G6")
        return
    inside = os.path.join(folder, layout.WRITERS) + os.sep
    for problem in record.problems:
        if not problem.path.startswith(inside):  # our own shares are looked at by our own rules
            faults.add("G6", ERROR, problem.path, problem.reason)
    for key in record.metrics:
        faults.metric_files += 1
        path = mlflow_layout.find_file(folder, layout.METRICS, key)
        if path is not None:
            mlflow_layout.check_rows(path, lambda where, error: _tell_lines(where, error, faults))


def _tell_lines(path: str, error: Exception, faults: Faults) -> None:
    if not faults.has(path):
        faults.add("G6", ERROR, path, getattr(error, "reason", None) or str(error))
