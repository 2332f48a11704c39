"""How is a run deleted and brought back, and what is removed for good?

Rules T1 to T6 of docs/format.md.
"""

from __future__ import annotations

import errno
import os
import re

from .. import layout
from ..errors import InvalidValueError, RunExistsError, RunNotFoundError
from ..records import DeletedRun, Problem, Removed
from . import documents, experiment_changes, experiments, held_folder, presence, reader, unowned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List, Optional, Tuple, Union

    ExperimentId = Union[int, str]

_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR)
_MOST_NUMBERS = 10000
_DEEPEST = 200  # folders within each other; each is open while what lies in it is looked at
_LEFTOVER = re.escape(layout.TEMPORARY) + "[0-9a-f]{16}"


def delete_run(runs_dir: str, experiment_id: ExperimentId, run_id: str) -> str:
    """Move a run to the trash of its experiment, by one rename; return the folder that it has there (rules T1 to T3).

    Raises:
        RunNotFoundError: There is none.
        ActiveRunError: Somebody writes it, here or elsewhere.
        OSError: It cannot be moved; it is where it was.
    """
    folder = reader.run_folder(runs_dir, experiment_id, run_id)
    presence.ensure_only_folder(folder)  # else it would come back out of its pack
    trash = layout.trash_folder(runs_dir, experiment_id)
    try:
        os.mkdir(trash)
    except FileExistsError:
        if not held_folder.is_folder(os.lstat(trash)):
            message = "This is no folder of its own, so nothing is moved there. Remove it"
            raise NotADirectoryError(errno.ENOTDIR, message, trash) from None
    try:
        with unowned.moved(folder, run_id, "deleted", lambda: _move(folder, trash, run_id)) as moved:
            return moved
    except FileNotFoundError:  # another has deleted it at the same moment, and perhaps restored it
        return delete_run(runs_dir, experiment_id, run_id)


def restore_run(runs_dir: str, experiment_id: ExperimentId, run_id: str) -> None:
    """Move a run back from the trash; of several of this id, the one that was deleted last.

    Raises:
        RunNotFoundError: The trash has none.
        RunExistsError: There is a run of this id again.
    """
    found = [each for each in list_deleted(runs_dir, experiment_id) if each.run_id == run_id]
    if not found:
        message = "There is no deleted run %r in experiment %s of %s. What gc() has removed does not come back."
        raise RunNotFoundError(message % (run_id, experiment_id, runs_dir), run_id=run_id, experiment_id=experiment_id)
    folder = layout.run_folder(runs_dir, experiment_id, run_id)
    try:
        if os.path.lexists(folder) or presence.is_there(folder):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), folder)
        os.rename(found[0].folder, folder)
    except FileNotFoundError:  # another has restored it at the same moment, or removed it
        restore_run(runs_dir, experiment_id, run_id)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        message = "Run %r cannot be restored: experiment %s has a run of this id again. Delete that one first."
        raise RunExistsError(message % (run_id, experiment_id), run_id=run_id, experiment_id=experiment_id) from error


