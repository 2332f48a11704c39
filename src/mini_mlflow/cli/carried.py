"""How do ``merge`` and ``import`` say where runs go, and what became of them?"""

from __future__ import annotations

import os

from .. import config, errors
from ..store.uniting import ADDED, GROWN, LEFT, SAME
from . import numbers, texts
from .failures import USAGE, CommandError
from .target import Target
from .which import which_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Dict, List, Sequence, Tuple

    from ..records import Problem
    from .screen import Screen

_MOST = 8  # lines of one kind; --json has all
_INDENT = "   "


def find_or_name_store(arguments: argparse.Namespace) -> Target:
    """Return the store that runs go to; unlike where one is looked at, it may be a new one.

    Raises:
        CommandError: What is named cannot be one.
    """
    given = getattr(arguments, "dir", None)
    try:
        target = Target(config.store_folder(given), os.fspath(config.runs_dir(given)))
    except errors.InvalidValueError as error:
        raise CommandError(str(error), USAGE) from error
    if os.path.lexists(target.folder) and not target.is_there:
        raise CommandError("%s is no folder" % target.shown, USAGE)
    return target


def count_outcomes(runs: Sequence[Any]) -> Dict[str, int]:
    """Return how many runs were added, have grown, were the same, were left."""
    counts = dict.fromkeys((ADDED, GROWN, SAME, LEFT), 0)
    for run in runs:
        counts[run.outcome] += 1
    return counts


def summary_line(
    runs: Sequence[Any], size_bytes: int, screen: Screen, *, is_dry: bool, what: str = "copied"
) -> str:
    """Return a line such as ``12 runs added · 3 have grown · 200 were here``."""
    counts = count_outcomes(runs)
    words = {
        ADDED: "to add" if is_dry else "added",
        GROWN: "to grow" if is_dry else "grown",
        SAME: "here already",
        LEFT: "left out",
    }
    roles = {ADDED: "good", GROWN: "good", SAME: "", LEFT: "warn"}
    parts = [
        screen.styled(roles[outcome], "%s %s" % (numbers.counted(count, "run"), words[outcome]))
        for outcome, count in counts.items()
        if count
    ] or ["no runs"]
    if size_bytes:
        parts.append("%s %s" % (numbers.size(size_bytes), what))
    return screen.own(" · ").join(parts)


def list_left(runs: Sequence[Any], screen: Screen) -> List[str]:
    """Return lines that tell which runs were left out, and why; those of one reason together."""
    reasons: Dict[str, List[str]] = {}
    for run in runs:
        if run.reason and run.outcome != SAME:
            reasons.setdefault(run.reason.replace(run.run_id, "it"), []).append(run.run_id)
    pairs = [("%s" % ", ".join(_shortened(ids)), reason) for reason, ids in reasons.items()]
    return _listed(pairs, "runs", screen)


def list_problems(problems: Sequence[Problem], top: str, screen: Screen) -> List[str]:
    """Return lines that tell which files were left out or differ, and why.

    Args:
        problems: The files.
        top: The folder that paths are shown from.
        screen: Where it goes.
    """
    shown = [(_below(each.path, top), _below_text(each.reason, top)) for each in dict.fromkeys(problems)]
    return _listed(shown, "files", screen)


def list_notes(notes: Sequence[str], screen: Screen) -> List[str]:
    """Return lines for what is to be said."""
    lines = []
    for note in notes[:_MOST]:
        lines += texts.wrap(" ! " + screen.clean(note), screen.width, _INDENT)
    if len(notes) > _MOST:
        lines.append(_INDENT + "and %d more; --json has all" % (len(notes) - _MOST))
    return lines


def runs_as_documents(runs: Sequence[Any], target: Target) -> List[Dict[str, Any]]:
    """Return what became of runs as JSON has it."""
    names = target.names()
    return [
        {
            **which_run(
                run.run_id, run.name, run.experiment_id, {str(run.experiment_id): run.experiment, **names}
            ),
            "outcome": run.outcome,
            "reason": run.reason,
        }
        for run in runs
    ]


def as_documents(problems: Sequence[Problem]) -> List[Dict[str, Any]]:
    """Return files that were left out or differ as JSON has them."""
    return [dict(each._asdict()) for each in problems]


def _listed(pairs: Sequence[Tuple[str, str]], what: str, screen: Screen) -> List[str]:
    lines = []
    for first, reason in pairs[:_MOST]:
        lines += texts.wrap(screen.styled("warn", " ! ") + screen.clean(first), screen.width, _INDENT)
        lines += [_INDENT + part for part in texts.wrap(screen.clean(reason), screen.width - len(_INDENT))]
    if len(pairs) > _MOST:
        lines.append(_INDENT + "and %d more %s; --json has all" % (len(pairs) - _MOST, what))
    return lines


def _shortened(ids: List[str]) -> List[str]:
    return ids if len(ids) <= 3 else [*ids[:3], "%d more" % (len(ids) - 3)]


def _below(path: str, top: str) -> str:
    top = os.path.realpath(top)
    return os.path.relpath(path, top) if path.startswith(top + os.sep) else path


def _below_text(text: str, top: str) -> str:
    return text.replace(os.path.realpath(top) + os.sep, "")
