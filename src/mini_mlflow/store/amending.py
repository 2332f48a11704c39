"""How is something added to a run by who neither creates nor continues it, such as a note or the functions of 0.1.0?

Rules W4, W7, F2 and X1 of docs/format.md.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from ..errors import BrokenFileError
from . import folders, owner, presence, touching
from .opening import CREATED, JOINED, RESUMED, Opened, join_run, stays
from .writer import RunWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

    from .descriptors import DescriptorPool


@contextmanager
def amended(folder: str, pool: DescriptorPool) -> Iterator[Opened]:
    """Lend a writer that changes a run without changing how it stands, and let go of the run again.

    Args:
        folder: The run's; it is made if need be.
        pool: The open files of this process.

    Raises:
        UnsupportedFormatError: The run was written in a newer format.
        OSError: The disk refused.
    """
    opened = amend_run(folder, pool)
    try:
        with touching.Told(folder):
            yield opened
    finally:
        if opened.role == CREATED:
            opened.writer.withdraw()
        else:
            opened.writer.release()


def amend_run(folder: str, pool: DescriptorPool) -> Opened:
    """Return a writer that changes a run without changing how it stands; see ``amended``.

    CREATED: nobody owned the folder; the writer must ``withdraw`` when it is done. Else it must ``release``.

    Raises:
        UnsupportedFormatError: The run was written in a newer format.
        OSError: The disk refused.
    """
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    presence.make_folder(folder)
    try:
        there = folders.read_meta(folder)[0]
    except BrokenFileError:
        there = {}
    home, role, claim = folder, RESUMED, None
    if folders.is_format_0(
        folder, there
    ):  # its files stay as they are (rule F2); an earlier call may have left a share
        for part in folders.list_parts(folder)[1:]:
            home, claim = part.folder, owner.take_over(part.folder)
            if claim is not None:
                break
    else:
        claim = owner.take_over(folder)
        if claim is None:
            try:
                role, claim = CREATED, owner.claim_new(folder, 0)
            except FileExistsError:
                pass  # its owner lives
    if claim is None:
        return Opened(join_run(folder, pool, None), JOINED)
    if not stays(folder, claim):
        return amend_run(folder, pool)
    writer = RunWriter(
        folder, pool, home=home, claim=claim, generation=claim.generation, is_resumed=True, sync_period_s=None
    )
    return Opened(writer, role)
