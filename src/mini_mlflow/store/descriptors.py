"""How many files may this process keep open for its metrics, and which one is closed to make room?"""

from __future__ import annotations

import os
from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List

    from .appender import Appender

_MOST = 1024
_PATIENCE = 8  # so many files are opened for one value alone before one takes another's place
_SCATTER = 2654435761  # 2**32 over the golden ratio: successive multiples fall everywhere (Knuth, TAOCP 6.4)


class DescriptorPool:
    """The open metric files of this process.

    Where more metrics are logged than there is room for, the files that are open stay open, and one of another is
    opened for its one value alone: that costs less than to close one for it. Now and then one takes another's place
    all the same, as what is logged changes. Which one is closed is picked by a counter that jumps about: with least
    recently used, metrics that are logged in turn and are one more than fit would miss every time.
    """

    def __init__(self) -> None:
        # By slot. The threads of several runs meet here, and signal handlers, so no lock may be waited for: each step
        # below is one operation of a dictionary or list, which the interpreter does not cut in two.
        self._open: Dict[int, Appender] = {}
        self._free: List[int] = []
        self._slots = count()
        self._picks = self._misses = 0
        self._bound = 0
        self._base = 0

    @property
    def bound(self) -> int:
        """The most files that are kept open."""
        if not self._bound:
            limit = _soft_limit()
            self._bound = max(1, min(_MOST, limit // 2))
            self._base = max(64, min(limit, 4096) - self._bound)
        return self._bound

    def lift(self, descriptor: int) -> int:
        """Move a descriptor to a high number, and return it.

        A low number that foreign code closed would be given to the user's next file while we still write to it.
        """
        try:
            import fcntl

            bound = self.bound
            lifted = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, self._base) if bound else descriptor
        except (ImportError, AttributeError, OSError):
            return descriptor
        try:
            os.close(descriptor)
        except OSError:
            pass  # it is closed, whatever the disk says to that
        return int(lifted)

    def has_room(self) -> bool:
        """Tell whether one more file may be kept open."""
        return len(self._open) < self.bound

    def makes_room(self) -> bool:
        """Tell whether one more file may be kept open, if need be in place of another: every eighth may."""
        if self.has_room():
            return True
        self._misses += 1
        return self._misses % _PATIENCE == 0

    def admit(self, appender: Appender) -> None:
        """Count an appender whose file was opened, and close another's where there are too many."""
        if appender.slot >= 0:
            return
        try:
            appender.slot = self._free.pop()
        except IndexError:
            appender.slot = next(self._slots)
        self._open[appender.slot] = appender
        for _ in range(8):
            if len(self._open) <= self.bound:
                return
            self._picks += 1
            place = self._picks * _SCATTER % 2**32 * (len(self._open) + len(self._free)) >> 32
            victim = self._open.get(place)
            if victim is not None and victim is not appender:
                victim.park()

    def remove(self, appender: Appender) -> None:
        """Forget an appender whose file is closed."""
        slot, appender.slot = appender.slot, -1
        if slot >= 0 and self._open.pop(slot, None) is not None:
            self._free.append(slot)

    def doubt(self) -> None:
        """Let go of every file: foreign code closed one of ours, and their numbers may be its own files' now."""
        for appender in list(self._open.values()):
            appender.abandon()


def _soft_limit() -> int:
    try:
        soft = os.sysconf("SC_OPEN_MAX")  # the soft limit; importing resource for it costs 0.3 ms
    except (AttributeError, ValueError, OSError):  # Windows: the C library's own bound
        return 512
    return int(soft) if soft > 0 else 1 << 20
