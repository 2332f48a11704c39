"""How is a SQLite file of somebody else's read: never changed, never obeyed, and not for ever?

It is opened for reading alone; functions, views, triggers and tables that run code are out of reach (an authorizer
refuses all but reading plain columns), and a query that yields no row within a limit is stopped. A file that a killed
writer left in the middle of a change, or one in WAL mode, which even readers write beside, is read from a copy.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from time import monotonic

from .. import config
from ..errors import BrokenFileError
from ..store import documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Type

_MAGIC = b"SQLite format 3\0"
_WAL_FLAGS = slice(18, 20)
_LIMIT_S = 600.0  # to sort a hundred million rows takes minutes before the first one comes
_STEPS = 10000  # of SQLite's machine between two looks at the clock
_BESIDE = ("-journal", "-wal")
_SELECT, _READ = 21, 20  # SQLITE_SELECT, SQLITE_READ: sqlite3 has names for them only from Python 3.11 on
_OK, _DENY = 0, 1


class SqliteFile:
    """An open SQLite file. A context manager.

    Attributes:
        path: Where it lies.
        columns: The plain columns of each plain table.
    """

    def __init__(self, path: str, *, limit_s: float = _LIMIT_S) -> None:
        """Open the file.

        Args:
            path: Where it lies.
            limit_s: How long a query may take for one row, in seconds.

        Raises:
            FileNotFoundError: There is none.
            BrokenFileError: It is no SQLite file, or cannot be read.
        """
        self.path = path
        self._limit_s = limit_s
        self._deadline = 0.0
        self._copy: Optional[str] = None
        head = documents.open_to_read(path)
        try:
            start = documents.read_all(head, 100)
        finally:
            os.close(head)
        if not start.startswith(_MAGIC):
            raise documents.broken(path, "it is no SQLite file")
        is_wal = start[_WAL_FLAGS] == b"\x02\x02"
        self._connection = self._open(is_copied=is_wal or os.path.exists(path + "-journal"))
        try:
            self.columns = self._survey()
            self._connection.set_authorizer(self._authorize)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> SqliteFile:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file, and remove the copy."""
        self._connection.close()
        self._remove_copy()

    def _remove_copy(self) -> None:
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)

    def rows(self, table: str, columns: Sequence[str], order: Sequence[str] = ()) -> Iterator[Tuple[Any, ...]]:
        """Yield the rows of a table; a column that it lacks is None in each.

        Args:
            table: Its name; a table that is missing has no rows.
            columns: Names of columns.
            order: Names of those that sort the rows.

        Raises:
            BrokenFileError: It cannot be read, or takes too long.
        """
        there = self.columns.get(table, [])
        if not there:
            return
        wanted = [_name(each) if each in there else "NULL" for each in columns]
        query = "SELECT %s FROM %s" % (", ".join(wanted), _name(table))
        if order:
            query += " ORDER BY %s" % ", ".join(_name(each) for each in order if each in there)
        try:
            self._deadline = monotonic() + self._limit_s
            for row in self._connection.execute(query):
                yield row
                self._deadline = monotonic() + self._limit_s
        except sqlite3.Error as error:
            raise self._refusal(error) from error

    def _open(self, *, is_copied: bool) -> sqlite3.Connection:
        from urllib.parse import quote  # costs milliseconds

        path = self._take_copy() if is_copied else os.path.abspath(self.path)
        connection = None
        try:
            mode = "rw" if is_copied else "ro"  # what the copy lacks to be whole is written to the copy
            uri = "file:%s?mode=%s" % (quote(path.replace(os.sep, "/")), mode)
            connection = sqlite3.connect(uri, uri=True, timeout=10, isolation_level=None)
            connection.set_progress_handler(self._is_late, _STEPS)
            self._deadline = monotonic() + self._limit_s
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("PRAGMA cell_size_check=ON")
            connection.execute("BEGIN")  # one state of it, whoever writes it meanwhile
            connection.execute("SELECT name FROM sqlite_master LIMIT 1").fetchall()
            connection.execute("PRAGMA query_only=ON")
            connection.text_factory = _text
            return connection
        except BaseException as error:
            if connection is not None:
                connection.close()
            self._remove_copy()
            if not isinstance(error, sqlite3.Error):
                raise
            raise self._refusal(error) from error

    def _take_copy(self) -> str:
        from tempfile import mkdtemp

        self._copy = mkdtemp(prefix="mini-mlflow-", dir=config.temporary_folder())
        copy = os.path.join(self._copy, "copy.db")
        for ending in ("", *_BESIDE):
            if os.path.isfile(self.path + ending):
                shutil.copyfile(self.path + ending, copy + ending)
        return copy

    def _survey(self) -> Dict[str, List[str]]:
        """Return the plain columns of every plain table: views and virtual tables are none."""
        columns: Dict[str, List[str]] = {}
        try:
            for name, kind, text in self._connection.execute("SELECT name, type, sql FROM sqlite_master").fetchall():
                if kind != "table" or not isinstance(text, str) or text.upper().lstrip().startswith("CREATE VIRTUAL"):
                    continue
                found = self._connection.execute("PRAGMA table_xinfo(%s)" % _name(name)).fetchall()
                columns[name] = [row[1] for row in found if len(row) < 7 or row[6] == 0]
        except sqlite3.Error as error:
            raise self._refusal(error) from error
        return columns

    def _authorize(self, action: int, table: Any, column: Any, database: Any, inner: Any) -> int:
        """Allow to read plain columns, and nothing else: no function, no view, no trigger, no other file."""
        del database
        if action == _SELECT and inner is None:
            return _OK
        if action == _READ and inner is None and (column in self.columns.get(table, ()) or column == ""):
            return _OK
        return _DENY

    def _is_late(self) -> int:
        return 1 if monotonic() > self._deadline else 0

    def _refusal(self, error: sqlite3.Error) -> BrokenFileError:
        reason = str(error)
        if "interrupted" in reason:
            reason = "a query of it has found no row for %g seconds" % self._limit_s
        return documents.broken(self.path, reason)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _name(name: str) -> str:
    return '"%s"' % name.replace('"', '""')
