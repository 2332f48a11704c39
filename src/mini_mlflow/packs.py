"""The functions that put finished runs into archives, for disks that count files, and take them out again."""

from __future__ import annotations

import os

from . import active, clock, identity, keys, layout
from .errors import BrokenFileError, InvalidValueError, MiniMLflowError, shown
from .progress import Progress
from .records import PackResult, Problem
from .store import experiments, lock_file, packable, packed, packing, reader, unpacking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Optional, Union

    from .store.packable import Survey

    ExperimentId = Union[int, str]
    Path = Union[str, os.PathLike[str]]

_PATIENCE_S = 10.0
_WHAT = "the packs of the experiment"


def pack(
    experiment_id: Optional[ExperimentId] = None,
    *,
    older_than_s: float = 0,
    dry_run: bool = False,
    runs_dir: Optional[Path] = None,
) -> PackResult:
    """Put the finished runs of an experiment into archives, up to a thousand into each, and remove their folders.

    A pack is a zip of the same files, ``<experiment>/.packs/<first run id>-<hash>.zip``. Whoever reads runs reads those
    in packs too; who writes to one (continues it, tags it, deletes it) has it unpacked first. ``unpack`` undoes it.

    Args:
        experiment_id: The experiment, by id or name. None: the one that new runs go to.
        older_than_s: Only what ended at least so many seconds ago.
        dry_run: Whether nothing is packed, only told what would be.
        runs_dir: The store's folder, as in ``start_run``.

    Returns:
        What was packed, and what was passed over and why: runs that have not ended, or are LOST; that MLflow or 0.1.0
        wrote, who could not read them any more; that belong to another user; that have links or broken files in them.

    Raises:
        ExperimentNotFoundError: There is none.
        InvalidIdError: The id is not legal.
        InvalidValueError: *older_than_s* is no number of seconds.
        TimeoutError: Another process packs the same experiment.
        OSError: The disk refused, such as a full one; the runs are where they were, or in a pack that is whole.

    A folder is removed only when its archive is on the disk and every byte has been read back from it and compared.
    Killed at any step, each run is there once or twice and reads as before; the next call finishes.
    """
    store, experiment_id = _find(experiment_id, runs_dir)
    folder = layout.experiment_folder(store, experiment_id)
    result = PackResult(experiment_id, [], [], [], 0, 0)
    surveys = _survey(store, experiment_id, _check_seconds(older_than_s), result.passed_over)
    if dry_run:
        return result._replace(
            run_ids=[each.run_id for each in surveys], size_bytes=sum(each.size_bytes for each in surveys)
        )
    packs = layout.packs_folder(folder)
    if not surveys and not os.path.isdir(packs):
        return result
    try:
        os.mkdir(packs)
    except FileExistsError:
        pass
    lock = os.path.join(packs, layout.LOCK)
    total = 2 * sum(each.size_bytes for each in surveys)  # written, and read back
    with lock_file.locked(lock, _WHAT, _PATIENCE_S), Progress("Packing runs", total) as progress:
        packing.sweep(folder)
        for run_id, there in list(packing.find_twice(store, experiment_id)):
            result = _hide(result, store, run_id, there)
        for batch in packing.batches([each for each in surveys if each.run_id not in result.run_ids]):
            written = packing.write_pack(folder, batch, result.passed_over, progress.advance)
            if written is None:
                continue
            path, size_bytes = written
            sizes = {each.run_id: each.size_bytes for each in batch}
            result.packs.append(path)
            result = result._replace(
                size_bytes=result.size_bytes + size_bytes, pack_bytes=result.pack_bytes + os.path.getsize(path)
            )
            for run_id in packed.list_in(path):
                result = _hide(result, store, run_id, path, is_new=True)
                progress.advance(sizes.get(run_id, 0))
            packing.sweep(folder)
        packing.sweep(folder)
        unpacking.tidy(folder)
    return result


