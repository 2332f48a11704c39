"""How many files may this process keep open for its metrics, and which one is closed to make room?"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

    from .appender import Appender

_MOST = 1024
_SCATTER = 2654435761  # 2**32 over the golden ratio: successive multiples fall everywhere (Knuth, TAOCP 6.4)


class DescriptorPool:
    """The open metric files of this process.

    A closed file costs an open at its next value. Which one is closed is picked by a counter that jumps about: with
    least recently used, metrics that are logged in turn and are one more than fit would miss every time.
    """

    def __init__(self) -> None:
        self._open: List[Appender] = []
        self._picks = 0
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
        os.close(descriptor)
        return int(lifted)

    def admit(self, appender: Appender) -> None:
        """Count an appender whose file was opened, and close another's where there are too many."""
        appender.slot = len(self._open)
        self._open.append(appender)
        for _ in range(8):
            if len(self._open) <= self.bound:
                return
            self._picks += 1
            victim = self._open[self._picks * _SCATTER % 2**32 % len(self._open)]
            if victim is not appender and victim.park():
                return

    def remove(self, appender: Appender) -> None:
        """Forget an appender whose file was closed."""
        slot, appender.slot = appender.slot, -1
        if 0 <= slot < len(self._open) and self._open[slot] is appender:
            last = self._open.pop()
            if last is not appender:
                self._open[slot] = last
                last.slot = slot

    def doubt(self) -> None:
        """Let go of every descriptor, closing none: foreign code closed ours, and the numbers may be its own now."""
        abandoned, self._open = self._open, []
        for appender in abandoned:
            appender.abandon()


def _soft_limit() -> int:
    try:
        import resource
    except ImportError:  # Windows: the C library's own bound
        return 512
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 1 << 20 if soft == resource.RLIM_INFINITY else int(soft)
