"""What is a run of another tracker, on its way into a store of ours?"""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

    from ..records import Metric, Problem


class ForeignExperiment(namedtuple("ForeignExperiment", ["name", "creation_time", "tags"])):
    """An experiment of another tracker.

    Attributes:
        name: Its name.
        creation_time: Milliseconds since 1970-01-01 UTC, None where unknown.
        tags: Values by key.
    """

    __slots__ = ()

    name: str
    creation_time: Optional[int]
    tags: Dict[str, Any]


class ForeignRun(
    namedtuple("ForeignRun", ["run_id", "experiment", "fields", "is_deleted", "read", "artifacts", "problems"])
):
    """A run of another tracker.

    Attributes:
        run_id: The id that it gets here.
        experiment: Where it belongs.
        fields: What our meta.yaml says of it: name, status, start_time, end_time …
        is_deleted: Whether it is deleted there, so that it goes to the trash here.
        read: Called once, if the run is taken at all: returns params, tags, and pairs of a metric's key and rows.
        artifacts: Folders of its files, each with the folder that they get among its artifacts here (empty: the top).
        problems: What of it could not be read, or is not brought in; grows while it is read.
    """

    __slots__ = ()

    run_id: str
    experiment: ForeignExperiment
    fields: Dict[str, Any]
    is_deleted: bool
    read: Callable[[], Tuple[Dict[str, Any], Dict[str, Any], Iterable[Tuple[str, List[Metric]]]]]
    artifacts: List[Tuple[str, str]]
    problems: List[Problem]
