"""What does the index hold, and how do several processes read and write it?

It is a hint: what is wrong with it is found out by the checksums of ``catalogue`` and raised as ``CorruptIndexError``,
upon which ``remake`` begins anew.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, suppress
from zlib import crc32

from ..errors import CorruptIndexError
from . import opening
from .blocks import SIZE, decode_document, decode_state
from .bodies import Bodies
from .catalogue import Experiment, Root
from .entry import DERIVED, Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

    from .catalogue import Directory
    from .entry import State

    Key = Tuple[str, str, str]
    Row = Tuple[int, str, str, str, State]
    Changes = Dict[Tuple[str, str], Dict[str, Optional[Tuple[Entry, State]]]]

# What sqlite3 says of its caller, not of the file.
_OURS = (sqlite3.ProgrammingError, sqlite3.InterfaceError)
_UNSOUND = (sqlite3.Error, ValueError, TypeError, LookupError, OverflowError, RecursionError)
# From before a fork: to close one could roll back what the parent is just writing.
_inherited: List[sqlite3.Connection] = []


class Database:
    """The runs of a store as the index holds them; for one thread.

    Every method raises ``CorruptIndexError`` where what it reads is not what was written, or cannot be had; then
    ``remake`` and read the runs again.

    Attributes:
        path: The file, None where it is in memory.
        generation: Another number after each change, ours and others'.
    """

    def __init__(self, path: Optional[str] = None) -> None:
        """Open an index; whatever is wrong with the file, there is one afterwards.

        Args:
            path: The file, which is made where there is none or an unsound one. None, or a file that cannot be used:
                in memory, empty.
        """
        self.path = path
        self.generation = 0
        self._pid = os.getpid()
        self._is_hopeless = False
        self._root_body = b""
        self._root = Root()
        self._connection = self._open()

    def close(self) -> None:
        """Let go of the file."""
        if self.path is None or self._pid == os.getpid():
            self._connection.close()

    def __enter__(self) -> Database:
        """Return the index itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the file."""
        self.close()

    def remake(self) -> None:
        """Begin anew with nothing in it, after a ``CorruptIndexError``.

        In a new file in the place of the old one; in memory where that is in use or unreadable, and the second time.
        """
        self.close()
        if self._is_hopeless:
            self.path = None
        elif self.path is not None:
            opening.remove(self.path)
        self._is_hopeless = True
        self._connection = self._open()

    def experiments(self) -> Dict[str, Experiment]:
        """Return what was last noted of the folder of each experiment."""
        with self._reading():
            return dict(self._root.experiments)

    def put_experiment(self, experiment_id: str, fingerprint: bytes, is_settled: bool) -> None:  # noqa: FBT001
        """Note how the folder of an experiment looked, and whether all of its runs had ended."""

        def note(_: Bodies, root: Root) -> None:
            root.experiments[experiment_id] = Experiment(fingerprint, is_settled)

        self._write(note)

    def remove_experiments(self, experiment_ids: Iterable[str]) -> None:
        """Forget experiments, with all their runs."""
        gone = set(experiment_ids)

        def forget(bodies: Bodies, root: Root) -> None:
            for experiment_id, stage in sorted({(block.experiment_id, block.stage) for block in root.blocks.values()}):
                if experiment_id in gone:
                    bodies.write_runs(experiment_id, stage, dict.fromkeys(bodies.slots(experiment_id, stage)))
            for experiment_id in gone:
                root.experiments.pop(experiment_id, None)

        if gone:
            self._write(forget)

    @property
    def cursor(self) -> int:
        """Where the sweep stands: a slot."""
        with self._reading():
            return self._root.cursor

    def set_cursor(self, slot: int) -> None:
        """Note where the sweep stands."""

        def note(_: Bodies, root: Root) -> None:
            root.cursor = slot

        self._write(note)

    def put(self, entries: Iterable[Tuple[Entry, State]]) -> None:
        """Hold runs, in the place of what was known of them: all or none."""
        changes: Changes = {}
        for entry, state in entries:
            if not DERIVED.isdisjoint(entry.attributes):
                attributes = {key: value for key, value in entry.attributes.items() if key not in DERIVED}
                entry = entry._replace(attributes=attributes)  # noqa: PLW2901
            changes.setdefault((entry.experiment_id, entry.stage), {})[entry.name] = (entry, state)
        self._change(changes)

    def add_summaries(self, found: Mapping[int, Mapping[str, object]], generation: int) -> None:
        """Hold what histories come to beside what else is held of their runs.

        Args:
            found: By slot and ``summary_key``.
            generation: Of when these runs were asked for; where runs have changed since, nothing is done.
        """

        def write(bodies: Bodies, _: Root) -> None:
            if self.generation != generation:
                return
            changes: Changes = {}
            for entry, row in zip(self.entries(list(found)), self.rows_of(list(found))):
                added = entry._replace(summaries={**entry.summaries, **found[row[0]]})
                changes.setdefault((entry.experiment_id, entry.stage), {})[entry.name] = (added, row[4])
            bodies.write_all(changes)

        if found:
            self._write(write)

    def replace(self, found: Iterable[Tuple[Optional[Row], Optional[Tuple[Entry, State]]]]) -> None:
        """Hold what was read of runs in the place of what was known of them.

        Where another process has noted something else meanwhile, that stays: what was read may be older.

        Args:
            found: What was known of a run, None for nothing; and what was read, None where it is gone.
        """

        def write(bodies: Bodies, _: Root) -> None:
            changes: Changes = {}
            for known, pair in found:
                if known is not None and self.rows_of([known[0]]) != [known]:
                    continue
                if known is not None and (pair is None or known[2] != pair[0].stage):
                    changes.setdefault((known[1], known[2]), {})[known[3]] = None
                if pair is not None:
                    key = (pair[0].experiment_id, pair[0].stage)
                    if known is not None or pair[0].name not in bodies.slots(*key):
                        changes.setdefault(key, {})[pair[0].name] = pair
            bodies.write_all(changes)

        self._write(write)

    def remove(self, keys: Iterable[Key]) -> None:
        """Forget runs; those that are not known are passed over.

        Args:
            keys: Of each its experiment's id, its stage and its name.
        """
        changes: Changes = {}
        for experiment_id, stage, name in keys:
            changes.setdefault((experiment_id, stage), {})[name] = None
        self._change(changes)

    def _change(self, changes: Changes) -> None:
        if changes:
            self._write(lambda bodies, _: bodies.write_all(changes))

    def state_rows(
        self,
        experiment_id: Optional[str] = None,
        after: int = 0,
        limit: Optional[int] = None,
        *,
        only_live: bool = False,
        only_provisional: bool = False,
    ) -> List[Tuple[int, str, str, str, State]]:
        """Return slot, experiment, stage, name and state of runs, by slot.

        Args:
            experiment_id: The experiment; None: all.
            after: Only slots above this one.
            limit: How many at most; None: all.
            only_live: Only those that had not ended.
            only_provisional: Only those that are to be read once more; with *only_live*, both sorts.
        """
        keys = [key for key, is_asked in (("live", only_live), ("provisional", only_provisional)) if is_asked]
        found: List[Tuple[int, str, str, str, State]] = []
        with self._reading() as bodies:
            for number, block in sorted(self._root.blocks.items()):
                start = number * SIZE
                if start + SIZE <= after or (experiment_id is not None and block.experiment_id != experiment_id):
                    continue
                places = bodies.places(number, keys, after - start)
                if limit is not None:
                    places = places[: limit - len(found)]
                if places:
                    names = bodies.names(number)
                    states = bodies.states(number, places[0], places[-1])
                    for place in places:
                        state = decode_state(states[start + place])
                        found.append((start + place, block.experiment_id, block.stage, str(names[place]), state))
                if limit is not None and len(found) >= limit:
                    break
        return found

    def rows_of(self, slots: Sequence[int]) -> List[Tuple[int, str, str, str, State]]:
        """Return what ``state_rows`` does, of some slots; those where no run is any more are left out."""
        found = []
        with self._reading() as bodies:
            for slot in slots:
                number, place = divmod(slot, SIZE)
                block = self._root.blocks.get(number)
                if block is None or not bodies.directory(number).occupied >> place & 1:
                    continue
                state = decode_state(bodies.states(number, place, place)[slot])
                found.append((slot, block.experiment_id, block.stage, bodies.name_of(slot), state))
        return found

    def entries(self, slots: Sequence[int]) -> List[Entry]:
        """Return the runs of some slots, without the attributes that follow from where they lie."""
        found = []
        with self._reading() as bodies:
            for slot, document in zip(slots, bodies.documents(slots)):
                block = self._root.blocks[slot // SIZE]
                *values, name = decode_document(document)
                found.append(Entry(block.experiment_id, bodies.noted_name(slot, name), block.stage, *values))
        return found

    def directories(
        self, experiment_ids: Optional[Sequence[str]] = None, stages: Optional[Sequence[str]] = None
    ) -> List[Tuple[int, str, str, Directory]]:
        """Return number, experiment, stage and directory of blocks, by number; None: of all."""
        wanted = None if experiment_ids is None else frozenset(experiment_ids)
        with self._reading() as bodies:
            return [
                (number, block.experiment_id, block.stage, bodies.directory(number))
                for number, block in sorted(self._root.blocks.items())
                if (stages is None or block.stage in stages) and (wanted is None or block.experiment_id in wanted)
            ]

    def values(self, numbers: Sequence[int], kind: str, key: str) -> List[object]:
        """Return the values of one key in some blocks, one for each run, None where it has none.

        The list is kept for the next who asks: leave it as it is.
        """
        with self._reading() as bodies:
            return bodies.values(numbers, kind, key)

    @property
    def mark(self) -> int:
        """What is the same as long as nobody writes, also for another process and later."""
        return crc32(self._root_body)

    def start_reading(self) -> int:
        """Keep what is read from now on as it is, until ``end_reading`` or the next write; return its generation.

        Others who want to write wait meanwhile, a second at most: end it soon.
        """
        self._leave_after_fork()
        with self._translated():
            self._begin()
        return self.generation

    def end_reading(self) -> None:
        """Let others write again."""
        if self._connection.in_transaction:
            self._connection.rollback()

    @contextmanager
    def _reading(self) -> Iterator[Bodies]:
        """Give what reads, within the transaction that is under way or one of its own."""
        self._leave_after_fork()
        is_under_way = self._connection.in_transaction
        with self._translated():
            try:
                if not is_under_way:
                    self._begin()
                yield self._bodies
            finally:
                if not is_under_way:
                    self.end_reading()

    def _begin(self, sort: str = "DEFERRED") -> None:
        """Begin a transaction, and let go of what is known where another has written since."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN " + sort)
        row = self._connection.execute("SELECT body FROM root WHERE id = 0").fetchone()
        if row is None:
            raise ValueError("there is no root")
        if row[0] != self._root_body:
            self._root = Root.decode(row[0])
            self._bodies = Bodies(self._connection, self._root)
            self._root_body = row[0]
            self.generation += 1

    def _write(self, change: Callable[[Bodies, Root], None]) -> None:
        """Make a change in one transaction; in a copy in memory where the file cannot be written."""
        self._leave_after_fork()
        self.end_reading()
        with self._translated():
            try:
                self._write_once(change)
            except sqlite3.OperationalError as error:
                if self.path is None or not opening.is_trouble(error):
                    raise
                self._move_to_memory()
                self._write_once(change)

    def _write_once(self, change: Callable[[Bodies, Root], None]) -> None:
        try:
            self._begin("IMMEDIATE")
            change(self._bodies, self._root)
            body = self._root.encode()
            self._connection.execute("UPDATE root SET body = ? WHERE id = 0", (body,))
            self._connection.execute("COMMIT")
        except BaseException:
            self._root_body = b""  # what is known may be half changed
            with suppress(sqlite3.Error):
                self.end_reading()
            raise
        self._root_body = body
        self.generation += 1

    def _move_to_memory(self) -> None:
        copy = opening.connect(":memory:")
        try:
            self._begin()  # without a lock of its own, the copying would wait for others for ever
            self._connection.backup(copy)
        except BaseException:
            copy.close()
            raise
        self._connection.close()
        self._connection, self.path, self._root_body = copy, None, b""

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except _OURS:
            raise
        except _UNSOUND as error:
            self._root_body = b""
            self._is_hopeless = self._is_hopeless or opening.is_trouble(error)
            message = "The index %s cannot be used: %s. It is made anew from the runs."
            raise CorruptIndexError(message % (self.path or "in memory", error), path=self.path) from error

    def _leave_after_fork(self) -> None:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            if self.path is not None:
                _inherited.append(self._connection)
                self._root_body = b""
                self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        self._root_body = b""
        for _ in range(2):
            if self.path is None:
                break
            try:
                return opening.open_file(self.path)
            except (OSError, *_UNSOUND) as error:
                if isinstance(error, OSError) or opening.is_trouble(error):
                    break
                opening.remove(self.path)
        self.path = None
        return opening.open_memory()
