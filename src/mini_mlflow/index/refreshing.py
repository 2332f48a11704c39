"""How does the index learn what has changed in the store since it was written?

What is looked at is the less the surer it is that nothing has: every file of a run that is being written, the folder
of one that has ended, and of an experiment whose folder looks as it did then only that. So all is found that we
ourselves change (rule X1), and what others do by sweeps, which look at all folders of some runs each time.
docs/searching.md tells users what that leaves unseen, and until when.
"""

from __future__ import annotations

import os
from collections import namedtuple
from time import monotonic

from .. import layout
from ..errors import warn
from ..store import machine
from ..store.experiments import ACTIVE, DELETED
from . import fingerprints, known_runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Sequence, Set, Tuple, Union

    from .database import Database
    from .entry import Entry, State

    ExperimentId = Union[int, str]
    Row = Tuple[int, str, str, str, State]

SWEEP_S = 0.02  # what each refresh spends on runs that ended long ago
CONFIRM_S = 0.05  # what is spent at most on those that an answer tells of: a thousand runs
_TICKS_MS = 2000  # of the coarsest clock of a disk: what was looked at longer ago is told apart from what comes later
_AT_ONCE = 1000  # runs that are read between two writes to the index: so much is lost to an interruption
_FEW = 64  # of a sweep between two looks at the clock


class Place(namedtuple("Place", ["experiment_id", "is_in_trash", "name", "known", "is_deep"])):
    """A folder that is to be read.

    Attributes:
        experiment_id: The experiment.
        is_in_trash: Whether it lies in the trash.
        name: The folder's name.
        known: Its row in the index, None where it has none.
        is_deep: Whether to look at every file.
    """

    __slots__ = ()

    experiment_id: str
    is_in_trash: bool
    name: str
    known: Optional[Row]
    is_deep: bool


