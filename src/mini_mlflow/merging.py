"""What does another store hold that ours lacks, and how does it come in without anything of ours being overwritten?"""

from __future__ import annotations

import os
from collections import namedtuple

from . import keys, layout
from .errors import InvalidValueError, MiniMLflowError
from .merging_experiments import Experiments
from .progress import Progress
from .records import Experiment, Problem
from .store import experiments, held_folder, kinship, packed, presence, reader, staging, trash, uniting, unowned
from .store.uniting import ADDED, GROWN, LEFT, SAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Tuple, Union

    ExperimentId = Union[int, str]

_NO_RUNS = ("tags", "datasets", "traces", "models")  # what MLflow keeps beside runs (docs/mlflow-stores.md, rule G5)


class MergedRun(namedtuple("MergedRun", ["run_id", "name", "experiment_id", "experiment", "outcome", "reason"])):
    """What became of a run of the other store.

    Attributes:
        run_id: Its id.
        name: Its name there, None where it has none.
        experiment_id: The experiment of ours that it belongs to.
        experiment: What that is called there.
        outcome: ``added``, ``grown`` (ours had less of it), ``same``, ``left`` (passed over).
        reason: Why it was passed over, or what is to be said of it; empty for nothing.
    """

    __slots__ = ()

    run_id: str
    name: Optional[str]
    experiment_id: ExperimentId
    experiment: str
    outcome: str
    reason: str


class Merged(namedtuple("Merged", ["experiments", "notes", "runs", "problems", "size_bytes"])):
    """What became of another store.

    Attributes:
        experiments: Names of the experiments that came in.
        notes: What is to be said of experiments: clashes of ids and names, deleted ones.
        runs: What became of each run, in the order of experiments and ids.
        problems: Files that were left out, and files that differ and stay as ours are.
        size_bytes: How much was copied.
    """

    __slots__ = ()

    experiments: List[str]
    notes: List[str]
    runs: List[MergedRun]
    problems: List[Problem]
    size_bytes: int

    @property
    def is_whole(self) -> bool:
        """Whether ours holds all of it now, and nothing differs."""
        return not self.problems and all(run.outcome != LEFT for run in self.runs)


def merge(other: str, store: str, *, is_dry: bool = False, with_live: bool = False) -> Merged:
    """Bring what another store has and ours lacks into ours; what ours has stays, and the other store is only read.

    A run that both have gets what the other copy has more: shares of other writers, later rows, params, tags and
    artifacts. Two runs of one id that are not the same run are told, and ours stays. A kill at any moment leaves no
    half run, and the next call finishes.

    Args:
        other: The folder of the other store.
        store: That of ours; made if it is missing.
        is_dry: Whether nothing is changed, only told.
        with_live: Whether runs that are being written come in as they are now; the next merge brings the rest. Else
            they are passed over.

    Raises:
        FileNotFoundError: There is no other store.
        InvalidValueError: One of the stores lies in the other, or they are one.
        OSError: The disk refused; what came in is whole.
    """
    theirs, ours = os.path.realpath(other), os.path.realpath(store)
    if not os.path.isdir(theirs):
        raise FileNotFoundError(2, "There is no store", other)
    _refuse_kin(theirs, ours, other)
    if not is_dry:
        os.makedirs(ours, exist_ok=True)
    merging = _Merging(theirs, ours, is_dry=is_dry, with_live=with_live)
    merging.bring_all()
    return Merged(
        merging.places.added, merging.places.notes, merging.runs, merging.problems + merging.places.problems,
        merging.size_bytes,
    )  # fmt: skip


