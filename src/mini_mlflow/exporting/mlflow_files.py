"""How do runs look in the layout of MLflow's file store, so that every version of MLflow reads them?

What MLflow has no place for (a param that is no text, a key that it refuses, microseconds) stands beside in a file that
it passes over, and comes back with an import: see ``importing.original``.
"""

from __future__ import annotations

import errno
import json
import os
import re
from posixpath import normpath
from urllib.request import pathname2url

from .. import artifacts, config, layout
from ..artifact_names import find_fault
from ..errors import ArtifactNotFoundError, RunExistsError
from ..importing import original
from ..records import Metric, Problem
from ..store import documents, folders, meta, mlflow_layout, reader, staging
from . import destination, given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Sequence, Union

    from ..records import Experiment, StoredRun

MARK = ".mini-mlflow-export"
_STATUSES = {"RUNNING": 1, "FINISHED": 3, "FAILED": 4, "KILLED": 5, "LOST": 4}
_KEY = r"[/\w.\- ]+"  # what MLflow takes on every system
_RUN_ID = r"[a-zA-Z0-9][\w\-]{0,255}"
_EXPERIMENT_ID = r"[a-zA-Z0-9][\w\-]{0,63}"
_PREFIX = 100  # characters of a key or id that are kept before its hash
_IN_THE_WAY = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG)


class Written:
    """What an export has written.

    Attributes:
        added: Ids of the runs that were written, as MLflow has them.
        there: Ids of those that an earlier export has written.
        problems: What could not be read or was left out.
    """

    def __init__(self) -> None:
        self.added: List[str] = []
        self.there: List[str] = []
        self.problems: List[Problem] = []


def write(
    path: str, runs: Sequence[StoredRun], experiments: Dict[str, Experiment], advance: Callable[[int], None]
) -> Written:
    """Write runs into a folder that MLflow reads as its file store; each comes whole or not at all.

    An export that was stopped goes on when it is called again: runs that are there are passed over.

    Args:
        path: The folder; new, empty, or made by an earlier export.
        runs: The runs.
        experiments: Experiments by ids as texts.
        advance: Called with 1 for each run.

    Raises:
        InvalidValueError: There is something else at *path*.
        OSError: The disk refused; the runs that are there are whole.
    """
    path = os.path.abspath(path)
    destination.refuse_folder(path, MARK)
    os.makedirs(path, exist_ok=True)
    documents.replace(os.path.join(path, MARK), b'{"format": 1}\n')
    staging.sweep(path)
    written = Written()
    for each in {str(run.info.experiment_id): run.info.experiment_id for run in runs}.items():
        _write_experiment(path, each[0], experiments.get(each[0]))
    for run in runs:
        _write_run(path, run, written)
        advance(1)
    return written


def safe_experiment_id(experiment_id: Union[int, str]) -> str:
    """Return an experiment's id as MLflow takes it."""
    return _safe(str(experiment_id), _EXPERIMENT_ID, 40)


def safe_run_id(run_id: str) -> str:
    """Return a run's id as MLflow takes it."""
    return _safe(run_id, _RUN_ID, _PREFIX)


def text_of(value: Any) -> str:
    """Return a value as the text that MLflow keeps."""
    if not isinstance(value, str):
        value = str(value) if value is None or isinstance(value, (bool, int, float)) else json.dumps(value)
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _write_experiment(path: str, experiment_id: str, experiment: Any) -> None:
    safe = safe_experiment_id(experiment_id)
    folder = os.path.join(path, safe)
    os.makedirs(folder, exist_ok=True)
    created = getattr(experiment, "creation_time", None) or 0
    fields = {
        "artifact_location": _uri(folder),
        "creation_time": created,
        "experiment_id": safe,
        "last_update_time": getattr(experiment, "last_update_time", None) or created,
        "lifecycle_stage": "active",
        "name": getattr(experiment, "name", experiment_id),
    }
    tags = getattr(experiment, "tags", None) or {}
    values = _Values(folder, layout.TAGS)
    for key in sorted(tags):
        values.write(key, tags[key], is_replaced=True)
    documents.replace(os.path.join(folder, layout.META), meta.encode(fields))


def _write_run(path: str, run: StoredRun, written: Written) -> None:
    run_id = safe_run_id(run.info.run_id)
    target = os.path.join(path, safe_experiment_id(run.info.experiment_id), run_id)
    if os.path.isdir(target):
        written.there.append(run_id)
        return
    with staging.staged(path) as folder:
        _fill(folder, target, run, written.problems)
        try:
            staging.publish(folder, target)
        except RunExistsError:
            written.there.append(run_id)  # another export was first
            return
    written.added.append(run_id)


