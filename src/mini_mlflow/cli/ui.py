"""``ui``: the runs as a page in the browser."""

from __future__ import annotations

import os
import signal
import sys

from .. import config, layout
from ..errors import MissingPackageError, StorageWarning
from .failures import DONE, REFUSED, USAGE, CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, List, Optional

    from .options import Parser
    from .screen import Screen

EXAMPLES = [
    "ui",
    "ui ~/vision/mlruns /scratch/mlruns",
    "ui --socket ~/.mini-mlflow/ui.sock",
    "ui --port 0 --no-browser",
]
_OLDEST = (3, 10)


def add_arguments(parser: Parser) -> None:
    """Add what ``ui`` takes."""
    parser.add_argument("folders", nargs="*", metavar="DIR", help="stores, or folders that hold one (DIR/mlruns)")
    group = parser.add_argument_group("where")
    group.add_argument(
        "--host", default="127.0.0.1", help="an address of this machine; other than 127.0.0.1: open to others"
    )
    group.add_argument("--port", type=_port, help="the port; 0: any; else 5005, or the next that is free")
    group.add_argument("--socket", metavar="PATH", help="a unix socket instead of a port, in a folder of yours alone")
    group.add_argument(
        "--proxy-prefix", metavar="PATH", default="", help="what a proxy puts before each path, or its URL"
    )
    group = parser.add_argument_group("who, and what")
    group.add_argument("--no-token", action="store_true", help="let in every user of this machine")
    group.add_argument("--read-only", action="store_true", help="take no changes")
    group.add_argument("--no-browser", action="store_true", help="open no browser")


def _port(text: str) -> int:
    if not text.isdigit() or len(text) > 5 or int(text) > 65535:
        raise CommandError("'%s' is no port: a number from 0 to 65535" % text, USAGE)
    return int(text)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Serve the page until Ctrl-C."""
    import warnings

    serving, settings_of, stores_of = _load()
    warnings.simplefilter("ignore", StorageWarning)  # the page tells what cannot be read
    folders = [_store(each) for each in arguments.folders] or [config.store_folder(getattr(arguments, "dir", None))]
    stores = stores_of.Stores(folders, is_read_only=arguments.read_only)
    settings = settings_of.make_settings(
        arguments.host,
        settings_of.DEFAULT_PORT if arguments.port is None else arguments.port,
        socket=arguments.socket,
        has_token=not arguments.no_token,
        proxy=arguments.proxy_prefix,
    )
    if arguments.socket is not None:
        if sys.platform == "win32":
            raise CommandError("Windows has no unix sockets here. Leave --socket out.", REFUSED)
        with serving.opened_socket(arguments.socket) as listener:
            _serve(serving, stores, settings, listener, screen, browser=False)
        return DONE
    try:
        listener = serving.open_port(settings.host, settings.port, is_next_taken=arguments.port is None)
    except OSError as error:
        message = "Port %d of %s cannot be had: %s." % (settings.port, settings.host, error.strerror or error)
        raise CommandError(message, REFUSED, lines=["--port 0 takes any that is free"]) from error
    settings = settings._replace(port=serving.port_of(listener))
    _serve(serving, stores, settings, listener, screen, browser=not arguments.no_browser)
    return DONE


def _load() -> Any:
    """Return the modules that need the extra.

    Raises:
        MissingPackageError: It is not installed.
    """
    if sys.version_info < _OLDEST:
        raise MissingPackageError(
            "The page needs Python 3.10 or newer. The same runs: mini-mlflow ls", package="starlette"
        )
    try:
        from ..ui import serving, settings
        from ..ui.api import stores
    except ImportError as error:
        message = "The page needs %s. Install it by: pip install 'mini-mlflow[ui]'"
        raise MissingPackageError(message % (error.name or "a package"), package=error.name) from error
    return serving, settings, stores


def _serve(serving: Any, stores: Any, settings: Any, listener: Any, screen: Screen, *, browser: bool) -> None:
    from ..ui.settings import LOOPBACK, address_of, link_of

    server = serving.Server(stores, settings, config.package_version())
    names = ", ".join(screen.clean(store.name) for store in stores.all)
    lines = ["Showing %s. Ctrl-C ends it." % names]
    if settings.socket is not None:
        lines.append("Listening at %s, for you alone." % screen.clean(settings.socket))
        lines.append("From another machine: ssh -L 5005:%s HOST, then open" % screen.clean(settings.socket))
        lines.append("  " + link_of(settings).replace("//localhost", "//localhost:5005", 1))
    else:
        lines.append("  " + link_of(settings))
    if settings.token is None:
        lines.append("Every user of this machine can open it.")
    if settings.socket is None and settings.host not in LOOPBACK:
        lines.append("Others on the network can reach it, and plain HTTP shows them what is sent, the token too.")
        lines.append(
            "Safer: leave --host out, and on your own machine: ssh -L %d:localhost:%d HOST" % ((settings.port,) * 2)
        )
    if screen.is_json:
        screen.write_json(
            "ui", address=address_of(settings), link=link_of(settings), socket=settings.socket, port=settings.port
        )
    else:
        screen.write_lines(lines)
    screen.out.flush()
    server.prepare()
    signal.signal(signal.SIGTERM, _end)  # uvicorn raises the signal again when it is done: what is open is closed then
    if browser and screen.is_terminal and config.has_display():
        with serving.link_file(link_of(settings)) as path:
            _open_browser(path)
            server.run(listener)
    else:
        server.run(listener)


def _end(number: int, frame: object) -> None:  # noqa: ARG001 - as signal handlers are called
    sys.exit(128 + number)


def _open_browser(path: Optional[str]) -> None:
    """Open a browser beside the server; where there is none, the printed link is there."""
    if path is None:
        return
    import pathlib
    import threading
    import webbrowser

    def work() -> None:
        try:
            webbrowser.open(pathlib.Path(path).as_uri())
        except (webbrowser.Error, OSError):
            pass

    threading.Thread(target=work, daemon=True).start()


def _store(given: str) -> str:
    """Return the store that a folder is or holds."""
    path = config.store_folder(given)
    inside = os.path.join(path, config.DEFAULT_RUNS_DIR)
    return inside if os.path.isdir(inside) and not _looks_like_store(path) else path


def _looks_like_store(path: str) -> bool:
    try:
        names: List[str] = os.listdir(path)
    except OSError:
        return False
    return any(os.path.isfile(os.path.join(path, name, layout.META)) for name in names)
