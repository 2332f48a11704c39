"""Which file name does a key get in a folder where other keys have theirs?

Rules K2 to K6 of docs/format.md.
"""

from __future__ import annotations

import os

from .. import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict

KINDS = (layout.PARAMS, layout.METRICS, layout.TAGS)


class Names:
    """The names that are taken in one writer's folders."""

    def __init__(self, is_metric: Callable[[str], bool]) -> None:
        """Make an empty table.

        Args:
            is_metric: Tells whether a key is a metric that this writer has a file for. Most names are their own folded
                form; those of metrics need not be kept a second time.
        """
        self._is_metric = is_metric
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
                    self._stems[kind].setdefault(layout.fold(stem), stem)
                elif name.startswith(layout.TEMPORARY):
                    try:
                        os.unlink(os.path.join(inside, name))
                    except OSError:
                        pass  # readers ignore it

    def clear(self) -> None:
        """Forget all names: another folder begins."""
        for stems in self._stems.values():
            stems.clear()

    def stem(self, kind: str, key: str) -> str:
        """Return the stem of a key's file: the plain one, unless some disk takes another key's for the same."""
        plain = layout.plain_stem(key)
        folded = layout.fold(plain)
        stems = self._stems[kind]
        taken = stems.get(folded)
        if taken is None:
            if kind == layout.METRICS and folded == plain:
                return plain
            if kind == layout.METRICS and self._is_metric(folded):
                taken = folded
            else:
                taken = stems[folded] = plain
        return plain if taken == plain else layout.hashed_stem(key)
