"""How are the files of many runs read? By several threads, so that one waits for the disk while another computes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterator, Sequence, TypeVar

    Given = TypeVar("Given")
    Found = TypeVar("Found")

_THREADS = 8  # on a network disk each run costs a dozen waits; beyond this its server is what is waited for
_FEW = 64  # for which no thread is started
_AT_ONCE = 256  # so many are waited for where the caller is interrupted


def map_in_threads(function: Callable[[Given], Found], given: Sequence[Given]) -> Iterator[Found]:
    """Yield what *function* makes of each of *given*, in their order."""
    if len(given) < _FEW:
        yield from map(function, given)
        return
    try:
        from concurrent.futures import ThreadPoolExecutor  # costs 10 ms, and most refreshes read few

        executor = ThreadPoolExecutor(_THREADS)
        executor.submit(len, ()).result()
    except RuntimeError:  # the interpreter ends, and starts no thread any more
        yield from map(function, given)
        return
    with executor as threads:
        for start in range(0, len(given), _AT_ONCE):
            yield from threads.map(function, given[start : start + _AT_ONCE])
