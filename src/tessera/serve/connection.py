"""HTTP/1.1 connections that end: each phase of an exchange has a deadline.

Without them a visitor who sends a byte now and then keeps a connection for ever, and
one whose upload was refused may go on sending it.
"""

import asyncio
from http import HTTPStatus

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tessera.serve import body, problem
from tessera.serve.problem import Problem

FULL = problem.response(
    Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections are open.", retry_after=2
    )
)
FULL.headers["Connection"] = "close"
NO_HTTP = problem.response(
    Problem(HTTPStatus.BAD_REQUEST, "What came is no HTTP request.")
)
NO_HTTP.headers["Connection"] = "close"
"""Said before the application is asked, and as it says its own problems."""


class Connection(H11Protocol):
    """Uvicorn's protocol with deadlines, in seconds, and a limit in bytes."""

    head = 10.0
    """From connecting, or from a further request's first byte, to its last header."""
    exchange = 60.0
    """From the last header to the last byte of the answer."""
    linger = 1.0
    """To read the answer, for who has not sent all that it answers; to send the rest,
    once the server ends."""
    most = 64
    """Connections open at a time; requests on more are refused with 503."""
    discarded = body.MAX_BYTES
    """Bytes of an answered request's body that are read and thrown away."""

    _deadline: asyncio.TimerHandle | None = None
    _lingering = False
    _spare = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first request is awaited."""
        super().connection_made(transport)
        self._end_in(self.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._wait_on()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what nobody will read, and time a further request."""
        if self._lingering:
            self._spare -= len(data)
            if self._spare < 0:
                self.transport.abort()
                return
        elif self._deadline is None:
            self._end_in(self.head)
        super().data_received(data)

    def handle_events(self) -> None:
        """A request that has come gets its time for the answer."""
        before = self.cycle
        full = len(self.connections) > self.most
        self.app = FULL if full else self.config.loaded_app
        super().handle_events()
        if self.cycle is not before and not self.cycle.response_complete:
            self._end_in(self.exchange)
        elif self._lingering and self.conn.their_state is not h11.SEND_BODY:
            self._end_in(self.head)

    def on_response_complete(self) -> None:
        """What follows is another request, or the rest of a body nobody reads."""
        self._wait_on()
        unfinished = self.conn.their_state is h11.SEND_BODY
        super().on_response_complete()
        if self.transport.is_closing():
            self._end_in(self.exchange)
        elif unfinished:
            self._unset_keepalive_if_required()
            self._end_in(self.linger)
            self._lingering, self._spare = True, self.discarded

    def shutdown(self) -> None:
        """The server ends: who is still sending has a moment left."""
        super().shutdown()
        if self.conn.their_state is h11.SEND_BODY:
            self._end_in(self.linger)

    def timeout_keep_alive_handler(self) -> None:
        """Close; what the visitor has not read by the deadline is dropped."""
        super().timeout_keep_alive_handler()
        self._end_in(self.exchange)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, unless the answer is already under way."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        head = h11.Response(
            status_code=NO_HTTP.status_code,
            headers=NO_HTTP.raw_headers,
            reason=HTTPStatus.BAD_REQUEST.phrase.encode(),
        )
        for part in (head, h11.Data(data=bytes(NO_HTTP.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(part) or b"")
        self.transport.close()

    def _end_in(self, seconds: float) -> None:
        self._wait_on()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _wait_on(self) -> None:
        self._lingering = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