class _Merging:
    """One merge under way."""

    def __init__(self, theirs: str, ours: str, *, is_dry: bool, with_live: bool) -> None:
        self.theirs, self.ours = theirs, ours
        self.runs: List[MergedRun] = []
        self.problems: List[Problem] = []
        self.size_bytes = 0
        self.places = Experiments(theirs, ours, is_dry=is_dry)
        self._is_dry, self._with_live = is_dry, with_live
        self._homes: Dict[str, List[ExperimentId]] = {}  # of our runs: their experiments

    def bring_all(self) -> None:
        """Bring every experiment, then every run of it."""
        for experiment_id in experiments.list_ids(self.ours):
            if not self._is_dry:
                staging.sweep(layout.experiment_folder(self.ours, experiment_id))
            for name in _names(layout.experiment_folder(self.ours, experiment_id)):
                self._homes.setdefault(name, []).append(experiment_id)
        there = [(each, self._list_runs(each)) for each in experiments.list_experiments(self.theirs)]
        with Progress("Merging", sum(len(runs) for _, runs in there), "runs") as progress:
            for experiment, runs in there:
                place = self.places.find_or_add(experiment)
                for folder, run_id, is_deleted in runs:
                    if place is not None:
                        found = self._bring(folder, run_id, place, is_deleted=is_deleted)
                        facts = (run_id, _name_of(folder), place, experiment.name)
                        self.runs.append(MergedRun(*facts, found.outcome, found.reason))
                    progress.advance()

    def _list_runs(self, experiment: Experiment) -> List[Tuple[str, str, bool]]:
        """Return (folder, id, whether it lies in the trash) of the runs of one of their experiments."""
        top = layout.experiment_folder(self.theirs, experiment.experiment_id)
        found = []
        try:
            with held_folder.hold(top) as folder:
                entries = folder.list_entries()
        except OSError as error:
            reason = "it is a link, which is not followed" if os.path.islink(top) else error.strerror or str(error)
            self.problems.append(Problem(top, reason))
            return []
        for name, state in entries:
            path = os.path.join(top, name)
            if name.startswith(".") or held_folder.is_file(state):
                continue
            if not held_folder.is_folder(state):
                self.problems.append(Problem(path, "it is a link, which is not followed, or no folder"))
            elif _has_meta(path):
                found.append((path, name, False))
            elif name not in _NO_RUNS and any(os.path.isdir(os.path.join(path, part)) for part in layout.RUN_PARTS):
                self.problems.append(Problem(path, "it has no meta.yaml, so it is no run, or half of one"))
        there = {name for _, name, _ in found}
        for name, path in sorted(presence.list_packed(top).items()):
            if name not in there:  # where there is a folder, it counts (rule Z4)
                found.append((path, name, False))
        deleted = trash.list_deleted(self.theirs, experiment.experiment_id)
        found += [(each.folder, each.run_id, True) for each in sorted(deleted, key=lambda one: one.folder)]
        return found

    def _bring(self, folder: str, run_id: str, place: ExperimentId, *, is_deleted: bool) -> uniting.United:
        try:
            keys.check_known_run_id(run_id)
            if not is_deleted and not self._with_live and unowned.find_writer(folder) is not None:
                reason = "it is being written; merge again when it has ended"
                return uniting.United(LEFT, reason, [])
            united = self._unite(folder, run_id, place, is_deleted=is_deleted)
        except (OSError, MiniMLflowError) as error:
            if not isinstance(error, (PermissionError, FileNotFoundError, MiniMLflowError)):
                raise  # a full disk is no matter of one run
            return uniting.United(LEFT, getattr(error, "reason", None) or str(error), [])
        self.problems.extend(united.problems)
        return united

    def _unite(self, folder: str, run_id: str, place: ExperimentId, *, is_deleted: bool) -> uniting.United:
        says_running = uniting.is_running(folder)  # reads its meta.yaml, and so refuses what nobody could read
        for experiment_id in sorted(self._homes.get(run_id, ()), key=lambda each: each != place):
            mine = layout.run_folder(self.ours, experiment_id, run_id)
            stranger = kinship.tell_stranger(folder, presence.place_of(mine))
            if stranger and experiment_id == place and not is_deleted:
                return uniting.United(LEFT, stranger, [])
            if not stranger and is_deleted:
                return _left_or_same(folder, presence.place_of(mine), "it is deleted there, and here it is not")
            if not stranger:
                return uniting.extend_run(folder, mine, run_id, self._advance, is_dry=self._is_dry)
        for each in trash.list_deleted(self.ours, place):
            if each.run_id == run_id and not kinship.tell_stranger(folder, each.folder):
                if is_deleted:
                    return _left_or_same(folder, each.folder, "")
                return uniting.United(LEFT, "it is deleted here; restore it first to bring in what is new", [])
        if self._is_dry:
            return uniting.United(ADDED, "", [])
        add = uniting.add_deleted if is_deleted else uniting.add_run
        top = layout.experiment_folder(self.ours, place)
        problems = add(folder, top, run_id, self._advance)
        if not is_deleted:
            self._homes.setdefault(run_id, []).append(place)
        reason = "it says that it is running; merge again for what comes" if says_running else ""
        return uniting.United(ADDED, reason, problems)

    def _advance(self, count: int) -> None:
        self.size_bytes += count


def _refuse_kin(theirs: str, ours: str, other: str) -> None:
    """Refuse to merge a store with itself, or with one that lies in it; compared by parts, not by text."""
    are_near = os.path.splitdrive(theirs)[0] == os.path.splitdrive(ours)[0]
    if are_near and os.path.commonpath([theirs, ours]) in (theirs, ours):
        message = "%s is this very store, or one of the two lies in the other. Name another store."
        raise InvalidValueError(message % other, value=other)


def _name_of(folder: str) -> Optional[str]:
    try:
        name = reader.read_metadata(folder, []).get("name")
    except (OSError, MiniMLflowError):
        return None  # why is told where the run is brought
    return name if isinstance(name, str) else None


def _names(folder: str) -> List[str]:
    try:
        names = [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError:
        return []
    return sorted({name for name in names if _has_meta(os.path.join(folder, name))} | set(presence.list_packed(folder)))


def _left_or_same(theirs: str, ours: str, reason: str) -> uniting.United:
    """Return what becomes of a copy that is deleted there: nothing, and it is told where it has more than ours."""
    if packed.split(ours) is not None:
        return uniting.United(LEFT, "it is deleted there, and lies in a pack here: unpack it to compare the two", [])
    kin = kinship.compare(theirs, ours)
    if kin.missing or kin.later or kin.conflicts:
        return uniting.United(LEFT, "it is deleted there, and has more than here: restore it there first", kin.problems)
    return uniting.United(SAME, reason, kin.problems)


def _has_meta(folder: str) -> bool:
    """Tell whether a folder has the meta.yaml of a run, be it that of a writer who resumed it (rule F2)."""
    if os.path.lexists(os.path.join(folder, layout.META)):
        return True
    writers = os.path.join(folder, layout.WRITERS)
    try:
        return any(os.path.lexists(os.path.join(writers, name, layout.META)) for name in os.listdir(writers))
    except OSError:
        return False


__all__ = ["ADDED", "GROWN", "LEFT", "SAME", "Merged", "MergedRun", "merge"]
