"""Which plain values travel between the floors of this package?"""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from typing import Any, Dict, List, Optional, Sequence, Union

    Number = Union[int, float]

NOTE = "mlflow.note.content"  # the tag that holds a run's description, as in MLflow


class Metric(namedtuple("Metric", ["step", "timestamp", "value"])):
    """One recorded value of a metric.

    Attributes:
        step: Position on the x-axis, an integer.
        timestamp: Milliseconds since 1970-01-01 UTC.
        value: The number; NaN and infinities are possible.
    """

    __slots__ = ()

    step: int
    timestamp: int
    value: Number


class Columns(namedtuple("Columns", ["steps", "timestamps", "values"])):
    """The history of a metric as three columns of equal length.

    Attributes:
        steps: ``array("q")``.
        timestamps: ``array("q")``, milliseconds since 1970-01-01 UTC.
        values: ``array("d")``; a list where an integer is beyond 2^53, which no float holds.
    """

    __slots__ = ()

    steps: array[int]
    timestamps: array[int]
    values: Union[array[float], List[Number]]


class Summary(namedtuple("Summary", ["first", "last", "min", "max", "mean", "count", "min_step", "max_step"])):
    """What a metric's history comes to.

    ``min``, ``max``, ``mean`` and their steps leave NaN out and are None where nothing else was logged.

    Attributes:
        first: Value of the first row in history order.
        last: The latest value (docs/format.md, rule W8).
        min: Smallest value.
        max: Greatest value.
        mean: Arithmetic mean.
        count: Number of rows, NaN included.
        min_step: Step of the first row that has the smallest value.
        max_step: Step of the first row that has the greatest value.
    """

    __slots__ = ()

    first: Number
    last: Number
    min: Optional[Number]
    max: Optional[Number]
    mean: Optional[float]
    count: int
    min_step: Optional[int]
    max_step: Optional[int]

    def best_step(self, mode: str) -> Optional[int]:
        """Return the step of the best value.

        Args:
            mode: ``"min"`` or ``"max"``: which end is best.

        Raises:
            ValueError: *mode* is neither.
        """
        if mode not in ("min", "max"):
            raise ValueError("mode must be 'min' or 'max', got %r." % (mode,))
        return self.min_step if mode == "min" else self.max_step


class Experiment(
    namedtuple("Experiment", ["experiment_id", "name", "creation_time", "lifecycle_stage", "last_update_time", "tags"])
):
    """A named group of runs.

    Attributes:
        experiment_id: Integer, or text where the folder is no number.
        name: The name; 0 is "Default".
        creation_time: Milliseconds since 1970-01-01 UTC, None where unknown.
        lifecycle_stage: ``active`` or ``deleted``.
        last_update_time: When its name, tags or stage last changed, likewise.
        tags: Tag values by key.
    """

    __slots__ = ()

    experiment_id: Union[int, str]
    name: str
    creation_time: Optional[int]
    lifecycle_stage: str
    last_update_time: Optional[int]
    tags: Dict[str, Any]


class DeletedRun(namedtuple("DeletedRun", ["experiment_id", "run_id", "deleted_time", "folder"])):
    """A run in the trash.

    Attributes:
        experiment_id: Its experiment.
        run_id: Its id; several that were deleted one after the other may have the same.
        deleted_time: Milliseconds since 1970-01-01 UTC.
        folder: Where its files lie.
    """

    __slots__ = ()

    experiment_id: Union[int, str]
    run_id: str
    deleted_time: int
    folder: str


class Removed(namedtuple("Removed", ["experiment_id", "run_id", "size_bytes"])):
    """What ``gc`` has removed for good, or would remove.

    Attributes:
        experiment_id: The experiment.
        run_id: The run, None for the whole experiment with all that was in it.
        size_bytes: What its files held together.
    """

    __slots__ = ()

    experiment_id: Union[int, str]
    run_id: Optional[str]
    size_bytes: int


class PackResult(
    namedtuple("PackResult", ["experiment_id", "run_ids", "passed_over", "packs", "size_bytes", "pack_bytes"])
):
    """What ``pack`` or ``unpack`` has done, or would do.

    Attributes:
        experiment_id: The experiment.
        run_ids: The runs that lie in a pack now, or are folders again.
        passed_over: The runs that were left as they were: their folder, or their pack, and why.
        packs: The archives that were written, or removed.
        size_bytes: What the files of the runs hold.
        pack_bytes: What the archives have.
    """

    __slots__ = ()

    experiment_id: Union[int, str]
    run_ids: List[str]
    passed_over: List[Problem]
    packs: List[str]
    size_bytes: int
    pack_bytes: int


