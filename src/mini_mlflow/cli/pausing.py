"""How does a command wait for more without missing that nobody reads it any more?"""

from __future__ import annotations

import select
from time import monotonic, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


def pause(seconds: float, out: TextIO) -> None:
    """Wait, and raise what a write would raise if whoever read *out* is gone.

    Raises:
        BrokenPipeError: The other end of a pipe, or the terminal, is closed.
    """
    try:
        descriptor = out.fileno()
    except (AttributeError, OSError, ValueError):
        descriptor = -1
    if descriptor < 0 or not hasattr(select, "poll"):  # Windows
        sleep(seconds)
        return
    poller = select.poll()
    poller.register(descriptor, 0)  # what is asked for no event still tells errors
    end = monotonic() + seconds
    for _, event in poller.poll(seconds * 1000):
        if event & (select.POLLERR | select.POLLHUP):
            raise BrokenPipeError
    sleep(max(0.0, end - monotonic()))
