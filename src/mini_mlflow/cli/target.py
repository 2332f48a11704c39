"""Which store does a command look at, and which experiments and runs are in it?"""

from __future__ import annotations

import os

from .. import config, errors
from ..store import experiments as stored
from .failures import AMBIGUOUS, NOT_FOUND, USAGE, CommandError, closing_advice, not_found

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Callable, Dict, List, Optional, Sequence, TypeVar, Union

    from ..records import Experiment

    ExperimentId = Union[int, str]
    Answer = TypeVar("Answer")

_ACTIVE = (stored.ACTIVE,)  # within the class, that name is a method's


class Target:
    """The store of a command.

    Attributes:
        folder: Its absolute path.
        shown: As the user named it, for messages.
        is_there: Whether there is such a folder.
    """

    def __init__(self, folder: str, shown: str) -> None:
        self.folder = folder
        self.shown = shown
        self.is_there = os.path.isdir(folder)
        self._experiments: Optional[List[Experiment]] = None

    def experiments(self, *, with_deleted: bool = False) -> List[Experiment]:
        """Return the experiments, by id."""
        if self._experiments is None:
            self._experiments = stored.list_experiments(self.folder)
        return [each for each in self._experiments if with_deleted or each.lifecycle_stage == stored.ACTIVE]

    def experiment(self, word: str) -> Experiment:
        """Return the experiment that a name or an id means; ``name:`` and ``id:`` force one.

        Raises:
            CommandError: There is none, or several have the name.
        """
        there = self.experiments(with_deleted=True)
        kind, colon, rest = word.partition(":")
        forced = kind if colon and kind in ("name", "id") else ""
        name = rest if forced else word
        if forced != "id":
            found = [each for each in there if each.name == name]
            found = [each for each in found if each.lifecycle_stage == stored.ACTIVE] or found
            if len(found) > 1:
                lines = ["id:%s" % each.experiment_id for each in found]
                raise CommandError("'%s' is the name of %d experiments" % (name, len(found)), AMBIGUOUS, lines=lines)
            if found:
                return found[0]
        if forced != "name":
            found = [each for each in there if str(each.experiment_id) == name]
            if found:
                return found[0]
        names = [each.name for each in self.experiments()]
        error = not_found("experiment", name, self.shown, names)
        if not error.near:
            error.lines = closing_advice(names)
        raise error

    def ids(self, word: Optional[str] = None) -> List[ExperimentId]:
        """Return the experiment that is meant, all that are not deleted where none is."""
        return [each.experiment_id for each in (self.experiments() if word is None else [self.experiment(word)])]

    def where(self, word: Optional[str] = None) -> str:
        """Return what messages call the place that is looked in: the experiment that is meant, else the store."""
        return self.shown if word is None else "experiment '%s'" % self.experiment(word).name

    def names(self) -> Dict[str, str]:
        """Return the names of all experiments by their ids, as texts."""
        return {str(each.experiment_id): each.name for each in self.experiments(with_deleted=True)}

    def ask(
        self,
        ids: Sequence[ExperimentId],
        question: Callable[[Any], Answer],
        stages: Sequence[str] = _ACTIVE,
        *,
        refresh: bool = False,
        is_quiet: bool = False,
    ) -> Answer:
        """Return what a question finds in the runs of experiments; see ``search.scanning.ask``.

        Args:
            ids: The experiments.
            question: Gets the table of runs, and returns plain data; it may be asked more than once.
            stages: ``active`` for runs that are there, ``deleted`` for those in the trash.
            refresh: Whether every file of every run is looked at first.
            is_quiet: Whether nothing is warned of.
        """
        from ..search import scanning  # help does without

        return scanning.ask(self.folder, ids, stages, question, is_refreshed=refresh, is_quiet=is_quiet)


def find_target(arguments: argparse.Namespace, *, may_be_missing: bool = False) -> Target:
    """Return the store that ``-d``, the environment or the default names.

    Args:
        arguments: What was said.
        may_be_missing: Whether ``-d`` may name a folder that is not there.

    Raises:
        CommandError: ``-d`` names none.
    """
    given = getattr(arguments, "dir", None)
    try:
        shown = os.fspath(config.runs_dir(given))
        folder = config.store_folder(given)
    except errors.InvalidValueError as error:
        raise CommandError(str(error), USAGE) from error
    if given is not None and not may_be_missing and not os.path.isdir(folder):
        raise CommandError("there is no store %s" % shown, NOT_FOUND, lines=_stores_near(folder))
    return Target(folder, shown)


def _stores_near(folder: str) -> List[str]:
    """Return a line that names a store beside the folder that is none."""
    parent = os.path.dirname(folder)
    try:
        names = sorted(entry.name for entry in os.scandir(parent) if entry.is_dir())
    except OSError:
        return []
    near = errors.near_names(os.path.basename(folder), names)
    return ["near:  " + "   ".join(near)] if near else []
