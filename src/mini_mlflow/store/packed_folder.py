"""How is a folder of a packed run entered, listed and read as one that is held open?"""

from __future__ import annotations

import errno
import os
import stat

from . import documents, packed
from .held_folder import HeldFolder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, List, Tuple


class PackedFolder(HeldFolder):
    """A folder in a pack. It can be looked at, and nothing in it be changed: the run has to be unpacked for that."""

    def __init__(self, path: str) -> None:
        """Enter a folder by its path in a pack.

        Raises:
            FileNotFoundError: There is none.
            NotADirectoryError: There is a file.
            BrokenFileError: The pack cannot be read.
        """
        if not stat.S_ISDIR(packed.state_of(path).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        super().__init__(path, None)

    def enter(self, name: str) -> HeldFolder:
        """Enter a folder in this one; raises as the class does."""
        return PackedFolder(self._place(name))

    def state(self, name: str) -> os.stat_result:
        """Return what ``os.lstat`` would say of a name in this folder."""
        return packed.state_of(self._place(name))

    def open_file(self, name: str) -> int:
        """Return a descriptor of a copy of a file, which is gone when it is closed.

        Raises:
            FileNotFoundError: There is none.
            BrokenFileError: The pack is damaged.
        """
        import tempfile  # slow to load, and few files are read out of packs

        pack, entry = packed.get_entry(self._place(name))
        with tempfile.TemporaryFile() as file:
            for piece in packed.iter_content(pack, entry):
                documents.write_all(file.fileno(), piece)
            if entry.mode and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), entry.mode)
            os.lseek(file.fileno(), 0, os.SEEK_SET)
            return os.dup(file.fileno())

    def list_entries(self) -> List[Tuple[str, os.stat_result]]:
        """Return (name, state) of all in this folder, sorted by name."""
        return [(name, self.state(name)) for name in packed.list_names(self.path)]


def descend(path: str, parts: Iterable[str]) -> HeldFolder:
    """Enter a folder below the folder *path* in a pack, part by part.

    Raises:
        FileNotFoundError: A folder is missing.
        OSError: A part is a file: ``errno`` is one of ``held_folder.NO_FOLDER``, ``filename`` its path.
        BrokenFileError: The pack cannot be read.
    """
    folder: HeldFolder = PackedFolder(path)
    for part in parts:
        folder = folder.enter(part)
    return folder
