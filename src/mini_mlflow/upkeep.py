"""The functions that tidy up: delete, restore and remove runs, rename one, keep a note on it."""

from __future__ import annotations

import errno
import os
import warnings
from contextlib import contextmanager
from time import time

from . import active, fluent, identity, keys, layout, recorder, values
from .errors import InvalidValueError, RunNotFoundError, StorageWarning, shown
from .progress import Progress
from .records import NOTE, DeletedRun, Removed
from .store import amending, erasing, experiments, folders, opening, presence, reader, trash, unowned
from .store.writer import RunWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

    ExperimentId = Union[int, str]
    Path = Union[str, os.PathLike[str]]


def delete_run(run_id: str, *, experiment_id: Optional[ExperimentId] = None, runs_dir: Optional[Path] = None) -> None:
    """Move a run to the trash, where it stays until ``gc``; ``restore_run`` undoes it.

    Args:
        run_id: The run.
        experiment_id: Its experiment, by its id or name; None: the one that has it.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        ActiveRunError: The run is being written, here or elsewhere.
        RunNotFoundError: There is no such run.
        AmbiguousRunError: Several experiments have a run of this id.
        InvalidIdError: An id is not legal.
        OSError: The disk refused; the run is where it was.

    ``start_run(run_id=...)`` of a run in the trash makes a new one.
    """
    trash.delete_run(*_find(run_id, experiment_id, runs_dir))


def restore_run(run_id: str, *, experiment_id: Optional[ExperimentId] = None, runs_dir: Optional[Path] = None) -> None:
    """Bring a deleted run back; of several of this id, the one that was deleted last.

    Args:
        run_id: The run.
        experiment_id: Its experiment, by its id or name; None: the one whose trash has it.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        RunExistsError: There is a run of this id again.
        RunNotFoundError: No trash has it.
        AmbiguousRunError: Several experiments have deleted a run of this id.
        InvalidIdError: An id is not legal.
        OSError: The disk refused.
    """
    store, run_id = active.store_folder(runs_dir), keys.check_known_run_id(run_id)
    if experiment_id is None:
        there = identity.only_experiment(run_id, trash.find_deleted(store, run_id))
        if there is None:
            message = "There is no deleted run %r in %s. What gc() has removed does not come back."
            raise RunNotFoundError(message % (run_id, store), run_id=run_id)
        experiment_id = there
    trash.restore_run(store, identity.known_experiment(store, experiment_id), run_id)


def list_deleted_runs(
    experiment_id: Optional[ExperimentId] = None, *, runs_dir: Optional[Path] = None
) -> List[DeletedRun]:
    """Return the runs in the trash, the one that was deleted last first.

    Args:
        experiment_id: Of this experiment, by its id or name; None: of all.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        InvalidIdError: The id is not legal.
    """
    store = active.store_folder(runs_dir)
    ids = experiments.list_ids(store) if experiment_id is None else [identity.known_experiment(store, experiment_id)]
    found = [run for each in ids for run in trash.list_deleted(store, each)]
    return sorted(found, key=lambda run: run.deleted_time, reverse=True)


def gc(
    older_than_s: float = 0,
    *,
    dry_run: bool = False,
    experiment_ids: Optional[Iterable[ExperimentId]] = None,
    runs_dir: Optional[Path] = None,
) -> List[Removed]:
    """Remove for good what was deleted: runs in the trash, and deleted experiments with all their runs.

    Args:
        older_than_s: Only what was deleted at least so many seconds ago.
        dry_run: Whether nothing is removed, only told what would be.
        experiment_ids: Only in these experiments, by their ids or names, digits being an id; None: in all.
        runs_dir: The store's folder, as in ``start_run``.

    Returns:
        What was removed: ``Removed(experiment_id, run_id, size_bytes)``, *run_id* being None for a whole experiment.

    Raises:
        InvalidValueError: *older_than_s* is no number of seconds.
        InvalidIdError: An id is not legal.

    Whatever a process writes, here or elsewhere, and whatever cannot be removed whole stays whole, and a
    ``StorageWarning`` tells why. What a kill keeps from being removed, the next call removes. Links are not followed.
    """
    older_than_s = _check_seconds(older_than_s)
    store = active.store_folder(runs_dir)
    ids = None if experiment_ids is None else [_for_good(store, each) for each in experiment_ids]
    with Progress("Removing deleted runs") as progress:
        removed, problems = trash.gc(
            store,
            time(),
            older_than_s=older_than_s,
            experiment_ids=ids,
            is_dry=dry_run,
            on_progress=progress.advance,
        )
    for problem in problems:
        message = "%s was not removed: %s." % (problem.path, problem.reason)
        warnings.warn(message, StorageWarning, stacklevel=2)
    return removed


