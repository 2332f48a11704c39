"""What is told of runs without a look into their files: where they lie, which there may be, what is known as records?

Apart from ``reading``, which loads all that knows files: where nothing has changed, nobody needs it.
"""

from __future__ import annotations

import os

from .. import layout
from ..records import Dataset, Problem, RunData, RunInfo, StoredRun
from ..store import experiments, presence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, List, Optional, Sequence, Set, Union

    from .entry import Entry

    ExperimentId = Union[int, str]

# Has its place among the attributes, so that one column tells whether any run has problems.
PROBLEM = "problem"
# Likewise: name, digest and context of each data set that a run was given.
DATASETS = "datasets"
# Likewise: the microseconds of its start behind the millisecond, for runs that started within one.
START_US = "start_us"


def folder_of(runs_dir: str, experiment_id: ExperimentId, stage: str, name: str) -> str:
    """Return where a run lies."""
    if stage == experiments.DELETED:
        return os.path.join(layout.trash_folder(runs_dir, experiment_id), name)
    return layout.run_folder(runs_dir, experiment_id, name)


def run_id_of(name: str, stage: str) -> str:
    """Return the id of a run by the name of its folder."""
    return layout.run_id_in_trash(name) if stage == experiments.DELETED else name


def list_names(folder: str, report: Callable[[str, Exception], None]) -> List[str]:
    """Return what may be runs in the folder of an experiment: folders by name, then what lies in packs, by pack.

    Args:
        folder: The experiment.
        report: Called with what cannot be read, and why: then there may be more.
    """
    try:
        names = _list_folders(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        report(folder, error)
        return []
    if layout.PACKS not in names:
        return sorted(names)
    places = presence.list_packed(folder, report)
    try:
        names |= _list_folders(folder)  # again, as what was unpacked in between was in neither
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        report(folder, error)
    names.remove(layout.PACKS)
    # Of a pack, the directory is read once for all of its runs, and few are kept.
    return sorted(names) + sorted(set(places) - names, key=places.__getitem__)


def _list_folders(experiment_folder: str) -> Set[str]:
    with os.scandir(experiment_folder) as found:
        return {entry.name for entry in found if entry.name == layout.PACKS or _is_run(entry)}


def to_stored(entry: Entry, folder: str, experiment_id: ExperimentId) -> StoredRun:
    """Return a run as searches give it.

    Args:
        entry: What is known of it.
        folder: Where it lies.
        experiment_id: Its experiment.
    """
    attributes = entry.attributes
    info = RunInfo(
        run_id=run_id_of(entry.name, entry.stage),
        run_name=attributes["run_name"],
        experiment_id=experiment_id,
        status=attributes["status"],
        start_time=attributes["start_time"],
        end_time=attributes["end_time"],
        lifecycle_stage=experiments.ACTIVE if entry.stage == experiments.ACTIVE else experiments.DELETED,
        artifact_uri=os.path.join(folder, layout.ARTIFACTS),
        user_id=attributes["user_id"],
        parent_run_id=attributes["parent_run_id"],
        resume_count=attributes["resume_count"],
        version=attributes["version"],
        ended_by=attributes.get("ended_by"),
    )
    data = RunData(entry.params, entry.metrics, entry.tags)
    datasets = [Dataset(*each) for each in attributes.get(DATASETS, ())]
    return StoredRun(info, data, [Problem(*each) for each in entry.problems], datasets)


def datasets_column(found: Sequence[Optional[Sequence[Any]]], key: str) -> Optional[List[Any]]:
    """Return a field of the data sets of each run: a list, None for a run without any; None where no run has any."""
    if not any(found):
        return None
    place = Dataset._fields.index(key)
    return [[each[place] for each in datasets] if datasets else None for datasets in found]


def _is_run(entry: os.DirEntry[str]) -> bool:
    try:
        return not entry.name.startswith(".") and entry.is_dir()
    except OSError:
        return False
