"""One HTTP/1.1 connection on a socket, with a deadline on every wait.

Requests are bytes that the caller made, legal or not. Responses are parsed strictly by h11.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

import h11

from .trace import Direction, Request, Trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "Clock",
    "Connection",
    "ConnectionLostError",
    "DeadlineError",
    "NotHTTPError",
    "Response",
    "Target",
    "UnreachableError",
    "WireError",
]

_READ_SIZE: Final = 65536
_HEAD_LIMIT: Final = 262144


class WireError(Exception):
    """The wire did not bring a response; `trace` is what it did bring."""

    def __init__(self, message: str, trace: Trace) -> None:
        super().__init__(message)
        self.trace = trace


class UnreachableError(WireError):
    """No connection could be made."""


class ConnectionLostError(WireError):
    """The target closed before a response was complete."""


class NotHTTPError(WireError):
    """The target sent something that is no HTTP/1.1 response."""


class DeadlineError(WireError):
    """The request's or the case's time was over."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the server under test is."""

    host: str
    port: int
    base: str = ""
    tls: bool = False

    @classmethod
    def from_url(cls, url: str) -> Target:
        """Return the target of an http or https URL.

        Raises:
            ValueError: It is not such a URL.
        """
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not an http or https URL")
        if parts.query or parts.fragment:
            raise ValueError(
                f"{url!r} has a query or fragment; the base path is all that is needed"
            )
        tls = parts.scheme == "https"
        return cls(parts.hostname, parts.port or (443 if tls else 80), parts.path.rstrip("/"), tls)

    @property
    def authority(self) -> str:
        """Return host and port as in `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """Return the base URL."""
        return f"http{'s' if self.tls else ''}://{self.authority}{self.base}"


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment, on the monotonic clock, after which nothing waits."""

    deadline: float

    @classmethod
    def after(cls, seconds: float, within: Clock | None = None) -> Clock:
        """Return a clock that ends after `seconds`, and not later than `within`."""
        deadline = time.monotonic() + seconds
        return cls(deadline if within is None else min(deadline, within.deadline))

    @property
    def left(self) -> float:
        """Seconds that are left, never below 0."""
        return max(0.0, self.deadline - time.monotonic())


@dataclass(frozen=True, slots=True)
class Response:
    """A response as it came."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    trace: Trace

    def all(self, name: str) -> list[str]:
        """Return the values of every field of this name, in order."""
        return [value for field, value in self.headers if field == name.lower()]

    def header(self, name: str) -> str | None:
        """Return the field's values joined as one, or None if it is not there."""
        values = self.all(name)
        return ", ".join(values) if values else None


