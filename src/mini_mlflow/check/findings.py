"""What is it that a check finds?"""

from __future__ import annotations

import os
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List, Optional, Set

ERROR = "error"
WARNING = "warning"
COLLISION = "its name is that of %s but for case or form: on a disk of macOS or Windows one replaces the other"


class Finding(namedtuple("Finding", ["rule", "level", "path", "text", "repair"])):
    """One place where a store does not keep a rule.

    Attributes:
        rule: The rule of docs/format.md, such as ``M4``; those that begin with G stand in docs/mlflow-stores.md.
        level: ``error``: something is not read, or is no JSON or YAML for other programs. ``warning``: all is read, yet
            it may go wrong elsewhere, such as on a disk that takes ``Loss`` and ``loss`` for one name.
        path: The file or folder, from the store on, parts joined by ``/``.
        text: What is wrong, in words.
        repair: What ``repair_store`` does about it, in words; None: nothing, as it would lose or guess a value.
    """

    __slots__ = ()

    rule: str
    level: str
    path: str
    text: str
    repair: Optional[str]


class Report(namedtuple("Report", ["runs", "living", "metric_files", "findings"])):
    """What a check has looked at, and what it has found.

    Attributes:
        runs: How many runs, those in the trash among them.
        living: Those of them that a process writes at this moment; their files change, so little of them is checked.
        metric_files: How many files of metrics.
        findings: What was found, in the order of the experiments, runs and files.
    """

    __slots__ = ()

    runs: int
    living: int
    metric_files: int
    findings: List[Finding]


class Unmended(namedtuple("Unmended", ["finding", "reason"])):
    """A finding that could have been mended and was not.

    Attributes:
        finding: It.
        reason: Why, in words: the run is written now, or the disk refused.
    """

    __slots__ = ()

    finding: Finding
    reason: str


class Repair(namedtuple("Repair", ["mended", "unmended", "report"])):
    """What ``repair_store`` has done.

    Attributes:
        mended: What was found and is mended.
        unmended: What could have been mended and was not.
        report: What a check finds afterwards.
    """

    __slots__ = ()

    mended: List[Finding]
    unmended: List[Unmended]
    report: Report


class Fault(namedtuple("Fault", ["finding", "mend"])):
    """A finding, and what mends it: a function without arguments, or None."""

    __slots__ = ()

    finding: Finding
    mend: Optional[Callable[[], object]]


class Faults:
    """What is wrong in a store, as far as it was looked at.

    Attributes:
        found: The faults.
        runs: How many runs were looked at.
        living: How many of them are being written.
        metric_files: How many files of metrics were looked at.
    """

    def __init__(self, store: str) -> None:
        """Make an empty list for the store of that folder."""
        self.found: List[Fault] = []
        self.runs = self.living = self.metric_files = 0
        self._store = store
        self._paths: Set[str] = set()

    def add(
        self,
        rule: str,
        level: str,
        path: str,
        text: str,
        repair: Optional[str] = None,
        mend: Optional[Callable[[], object]] = None,
    ) -> None:
        """Add what is wrong with a file or folder; *repair* and *mend* go together."""
        shown = os.path.relpath(path, self._store).replace(os.sep, "/")
        self.found.append(Fault(Finding(rule, level, shown, text, repair), mend))
        self._paths.add(path)

    def unreadable(self, path: str, error: Exception, rule: str = "S4") -> None:
        """Add that a file cannot be read, or not as what it should be; readers pass over it (rule S4)."""
        if isinstance(error, OSError):
            rule = "S4"  # the disk refuses: nobody knows what is in it
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        self.add(rule, ERROR, path, "cannot be read: %s" % reason)

    def has(self, path: str) -> bool:
        """Tell whether something is wrong with that very file."""
        return path in self._paths

    def take(self, other: Faults) -> None:
        """Add what another list has."""
        self.found += other.found
        self._paths |= other._paths
        self.runs += other.runs
        self.living += other.living
        self.metric_files += other.metric_files

    def report(self) -> Report:
        """Return what was found, as plain data."""
        return Report(self.runs, self.living, self.metric_files, [fault.finding for fault in self.found])
