"""How is the page served: to whom, below which path, and with which secrets?"""

from __future__ import annotations

import os
import secrets
from collections import namedtuple

from ..errors import InvalidValueError, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import FrozenSet, Optional, Set, Tuple

LOOPBACK = frozenset(["localhost", "127.0.0.1", "::1"])
ANY = frozenset(["0.0.0.0", "::", ""])
DEFAULT_PORT = 5005
_TOKEN_BYTES = 24


class Settings(
    namedtuple(
        "Settings",
        ["host", "port", "socket", "token", "session", "instance", "prefix", "names", "origins"],
    )
):
    """How the page is served.

    Attributes:
        host: The address that is listened on; None with a socket.
        port: The port; 0 until the system has given one.
        socket: The path of a unix socket, None for a port.
        token: What the first link holds, and programs send; None where nobody needs one.
        session: What the cookie holds: another secret, made when the server starts and gone when it ends.
        instance: Which server this is: no secret.
        prefix: The path that a proxy puts before every address, such as ``/user/x/proxy/5005``; empty without one.
        names: What ``Host`` may name, beside addresses of this machine.
        origins: Origins that are ours, too: that of a proxy.
    """

    __slots__ = ()

    host: Optional[str]
    port: int
    socket: Optional[str]
    token: Optional[str]
    session: str
    instance: str
    prefix: str
    names: FrozenSet[str]
    origins: FrozenSet[str]

    @property
    def cookie(self) -> str:
        """The name of the cookie: cookies do not know ports, so the name does."""
        return "mini_mlflow_%s" % (self.port or "socket")


def make_settings(
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    *,
    socket: Optional[str] = None,
    has_token: bool = True,
    proxy: str = "",
) -> Settings:
    """Return settings with fresh secrets.

    Args:
        host: Where to listen; anything but this machine itself is open to others.
        port: 0: any that is free.
        socket: Path of a unix socket, instead of a port.
        has_token: Whether who looks needs the token. Only on this machine itself may there be none.
        proxy: Path that a proxy puts before every address, or the whole address that browsers see.

    Raises:
        InvalidValueError: They do not go together.
    """
    if not has_token and socket is None and host not in LOOPBACK:
        message = "Without a token the page is served on this machine alone, not on %s. Leave --no-token or --host out."
        raise InvalidValueError(message % shown(host), value=host)
    if not 0 <= port < 65536:
        raise InvalidValueError("A port is a number from 0 to 65535, got %s." % shown(port), value=port)
    prefix, origin = _split_proxy(proxy)
    names = {"localhost", "127.0.0.1", "::1", host.lower()} - ANY
    if host in ANY:
        names |= _own_names()
    if origin:
        names.add(_host_of(origin))
    return Settings(
        host=None if socket else host,
        port=0 if socket else port,
        socket=socket,
        token=secrets.token_urlsafe(_TOKEN_BYTES) if has_token else None,
        session=secrets.token_urlsafe(_TOKEN_BYTES),
        instance=secrets.token_hex(8),
        prefix=prefix,
        names=frozenset(names),
        origins=frozenset([origin] if origin else []),
    )


def address_of(settings: Settings) -> str:
    """Return the address of the page, without a token."""
    if settings.socket is not None:
        return "http://localhost%s/" % settings.prefix
    host = settings.host or "127.0.0.1"
    host = "127.0.0.1" if host in ANY else host
    return "http://%s:%d%s/" % ("[%s]" % host if ":" in host else host, settings.port, settings.prefix)


def link_of(settings: Settings) -> str:
    """Return the address to open: with the token, which the page swaps for a cookie."""
    address = next(iter(settings.origins), None)
    address = address_of(settings) if address is None else address + settings.prefix + "/"
    return address if settings.token is None else "%s?token=%s" % (address, settings.token)


def _split_proxy(proxy: str) -> Tuple[str, str]:
    """Return the prefix and the origin of what browsers see."""
    origin = ""
    path = proxy
    if "://" in proxy:
        scheme, _, rest = proxy.partition("://")
        place, slash, path = rest.partition("/")
        path = slash + path
        if scheme not in ("http", "https") or not place or set(place) & set("@?#\\ \"'<>"):
            raise InvalidValueError("A proxy's address is like https://host/path, got %s." % shown(proxy), value=proxy)
        origin = "%s://%s" % (scheme, place.lower())
    path = path.rstrip("/")
    if path and (not path.startswith("/") or path.startswith("//") or not path.isascii() or set(path) & _NO_PATH):
        raise InvalidValueError("A proxy's prefix is like /user/me/proxy/5005, got %s." % shown(proxy), value=proxy)
    return path, origin


_NO_PATH = set("\"'<>\\ ;,?#%\n\r\t") | {".."}


def _host_of(origin: str) -> str:
    place = origin.partition("://")[2]
    return place.rsplit(":", 1)[0] if ":" in place.rpartition("]")[2] else place


def _own_names() -> Set[str]:
    """Return what this machine is called."""
    name = os.uname().nodename.lower() if hasattr(os, "uname") else ""
    return {each for each in (name, name.split(".")[0]) if each}
