"""How do several processes share work?

Each is a Python of its own, which is sent a piece of the work and answers with what came of it, both as a line of JSON.
None is forked: what the process that asks has of threads and locks stays its own. Whatever goes wrong with one, its
work is done by the one who asks.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib import import_module
from itertools import chain
from queue import Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, List, Sequence

    from .crowd import Work

_MOST = 8  # beyond this the one who asks, and writes down what they find, is what is waited for
_PIECE = 32
_AT_ONCE = 64  # pieces: so many may wait in memory, for the one who asks
_PYTHONS = ("python", "pypy")  # programs that have Python in them are none that can be asked to run ours
_CODE = "import sys; sys.path[:] = %r; from mini_mlflow.index import workers; workers.answer()"


def map_in_processes(work: Work, common: Sequence[Any], given: Sequence[Sequence[Any]]) -> Iterator[Any]:
    """Do what ``crowd.map_many`` does."""
    from concurrent.futures import ThreadPoolExecutor  # this and the modules above cost 20 ms

    idle: Queue[subprocess.Popen[bytes]] = Queue()
    workers: List[subprocess.Popen[bytes]] = []

    def ask(piece: Sequence[Sequence[Any]]) -> List[Any]:
        worker = idle.get()
        try:
            found = _ask(worker, [work.place, common, piece])
            return [work.decode(each) for each in found]
        except (OSError, ValueError):  # it is gone, or says what is no answer
            return [work.function(*common, *each) for each in piece]
        finally:
            idle.put(worker)

    try:
        executor = ThreadPoolExecutor(_MOST)
        executor.submit(len, ()).result()
        for _ in range(_count()):
            workers.append(_start())
            idle.put(workers[-1])
    except (OSError, RuntimeError):  # no more processes are allowed, or the interpreter ends
        pass
    if not workers:
        yield from (work.function(*common, *each) for each in given)
        return
    pieces = [given[start : start + _PIECE] for start in range(0, len(given), _PIECE)]
    try:
        with executor as threads:
            for start in range(0, len(pieces), _AT_ONCE):
                yield from chain.from_iterable(threads.map(ask, pieces[start : start + _AT_ONCE]))
    finally:
        for worker in workers:
            _end(worker)


def answer() -> None:
    """Do the work of a process that was started so, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who asks, who ends us
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what prints is not to be taken for an answer
    for question in sys.stdin.buffer:
        place, common, given = json.loads(question.decode("ascii"))
        module, _, name = place.partition(":")
        work = getattr(import_module(module), name)
        found = [work.encode(work.function(*common, *each)) for each in given]
        answers.write(_line(found))
        answers.flush()


def _count() -> int:
    """Return how many processes are worth starting here."""
    name = os.path.basename(sys.executable or "").lower()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST) if cores > 1 and name.startswith(_PYTHONS) else 0


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", "-c", _CODE % (sys.path,)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)


def _ask(worker: subprocess.Popen[bytes], question: Any) -> List[Any]:
    """Return what a process answers.

    Raises:
        OSError: It is gone.
        ValueError: What it says is no answer.
    """
    questions: Any = worker.stdin
    answers: Any = worker.stdout
    questions.write(_line(question))
    questions.flush()
    found = json.loads(answers.readline().decode("ascii"))
    if not isinstance(found, list) or len(found) != len(question[-1]):
        raise ValueError("%d answers to %d questions" % (len(found), len(question[-1])))
    return found


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    worker.wait()
    for pipe in (worker.stdin, worker.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:
                pass  # it held a question that nobody reads any more
