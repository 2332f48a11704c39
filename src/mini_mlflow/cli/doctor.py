"""``doctor``: what can this disk do, and what will the tracker do because of it?"""

from __future__ import annotations

from ..doctor import examining
from ..doctor.findings import BAD, GOOD, SKIPPED
from ..progress import Progress
from . import numbers, texts
from .failures import DONE, NO
from .target import find_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import List

    from ..doctor.findings import Examination, Probe
    from .options import Parser
    from .screen import Screen
    from .target import Target

EXAMPLES = ["doctor", "-d /scratch/mlruns doctor", "doctor --json"]
_NARROWEST = 30  # columns beside the names that are worth writing into


def add_arguments(parser: Parser) -> None:
    """Add what ``doctor`` takes: nothing of its own."""


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Try the disk of the store, and tell what was found; exit code 1 where something of it is bad."""
    target = find_target(arguments, may_be_missing=True)
    line = Progress("trying the disk", None, "probes")
    try:
        found = examining.examine(target.folder, on_progress=lambda *_: line.advance())
    finally:
        line.close()
    if screen.is_json:
        fields = dict(found._asdict(), probes=[dict(probe._asdict()) for probe in found.probes], store=target.shown)
        screen.write_json("doctor", **fields)
    else:
        screen.write_lines(_render(target, found, screen))
    return NO if any(probe.level == BAD for probe in found.probes) else DONE


def _render(target: Target, found: Examination, screen: Screen) -> List[str]:
    facts = []
    if found.kind is not None:
        facts.append("%s on %s" % (screen.clean(found.kind), screen.clean(found.source or "")))
    if found.free_bytes is not None:
        facts.append("%s free" % numbers.size(found.free_bytes))
    lines = ["%s  %s" % (screen.styled("strong", screen.clean(target.shown)), ", ".join(facts)), ""]
    if found.folder != target.folder:
        note = "Not there yet; tried in %s" % screen.clean(found.folder)
        lines[1:1] = [screen.styled("quiet", line) for line in texts.wrap(note, screen.width)]
    name_width = max(texts.width_of(screen.clean(probe.name)) for probe in found.probes)
    results = [texts.width_of(screen.clean(probe.result)) for probe in found.probes if probe.meaning]
    result_width = max(results, default=0)
    for probe in found.probes:
        lines += _lines_of(probe, name_width, result_width, screen)
    return [*lines, "", *texts.wrap(screen.clean(found.verdict), screen.width)]


def _lines_of(probe: Probe, name_width: int, result_width: int, screen: Screen) -> List[str]:
    """Return one probe: its mark, question and result; what it means beside that, or below where there is no room."""
    head = " %s  %s  " % (_mark(probe, screen), texts.pad(screen.clean(probe.name), name_width))
    indent = texts.width_of(head)
    result = screen.clean(probe.result)
    meaning = screen.clean(probe.meaning)
    beside = indent + result_width + 2
    if meaning and beside + texts.width_of(meaning) <= screen.width:
        return [head + texts.pad(result, result_width) + "  " + screen.styled("quiet", meaning)]
    below = indent if screen.width - indent >= _NARROWEST else 4
    room = max(16, screen.width - below)
    if indent + texts.width_of(result) <= screen.width:
        lines = [head + result]
    else:
        lines = [head.rstrip(" "), *(" " * below + line for line in texts.wrap(result, room))]
    return lines + [" " * below + screen.styled("quiet", line) for line in texts.wrap(meaning, room) if meaning]


def _mark(probe: Probe, screen: Screen) -> str:
    if probe.level == GOOD:
        return screen.styled("good", screen.glyph("good"))
    if probe.level == SKIPPED:
        return screen.styled("quiet", screen.glyph("none"))
    return screen.styled("bad", screen.glyph("bad")) if probe.level == BAD else screen.styled("warn", "!")
