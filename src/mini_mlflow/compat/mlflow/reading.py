"""What does a store hold, seen as MLflow's API shows it?"""

from __future__ import annotations

import os
from collections import namedtuple
from math import isnan

from ... import active, clock, keys, layout
from ...errors import AmbiguousRunError, InvalidIdError, MiniMLflowError
from ...index.reading import META_TAGS
from ...store import documents, experiments, folders, reader, trash
from . import checks
from .entities import Experiment, ExperimentTag, LifecycleStage, Metric, Param, Run, RunData, RunInfo, RunTag, ViewType
from .exceptions import invalid, missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional, Union

    from ...run import Run as OpenRun

RUN_NAME = "mlflow.runName"
PARENT = "mlflow.parentRunId"
# MLflow has no word for a run whose process is gone without having ended it.
_LOST, _SHOWN_AS = "LOST", "KILLED"


class Place(namedtuple("Place", ["store", "experiment_id", "run_id", "folder", "stage"])):
    """Where a run lies.

    Attributes:
        store: The store, as an absolute path.
        experiment_id: Its experiment.
        run_id: Its id.
        folder: Its folder.
        stage: ``active`` or ``deleted``.
    """

    __slots__ = ()

    store: str
    experiment_id: Union[int, str]
    run_id: str
    folder: str
    stage: str


def locate(store: str, run_id: Any) -> Place:
    """Return where a run lies, also one that is deleted.

    Raises:
        MlflowException: There is none, there are several, or it is no id.
    """
    run_id = checks.check_run_id(run_id)
    for run in active.live_runs():
        if run.run_id == run_id and run.store_folder == store:
            return _place(store, run.experiment_id, run_id)
    found = reader.find_experiments(store, run_id)
    if len(found) > 1:
        raise AmbiguousRunError(
            "Run %r is in several experiments: %s." % (run_id, found), run_id=run_id, experiment_ids=tuple(found)
        )
    if found:
        return _place(store, found[0], run_id)
    for experiment_id in experiments.list_ids(store):
        for deleted in trash.list_deleted(store, experiment_id):
            if deleted.run_id == run_id:
                return Place(store, experiment_id, run_id, deleted.folder, LifecycleStage.DELETED)
    raise missing("Run %r not found in %s" % (run_id, store))


def place_of(run: OpenRun) -> Place:
    """Return where an open run of this process lies."""
    return _place(run.store_folder, run.experiment_id, run.run_id)


def locate_active(store: str, run_id: Any) -> Place:
    """Return where a run lies.

    Raises:
        MlflowException: There is none, it is no id, or the run is deleted.
    """
    place = locate(store, run_id)
    if place.stage != LifecycleStage.ACTIVE:
        message = "The run %s must be in the 'active' state. Current state is deleted. restore_run() brings it back."
        raise invalid(message % run_id)
    return place


def read_run(place: Place) -> Run:
    """Return a run as it is at this moment, with MLflow's latest values."""
    parent, name = os.path.split(place.folder)
    record = reader.read_run(*os.path.split(parent), name)
    metrics = []
    for key in record.metrics:
        rows = reader.read_history(place.folder, key, [])
        if rows:
            metrics.append(_metric(key, max(rows, key=_rank), None))
    return Run(
        _info(place, record.metadata),
        RunData(
            metrics,
            [Param(key, str(value)) for key, value in record.params.items()],
            [RunTag(key, value) for key, value in tags_of(record.metadata, record.tags).items()],
        ),
    )


def read_history(place: Place, key: str) -> List[Metric]:
    """Return every value of a metric, by step and time; none where the run has no such metric."""
    rows = reader.read_history(place.folder, str(key), [])
    return [_metric(key, row, place.run_id) for row in rows]


def find_value(folder: str, kind: str, key: str) -> Optional[List[Any]]:
    """Return a list of the one value that a run has of a param or tag, None where it has none."""
    for part in folders.list_parts(folder):
        for path in folders.find_documents(part.folder, kind, key):
            try:
                document = documents.decode_json(documents.read(path), path)
            except (OSError, MiniMLflowError):
                continue
            if isinstance(document, dict) and "value" in document:
                return [documents.decode_value(document)]
    return None


