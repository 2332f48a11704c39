"""How do ``pack`` and ``unpack`` say what they did, and what they left as it was?"""

from __future__ import annotations

import os

from . import carried, numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

    from ..records import PackResult
    from .screen import Screen
    from .target import Target


def render(done: str, result: PackResult, name: str, target: Target, screen: Screen) -> List[str]:
    """Return the lines that tell of it.

    Args:
        done: What was done, or would be: ``packed``, ``to unpack``.
        result: What became of the runs.
        name: The experiment's name.
        target: The store.
        screen: The screen.
    """
    runs = "%s %s" % (numbers.counted(len(result.run_ids), "run"), done)
    parts = [screen.styled("good", runs) if result.run_ids else "no run %s" % done]
    if result.size_bytes:
        parts.append("%s of files" % numbers.size(result.size_bytes))
    if result.packs:
        archives = numbers.counted(len(result.packs), "archive")
        parts.append("%s of %s" % (archives, numbers.size(result.pack_bytes)))
    lines = [screen.styled("strong", screen.clean(name)), "", " " + screen.own(" · ").join(parts)]
    if result.passed_over:
        lines += ["", " %s left as before:" % numbers.counted(len(result.passed_over), "run")]
        top = os.path.join(target.folder, str(result.experiment_id))
        lines += carried.list_problems(result.passed_over, top, screen)
    return lines


def write_document(schema: str, result: PackResult, name: str, target: Target, screen: Screen, *, is_dry: bool) -> None:
    """Write the same as JSON; see ``render``."""
    screen.write_json(
        schema,
        store=target.shown,
        experiment_id=str(result.experiment_id),
        experiment=name,
        dry_run=is_dry,
        run_ids=result.run_ids,
        passed_over=carried.as_documents(result.passed_over),
        packs=result.packs,
        size_bytes=result.size_bytes,
        pack_bytes=result.pack_bytes,
    )
