"""How is the index asked as a table of runs?"""

from __future__ import annotations

import os
from bisect import bisect_right
from itertools import accumulate, chain, repeat

from .. import layout
from ..store.experiments import ACTIVE, DELETED
from . import known_runs
from .blocks import SIZE, places_of
from .entry import BROKEN, summary_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional, Sequence, Set, Tuple, Union

    from ..records import StoredRun, Summary
    from .database import Database
    from .entry import Entry

    ExperimentId = Union[int, str]


class IndexTable:
    """The runs of some experiments as rows of a table; see ``query.conditions``.

    What it gives is of one moment, which it keeps from others who want to write until it is closed: use it in a
    ``with`` block, for one query. What leads to files is made of the names of folders, whatever the index says.

    Attributes:
        count: The number of rows.
        generation: Which state of the database it shows.
        mark: What is the same in every table as long as nobody writes to the database.
        summaries: What was read of histories, by slot and ``summary_key``, for the database to hold.
        given: The database's slots of the runs that the answer tells of.
    """

    def __init__(
        self,
        database: Database,
        runs_dir: str,
        experiment_ids: Optional[Sequence[ExperimentId]] = None,
        stages: Sequence[str] = (ACTIVE,),
    ) -> None:
        """Look which runs there are.

        Args:
            database: The index.
            runs_dir: The store, as an absolute path.
            experiment_ids: The experiments; None: all.
            stages: Where the runs lie.

        Raises:
            CorruptIndexError: The index is unsound; so do the other methods.
        """
        self.given: Set[int] = set()
        self.summaries: Dict[int, Dict[str, Any]] = {}
        self._ids = None if experiment_ids is None else {str(each): each for each in experiment_ids}
        self._wanted = None if self._ids is None else list(self._ids)
        self._database = database
        self._runs_dir = runs_dir
        self.generation = database.start_reading()
        self.mark = database.mark
        try:
            self._blocks = database.directories(self._wanted, stages)
        except BaseException:
            database.end_reading()
            raise
        self._numbers = [number for number, _, _, _ in self._blocks]
        self._slots = [places_of(directory.occupied, number * SIZE) for number, _, _, directory in self._blocks]
        *self._first_rows, self.count = accumulate(chain([0], map(len, self._slots)))

    def close(self) -> None:
        """Let others write again."""
        self._database.end_reading()

    def __enter__(self) -> IndexTable:
        """Return the table itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let others write again."""
        self.close()

    def keys(self, kind: str) -> List[str]:
        """Return the keys that any run has, sorted."""
        return sorted({key for _, _, _, directory in self._blocks for key in directory.columns.get(kind, ())})

    def column(self, kind: str, key: str) -> Optional[Sequence[Any]]:
        """Return one value for each run, None where it has none; None where no run has any. Leave it as it is."""
        if kind == "attributes":
            return self._attribute(key)
        if kind == "datasets":
            return known_runs.datasets_column(self._values("attributes", known_runs.DATASETS), key)
        if not any(key in directory.columns.get(kind, ()) for _, _, _, directory in self._blocks):
            return None
        return self._values(kind, key)

    def summary_column(self, function: str, key: str, rows: Optional[Sequence[int]] = None) -> Optional[List[Any]]:
        """Return what the history of a metric comes to; None where no run has the metric.

        It is read from each run's files once, and then held by the index.

        Args:
            function: A field of ``Summary``.
            key: The metric.
            rows: The rows that are asked for, None: all; the others get None.
        """
        column = self.column("metrics", key)
        if column is None:
            return None
        known = self._values("summaries", summary_key(function, key))
        is_known = self._values("summaries", summary_key("count", key))
        found: List[Any] = [None] * self.count
        missing = []
        for row in range(self.count) if rows is None else rows:
            if is_known[row] is not None:
                found[row] = known[row]
            elif column[row] is not None:
                missing.append(row)
        if not missing:
            return found
        from ..progress import Progress  # most tables hold what they are asked for

        with Progress("Reading histories", len(missing), "runs") as progress:
            for row, summary in self._read_summaries(key, missing):
                found[row] = getattr(summary, function)
                progress.advance()
        return found

    def runs(self, rows: Sequence[int]) -> List[StoredRun]:
        """Return the runs of some rows, as searches give them."""
        found = []
        for entry in self.entries(rows):
            folder = known_runs.folder_of(self._runs_dir, entry.experiment_id, entry.stage, entry.name)
            experiment_id = entry.experiment_id if self._ids is None else self._ids[entry.experiment_id]
            found.append(known_runs.to_stored(entry, folder, experiment_id))
        return found

    def entries(self, rows: Sequence[int]) -> List[Entry]:
        """Return the runs of some rows, as the index holds them."""
        self._check()
        return self._database.entries(self.give(rows))

    def problems(self) -> List[str]:
        """Return of each run that cannot be read in full, or not at all, the first file that cannot, and why."""
        column = list(self.column("attributes", known_runs.PROBLEM) or ())
        broken = [number for number, _, _, _ in self._database.directories(self._wanted, (BROKEN,))]
        column += self._database.values(broken, "attributes", known_runs.PROBLEM) if broken else []
        return [problem for problem in column if problem is not None]

    def give(self, rows: Sequence[int]) -> List[int]:
        """Note that an answer tells of some rows; return where the database has them."""
        slots = list(map(self._slot_of, rows))
        self.given.update(slots)
        return slots

    def _slot_of(self, row: int) -> int:
        block = bisect_right(self._first_rows, row) - 1
        return self._slots[block][row - self._first_rows[block]]

    def _attribute(self, key: str) -> List[Any]:
        if key == "experiment_id":
            return self._experiments()
        if key == "lifecycle_stage":
            return [_lifecycle_stage(stage) for stage in self._stages()]
        if key in ("run_id", "artifact_uri"):
            names = self._values("state", "name")
            if key == "run_id" and all(stage == ACTIVE for _, _, stage, _ in self._blocks):
                return names
            places = [self._place(*place) for place in zip(self._experiments(), self._stages(), names)]
            if key == "run_id":
                return [run_id for _, run_id in places]
            return [os.path.join(folder, layout.ARTIFACTS) for folder, _ in places]
        return self._values("attributes", key)

    def _experiments(self) -> List[str]:
        return [each for _, each, _, directory in self._blocks for each in repeat(each, _count(directory))]

    def _stages(self) -> List[str]:
        return [stage for _, _, stage, directory in self._blocks for stage in repeat(stage, _count(directory))]

    def _values(self, kind: str, key: str) -> List[Any]:
        self._check()
        return self._database.values(self._numbers, kind, key)

    def _check(self) -> None:
        if self._database.generation != self.generation:
            raise RuntimeError("The index has changed since this table was made. Make another.")

    def _place(self, experiment_id: str, stage: str, name: str) -> Tuple[str, str]:
        """Return the folder of a run, and its id."""
        return known_runs.folder_of(self._runs_dir, experiment_id, stage, name), known_runs.run_id_of(name, stage)

    def _read_summaries(self, key: str, rows: Sequence[int]) -> Iterator[Tuple[int, Summary]]:
        """Yield what the files of some rows come to, and note it; a metric that is gone meanwhile has none."""
        from .crowd import map_many
        from .summarising import SUMMARISE

        experiment_ids, stages, names = self._experiments(), self._stages(), self._values("state", "name")
        places = [self._place(experiment_ids[row], stages[row], names[row]) for row in rows]
        for row, summary in zip(rows, map_many(SUMMARISE, (key,), places)):
            if summary is not None:
                noted = self.summaries.setdefault(self._slot_of(row), {})
                noted.update((summary_key(*field), value) for field, value in _fields(summary, key))
                yield row, summary


def _fields(summary: Summary, key: str) -> Iterator[Tuple[Tuple[str, str], Any]]:
    for function, value in zip(summary._fields, summary):
        yield (function, key), value


def _count(directory: Any) -> int:
    return bin(directory.occupied).count("1")


def _lifecycle_stage(stage: str) -> str:
    return ACTIVE if stage == ACTIVE else DELETED
