"""What does a disk do when it is written to? Asked in a folder of its own, which is removed afterwards."""

from __future__ import annotations

import os
from statistics import median
from time import perf_counter, time

from ..store import documents, locks
from .findings import BAD, GOOD, SKIPPED, WARN, Probe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Optional

    from .companion import Companion

_RENAMES = 200
_APPENDS = 100
_WRITES = 1000
_CREATES = 20
_SYNCS = 5
_LATE_S = 0.5  # slower than any local disk shows what was written
_SKEW_S = 1.0
_SLOW_US = 1000.0  # for one row: a loop of 100 values a second would spend a tenth of its time
_LONG_AGO = 10**9
_PAGE = 4096
_ROW = b',\n[1234, 1795425502982, 0.693147181]\n], "step": 1234, "timestamp": 1795425502982, "value": 0.693147181}\n'


def probe_rename(folder: str, companion: Optional[Companion]) -> Probe:
    """Replace a file many times while another process reads it: is it ever missing or half there?"""
    path = os.path.join(folder, "renamed")
    documents.create(path, _numbered(0))
    if companion is None:
        return Probe("rename is atomic", SKIPPED, "no second process to look", "", {})
    companion.ask("rename", path, _RENAMES)
    for number in range(1, _RENAMES + 1):
        documents.replace(path, _numbered(number))
    seen = companion.answer()
    wrong = seen["missing"] + seen["torn"]
    facts: Dict[str, object] = {"renames": _RENAMES, **seen}
    if wrong:
        meaning = "a reader may find a param or meta.yaml missing for a moment, and report it; nothing is lost"
        result = "%d of %d looks failed" % (wrong, wrong + seen["reads"])
        return Probe("rename is atomic", BAD, result, meaning, facts)
    if seen["last"] < _RENAMES:
        meaning = "other processes see params, tags and the status late"
        return Probe("rename is atomic", WARN, "the last one was not seen within 20 s", meaning, facts)
    return Probe("rename is atomic", GOOD, "%d of %d" % (_RENAMES, _RENAMES), "", facts)


def probe_appends(folder: str, companion: Optional[Companion]) -> Probe:
    """Append rows while another process reads them: how late does it see each?"""
    name = "a second process sees rows"
    if companion is None:
        return Probe(name, SKIPPED, "no second process to look", "", {})
    path = os.path.join(folder, "appended")
    documents.create(path, b"")
    descriptor = os.open(path, os.O_WRONLY | getattr(os, "O_BINARY", 0))
    try:
        companion.ask("append", path, _APPENDS)
        position = 0
        for _ in range(_APPENDS):
            row = b"%.6f\n" % time()
            position += documents.write_at(descriptor, row, position)
        seen = companion.answer()
    finally:
        os.close(descriptor)
    facts = {"rows": _APPENDS, **seen}
    if seen["seen"] < _APPENDS:
        result = "%d of %d within 20 s" % (seen["seen"], _APPENDS)
        return Probe(name, BAD, result, "watch, tail and the page show a live run late or not at all", facts)
    if seen["slowest_s"] > _LATE_S:
        meaning = "watch, tail and the page lag behind by as much"
        return Probe(name, WARN, "after %s" % seconds(seen["slowest_s"]), meaning, facts)
    return Probe(name, GOOD, "after %s" % seconds(max(0.0, seen["slowest_s"])), "", facts)


def probe_locks(folder: str, companion: Optional[Companion]) -> Probe:
    """Lock a file as the owner of a run does, and let another process try it too."""
    path = os.path.join(folder, "locked")
    documents.create(path, b"")
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        ours = locks.try_lock(descriptor)
        if ours is not True:
            facts: Dict[str, object] = {"locked": ours}
            meaning = "who goes on with a run gets a folder of its own in it; a run is LOST after 10 minutes of silence"
            return Probe("locks", WARN, "%s: this disk has none" % _refusal(descriptor), meaning, facts)
        if companion is None:
            return Probe("locks", GOOD, "given, seen by this process alone", "", {"locked": True})
        companion.ask("lock", path)
        theirs = companion.answer()["locked"]
        locks.unlock(descriptor)
        companion.ask("lock", path)
        afterwards = companion.answer()["locked"]
    finally:
        os.close(descriptor)
    facts = {"locked": True, "locked_twice": theirs is True, "locked_after_unlock": afterwards is True}
    if theirs is True:
        meaning = "two processes that go on with one run overwrite each other for up to a second, until they notice"
        return Probe("locks", BAD, "given to two processes at once", meaning, facts)
    if afterwards is not True:
        meaning = "a run that died cannot be taken over; who goes on with it gets a folder of its own in it"
        return Probe("locks", WARN, "kept after they were let go", meaning, facts)
    return Probe("locks", GOOD, "held against a second process", "", facts)


