"""How is much work of one kind done, such as reading the files of many runs?

By the one who asks where it is little; by threads where the disk lets it wait; by other processes where it computes,
since threads take Python's lock from each other then, at thrice the cost. A sample tells.
"""

from __future__ import annotations

from collections import namedtuple
from functools import partial
from itertools import starmap
from time import perf_counter, process_time

from .threads import start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator, Sequence

_THREADS = 8  # on a network disk each run costs a dozen waits; beyond this its server is what is waited for
_SAMPLE = 32
_NEXT = 2048  # between two samples: a disk that had to fetch may have it all in memory by then
_AT_ONCE = 256  # so many are waited for where the caller is interrupted
_WAITING = 0.75  # of the time of a sample, and
_WAITING_S = 0.02  # of it: less is not worth the threads' cost, or another program had our core for a moment
_LONG_S = 1.0  # of computing: less is not worth the start of processes


class Work(namedtuple("Work", ["place", "function", "encode", "decode"])):
    """A kind of work, and how what comes of it goes from one process to another.

    Attributes:
        place: Where another process finds this very object: ``module:name``.
        function: What does it.
        encode: Returns what came of it as values of JSON.
        decode: Turns them back.
    """

    __slots__ = ()

    place: str
    function: Callable[..., Any]
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


def map_many(work: Work, common: Sequence[Any], given: Sequence[Sequence[Any]]) -> Iterator[Any]:
    """Yield what comes of some work, in the order in which it is given.

    Args:
        work: What is done.
        common: The first arguments of each call, values of JSON.
        given: The others of each, as well.
    """
    do = partial(work.function, *common)
    for first in range(0, len(given), _NEXT):
        began, computing = perf_counter(), process_time()
        sample = list(starmap(do, given[first : first + _SAMPLE]))
        taken_s = perf_counter() - began
        computed_s = min(process_time() - computing, taken_s)  # other threads of this process may compute, too
        waited_s = taken_s - computed_s
        yield from sample
        rest = given[first + _SAMPLE : first + _NEXT]
        left = len(given) - first - _SAMPLE
        if rest and waited_s > max(_WAITING * taken_s, _WAITING_S):
            yield from _map_in_threads(do, rest)
        elif computed_s * left > _LONG_S * _SAMPLE:
            from . import workers  # few stores have so many runs

            yield from workers.map_in_processes(work, common, given[first + _SAMPLE :])
            return
        else:
            yield from starmap(do, rest)


def _map_in_threads(do: Callable[..., Any], given: Sequence[Sequence[Any]]) -> Iterator[Any]:
    threads = start(_THREADS)
    if threads is None:
        yield from starmap(do, given)
        return
    with threads:
        for first in range(0, len(given), _AT_ONCE):
            yield from threads.map(do, *zip(*given[first : first + _AT_ONCE]))