def rename_run(
    run_id: str, name: str, *, experiment_id: Optional[ExperimentId] = None, runs_dir: Optional[Path] = None
) -> None:
    """Give a run another name.

    Args:
        run_id: The run.
        name: Name for people: text of up to 10,000 characters that is not blank.
        experiment_id: Its experiment, by its id or name; None: the one that has it.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        ActiveRunError: Another process writes the run at this moment; rename it there.
        InvalidValueError: The name is not legal.
        RunNotFoundError: There is no such run.
        AmbiguousRunError: Several experiments have a run of this id.
        InvalidIdError: An id is not legal.
        UnsupportedFormatError: The run was written by a newer version.
        OSError: The disk refused.
    """
    name = _check_run_name(name)
    store, experiment_id, run_id = _find(run_id, experiment_id, runs_dir)
    folder = layout.run_folder(store, experiment_id, run_id)
    for run in active.live_runs():
        if run.holds(folder):
            run.name = name
            run.change_metadata({"name": name})
            return
        if run.store_folder == store and run.run_id == run_id and run.tell(name=name):
            return
    unowned.change_meta(folder, run_id, {"name": name})


def move_run(
    run_id: str,
    target: ExperimentId,
    *,
    experiment_id: Optional[ExperimentId] = None,
    runs_dir: Optional[Path] = None,
) -> None:
    """Move a run into another experiment; where it is there already, nothing happens.

    Args:
        run_id: The run.
        target: The experiment that gets it: its id, or its name.
        experiment_id: Its experiment now; None: the one that has it.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        ActiveRunError: The run is being written, here or elsewhere.
        RunExistsError: The other experiment has a run of this id.
        RunNotFoundError: There is no such run.
        AmbiguousRunError: Several experiments have a run of this id.
        ExperimentNotFoundError: There is no experiment *target*.
        ExperimentDeletedError: It is deleted.
        InvalidIdError: An id is not legal.
        InvalidValueError: MLflow wrote the run, and keeps data sets or models of it in its experiment.
        UnsupportedFormatError: The run was written by a newer version.
        OSError: The disk refused; the run is where it was.

    Whatever happens, the run is in one of the two experiments, whole. Its children stay where they are.
    """
    from .store import moving  # few runs are ever moved

    store, source, run_id = _find(run_id, experiment_id, runs_dir)
    moving.move_run(store, source, run_id, identity.known_experiment(store, target))


def set_note(
    text: str,
    run_id: Optional[str] = None,
    *,
    experiment_id: Optional[ExperimentId] = None,
    runs_dir: Optional[Path] = None,
) -> None:
    """Keep a note on a run, its description: the tag ``mlflow.note.content``. It replaces the one that was there.

    Args:
        text: The note, such as Markdown.
        run_id: The run, whether it lives or has ended; None: this thread's active one.
        experiment_id: Its experiment, by its id or name; None: the one that has it.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        InvalidValueError: *text* is no text.
        NoActiveRunError: *run_id* is None, and this thread has no active run.
        RunNotFoundError: There is no such run.
        AmbiguousRunError: Several experiments have a run of this id.
        InvalidIdError: An id is not legal.
        UnsupportedFormatError: The run was written by a newer version.
        OSError: The disk refused.
    """
    text = _check_note(text)
    if run_id is None:
        fluent.current_run().set_tag(NOTE, text)
        return
    _write_tags(layout.run_folder(*_find(run_id, experiment_id, runs_dir)), [(NOTE, text)])


def tag_run(
    run_id: str,
    tags: Mapping[str, Any],
    *,
    experiment_id: Optional[ExperimentId] = None,
    runs_dir: Optional[Path] = None,
) -> None:
    """Attach tags to a run, whether it lives or has ended.

    Args:
        run_id: The run.
        tags: Values by key, as in ``set_tags``; those that are there and not named stay.
        experiment_id: Its experiment, by its id or name; None: the one that has it.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        InvalidKeyError: A key is not legal.
        InvalidValueError: JSON has no such value.
        RunNotFoundError: There is no such run.
        AmbiguousRunError: Several experiments have a run of this id.
        InvalidIdError: An id is not legal.
        UnsupportedFormatError: The run was written by a newer version.
        OSError: The disk refused.
    """
    checked = recorder.check_values("Tag", values.check_items(tags, "Tag"))
    _write_tags(layout.run_folder(*_find(run_id, experiment_id, runs_dir)), checked)


