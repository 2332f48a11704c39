"""What does a look at a store's disk and surroundings find, all in all?

Everything is tried in one hidden folder, ``.tmp-<16 hex digits>``, that is removed at the end; what a kill leaves
of it, ``check --repair`` and ``gc`` remove (docs/format.md, rule T5).
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from .. import layout
from ..store import held_folder, mounts
from . import beside, probes, room
from .companion import Companion
from .findings import BAD, SKIPPED, WARN, Examination, Probe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterator, List, Optional, Tuple

    from ..store.mounts import Mount


def examine(store: str, *, on_progress: Optional[Callable[[int, int], None]] = None) -> Examination:
    """Try what the tracker relies on, on the disk of a store; leave nothing behind.

    Args:
        store: The store, as an absolute path. Where it is not there yet, the nearest folder above it is tried.
        on_progress: Called after each probe with how many are done, and how many there are.

    Returns:
        What was found. A disk that refuses is a finding, no error.
    """
    folder = nearest_folder(store)
    mount = mounts.find_mount(folder)
    found: List[Probe] = [room.probe_mount(folder, mount), room.probe_space(folder)]
    with _companion() as companion:
        asked = _list_probes(companion)
        total = len(found) + len(asked)
        try:
            with _probe_folder(folder) as place:
                for number, (name, ask) in enumerate(asked, len(found) + 1):
                    found.append(_asked(name, ask, place))
                    if on_progress is not None:
                        on_progress(number, total)
        except OSError as error:
            found.append(_refused(folder, error))
    mlflow = beside.probe_mlflow(store, os.getcwd())
    found += ([] if mlflow is None else [mlflow]) + [beside.probe_python()]
    return Examination(
        store=store,
        folder=folder,
        kind=None if mount is None else mount.kind,
        source=None if mount is None else mount.source,
        free_bytes=room.free_bytes(folder),
        probes=found,
        verdict=judge(found, mount),
    )


def nearest_folder(path: str) -> str:
    """Return a folder, or the nearest one above it that is there."""
    while not os.path.isdir(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def judge(found: List[Probe], mount: Optional[Mount]) -> str:
    """Return in one sentence what probes come to."""
    levels = {probe.name: probe.level for probe in found}
    if levels.get("writing") == BAD:
        return "Runs can be read here, but nothing can be logged."
    bad = [probe.name for probe in found if probe.level == BAD]
    if bad:
        return "Better not log here from several processes: see %s." % " and ".join(bad)
    is_local = next((probe.facts.get("is_local") for probe in found if probe.name == "kind of disk"), None)
    who = "from many processes of this machine" if is_local else "from many machines"
    if mount is None:
        who = "from many processes"
    if any(probe.level == WARN for probe in found):
        return "Safe to log here %s, as said above." % who
    return "Safe to log here %s." % who


@contextmanager
def _companion() -> Iterator[Optional[Companion]]:
    """Lend a second process, None where there is none to be had."""
    try:
        companion = Companion()
    except (OSError, ValueError):
        yield None
        return
    with companion:
        yield companion


@contextmanager
def _probe_folder(folder: str) -> Iterator[str]:
    """Make a hidden folder, and remove it with all that is in it; the one it lies in gets its times back.

    Raises:
        OSError: Nothing can be written there.
    """
    state = os.stat(folder)
    name = layout.TEMPORARY + os.urandom(8).hex()
    os.mkdir(os.path.join(folder, name), 0o700)
    try:
        yield os.path.join(folder, name)
    finally:
        with held_folder.hold(os.path.realpath(folder)) as held:
            try:
                held.remove_tree(name)
            except FileNotFoundError:
                pass  # gc has found it at this moment
        try:
            os.utime(folder, ns=(state.st_atime_ns, state.st_mtime_ns))
        except OSError:
            pass  # another user's folder


def _list_probes(companion: Optional[Companion]) -> List[Tuple[str, Callable[[str], Probe]]]:
    return [
        ("rename is atomic", lambda place: probes.probe_rename(place, companion)),
        ("a second process sees rows", lambda place: probes.probe_appends(place, companion)),
        ("locks", lambda place: probes.probe_locks(place, companion)),
        ("hard links", probes.probe_links),
        ("clock of the disk", probes.probe_clock),
        ("times of folders", probes.probe_folder_times),
        ("Loss and loss", probes.probe_names),
        ("cost of a write", probes.probe_write_cost),
    ]


def _asked(name: str, ask: Callable[[str], Probe], place: str) -> Probe:
    try:
        return ask(place)
    except OSError as error:
        if not os.path.isdir(place):
            return Probe(name, SKIPPED, "gc removed the probe's folder meanwhile; ask again", "", {})
        reason = error.strerror or str(error)
        return Probe(name, BAD, reason, "the tracker cannot work where this is refused", {"error": reason})


def _refused(folder: str, error: OSError) -> Probe:
    reason = error.strerror or str(error)
    meaning = "ls, show and all that reads works; start_run raises here"
    if not os.access(folder, os.R_OK | os.X_OK):
        meaning = "neither can the runs be read"
    return Probe("writing", BAD, reason, meaning, {"error": reason, "folder": folder})