def probe_links(folder: str) -> Probe:
    """Give a file a second name, as new documents get theirs without ever replacing another."""
    path = os.path.join(folder, "linked")
    documents.create(path, b"")
    try:
        os.link(path, path + ".link")
    except (OSError, NotImplementedError, AttributeError) as error:
        meaning = "new files are renamed into their place after a look that it is free"
        return Probe("hard links", WARN, _named(error), meaning, {"has_links": False})
    return Probe("hard links", GOOD, "yes", "", {"has_links": True})


def probe_clock(folder: str) -> Probe:
    """Compare the clock of the disk with that of this machine."""
    skews = []
    for number in range(3):
        before = time()
        path = os.path.join(folder, "clock%d" % number)
        documents.create(path, b"")
        skews.append(os.stat(path).st_mtime - (before + time()) / 2)
    skew = median(skews)
    facts = {"skew_s": round(skew, 3)}
    if abs(skew) < _SKEW_S:
        return Probe("clock of the disk", GOOD, "%s off" % seconds(abs(skew)), "", facts)
    result = "%s %s" % (seconds(abs(skew)), "ahead" if skew > 0 else "behind")
    meaning = "each run notes it, so that none is taken for LOST because of it; set the clocks by NTP"
    return Probe("clock of the disk", WARN, result, meaning, facts)


def probe_folder_times(folder: str) -> Probe:
    """Look whether a folder tells by its time that something was put into it."""
    inside = os.path.join(folder, "times")
    os.mkdir(inside)
    os.utime(inside, (_LONG_AGO, _LONG_AGO))
    documents.create(os.path.join(inside, "new"), b"")
    is_real = os.stat(inside).st_mtime > _LONG_AGO
    facts = {"has_folder_times": is_real}
    if is_real:
        return Probe("times of folders", GOOD, "tell what is new", "", facts)
    meaning = "the index looks at every run file by file: ls is slower from some thousand runs on"
    return Probe("times of folders", WARN, "do not change", meaning, facts)


def probe_names(folder: str) -> Probe:
    """Look which names the disk takes for one."""
    inside = os.path.join(folder, "names")
    os.mkdir(inside)
    for name in ("Case", "caf\u00e9"):
        documents.create(os.path.join(inside, name), b"")
    folds_case = os.path.exists(os.path.join(inside, "cASE"))
    folds_form = os.path.exists(os.path.join(inside, "cafe\u0301"))
    facts = {"folds_case": folds_case, "folds_form": folds_form}
    if not folds_case and not folds_form:
        return Probe("Loss and loss", GOOD, "two names", "", facts)
    meaning = "keys that differ in that alone get file names of their own, so nothing is mixed"
    return Probe("Loss and loss", GOOD, "one name here", meaning, facts)


def probe_write_cost(folder: str) -> Probe:
    """Measure what one value costs: a row appended, a param created, a file brought to the disk."""
    path = os.path.join(folder, "cost")
    descriptor = documents.create_open(path, _ROW)
    try:
        row_us = _median_us(lambda number: _append(descriptor, number), _WRITES)
        param_us = _median_us(lambda number: documents.create(os.path.join(folder, "param%d" % number), _ROW), _CREATES)
        sync_us = _median_us(lambda number: _append_and_sync(descriptor, number), _SYNCS)
    finally:
        os.close(descriptor)
    facts = {"row_us": round(row_us, 1), "param_us": round(param_us, 1), "sync_us": round(sync_us, 1)}
    result = "%s a row, %s a param, %s a sync" % tuple(seconds(each / 1e6) for each in (row_us, param_us, sync_us))
    if row_us < _SLOW_US:
        return Probe("cost of a write", GOOD, result, "", facts)
    meaning = "log_metric takes as long: log less often, or to a local disk and copy the runs later"
    return Probe("cost of a write", WARN, result, meaning, facts)


def seconds(duration_s: float) -> str:
    """Return a length of time for people: ``3.1 µs``, ``12 ms``, ``3.1 s``."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if duration_s >= size:
            return "%.*f %s" % (1 if duration_s < 10 * size else 0, duration_s / size, unit)
    return "%.*f µs" % (1 if duration_s < 1e-5 else 0, duration_s * 1e6)


def _numbered(number: int) -> bytes:
    return (b"%08d" % number).ljust(1000, b"x")


def _append(descriptor: int, number: int) -> None:
    # As the tracker does: within a page, over the closing that stands there.
    documents.write_at(descriptor, _ROW, number * len(_ROW) // 2 // _PAGE * _PAGE)


def _append_and_sync(descriptor: int, number: int) -> None:
    _append(descriptor, number)
    documents.sync_descriptor(descriptor)


def _median_us(work: Callable[[int], object], count: int) -> float:
    costs: List[float] = []
    for number in range(count):
        start = perf_counter()
        work(number)
        costs.append((perf_counter() - start) * 1e6)
    return median(costs)


def _refusal(descriptor: int) -> str:
    """Return how the system calls it that there are no locks: ``ENOLCK`` and its like."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        return "refused"
    except OSError as error:
        return _named(error)
    return "refused at first"


def _named(error: BaseException) -> str:
    import errno

    number = getattr(error, "errno", None)
    return errno.errorcode.get(number, str(error)) if isinstance(number, int) else str(error) or "refused"
