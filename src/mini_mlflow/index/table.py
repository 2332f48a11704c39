"""How is the index asked as a table of runs?"""

from __future__ import annotations

import os
from itertools import repeat

from .. import layout
from ..store.experiments import ACTIVE, DELETED
from ..summary import find_summary
from .blocks import SIZE, places_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from .database import Database
    from .entry import Entry


class IndexTable:
    """The runs of some experiments as rows of a table; see ``query.conditions``.

    What it gives is of one moment, which it keeps from others who want to write until it is closed: use it in a
    ``with`` block, for one query. What leads to files is made of the names of folders, whatever the index says.

    Attributes:
        count: The number of rows.
        statuses: By row, what ``status`` is instead of what was written, such as LOST.
    """

    def __init__(
        self,
        database: Database,
        runs_dir: str,
        experiment_ids: Optional[Sequence[str]] = None,
        stages: Sequence[str] = (ACTIVE,),
    ) -> None:
        """Look which runs there are.

        Args:
            database: The index.
            runs_dir: The store, as an absolute path.
            experiment_ids: The experiments, as texts; None: all.
            stages: Where the runs lie.

        Raises:
            CorruptIndexError: The index is unsound; so do the other methods.
        """
        self.statuses: Dict[int, str] = {}
        self._database = database
        self._runs_dir = runs_dir
        self._generation = database.start_reading()
        try:
            self._blocks = database.directories(experiment_ids, stages)
        except BaseException:
            database.end_reading()
            raise
        self._numbers = [number for number, _, _, _ in self._blocks]
        self._slots = [
            number * SIZE + place
            for number, _, _, directory in self._blocks
            for place in (range(SIZE) if directory.occupied + 1 == 1 << SIZE else places_of(directory.occupied))
        ]
        self.count = len(self._slots)

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
        if not any(key in directory.columns.get(kind, ()) for _, _, _, directory in self._blocks):
            return None
        return self._values(kind, key)

    def summary_column(self, function: str, key: str) -> Optional[List[Any]]:
        """Return what the history of a metric comes to, read from each run's files; None where no run has the metric.

        Args:
            function: A field of ``Summary``.
            key: The metric.
        """
        column = self.column("metrics", key)
        if column is None:
            return None
        places = zip(column, self._experiments(), self._stages(), self._values("state", "name"))
        return [
            None if value is None else self._summary(experiment_id, stage, name, function, key)
            for value, experiment_id, stage, name in places
        ]

    def entries(self, rows: Sequence[int]) -> List[Entry]:
        """Return the runs of some rows."""
        self._check()
        entries = self._database.entries([self._slots[row] for row in rows])
        for row, entry in zip(rows, entries):
            folder, run_id = self._place(entry.experiment_id, entry.stage, entry.name)
            entry.attributes.update(
                run_id=run_id,
                experiment_id=entry.experiment_id,
                artifact_uri=os.path.join(folder, layout.ARTIFACTS),
                lifecycle_stage=_lifecycle_stage(entry.stage),
            )
            if row in self.statuses:
                entry.attributes["status"] = self.statuses[row]
        return entries

    def slots(self, rows: Sequence[int]) -> List[int]:
        """Return where the database has some rows."""
        return [self._slots[row] for row in rows]

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
        values = self._values("attributes", key)
        if key == "status" and self.statuses:
            values = list(values)
            for row, status in self.statuses.items():
                values[row] = status
        return values

    def _experiments(self) -> List[str]:
        return [each for _, each, _, directory in self._blocks for each in repeat(each, _count(directory))]

    def _stages(self) -> List[str]:
        return [stage for _, _, stage, directory in self._blocks for stage in repeat(stage, _count(directory))]

    def _values(self, kind: str, key: str) -> List[Any]:
        self._check()
        return self._database.values(self._numbers, kind, key)

    def _check(self) -> None:
        if self._database.generation != self._generation:
            raise RuntimeError("The index has changed since this table was made. Make another.")

    def _place(self, experiment_id: str, stage: str, name: str) -> Tuple[str, str]:
        """Return the folder of a run, and its id."""
        if stage == DELETED:
            folder = os.path.join(layout.trash_folder(self._runs_dir, experiment_id), name)
            return folder, layout.run_id_in_trash(name)
        return layout.run_folder(self._runs_dir, experiment_id, name), name

    def _summary(self, experiment_id: str, stage: str, name: str, function: str, key: str) -> Any:
        folder, run_id = self._place(experiment_id, stage, name)
        summary = find_summary(folder, run_id, key)
        return None if summary is None else getattr(summary, function)  # gone or broken since the run was read


def _count(directory: Any) -> int:
    return bin(directory.occupied).count("1")


def _lifecycle_stage(stage: str) -> str:
    return ACTIVE if stage == ACTIVE else DELETED
