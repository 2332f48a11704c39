"""How is the file of an index opened, and is it one of ours?

Without a write-ahead log, whose shared memory would kill the process if somebody cut it off; and without waiting for
the disk: what a power cut leaves is found out when it is read.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import suppress

from .catalogue import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Tuple

SCHEMA_VERSION = 6
_APPLICATION = 0x6D6D6C66
PATIENCE_S = 1.0
_SCHEMA = (
    "CREATE TABLE columns (kind BLOB, key BLOB, block INTEGER, body BLOB, PRIMARY KEY (kind, key, block))",
    "CREATE TABLE directories (block INTEGER PRIMARY KEY, body BLOB)",
    "CREATE TABLE documents (slot INTEGER PRIMARY KEY, body BLOB)",
    "CREATE TABLE root (id INTEGER PRIMARY KEY, body BLOB)",
    "CREATE TABLE states (slot INTEGER PRIMARY KEY, body BLOB)",
)
_COMPANIONS = ("", "-journal", "-wal", "-shm")
# What is wrong with the disk or in use by others, in SQLite's words; the file may be sound.
_TROUBLES = ("locked", "busy", "full", "readonly", "disk I/O", "unable to open")


def open_file(path: str) -> sqlite3.Connection:
    """Return a connection to an index that is sound as far as can be seen at once; a new one where there is none."""
    _secure(path)
    for ending in ("-wal", "-shm"):  # never ours
        if os.path.lexists(path + ending):
            os.remove(path + ending)
    connection = connect(path)
    try:
        with suppress(sqlite3.NotSupportedError):
            connection.execute("PRAGMA trusted_schema = OFF")
        if _schema_of(connection) == (0, 0, []):
            _make(connection)
        if _schema_of(connection) != (_APPLICATION, SCHEMA_VERSION, sorted(each.encode() for each in _SCHEMA)):
            raise ValueError("it has another schema")
        row = connection.execute("SELECT body FROM root WHERE id = 0").fetchone()
        if row is None:
            raise ValueError("it has no root")
        Root.decode(row[0])
    except BaseException:
        connection.close()
        raise
    return connection


def open_memory() -> sqlite3.Connection:
    """Return a connection to an empty index in memory."""
    connection = connect(":memory:")
    _make(connection)
    return connection


def _secure(path: str) -> None:
    """Make the file where there is none; see that it is ours alone where there is one.

    Raises:
        ValueError: It is not, or no file.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        state = os.lstat(path)
        if stat.S_ISDIR(state.st_mode):
            raise
        if not stat.S_ISREG(state.st_mode) or state.st_nlink != 1:
            raise ValueError("it is no file of its own") from None
        if hasattr(os, "geteuid"):
            if state.st_uid != os.geteuid():
                raise ValueError("it is another's") from None
            if state.st_mode & 0o077:
                os.chmod(path, 0o600)


def connect(path: str) -> sqlite3.Connection:
    """Return a connection that leaves transactions to its user, and takes texts as they are."""
    connection = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)
    connection.text_factory = bytes
    try:
        connection.execute("PRAGMA synchronous = OFF")
    except BaseException:
        connection.close()
        raise
    return connection


def _schema_of(connection: sqlite3.Connection) -> Tuple[int, int, List[bytes]]:
    """Return the numbers that a file says it is of, and all that it was made by: views and triggers, too."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    rows = connection.execute("SELECT sql, name FROM sqlite_master LIMIT 100").fetchall()
    return application, version, sorted(sql or b"" for sql, name in rows if name != b"sqlite_autoindex_columns_1")


def _make(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if _schema_of(connection) == (0, 0, []):  # else another process was faster
        for command in _SCHEMA:
            connection.execute(command)
        connection.execute("INSERT INTO root VALUES (0, ?)", (Root().encode(),))
        connection.execute("PRAGMA application_id = %d" % _APPLICATION)
        connection.execute("PRAGMA user_version = %d" % SCHEMA_VERSION)
    connection.execute("COMMIT")


def is_trouble(error: BaseException) -> bool:
    """Tell whether the disk, or another process, is what keeps a file from being used."""
    return isinstance(error, sqlite3.OperationalError) and any(word in str(error) for word in _TROUBLES)


def remove(path: str) -> None:
    """Remove an index with what SQLite keeps beside it; what cannot be removed stays."""
    for ending in _COMPANIONS:
        try:
            os.remove(path + ending)
        except FileNotFoundError:
            pass
        except OSError:
            with suppress(OSError):
                os.rmdir(path + ending)
