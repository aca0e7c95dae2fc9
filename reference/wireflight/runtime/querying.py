"""Answering queries: the handler, its deadline, and a client that may go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from wireflight.exchange.codes import ErrorCode, error_body
from wireflight.exchange.replies import Reply, Unencodable
from wireflight.functions import RequestEvent
from wireflight.runtime.calls import run_handler
from wireflight.runtime.connection import Connection, Disconnected
from wireflight.runtime.ending import Ended, Failed, Returned
from wireflight.runtime.watching import OnSuspension, Watch, start_watch

if TYPE_CHECKING:
    from wireflight.functions import Function
    from wireflight.runtime.answering import Answer

__all__ = ["answer_query"]


async def answer_query(
    answer: Answer,
    function: Function[..., Any],
    args: tuple[object, ...],
    kwargs: dict[str, object],
) -> Reply:
    """Run a query until it ends, its time is over, or its client goes.

    Raises:
        Disconnected: When the client has gone.

    Spec: FUN-7, FUN-9, ORD-2, ENV-8.
    """
    server, frame = answer.server, answer.frame
    at = server.stamps.take()  # ORD-2: before the handler starts
    client = _Client(answer.connection, server.settings.limits.handler_ms)
    ended: Ended = Failed(error_body(ErrorCode.HANDLER_TIMEOUT))
    frame.updates.begin()
    try:
        with client.scope as scope:
            value = await OnSuspension(run_handler(frame, function, args, kwargs), client.watch)
            if not scope.cancel_called:
                ended = Returned(value)
    except Exception as error:  # noqa: BLE001 - here a failure becomes an answer
        if not client.scope.cancel_called:
            ended = await server.judge.judge(error, RequestEvent(frame), is_query=True)
    finally:
        frame.updates.close()
        await client.stop()
    if client.is_gone:
        raise Disconnected
    if not isinstance(ended, Returned):
        return answer.unsuccessful(ended)
    try:
        return server.replier.result(answer.head, ended.value, at)
    except Unencodable as error:
        return server.replier.error(answer.head, answer.unencodable(error))


class _Client:
    """The client of a running query: the query ends when it goes, or when time is over."""

    __slots__ = ("_connection", "_handler_ms", "_watch", "is_gone", "scope")

    def __init__(self, connection: Connection, handler_ms: int) -> None:
        self._connection = connection
        self._handler_ms = handler_ms
        self._watch: Watch | None = None
        self.scope = anyio.CancelScope()
        self.is_gone = False

    def watch(self) -> None:
        """Start the clock and the watch; a handler that never waits needs neither."""
        self.scope.deadline = anyio.current_time() + self._handler_ms / 1000
        self._watch = start_watch(self._cancel_when_gone)

    async def _cancel_when_gone(self) -> None:
        await self._connection.wait_closed()
        self.is_gone = True
        self.scope.cancel()

    async def stop(self) -> None:
        if self._watch is not None:
            await self._watch.stop()
