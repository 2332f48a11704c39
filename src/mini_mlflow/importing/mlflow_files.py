"""Which runs does a file store of MLflow hold, any version from 1.0 to 3.18, on their way into a store of ours?"""

from __future__ import annotations

import os

from .. import layout
from ..errors import BrokenFileError, MiniMLflowError
from ..records import Problem
from ..store import experiments, folders, mlflow_layout, reader
from . import mlflow_fields, original
from .foreign import ForeignExperiment, ForeignRun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

    from ..records import Experiment, Metric

_KEPT = ("inputs", "outputs", "source_name", "source_version", "entry_point_name")


def list_places(store: str, only: Optional[str], problems: List[Problem]) -> List[Tuple[Experiment, str, bool]]:
    """Return (experiment, run id, whether it is deleted) of every run that MLflow wrote, the oldest first.

    Args:
        store: Its folder, such as ``mlruns``.
        only: The name or id of one experiment; None: all.
        problems: Gets what is none of MLflow's, and what cannot be read.
    """
    found = []
    for experiment in experiments.list_experiments(store):
        if only is not None and only not in (experiment.name, str(experiment.experiment_id)):
            continue
        for is_deleted in (False, True):
            for run_id in reversed(reader.list_run_ids(store, experiment.experiment_id, is_deleted=is_deleted)):
                path = layout.run_folder(store, experiment.experiment_id, run_id)
                if os.path.islink(path) or os.path.islink(os.path.dirname(path)):
                    problems.append(Problem(path, "it is a link, which is not followed"))
                elif _is_theirs(path, problems):
                    found.append((experiment, run_id, is_deleted))
    return found


def iter_runs(store: str, places: Iterable[Tuple[Experiment, str, bool]]) -> Iterator[ForeignRun]:
    """Yield the runs at these places."""
    for experiment, run_id, is_deleted in places:
        place = ForeignExperiment(experiment.name, experiment.creation_time, experiment.tags)
        yield _describe(store, experiment, run_id, place, is_deleted=is_deleted)


def _is_theirs(path: str, problems: List[Problem]) -> bool:
    try:
        fields = folders.read_meta(path)[0]
    except (OSError, MiniMLflowError) as error:
        problems.append(Problem(os.path.join(path, layout.META), getattr(error, "reason", None) or str(error)))
        return False
    if not mlflow_layout.is_run(fields):
        problems.append(Problem(path, "it is a run of ours, which merge brings in"))
        return False
    return True


def _describe(
    store: str, experiment: Experiment, run_id: str, place: ForeignExperiment, *, is_deleted: bool
) -> ForeignRun:
    problems: List[Problem] = []
    record = reader.read_run(store, experiment.experiment_id, run_id)
    problems.extend(record.problems)
    folder = layout.run_folder(store, experiment.experiment_id, run_id)
    there = record.metadata
    told: Dict[str, Any] = {"from": "mlflow", "experiment_id": str(experiment.experiment_id)}
    told.update((name, str(there[name])) for name in ("artifact_uri",) if there.get(name))
    told.update((name, there[name]) for name in _KEPT if there.get(name))
    fields, tags = mlflow_fields.convert(
        record.tags,
        name=there.get("name"),
        status=there.get("status"),
        start_time=there.get("start_time"),
        end_time=there.get("end_time"),
        user=there.get("user"),
        told=told,
    )
    before = original.read(folder, problems)
    params, tags, fields = original.restore(before, record.params, tags, fields)

    def read() -> Tuple[Dict[str, Any], Dict[str, Any], Iterable[Tuple[str, List[Metric]]]]:
        return params, tags, _iter_metrics(folder, before)

    artifacts = [(os.path.join(folder, layout.ARTIFACTS), ""), *_models(store, experiment, there, problems)]
    return ForeignRun(original.run_id(before, run_id), place, fields, is_deleted, read, artifacts, problems)


def _iter_metrics(folder: str, before: Dict[str, Any]) -> Iterator[Tuple[str, List[Metric]]]:
    """Yield every metric with its rows as they were logged."""
    for key, path in mlflow_layout.iter_files(folder, layout.METRICS):
        try:
            yield original.metric_key(before, key), mlflow_layout.read_rows(path)
        except (OSError, BrokenFileError):
            continue  # the record's problems have it


def _models(
    store: str, experiment: Experiment, there: Dict[str, Any], problems: List[Problem]
) -> List[Tuple[str, str]]:
    """Return the folders of the models that a run of MLflow 3 has logged: they lie beside the runs."""
    found: Dict[str, str] = {}
    for each in there.get("outputs", ()):
        model_id = str(each.get("source_id"))
        if not model_id.startswith("m-") or os.path.basename(model_id) != model_id:
            continue
        top = os.path.join(layout.experiment_folder(store, experiment.experiment_id), "models")
        folder = os.path.join(top, model_id, layout.ARTIFACTS)
        if os.path.islink(top) or os.path.islink(os.path.dirname(folder)):
            problems.append(Problem(folder, "it is a link, which is not followed"))
        elif os.path.isdir(folder):
            found[folder] = os.path.join("models", model_id)
    return sorted(found.items())
