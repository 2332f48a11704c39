"""How does uvicorn treat those who connect: how long it waits, how many it bears, what it says to nonsense?

uvicorn itself waits for ever for the rest of a request. Here the head must come within seconds, and where too many
connections are open, the oldest that has not asked for anything yet is closed.
"""

from __future__ import annotations

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from . import answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from typing import Any, Dict, Optional

HEAD_S = 10.0
BODY_S = 30.0
SEND_S = 60.0  # in which somebody has to take what fits into the way to him
MOST_CONNECTIONS = 400
_MOST_HEAD_BYTES = 64 << 10


class Crowd:
    """All connections of a server.

    Attributes:
        waiting: Those whose request is not there yet, the oldest first.
        stuck: Those who do not take what they have asked for, likewise.
        most: How many may be open.
        head_s: How long the head of a request may take.
        body_s: How long its body may take.
        send_s: How long the way may be full before who takes nothing is gone.
    """

    def __init__(
        self,
        most: int = MOST_CONNECTIONS,
        head_s: float = HEAD_S,
        body_s: float = BODY_S,
        send_s: float = SEND_S,
    ) -> None:
        self.waiting: Dict[int, Protocol] = {}
        self.stuck: Dict[int, Protocol] = {}
        self.most = most
        self.head_s = head_s
        self.body_s = body_s
        self.send_s = send_s

    def make_protocol(self, **about: Any) -> Protocol:
        """Return what treats the next connection; for uvicorn."""
        return Protocol(self, **about)


class Protocol(H11Protocol):
    """One connection."""

    def __init__(self, crowd: Crowd, **about: Any) -> None:
        super().__init__(**about)
        self._crowd = crowd
        self._head = bytearray()
        self._is_in_body = False
        self._is_refused = False
        self._alarm: Optional[asyncio.TimerHandle] = None
        self._send_alarm: Optional[asyncio.TimerHandle] = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        if len(self.connections) > self._crowd.most:
            idle = self._crowd.waiting or self._crowd.stuck
            next(iter(idle.values()), self).give_up()
        if not self.transport.is_closing():
            self._wait(self._crowd.head_s)

    def connection_lost(self, exc: Optional[Exception]) -> None:
        """Forget the connection."""
        self._rest()
        self._move_on()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Take note that the way is full: who takes nothing from now on is gone."""
        super().pause_writing()
        self._get_stuck()

    def resume_writing(self) -> None:
        """Take note that somebody reads."""
        self._move_on()
        super().resume_writing()

    def on_response_complete(self) -> None:
        """Take note that an answer was handed on, which does not mean that somebody has taken it."""
        super().on_response_complete()
        if self.transport.is_closing() and self.transport.get_write_buffer_size() and self._send_alarm is None:
            self._get_stuck()

    def data_received(self, data: bytes) -> None:
        """Take bytes: those of a head are looked at before they are understood."""
        if self._is_refused:
            return
        if not self._is_in_body and not self._is_head_sound(data):
            self._is_refused = True
            self.send_400_response("The request cannot be read.")
            return
        super().data_received(data)

    def handle_events(self) -> None:
        """Understand what has come; see where the request stands afterwards."""
        super().handle_events()
        if self.transport.is_closing():
            return
        their_state = self.conn.their_state
        if their_state is h11.SEND_BODY:
            if not self._is_in_body:
                self._is_in_body = True
                self._head.clear()
                self._wait(self._crowd.body_s)
        elif their_state is h11.IDLE:
            if self._is_in_body or self._alarm is None:
                self._is_in_body = False
                self._head.clear()
                self._wait(self._crowd.head_s)
        else:
            self._is_in_body = False
            self._head.clear()
            self._rest()

    def give_up(self) -> None:
        """Close the connection at once, also where it is closed and waits for somebody to take the rest."""
        self._rest()
        self._move_on()
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Tell that a request is none, with the headers of every answer, and close."""
        answer = answers.refuse(400, "invalid", msg)
        body: Any = answer.body
        headers = [*answers.headers_of(answer, ""), (b"connection", b"close"), (b"content-length", b"%d" % len(body))]
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + lines + b"\r\n" + body)
        self.transport.close()

    def _is_head_sound(self, data: bytes) -> bool:
        """Tell whether lines end as they must: a bare line feed, NUL or return is read differently by others."""
        had = len(self._head)
        self._head += data
        end = self._head.find(b"\r\n\r\n", max(0, had - 3))
        head = bytes(self._head if end < 0 else self._head[: end + 4])
        if len(head) > _MOST_HEAD_BYTES or b"\0" in head:
            return False
        feeds, ends = head.count(b"\n"), head.count(b"\r\n")
        returns = head.count(b"\r") - (1 if end < 0 and head.endswith(b"\r") else 0)
        return feeds == ends and returns == ends

    def _wait(self, seconds: float) -> None:
        self._rest()
        self._crowd.waiting[id(self)] = self
        self._alarm = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Give up, but where the end of an answer is still on its way."""
        if self.transport.get_write_buffer_size():
            self._rest()
            if self._send_alarm is None:
                self._get_stuck()
        else:
            self.give_up()

    def _get_stuck(self) -> None:
        self._move_on()
        self._crowd.stuck[id(self)] = self
        self._send_alarm = self.loop.call_later(self._crowd.send_s, self.give_up)

    def _move_on(self) -> None:
        self._crowd.stuck.pop(id(self), None)
        if self._send_alarm is not None:
            self._send_alarm.cancel()
            self._send_alarm = None

    def _rest(self) -> None:
        self._crowd.waiting.pop(id(self), None)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
