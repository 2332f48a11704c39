"""What do the files of a run say, as the index and as searches hold it?"""

from __future__ import annotations

import os
from time import time

from .. import clock, layout
from ..errors import MiniMLflowError, RunNotFoundError
from ..store import documents, experiments, folders, machine, meta, mlflow_layout, owner, presence, reader
from . import fingerprints
from .crowd import Work
from .entry import BROKEN, DELETED_IN_PLACE, Entry, State
from .known_runs import DATASETS, PROBLEM, START_US, folder_of, run_id_of, to_stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

    from ..records import StoredRun
    from ..store.folders import Owners

    ExperimentId = Union[int, str]

META_TAGS = {  # tags of MLflow's that are kept as fields of meta.yaml
    "mlflow.runName": "name",
    "mlflow.parentRunId": "parent_run_id",
    "mlflow.user": "user",
    "mlflow.source.name": "entry",
    "mlflow.source.git.commit": "git_commit",
    "mlflow.source.git.branch": "git_branch",
}
_CONTEXT = "mlflow.data.context"
_UNSETTLED = (reader.RUNNING, reader.LOST)


def read_entry(
    runs_dir: str, experiment_id: ExperimentId, name: str, *, is_in_trash: bool, now_ms: int, is_deep: bool = False
) -> Tuple[Entry, State]:
    """Return what the files of a run say, and how they looked just before.

    What is no run that can be read comes as one of the stage ``broken``, with why.

    Args:
        runs_dir: The store.
        experiment_id: The experiment.
        name: The run's folder.
        is_in_trash: Whether it lies in the trash.
        now_ms: The clock.
        is_deep: Whether every file is looked at, also where the folders would tell.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    stage = experiments.DELETED if is_in_trash else experiments.ACTIVE
    folder = folder_of(runs_dir, experiment_id, stage, name)
    deep = fingerprints.look_at_files(folder) if is_deep else None
    shallow = fingerprints.look_at_folders(folder)
    entry, is_ours, owners = _read(folder, experiment_id, name, stage)
    is_live, is_writing = _activity(entry, owners)
    needs_files = is_writing or not is_ours or not machine.has_folder_times(_device_of(folder))
    if needs_files and deep is None:
        return read_entry(runs_dir, experiment_id, name, is_in_trash=is_in_trash, now_ms=now_ms, is_deep=True)
    look = shallow if deep is None else deep
    state = State(
        shallow=shallow.stamp,
        deep=b"" if deep is None else deep.stamp + _standing(entry.attributes.get("status"), is_writing=is_writing),
        is_live=is_live,
        is_deep=needs_files,
        read_at_ms=now_ms,
        is_provisional=look.changed_ms > now_ms - fingerprints.RECENT_MS,
    )
    return entry, state


def unreadable(
    runs_dir: str, experiment_id: ExperimentId, name: str, error: Exception, now_ms: int
) -> Tuple[Entry, State]:
    """Return what stands for a run whose folder the disk does not show; every refresh looks at it again."""
    folder = folder_of(runs_dir, experiment_id, experiments.ACTIVE, name)
    state = State(b"", b"", is_live=True, is_deep=False, read_at_ms=now_ms, is_provisional=False)
    return _broken(experiment_id, name, [(folder, str(error))]), state


def read_stored(folder: str, experiment_id: ExperimentId, name: str, stage: str) -> StoredRun:
    """Return a run from its files.

    Raises:
        RunNotFoundError: There is none.
        BrokenFileError: Its meta.yaml cannot be read.
        UnsupportedFormatError: It was written in a newer format.
    """
    return to_stored(_read_run(folder, experiment_id, name, stage)[0], folder, experiment_id)


def _read(folder: str, experiment_id: ExperimentId, name: str, stage: str) -> Tuple[Entry, bool, Owners]:
    """Return what a run holds, whether we alone wrote it (each file replaced as a whole), and who owns its shares."""
    try:
        return _read_run(folder, experiment_id, name, stage)
    except RunNotFoundError:
        if not presence.is_there(folder):
            raise FileNotFoundError(folder) from None
        return _broken(experiment_id, name, []), True, []  # leftovers, or a run that is about to be written
    except FileNotFoundError:
        raise
    except (OSError, MiniMLflowError) as error:
        return _broken(experiment_id, name, [(folder, str(error))]), False, []


def _broken(experiment_id: ExperimentId, name: str, problems: List[Tuple[str, str]]) -> Entry:
    attributes = {PROBLEM: "%s: %s" % problems[0]} if problems else {}
    return Entry(str(experiment_id), name, BROKEN, attributes, {}, {}, {}, {}, problems)


def _read_run(folder: str, experiment_id: ExperimentId, name: str, stage: str) -> Tuple[Entry, bool, Owners]:
    record, owners = reader.read_with_owners(folder, experiment_id, run_id_of(name, stage))
    fields = record.metadata
    if not fields:
        message = "Run %r has no meta.yaml in %s: what lies there are leftovers."
        raise RunNotFoundError(message % (name, folder), run_id=name, experiment_id=experiment_id)
    if stage == experiments.ACTIVE and fields.get("lifecycle_stage") == experiments.DELETED:
        stage = DELETED_IN_PLACE
    is_mlflow = mlflow_layout.is_run(fields)
    tags = dict(record.tags)
    if not is_mlflow:  # whose tags are all files
        for tag, field in META_TAGS.items():
            if fields.get(field) is not None:
                tags.setdefault(tag, fields[field])
    start_us = _start_us(fields, os.path.join(folder, layout.META))
    attributes: Dict[str, Any] = {
        "run_name": _text(fields.get("name")),
        "status": str(fields.get("status") or reader.RUNNING),
        "start_time": None if start_us is None else start_us // 1000,
        "end_time": clock.decode_time(fields.get("end_time")),
        "user_id": _text(fields.get("user")),
        "parent_run_id": _text(fields.get("parent_run_id")),
        "resume_count": meta.generation_of(fields),
        "version": _text(fields.get("version")),
    }
    if start_us is not None:
        attributes[START_US] = start_us % 1000
    if fields.get("ended_by") is not None:
        attributes["ended_by"] = _text(fields["ended_by"])
    datasets = _datasets(fields.get("inputs", ()))
    if datasets:
        attributes[DATASETS] = datasets
    if record.problems:
        attributes[PROBLEM] = "%s: %s" % record.problems[0]
    tags = {key: tags[key] for key in sorted(tags)}
    problems = [tuple(each) for each in record.problems]
    entry = Entry(str(experiment_id), name, stage, attributes, record.params, record.metrics, tags, {}, problems)
    return entry, "format" in fields and not is_mlflow, owners


def _datasets(inputs: Sequence[Dict[str, Any]]) -> List[List[Optional[str]]]:
    """Return name, digest and context of each data set among the inputs of a run."""
    found = []
    for each in inputs:
        if each.get("source_type") == "DATASET":
            dataset, tags = each.get("dataset"), each.get("tags")
            dataset, tags = (part if isinstance(part, dict) else {} for part in (dataset, tags))
            found.append([_text(dataset.get("name")), _text(dataset.get("digest")), _text(tags.get(_CONTEXT))])
    return found


def _activity(entry: Entry, owners: Owners) -> Tuple[bool, bool]:
    """Tell whether a run may change at any moment, and whether its files may do so in place."""
    if entry.stage == BROKEN:
        return True, bool(entry.problems)
    is_live, is_writing = _look_at_writers(owners)
    status = entry.attributes["status"]
    return is_live or status in _UNSETTLED, is_writing or status == reader.RUNNING


def read_standing(folder: str) -> bytes:
    """Return how a run stands at this moment, as the fingerprint of all its files has it at its end.

    Nothing shows in the files of a process that has died but that it is no more.
    """
    status = reader.read_metadata(folder, []).get("status") or reader.RUNNING
    return _standing(status, is_writing=status == reader.RUNNING or _look_at_writers(folders.list_owners(folder))[1])


def _standing(status: Any, *, is_writing: bool) -> bytes:
    return b"%s%d" % (str(status).encode("utf-8", "surrogatepass"), is_writing)


def _look_at_writers(owners: Owners) -> Tuple[bool, bool]:
    """Tell whether one who logs into a run may come back, and whether one lives.

    Its owner counts while it holds the lock, also where the run says that it has ended: who adds to such a run.
    """
    found = []
    for part, record in owners:
        liveness = owner.liveness(part.folder, record, time(), has_ended=not part.name)
        found.append(owner.GONE if liveness == owner.SILENT and not part.name else liveness)
    return any(liveness != owner.GONE for liveness in found), owner.ALIVE in found


def _start_us(fields: Dict[str, Any], path: str) -> Optional[int]:
    """Return when a run started; where its meta.yaml does not say, when that was written (rule S6)."""
    start = clock.decode_us(fields.get("start_time"))
    if start is not None:
        return start
    try:
        return os.stat(path).st_mtime_ns // 1000
    except OSError:
        return None


def _device_of(folder: str) -> int:
    """Return the disk that a run's folder, or its pack, lies on."""
    return documents.state_of(presence.place_of(folder)).st_dev


