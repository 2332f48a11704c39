"""Does a whole store keep the rules, and how is mended what can be mended?

Rules S2, E3, E5, E6, T1 to T6 and X1 of docs/format.md, and through the other rooms all that files can break.
"""

from __future__ import annotations

import os
from collections import namedtuple
from contextlib import contextmanager
from time import time

from .. import layout
from ..errors import ActiveRunError, BrokenFileError, MiniMLflowError
from ..keys import check_experiment_id
from ..store import experiment_changes, experiments, held_folder, mending, touching, unowned
from .findings import ERROR, WARNING, Faults, Repair, Unmended
from .keyed import list_names
from .leftovers import check_leftovers, is_old
from .metas import check_experiment_meta
from .packs import check_packs, check_staged
from .runs import check_run, looks_like_run
from .shares import check_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterable, Iterator, List, Optional, Tuple, Union

    from .findings import Finding, Report

    ExperimentId = Union[int, str]
    OnProgress = Optional[Callable[[int, int], None]]

_ROUNDS = 4  # a file that got its name back may have to be closed next
_HIDDEN_S = 600.0  # who removes something is done with it by then, or was killed


class _Place(namedtuple("_Place", ["folder", "experiment_id", "run_id"])):
    """What is looked at, and mended, at once: a run, an experiment without its runs, or the store without those."""

    __slots__ = ()

    folder: str
    experiment_id: Optional[str]
    run_id: Optional[str]


def check_store(
    runs_dir: str, *, experiment_ids: Optional[Iterable[ExperimentId]] = None, on_progress: OnProgress = None
) -> Report:
    """Look whether a store keeps the rules of docs/format.md; nothing is written.

    Args:
        runs_dir: The store, as an absolute path.
        experiment_ids: Only these experiments; None: all, and the store itself.
        on_progress: Called after each run and experiment with how many are done, and how many there are.

    Returns:
        What was found. A store that is not there has nothing wrong.

    Raises:
        OSError: The store's folder cannot be listed.
    """
    faults = Faults(runs_dir)
    places = _list_places(runs_dir, experiment_ids)
    for number, place in enumerate(places, 1):
        faults.take(_look(runs_dir, place))
        if on_progress is not None:
            on_progress(number, len(places))
    return faults.report()


def repair_store(
    runs_dir: str, *, experiment_ids: Optional[Iterable[ExperimentId]] = None, on_progress: OnProgress = None
) -> Repair:
    """Mend what ``check_store`` finds and what can be mended without losing a value; look again afterwards.

    A run is mended while nobody writes it, and kept from being written meanwhile, by the locks that deleting takes
    (rule T3). Each file is replaced, renamed or removed in one step: who is killed in between leaves some mended, the
    others as they were, and the next repair goes on. Every complete row and every value stays.

    Args:
        runs_dir: As for ``check_store``.
        experiment_ids: As for ``check_store``.
        on_progress: As for ``check_store``.

    Raises:
        OSError: The store's folder cannot be listed.
    """
    after = Faults(runs_dir)
    mended: List[Finding] = []
    unmended: List[Unmended] = []
    places = _list_places(runs_dir, experiment_ids)
    for number, place in enumerate(places, 1):
        faults = _look(runs_dir, place)
        if any(fault.mend is not None for fault in faults.found):
            done, failed = _mend(runs_dir, place, faults)
            mended += done
            unmended += failed
            faults = _look(runs_dir, place)
        after.take(faults)
        if on_progress is not None:
            on_progress(number, len(places))
    return Repair(mended, unmended, after.report())


def _list_places(runs_dir: str, experiment_ids: Optional[Iterable[ExperimentId]]) -> List[_Place]:
    places = []
    only = None if experiment_ids is None else set(map(str, experiment_ids))
    for name in _list_experiments(runs_dir):
        if only is not None and name not in only:
            continue
        folder = os.path.join(runs_dir, name)
        places.append(_Place(folder, name, None))
        for inside, is_trash in ((folder, False), (os.path.join(folder, layout.TRASH), True)):
            if is_trash and os.path.islink(inside):
                continue
            for run in _listed(inside):
                path = os.path.join(inside, run)
                if not run.startswith(".") and looks_like_run(path):
                    places.append(_Place(path, name, layout.run_id_in_trash(run) if is_trash else run))
    if only is None and os.path.isdir(runs_dir):
        places.append(_Place(runs_dir, None, None))
    return places