def untag_run(
    run_id: str, key: str, *, experiment_id: Optional[ExperimentId] = None, runs_dir: Optional[Path] = None
) -> bool:
    """Take a tag away from a run, whoever wrote it; tell whether there was one.

    Args:
        run_id: The run.
        key: The tag.
        experiment_id: Its experiment, by its id or name; None: the one that has it.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        InvalidKeyError: *key* is no text.
        RunNotFoundError: There is no such run.
        AmbiguousRunError: Several experiments have a run of this id.
        InvalidIdError: An id is not legal.
        OSError: The disk refused.
    """
    folder = layout.run_folder(*_find(run_id, experiment_id, runs_dir))
    return erasing.delete_documents(folder, layout.TAGS, keys.check_known_key(key))


def get_note(
    run_id: Optional[str] = None,
    *,
    experiment_id: Optional[ExperimentId] = None,
    runs_dir: Optional[Path] = None,
) -> Optional[str]:
    """Return the note on a run, None where it has none.

    Args:
        run_id: The run; None: this thread's active one.
        experiment_id: Its experiment, by its id or name; None: the one that has it.
        runs_dir: The store's folder, as in ``start_run``.

    Raises:
        NoActiveRunError: *run_id* is None, and this thread has no active run.
        RunNotFoundError: There is no such run.
        AmbiguousRunError: Several experiments have a run of this id.
        InvalidIdError: An id is not legal.
    """
    if run_id is None:
        note = fluent.current_run().data.tags.get(NOTE)
    else:
        note = reader.read_run(*_find(run_id, experiment_id, runs_dir)).tags.get(NOTE)
    return None if note is None else str(note)


def _for_good(store: str, experiment_id: ExperimentId) -> ExperimentId:
    """Return the experiment that is meant; digits never mean one of that name: what is removed does not come back."""
    if isinstance(experiment_id, str) and not experiment_id.isdigit():
        return identity.known_experiment(store, experiment_id)
    return keys.check_experiment_id(experiment_id)


def _check_seconds(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return value
    message = "older_than_s must be a number of seconds from 0, got %s. A day is 86400."
    raise InvalidValueError(message % shown(value), value=value)


def _check_run_name(name: Any) -> str:
    if isinstance(name, str) and name.strip():
        return str(keys.check_label(name, "Run name"))
    message = "The name of a run must be text that is not blank, got %s."
    raise InvalidValueError(message % shown(name), value=name)


def _check_note(text: Any) -> str:
    if isinstance(text, str):
        return str(text)
    raise InvalidValueError("A note must be text, got %s: %s." % (type(text).__name__, shown(text)), value=text)


def _find(
    run_id: str, experiment_id: Optional[ExperimentId], runs_dir: Optional[Path]
) -> Tuple[str, ExperimentId, str]:
    """Return the store, the experiment and the id of a run that exists.

    Raises:
        RunNotFoundError: There is none.
        AmbiguousRunError: Several experiments have it.
    """
    store, run_id = active.store_folder(runs_dir), keys.check_known_run_id(run_id)
    if experiment_id is None:
        there = identity.only_experiment(run_id, reader.find_experiments(store, run_id))
        if there is None:
            message = "Run %r was not found in any experiment of %s. list_deleted_runs() tells what is in the trash."
            raise RunNotFoundError(message % (run_id, store), run_id=run_id)
        experiment_id = there
    experiment_id = identity.known_experiment(store, experiment_id)
    reader.run_folder(store, experiment_id, run_id)
    return store, experiment_id, run_id


def _write_tags(folder: str, tags: List[Tuple[str, Any]]) -> None:
    """Write tags of a run.

    Raises:
        OSError: The disk refused; a warning says why.
    """
    with _writer(folder) as writer:
        for key, value in tags:
            writer.write_value(layout.TAGS, key, value)
        late = [key for key, _ in tags if writer.is_waiting(layout.TAGS, key)]
        if late:
            raise OSError(errno.EIO, "The tag %r could not be written" % late[0], folder)


@contextmanager
def _writer(folder: str) -> Iterator[RunWriter]:
    """Lend a hand in a run whose values count: that of this process's open run, else one for this call alone."""
    for run in active.live_runs():
        if run.holds(folder):
            yield run.writer
            return
    presence.ensure_folder(folder)
    found = folders.generations(folder)
    highest = max((generation for generation, _ in found), default=0)
    if not found or any(generation == highest and not part.name for generation, part in found):
        with amending.amended(folder, active.pool()) as opened:
            yield opened.writer
        return
    writer = opening.join_run(folder, active.pool(), None)  # beside a resume, whose values count for more
    try:
        yield writer
    finally:
        writer.release()
