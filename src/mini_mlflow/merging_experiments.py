"""Which experiment of ours does one of another store belong to? By id and by name, and told where the two clash."""

from __future__ import annotations

import os

from . import layout
from .clock import now_ms
from .errors import BrokenFileError, MiniMLflowError
from .records import Problem
from .store import carrying, documents, experiment_changes, experiments, held_folder, meta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Union

    from .records import Experiment

    ExperimentId = Union[int, str]

# What MLflow keeps in an experiment's folder beside the runs: its tags, and the data sets that runs name.
_BESIDE_RUNS = (layout.TAGS, "datasets", "models", "traces")


class Experiments:
    """The experiments of two stores while one is merged into the other.

    Attributes:
        added: Names of those that came in.
        notes: What is to be said.
        problems: What could not be read or was left out.
    """

    def __init__(self, theirs: str, ours: str, *, is_dry: bool) -> None:
        self.added: List[str] = []
        self.notes: List[str] = []
        self.problems: List[Problem] = []
        self._theirs, self._ours, self._is_dry = theirs, ours, is_dry

    def find_or_add(self, there: Experiment) -> Optional[ExperimentId]:
        """Return the id of our experiment that takes the runs of theirs, None where none may.

        It is that of the same id if that has the same name, too, or is known to be the same one, renamed; else the one
        of the same name; else theirs comes in under its own id, or, where another has that, under the home of its name.
        """
        here = experiments.read(self._ours, there.experiment_id)
        if here is None or self._is_begun(there.experiment_id):
            named = experiments.find(self._ours, there.name)
            if named is None or named.experiment_id == there.experiment_id:
                return self._add(there)
            self._note(there, named, "that one takes its runs")
            return self._use(there, named)
        if experiments.as_kept(here.name) == experiments.as_kept(there.name):
            return self._use(there, here)
        if there.experiment_id in (experiments.home_id(here.name), experiments.home_id(there.name)):
            self.notes.append(
                "experiment %s is called %r here and %r there: it was renamed, and is called as here"
                % (there.experiment_id, here.name, there.name)
            )
            return self._use(there, here)
        return self._find_or_create(there, here)

    def _is_begun(self, experiment_id: ExperimentId) -> bool:
        """Tell whether our folder of an experiment is there and nothing in it, not even a name: a kill leaves that."""
        folder = layout.experiment_folder(self._ours, experiment_id)
        try:
            return all(name.startswith(".") for name in os.listdir(folder))
        except OSError:
            return False

    def _find_or_create(self, there: Experiment, here: Experiment) -> Optional[ExperimentId]:
        """Find a place for an experiment whose id another one has here: one of its name, made if need be."""
        named = experiments.find(self._ours, there.name)
        if named is None and not self._is_dry:
            named = experiments.create(self._ours, there.name, now_ms())
        if named is None or experiments.find(self._ours, there.name) is None:
            self.added.append(there.name)
            return experiments.home_id(there.name)
        facts = (there.experiment_id, here.name, there.name, named.experiment_id)
        self.notes.append("experiment %s is %r here and %r there: the runs of that one go to %s" % facts)
        return self._use(there, named)

    def _use(self, there: Experiment, here: Experiment) -> Optional[ExperimentId]:
        if here.lifecycle_stage == experiments.DELETED and there.lifecycle_stage != experiments.DELETED:
            self.notes.append("experiment %r is deleted here: passed over; restore it first" % here.name)
            self.problems.append(
                Problem(layout.experiment_folder(self._ours, here.experiment_id), "this experiment is deleted here")
            )
            return None
        if there.lifecycle_stage == experiments.DELETED and here.lifecycle_stage != experiments.DELETED:
            self.notes.append("experiment %r is deleted there, and here it is not" % here.name)
        self._bring_tags(there, here)
        self._bring_beside(there, here.experiment_id)
        return here.experiment_id

    def _add(self, there: Experiment) -> Optional[ExperimentId]:
        """Bring an experiment in under its own id, with the meta.yaml that it has."""
        self.added.append(there.name)
        if self._is_dry:
            return there.experiment_id
        source = os.path.join(layout.experiment_folder(self._theirs, there.experiment_id), layout.META)
        folder = layout.experiment_folder(self._ours, there.experiment_id)
        os.makedirs(folder, exist_ok=True)
        try:
            data = documents.read(source, meta.MAX_META_BYTES)
            meta.decode(data, source)
            documents.create(os.path.join(folder, layout.META), data)
        except FileExistsError:
            return self.find_or_add(there)  # somebody made one at this moment
        except FileNotFoundError:
            pass  # an experiment may do without: its name is its id
        except (PermissionError, BrokenFileError) as error:
            self.problems.append(Problem(source, getattr(error, "reason", None) or str(error)))
        self._bring_beside(there, there.experiment_id)
        return there.experiment_id

    def _bring_tags(self, there: Experiment, here: Experiment) -> None:
        """Add the tags that ours lacks; those that differ stay, and are told."""
        for key in sorted(there.tags):
            if key in here.tags and here.tags[key] != there.tags[key]:
                facts = (key, here.name, here.tags[key], there.tags[key])
                self.notes.append("tag %r of experiment %r is %.60r here and %.60r there: ours stays" % facts)
        missing = {key: there.tags[key] for key in sorted(there.tags) if key not in here.tags}
        if missing and not self._is_dry and here.lifecycle_stage != experiments.DELETED:
            try:
                experiment_changes.set_tags(self._ours, here.experiment_id, missing, now_ms())
            except (OSError, MiniMLflowError) as error:
                self.notes.append("the tags of experiment %r cannot be brought in: %s" % (here.name, error))

    def _bring_beside(self, there: Experiment, experiment_id: ExperimentId) -> None:
        """Copy what MLflow keeps beside the runs of an experiment, file by file, where ours lacks it."""
        if self._is_dry:
            return
        top = layout.experiment_folder(self._theirs, there.experiment_id)
        target = layout.experiment_folder(self._ours, experiment_id)
        for name in _BESIDE_RUNS:
            path = os.path.join(top, name)
            if not os.path.isdir(path) or os.path.exists(os.path.join(path, layout.META)):
                continue  # there is none, or it is a run of that name
            try:
                with held_folder.descend(top, [name]) as folder:
                    files = carrying.list_files(folder, self.problems)
                for parts in sorted(files):
                    with held_folder.descend(top, [name, *parts[:-1]]) as source, held_folder.descend(
                        target, [name, *parts[:-1]], is_made=True
                    ) as folder:
                        if folder.find(parts[-1]) is None:
                            carrying.copy_file(source, parts[-1], folder, lambda _: None)
            except PermissionError as error:
                self.problems.append(Problem(path, error.strerror or str(error)))

    def _note(self, there: Experiment, here: Experiment, what: str) -> None:
        facts = (there.name, there.experiment_id, here.experiment_id, what)
        self.notes.append("experiment %r is %s there and %s here: %s" % facts)
