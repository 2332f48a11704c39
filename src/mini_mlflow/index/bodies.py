"""How are the bodies of blocks read and written within one transaction, each held against what vouches for it?"""

from __future__ import annotations

from itertools import chain, compress
from zlib import crc32

from . import blocks
from .blocks import KINDS, MISSING, SIZE
from .catalogue import FIRST_BLOCK, Block, Directory
from .entry import STAGES, are_folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

    from .catalogue import Root
    from .entry import Entry, State

    Runs = Mapping[str, Optional[Tuple[Entry, State]]]

_MOST_COLUMNS = 64  # that are kept decoded: of 100,000 runs, 1 to 6 MB each
_FEW = 4  # one of so many blocks: fewer are asked for one by one
_NOTHING: Dict[str, Any] = {}
_NO_VALUES: Sequence[Any] = ({},) * len(KINDS)


class Bodies:
    """The bodies that one root vouches for; thrown away when another root is found."""

    def __init__(self, connection: sqlite3.Connection, root: Root) -> None:
        """Begin with nothing read."""
        self._connection = connection
        self._root = root
        self._directories: Dict[int, Directory] = {}
        self._names: Dict[int, List[Optional[str]]] = {}
        self._single_names: Dict[int, str] = {}
        self._slots: Dict[Tuple[str, str], Dict[str, int]] = {}
        self._columns: Dict[Tuple[Tuple[int, ...], str, str], List[Any]] = {}

    def directory(self, number: int) -> Directory:
        """Return what a block has."""
        directory = self._directories.get(number)
        if directory is None:
            row = self._connection.execute("SELECT body FROM directories WHERE block = ?", (number,)).fetchone()
            if row is None or crc32(row[0], number) != self._root.blocks[number].checksum:
                raise ValueError("the directory of block %d is missing or damaged" % number)
            directory = self._directories[number] = Directory.decode(row[0])
        return directory

    def names(self, number: int) -> List[Optional[str]]:
        """Return the name of the run at each place of a block, None where there is none."""
        names = self._names.get(number)
        if names is None:
            names = self.column(number, "state", "name")
            _check_names([names[place] for place in blocks.places_of(self.directory(number).occupied)])
            self._names[number] = names
        return names

    def noted_name(self, slot: int, name: str) -> str:
        """Return the name of one run that its document told, and remember it: its block's names need not be read."""
        _check_names([name])
        self._single_names[slot] = name
        return name

    def name_of(self, slot: int) -> str:
        """Return the name of the run of a slot."""
        name = self._single_names.get(slot)
        return str(self.names(slot // SIZE)[slot % SIZE]) if name is None else name

    def column(self, number: int, kind: str, key: str) -> List[Any]:
        """Return the values of a key by place; what is long is None."""
        return blocks.decode_column(self._body(number, kind, key)).values

    def places(self, number: int, keys: Sequence[str], after: int) -> List[int]:
        """Return the places of a block that have a run, above one of them; with *keys*, only those with any."""
        mask = self.directory(number).occupied
        if keys:
            there = self.directory(number).columns.get("state", _NOTHING)
            wanted = 0
            for key in keys:
                if key in there:
                    wanted |= blocks.decode_column(self._body(number, "state", key)).mask
            mask &= wanted
        return [place for place in blocks.places_of(mask) if place > after]

    def states(self, number: int, first: int, last: int) -> Dict[int, bytes]:
        """Return the state of each run from one place to another, by slot."""
        query = "SELECT slot, body FROM states WHERE slot BETWEEN ? AND ? LIMIT ?"
        rows = self._connection.execute(query, (number * SIZE + first, number * SIZE + last, SIZE)).fetchall()
        sums, found = self.column(number, "state", "states"), {}
        for slot, body in rows:
            if blocks.row_checksum(body, slot) != sums[slot % SIZE]:
                raise ValueError("the state of slot %d is damaged" % slot)
            found[slot] = body
        return found

    def documents(self, slots: Sequence[int]) -> List[bytes]:
        """Return the document of each slot."""
        found, sums = [], {}
        for slot in slots:
            number, place = divmod(slot, SIZE)
            if number not in sums:
                sums[number] = self.column(number, "state", "documents")
            row = self._connection.execute("SELECT body FROM documents WHERE slot = ?", (slot,)).fetchone()
            if row is None or blocks.row_checksum(row[0], slot) != sums[number][place]:
                raise ValueError("the document of slot %d is missing or damaged" % slot)
            found.append(row[0])
        return found

    def values(self, numbers: Sequence[int], kind: str, key: str) -> List[Any]:
        """Return the values of a key in some blocks, one for each run, None where it has none."""
        mark = (tuple(numbers), kind, key)
        values = self._columns.get(mark)
        if values is None:
            bodies = self._bodies_of(numbers, kind, key)
            values = self._numbers(numbers, bodies)
            if values is None:
                values = list(
                    chain.from_iterable(self._values(number, kind, key, bodies.get(number)) for number in numbers)
                )
            if (kind, key) == ("state", "name"):
                _check_names(values)
            if len(self._columns) >= _MOST_COLUMNS:
                del self._columns[next(iter(self._columns))]
            self._columns[mark] = values
        return values

    def _numbers(self, numbers: Sequence[int], bodies: Mapping[int, bytes]) -> Optional[List[Any]]:
        """Return the values where each run of each block has a number: what most metrics are."""
        if not bodies or len(bodies) != len(numbers):
            return None
        counts = [self.directory(number).occupied.bit_length() for number in numbers]
        if counts != [self._root.blocks[number].run_count for number in numbers]:
            return None  # some places are free
        return blocks.join_numbers([bodies[number] for number in numbers], counts)

    def _values(self, number: int, kind: str, key: str, body: Optional[bytes]) -> List[Any]:
        occupied = self.directory(number).occupied
        count = self._root.blocks[number].run_count
        if body is None:
            return [None] * count
        column = blocks.decode_column(body)
        values = column.values
        if column.long:
            places = blocks.places_of(column.long)
            for place, document in zip(places, self.documents([number * SIZE + place for place in places])):
                values[place] = blocks.decode_document(document)[KINDS.index(kind)][key]
        values.extend([None] * (occupied.bit_length() - len(values)))
        if occupied + 1 != 1 << len(values):
            values = list(compress(values, map(int, blocks.bits_of(occupied))))
        if len(values) != count:
            raise ValueError("block %d has %d runs, not %d" % (number, len(values), count))
        return values

    def _bodies_of(self, numbers: Sequence[int], kind: str, key: str) -> Dict[int, bytes]:
        """Return the bodies of a key that there are in some blocks."""
        there = [number for number in numbers if key in self.directory(number).columns.get(kind, _NOTHING)]
        if len(there) * _FEW < len(self._root.blocks):
            return {number: self._body(number, kind, key) for number in there}
        query = "SELECT block, body FROM columns WHERE kind = ? AND key = ? LIMIT ?"
        given = (_encode(kind), _encode(key), len(self._root.blocks))
        found = dict(self._connection.execute(query, given).fetchall())
        return {number: self._checked(found.get(number), number, kind, key) for number in there}

    def _body(self, number: int, kind: str, key: str) -> bytes:
        query = "SELECT body FROM columns WHERE kind = ? AND key = ? AND block = ?"
        row = self._connection.execute(query, (_encode(kind), _encode(key), number)).fetchone()
        return self._checked(None if row is None else row[0], number, kind, key)

    def _checked(self, body: Optional[bytes], number: int, kind: str, key: str) -> bytes:
        known = self.directory(number).columns.get(kind, _NOTHING).get(key)
        if body is None or blocks.checksum(body, number, kind, key) != known:
            raise ValueError("column %s %r of block %d is missing or damaged" % (kind, key, number))
        return body

    def slots(self, experiment_id: str, stage: str) -> Dict[str, int]:
        """Return the slot of each run of an experiment and stage, by name."""
        slots = self._slots.get((experiment_id, stage))
        if slots is None:
            slots = self._slots[experiment_id, stage] = {}
            for number, block in self._root.blocks.items():
                if block.experiment_id == experiment_id and block.stage == stage:
                    for place, name in enumerate(self.names(number)):
                        if name is not None:
                            slots[name] = number * SIZE + place
        return slots

    def write_all(self, changes: Mapping[Tuple[str, str], Runs]) -> None:
        """Hold runs, by experiment and stage, then by name; None: forget it."""
        for (experiment_id, stage), runs in sorted(changes.items()):
            self.write_runs(experiment_id, stage, runs)

    def write_runs(self, experiment_id: str, stage: str, runs: Runs) -> None:
        """Hold runs of one experiment and stage, by name; None: forget it."""
        if not are_folders([experiment_id, *runs]) or stage not in STAGES:
            raise AssertionError("the index holds what lies in folders: %r, %r" % (experiment_id, stage))
        slots = self.slots(experiment_id, stage)
        new = [name for name, run in runs.items() if run is not None and name not in slots]
        slots.update(zip(new, self._free_slots(experiment_id, stage, len(new))))
        changes: Dict[int, Dict[int, Optional[Tuple[Entry, State]]]] = {}
        for name, run in runs.items():
            if name in slots:
                number, place = divmod(slots[name] if run is not None else slots.pop(name), SIZE)
                changes.setdefault(number, {})[place] = run
        for number in sorted(changes):
            self._write_block(number, experiment_id, stage, changes[number])
        self._columns.clear()
        self._single_names.clear()

    def _free_slots(self, experiment_id: str, stage: str, count: int) -> List[int]:
        free: List[int] = []
        for number, block in sorted(self._root.blocks.items()):
            if len(free) >= count:
                break
            if block.run_count < SIZE and block.experiment_id == experiment_id and block.stage == stage:
                vacant = (1 << SIZE) - 1 & ~self.directory(number).occupied
                free += blocks.places_of(vacant, number * SIZE)
        first = max(self._root.blocks, default=FIRST_BLOCK - 1) + 1
        free += range(first * SIZE, first * SIZE + max(count - len(free), 0))
        return free[:count]

    def _write_block(
        self, number: int, experiment_id: str, stage: str, runs: Dict[int, Optional[Tuple[Entry, State]]]
    ) -> None:
        is_new = number not in self._root.blocks
        directory = Directory() if is_new else self.directory(number)
        known = [place for place in sorted(runs) if directory.occupied >> place & 1]
        documents = dict(zip(known, self.documents([number * SIZE + place for place in known])))
        patches: Dict[Tuple[str, str], Dict[int, Any]] = {}
        states, bodies, gone = [], [], []
        for place, run in runs.items():
            slot = number * SIZE + place
            held: Sequence[Any] = blocks.decode_document(documents[place]) if place in documents else _NO_VALUES
            if run is None:
                gone.append((slot,))
                directory.occupied &= ~(1 << place)
                _note(patches, place, held, _NO_VALUES)
                for key in directory.columns["state"]:
                    patches.setdefault(("state", key), {})[place] = MISSING
                continue
            entry, state = run
            directory.occupied |= 1 << place
            document, body = blocks.encode_document(entry), blocks.encode_state(state)
            _note(patches, place, held, [getattr(entry, kind) for kind in KINDS])
            states.append((slot, body))
            bodies.append((slot, document))
            for key, value in (
                ("name", entry.name),
                ("live", 1 if state.is_live else MISSING),
                ("provisional", 1 if state.is_provisional else MISSING),
                ("states", blocks.row_checksum(body, slot)),
                ("documents", blocks.row_checksum(document, slot)),
            ):
                if key != "name" or place not in documents:
                    patches.setdefault(("state", key), {})[place] = value
        self._connection.executemany("INSERT OR REPLACE INTO states VALUES (?, ?)", states)
        self._connection.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?)", bodies)
        self._connection.executemany("DELETE FROM states WHERE slot = ?", gone)
        self._connection.executemany("DELETE FROM documents WHERE slot = ?", gone)
        self._patch(number, directory, patches)
        self._names.pop(number, None)
        self._note_directory(number, experiment_id, stage, directory)

    def _patch(self, number: int, directory: Directory, patches: Dict[Tuple[str, str], Dict[int, Any]]) -> None:
        changed, gone = [], []
        for (kind, key), changes in patches.items():
            there = directory.columns.setdefault(kind, {})
            old = self._body(number, kind, key) if key in there else b""
            body = blocks.patch_column(old, changes)
            if body:
                there[key] = blocks.checksum(body, number, kind, key)
                changed.append((_encode(kind), _encode(key), number, body))
            elif there.pop(key, None) is not None:
                gone.append((_encode(kind), _encode(key), number))
        self._connection.executemany("INSERT OR REPLACE INTO columns VALUES (?, ?, ?, ?)", changed)
        self._connection.executemany("DELETE FROM columns WHERE kind = ? AND key = ? AND block = ?", gone)

    def _note_directory(self, number: int, experiment_id: str, stage: str, directory: Directory) -> None:
        if not directory.occupied:
            self._connection.execute("DELETE FROM directories WHERE block = ?", (number,))
            self._root.blocks.pop(number, None)
            self._directories.pop(number, None)
            return
        body = directory.encode()
        self._connection.execute("INSERT OR REPLACE INTO directories VALUES (?, ?)", (number, body))
        count = len(blocks.places_of(directory.occupied))
        self._root.blocks[number] = Block(experiment_id, stage, count, crc32(body, number))
        self._directories[number] = directory


def _check_names(names: List[Any]) -> None:
    if not are_folders(names):
        raise ValueError("there is a name that is none")


def _note(patches: Dict[Tuple[str, str], Dict[int, Any]], place: int, old: Sequence[Any], new: Sequence[Any]) -> None:
    """Note which columns change where a run has new values; what is None of an attribute is not there."""
    for kind, before, after in zip(KINDS, old, new):
        for key in before:
            if key not in after:
                patches.setdefault((kind, key), {})[place] = MISSING
        for key, value in after.items():
            if key not in before or not blocks.is_same(before[key], value):
                is_gone = value is None and kind == "attributes"
                patches.setdefault((kind, key), {})[place] = MISSING if is_gone else value


def _encode(text: str) -> bytes:
    """Return a text as SQLite keeps it: names need not be UTF-8, which it asks of texts."""
    return text.encode("utf-8", "surrogatepass")
