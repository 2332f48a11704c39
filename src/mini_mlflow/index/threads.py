"""Which threads do work that is shared?"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor
    from typing import Optional


def start(count: int) -> Optional[ThreadPoolExecutor]:
    """Return an executor of so many threads, None as the interpreter ends: then it starts none any more."""
    from concurrent.futures import ThreadPoolExecutor  # costs 10 ms, and most refreshes read few

    try:
        executor = ThreadPoolExecutor(count)
        executor.submit(len, ()).result()
    except RuntimeError:
        return None
    return executor
