"""Who shows other machines that a run lives while it logs nothing?

Rule L2 of docs/format.md.
"""

from __future__ import annotations

from threading import Event, Thread
from weakref import WeakMethod

from .owner import HEARTBEAT_S

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional


class Heartbeat:
    """A small thread that gives signs of life where the lock cannot be seen from everywhere."""

    def __init__(self) -> None:
        self._stopped: Optional[Event] = None

    def start(self, beat: Callable[[], None]) -> None:
        """Start beating.

        Args:
            beat: The method to call every 30 seconds; the thread ends when its object is gone.
        """
        if self._stopped is None:
            self._stopped = Event()
            arguments = (self._stopped, WeakMethod(beat))
            Thread(target=_beat, args=arguments, name="mini-mlflow heartbeat", daemon=True).start()

    def stop(self) -> None:
        """Stop beating; the thread ends by itself."""
        if self._stopped is not None:
            self._stopped.set()
            self._stopped = None


def _beat(stopped: Event, beat: Callable[[], Optional[Callable[[], None]]]) -> None:
    while not stopped.wait(HEARTBEAT_S):
        call = beat()
        if call is None:
            return
        call()
        del call
