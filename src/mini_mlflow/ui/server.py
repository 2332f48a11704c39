"""How do requests come in and answers go out: the app that uvicorn runs?

The gate stands before everything else: no route is looked up, and no body is read, of a request that it refuses.
"""

from __future__ import annotations

import sys
import traceback
from functools import partial
from urllib.parse import parse_qsl

import anyio
from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, Router

from ..errors import InvalidValueError
from . import answers, gate, pages
from .api import requests
from .desk import HEAVY, LIGHT, Asked, is_open

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Union

    from starlette.types import Message, Receive, Scope, Send

    from . import desk
    from .answers import Answer
    from .settings import Settings

_MOST_HEAVY = 3  # that are worked on at a time: the interpreter runs one of them anyway
_MOST_LIGHT = 8
_MOST_WAITING = 64
_BODY_S = 20.0
_PORTION = 1 << 18  # bytes of an answer that are handed on at a time
_MOST_UNSENT = 256 << 20  # bytes of answers that wait for those who asked; beyond, others are told to come again
_WANTED_HEADERS = (b"range", b"if-none-match")


class App:
    """The server as an application of ASGI.

    Attributes:
        routes: What the router looks through, the one for everything else last.
    """

    def __init__(self, desk: desk.Desk, settings: Settings) -> None:
        self._settings = settings
        self._desk = desk
        self.routes = [self._route(route) for route in desk.routes]
        self.routes.append(Route("/{rest:path}", self._miss, methods=["GET", "HEAD", "POST"]))
        self._router = Router(self.routes, redirect_slashes=False, default=self._miss_entirely)
        self._limits: Dict[str, anyio.CapacityLimiter] = {}
        self._waiting: Dict[str, int] = {HEAVY: 0, LIGHT: 0}
        self._unsent = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; see the specification of ASGI."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        head = self._head(scope)
        verdict = gate.judge(head, self._settings)
        if verdict.status != 200:
            answer = self._refusal(head, verdict)
        elif verdict.is_login:
            answer = self._login(head)
        else:
            scope = dict(scope, path=_below(scope["path"], self._settings.prefix), root_path="")
            try:
                await self._router(scope, receive, self._sender(send))
            except ClientDisconnect:
                pass  # nobody is there any more
            return
        await self._respond(head.headers, answer)(scope, receive, send)

    def _route(self, route: desk.Route) -> Route:
        async def endpoint(request: Request) -> Response:
            return self._respond(request.scope["headers"], await self._answer(route, request))

        path = route.path + "{rest:path}" if is_open(route) else route.path
        return Route(path, endpoint, methods=[route.method], name="%s %s" % (route.method, route.path))

    async def _miss(self, request: Request) -> Response:
        found, _ = self._desk.find(request.method, request.scope["path"])
        answer = (
            found
            if isinstance(found, answers.Answer)
            else answers.refuse(404, "not_found", "There is no such address.")
        )
        return self._respond(request.scope["headers"], answer)

    async def _miss_entirely(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for what fits no pattern at all, such as a path with a line end."""
        answer = answers.refuse(404, "not_found", "There is no such address.")
        await self._respond(scope["headers"], answer)(scope, receive, send)

    async def _answer(self, route: desk.Route, request: Request) -> Answer:
        asked = await _read(request, route)
        if not isinstance(asked, Asked):
            return asked
        if self._waiting[route.weight] >= _MOST_WAITING:
            return _tell_busy()
        self._waiting[route.weight] += 1
        try:
            return await self._work(route, request, asked)
        finally:
            self._waiting[route.weight] -= 1

    async def _work(self, route: desk.Route, request: Request, asked: Asked) -> Answer:
        """Answer in a thread. Who leaves while others are served first is not answered at all."""
        found: List[Answer] = []
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                while (await request.receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()

            group.start_soon(watch)
            async with self._limit(route.weight):
                if self._unsent > _MOST_UNSENT and route.weight == HEAVY:
                    found.append(_tell_busy())
                else:
                    with anyio.CancelScope(shield=True):
                        found.append(await run_sync(partial(self._in_thread, route, asked)))
            group.cancel_scope.cancel()
        if not found:
            raise ClientDisconnect
        return found[0]

    def _in_thread(self, route: desk.Route, asked: Asked) -> Answer:
        try:
            return self._desk.answer(route, asked)
        except Exception:  # noqa: BLE001 - one request that fails must not take the server with it
            traceback.print_exc(file=sys.stderr)
            return answers.refuse(500, "broken", "Something went wrong here; the server's terminal tells more.")

    def _sender(self, send: Send) -> Send:
        """Return what sends an answer in portions, each when the last one has left: what waits is counted."""

        async def send_portions(message: Message) -> None:
            body = message.get("body", b"")
            if len(body) <= _PORTION:
                await send(message)
                return
            self._unsent += len(body)
            try:
                for start in range(0, len(body), _PORTION):
                    stop = start + _PORTION
                    has_more = stop < len(body) or message.get("more_body", False)
                    await send({"type": message["type"], "body": body[start:stop], "more_body": has_more})
            finally:
                self._unsent -= len(body)

        return send_portions

    def _limit(self, weight: str) -> anyio.CapacityLimiter:
        limit = self._limits.get(weight)
        if limit is None:  # made here: it belongs to the loop that is running
            limit = self._limits[weight] = anyio.CapacityLimiter(_MOST_HEAVY if weight == HEAVY else _MOST_LIGHT)
        return limit

    def _head(self, scope: Scope) -> gate.Head:
        path = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
        path = _below(path.partition(b"?")[0], self._settings.prefix.encode())
        return gate.Head(scope["method"], path, scope["query_string"], scope["headers"])

    def _refusal(self, head: gate.Head, verdict: gate.Verdict) -> Answer:
        if verdict.status == 401 and head.path == b"/":
            is_linked = dict(head.headers).get(b"sec-fetch-site") in (b"cross-site", b"same-site")
            text = "Open the link that “mini-mlflow ui” has printed: it holds a token. Sessions end with the server."
            # With a link on another site our cookie is not sent; with one on this page it is.
            return pages.send_note(401, "This page needs its link", text, "./" if is_linked else None)
        return answers.refuse(verdict.status, verdict.code, verdict.message)

    def _login(self, head: gate.Head) -> Answer:
        """Swap the token for a cookie, and take it out of the address."""
        settings = self._settings
        cookie = "%s=%s; Path=%s/; HttpOnly; SameSite=Strict" % (settings.cookie, settings.session, settings.prefix)
        if any(origin.startswith("https://") for origin in settings.origins):
            cookie += "; Secure"
        headers = [(b"set-cookie", cookie.encode())]
        if dict(head.headers).get(b"sec-fetch-site") in (b"cross-site", b"same-site"):
            note = pages.send_note(200, "Mini MLflow", "You are let in.", "./")
            return note._replace(headers=[*note.headers, *headers])
        return answers.make(303, b"", answers.HTML, [*headers, (b"location", b"./")])

    def _respond(self, asked: gate.Headers, answer: Answer) -> Response:
        """Return an answer as Starlette sends it, with all headers."""
        fields = dict(asked)
        policy = self._policy(fields) if answer.kind == answers.HTML else None
        answer = answers.pack(answer, fields.get(b"accept-encoding", b""))
        response = (
            Response(answer.body, answer.status)
            if isinstance(answer.body, bytes)
            else StreamingResponse(answer.body, answer.status)
        )
        headers = answers.headers_of(answer, self._settings.instance, policy)
        has_length = isinstance(answer.body, bytes) and answer.status not in (204, 304)
        if has_length:
            headers.append((b"content-length", b"%d" % len(answer.body)))  # type: ignore[arg-type]
        response.raw_headers = headers
        return response

    def _policy(self, fields: Dict[bytes, bytes]) -> bytes:
        settings = self._settings
        host = fields.get(b"host", b"").decode("latin-1")
        if gate.split_host(host) is None:
            host = ""
        if settings.prefix:  # the browser knows the proxy, whose name may not be ours
            host = next((origin.partition("://")[2] for origin in settings.origins), "")
        return answers.page_policy(host, settings.prefix)


async def _read(request: Request, route: desk.Route) -> Union[Asked, Answer]:
    """Return what a request asks for, or what it is told where that cannot be read."""
    query = dict(parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=50))
    headers = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in request.scope["headers"]
        if name in _WANTED_HEADERS
    }
    body = None
    if route.method == "POST":
        data = bytearray()
        try:
            with anyio.fail_after(_BODY_S):
                async for part in request.stream():
                    data += part
                    if len(data) > requests.MAX_BODY_BYTES:
                        message = "A request may have %d bytes." % requests.MAX_BODY_BYTES
                        return answers.refuse(413, "too_large", message)
        except TimeoutError:
            return answers.refuse(408, "timeout", "The body did not come.")
        try:
            body = requests.decode(bytes(data))
        except InvalidValueError as error:
            return answers.refuse(400, "invalid", str(error))
    return Asked(query, body, request.path_params.get("rest", ""), headers)


def _below(path: Any, prefix: Any) -> Any:
    """Return a path without the prefix, where a proxy has left it there."""
    if prefix and path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in (b"/", "/"):
        return path[len(prefix) :]
    return path


def _tell_busy() -> Answer:
    return answers.refuse(503, "busy", "The server has too much to do. Ask again in a second.")


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
