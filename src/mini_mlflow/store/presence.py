"""Is a run there, as a folder or in a pack, and how does it become a folder that can be written to?

Rule Z4 of docs/format.md: where there is a folder, it counts, and no pack is asked.
"""

from __future__ import annotations

import os
import re
import stat
from itertools import islice

from .. import layout
from ..errors import BrokenFileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Optional, Tuple


_MOST_LOOKED_AT = 2000  # files and folders
_RUN_ID = re.compile(rb"^[\"']?run_(?:uu)?id[\"']?\s*:", re.MULTILINE)  # of MLflow's runs, too, in every version


def place_of(run_folder: str) -> str:
    """Return where a run's files lie: its folder, or its place in a pack; the folder too where there is neither."""
    return run_folder if os.path.isdir(run_folder) else _find(run_folder) or run_folder


def locate(run_folder: str) -> Tuple[str, int, int]:
    """Return where a run's files lie, and what tells that folder, or pack, from a later one in its place."""
    place = place_of(run_folder)
    state = _state_of(place)
    if state is None:
        from . import packed  # few stores have packs

        within = packed.split(place)
        state = None if within is None else _state_of(within.pack)
    return (place, 0, 0) if state is None else (place, state.st_ino, state.st_ctime_ns)


def is_there(run_folder: str) -> bool:
    """Tell whether there is such a run, as a folder or in a pack."""
    # The folder twice, as a run that is unpacked in between was in neither.
    return os.path.isdir(run_folder) or _find(run_folder) is not None or os.path.isdir(run_folder)


def is_packed(run_folder: str) -> bool:
    """Tell whether a run lies in a pack alone."""
    return not os.path.isdir(run_folder) and _find(run_folder) is not None


def is_experiment(folder: str) -> bool:
    """Tell whether a folder that does not say when it was made as an experiment is one all the same.

    It is where its meta.yaml is no run's, or, as 0.1.0 wrote none, where it holds a run, if but a half of one.
    """
    path = os.path.join(folder, layout.META)
    if os.access(path, os.F_OK):
        return not _is_of_run(path, otherwise=False)
    if os.access(layout.packs_folder(folder), os.F_OK):
        return True
    try:
        if _has_run(folder):
            return True
    except OSError:
        return os.path.basename(folder).isdigit()  # nobody may look, and all that anybody makes today are numbers
    try:
        return _has_run(os.path.join(folder, layout.TRASH))  # a store of MLflow's has one, too, of experiments
    except OSError:
        return False


def _has_run(folder: str) -> bool:
    """Tell whether one of the first folders in a folder is a run's; it may be somebody's with very many files."""
    with os.scandir(folder) as entries:
        some = islice(entries, _MOST_LOOKED_AT)
        return any(not entry.name.startswith(".") and entry.is_dir() and _is_run(entry.path) for entry in some)


def _is_run(folder: str) -> bool:
    path = os.path.join(folder, layout.META)
    if os.access(path, os.F_OK):
        return _is_of_run(path, otherwise=True)
    return any(os.access(os.path.join(folder, part), os.F_OK) for part in layout.RUN_PARTS)


def _is_of_run(path: str, *, otherwise: bool) -> bool:
    """Tell whether a meta.yaml is a run's; *otherwise* where it cannot be read."""
    from . import documents  # what says when it was made is not asked

    try:
        return _RUN_ID.search(documents.read(path)) is not None
    except (OSError, BrokenFileError):
        return otherwise


def list_packed(experiment_folder: str, report: Optional[Callable[[str, Exception], None]] = None) -> Dict[str, str]:
    """Return the places of the runs in the packs of an experiment, by id; some may be there as folders, too.

    Args:
        experiment_folder: The experiment.
        report: Called with a pack that cannot be read, and why; None: it is warned of.
    """
    from . import packed  # few stores have packs

    return dict(packed.list_runs(experiment_folder, report))


def ensure_folder(run_folder: str) -> None:
    """Unpack a run that lies in a pack alone, so that it can be written to; do nothing where it does not.

    Raises:
        OSError: The disk refused, or did not tell; the run is in its pack as before.
        BrokenFileError: The pack is damaged.
    """
    if not os.path.isdir(run_folder) and _has_packs_surely(run_folder):
        from . import unpacking  # few stores have packs

        unpacking.unpack_run(run_folder)


def ensure_only_folder(run_folder: str) -> None:
    """Do what ``ensure_folder`` does, and see to it that no pack has the run once the folder is gone.

    Raises:
        OSError, BrokenFileError: As there.
    """
    if _has_packs_surely(run_folder):
        from . import unpacking

        unpacking.unpack_run(run_folder)


def make_folder(run_folder: str) -> bool:
    """Make the folder of a run unless there is one; a run that lies in a pack is unpacked. Tell whether it was made.

    Raises:
        FileNotFoundError: The experiment has no folder.
        OSError, BrokenFileError: As ``ensure_folder``.
    """
    while True:
        ensure_folder(run_folder)
        try:
            os.mkdir(run_folder)
        except FileExistsError:
            return False
        if not _is_packed_surely(run_folder):
            return True
        try:
            os.rmdir(run_folder)  # it was packed between our look and the new folder
        except OSError:
            return False  # another has unpacked it there


def _has_packs(run_folder: str) -> bool:
    return os.path.isdir(layout.packs_folder(os.path.dirname(run_folder)))


def _has_packs_surely(run_folder: str) -> bool:
    """Tell the same to who would make a new run where there is none.

    Raises:
        OSError: The disk did not answer.
    """
    try:
        return stat.S_ISDIR(os.stat(layout.packs_folder(os.path.dirname(run_folder))).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _is_packed_surely(run_folder: str) -> bool:
    if not _has_packs_surely(run_folder):
        return False
    from . import packed

    return packed.find_surely(run_folder) is not None


def _state_of(path: str) -> Optional[os.stat_result]:
    try:
        return os.stat(path)
    except OSError:
        return None


def _find(run_folder: str) -> Optional[str]:
    if os.sep + layout.PACKS + os.sep in run_folder:
        from . import packed

        if packed.is_folder(run_folder):
            return run_folder
    if not _has_packs(run_folder):
        return None
    from . import packed

    return packed.find(run_folder)