def _list_experiments(runs_dir: str) -> List[str]:
    try:
        names = os.listdir(runs_dir)
    except FileNotFoundError:
        return []
    found = []
    for name in names:
        folder = os.path.join(runs_dir, name)
        if name.startswith(".") or not os.path.isdir(folder):
            continue
        has_files = any(os.path.lexists(os.path.join(folder, each)) for each in (layout.META, layout.PACKS))
        if has_files or (name != "models" and _has_run(folder)):
            found.append(name)
    return sorted(found, key=lambda name: (not name.isdigit(), len(name) if name.isdigit() else 0, name))


def _has_run(folder: str) -> bool:
    """Tell whether a folder has a run; also where it cannot be listed, which is told when it is looked at."""
    try:
        names = os.listdir(folder)
    except OSError:
        return os.path.basename(folder) != "lost+found"  # ext4 keeps one for itself at the top of each disk
    return any(not name.startswith(".") and looks_like_run(os.path.join(folder, name)) for name in names)


def _listed(folder: str) -> List[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []  # what cannot be listed is told where the folder is looked at


def _look(runs_dir: str, place: _Place) -> Faults:
    """Look at one place; what is gone meanwhile has nothing wrong."""
    try:
        if place.run_id is not None:
            return check_run(runs_dir, place.folder, place.run_id, str(place.experiment_id), time())
        if place.experiment_id is not None:
            return _look_at_experiment(runs_dir, place.folder, place.experiment_id, time())
        return _look_at_store(runs_dir, time())
    except FileNotFoundError:
        return Faults(runs_dir)


def _look_at_experiment(runs_dir: str, folder: str, experiment_id: str, now: float) -> Faults:
    faults = Faults(runs_dir)
    try:
        check_experiment_id(experiment_id)
    except ValueError:
        text = "can be no experiment id, so none of its runs is read. Rename the folder"
        faults.add("S2", ERROR, folder, text)
    if os.path.islink(folder):
        faults.add("S1", WARNING, folder, "is a link: the experiment that it leads to does not travel with the store")
    names = list_names(folder, faults)
    if names is None:
        return faults
    fields = check_experiment_meta(os.path.join(folder, layout.META), experiment_id, faults)
    check_lock(os.path.join(folder, layout.LOCK), "E5", "the experiment cannot be changed", faults)
    check_leftovers(folder, now, faults)
    check_staged(folder, now, faults)
    faults.runs += check_packs(folder, now, faults)
    _tell_collisions(folder, [name for name in names if looks_like_run(os.path.join(folder, name))], "S3", faults)
    if fields.get("lifecycle_stage") == experiments.DELETED and "format" in fields:
        living = experiment_changes.find_living(folder)
        if living is not None:
            text = "is deleted, yet its run %s is being written: gc leaves it whole" % living
            faults.add("E6", WARNING, folder, text)
    _look_at_trash(os.path.join(folder, layout.TRASH), now, faults)
    return faults


def _look_at_trash(folder: str, now: float, faults: Faults) -> None:
    if os.path.islink(folder):
        faults.add("T6", WARNING, folder, "is a link, which is passed over: nothing is restored from there or removed")
        return
    if os.path.lexists(folder) and not os.path.isdir(folder):
        faults.add("T1", ERROR, folder, "is no folder, so no run can be deleted")
        return
    for name in _listed(folder):
        path = os.path.join(folder, name)
        try:
            if looks_like_run(path) and unowned.find_writer(path) is not None:
                faults.add("T3", WARNING, path, "is in the trash, yet it is being written: gc leaves it whole")
        except OSError as error:
            faults.unreadable(path, error)
    _tell_hidden(folder, now, faults)


def _look_at_store(runs_dir: str, now: float) -> Faults:
    faults = Faults(runs_dir)
    names = _list_experiments(runs_dir)
    _tell_collisions(runs_dir, names, "S2", faults)
    check_leftovers(runs_dir, now, faults)
    _tell_hidden(runs_dir, now, faults)
    homes: Dict[str, List[str]] = {}
    for experiment in experiments.list_experiments(runs_dir):
        if experiment.lifecycle_stage == experiments.ACTIVE:
            homes.setdefault(experiments.as_kept(experiment.name), []).append(str(experiment.experiment_id))
    for name, ids in sorted(homes.items()):
        if len(ids) > 1:
            found = experiments.find(runs_dir, name)
            text = "the name %.60r is also that of %s; asked for by it, %s is found. Rename one"
            others, chosen = ", ".join(ids[:-1][:5]), "none" if found is None else found.experiment_id
            faults.add("E3", WARNING, os.path.join(runs_dir, ids[-1]), text % (name, others, chosen))
    return faults


def _tell_collisions(folder: str, names: List[str], rule: str, faults: Faults) -> None:
    """Tell of folders that a disk of macOS or Windows takes for one."""
    taken: Dict[str, str] = {}
    for name in names:
        first = taken.setdefault(layout.fold(name), name)
        if first != name:
            text = "its name is that of %s but for case or form: on a disk of macOS or Windows the two become one"
            faults.add(rule, WARNING, os.path.join(folder, name), text % first)


def _tell_hidden(folder: str, now: float, faults: Faults) -> None:
    """Tell of folders that were to be removed for good when a kill came (rule T5)."""
    hidden = []
    for name in _listed(folder):
        try:
            state = os.lstat(os.path.join(folder, name))
        except FileNotFoundError:
            continue
        if mending.is_leftover(name) and held_folder.is_folder(state) and is_old(state, now, _HIDDEN_S):
            hidden.append(name)
    if hidden:
        text = "removing was broken off: %s" % ("it is left" if len(hidden) == 1 else "%d are left" % len(hidden))
        repair = "removes for good what was to be removed"
        faults.add("T5", WARNING, os.path.join(folder, hidden[0]), text, repair, lambda: _sweep(folder, hidden))


def _sweep(folder: str, names: List[str]) -> None:
    """Finish removing folders, unless a run in one of them is being written."""
    with held_folder.hold(folder) as held:
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isdir(path) and experiment_changes.find_living(path) is not None:
                raise ActiveRunError("a process writes a run of it")
            try:
                held.remove_tree(name)
            except FileNotFoundError:
                continue  # another has finished it


def _mend(runs_dir: str, place: _Place, found: Faults) -> Tuple[List[Finding], List[Unmended]]:
    """Mend one place while nobody changes it; return what was mended, and what was not and why."""
    mended: List[Finding] = []
    failed: Dict[Finding, str] = {}
    told = None
    if place.experiment_id is not None:  # of a run in the trash the time tells when it was deleted (rule T2)
        experiment = os.path.join(runs_dir, place.experiment_id)
        is_active = place.run_id is not None and os.path.dirname(place.folder) == experiment
        told = place.folder if is_active else os.path.join(experiment, "any run")
    try:
        with _kept_still(runs_dir, place):
            if told is not None:
                touching.touch_run(told)
            for _ in range(_ROUNDS):
                if not _mend_once(_look(runs_dir, place), mended, failed):
                    break
            if told is not None:
                touching.touch_run(told)
    except (ActiveRunError, OSError, BrokenFileError) as error:
        mendable = [fault.finding for fault in found.found if fault.mend is not None]
        failed.update((finding, _reason(error)) for finding in mendable if finding not in mended)
    return mended, [Unmended(finding, reason) for finding, reason in failed.items()]


def _mend_once(faults: Faults, mended: List[Finding], failed: Dict[Finding, str]) -> bool:
    """Mend what was found and did not fail before; tell whether there was anything to mend."""
    is_done = False
    for finding, mend in faults.found:
        if mend is None or finding in failed:
            continue
        is_done = True
        if finding in mended:
            mended.remove(finding)
            failed[finding] = "it looks the same afterwards"
            continue
        try:
            mend()
            mended.append(finding)
        except (OSError, MiniMLflowError) as error:
            failed[finding] = _reason(error)
    return is_done


@contextmanager
def _kept_still(runs_dir: str, place: _Place) -> Iterator[None]:
    if place.run_id is not None:
        with unowned.kept_still(place.folder, place.run_id, "repaired"):
            yield
    elif place.experiment_id is not None and _is_legal(place.experiment_id):
        with experiment_changes.locked(runs_dir, place.experiment_id):
            yield
    else:
        yield


def _is_legal(experiment_id: str) -> bool:
    try:
        check_experiment_id(experiment_id)
    except ValueError:
        return False
    return True


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or getattr(error, "strerror", None) or error)
