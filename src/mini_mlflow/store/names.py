"""Which file name does a key get in a folder where other keys have theirs?

Rules K2 to K6 of docs/format.md.
"""

from __future__ import annotations

import os

from .. import layout
from ..errors import BrokenFileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict

KINDS = (layout.PARAMS, layout.METRICS, layout.TAGS)


class Names:
    """The names that are taken in one writer's folders."""

    def __init__(self) -> None:
        """Make an empty table."""
        self._stems: Dict[str, Dict[str, str]] = {kind: {} for kind in KINDS}

    def learn(self, home: str) -> None:
        """Take in the names that others gave, and sweep what they left half done."""
        for kind in KINDS:
            inside = os.path.join(home, kind)
            try:
                names = sorted(os.listdir(inside))
            except OSError:
                continue
            for name in names:
                stem = layout.stem_of(name)
                if stem is not None:
                    stem = _composed(inside, kind, stem)
                    self._stems[kind].setdefault(layout.fold(stem), stem)
                elif name.startswith(layout.TEMPORARY):
                    try:
                        os.unlink(os.path.join(inside, name))
                    except OSError:
                        pass  # readers ignore it

    def stem(self, kind: str, key: str) -> str:
        """Return the stem of a key's file: the plain one, unless some disk takes another key's for the same.

        The answer is the same for as long as this table lives, whichever files are open.
        """
        plain = layout.plain_stem(key)
        folded = layout.fold(plain)
        # Most names are their own folded form: one text serves for both, a third of what a parked metric takes.
        taken = self._stems[kind].setdefault(plain if folded == plain else folded, plain)
        return plain if taken == plain else layout.hashed_stem(key)


def _composed(inside: str, kind: str, stem: str) -> str:
    """Give a file its own name back where a disk has decomposed it (HFS+ does); return the name that it has then."""
    if stem.isascii():
        return stem
    from . import folders  # such names alone need it

    path = os.path.join(inside, layout.file_name(stem))
    try:
        key = folders.key_in(path, kind)
        if key is None or stem == layout.plain_stem(key) or layout.fold(stem) != layout.fold(layout.plain_stem(key)):
            return stem
        composed = os.path.join(inside, layout.file_name(layout.plain_stem(key)))
        if not os.path.lexists(composed):
            os.rename(path, composed)
            return layout.plain_stem(key)
    except (OSError, BrokenFileError):
        pass  # it keeps the name that it has
    return stem