class Refresher:
    """Brings the index of a store up to date: ``refresh`` before a question, ``confirm`` before its answer is given."""

    def __init__(self, database: Database, runs_dir: str, now_ms: int, *, is_full: bool = False) -> None:
        """Prepare.

        Args:
            database: The index.
            runs_dir: The store, as an absolute path.
            now_ms: The clock.
            is_full: Whether every file of every run is looked at, which also finds what was edited in place.
        """
        self._database = database
        self._runs_dir = runs_dir
        self._now_ms = now_ms
        self._is_full = is_full
        self._settled_ids: Set[str] = set()  # experiments of whose runs sweeps are to look at all

    def refresh(self, experiment_ids: Sequence[str], stages: Sequence[str]) -> None:
        """Look at experiments, and read anew what has changed.

        Args:
            experiment_ids: The experiments.
            stages: As of a search: ``active``, ``deleted``.
        """
        for experiment_id in experiment_ids:
            if self._refresh_experiment(experiment_id):
                self._settled_ids.add(experiment_id)
            if DELETED in stages:
                self._refresh_trash(experiment_id)
        if self._settled_ids:
            self._sweep()

    def confirm(self, slots: Sequence[int]) -> bool:
        """Look at runs that an answer tells of; tell whether they are as the index says.

        Those that are not are read anew: the question is to be asked again. Only runs that ``refresh`` passed over are
        looked at, and for a while.
        """
        end = monotonic() + CONFIRM_S
        changed: List[Place] = []
        is_whole = True
        while slots and self._settled_ids and monotonic() < end:
            rows, slots, count = self._database.rows_of(slots[:_FEW]), slots[_FEW:], len(slots[:_FEW])
            is_whole = is_whole and len(rows) == count  # else another process has found one gone
            for row in rows:
                if monotonic() > end:
                    break
                if self._is_swept(row) and self._has_changed(row):
                    changed.append(self._place_of(row))
        self._read(changed)
        return is_whole and not changed

    def _refresh_experiment(self, experiment_id: str) -> bool:
        """Look at the runs of an experiment; tell whether some, or all, were passed over or had but a brief look."""
        folder = layout.experiment_folder(self._runs_dir, experiment_id)
        try:
            look = fingerprints.look_at_experiment(folder)
            has_times = machine.has_folder_times(os.stat(folder).st_dev)
        except (FileNotFoundError, NotADirectoryError):
            self._database.remove_experiments([experiment_id])
            return False
        except OSError as error:
            self._warn(folder, error)
            return True
        known = self._database.experiments().get(experiment_id)
        first_ms = self._now_ms
        if known is not None and known.fingerprint[8:] == look.stamp:
            if known.is_settled and has_times and not self._is_full:
                rows = self._database.state_rows(experiment_id, only_live=True, only_provisional=True)
                self._read([self._place_of(row) for row in rows if row[2] != DELETED and self._has_changed(row)])
                return True
            first_ms = int.from_bytes(known.fingerprint[:8], "little", signed=True)
        problems: List[str] = []
        names = known_runs.list_names(folder, lambda path, error: problems.append(self._warn(path, error)))
        is_brief = self._look_at_all(experiment_id, names, is_in_trash=False, is_whole=not problems)
        # Of two changes within one tick of the disk's clock the second shows in nothing: what has just changed is
        # looked at once more, a while later.
        is_settled = look.changed_ms < self._now_ms - fingerprints.RECENT_MS or self._is_due(first_ms)
        is_settled = is_settled and has_times and not problems
        fingerprint = first_ms.to_bytes(8, "little", signed=True) + look.stamp
        if known is None or (known.fingerprint, known.is_settled) != (fingerprint, is_settled):
            self._database.put_experiment(experiment_id, fingerprint, is_settled)
        return is_brief

    @staticmethod
    def _warn(path: str, error: Exception) -> str:
        """Tell that something cannot be read now, so that the answer is what was known of it."""
        reason = getattr(error, "reason", None) or error
        message = "Cannot read %s: %s. Runs in it may be missing, or shown as they were." % (path, reason)
        warn(message, stacklevel=2)
        return message

    def _refresh_trash(self, experiment_id: str) -> None:
        from ..store import trash  # seldom asked for

        deleted = trash.list_deleted(self._runs_dir, experiment_id)
        self._look_at_all(experiment_id, [os.path.basename(each.folder) for each in deleted], is_in_trash=True)

    def _look_at_all(
        self, experiment_id: str, names: Sequence[str], *, is_in_trash: bool, is_whole: bool = True
    ) -> bool:
        """Look at each run that is known or there; where the names are not all, none is taken for gone.

        Tell whether of some only what we ourselves change was looked for.
        """
        known: Dict[str, Row] = {
            row[3]: row for row in self._database.state_rows(experiment_id) if (row[2] == DELETED) is is_in_trash
        }
        there = set(names)
        if is_whole:
            self._database.replace((row, None) for name, row in known.items() if name not in there)
        new = [Place(experiment_id, is_in_trash, name, None, self._is_full) for name in names if name not in known]
        old = [known[name] for name in names if name in known]
        brief: List[Row] = []
        others: List[Row] = []
        is_brief = not (self._is_full or is_in_trash)
        for row in old:
            (brief if is_brief and _is_settled(row[4]) else others).append(row)
        changed = [row for row in others if self._has_changed(row)]
        folder = layout.experiment_folder(self._runs_dir, experiment_id)
        stamps = fingerprints.look_at_runs(folder, [row[3] for row in brief])  # sweeps see what does not show there
        changed += [row for row, stamp in zip(brief, stamps) if stamp is None or not row[4].shallow.startswith(stamp)]
        self._read(new + list(map(self._place_of, changed)))
        return bool(brief)

    def _has_changed(self, row: Row) -> bool:
        """Tell whether a run looks other than when it was read, or is to be read once more."""
        _, experiment_id, stage, name, state = row
        folder = known_runs.folder_of(self._runs_dir, experiment_id, stage, name)
        if state.is_provisional and self._is_due(state.read_at_ms):
            return True
        try:
            if not (state.is_deep or self._is_full):
                return bool(fingerprints.look_at_folders(folder).stamp != state.shallow)
            stamp = fingerprints.look_at_files(folder).stamp
            if not state.deep or stamp != state.deep[: len(stamp)]:
                return True
            from . import reading  # where all runs have ended, nobody needs it

            return state.is_live and stage == ACTIVE and state.deep[len(stamp) :] != reading.read_standing(folder)
        except OSError:
            return True

    def _is_due(self, then_ms: int) -> bool:
        """Tell whether what was looked at *then* cannot be of the same tick as what comes now."""
        return not 0 <= self._now_ms - then_ms < _TICKS_MS

    def _place_of(self, row: Row) -> Place:
        _, experiment_id, stage, name, _ = row
        return Place(experiment_id, stage == DELETED, name, row, self._is_full)

    def _read(self, places: List[Place]) -> None:
        """Read runs, and hold what they say."""
        if not places:
            return
        from ..progress import Progress  # where nothing has changed, nobody needs these
        from .crowd import map_many
        from .reading import READ

        found: List[Tuple[Optional[Row], Optional[Tuple[Entry, State]]]] = []
        with Progress("Reading runs", len(places), "runs") as progress:
            given = [(place.experiment_id, place.name, place.is_in_trash, place.is_deep) for place in places]
            for place, pair in zip(places, map_many(READ, (self._runs_dir, self._now_ms), given)):
                settled = None if pair is None else (pair[0], self._settled(pair[1], place.known))
                found.append((place.known, settled))
                progress.advance()
                if len(found) >= _AT_ONCE:
                    self._database.replace(found)
                    found = []
        self._database.replace(found)

    def _settled(self, state: State, known: Optional[Row]) -> State:
        """Return the state of a run that was just read, final where it had looked the same long enough before."""
        if known is None or not state.is_provisional or not self._is_due(known[4].read_at_ms):
            return state
        before = known[4]
        is_same = (state.shallow, state.deep) == (before.shallow, before.deep)
        return state._replace(is_provisional=not is_same)

    def _sweep(self) -> None:
        """Look at runs that ended long ago, for a short while, from where the last sweep stopped."""
        end = monotonic() + SWEEP_S
        only = next(iter(self._settled_ids)) if len(self._settled_ids) == 1 else None
        start = after = self._database.cursor
        changed: List[Place] = []
        is_around = False
        while monotonic() < end:
            rows = self._database.state_rows(only, after=after, limit=_FEW)
            if is_around:
                rows = [row for row in rows if row[0] <= start]
            changed += [self._place_of(row) for row in rows if self._is_swept(row) and self._has_changed(row)]
            if rows:
                after = rows[-1][0]
            elif is_around:
                after = start  # all of them
                break
            else:
                is_around, after = True, 0
        if after != start:
            self._database.set_cursor(after)
        self._read(changed)

    def _is_swept(self, row: Row) -> bool:
        """Tell whether a row is one that nothing else looks at."""
        return row[1] in self._settled_ids and row[2] != DELETED and not (row[4].is_live or row[4].is_provisional)


def _is_settled(state: State) -> bool:
    """Tell whether a run has ended, and its folders tell what happens to it."""
    return not (state.is_live or state.is_provisional or state.is_deep)