def _fill(folder: str, target: str, run: StoredRun, problems: List[Problem]) -> None:
    source = given.folder_of(run)
    problems.extend(run.problems)
    for kind in (layout.PARAMS, layout.METRICS, layout.TAGS, layout.ARTIFACTS):
        os.makedirs(os.path.join(folder, kind))
    params = _Values(folder, layout.PARAMS)
    for key in sorted(run.data.params):
        params.write(key, run.data.params[key])
    tags = _Values(folder, layout.TAGS)
    for key in sorted(run.data.tags):
        value = run.data.tags[key]
        tags.write(key, safe_run_id(value) if key == "mlflow.parentRunId" and isinstance(value, str) else value)
    metrics = _Values(folder, layout.METRICS)
    for key in sorted(run.data.metrics):
        rows = reader.read_history(source, key, problems)
        metrics.write_bytes(key, "".join(map(_line, rows)).encode("ascii"))
    _copy_artifacts(run, folder, problems)
    data = original.encode(run.info.run_id, _own_fields(source), params.told, tags.told, metrics.renamed)
    documents.replace(os.path.join(folder, original.FILE), data)
    _sync(folder)
    documents.replace(os.path.join(folder, layout.META), meta.encode(_meta(target, run)), sync=True)


def _meta(target: str, run: StoredRun) -> Dict[str, Any]:
    info = run.info
    fields: Dict[str, Any] = {
        "artifact_uri": _uri(os.path.join(target, layout.ARTIFACTS)),
        "end_time": info.end_time,
        "entry_point_name": "",
        "experiment_id": os.path.basename(os.path.dirname(target)),
        "lifecycle_stage": info.lifecycle_stage,
        "run_id": os.path.basename(target),
        "run_name": "" if info.run_name is None else info.run_name,
        "run_uuid": os.path.basename(target),
        "source_name": "",
        "source_type": 4,
        "source_version": "",
        "start_time": info.start_time,
        "status": _STATUSES.get(info.status, 1),
        "tags": [],
        "user_id": info.user_id or "",
    }
    if info.lifecycle_stage == "deleted":
        fields["deleted_time"] = info.end_time or info.start_time
    return fields


def _own_fields(source: str) -> Dict[str, Any]:
    """Return what the run's own meta.yaml says, but for what MLflow's says as well and for ids."""
    fields = folders.read_meta(source, lambda *_: None)[0]
    if mlflow_layout.is_run(fields):
        return {}
    return {name: fields[name] for name in fields if name not in ("format", "run_id", "experiment_id", "generation")}


class _Values:
    """The params, tags or metrics of one run, a file for each, under names that MLflow takes.

    Attributes:
        told: Of keys and values that are others than their files say; see ``original.entry``.
        renamed: The own keys, by those of the files, where they are others.
    """

    def __init__(self, folder: str, kind: str) -> None:
        self.told: Dict[str, Any] = {}
        self.renamed: Dict[str, str] = {}
        self._folder = os.path.join(folder, kind)

    def write(self, key: str, value: Any, *, is_replaced: bool = False) -> None:
        """Write a param or tag."""
        text = text_of(value)
        name = self.write_bytes(key, text.encode("utf-8"), is_replaced=is_replaced)
        if name != key or type(value) is not str or value != text:
            self.told[name] = original.entry(key, value, text)

    def write_bytes(self, key: str, data: bytes, *, is_replaced: bool = False) -> str:
        """Write a file for a key, and return what the key is called there."""
        for name in (key, _hashed(key, _PREFIX)) if is_legal(key) else (_hashed(key, _PREFIX),):
            path = os.path.join(self._folder, *name.split("/"))
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                if is_replaced:
                    documents.replace(path, data)
                else:
                    documents.create(path, data)
            except OSError as error:
                if error.errno not in _IN_THE_WAY or name != key:
                    raise
                continue  # a key such as a, beside a/b; or a disk that takes Loss for loss
            if name != key:
                self.renamed[name] = key
            return name
        raise AssertionError("the last name raises or returns")


def is_legal(key: str) -> bool:
    """Tell whether MLflow takes a key, and every system the names of its files."""
    if not re.fullmatch(_KEY, key) or len(key) > 250 or normpath(key) != key or key.startswith(("/", "..")):
        return False
    return all(find_fault(part) is None for part in key.split("/"))


def _safe(name: str, pattern: str, length: int) -> str:
    return name if re.fullmatch(pattern, name) else "x" + _hashed(name, length)


def _hashed(name: str, length: int) -> str:
    from hashlib import sha256

    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return "%s-%s" % (re.sub(r"[^A-Za-z0-9_\-]", "_", name)[:length], digest)


def _line(row: Metric) -> str:
    value = row.value
    if isinstance(value, float) and not documents.is_finite(value):
        text = "inf" if value > 0 else "-inf" if value < 0 else "nan"
    else:
        text = repr(value)
    return "%d %s %d\n" % (row.timestamp, text, row.step)


def _copy_artifacts(run: StoredRun, folder: str, problems: List[Problem]) -> None:
    try:
        artifacts.download(run.info.artifact_uri, None, os.path.join(folder, layout.ARTIFACTS))
    except ArtifactNotFoundError:
        pass  # it has none
    except ValueError as error:
        problems.append(Problem(run.info.artifact_uri, getattr(error, "reason", None) or str(error)))


def _sync(folder: str) -> None:
    if config.sync_period_s() is None:
        return
    for inside, _, names in os.walk(folder):
        for name in names:
            documents.sync(os.path.join(inside, name))


def _uri(path: str) -> str:
    return "file://" + pathname2url(path)
