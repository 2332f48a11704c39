"""What does a look at a disk come to?"""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

GOOD = "good"
WARN = "warn"  # the tracker does without, or somebody should know
BAD = "bad"  # values may be lost, or nothing can be logged
SKIPPED = "skipped"  # it could not be asked here


class Probe(namedtuple("Probe", ["name", "level", "result", "meaning", "facts"])):
    """One question to the disk, or to what stands beside the store.

    Attributes:
        name: The question, in words.
        level: ``good``, ``warn``, ``bad`` or ``skipped``.
        result: What was found, in a few words.
        meaning: What the tracker does because of it, or what to do; empty where all is as usual.
        facts: The same as numbers, for programs: units stand in the names.
    """

    __slots__ = ()

    name: str
    level: str
    result: str
    meaning: str
    facts: Dict[str, Any]


class Examination(namedtuple("Examination", ["store", "folder", "kind", "source", "free_bytes", "probes", "verdict"])):
    """What a look at a store's disk and surroundings has found.

    Attributes:
        store: The store's folder.
        folder: Where it was probed: the store, or the nearest folder above it that exists.
        kind: The kind of file system, None where the system does not say.
        source: What is mounted there, likewise.
        free_bytes: Room on the disk for this user, None where it cannot be told.
        probes: What was asked, in the order of asking.
        verdict: What it comes to, in one sentence.
    """

    __slots__ = ()

    store: str
    folder: str
    kind: Optional[str]
    source: Optional[str]
    free_bytes: Optional[int]
    probes: List[Probe]
    verdict: str
