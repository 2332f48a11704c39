"""Is a descriptor still what we opened, or has foreign code closed it, and the user's file its number?"""

from __future__ import annotations

import os

from .descriptors import DescriptorPool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Tuple

    Identity = Tuple[int, int, int]


class OwnDescriptor:
    """A descriptor that is to be looked at before each use: what no longer is ours is left alone.

    Attributes:
        number: Its number, a high one where the system allows it: programs that close many begin with the low ones.
    """

    __slots__ = ("_identity", "number")

    def __init__(self, descriptor: int) -> None:
        """Take a descriptor over; it gets another number."""
        self.number = DescriptorPool().lift(descriptor)
        self._identity = identity_of(self.number)

    def is_ours(self) -> bool:
        """Tell whether the number still stands for what was opened."""
        return self._identity is not None and identity_of(self.number) == self._identity

    def is_behind(self, descriptor: int) -> bool:
        """Tell whether another descriptor leads to the same, as its copies do, even where this one is closed."""
        return self._identity is not None and identity_of(descriptor) == self._identity

    def close(self) -> None:
        """Close it, unless somebody else has."""
        if self.is_ours():
            self._identity = None
            try:
                os.close(self.number)
            except OSError:
                pass  # it is closed, whatever the disk says to that


def identity_of(descriptor: int) -> Optional[Identity]:
    """Return what a descriptor leads to, None where it is closed."""
    try:
        state = os.fstat(descriptor)
    except OSError:
        return None
    return state.st_dev, state.st_ino, state.st_rdev
