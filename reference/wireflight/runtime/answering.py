"""The way of one call: its body, its argument, its handler, its response."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import anyio.to_thread

from wireflight.errors import EncodeError
from wireflight.exchange.body import read_call
from wireflight.exchange.codes import ErrorCode, Refusal, error_body
from wireflight.exchange.phase import given_invalidations
from wireflight.functions import Frame, RequestEvent, RequestState, Updates
from wireflight.functions.updates import Plan, RefusalReason, Unaccepted
from wireflight.issues import ValidationError
from wireflight.runtime.calls import DirectCaller, RememberingCaller, run_in_frame
from wireflight.runtime.commanding import answer_command
from wireflight.runtime.connection import Connection, Disconnected
from wireflight.runtime.ending import Ended, Failed, Redirected
from wireflight.runtime.querying import answer_query

if TYPE_CHECKING:
    from wireflight.exchange.head import RequestHead
    from wireflight.exchange.replies import Reply, Unencodable
    from wireflight.functions import FunctionEntry
    from wireflight.messages import ErrorBody
    from wireflight.runtime.hooks import HandleHook
    from wireflight.runtime.server import Server

__all__ = ["Answer"]

logger = logging.getLogger("wireflight")

_THREAD_BYTES: Final = 65_536
"""Length of a body from which decoding would hold up other requests."""


class Answer:
    """The making of one answer.

    Attributes:
        server: The server that answers.
        connection: The other end.
        head: The head of the request, which every check of it has passed.
        request: What all calls of the request share.
        frame: The call of the function that the request names.
    """

    __slots__ = ("_entry", "_reply", "connection", "frame", "head", "request", "server")

    def __init__(
        self, server: Server, head: RequestHead, connection: Connection, entry: FunctionEntry
    ) -> None:
        self.server = server
        self.head = head
        self.connection = connection
        self._entry = entry
        page = head.fields.get(b"wireflight-page")
        self.request = RequestState(
            server.settings.registry,
            raw_headers=head.raw_headers,
            claimed_page=None if page is None else page.decode("latin-1"),
            explains=server.judge.explains,
        )
        self.frame = Frame(
            self.request,
            RememberingCaller() if entry.is_query else DirectCaller(),
            entry.function_id,
            is_query=entry.is_query,
            updates=Updates(is_begun=False),
        )
        self._reply: Reply | None = None

    async def make(self) -> Reply:
        """Read the body, run the call and return the response.

        Raises:
            Refusal: When the body is not that of a call.
            Disconnected: When the client has gone.
        """
        head, settings = self.head, self.server.settings
        body = None if head.method == "GET" else await self.connection.read_body()
        if body is not None and len(body) > _THREAD_BYTES:
            call = await anyio.to_thread.run_sync(read_call, head, self._entry, body, settings)
        else:
            call = read_call(head, self._entry, body, settings)
        function = self._entry.function
        try:
            args, kwargs = function.signature.bind(
                call.argument, explain=function.sends_details or self.request.explains
            )
        except ValidationError as error:
            body_of_error = await self.server.judge.invalid_argument(
                error, RequestEvent(self.frame), sends_details=function.sends_details
            )
            return self.server.replier.error(head, body_of_error)
        self.frame.key = call.key
        self.request.requested = call.requested
        if self._entry.is_query:
            return await answer_query(self, function, args, kwargs)
        return await answer_command(self, function, args, kwargs)

    async def make_within(self, hook: HandleHook) -> Reply:
        """Let the application's `handle` run around the call.

        Raises:
            Refusal: When the body is not that of a call.
            Disconnected: When the client has gone.
        """
        refusals: list[Refusal] = []

        async def resolve() -> None:
            if self._reply is not None or refusals:
                raise RuntimeError("a call is resolved once")
            try:
                self._reply = await self.make()
            except Refusal as refusal:
                refusals.append(refusal)

        event = RequestEvent(self.frame)
        try:
            await run_in_frame(self.frame, hook(event, resolve))
            if self._reply is None and not refusals:
                raise RuntimeError("the handle hook returned without awaiting resolve()")
        except Disconnected:
            raise
        except Exception as error:  # noqa: BLE001 - the hook's own error is the call's
            ended = await self.server.judge.judge(error, event, is_query=self.frame.is_query)
            return self.unsuccessful(ended)
        if self._reply is None:
            raise refusals[0]
        return self._reply

    def plan(self) -> Plan:
        """Return what the handler's instructions come to.

        Spec: REQ-3, step 7.
        """
        updates, plan = self.frame.updates, Plan()
        # What one acceptance left over and another took is used up by none.
        plan.follow(
            one
            for one in updates.instructions
            if not (
                isinstance(one, Unaccepted)
                and one.reason is RefusalReason.REFRESH_LIMIT
                and one.key in updates.taken
            )
        )
        return plan

    def unsuccessful(self, ended: Ended) -> Reply:
        """Answer a call that did not return.

        Spec: UPD-9, SEC-9.
        """
        replier = self.server.replier
        if isinstance(ended, Redirected):
            return replier.redirect(self.head, ended.location)
        if not isinstance(ended, Failed):
            raise TypeError("a call that returned has a result")
        if not ended.is_raised or self.frame.is_query:
            return replier.error(self.head, ended.error)
        return replier.error(
            self.head,
            ended.error,
            updates=given_invalidations(self.plan()),
            cookies=tuple(self.frame.updates.cookies.values()),
        )

    def unencodable(self, error: Unencodable) -> ErrorBody:
        """Log why a result cannot be sent and make the error that says so.

        Spec: ENV-8.
        """
        cause = error.__cause__
        logger.error(
            "the result of %s cannot be encoded at %s: %s",
            self.frame.function_id,
            list(error.path),
            cause.message if isinstance(cause, EncodeError) else "",
        )
        return error_body(ErrorCode.UNENCODABLE_RESULT)
