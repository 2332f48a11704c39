"""How does a run of another tracker become one of ours, whole or not at all, and only once?"""

from __future__ import annotations

import os
from collections import namedtuple

from .. import clock, keys, layout
from ..artifact_names import find_fault
from ..errors import BrokenFileError, MiniMLflowError
from ..progress import Progress
from ..records import Problem
from ..store import (
    carrying,
    experiment_changes,
    experiments,
    held_folder,
    meta,
    presence,
    staging,
    trash,
    uniting,
    whole_run,
)
from ..store.uniting import ADDED, LEFT, SAME, United

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Optional, Union

    from .foreign import ForeignExperiment, ForeignRun

    ExperimentId = Union[int, str]


class ImportedRun(namedtuple("ImportedRun", ["run_id", "name", "experiment_id", "experiment", "outcome", "reason"])):
    """What became of a run.

    Attributes:
        run_id: Its id here.
        name: Its name.
        experiment_id: Its experiment here, None where there is none for it.
        experiment: The name of its experiment.
        outcome: ``added``, ``grown`` (more of it came in), ``same`` (it was here already), ``left`` (passed over).
        reason: Why it was passed over; empty for nothing.
    """

    __slots__ = ()

    run_id: str
    name: Optional[str]
    experiment_id: Optional[ExperimentId]
    experiment: str
    outcome: str
    reason: str


class Imported(namedtuple("Imported", ["runs", "problems", "size_bytes"])):
    """What came in.

    Attributes:
        runs: What became of each run, in the order of the source.
        problems: What of it could not be read or was left out.
        size_bytes: How many bytes of artifacts were copied.
    """

    __slots__ = ()

    runs: List[ImportedRun]
    problems: List[Problem]
    size_bytes: int

    @property
    def is_whole(self) -> bool:
        """Whether all of the source is here now."""
        return not self.problems and all(run.outcome != LEFT for run in self.runs)


def import_runs(
    runs: Iterable[ForeignRun], store: str, *, total: Optional[int] = None, into: Optional[str] = None
) -> Imported:
    """Bring runs in, each whole or not at all; those that are here are passed over: a second call finishes the first.

    Args:
        runs: The runs; read one by one.
        store: The folder of our store; made if it is missing.
        total: How many there are, for the progress line.
        into: The name of the experiment that all of them go to; None: one of the same name as theirs.

    Raises:
        OSError: The disk refused; what came in is whole.
    """
    store = os.path.realpath(store)
    os.makedirs(store, exist_ok=True)
    arrival = _Arrival(store, into)
    with Progress("Importing", total, "runs") as progress:
        for run in runs:
            arrival.bring(run)
            progress.advance()
    return Imported(arrival.runs, arrival.problems, arrival.size_bytes)


