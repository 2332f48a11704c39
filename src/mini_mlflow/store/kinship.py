"""Are two copies of a run the same, is one of them a later state, or have they nothing to do with each other?

What may be told from their files, a run being written by one writer per share (rule W1 of docs/format.md).
"""

from __future__ import annotations

import os
from collections import namedtuple

from .. import layout
from ..errors import BrokenFileError
from ..records import Problem
from . import carrying, documents, held_folder, meta, metric_file, mlflow_layout, owner
from .metric_text import MAX_HISTORY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

    Parts = Tuple[str, ...]

_PORTION = 1 << 20
SAME = "same"
LATER = "later"  # theirs goes on from ours
EARLIER = "earlier"  # ours goes on from theirs
OTHER = "other"  # neither
_DOCUMENTS = (layout.PARAMS, layout.TAGS)


class Kinship(namedtuple("Kinship", ["is_one_run", "missing", "later", "conflicts", "problems"])):
    """How their copy of a run relates to ours.

    Attributes:
        is_one_run: Whether both are the same run; if not, *conflicts* says why and nothing may be mixed.
        missing: Files that ours lacks, by the parts of their paths.
        later: Files of which theirs is a later state.
        conflicts: What differs and cannot be told apart by age; ours stays.
        problems: What could not be looked at.
    """

    __slots__ = ()

    is_one_run: bool
    missing: List[Parts]
    later: List[Parts]
    conflicts: List[Problem]
    problems: List[Problem]


def compare(theirs: str, ours: str) -> Kinship:
    """Return how their copy of a run relates to ours.

    Args:
        theirs: The folder of their copy.
        ours: That of ours, which nobody writes meanwhile.

    Raises:
        OSError: A folder cannot be read.
    """
    problems: List[Problem] = []
    with held_folder.hold(theirs) as folder:
        their_files = carrying.list_files(folder, problems)
    with held_folder.hold(ours) as folder:
        our_files = carrying.list_files(folder, [])
    stranger = tell_stranger(theirs, ours)
    if stranger:
        return _strangers(os.path.join(theirs, layout.META), stranger, problems)
    missing = sorted(parts for parts in their_files if parts not in our_files)
    relations: Dict[Parts, str] = {}
    for parts, state in sorted(their_files.items()):
        here = our_files.get(parts)
        if here is None or (state.st_size, state.st_mtime_ns) == (here.st_size, here.st_mtime_ns):
            continue  # equal in size and time of writing, to the nanosecond: a copy keeps both
        try:
            relations[parts] = _relate(parts, os.path.join(theirs, *parts), os.path.join(ours, *parts))
        except (PermissionError, BrokenFileError) as error:  # a disk that fails is no matter of one file
            problems.append(Problem(os.path.join(theirs, *parts), getattr(error, "reason", None) or str(error)))
    strange = [parts for parts, relation in relations.items() if _kind(parts) == layout.METRICS and relation == OTHER]
    if strange:
        reason = "another run of the same id, or a damaged copy: its rows are not those of ours"
        return _strangers(os.path.join(theirs, *strange[0]), reason, problems)
    lacking = [parts for parts in our_files if parts not in their_files]
    later, conflicts = _judge(theirs, relations, missing, lacking)
    return Kinship(is_one_run=True, missing=missing, later=later, conflicts=conflicts, problems=problems)


def _strangers(path: str, reason: str, problems: List[Problem]) -> Kinship:
    return Kinship(is_one_run=False, missing=[], later=[], conflicts=[Problem(path, reason)], problems=problems)


def _judge(
    theirs: str, relations: Dict[Parts, str], missing: List[Parts], lacking: List[Parts]
) -> Tuple[List[Parts], List[Problem]]:
    """Return which of the files that differ are later in theirs, and which nobody can tell."""
    age = _age(relations, missing, lacking)
    later, conflicts = [], []
    for parts, relation in relations.items():
        kind = _kind(parts)
        is_taken = kind in (layout.METRICS, layout.META, layout.OWNER)
        if relation == LATER and (is_taken or age == LATER):
            later.append(parts)
        elif relation in (LATER, OTHER) or (relation == EARLIER and age != EARLIER and kind == layout.ARTIFACTS):
            conflicts.append(Problem(os.path.join(theirs, *parts), "ours is another one, and stays"))
    return later, conflicts


def _age(relations: Dict[Parts, str], missing: List[Parts], lacking: List[Parts]) -> str:
    """Return whether their copy as a whole is the later or the earlier one; OTHER where both have gone on."""
    found = {relation for parts, relation in relations.items() if _is_evidence(parts)} - {SAME, OTHER}
    if any(map(_is_evidence, missing)):
        found.add(LATER)
    if any(map(_is_evidence, lacking)):
        found.add(EARLIER)
    return found.pop() if len(found) == 1 else OTHER


