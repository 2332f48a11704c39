"""Who may come in? Asked of every request before anything else looks at it.

Pure: the head of a request in, a verdict out.
"""

from __future__ import annotations

from collections import namedtuple
from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import parse_qsl

from .settings import ANY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Sequence, Tuple

    from .settings import Settings

    Headers = Sequence[Tuple[bytes, bytes]]

MAX_BODY_BYTES = 1 << 20
MARK = b"x-mini-mlflow"  # a header that no form and no foreign page can send without asking first
_METHODS = ("GET", "HEAD", "POST")
_ONCE = (b"host", b"content-length", b"content-type", b"transfer-encoding", b"authorization", b"origin")
_DATA = ("", "empty", "image", "document")  # what a browser may want an answer for; no scripts, frames or workers


class Head(namedtuple("Head", ["method", "path", "query", "headers"])):
    """The head of a request.

    Attributes:
        method: Such as ``GET``.
        path: Below the prefix, as it was sent.
        query: What follows the question mark.
        headers: Names in small letters.
    """

    __slots__ = ()

    method: str
    path: bytes
    query: bytes
    headers: Headers


class Verdict(namedtuple("Verdict", ["status", "code", "message", "is_login"])):
    """What becomes of a request.

    Attributes:
        status: 200 where it may come in, else what it is told.
        code: The word for the reason.
        message: The reason for people.
        is_login: Whether it brought the token in its address, and gets the cookie for it.
    """

    __slots__ = ()

    status: int
    code: str
    message: str
    is_login: bool


_COME_IN = Verdict(200, "", "", is_login=False)


def judge(head: Head, settings: Settings) -> Verdict:
    """Return what becomes of a request."""
    fields: Dict[bytes, bytes] = {}
    for name, value in head.headers:
        if name in fields and name in _ONCE:
            return _refuse(400, "invalid", "The header %s comes twice." % name.decode("latin-1"))
        fields[name] = value
    return (
        _judge_form(head, fields)
        or _judge_host(fields, settings)
        or _judge_origin(head, fields, settings)
        or _judge_token(head, fields, settings)
        or _judge_change(head, fields, is_program=_is_program(fields, settings))
        or _COME_IN
    )


def is_local(host: str) -> bool:
    """Tell whether a host is written as an address, which no other site can point at us as it can a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def split_host(value: str) -> Optional[Tuple[str, str]]:
    """Return name and port of a ``Host``, None where it is none."""
    host, port = value, ""
    if value.startswith("["):
        host, bracket, rest = value[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")) or not is_local(host):
            return None
        port = rest[1:]
    elif ":" in value:
        host, _, port = value.partition(":")
    is_name = bool(host) and all(letter.isalnum() or letter in ".-:" for letter in host) and host.isascii()
    if not is_name or (port and not (port.isascii() and port.isdigit() and len(port) < 6)):
        return None
    return host.lower(), port


def _judge_form(head: Head, fields: Dict[bytes, bytes]) -> Optional[Verdict]:
    """Refuse what could be read in two ways."""
    if head.method not in _METHODS:
        return _refuse(405, "method", "There is GET, HEAD and POST.")
    if b"transfer-encoding" in fields and b"content-length" in fields:
        return _refuse(400, "invalid", "The length of the body is told twice.")
    length = fields.get(b"content-length", b"0")
    if not (length.isdigit() and len(length) < 16):
        return _refuse(400, "invalid", "The length of the body is no number.")
    if int(length) > MAX_BODY_BYTES:
        return _refuse(413, "too_large", "A request may have %d bytes." % MAX_BODY_BYTES)
    if head.method != "POST" and (int(length) or b"transfer-encoding" in fields):
        return _refuse(400, "invalid", "Only POST has a body.")
    if b"upgrade" in fields or fields.get(b"service-worker"):
        return _refuse(403, "forbidden", "There are no sockets and no workers here.")
    return None


def _judge_host(fields: Dict[bytes, bytes], settings: Settings) -> Optional[Verdict]:
    """Refuse names that are not ours: another site's name may lead here (DNS rebinding)."""
    found = split_host(fields.get(b"host", b"").decode("latin-1"))
    if found is None:
        return _refuse(400, "host", "The request names no host.")
    host = found[0]
    is_ours = host in settings.names or (settings.host in ANY and is_local(host))
    if not is_ours:
        return _refuse(400, "host", "This server does not answer for that name. Open the address that it printed.")
    return None


