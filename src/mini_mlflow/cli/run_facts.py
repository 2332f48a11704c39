"""What is there to tell of one run: where it comes from, its files, its metrics?"""

from __future__ import annotations

import os
from collections import namedtuple

from .. import artifacts, layout, series
from ..errors import MiniMLflowError
from ..store import columns, reader
from ..summary import summarize
from . import remaining
from .facts import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from ..records import Columns, FileInfo, Problem, Summary
    from .remaining import Progress

_SOURCE = ("command", "entry", "cwd", "host", "user", "python", "platform")
_TOLD_PACKAGES = (
    "torch", "jax", "tensorflow", "keras", "sklearn", "xgboost", "lightgbm", "lightning", "transformers", "numpy",
    "pandas",
)  # fmt: skip
_MOST_FILES = 10000


class MetricFacts(namedtuple("MetricFacts", ["key", "summary", "step", "history"])):
    """What a metric comes to.

    Attributes:
        key: The metric.
        summary: First, last, min and so on.
        step: The step of the latest value.
        history: One value per step.
    """

    __slots__ = ()

    key: str
    summary: Summary
    step: int
    history: Columns


def read_metric(folder: str, key: str, problems: List[Problem]) -> Optional[MetricFacts]:
    """Return what a metric comes to, None where it cannot be read; *problems* gets why."""
    rows, latest = reader.read_metric(folder, key, problems)
    if latest is None:
        return None
    history = series.latest_per_step([(0, columns.from_rows(rows))])
    return MetricFacts(key, summarize(rows, latest.value), latest.step, history)


def read_metrics(
    folder: str, keys: List[str], problems: List[Problem], *, with_system: bool
) -> Tuple[List[MetricFacts], int]:
    """Return what metrics come to, and how many of the machine's were left out."""
    wanted = [key for key in keys if with_system or not key.startswith(SYSTEM)]
    found = [read_metric(folder, key, problems) for key in wanted]
    return [each for each in found if each is not None], len(keys) - len(wanted)


def last_heard(metrics: Sequence[MetricFacts]) -> Optional[Tuple[int, int]]:
    """Return when a run logged its newest value of its own, and at which step; None where it has none."""
    newest = [
        max(zip(each.history.timestamps, each.history.steps))
        for each in metrics
        if each.history.steps and not each.key.startswith(SYSTEM)
    ]
    return max(newest, default=None)


def progress_of(
    metrics: Sequence[MetricFacts], params: Dict[str, Any], status: str, now_ms: int
) -> Optional[Progress]:
    """Return how far a run is, by the speed of the metric that is farthest; None where nobody can tell."""
    own = [each for each in metrics if each.history.steps and not each.key.startswith(SYSTEM)]
    heard = last_heard(own)
    if status != "RUNNING" or heard is None:
        return None
    farthest = max(own, key=lambda each: (each.history.steps[-1], len(each.history.steps))).history
    rate = remaining.rate_of(farthest.steps, farthest.timestamps)
    return remaining.find_progress(params, farthest.steps[-1], rate, heard[0], now_ms)


def list_artifacts(folder: str) -> List[FileInfo]:
    """Return the files of a run, at most some thousands, by path."""
    root = os.path.join(folder, layout.ARTIFACTS)
    found: List[FileInfo] = []
    waiting: List[Optional[str]] = [None]
    while waiting and len(found) < _MOST_FILES:
        try:
            entries = artifacts.list_files(root, waiting.pop())
        except (OSError, MiniMLflowError):
            continue
        found += [each for each in entries if not each.is_dir]
        waiting += [each.path for each in entries if each.is_dir]
    return sorted(found)


def source_of(metadata: Dict[str, Any]) -> Dict[str, Any]:
    """Return where a run comes from: its command, git, host, packages and so on, as meta.yaml has it."""
    names = [*_SOURCE, *(name for name in metadata if name.startswith("git_")), "jobs", "packages"]
    return {name: metadata[name] for name in names if metadata.get(name) is not None}


def command_text(command: Any) -> str:
    """Return a command as one would type it."""
    return " ".join(words_of(command))


def words_of(command: Any) -> List[str]:
    """Return the words of a command, each as one would type it."""
    if not isinstance(command, list):
        return str(command).split(" ")
    import shlex  # for this alone

    words = [str(word) for word in command]
    if words and os.path.basename(words[0]).startswith("python"):
        # A script says that it is one of Python's; -c and -m alone say nothing.
        is_script = len(words) > 1 and not words[1].startswith("-")
        words = words[1:] if is_script else [os.path.basename(words[0]), *words[1:]]
    return [word if word.isprintable() and " " not in word and word else shlex.quote(word) for word in words]


def git_text(source: Dict[str, Any]) -> str:
    """Return what is known of the code: ``3f9c2e1 main, 2 files changed``; empty where nothing is."""
    commit = source.get("git_commit")
    if not isinstance(commit, str):
        return ""
    text = commit[:7]
    if source.get("git_branch"):
        text += " %s" % source["git_branch"]
    changed = source.get("git_changed_files")
    if isinstance(changed, int) and changed > 0:
        text += ", %d %s changed" % (changed, "file" if changed == 1 else "files")
    elif source.get("git_dirty"):
        text += ", changed"
    return text


def python_text(source: Dict[str, Any]) -> str:
    """Return the Python of a run and the packages that matter: ``3.11.7, torch 2.5.1``."""
    parts = [str(source["python"]).replace("cpython ", "")] if source.get("python") else []
    packages = source.get("packages")
    if isinstance(packages, dict):
        parts += ["%s %s" % (name, packages[name]) for name in _TOLD_PACKAGES if packages.get(name)][:4]
    return ", ".join(parts)