def _is_evidence(parts: Parts) -> bool:
    """Tell whether the age of a copy can be seen at this file: histories only grow, and how a run stands is counted."""
    return _kind(parts) in (layout.METRICS, layout.META)


def _kind(parts: Parts) -> str:
    """Return what kind of file this is: the folder of its share that it lies in, or its own name."""
    inner = parts[2:] if parts[0] == layout.WRITERS and len(parts) > 2 else parts
    return inner[0]


def _relate(parts: Parts, theirs: str, ours: str) -> str:
    kind = _kind(parts)
    if kind == layout.METRICS:
        return _relate_rows(theirs, ours)
    if kind == layout.OWNER:  # of one generation it does not matter which of two says who wrote last
        generations = [owner.decode(documents.read(path), path).generation for path in (theirs, ours)]
        return LATER if generations[0] > generations[1] else SAME
    if kind == layout.META:
        return _relate_fields(meta.read_meta(theirs), meta.read_meta(ours))
    if _are_equal(theirs, ours):
        return SAME
    if kind in _DOCUMENTS and parts[-1].endswith(".json"):
        relation = _relate_documents(theirs, ours)
        if relation:
            return relation
    newer = os.stat(theirs).st_mtime_ns - os.stat(ours).st_mtime_ns
    return LATER if newer > 0 else EARLIER if newer < 0 else OTHER


def _relate_rows(theirs: str, ours: str) -> str:
    """Compare two states of a metric's file: rows are only ever added (rule M2)."""
    their_data = documents.read(theirs, MAX_HISTORY_BYTES)
    our_data = documents.read(ours, MAX_HISTORY_BYTES)
    if their_data == our_data:
        return SAME
    there, here = metric_file.decode(their_data, theirs), metric_file.decode(our_data, ours)
    shorter = min(len(there.rows), len(here.rows))
    if there.key != here.key or not _are_same_rows(there.rows[:shorter], here.rows[:shorter]):
        return OTHER
    if len(there.rows) == len(here.rows):
        return SAME
    return LATER if len(there.rows) > len(here.rows) else EARLIER


def _are_same_rows(one: List[Any], other: List[Any]) -> bool:
    return one == other or repr(one) == repr(other)  # NaN equals nothing


def _relate_documents(theirs: str, ours: str) -> str:
    """Compare two versions of a param or tag by the time that they were logged; empty where they do not say."""
    try:
        there = documents.decode_json(documents.read(theirs), theirs)
        here = documents.decode_json(documents.read(ours), ours)
    except BrokenFileError:
        return ""
    if not isinstance(there, dict) or not isinstance(here, dict):
        return ""
    if all(there.get(name) == here.get(name) for name in ("key", "value", "type")):
        return SAME
    times = there.get("timestamp"), here.get("timestamp")
    if type(times[0]) is not int or type(times[1]) is not int or there.get("key") != here.get("key"):
        return ""
    return LATER if times[0] > times[1] else EARLIER if times[0] < times[1] else OTHER


def _relate_fields(there: Dict[str, Any], here: Dict[str, Any]) -> str:
    """Compare two versions of a meta.yaml: by generation, then by whether the run has ended (rules W6 and L4)."""
    if there == here:
        return SAME
    ages = [(meta.generation_of(fields), _has_ended(fields)) for fields in (there, here)]
    return LATER if ages[0] > ages[1] else EARLIER if ages[0] < ages[1] else OTHER


def _has_ended(fields: Dict[str, Any]) -> bool:
    if mlflow_layout.is_run(fields):
        return fields.get("end_time") is not None
    return bool(fields.get("status", "RUNNING") != "RUNNING")


def tell_stranger(theirs: str, ours: str) -> str:
    """Return why two runs of one id are two runs, empty where nothing says so: a run keeps the time of its start."""
    starts = []
    for folder in (theirs, ours):
        try:
            starts.append(meta.read_meta(os.path.join(folder, layout.META)).get("start_time"))
        except (OSError, BrokenFileError):
            return ""
    if None in starts or starts[0] == starts[1]:
        return ""
    return "another run of the same id: that one started at %s, ours at %s" % tuple(starts)


def _are_equal(theirs: str, ours: str) -> bool:
    if os.stat(theirs).st_size != os.stat(ours).st_size:
        return False
    one, other = documents.open_to_read(theirs), documents.open_to_read(ours)
    try:
        offset = 0
        while True:
            data = documents.read_all(one, _PORTION, offset)
            if data != documents.read_all(other, _PORTION, offset):
                return False
            if not data:
                return True
            offset += len(data)
    finally:
        os.close(one)
        os.close(other)
