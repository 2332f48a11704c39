"""What does every answer carry: which headers, in which form, and how is a fault told?"""

from __future__ import annotations

import zlib
from collections import namedtuple
from functools import lru_cache

from .api import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

    Headers = List[Tuple[bytes, bytes]]

JSON, BINARY, HTML, CSV = (
    "application/json",
    "application/octet-stream",
    "text/html; charset=utf-8",
    "text/csv; charset=utf-8",
)
_NO_CACHE = b"no-store"
FOR_EVER = b"public, max-age=31536000, immutable"
_SANDBOX = b"default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_LEAST_PACKED = 1400  # bytes that fit into one packet
_FIXED = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)


class Answer(namedtuple("Answer", ["status", "body", "kind", "headers", "cache"])):
    """An answer.

    Attributes:
        status: Of HTTP.
        body: Bytes, or an iterator of them.
        kind: The content type.
        headers: What else it carries; names in small letters.
        cache: ``Cache-Control``; nothing is kept unless said.
    """

    __slots__ = ()

    status: int
    body: Union[bytes, Iterator[bytes]]
    kind: str
    headers: Headers
    cache: bytes


def make(status: int, body: Any, kind: str, headers: Optional[Headers] = None, cache: bytes = _NO_CACHE) -> Answer:
    """Return an answer; an object becomes JSON."""
    return Answer(status, body, kind, headers or [], cache)


def give(told: Any) -> Answer:
    """Return an object as JSON."""
    return make(200, plain.encode(told), JSON)


def refuse(status: int, code: str, message: str, **facts: Any) -> Answer:
    """Return what went wrong, as JSON."""
    headers = [(b"retry-after", b"1")] if status == 503 else []
    told: Dict[str, Any] = {"error": {**facts, "code": code, "message": plain.text(message)}}
    return make(status, plain.encode(told), JSON, headers)


def headers_of(answer: Answer, instance: str, policy: Optional[bytes] = None) -> Headers:
    """Return all headers of an answer.

    Args:
        answer: The answer.
        instance: Which server this is.
        policy: The Content-Security-Policy; None: that of data, which may do nothing at all.
    """
    found = [(b"content-type", answer.kind.encode()), (b"cache-control", answer.cache), *_FIXED]
    found += [(b"content-security-policy", policy or _SANDBOX), (b"x-mini-mlflow-instance", instance.encode())]
    own = {name for name, _ in answer.headers}
    return [(name, value) for name, value in found if name not in own] + answer.headers


def page_policy(host: str, prefix: str) -> bytes:
    """Return the Content-Security-Policy of the page: scripts of the static folder alone.

    Args:
        host: As the browser knows this server; empty where a proxy does not tell.
        prefix: The path before every address.
    """
    place = "%s%s/static/" % (host, prefix) if host else "'self'"
    return (
        "default-src 'none'; script-src %s; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "font-src 'self'; manifest-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'" % place
    ).encode("latin-1")


def _gzip(body: bytes, level: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


@lru_cache(maxsize=16)
def _pack_file(body: bytes) -> bytes:
    """Return a file of the page made smaller: once for all who ask."""
    return _gzip(body, 6)


def pack(answer: Answer, accepted: bytes) -> Answer:
    """Return an answer with its body made smaller, where the browser takes that and it is worth it."""
    body = answer.body
    is_worth = isinstance(body, bytes) and len(body) >= _LEAST_PACKED and not answer.kind.startswith("image/")
    if not is_worth or b"gzip" not in accepted or any(name == b"content-encoding" for name, _ in answer.headers):
        return answer
    assert isinstance(body, bytes)
    # Floats hardly shrink; the fastest level is still faster than most networks.
    packed = _pack_file(body) if answer.cache == FOR_EVER else _gzip(body, 1)
    headers = [*answer.headers, (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
    return answer._replace(body=packed, headers=headers)
