"""Which plain objects go in and out of this front? MLflow's, with the same fields."""

# ruff: noqa: FBT001 - the signatures are those of MLflow

from __future__ import annotations

from .exceptions import MlflowException, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Dict, Iterator, List, Mapping, Optional, Tuple


class _Entity:
    """Equal where the fields are; iterates over them as ``dict()`` wants it."""

    _fields: ClassVar[Tuple[str, ...]] = ()

    def __iter__(self) -> Iterator[Tuple[str, Any]]:
        for name in sorted(self._fields):
            yield name, getattr(self, name)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash((type(self).__name__, repr(self)))

    def __repr__(self) -> str:
        return "<%s: %s>" % (type(self).__name__, ", ".join("%s=%r" % pair for pair in self))


class Metric(_Entity):
    """One value of a metric.

    Attributes:
        key: Its name.
        value: The number.
        timestamp: Milliseconds since 1970-01-01 UTC.
        step: Position on the x-axis.
    """

    _fields = ("key", "value", "timestamp", "step", "model_id", "dataset_name", "dataset_digest", "run_id")

    def __init__(
        self,
        key: str,
        value: float,
        timestamp: int,
        step: int,
        model_id: Optional[str] = None,
        dataset_name: Optional[str] = None,
        dataset_digest: Optional[str] = None,
        run_id: Optional[str] = None,
    ) -> None:
        self.key, self.value, self.timestamp, self.step = key, value, timestamp, step
        self.model_id, self.dataset_name, self.dataset_digest = model_id, dataset_name, dataset_digest
        self.run_id = run_id

    def to_dictionary(self) -> Dict[str, Any]:
        """Return the fields as a dict."""
        return dict(self)

    @classmethod
    def from_dictionary(cls, metric_dict: Mapping[str, Any]) -> Metric:
        """Return the metric of such a dict.

        Raises:
            MlflowException: A field is missing.
        """
        absent = [name for name in ("key", "value", "timestamp", "step") if name not in metric_dict]
        if absent:
            raise invalid("Missing required keys %s in metric dictionary" % absent)
        return cls(**metric_dict)


class Param(_Entity):
    """One param: *key* and *value*, both text."""

    _fields = ("key", "value")

    def __init__(self, key: str, value: str) -> None:
        self.key, self.value = key, value


class RunTag(_Entity):
    """One tag of a run: *key* and *value*, both text."""

    _fields = ("key", "value")

    def __init__(self, key: str, value: str) -> None:
        self.key, self.value = key, value


class ExperimentTag(RunTag):
    """One tag of an experiment: *key* and *value*, both text."""


class FileInfo(_Entity):
    """A file or folder among the artifacts of a run.

    Attributes:
        path: Its path from the top of the artifacts.
        is_dir: Whether it is a folder.
        file_size: Size in bytes, None for folders.
    """

    _fields = ("path", "is_dir", "file_size")

    def __init__(self, path: str, is_dir: bool, file_size: Optional[int]) -> None:
        self.path, self.is_dir, self.file_size = path, is_dir, file_size


class RunInfo(_Entity):
    """What is known of a run itself.

    Attributes:
        run_id: Its id.
        experiment_id: Its experiment's id, as text.
        user_id: Who started it.
        status: RUNNING, FINISHED, FAILED or KILLED.
        start_time: Milliseconds since 1970-01-01 UTC.
        end_time: The same, None while running.
        lifecycle_stage: ``active`` or ``deleted``.
        artifact_uri: Where its artifacts lie, as a ``file:`` URI.
        run_name: Its name for people.
    """

    _fields = (
        "artifact_uri", "end_time", "experiment_id", "lifecycle_stage", "run_id", "run_name", "start_time", "status",
        "user_id",
    )  # fmt: skip

    def __init__(
        self,
        run_id: str,
        experiment_id: str,
        user_id: str,
        status: str,
        start_time: int,
        end_time: Optional[int],
        lifecycle_stage: str,
        artifact_uri: Optional[str] = None,
        run_name: Optional[str] = None,
    ) -> None:
        self.run_id, self.experiment_id, self.user_id, self.status = run_id, experiment_id, user_id, status
        self.start_time, self.end_time, self.lifecycle_stage = start_time, end_time, lifecycle_stage
        self.artifact_uri, self.run_name = artifact_uri, run_name

    @property
    def run_uuid(self) -> str:
        """The run's id under the name that it had in MLflow 1."""
        return self.run_id


class RunData(_Entity):
    """What is recorded in a run.

    Attributes:
        metrics: Latest values by key: those of the greatest step, then time, then value.
        params: Values by key, as text.
        tags: Values by key, as text.
    """

    _fields = ("metrics", "params", "tags")

    def __init__(
        self,
        metrics: Optional[List[Metric]] = None,
        params: Optional[List[Param]] = None,
        tags: Optional[List[RunTag]] = None,
    ) -> None:
        self.metrics = {each.key: each.value for each in metrics or []}
        self.params = {each.key: each.value for each in params or []}
        self.tags = {each.key: each.value for each in tags or []}

    def to_dictionary(self) -> Dict[str, Any]:
        """Return the three as a dict of dicts."""
        return dict(self)


