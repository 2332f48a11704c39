"""``check [--repair]``: does the store keep the rules of its files, and what of it can be mended?"""

from __future__ import annotations

import os
from time import monotonic

from ..check import stores
from ..check.findings import ERROR
from ..errors import BrokenFileError, UnsupportedFormatError
from ..progress import Progress
from ..store import folders
from . import numbers, options, spans, texts
from .failures import DONE, NO
from .target import find_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Callable, Dict, List, Optional

    from ..check.findings import Finding, Repair, Report
    from .screen import Screen
    from .target import Target

EXAMPLES = ["check", "check --repair", "check -e cifar10-sweep --json"]
_MOST_OF_A_RULE = 8  # on a terminal; thousands of runs that were copied alike break a rule alike
_INDENT = " " * 8


def add_arguments(parser: options.Parser) -> None:
    """Add what ``check`` takes."""
    parser.add_argument("--repair", action="store_true", help="mend what can be mended without losing a value")
    parser.add_argument("-a", "--all", action="store_true", help="every finding, also where many are alike")
    options.add_place(parser)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Look at every file, mend if that was asked for, tell what was found; exit code 1 where errors are left."""
    target = find_target(arguments)
    only = None if arguments.experiment is None else [target.experiment(arguments.experiment).experiment_id]
    start = monotonic()
    line = _Line("repairing" if arguments.repair else "checking")
    repair: Optional[Repair] = None
    try:
        if arguments.repair:
            repair = stores.repair_store(target.folder, experiment_ids=only, on_progress=line.show)
            report = repair.report
        else:
            report = stores.check_store(target.folder, experiment_ids=only, on_progress=line.show)
    finally:
        line.close()
    took = monotonic() - start
    if screen.is_json:
        _write_json(target, report, repair, screen)
    else:
        is_cut = screen.is_terminal and not arguments.all
        screen.write_lines(_render(target, report, repair, took, screen, is_cut=is_cut))
    has_failed = repair is not None and bool(repair.unmended)
    return NO if has_failed or any(finding.level == ERROR for finding in report.findings) else DONE


class _Line:
    """A line on the terminal that tells how far the check is; the library tells the number of places at once."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._progress: Optional[Progress] = None

    def show(self, done: int, total: int) -> None:
        """Take in that so many places of so many are done."""
        if self._progress is None:
            self._progress = Progress(self._label, total, "places")
            self._progress.advance(done - 1)
        self._progress.advance()

    def close(self) -> None:
        """Erase the line."""
        if self._progress is not None:
            self._progress.close()


def _write_json(target: Target, report: Report, repair: Optional[Repair], screen: Screen) -> None:
    fields = {
        "store": target.shown,
        "runs": report.runs,
        "living": report.living,
        "metric_files": report.metric_files,
        "findings": [dict(finding._asdict()) for finding in report.findings],
    }
    if repair is not None:
        fields["mended"] = [dict(finding._asdict()) for finding in repair.mended]
        fields["unmended"] = [dict(each.finding._asdict(), reason=each.reason) for each in repair.unmended]
    screen.write_json("check", **fields)


def _render(
    target: Target, report: Report, repair: Optional[Repair], took: float, screen: Screen, *, is_cut: bool
) -> List[str]:
    counts = "%s, %s" % (
        numbers.counted(report.runs, "run"),
        numbers.counted(report.metric_files, "metric file"),
    )
    title = "%s  %s  %s" % (screen.styled("strong", screen.clean(target.shown)), counts, spans.took(took))
    lines = [title, ""]
    names = _Names(target.folder)
    if repair is not None and repair.mended:
        lines += _list(repair.mended, _mended_mark, _mended_text, names, screen, is_cut=is_cut)
    reasons = {each.finding: each.reason for each in repair.unmended} if repair is not None else {}

    def text_of(finding: Finding) -> str:
        if finding in reasons:
            return "%s; not mended: %s" % (finding.text, reasons[finding])
        return finding.text if finding.repair is None else "%s; repair %s" % (finding.text, finding.repair)

    lines += _list(report.findings, _mark, text_of, names, screen, is_cut=is_cut)
    lines += texts.wrap(screen.own(_closing(report, repair)), screen.width)
    if report.living:
        note = "%s being written now: looked at but for what changes while it lives"
        runs = "1 run is" if report.living == 1 else "%s runs are" % numbers.count(report.living)
        lines += [screen.styled("quiet", line) for line in texts.wrap(note % runs, screen.width)]
    return lines


