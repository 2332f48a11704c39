"""MlflowClient: runs, experiments and artifacts of one store, named by their ids."""

# ruff: noqa: FBT001, ARG002 - the signatures are those of MLflow

from __future__ import annotations

import os

from ... import clock, identity
from ...run import Run as OpenRun
from ...store import trash
from . import absent, address, experimenting, reading, searching, writing
from .artifact_client import ArtifactClient
from .entities import Metric, Param, RunTag, ViewType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, List, Mapping, Optional, Sequence, Union

    from .entities import Experiment, Run
    from .searching import PagedList
    from .writing import RunOperations

    Path = Union[str, os.PathLike[str]]


class MlflowClient(ArtifactClient):
    """Reads and writes runs and experiments of a store; none of its runs is the active one.

    Attributes:
        tracking_uri: The store, as it was given.
    """

    def __init__(self, tracking_uri: Optional[Path] = None, registry_uri: Optional[str] = None) -> None:
        """Make a client; nothing is opened.

        Args:
            tracking_uri: A folder, as a path or ``file:`` URI. None: that of ``set_tracking_uri``, else of the
                environment.
            registry_uri: Not looked at: there is no registry.

        Raises:
            MlflowException: It names no folder.
        """
        super().__init__(None if tracking_uri is None else address.checked(tracking_uri))

    def __getattr__(self, name: str) -> Any:
        found = None if name.startswith("_") else absent.find(name)
        if found is None:
            raise AttributeError("'MlflowClient' object has no attribute %r" % name)
        return found

    @property
    def tracking_uri(self) -> str:
        """The store, as it was given."""
        return address.shown() if self._given is None else self._given

    # Runs

    def create_run(
        self,
        experiment_id: Union[str, int],
        start_time: Optional[int] = None,
        tags: Optional[Mapping[str, Any]] = None,
        run_name: Optional[str] = None,
    ) -> Run:
        """Start a run that is not the active one; it ends by ``set_terminated``, or with the process.

        Args:
            experiment_id: Its experiment.
            start_time: Milliseconds since 1970; None: now.
            tags: Tags to begin with.
            run_name: Name for people; None makes one.

        Raises:
            MlflowException: There is no such experiment, or it is deleted.
        """
        number = experimenting.usable_id(self._store, experiment_id)
        first = dict(writing.checked_tags((tags or {}).items()))
        name = run_name or first.pop(reading.RUN_NAME, None)
        parent = first.pop(reading.PARENT, None)
        named = identity.generated_name()
        run = OpenRun(None, number, name, self._store, parent_run_id=parent, default_name=named)
        if start_time is not None:
            run.start_time = clock.encode_time(start_time * 1000)
            run.change_metadata({"start_time": run.start_time})
        place = reading.locate(self._store, run.run_id)
        writing.write_tags(place, list(first.items()))
        return reading.read_run(place)

    def get_run(self, run_id: str) -> Run:
        """Return a run as it is now, also one that is deleted.

        Raises:
            MlflowException: There is none.
        """
        return reading.read_run(reading.locate(self._store, run_id))

    def get_parent_run(self, run_id: str) -> Optional[Run]:
        """Return the run that a run is nested in, None where it is in none.

        Raises:
            MlflowException: There is no such run.
        """
        parent = self.get_run(run_id).data.tags.get(reading.PARENT)
        return None if parent is None else self.get_run(parent)

    def get_metric_history(self, run_id: str, key: str) -> List[Metric]:
        """Return every value of a metric, by step and time; none where the run has no such metric.

        Raises:
            MlflowException: There is no such run.
        """
        return reading.read_history(reading.locate(self._store, run_id), key)

    def search_runs(
        self,
        experiment_ids: Union[str, int, Sequence[Union[str, int]]],
        filter_string: Optional[str] = "",
        run_view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = searching.MOST_RUNS,
        order_by: Optional[Sequence[str]] = None,
        page_token: Optional[str] = None,
    ) -> PagedList:
        """Return runs that fulfil all conditions, newest first where no order is given.

        Args:
            experiment_ids: Where to look.
            filter_string: Conditions joined by ``and``, as MLflow has them: ``metrics.acc > 0.9 and params.lr = '1'``.
            run_view_type: Those that are there, those that are deleted, or all.
            max_results: At most so many, 1 to 50,000; ``token`` of what is returned leads to the next.
            order_by: Such as ``["metrics.acc DESC", "start_time"]``.
            page_token: ``token`` of an earlier call with the same arguments.

        Raises:
            MlflowException: A condition, an order or a token is not legal.
        """
        if isinstance(experiment_ids, (str, int)):
            experiment_ids = [experiment_ids]
        return searching.search_runs(
            self._store, experiment_ids, filter_string, run_view_type, max_results, order_by, page_token
        )

    def log_param(self, run_id: str, key: str, value: Any, synchronous: Optional[bool] = None) -> Any:
        """Record one setting of a run, and return it; see ``mlflow.log_param``."""
        place = reading.locate_active(self._store, run_id)
        operations = writing.done(synchronous, lambda: writing.write_params(place, [(key, value)]))
        return value if operations is None else operations

    def log_metric(
        self,
        run_id: str,
        key: str,
        value: float,
        timestamp: Optional[int] = None,
        step: Optional[int] = None,
        synchronous: Optional[bool] = None,
        dataset_name: Optional[str] = None,
        dataset_digest: Optional[str] = None,
        model_id: Optional[str] = None,
    ) -> Optional[RunOperations]:
        """Record one value of a metric of a run; see ``mlflow.log_metric``. What belongs to models is not looked at."""
        place = reading.locate_active(self._store, run_id)

        def write() -> None:
            writing.write_metrics(place, writing.checked_metrics([(key, value, timestamp, step)]))

        return writing.done(synchronous, write)

    def set_tag(self, run_id: str, key: str, value: Any, synchronous: Optional[bool] = None) -> Optional[RunOperations]:
        """Attach a remark to a run; see ``mlflow.set_tag``."""
        place = reading.locate_active(self._store, run_id)
        return writing.done(synchronous, lambda: writing.write_tags(place, writing.checked_tags([(key, value)])))

    def delete_tag(self, run_id: str, key: str) -> None:
        """Take a tag of a run away.

        Raises:
            MlflowException: The run has no such tag.
        """
        writing.delete_tag(reading.locate_active(self._store, run_id), key)

    def log_batch(
        self,
        run_id: str,
        metrics: Iterable[Metric] = (),
        params: Iterable[Param] = (),
        tags: Iterable[RunTag] = (),
        synchronous: Optional[bool] = None,
    ) -> Optional[RunOperations]:
        """Record metrics, params and tags of a run at once, as many as there are; all are checked first.

        Raises:
            MlflowException: One of them is not legal, or a param comes twice or with another value.
        """
        place = reading.locate_active(self._store, run_id)
        rows, pairs, marks = list(metrics), list(params), list(tags)

        def write() -> None:
            writing.refuse_twice([each.key for each in pairs])
            checked = writing.checked_metrics([(each.key, each.value, each.timestamp, each.step) for each in rows])
            tagged = writing.checked_tags([(each.key, each.value) for each in marks])
            writing.write_params(place, [(each.key, each.value) for each in pairs])
            writing.write_metrics(place, checked)
            writing.write_tags(place, tagged)

        return writing.done(synchronous, write)

    def set_terminated(self, run_id: str, status: Optional[str] = None, end_time: Optional[int] = None) -> None:
        """End a run.

        Args:
            run_id: The run.
            status: FINISHED, FAILED or KILLED; None: FINISHED.
            end_time: Milliseconds since 1970; None: now.

        Raises:
            MlflowException: There is no such run or status.
        """
        writing.end(reading.locate_active(self._store, run_id), status, end_time)

    def update_run(self, run_id: str, status: Optional[str] = None, name: Optional[str] = None) -> None:
        """Change how a run stands, or its name.

        Raises:
            MlflowException: There is no such run or status.
        """
        place = reading.locate_active(self._store, run_id)
        if name:
            writing.change_fields(place, {"name": name})
        if status and status != "RUNNING":
            ended = reading.read_run(place).info.end_time
            writing.end(place, status, ended)

    def delete_run(self, run_id: str) -> None:
        """Move a run to the trash of its experiment, from where ``restore_run`` brings it back.

        Raises:
            MlflowException: There is no such run.
            ActiveRunError: It is being written.
        """
        place = reading.locate(self._store, run_id)
        if place.stage == "active":
            trash.delete_run(place.store, place.experiment_id, place.run_id)

    def restore_run(self, run_id: str) -> None:
        """Bring a run back.

        Raises:
            MlflowException: There is no such run.
        """
        place = reading.locate(self._store, run_id)
        if place.stage != "active":
            trash.restore_run(place.store, place.experiment_id, place.run_id)

    # Experiments

    def create_experiment(
        self, name: str, artifact_location: Optional[str] = None, tags: Optional[Mapping[str, Any]] = None
    ) -> str:
        """Make an experiment and return its id.

        Args:
            name: Its name, which no other has.
            artifact_location: Not followed, with a warning: artifacts lie with their run.
            tags: Tags to begin with.

        Raises:
            MlflowException: There is one of this name, or it is not legal.
        """
        return experimenting.create(self._store, name, artifact_location, tags)

    def get_experiment(self, experiment_id: Union[str, int]) -> Experiment:
        """Return an experiment, also one that is deleted.

        Raises:
            MlflowException: There is none of this id.
        """
        return reading.get_experiment(self._store, experiment_id)

    def get_experiment_by_name(self, name: str) -> Optional[Experiment]:
        """Return the experiment of a name, also one that is deleted, None where there is none."""
        return experimenting.find(self._store, name)

    def search_experiments(
        self,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: Optional[int] = searching.MOST_RUNS,
        filter_string: Optional[str] = None,
        order_by: Optional[Sequence[str]] = None,
        page_token: Optional[str] = None,
    ) -> PagedList:
        """Return experiments that fulfil all conditions, newest first where no order is given.

        Args:
            view_type: Those that are there, those that are deleted, or all.
            max_results: At most so many.
            filter_string: Conditions on ``name`` and ``tags.KEY``, joined by ``and``.
            order_by: Such as ``["name", "creation_time DESC"]``.
            page_token: ``token`` of an earlier call with the same arguments.

        Raises:
            MlflowException: A condition, an order or a token is not legal.
        """
        return searching.search_experiments(self._store, view_type, max_results, filter_string, order_by, page_token)

    def rename_experiment(self, experiment_id: Union[str, int], new_name: str) -> None:
        """Give an experiment another name.

        Raises:
            MlflowException: There is none of this id, or another has the name.
        """
        experimenting.rename(self._store, experiment_id, new_name)

    def delete_experiment(self, experiment_id: Union[str, int]) -> None:
        """Mark an experiment as deleted; ``restore_experiment`` brings it back.

        Raises:
            MlflowException: There is none of this id.
        """
        experimenting.delete(self._store, experiment_id)

    def restore_experiment(self, experiment_id: Union[str, int]) -> None:
        """Bring an experiment back.

        Raises:
            MlflowException: There is none of this id, or another has its name by now.
        """
        experimenting.restore(self._store, experiment_id)

    def set_experiment_tag(self, experiment_id: Union[str, int], key: str, value: Any) -> None:
        """Attach a remark to an experiment.

        Raises:
            MlflowException: There is none of this id, or it is deleted.
        """
        experimenting.set_tag(self._store, experiment_id, key, value)