def unpack(
    experiment_id: Optional[ExperimentId] = None,
    run_ids: Optional[Iterable[str]] = None,
    *,
    dry_run: bool = False,
    runs_dir: Optional[Path] = None,
) -> PackResult:
    """Make runs folders again that lie in the packs of an experiment; a pack without runs is removed.

    Args:
        experiment_id: The experiment, by id or name. None: the one that new runs go to.
        run_ids: The runs; None: all.
        dry_run: Whether nothing is unpacked, only told what would be.
        runs_dir: The store's folder, as in ``start_run``.

    Returns:
        What was unpacked, and what was passed over and why: runs in packs that are damaged.

    Raises:
        ExperimentNotFoundError: There is none.
        RunNotFoundError: There is no such run.
        InvalidIdError: An id is not legal.
        TimeoutError: Another process packs the same experiment.
        OSError: The disk refused, such as a full one; the runs are in their packs as before, or folders that are whole.

    A pack is removed only when each of its runs has a folder, in which every byte was compared with it.
    """
    store, experiment_id = _find(experiment_id, runs_dir)
    folder = layout.experiment_folder(store, experiment_id)
    broken: List[Problem] = []
    places = packed.list_runs(folder, lambda path, error: broken.append(Problem(path, packable.reason_of(error))))
    wanted = list(places) if run_ids is None else _check_runs(store, experiment_id, run_ids)
    wanted = [run_id for run_id in dict.fromkeys(wanted) if run_id in places]
    result = PackResult(experiment_id, [], broken, [], 0, 0)
    sizes = {run_id: _size(places[run_id]) for run_id in wanted}
    if dry_run:
        return result._replace(run_ids=wanted, size_bytes=sum(sizes.values()))
    packs = layout.packs_folder(folder)
    if not os.path.isdir(packs):
        return result
    before: Dict[str, int] = {path: os.path.getsize(path) for path in packed.list_packs(folder)}
    lock = os.path.join(packs, layout.LOCK)
    with lock_file.locked(lock, _WHAT, _PATIENCE_S):
        with Progress("Unpacking runs", sum(sizes.values())) as progress:
            for run_id in wanted:
                try:
                    unpacking.unpack_run(os.path.join(folder, run_id), progress.advance)
                except BrokenFileError as error:
                    result.passed_over.append(Problem(places[run_id], packable.reason_of(error)))
                    continue
                result.run_ids.append(run_id)
                result = result._replace(size_bytes=result.size_bytes + sizes[run_id])
        packing.sweep(folder)
        left = set(packed.list_packs(folder))
        unpacking.tidy(folder)
    gone = [path for path in before if path not in left]
    return result._replace(packs=gone, pack_bytes=sum(before[path] for path in gone))


def _find(experiment_id: Optional[ExperimentId], runs_dir: Optional[Path]) -> Any:
    """Return the store, and the id of an experiment that exists."""
    store = active.store_folder(runs_dir)
    if experiment_id is None:
        default = identity.find_default_experiment(store)
        experiment_id = identity.chosen_name() if default is None else default
    experiment_id = identity.known_experiment(store, experiment_id)
    experiments.get(store, experiment_id)
    return store, experiment_id


def _survey(store: str, experiment_id: ExperimentId, older_than_s: float, passed_over: List[Problem]) -> List[Survey]:
    """Return the runs that are to be packed, the oldest first."""
    from time import time

    run_ids = [
        run_id
        for run_id in reversed(reader.list_run_ids(store, experiment_id))
        if os.path.lexists(layout.run_folder(store, experiment_id, run_id))
    ]
    latest_ms = int((time() - older_than_s) * 1000)
    found = []
    with Progress("Looking at runs", len(run_ids), "runs") as progress:
        for run_id in run_ids:
            folder = layout.run_folder(store, experiment_id, run_id)
            try:
                if older_than_s:
                    ended = clock.decode_time(reader.read_metadata(folder, []).get("end_time"))
                    if ended is None or ended > latest_ms:
                        continue
                found.append(packable.survey(store, experiment_id, run_id))
            except FileNotFoundError:
                continue  # deleted meanwhile
            except (OSError, MiniMLflowError) as error:
                path = getattr(error, "path", None) or getattr(error, "filename", None)
                passed_over.append(Problem(str(path or folder), packable.reason_of(error)))
            finally:
                progress.advance()
    return found


def _hide(result: PackResult, store: str, run_id: str, path: str, *, is_new: bool = False) -> PackResult:
    """Take the folder of a run out of sight that is in a pack, too."""
    folder = layout.run_folder(store, result.experiment_id, run_id)
    try:
        reason = packing.hide_packed(store, result.experiment_id, run_id, path, is_new=is_new)
    except (OSError, BrokenFileError) as error:
        reason = packable.reason_of(error)
    if reason:
        result.passed_over.append(Problem(folder, reason))
    else:
        result.run_ids.append(run_id)
    return result


def _check_runs(store: str, experiment_id: ExperimentId, run_ids: Iterable[str]) -> List[str]:
    wanted = [run_ids] if isinstance(run_ids, str) else list(run_ids)
    for run_id in wanted:
        reader.run_folder(store, experiment_id, keys.check_known_run_id(run_id))
    return wanted


def _size(place: str) -> int:
    try:
        return sum(entry.size for entry in packed.entries_of(place).values())
    except (OSError, BrokenFileError):
        return 0


def _check_seconds(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return value
    message = "older_than_s must be a number of seconds from 0, got %s. A day is 86400."
    raise InvalidValueError(message % shown(value), value=value)