class RunInputs(_Entity):
    """What a run was fed with; this front keeps no data sets, so both lists are empty."""

    _fields = ("dataset_inputs", "model_inputs")

    def __init__(self) -> None:
        self.dataset_inputs: List[Any] = []
        self.model_inputs: List[Any] = []

    def to_dictionary(self) -> Dict[str, Any]:
        """Return the lists as a dict."""
        return dict(self)


class RunOutputs(_Entity):
    """Which models a run has made; this front keeps none, so the list is empty."""

    _fields = ("model_outputs",)

    def __init__(self) -> None:
        self.model_outputs: List[Any] = []

    def to_dictionary(self) -> Dict[str, Any]:
        """Return the list as a dict."""
        return dict(self)


class Run(_Entity):
    """A run as it was when it was read.

    Attributes:
        info: What is known of the run itself.
        data: What is recorded in it.
    """

    _fields = ("info", "data", "inputs", "outputs")

    def __init__(self, run_info: RunInfo, run_data: RunData, run_inputs: Any = None, run_outputs: Any = None) -> None:
        self.info, self.data = run_info, run_data
        self.inputs = RunInputs() if run_inputs is None else run_inputs
        self.outputs = RunOutputs() if run_outputs is None else run_outputs

    def to_dictionary(self) -> Dict[str, Any]:
        """Return all of it as dicts."""
        return {
            "info": dict(self.info),
            "data": self.data.to_dictionary(),
            "inputs": self.inputs.to_dictionary(),
            "outputs": self.outputs.to_dictionary(),
        }


class Experiment(_Entity):
    """A named group of runs.

    Attributes:
        experiment_id: Its id, as text.
        name: Its name.
        artifact_location: Its folder, as a ``file:`` URI.
        lifecycle_stage: ``active`` or ``deleted``.
        tags: Values by key, as text.
        creation_time: Milliseconds since 1970-01-01 UTC.
        last_update_time: The same.
    """

    DEFAULT_EXPERIMENT_NAME = "Default"
    _fields = (
        "artifact_location", "creation_time", "experiment_id", "last_update_time", "lifecycle_stage", "name", "tags",
    )  # fmt: skip

    def __init__(
        self,
        experiment_id: str,
        name: str,
        artifact_location: str,
        lifecycle_stage: str,
        tags: Optional[List[ExperimentTag]] = None,
        creation_time: Optional[int] = None,
        last_update_time: Optional[int] = None,
    ) -> None:
        self.experiment_id, self.name, self.artifact_location = experiment_id, name, artifact_location
        self.lifecycle_stage, self.creation_time, self.last_update_time = (
            lifecycle_stage,
            creation_time,
            last_update_time,
        )
        self.tags = {each.key: each.value for each in tags or []}


class RunStatus:
    """How a run stands, as numbers; ``to_string`` and ``from_string`` turn them into names and back."""

    RUNNING, SCHEDULED, FINISHED, FAILED, KILLED = 1, 2, 3, 4, 5
    _NAMES: ClassVar[Dict[int, str]] = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}

    @staticmethod
    def from_string(status_str: str) -> int:
        """Return the number of a name.

        Raises:
            MlflowException: There is no such status.
        """
        for number, name in RunStatus._NAMES.items():
            if name == status_str:
                return number
        message = "Could not get run status corresponding to string %s. Valid run status strings: %s"
        raise MlflowException(message % (status_str, list(RunStatus._NAMES.values())))

    @staticmethod
    def to_string(status: int) -> str:
        """Return the name of a number.

        Raises:
            MlflowException: There is no such status.
        """
        if status not in RunStatus._NAMES:
            message = "Could not get string corresponding to run status %s. Valid run statuses: %s"
            raise MlflowException(message % (status, RunStatus.all_status()))
        return RunStatus._NAMES[status]

    @staticmethod
    def is_terminated(status: int) -> bool:
        """Tell whether a run with that status has ended."""
        return status in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)

    @staticmethod
    def all_status() -> List[int]:
        """Return every status."""
        return list(RunStatus._NAMES)


class ViewType:
    """Which runs or experiments are meant: those that are there, those that are deleted, or all."""

    ACTIVE_ONLY, DELETED_ONLY, ALL = 1, 2, 3
    _NAMES: ClassVar[Dict[int, str]] = {1: "active_only", 2: "deleted_only", 3: "all"}

    @classmethod
    def from_string(cls, view_str: str) -> int:
        """Return the number of a name.

        Raises:
            MlflowException: There is no such view.
        """
        for number, name in cls._NAMES.items():
            if name == view_str:
                return number
        raise MlflowException("Could not get valid view type corresponding to string %s." % view_str)

    @classmethod
    def to_string(cls, view_type: int) -> str:
        """Return the name of a number.

        Raises:
            MlflowException: There is no such view.
        """
        if view_type not in cls._NAMES:
            raise MlflowException("Could not get valid view type corresponding to string %s." % view_type)
        return cls._NAMES[view_type]


class LifecycleStage:
    """Whether a run or experiment is there or deleted."""

    ACTIVE, DELETED = "active", "deleted"


class SourceType:
    """Where a run comes from, as numbers."""

    NOTEBOOK, JOB, PROJECT, LOCAL, UNKNOWN = 1, 2, 3, 4, 5
