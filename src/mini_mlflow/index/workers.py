"""How do several processes share work?

Each is a Python of its own, which is sent a piece of the work and answers with what came of it, both as a line of JSON.
None is forked: what the process that asks has of threads and locks stays its own. Whatever goes wrong with one, its
work is done by the one who asks, and it is asked no more: what it says later might answer another question.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import warnings
from functools import partial
from importlib import import_module
from itertools import chain, starmap
from queue import Queue

from .. import config
from ..errors import StorageWarning, warn
from .threads import start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, List, Optional, Sequence

    from .crowd import Work

_MOST = 8  # beyond this the one who asks, and writes down what they find, is what is waited for
_PIECE = 32
_AT_ONCE = 64  # pieces: so many may wait in memory, for the one who asks
_PYTHONS = ("python", "pypy")  # programs that have Python in them are none that can be asked to run ours
_CODE = """import sys
sys.argv, sys.path[:] = ["mini-mlflow"], %r
from mini_mlflow.index import workers
workers.answer()
"""


def map_in_processes(work: Work, common: Sequence[Any], given: Sequence[Sequence[Any]]) -> Iterator[Any]:
    """Do what ``crowd.map_many`` does."""
    do = partial(work.function, *common)
    pieces = [given[first : first + _PIECE] for first in range(0, len(given), _PIECE)]
    idle: Queue[Optional[_Worker]] = Queue()  # None: whoever finds it does the work here, one at a time
    workers: List[_Worker] = []
    failed: List[_Worker] = []

    def ask(number: int) -> List[Any]:
        worker = idle.get()
        if worker is not None:
            try:
                found = [work.decode(each) for each in worker.ask(number, [work.place, common, pieces[number]])]
            except Exception:  # noqa: BLE001 - it is gone, says what is no answer, or is of another version
                failed.append(worker)
                if len(failed) < len(workers):
                    return list(starmap(do, pieces[number]))
            else:
                idle.put(worker)
                return found
        try:
            return list(starmap(do, pieces[number]))
        finally:
            idle.put(None)

    try:
        try:
            workers.extend(_Worker() for _ in range(min(_count(), len(pieces))))
        except OSError:
            pass  # no more processes are allowed
        threads = start(len(workers)) if workers else None
        if threads is None:
            yield from starmap(do, given)
            return
        for worker in workers:
            idle.put(worker)
        with threads:
            for first in range(0, len(pieces), _AT_ONCE):
                numbers = range(first, min(first + _AT_ONCE, len(pieces)))
                yield from chain.from_iterable(threads.map(ask, numbers))
    finally:
        for worker in workers:
            worker.end()


def answer() -> None:
    """Do the work of a process that was started so, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who asks, who ends us
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what prints is not to be taken for an answer
    answers.write(_line(_kind()))
    answers.flush()
    for question in sys.stdin.buffer:
        number, place, common, given = json.loads(question.decode("ascii"))
        module, _, name = place.partition(":")
        work = getattr(import_module(module), name)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = [work.encode(each) for each in starmap(partial(work.function, *common), given)]
        texts = [str(each.message) for each in told if issubclass(each.category, StorageWarning)]
        answers.write(_line([number, found, texts]))
        answers.flush()


class _Worker:
    """A process that does work for us."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            OSError: The system refused.
        """
        path = [str(each) for each in sys.path]
        flags = ["-B"] if sys.dont_write_bytecode else []
        command = [sys.executable, *flags, "-X", "utf8=%d" % sys.flags.utf8_mode, "-S", "-c", _CODE % (path,)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        self._questions: Any = self._process.stdin
        self._answers: Any = self._process.stdout
        self._is_known = False

    def ask(self, number: int, question: List[Any]) -> List[Any]:
        """Return what it answers; any exception tells that it cannot be asked.

        Args:
            number: Tells questions apart.
            question: Place of the work, common arguments, a list of the others.
        """
        self._questions.write(_line([number, *question]))
        self._questions.flush()
        if not self._is_known and self._read() != _kind():
            raise ValueError("it is of another kind than we are")
        self._is_known = True
        answered, found, texts = self._read()
        if answered != number or len(found) != len(question[-1]):
            raise ValueError("it answers another question")
        for text in texts:
            warn(text, stacklevel=2)
        return list(found)

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._questions, self._answers):
            try:
                pipe.close()
            except OSError:
                pass  # it held a question that nobody reads any more

    def _read(self) -> Any:
        return json.loads(self._answers.readline().decode("ascii"))


def _kind() -> List[Any]:
    """Return what must be the same in both processes, so that one means what the other says."""
    return [config.package_version(), sys.version, sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()]


def _count() -> int:
    """Return how many processes are worth starting here."""
    name = os.path.basename(sys.executable or "").lower()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST) if cores > 1 and name.startswith(_PYTHONS) else 0


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"