def _text(value: Any) -> Optional[str]:
    return None if value is None else str(value)


def _read_one(
    runs_dir: str,
    now_ms: int,
    experiment_id: ExperimentId,
    name: str,
    is_in_trash: bool,  # noqa: FBT001 - it came in a list
    is_deep: bool,  # noqa: FBT001 - as above
) -> Optional[Tuple[Entry, State]]:
    """Return what a folder holds, None where it is gone."""
    try:
        return read_entry(
            runs_dir, experiment_id, name, is_in_trash=is_in_trash, now_ms=now_ms, is_deep=is_deep
        )
    except FileNotFoundError:
        return None
    except OSError as error:  # the next search looks again
        return unreadable(runs_dir, experiment_id, name, error, now_ms)


def _encode(found: Optional[Tuple[Entry, State]]) -> Any:
    if found is None:
        return None
    entry, state = found
    return [entry, [state.shallow.hex(), state.deep.hex(), *state[2:]]]


def _decode(found: Any) -> Optional[Tuple[Entry, State]]:
    if found is None:
        return None
    entry, (shallow, deep, *rest) = Entry(*found[0]), found[1]
    entry = entry._replace(problems=[(path, reason) for path, reason in entry.problems])
    return entry, State(bytes.fromhex(shallow), bytes.fromhex(deep), *rest)


READ = Work("%s:READ" % __name__, _read_one, _encode, _decode)
