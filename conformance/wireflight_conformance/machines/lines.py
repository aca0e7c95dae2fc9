"""Kept connections: a stateful test sends hundreds of requests, one after the other."""

from __future__ import annotations

import contextlib
import select
from typing import TYPE_CHECKING

from wireflight_conformance.wire.connection import Connection, Target
from wireflight_conformance.wire.trace import Request, Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wireflight_conformance.driver import Server
    from wireflight_conformance.wire.reply import Reply

__all__ = ["Call", "Lines", "lines_to"]


class Lines:
    """Connections to one process of the target, each used again once its response is read."""

    def __init__(self, server: Server, target: Target) -> None:
        self._server = server
        self._target = target
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()

    def begin(self, request: Request) -> Call:
        """Send a request and do not wait for the response."""
        connection = self._take()
        connection.trace = Trace(self._target.url)
        connection.send_request(request, self._server.clock())
        return Call(self, connection, request)

    def send(self, request: Request) -> Reply:
        """Send a request and return what comes."""
        return self.begin(request).reply()

    def finish(self, connection: Connection, request: Request) -> Reply:
        """Read the response to the request that was sent on this connection."""
        response = connection.read_response(self._server.clock(), request.method)
        if (response.header("connection") or "").lower() == "close":
            self._drop(connection)
        else:
            self._idle.append(connection)
        return self._server.received(response, request)

    def close(self) -> None:
        """Close all connections, also those that still wait for a response."""
        for connection in list(self._open):
            self._drop(connection)

    def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            # an idle connection has nothing to read, unless the target has closed it
            if not select.select([connection.fileno()], [], [], 0)[0]:
                return connection
            self._drop(connection)
        connection = Connection(self._target, self._server.clock())
        self._open.add(connection)
        return connection

    def _drop(self, connection: Connection) -> None:
        connection.close()
        self._open.discard(connection)


class Call:
    """A request whose response is still to be read."""

    def __init__(self, lines: Lines, connection: Connection, request: Request) -> None:
        self._lines = lines
        self._connection = connection
        self._request = request

    def reply(self) -> Reply:
        """Read the response."""
        return self._lines.finish(self._connection, self._request)


@contextlib.contextmanager
def lines_to(server: Server, *targets: Target) -> Iterator[list[Lines]]:
    """Keep lines to each target, by default to the server under test, and close them at the end."""
    lines = [Lines(server, target) for target in targets or (server.settings.target,)]
    try:
        yield lines
    finally:
        for line in lines:
            line.close()