class _Arrival:
    """An import under way."""

    def __init__(self, store: str, into: Optional[str]) -> None:
        self.runs: List[ImportedRun] = []
        self.problems: List[Problem] = []
        self.size_bytes = 0
        self._store, self._into = store, into
        self._places: Dict[str, ExperimentId] = {}
        self._homes: Dict[str, List[ExperimentId]] = {}
        for experiment_id in experiments.list_ids(store):
            folder = layout.experiment_folder(store, experiment_id)
            staging.sweep(folder)
            for name in [*os.listdir(folder), *presence.list_packed(folder)]:
                if not name.startswith("."):
                    self._homes.setdefault(name, []).append(experiment_id)

    def bring(self, run: ForeignRun) -> None:
        """Bring one run in, and note what became of it."""
        name, before = self._into or run.experiment.name, self.size_bytes
        place: Optional[ExperimentId] = None
        try:
            keys.check_run_id(run.run_id)
            place = self._place(run.experiment)
            united = self._bring(run, place)
        except (BrokenFileError, ValueError) as error:
            united = United(LEFT, getattr(error, "reason", None) or str(error), [])
        if united.outcome in (SAME, LEFT):
            self.size_bytes = before  # what was only compared
        self.problems.extend(run.problems + united.problems)
        self.runs.append(
            ImportedRun(run.run_id, run.fields.get("name"), place, name, united.outcome, united.reason)
        )

    def _bring(self, run: ForeignRun, place: ExperimentId) -> United:
        for experiment_id in self._homes.get(run.run_id, ()):
            ours = layout.run_folder(self._store, experiment_id, run.run_id)
            if os.path.isfile(os.path.join(presence.place_of(ours), layout.META)) or presence.is_packed(ours):
                return self._go_on(run, ours, experiment_id)
        if any(each.run_id == run.run_id for each in trash.list_deleted(self._store, place)):
            return United(SAME if run.is_deleted else LEFT, "" if run.is_deleted else "it is deleted here", [])
        top = layout.experiment_folder(self._store, place)
        target = os.path.join(top, run.run_id)
        if run.is_deleted:
            os.makedirs(os.path.join(top, layout.TRASH), exist_ok=True)
            target = os.path.join(top, layout.TRASH, layout.trash_name(run.run_id, 1))
        with staging.staged(top) as path:
            self._write(run, place, path)
            staging.publish(path, target)
        self._homes.setdefault(run.run_id, []).append(place)
        return United(ADDED, "", [])

    def _go_on(self, run: ForeignRun, ours: str, place: ExperimentId) -> United:
        """Bring in what has come since, where the run was not over when it came, else nothing."""
        there = meta.read_meta(os.path.join(presence.place_of(ours), layout.META))
        if there.get("start_time") != run.fields.get("start_time"):
            return United(LEFT, "there is another run of this id, which started at %s" % there.get("start_time"), [])
        if there.get("status") != "RUNNING":
            return United(SAME, "", [])
        with staging.staged(os.path.dirname(ours)) as path:
            self._write(run, place, path)
            return uniting.extend_run(path, ours, run.run_id, self._advance)

    def _write(self, run: ForeignRun, place: ExperimentId, path: str) -> None:
        params, tags, metrics = run.read()
        for folder, name in run.artifacts:
            self._copy_artifacts(run, folder, os.path.join(path, layout.ARTIFACTS, name))
        end_ms = clock.decode_time(run.fields.get("end_time"))
        time_ms = clock.now_ms() if end_ms is None else end_ms
        whole_run.write(path, place, whole_run.WholeRun(run.run_id, run.fields, params, tags, metrics, time_ms))

    def _copy_artifacts(self, run: ForeignRun, folder: str, target: str) -> None:
        os.makedirs(target, exist_ok=True)
        try:
            with held_folder.hold(folder) as source, held_folder.hold(target.rstrip(os.sep)) as copy:
                carrying.copy_folder(source, copy, run.problems, self._advance, find_fault)
        except FileNotFoundError:
            pass  # git keeps no empty folders
        except OSError as error:
            if error.errno not in held_folder.NO_FOLDER:
                raise
            run.problems.append(Problem(folder, "it is a link, which is not followed, or no folder"))

    def _place(self, experiment: ForeignExperiment) -> ExperimentId:
        """Return our experiment of that name, made if need be, with the tags that it lacks.

        Raises:
            ExperimentDeletedError: It is deleted here.
        """
        name = self._into or experiment.name
        if name not in self._places:
            found = experiments.find(self._store, name)
            now_ms = clock.now_ms()
            if found is None:
                created = now_ms if self._into or experiment.creation_time is None else experiment.creation_time
                found = experiments.create(self._store, name, created)
            experiments.refuse_deleted(found)
            missing = {key: value for key, value in experiment.tags.items() if key not in found.tags}
            if missing and not self._into:
                try:
                    experiment_changes.set_tags(self._store, found.experiment_id, missing, now_ms)
                except MiniMLflowError as error:
                    folder = layout.experiment_folder(self._store, found.experiment_id)
                    self.problems.append(Problem(folder, str(error)))
            self._places[name] = found.experiment_id
        return self._places[name]

    def _advance(self, count: int) -> None:
        self.size_bytes += count
