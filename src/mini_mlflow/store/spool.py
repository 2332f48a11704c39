"""What could not be written yet: kept in order, bounded, and counted when it must be given up."""

from __future__ import annotations

from collections import deque, namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Deque, Dict, List, Optional

MOST = 100000  # entries; a row takes about 200 bytes of memory


class Entry(namedtuple("Entry", ["kind", "key", "value", "step", "timestamp"])):
    """One value that waits for the disk.

    Attributes:
        kind: The folder it belongs to: metrics, params or tags.
        key: Its name.
        value: The text of a number for a metric, else what JSON has.
        step: A metric's step, None for the next free one.
        timestamp: Milliseconds since 1970.
    """

    __slots__ = ()

    kind: str
    key: str
    value: Any
    step: Optional[int]
    timestamp: int


class Spool:
    """Values in the order in which they were logged."""

    def __init__(self) -> None:
        self._entries: Deque[Entry] = deque()
        self._given_up: Dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """Keep a value; where there is no room, count it as given up: what was logged first stays."""
        if len(self._entries) >= MOST:
            self._given_up[entry.key] = self._given_up.get(entry.key, 0) + 1
        else:
            self._entries.append(entry)

    def put_back(self, entries: List[Entry]) -> None:
        """Keep values that are older than all the others; there is room for them."""
        self._entries.extendleft(reversed(entries))

    def first(self) -> Entry:
        """Return the value that is next to be written."""
        return self._entries[0]

    def drop_first(self) -> None:
        """Forget the first value: it is written."""
        self._entries.popleft()

    def give_up(self) -> Dict[str, int]:
        """Forget all that is left, and return how many values of each key were never written."""
        while self._entries:
            key = self._entries.popleft().key
            self._given_up[key] = self._given_up.get(key, 0) + 1
        return self._given_up
