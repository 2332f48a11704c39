"""How does the server start, tell where it is, and end: on a port, or on a unix socket?"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import stat
import threading
from contextlib import contextmanager

import uvicorn

from .. import config
from ..errors import InvalidValueError
from . import connections, desk, server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, List, Optional

    from .api.stores import Stores
    from .settings import Settings

_MOST_PATH_BYTES = 107  # of a unix socket; Linux has 108 with the NUL at the end, macOS 104
_KEEP_ALIVE_S = 9
_BACKLOG = 512
_MOST_TRIES = 20  # ports after the one that is taken


def open_port(host: str, port: int, *, is_next_taken: bool) -> socket.socket:
    """Return a socket that listens; on the next free port where the wanted one is taken and that is allowed.

    Raises:
        OSError: The address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    last: Optional[OSError] = None
    for number in range(port, min(port + (_MOST_TRIES if is_next_taken and port else 1), 65536)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, number))
            listener.listen(_BACKLOG)
            return listener
        except OSError as error:
            listener.close()
            last = error
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                break
    assert last is not None
    raise last


@contextmanager
def opened_socket(path: str) -> Iterator[socket.socket]:
    """Lend a unix socket that listens at a path, for its owner alone: 0600 in a folder of 0700; removed afterwards.

    Raises:
        InvalidValueError: The path is too long, its folder is open to others, or something else lies there.
        OSError: The disk refused.
    """
    path = os.path.abspath(path)
    if len(os.fsencode(path)) > _MOST_PATH_BYTES:
        message = "The path of a unix socket has at most %d bytes, %s has %d. Choose a shorter one."
        raise InvalidValueError(message % (_MOST_PATH_BYTES, path, len(os.fsencode(path))), value=path)
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    state = os.stat(folder)
    if state.st_uid != os.getuid() or stat.S_IMODE(state.st_mode) & 0o077:
        message = (
            "The folder of the socket, %s, must be yours alone (chmod 700), as whoever opens the socket reads all."
        )
        raise InvalidValueError(message % folder, value=path)
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        before = os.umask(0o177)
        try:
            listener.bind(path)
        finally:
            os.umask(before)
        listener.listen(_BACKLOG)
        identity = os.lstat(path).st_ino
        try:
            yield listener
        finally:
            if _find_inode(path) == identity:
                os.unlink(path)
    finally:
        listener.close()


def _find_inode(path: str) -> Optional[int]:
    try:
        return os.lstat(path).st_ino
    except OSError:
        return None


def _remove_stale(path: str) -> None:
    """Remove a socket of ours that nobody listens to any more; refuse everything else that lies there."""
    try:
        state = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(state.st_mode) or state.st_uid != os.getuid():
        raise InvalidValueError("%s is there and no socket of yours. Choose another path." % path, value=path)
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.settimeout(1.0)
        probe.connect(path)
    except (ConnectionRefusedError, FileNotFoundError):
        os.unlink(path)
        return
    except OSError as error:
        raise InvalidValueError("%s cannot be asked whether it is in use: %s." % (path, error), value=path) from error
    finally:
        probe.close()
    raise InvalidValueError("Another server listens at %s. End it, or choose another path." % path, value=path)


class _Uvicorn(uvicorn.Server):
    """uvicorn, which leaves open what came while it ended, or did not end in time."""

    async def shutdown(self, sockets: Optional[List[socket.socket]] = None) -> None:
        """End, and close what is still open then."""
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # in which they are closed


class Server:
    """A server that is ready to run.

    Attributes:
        app: The application, for tests.
    """

    def __init__(
        self, stores: Stores, settings: Settings, version: str, *, crowd: Optional[connections.Crowd] = None
    ) -> None:
        self._desk = desk.Desk(stores, settings, version)
        self.app = server.App(self._desk, settings)
        crowd = connections.Crowd(most=_most_connections()) if crowd is None else crowd
        about: Any = {"http": crowd.make_protocol}
        self._server = _Uvicorn(
            uvicorn.Config(
                self.app,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                date_header=True,
                proxy_headers=False,
                forwarded_allow_ips="",
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=2,
                h11_max_incomplete_event_size=64 << 10,
                **about,
            )
        )

    def run(self, listener: socket.socket) -> None:
        """Serve until a signal, or ``stop``."""
        self._server.run(sockets=[listener])

    def prepare(self) -> None:
        """Begin, in a thread, with what the first view would wait for."""
        threading.Thread(target=self._desk.prepare, daemon=True).start()

    def stop(self) -> None:
        """Let ``run`` return soon; may be called by any thread."""
        self._server.should_exit = True

    @property
    def is_started(self) -> bool:
        """Whether requests are answered."""
        return bool(self._server.started)


def _most_connections() -> int:
    """Return how many connections may be open, so that files can still be opened beside them."""
    try:
        import resource  # only Unix has it

        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    except (ImportError, OSError, ValueError):
        return connections.MOST_CONNECTIONS
    return connections.MOST_CONNECTIONS if soft < 0 else max(16, min(connections.MOST_CONNECTIONS, soft // 2))


@contextmanager
def link_file(link: str) -> Iterator[Optional[str]]:
    """Lend a file that sends a browser to the link: its command line, which every user of the machine sees, has none.

    None where no such file can be made.
    """
    text = (
        '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=%s"><title>Mini MLflow</title>'
    )
    path = os.path.join(config.temporary_folder(), "mini-mlflow-%s.html" % os.urandom(8).hex())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError:
        yield None
        return
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write((text % link.replace("&", "&amp;")).encode())
        yield path
    finally:
        try:
            os.unlink(path)
        except OSError:
            pass


def port_of(listener: socket.socket) -> int:
    """Return the port that a socket listens on."""
    return int(listener.getsockname()[1])
