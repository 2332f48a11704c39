"""What do the runs of a store hold, read from their files, as a table that a query can be asked of?"""

from __future__ import annotations

import os

from .. import layout
from ..errors import MiniMLflowError, RunNotFoundError, StorageWarning
from ..progress import Progress
from ..records import RunData, RunInfo, StoredRun
from ..store import experiments, meta, mlflow_layout, reader, trash
from ..summary import find_summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

    ExperimentId = Union[int, str]

META_TAGS = {  # tags of MLflow's that are kept as fields of meta.yaml
    "mlflow.runName": "name",
    "mlflow.parentRunId": "parent_run_id",
    "mlflow.user": "user",
    "mlflow.source.name": "entry",
    "mlflow.source.git.commit": "git_commit",
    "mlflow.source.git.branch": "git_branch",
}


class RunTable:
    """Runs as the rows of a table; see ``query.conditions``."""

    def __init__(self, runs: Sequence[StoredRun]) -> None:
        self.runs = runs
        self.count = len(runs)

    def column(self, kind: str, key: str) -> Optional[List[Any]]:
        """Return one value for each run, None where it has none; None where no run has any."""
        if kind == "attributes":
            return [_attribute(run.info, key) for run in self.runs]
        column = [getattr(run.data, kind).get(key) for run in self.runs]
        return None if column.count(None) == len(column) and not self._has(kind, key) else column

    def keys(self, kind: str) -> List[str]:
        """Return the keys that any run has, sorted."""
        return sorted({key for run in self.runs for key in getattr(run.data, kind)})

    def summary_column(self, function: str, key: str) -> Optional[List[Any]]:
        """Return what the history of a metric comes to, for each run; None where no run has the metric."""
        if not self._has("metrics", key):
            return None
        return [self._summary(run, function, key) for run in self.runs]

    def _has(self, kind: str, key: str) -> bool:
        return any(key in getattr(run.data, kind) for run in self.runs)

    def _summary(self, run: StoredRun, function: str, key: str) -> Any:
        if key not in run.data.metrics:
            return None
        summary = find_summary(os.path.dirname(run.info.artifact_uri), run.info.run_id, key)
        return None if summary is None else getattr(summary, function)  # gone or broken since the run was read


def read_table(store: str, experiment_ids: Iterable[ExperimentId], stages: Sequence[str]) -> RunTable:
    """Return the runs of some experiments; one whose meta.yaml cannot be read is passed over.

    Args:
        store: The store, as an absolute path.
        experiment_ids: The experiments.
        stages: ``active`` for runs that are there, ``deleted`` for those in the trash.

    Warns:
        StorageWarning: Some runs cannot be read, all or in part; the rest is returned.
    """
    places = [place for each in experiment_ids for stage in stages for place in _iter_places(store, each, stage)]
    runs, problems = [], []
    with Progress("Reading runs", len(places), "runs") as progress:
        for experiment_id, run_id, folder, stage in places:
            try:
                run = _read(experiment_id, run_id, folder, stage)
            except FileNotFoundError:
                continue  # deleted meanwhile
            except (OSError, MiniMLflowError) as error:
                problems.append("%s: %s" % (folder, error))
                continue
            finally:
                progress.advance()
            if run.problems:
                problems.append("%s: %s" % run.problems[0])
            runs.append(run)
    if problems:
        import warnings  # sound stores never need it

        message = "%d of %d runs cannot be read in full; the first: %s." % (len(problems), len(places), problems[0])
        warnings.warn(message, StorageWarning, stacklevel=4)
    return RunTable(runs)


def read_run(store: str, experiment_id: ExperimentId, run_id: str) -> StoredRun:
    """Return a run that is there.

    Raises:
        RunNotFoundError: There is none.
        BrokenFileError: Its meta.yaml cannot be read.
        UnsupportedFormatError: It was written in a newer format.
    """
    return _read(experiment_id, run_id, reader.run_folder(store, experiment_id, run_id), experiments.ACTIVE)


def _iter_places(store: str, experiment_id: ExperimentId, stage: str) -> Iterator[Tuple[ExperimentId, str, str, str]]:
    if stage == experiments.ACTIVE:
        for run_id in reader.list_run_ids(store, experiment_id):
            yield experiment_id, run_id, layout.run_folder(store, experiment_id, run_id), stage
    else:
        for run_id in reader.list_run_ids(store, experiment_id, is_deleted=True):  # MLflow's stay in place
            yield experiment_id, run_id, layout.run_folder(store, experiment_id, run_id), stage
        for deleted in trash.list_deleted(store, experiment_id):
            yield experiment_id, deleted.run_id, deleted.folder, stage


def _read(experiment_id: ExperimentId, run_id: str, folder: str, stage: str) -> StoredRun:
    record = reader.read_folder(folder, experiment_id, run_id)
    fields = record.metadata
    path = os.path.join(folder, layout.META)
    if not fields:
        message = "Run %r has no meta.yaml in %s: what lies there are leftovers."
        raise RunNotFoundError(message % (run_id, folder), run_id=run_id, experiment_id=experiment_id)
    info = RunInfo(
        run_id=run_id,
        run_name=_text(fields.get("name")),
        experiment_id=experiment_id,
        status=str(fields.get("status") or "RUNNING"),
        start_time=_start_ms(fields, path),
        end_time=meta.decode_time(fields.get("end_time")),
        lifecycle_stage=experiments.DELETED if fields.get("lifecycle_stage") == experiments.DELETED else stage,
        artifact_uri=os.path.join(folder, layout.ARTIFACTS),
        user_id=_text(fields.get("user")),
        parent_run_id=_text(fields.get("parent_run_id")),
        resume_count=meta.generation_of(fields),
        version=_text(fields.get("version")),
    )
    tags = dict(record.tags)
    if not mlflow_layout.is_run(fields):  # whose tags are all files
        for tag, field in META_TAGS.items():
            if fields.get(field) is not None:
                tags.setdefault(tag, fields[field])
    data = RunData(record.params, record.metrics, {key: tags[key] for key in sorted(tags)})
    return StoredRun(info, data, record.problems)


def _attribute(info: RunInfo, key: str) -> Any:
    if key == "experiment_id":
        return str(info.experiment_id)
    return getattr(info, key)


def _start_ms(fields: Dict[str, Any], path: str) -> Optional[int]:
    """Return when a run started; where its meta.yaml does not say, when that was written (rule S6)."""
    start = meta.decode_time(fields.get("start_time"))
    if start is not None:
        return start
    try:
        return os.stat(path).st_mtime_ns // 1000000
    except OSError:
        return None


def _text(value: Any) -> Optional[str]:
    return None if value is None else str(value)
