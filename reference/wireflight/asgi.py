"""The ASGI shell: scopes and messages in, responses out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from wireflight.exchange.body import BodyReader
from wireflight.exchange.codes import ErrorCode, Refusal
from wireflight.exchange.head import RequestHead, function_path
from wireflight.runtime.connection import Disconnected
from wireflight.runtime.time_limit import Overrun, TimeLimit

if TYPE_CHECKING:
    from wireflight.exchange.replies import Reply
    from wireflight.runtime.hooks import LifespanHook
    from wireflight.runtime.server import Server

__all__ = ["Message", "Receive", "Scope", "Send", "serve_http", "serve_lifespan"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

logger = logging.getLogger("wireflight")


class AsgiConnection:
    """The messages of one HTTP request."""

    __slots__ = ("_reading", "_receive", "_server")

    def __init__(self, receive: Receive, server: Server) -> None:
        self._receive = receive
        self._server = server
        self._reading: TimeLimit[bytes] | None = None

    async def read_body(self) -> bytes:
        """Read the body against both deadlines.

        Raises:
            Refusal: `body_too_large` or `body_timeout`.
            Disconnected: When the client has gone.

        Spec: LIM-1, LIM-2.
        """
        limits = self._server.settings.limits
        self._reading = TimeLimit(self._read(), limits.body_idle_ms, total_ms=limits.body_total_ms)
        try:
            return await self._reading
        except Overrun:
            raise Refusal(ErrorCode.BODY_TIMEOUT) from None

    async def _read(self) -> bytes:
        reader = BodyReader(self._server.settings)
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            piece = message.get("body", b"")
            reader.feed(piece)
            if not message.get("more_body", False):
                return reader.text()
            if piece and self._reading is not None:  # an empty piece is no progress
                self._reading.restart()

    async def wait_closed(self) -> None:
        """Return once the client has gone."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def serve_http(server: Server, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one HTTP request.

    Spec: HTTP-1.
    """
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    # Servers and frameworks differ: some leave the mount's path in `path`, some take it out.
    base = server.settings.base
    if root and (path == root or path.startswith(root + "/")):
        base = root + base
    head = RequestHead(
        scope["method"],
        function_path(path, scope.get("raw_path"), base),
        scope.get("query_string", b""),
        scope["headers"],
    )
    try:
        reply = await server.answer(head, AsgiConnection(receive, server))
    except Disconnected:
        return
    await _send(reply, send)


async def _send(reply: Reply, send: Send) -> None:
    try:
        await send(
            {"type": "http.response.start", "status": reply.status, "headers": reply.headers}
        )
        await send({"type": "http.response.body", "body": reply.body})
    except OSError:
        # ASGI 2.4: the client has gone. A command is done all the same.
        logger.debug("the client has gone before its response")


async def serve_lifespan(hook: LifespanHook | None, receive: Receive, send: Send) -> None:
    """Run the application's lifespan around the life of the server."""
    await receive()
    is_started = False
    try:
        async with AsyncExitStack() as stack:
            if hook is not None:
                await stack.enter_async_context(hook())
            is_started = True
            await send({"type": "lifespan.startup.complete"})
            await receive()
    except Exception:  # the shell tells the server below, which stops
        logger.exception("the lifespan of the application failed")
        kind = "shutdown" if is_started else "startup"
        await send({"type": f"lifespan.{kind}.failed", "message": "see the log"})
        return
    await send({"type": "lifespan.shutdown.complete"})
