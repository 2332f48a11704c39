"""What does the index hold of one run?"""

from __future__ import annotations

import os
from collections import namedtuple

from ..store.experiments import ACTIVE, DELETED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Sequence, Tuple

# Where a run lies. MLflow leaves what it deletes in its place, so both may have a run of one name.
DELETED_IN_PLACE = "deleted in place"
# What lies there is no run that can be read: not yet, or not any more.
BROKEN = "broken"
STAGES = (ACTIVE, DELETED, DELETED_IN_PLACE, BROKEN)
# Follow from where a run lies, and so are not held.
DERIVED = frozenset(["run_id", "experiment_id", "artifact_uri", "lifecycle_stage"])


class Entry(
    namedtuple(
        "Entry", ["experiment_id", "name", "stage", "attributes", "params", "metrics", "tags", "summaries", "problems"]
    )
):
    """One run as the index holds it: what its files said when they were read.

    Attributes:
        experiment_id: Its experiment, as text.
        name: Its folder's name, in the trash where it is there.
        stage: Where it lies: ``active``, ``deleted`` (the trash), ``deleted in place`` (as MLflow deletes), or
            ``broken``: in the place of a run, but none that can be read.
        attributes: ``run_name``, ``status``, ``start_time`` and others. ``DERIVED`` ones need not be given: who
            asks gets them made anew from where the run lies.
        params: Values by key.
        metrics: Latest values by key.
        tags: Values by key.
        summaries: What histories come to, by ``summary_key``; those that were asked for since the run was read.
        problems: What could not be read: path and reason.
    """

    __slots__ = ()

    experiment_id: str
    name: str
    stage: str
    attributes: Dict[str, Any]
    params: Dict[str, Any]
    metrics: Dict[str, Any]
    tags: Dict[str, Any]
    summaries: Dict[str, Any]
    problems: List[Tuple[str, str]]


class State(namedtuple("State", ["shallow", "deep", "is_live", "is_deep", "read_at_ms", "is_provisional"])):
    """How the files of a run looked before they were read.

    Attributes:
        shallow: Fingerprint of its folders.
        deep: Fingerprint of all its files, empty where none was taken.
        is_live: Whether it, or a writer of it, has not ended.
        is_deep: Whether only the deep one tells of changes.
        read_at_ms: When it was read.
        is_provisional: Whether it is to be read once more, for clocks that are coarse.
    """

    __slots__ = ()

    shallow: bytes
    deep: bytes
    is_live: bool
    is_deep: bool
    read_at_ms: int
    is_provisional: bool


def summary_key(function: str, key: str) -> str:
    """Return under which name the index has a field of the ``Summary`` of a metric."""
    return "%s %s" % (function, key)


def are_folders(names: Sequence[Any]) -> bool:
    """Tell whether names that the index gives are each of one folder, so that no path made of them leads elsewhere."""
    if not names:
        return True
    try:
        text = "/".join(names)
    except TypeError:
        return False  # some are no text
    if text.count("/") != len(names) - 1 or "\0" in text or not {"", ".", ".."}.isdisjoint(names):
        return False
    return os.sep == "/" or not ("\\" in text or ":" in text)