class FileInfo(namedtuple("FileInfo", ["path", "is_dir", "file_size"])):
    """A file or folder among the artifacts of a run.

    Attributes:
        path: Its path from the top of the artifacts, parts joined by ``/``.
        is_dir: Whether it is a folder.
        file_size: Size in bytes, None for folders.
    """

    __slots__ = ()

    path: str
    is_dir: bool
    file_size: Optional[int]


class Problem(namedtuple("Problem", ["path", "reason"])):
    """A file of a store that could not be read, and why; the rest was read.

    Attributes:
        path: The file.
        reason: What is wrong, in words.
    """

    __slots__ = ()

    path: str
    reason: str


class RunRecord(namedtuple("RunRecord", ["metadata", "params", "metrics", "tags", "problems"])):
    """A run as read from its files, its writers merged.

    Attributes:
        metadata: The fields of meta.yaml with the true status (LOST where the owner is gone).
        params: Param values by key.
        metrics: Latest value by key.
        tags: Tag values by key.
        problems: What could not be read.
    """

    __slots__ = ()

    metadata: Dict[str, Any]
    params: Dict[str, Any]
    metrics: Dict[str, Number]
    tags: Dict[str, Any]
    problems: List[Problem]


class RunInfo(
    namedtuple(
        "RunInfo",
        [
            "run_id",
            "run_name",
            "experiment_id",
            "status",
            "start_time",
            "end_time",
            "lifecycle_stage",
            "artifact_uri",
            "user_id",
            "parent_run_id",
            "resume_count",
            "version",
            "ended_by",
        ],
    )
):
    """What is known of a run itself.

    Attributes:
        run_id: Its id.
        run_name: Its name for people.
        experiment_id: Its experiment: a whole number, or text.
        status: RUNNING, FINISHED, FAILED, KILLED or LOST.
        start_time: Milliseconds since 1970-01-01 UTC.
        end_time: The same, None while running.
        lifecycle_stage: ``active`` or ``deleted``.
        artifact_uri: Absolute path of the folder of its artifacts.
        user_id: Name of the user whose process started it, None where unknown.
        parent_run_id: Id of the run it is nested in, or None.
        resume_count: How many times it was continued.
        version: The version that it was given, or None.
        ended_by: Why it failed or was killed: an error and its place, or a signal. None where that is not known.
    """

    __slots__ = ()

    run_id: str
    run_name: Optional[str]
    experiment_id: Union[int, str]
    status: str
    start_time: Optional[int]
    end_time: Optional[int]
    lifecycle_stage: str
    artifact_uri: str
    user_id: Optional[str]
    parent_run_id: Optional[str]
    resume_count: int
    version: Optional[str]
    ended_by: Optional[str]


class RunData(namedtuple("RunData", ["params", "metrics", "tags"])):
    """What is recorded in a run.

    Attributes:
        params: Values by key.
        metrics: Latest values by key.
        tags: Values by key.
    """

    __slots__ = ()

    params: Dict[str, Any]
    metrics: Dict[str, Number]
    tags: Dict[str, Any]


class Dataset(namedtuple("Dataset", ["name", "digest", "context"])):
    """A data set that a run of MLflow's was given.

    Attributes:
        name: Its name, None where its file is gone.
        digest: What tells its content from others, likewise.
        context: What it was for, such as ``training``; None where that was not said.
    """

    __slots__ = ()

    name: Optional[str]
    digest: Optional[str]
    context: Optional[str]


class StoredRun(namedtuple("StoredRun", ["info", "data", "problems", "datasets"], defaults=[()])):
    """A run as it lies in its files.

    Attributes:
        info: What is known of the run itself.
        data: Its params, latest metrics and tags.
        problems: What of it could not be read.
        datasets: What it was given, where MLflow noted that.
    """

    __slots__ = ()

    info: RunInfo
    data: RunData
    problems: List[Problem]
    datasets: Sequence[Dataset]