def list_deleted(runs_dir: str, experiment_id: ExperimentId) -> List[DeletedRun]:
    """Return the runs in the trash of an experiment, the one that was deleted last first."""
    trash = layout.trash_folder(runs_dir, experiment_id)
    try:
        with held_folder.hold(trash) as folder:
            entries = [(name, state) for name, state in folder.list_entries() if _is_run(name, state)]
    except OSError:
        return []
    # Where the clock stood still between two of one id, the one with the greater number came later.
    entries.sort(key=lambda entry: (entry[1].st_mtime_ns, len(entry[0]), entry[0]), reverse=True)
    return [
        DeletedRun(experiment_id, layout.run_id_in_trash(name), state.st_mtime_ns // 1000000, os.path.join(trash, name))
        for name, state in entries
    ]


def holds(runs_dir: str, experiment_id: ExperimentId, folder: str, run_id: str) -> bool:
    """Tell whether a path is that of a run of this id in the trash of an experiment."""
    trash, name = os.path.split(folder)
    if trash != layout.trash_folder(runs_dir, experiment_id) or layout.run_id_in_trash(name) != run_id:
        return False
    try:
        return not os.path.islink(trash) and _is_run(name, os.lstat(folder))
    except OSError:
        return False


def find_deleted(runs_dir: str, run_id: str) -> List[ExperimentId]:
    """Return every experiment whose trash has a run of this id."""
    ids = experiments.list_ids(runs_dir)
    return [each for each in ids if any(run_id == there.run_id for there in list_deleted(runs_dir, each))]


def gc(
    runs_dir: str,
    now: float,
    *,
    older_than_s: float = 0,
    experiment_ids: Optional[List[ExperimentId]] = None,
    is_dry: bool = False,
    on_progress: Optional[Callable[[int], None]] = None,
) -> Tuple[List[Removed], List[Problem]]:
    """Remove for good what was deleted: runs in the trash, and deleted experiments with all their runs (T4 to T6).

    Args:
        runs_dir: The store, as an absolute path.
        now: The time, in seconds since 1970.
        older_than_s: Only what was deleted so many seconds ago.
        experiment_ids: Where; None: everywhere.
        is_dry: Whether nothing is removed, only told what would be.
        on_progress: Called with the number of bytes whenever something is removed.

    Returns:
        What was removed, and what was passed over, whole, and why.
    """
    try:
        store = held_folder.hold(os.path.realpath(runs_dir))
    except FileNotFoundError:
        return [], []
    collection = _Collection(older_than_s, now, is_dry=is_dry, on_progress=on_progress)
    with store:
        ids = experiments.list_ids(store.path) if experiment_ids is None else experiment_ids
        for experiment_id in ids:
            collection.collect(store, experiment_id)
        collection.sweep(store)
    return collection.removed, collection.problems


class _Collection:
    """What one call of ``gc`` removes and passes over."""

    def __init__(
        self, older_than_s: float, now: float, *, is_dry: bool, on_progress: Optional[Callable[[int], None]]
    ) -> None:
        self.removed: List[Removed] = []
        self.problems: List[Problem] = []
        self._older_than_s = older_than_s
        self._now = now
        self._is_dry = is_dry
        self._on_progress = on_progress

    def collect(self, store: held_folder.HeldFolder, experiment_id: ExperimentId) -> None:
        """Remove what was deleted of one experiment, or all of it."""
        path = os.path.join(store.path, str(experiment_id))
        try:
            deleted_ms = experiment_changes.deleted_ms(store.path, experiment_id)
            if deleted_ms is not None and self._is_old(deleted_ms / 1000):
                self._remove_experiment(store, experiment_id)
                return
            with store.enter(str(experiment_id)) as folder, folder.enter(layout.TRASH) as trash:
                for name, state in trash.list_entries():
                    if _is_run(name, state) and self._is_old(state.st_mtime):
                        self._remove_run(trash, name, experiment_id)
                self.sweep(trash, is_known_dead=True)
        except FileNotFoundError:
            pass  # nothing was ever deleted there
        except OSError as error:
            self._pass_over(path, error)

    def sweep(self, folder: held_folder.HeldFolder, *, is_known_dead: bool = False) -> None:
        """Finish what an earlier call was kept from: it has hidden what it was about to remove (rule T5).

        Args:
            folder: Where it lies.
            is_known_dead: Whether nothing is hidden there before it is known that nobody writes it.
        """
        if self._is_dry:
            return
        for name, state in folder.list_entries():
            if re.fullmatch(_LEFTOVER, name) and held_folder.is_folder(state):
                path = os.path.join(folder.path, name)
                try:
                    if not is_known_dead and experiment_changes.find_living(path) is not None:
                        raise OSError(errno.EBUSY, "a process writes a run of it", path)
                    _remove(folder, name)
                except FileNotFoundError:
                    continue  # another call is at it, too
                except OSError as error:
                    self._pass_over(path, error)

    def _remove_run(self, trash: held_folder.HeldFolder, name: str, experiment_id: ExperimentId) -> None:
        path = os.path.join(trash.path, name)
        try:
            if unowned.find_writer(path) is not None:
                raise OSError(errno.EBUSY, "a process writes it", path)
            is_link = held_folder.is_link(trash.state(name))
            size_bytes = 0 if is_link else _measure(trash, name)
            if not self._is_dry and is_link:
                trash.unlink(name)
            elif not self._is_dry:
                _remove(trash, trash.hide(name))
        except FileNotFoundError:
            return  # restored, or removed by another call
        except OSError as error:
            self._pass_over(path, error)
            return
        self._note(Removed(experiment_id, layout.run_id_in_trash(name), size_bytes))

    def _remove_experiment(self, store: held_folder.HeldFolder, experiment_id: ExperimentId) -> None:
        name = str(experiment_id)
        path = os.path.join(store.path, name)
        try:
            size_bytes = _measure(store, name)
            if experiment_changes.find_living(path) is not None:
                raise OSError(errno.EBUSY, "a process writes a run of it", path)
            if not self._is_dry:
                hidden = self._hide_experiment(store, experiment_id)
                if hidden is None:
                    return
                _remove(store, hidden)
        except FileNotFoundError:
            return  # removed by another call
        except OSError as error:
            self._pass_over(path, error)
            return
        self._note(Removed(experiment_id, None, size_bytes))

    def _hide_experiment(self, store: held_folder.HeldFolder, experiment_id: ExperimentId) -> Optional[str]:
        """Give a deleted experiment a hidden name; None where it was restored, or written to, meanwhile."""
        name = str(experiment_id)
        with experiment_changes.locked(store.path, experiment_id):
            if experiment_changes.deleted_ms(store.path, experiment_id) is None:
                return None
            hidden = "" if documents.IS_WINDOWS else store.hide(name)
        hidden = hidden or store.hide(name)  # Windows renames no folder while a file in it is open
        if experiment_changes.find_living(os.path.join(store.path, hidden)) is None:
            return hidden
        store.move(hidden, store, name)
        raise OSError(errno.EBUSY, "a process writes a run of it", os.path.join(store.path, name))

    def _is_old(self, deleted: float) -> bool:
        return self._older_than_s <= 0 or self._now - deleted >= self._older_than_s

    def _note(self, removed: Removed) -> None:
        self.removed.append(removed)
        if self._on_progress is not None:
            self._on_progress(removed.size_bytes)

    def _pass_over(self, path: str, error: OSError) -> None:
        named = error.filename if isinstance(error.filename, str) and os.path.isabs(error.filename) else path
        reason = "it is a link, which is not followed" if error.errno in held_folder.NO_FOLDER else error.strerror
        self.problems.append(Problem(named, reason or str(error)))


def _move(folder: str, trash: str, run_id: str) -> str:
    """Move a run into the trash under the first name that is free there; return where it lies."""
    if not os.path.islink(folder):
        os.utime(folder)  # tells when it was deleted, also after a copy that keeps times (rule T2)
    for number in range(1, _MOST_NUMBERS):
        moved = os.path.join(trash, layout.trash_name(run_id, number))
        if os.path.lexists(moved):
            continue
        try:
            unowned.rename(folder, moved)
            return moved
        except OSError as error:
            if error.errno not in _TAKEN or not os.path.lexists(moved):
                raise
    raise InvalidValueError("The trash has %d runs of the id %r. Empty it with gc()." % (_MOST_NUMBERS, run_id))


def _is_run(name: str, state: os.stat_result) -> bool:
    """Tell whether what lies in the trash is a run: a folder, or a link that somebody had for one."""
    return not name.startswith(".") and (held_folder.is_folder(state) or held_folder.is_link(state))


def _remove(folder: held_folder.HeldFolder, name: str) -> None:
    """Remove a hidden folder; where another call removes it at the same moment, what is left is swept after this."""
    try:
        folder.remove_tree(name)
    except FileNotFoundError:
        pass


def _measure(parent: held_folder.HeldFolder, name: str, depth: int = 0) -> int:
    """Return how many bytes the files in a folder hold; follows no link.

    Raises:
        OSError: There is a folder in it that cannot be emptied, so that it is left whole: not ours to write, on
            another disk, or too deep.
    """
    with parent.enter(name) as folder:
        if depth > _DEEPEST:
            raise OSError(
                errno.ENAMETOOLONG, "its folders lie more than %d deep; remove it by hand" % _DEEPEST, folder.path
            )
        if not os.access(folder.path, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder.path)
        size_bytes = 0
        here = parent.state(name).st_dev
        for inside, state in folder.list_entries():
            if not held_folder.is_folder(state):
                size_bytes += state.st_size
            elif state.st_dev != here:
                raise OSError(errno.EXDEV, "another disk is mounted in it", os.path.join(folder.path, inside))
            else:
                size_bytes += _measure(folder, inside, depth + 1)
        return size_bytes