class Connection:
    """A socket to the target, and the trace of all that goes over it."""

    def __init__(self, target: Target, clock: Clock) -> None:
        """Connect.

        Raises:
            UnreachableError: The target did not take the connection.
            DeadlineError: It took too long.
        """
        self.target = target
        self.trace = Trace(target.url)
        self._started = time.monotonic()
        self._rest = b""
        self._closed_by_target = False
        try:
            raw = socket.create_connection((target.host, target.port), timeout=clock.left or 0.001)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = _secured(raw, target) if target.tls else raw
        except TimeoutError as error:
            raise DeadlineError("no connection before the deadline", self.trace) from error
        except OSError as error:
            raise UnreachableError(
                f"cannot connect to {target.authority}: {error}", self.trace
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _note(self, direction: Direction, data: bytes) -> None:
        self.trace.add(direction, data, (time.monotonic() - self._started) * 1000)

    def send(self, data: bytes, clock: Clock) -> None:
        """Write all the bytes.

        Raises:
            ConnectionLostError: The target has closed; a response may still be there to be read.
            DeadlineError: The target does not take them.
        """
        self._socket.settimeout(clock.left or 0.001)
        try:
            self._socket.sendall(data)
        except TimeoutError as error:
            raise DeadlineError("the target stopped reading", self.trace) from error
        except OSError as error:
            raise ConnectionLostError(
                f"the target closed while being sent to: {error}", self.trace
            ) from error
        self._note(Direction.SENT, data)

    def send_request(
        self, request: Request, clock: Clock, pieces: Iterable[bytes] | None = None
    ) -> None:
        """Write a request, in one piece or in the given ones.

        A target may answer and close before it has read everything, so a lost connection while
        the body is sent is only noted: the response decides.
        """
        self.trace.request = request
        for piece in pieces if pieces is not None else [request.head, *request.body_frames()]:
            if self.trace.steps and select.select([self._socket], [], [], 0)[0]:
                self._note(Direction.NOTE, b"the target answered before everything was sent")
                return
            try:
                self.send(piece, clock)
            except ConnectionLostError as error:
                self._note(Direction.NOTE, str(error).encode())
                return

    def fileno(self) -> int:
        """Return the socket's descriptor, to wait for several at once."""
        return self._socket.fileno()

    def half_close(self) -> None:
        """Say that no more will be sent, and keep reading."""
        self._note(Direction.NOTE, b"the suite half-closed the connection")
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def abort(self) -> None:
        """Reset the connection, as a client that vanishes does."""
        self._note(Direction.NOTE, b"the suite reset the connection")
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Close; harmless when it is closed."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def receive(self, clock: Clock) -> bytes:
        """Return the next bytes, or none at the end.

        Raises:
            ConnectionLostError: The target reset the connection.
            DeadlineError: Nothing came in time.
        """
        self._socket.settimeout(clock.left or 0.001)
        try:
            data = self._socket.recv(_READ_SIZE)
        except TimeoutError as error:
            self._note(Direction.NOTE, b"the deadline passed")
            raise DeadlineError("no complete response before the deadline", self.trace) from error
        except OSError as error:
            raise ConnectionLostError(f"the connection broke: {error}", self.trace) from error
        if data:
            self._note(Direction.RECEIVED, data)
        else:
            self._closed_by_target = True
        return data

    def read_response(self, clock: Clock, method: str = "POST") -> Response:
        """Read one response to a request with this method.

        Raises:
            ConnectionLostError: The connection ended first.
            NotHTTPError: What came is no HTTP/1.1 response.
            DeadlineError: It was not complete in time, however steadily it dripped.
        """
        parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_LIMIT)
        # h11 has to know the method to find the end of the body; the bytes were ours
        parser.send(h11.Request(method=_known(method), target="/", headers=[("host", "x")]))
        parser.send(h11.EndOfMessage())
        status, headers = 0, list[tuple[str, str]]()
        body = bytearray()
        if self._rest:
            parser.receive_data(self._rest)
            self._rest = b""
        while True:
            event = self._next(parser, clock)
            if isinstance(event, h11.Response):
                status = event.status_code
                headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers]
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                self._rest = bytes(parser.trailing_data[0])
                return Response(status, headers, bytes(body), self.trace)
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionLostError(self._lost(), self.trace)

    def _first(self) -> str:
        return repr(self.trace.received[:60]).removeprefix("b")

    def _lost(self) -> str:
        if not self.trace.received:
            return "the target closed without a response"
        return f"the target closed before a response was complete, after {self._first()}"

    def _next(self, parser: h11.Connection, clock: Clock) -> object:
        while True:
            if not clock.left:
                self._note(Direction.NOTE, b"the deadline passed")
                raise DeadlineError("no complete response before the deadline", self.trace)
            try:
                event = parser.next_event()
                if event is h11.NEED_DATA:
                    parser.receive_data(self.receive(clock))
                    continue
            except h11.RemoteProtocolError as error:
                if self._closed_by_target:
                    raise ConnectionLostError(self._lost(), self.trace) from error
                raise NotHTTPError(f"no HTTP/1.1 response: {self._first()}", self.trace) from error
            return event


def _known(method: str) -> str:
    # only these two change how a response ends
    return method if method in ("HEAD", "CONNECT") else "POST"


def _secured(raw: socket.socket, target: Target) -> socket.socket:
    return ssl.create_default_context().wrap_socket(raw, server_hostname=target.host)
