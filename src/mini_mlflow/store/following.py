"""What was appended to a metric since it was read last?

Rows that are there are never touched (rule M2 of docs/format.md), so a reader that knows where the last one ended
reads on from there.
"""

from __future__ import annotations

import os
from collections import namedtuple
from zlib import crc32

from . import columns, documents, metric_file, reader
from .metric_text import MAX_HISTORY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Tuple

    from ..records import Columns, Problem


class Appended(namedtuple("Appended", ["parts", "is_anew"])):
    """What a metric has more than at the last look.

    Attributes:
        parts: Of each writer the generation and its new rows, in file order; writers without any are left out.
        is_anew: Whether the parts are the whole history, and what was given out before is to be thrown away: at the
            first look, and when a file was replaced, edited or removed, or its writer's generation was lifted.
    """

    __slots__ = ()

    parts: List[Tuple[int, Columns]]
    is_anew: bool


class HistoryReader:
    """Reads a metric of a run, and afterwards only what was appended.

    What is edited in place before the last row that was read is not seen.
    """

    def __init__(self, folder: str, key: str) -> None:
        """Read nothing yet.

        Args:
            folder: The run's folder.
            key: The metric.
        """
        self._folder = folder
        self._key = key
        self._files: Dict[str, _File] = {}
        self._is_begun = False

    def read_appended(self, problems: List[Problem]) -> Appended:
        """Return what has come since the last call; everything at the first one.

        Args:
            problems: Gets the files that cannot be read, and why.
        """
        before, self._files = self._files, {}
        looks = list(reader.iter_histories(self._folder, self._key, problems, lambda path: self._look(path, before)))
        is_anew = not self._is_begun or not before.keys() <= self._files.keys()
        for share, (file, _) in looks:
            is_anew = is_anew or file.is_anew or file.generation not in (None, share.generation)
        if is_anew and self._is_begun:
            self._files = {}
            looks = list(reader.iter_histories(self._folder, self._key, problems, lambda path: self._look(path, {})))
        self._is_begun = True
        parts = []
        for share, (file, rows) in looks:
            file.generation = share.generation
            if rows.steps:
                parts.append((share.generation, rows))
        return Appended(parts, is_anew)

    def _look(self, path: str, before: Dict[str, _File]) -> Tuple[_File, Columns]:
        file = before.get(path) or _File(path)
        rows = file.read()
        self._files[path] = file
        return file, rows


class _File:
    """One writer's file of the metric.

    Attributes:
        generation: That of its writer, None before the first read is over.
        is_anew: Whether the last read began at the start again, as the file is not the one that was read before.
    """

    def __init__(self, path: str) -> None:
        self.generation: Optional[int] = None
        self.is_anew = False
        self._path = path
        self._identity: Optional[Tuple[int, int]] = None
        self._mark = b""  # the last row that was read, and where it ends
        self._end = 0
        self._whole: Optional[int] = None  # checksum of a file that is not in the exact form, which is read whole

    def read(self) -> Columns:
        """Return the rows that were not read yet.

        Raises:
            FileNotFoundError: The file is gone.
            BrokenFileError: Nothing in it can be read.
        """
        is_first, self.is_anew = self._identity is None, False
        identity = self._identity
        if self._mark and not documents.is_packed(self._path):
            descriptor = documents.open_to_read(self._path)
            try:
                state = os.fstat(descriptor)
                identity = state.st_dev, state.st_ino
                start = self._end - len(self._mark)
                data = documents.read_all(descriptor, max(0, state.st_size - start), start)
            finally:
                os.close(descriptor)
            if identity == self._identity and data.startswith(self._mark):
                return self._take(data)
        state = documents.state_of(self._path)
        data = documents.read(self._path, MAX_HISTORY_BYTES)
        checksum = crc32(data)
        if not self._mark and checksum == self._whole:
            return columns.from_rows([])
        rows = columns.decode_columns(data, self._path)
        self.is_anew = not is_first
        self._identity = state.st_dev, state.st_ino
        self._mark, self._end, self._whole = b"", 0, checksum
        if metric_file.match_ends(data)[0] is not None:
            place = metric_file.find_last_row(data)
            if place is not None:
                self._mark, self._end = data[place[0] : place[1]], place[1]
        return rows

    def _take(self, data: bytes) -> Columns:
        """Return the rows behind the mark that *data* begins with, and move the mark."""
        place = metric_file.find_last_row(data)
        rows = metric_file.rows_in(data[len(self._mark) :])
        if place is not None:
            self._end += place[1] - len(self._mark)
            self._mark = data[place[0] : place[1]]
        return columns.from_rows(rows)