def _list(
    findings: List[Finding],
    mark: Callable[[Finding, Screen], str],
    text_of: Callable[[Finding], str],
    names: _Names,
    screen: Screen,
    *,
    is_cut: bool,
) -> List[str]:
    """Return the lines that list findings, each rule's first ones where there are many."""
    lines: List[str] = []
    seen: Dict[str, int] = {}
    for finding in findings:
        seen[finding.rule] = seen.get(finding.rule, 0) + 1
        if is_cut and seen[finding.rule] > _MOST_OF_A_RULE:
            continue
        lines.append(_heading(finding, mark(finding, screen), names, screen))
        text = screen.clean(text_of(finding))
        lines += [_INDENT + line for line in texts.wrap(text, max(20, screen.width - len(_INDENT)))]
    for rule, number in sorted(seen.items()):
        if is_cut and number > _MOST_OF_A_RULE:
            more = "%s%s more of %s: --all" % (_INDENT, numbers.count(number - _MOST_OF_A_RULE), rule)
            lines.append(screen.styled("quiet", more))
    return [*lines, ""] if lines else []


def _heading(finding: Finding, mark: str, names: _Names, screen: Screen) -> str:
    path = screen.clean(finding.path)
    room = screen.width - len(_INDENT)
    name = screen.clean(names.find(finding.path))
    if name and texts.width_of(path) + 2 + texts.width_of(name) <= room:
        path += "  " + screen.styled("quiet", name)
    else:
        path = texts.cut_middle(path, room, screen.glyph("ellipsis"))
    return " %s %s %s" % (mark, finding.rule.ljust(4), path)


def _mark(finding: Finding, screen: Screen) -> str:
    return screen.styled("bad", screen.glyph("bad")) if finding.level == ERROR else screen.styled("warn", "!")


def _mended_mark(_: Finding, screen: Screen) -> str:
    return screen.styled("good", screen.glyph("good"))


def _mended_text(finding: Finding) -> str:
    return "%s; mended: %s" % (finding.text, finding.repair)


def _closing(report: Report, repair: Optional[Repair]) -> str:
    """Return what it comes to, in one sentence or two."""
    errors = sum(finding.level == ERROR for finding in report.findings)
    warnings = len(report.findings) - errors
    found = [numbers.counted(number, word) for number, word in ((errors, "error"), (warnings, "warning")) if number]
    mendable = sum(finding.repair is not None for finding in report.findings)
    left = ", ".join(found) if found else "nothing wrong"
    if repair is None:
        if mendable:
            return "%s. check --repair mends %s and loses no value." % (left, numbers.count(mendable))
        return "%s. None of it can be mended without losing a value." % left if found else "Nothing wrong."
    mended = "%s mended, no value lost" % numbers.count(len(repair.mended)) if repair.mended else "Nothing to mend"
    if found:
        return "%s. Left: %s." % (mended, left)
    return "%s. %s." % (mended, "Now nothing is wrong" if repair.mended else "Nothing wrong")


class _Names:
    """The names of the runs that findings are about."""

    def __init__(self, store: str) -> None:
        self._store = store
        self._known: Dict[str, str] = {}

    def find(self, path: str) -> str:
        """Return the name of the run that a path leads into, empty where there is none."""
        parts = path.split("/")
        depth = 3 if len(parts) > 1 and parts[1] == ".trash" else 2
        if len(parts) < depth:
            return ""
        folder = os.path.join(self._store, *parts[:depth])
        if folder not in self._known:
            self._known[folder] = _name_in(folder)
        return self._known[folder]


def _name_in(folder: str) -> str:
    try:
        name = folders.read_fields(folder, lambda *_: None)[0].get("name")
    except (OSError, BrokenFileError, UnsupportedFormatError):
        return ""
    return name if isinstance(name, str) else ""
