"""What could not be written yet: kept in order, bounded, counted when it must be given up, and told."""

from __future__ import annotations

from collections import deque

from ..errors import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Deque, Dict, List, Optional, Tuple

MOST = 100000  # entries; a row takes about 200 bytes of memory


class Entry:
    """One value that waits for the disk.

    Attributes:
        kind: The folder it belongs to: metrics, params or tags.
        key: Its name.
        value: The text of a number for a metric, else what JSON has.
        step: A metric's step, None for the next free one.
        timestamp: Milliseconds since 1970.
    """

    __slots__ = ("key", "kind", "step", "timestamp", "value")  # a named tuple costs each import 0.1 ms more

    def __init__(self, kind: str, key: str, value: Any, step: Optional[int], timestamp: int) -> None:
        self.kind = kind
        self.key = key
        self.value = value
        self.step = step
        self.timestamp = timestamp


class Spool:
    """Values in the order in which they were logged, file by file: one that cannot be written holds up no other.

    A signal handler may add to it between any two steps of a call of the same thread; so each step is one that nothing
    comes between, and how many wait is the length of a list, as a number is read and written in two.
    """

    def __init__(self) -> None:
        self._files: Dict[Tuple[str, str], Deque[Entry]] = {}
        self._waiting: List[None] = []
        self._given_up: Dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def holds(self, kind: str, key: str) -> bool:
        """Tell whether a value of that file waits, so that later ones must wait behind it."""
        return (kind, key) in self._files

    def files(self) -> List[Tuple[str, str]]:
        """Return (kind, key) of every file that has values waiting, in the order in which they began to."""
        return list(self._files)

    def add(self, entry: Entry) -> None:
        """Keep a value; where there is no room, count it as given up: what was logged first stays."""
        if len(self._waiting) >= MOST:
            self._given_up[entry.key] = self._given_up.get(entry.key, 0) + 1
        else:
            self._waiting.append(None)
            self._files.setdefault((entry.kind, entry.key), deque()).append(entry)

    def put_back(self, entries: List[Entry]) -> None:
        """Keep values that are older than all the others of their files; there is room for them."""
        for entry in reversed(entries):
            self._waiting.append(None)
            self._files.setdefault((entry.kind, entry.key), deque()).appendleft(entry)

    def first(self, kind: str, key: str) -> Optional[Entry]:
        """Return the value of a file that is next to be written, None where none waits."""
        waiting = self._files.get((kind, key))
        return waiting[0] if waiting else None

    def drop_first(self, kind: str, key: str) -> None:
        """Forget the first value of a file: it is written."""
        waiting = self._files[kind, key]
        waiting.popleft()
        self._waiting.pop()
        if not waiting:
            late = self._files.pop((kind, key))
            if late:  # added by a signal handler since we looked; what another added since then is later
                self._files.setdefault((kind, key), deque()).extendleft(reversed(late))

    def give_up(self) -> Dict[str, int]:
        """Forget all that is left, and return how many values of each key were never written."""
        for (_, key), waiting in self._files.items():
            self._given_up[key] = self._given_up.get(key, 0) + len(waiting)
        self._files.clear()
        self._waiting.clear()
        return self._given_up


class Notices:
    """What a user hears of one run's troubles: the first of them, and those that must be told in any case."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._has_warned = False

    def warn(self, text: str, *, always: bool = False) -> None:
        """Warn, once per run unless *always*; never raise: training goes on even where warnings are errors."""
        if self._has_warned and not always:
            return
        self._has_warned = True
        warn("Run %s %s." % (self._folder, text), stacklevel=3)