def iter_runs(store: str, experiment_id: Any, view_type: int = ViewType.ACTIVE_ONLY) -> Iterator[Run]:
    """Yield an experiment's runs, newest first; one that cannot be read is passed over."""
    number = experiment_id_of(experiment_id)
    places = []
    if view_type != ViewType.DELETED_ONLY:
        places += [_place(store, number, run_id) for run_id in reader.list_run_ids(store, number)]
    if view_type != ViewType.ACTIVE_ONLY:
        for each in trash.list_deleted(store, number):
            places.append(Place(store, number, each.run_id, each.folder, LifecycleStage.DELETED))
    for place in places:
        try:
            yield read_run(place)
        except (OSError, MiniMLflowError):
            continue


def tags_of(fields: Dict[str, Any], tags: Dict[str, Any]) -> Dict[str, str]:
    """Return a run's tags as text, with those that are kept as fields of meta.yaml.

    Args:
        fields: Those of meta.yaml.
        tags: Those that are kept as tags.
    """
    found: Dict[str, Any] = {tag: fields[field] for tag, field in META_TAGS.items() if fields.get(field) is not None}
    if "mlflow.source.name" in found:
        found["mlflow.source.type"] = "LOCAL"
    found.update(tags)
    return {key: str(found[key]) for key in sorted(found)}


def experiment_id_of(experiment_id: Any) -> Union[int, str]:
    """Return an experiment's id as it is kept here: a number where it is one.

    Raises:
        MlflowException: It is no id.
    """
    try:
        return keys.check_experiment_id(experiment_id)
    except InvalidIdError as error:
        raise invalid("Invalid experiment ID: %r. %s" % (experiment_id, error)) from error


def get_experiment(store: str, experiment_id: Any) -> Experiment:
    """Return an experiment; "Default" is always there.

    Raises:
        MlflowException: There is none of this id.
    """
    number = experiment_id_of(experiment_id)
    found = experiments.read(store, number)
    if found is not None:
        return experiment_entity(store, found)
    if number == 0:
        # Not made yet; MLflow makes it before all others.
        return Experiment("0", Experiment.DEFAULT_EXPERIMENT_NAME, uri_of(os.path.join(store, "0")), "active", [], 0, 0)
    raise missing("No Experiment with id=%s exists" % experiment_id)


def list_experiments(store: str) -> List[Experiment]:
    """Return every experiment, the one that was created last first; "Default" is always among them."""
    found = [experiment_entity(store, each) for each in experiments.list_experiments(store)]
    if not any(each.experiment_id == "0" for each in found):
        found.append(get_experiment(store, "0"))
    found.sort(key=lambda each: (each.creation_time or 0, each.experiment_id), reverse=True)
    return found


def experiment_entity(store: str, found: Any) -> Experiment:
    """Return an experiment of the store as MLflow shows it."""
    number = str(found.experiment_id)
    return Experiment(
        number,
        found.name,
        uri_of(layout.experiment_folder(store, number)),
        found.lifecycle_stage,
        [ExperimentTag(key, str(value)) for key, value in sorted((found.tags or {}).items())],
        found.creation_time,
        found.last_update_time if found.last_update_time is not None else found.creation_time,
    )


def uri_of(path: str) -> str:
    """Return an absolute path as a ``file:`` URI (RFC 8089)."""
    path = path.replace(os.sep, "/")
    if not keys.is_simple(path.replace("/", "_")):
        from urllib.parse import quote  # costs milliseconds, and few paths need it

        path = quote(os.fsencode(path), safe="/:~")
    return "file://" + (path if path.startswith("/") else "/" + path)


def _place(store: str, experiment_id: Union[int, str], run_id: str) -> Place:
    folder = layout.run_folder(store, experiment_id, run_id)
    return Place(store, experiment_id, run_id, folder, LifecycleStage.ACTIVE)


def _info(place: Place, fields: Dict[str, Any]) -> RunInfo:
    status = fields.get("status") or "RUNNING"
    name = fields.get("name")
    return RunInfo(
        place.run_id,
        str(place.experiment_id),
        str(fields.get("user") or "unknown"),
        _SHOWN_AS if status == _LOST else str(status),
        clock.decode_time(fields.get("start_time")) or 0,
        clock.decode_time(fields.get("end_time")),
        place.stage,
        uri_of(os.path.join(place.folder, layout.ARTIFACTS)),
        None if name is None else str(name),
    )


def _rank(row: Any) -> Any:
    """Order rows as MLflow does: by step, time, value; at one step and time a number is above NaN."""
    return row.step, row.timestamp, not isnan(row.value), row.value


def _metric(key: str, row: Any, run_id: Optional[str]) -> Metric:
    return Metric(key, float(row.value), row.timestamp, row.step, run_id=run_id)