def _judge_origin(head: Head, fields: Dict[bytes, bytes], settings: Settings) -> Optional[Verdict]:
    """Refuse what other sites' pages ask for."""
    origin = fields.get(b"origin")
    host = fields[b"host"].decode("latin-1").lower()
    text = None if origin is None else origin.decode("latin-1").lower()
    own = {"http://" + host, "https://" + host, *settings.origins}
    if settings.prefix and not settings.origins and fields.get(b"sec-fetch-site") == b"same-origin":
        own.add(text or "")  # the proxy's, whose name we were not told; the browser says that it is the page's own
    if text is not None and text not in own:
        return _refuse(403, "forbidden", "The request comes from another site.")
    site = fields.get(b"sec-fetch-site", b"same-origin").decode("latin-1")
    kind = fields.get(b"sec-fetch-dest", b"").decode("latin-1")
    is_front = head.path == b"/" and head.method in ("GET", "HEAD")
    if site not in ("same-origin", "none"):
        is_link = is_front and fields.get(b"sec-fetch-mode") == b"navigate" and kind == "document"
        if not is_link:
            return _refuse(403, "forbidden", "The request comes from another site.")
    if not head.path.startswith(b"/static/") and kind not in _DATA:
        return _refuse(403, "forbidden", "Data is not for scripts, frames and workers.")
    return None


def _judge_token(head: Head, fields: Dict[bytes, bytes], settings: Settings) -> Optional[Verdict]:
    if settings.token is None:
        return None
    for value in _cookies(head.headers, settings.cookie):
        if compare_digest(value, settings.session.encode()):
            return _login(head, settings)
    if _is_program(fields, settings):
        return None
    return _login(head, settings) or _refuse(
        401, "token", "Open the link that mini-mlflow ui printed: it holds a token."
    )


def _login(head: Head, settings: Settings) -> Optional[Verdict]:
    """Let in who brings the token in the page's own address."""
    if head.path != b"/" or head.method != "GET" or b"token=" not in head.query:
        return None
    try:
        given = [value for name, value in parse_qsl(head.query.decode("latin-1"), max_num_fields=10) if name == "token"]
    except ValueError:
        return None
    if len(given) == 1 and compare_digest(given[0].encode("utf-8", "replace"), (settings.token or "").encode()):
        return Verdict(200, "", "", is_login=True)
    return None


def _is_program(fields: Dict[bytes, bytes], settings: Settings) -> bool:
    """Tell whether a request brings the token in a header, as programs do and no foreign page can."""
    scheme, _, given = fields.get(b"authorization", b"").partition(b" ")
    is_given = settings.token is not None and scheme.lower() == b"bearer"
    return is_given and compare_digest(given.strip(), (settings.token or "").encode())


def _judge_change(head: Head, fields: Dict[bytes, bytes], *, is_program: bool) -> Optional[Verdict]:
    if head.method != "POST":
        return None
    kind, _, rest = fields.get(b"content-type", b"").partition(b";")
    charset = rest.strip().lower().replace(b'"', b"").replace(b" ", b"")
    if kind.strip().lower() != b"application/json" or charset not in (b"", b"charset=utf-8"):
        return _refuse(415, "media_type", "The body must be application/json in UTF-8.")
    if fields.get(MARK) != b"1" and not is_program:
        return _refuse(403, "forbidden", "The header X-Mini-MLflow: 1 is missing.")
    return None


def _cookies(headers: Headers, wanted: str) -> List[bytes]:
    """Return the values of all cookies of a name; another program on this host may have set more of them."""
    found = []
    for name, value in headers:
        if name == b"cookie":
            for part in value.split(b";")[:100]:
                key, _, given = part.strip().partition(b"=")
                if key == wanted.encode():
                    found.append(given.strip(b'"'))
    return found[:10]


def _refuse(status: int, code: str, message: str) -> Verdict:
    return Verdict(status, code, message, is_login=False)
