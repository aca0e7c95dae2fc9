"""Answering queries: the handler, its deadline, and a client that may go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireflight.exchange.codes import ErrorCode, error_body
from wireflight.exchange.replies import Reply, Unencodable
from wireflight.functions import RequestEvent
from wireflight.runtime.calls import run_handler
from wireflight.runtime.connection import Connection, Disconnected
from wireflight.runtime.ending import Ended, Failed, Returned
from wireflight.runtime.time_limit import Overrun, TimeLimit
from wireflight.runtime.watching import Watch, start_watch

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
    client = _Client(answer.connection)
    running = run_handler(frame, function, args, kwargs)
    limit = TimeLimit(running, server.settings.limits.handler_ms, on_wait=client.watch)
    ended: Ended
    frame.updates.begin()
    try:
        ended = Returned(await limit)
    except Overrun:
        ended = Failed(error_body(ErrorCode.HANDLER_TIMEOUT))  # FUN-9
    except Exception as error:  # noqa: BLE001 - here a failure becomes an answer
        ended = await server.judge.judge(error, RequestEvent(frame), is_query=True)
    finally:
        frame.updates.close()
        if client.watcher is not None:
            await client.watcher.stop()
    if client.is_gone:
        raise Disconnected
    if not isinstance(ended, Returned):
        return answer.unsuccessful(ended)
    try:
        return server.replier.result(answer.head, ended.value, at)
    except Unencodable as error:
        return server.replier.error(answer.head, answer.unencodable(error))


class _Client:
    """The client of a running query, which ends when its client goes.

    Attributes:
        watcher: What waits for the client to go, once the query waits for something.
        is_gone: Whether it has gone.
    """

    __slots__ = ("_connection", "is_gone", "watcher")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.watcher: Watch | None = None
        self.is_gone = False

    def watch(self, query: TimeLimit[Any]) -> None:
        """Start to wait for the client to go.

        Spec: FUN-7.
        """

        async def end_when_gone() -> None:
            await self._connection.wait_closed()
            self.is_gone = True
            query.end()

        self.watcher = start_watch(end_when_gone)
