"""Answering requests: handlers, deadlines, the refresh phase, hooks."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import anyio.to_thread

from wireflight import messages
from wireflight.errors import EncodeError
from wireflight.exchange.body import read_call
from wireflight.exchange.checks import admit
from wireflight.exchange.codes import ErrorCode, Refusal, error_body
from wireflight.exchange.manifest import manifest
from wireflight.exchange.phase import RefreshPhase, given_invalidations, stale_updates
from wireflight.exchange.replies import Replier, Reply, Unencodable
from wireflight.exchange.stamps import Stamps
from wireflight.functions import Frame, Function, FunctionEntry, RequestState, Updates
from wireflight.functions.event import RequestEvent
from wireflight.functions.updates import Plan
from wireflight.issues import ValidationError
from wireflight.runtime.calls import DirectCaller, RememberingCaller, run_handler
from wireflight.runtime.ending import Ended, Failed, Judge, Redirected, Returned
from wireflight.runtime.hooks import Hooks, awaited
from wireflight.runtime.refreshing import PhaseRunner
from wireflight.runtime.watching import OnSuspension, start_watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireflight.exchange.head import RequestHead
    from wireflight.exchange.settings import Settings

__all__ = ["Connection", "Server"]

logger = logging.getLogger("wireflight")

_BODY_FOR_THREAD: int = 65_536
"""Bytes of a body from which decoding would hold up other requests."""


class Connection(Protocol):
    """The other end of one request."""

    async def read_body(self) -> bytes:
        """Return the whole body.

        Raises:
            Refusal: When it is too long or comes too slowly.
            Disconnected: When the client has gone.
        """
        ...

    async def wait_closed(self) -> None:
        """Return once the client has gone."""
        ...


class Disconnected(Exception):  # noqa: N818 - named after what it is
    """The client has gone; there is nobody to answer."""


class Server:
    """Answers requests for the functions of one application."""

    def __init__(
        self,
        settings: Settings,
        hooks: Hooks,
        *,
        process: str,
        new_error_id: Callable[[], str],
        refresh_concurrency: int = 1,
        sends_details: bool = False,
    ) -> None:
        self.settings = settings
        self.hooks = hooks
        self.stamps = Stamps(process)
        self.replier = Replier(settings)
        self.judge = Judge(settings, hooks, new_error_id=new_error_id, sends_details=sends_details)
        self.refresh_concurrency = refresh_concurrency

    async def answer(self, head: RequestHead, connection: Connection) -> Reply:
        """Answer a request.

        Raises:
            Disconnected: When the client has gone before there was an answer.

        Spec: CHK-1, ERR-2.
        """
        try:
            admit(head, self.settings)
            if head.method == "OPTIONS":
                return self.replier.preflight(head)
            entry = head.entry
            if entry is None:
                return self.replier.document(head, manifest(self.settings))
            if self.hooks.handle is None:
                return await Answer(self, head, connection, entry).make()
            return await Answer(self, head, connection, entry).make_handled()
        except Refusal as refusal:
            # SEC-12: the code and the place, nothing of what came.
            logger.info("refused: %s %s", refusal.body.code, refusal.body.position or "")
            return self.replier.refusal(head, refusal)


class Answer:
    """The making of one answer to a call."""

    __slots__ = (
        *("_connection", "_entry", "_frame", "_head", "_reply", "_request", "_server"),
        "_updates",
    )

    def __init__(
        self, server: Server, head: RequestHead, connection: Connection, entry: FunctionEntry
    ) -> None:
        self._server = server
        self._head = head
        self._connection = connection
        self._entry = entry
        page = head.fields.get(b"wireflight-page")
        self._request = RequestState(
            server.settings.registry,
            raw_headers=head.raw_headers,
            claimed_page=None if page is None else page.decode("latin-1"),
        )
        self._updates = Updates()
        self._frame = Frame(
            self._request,
            RememberingCaller() if entry.is_query else DirectCaller(),
            entry.function_id,
            is_query=entry.is_query,
            updates=self._updates,
        )
        self._reply: Reply | None = None

    async def make(self) -> Reply:
        """Read the body, run the call and return the response."""
        head, settings = self._head, self._server.settings
        body = None if head.method == "GET" else await self._connection.read_body()
        if body is not None and len(body) > _BODY_FOR_THREAD:
            call = await anyio.to_thread.run_sync(read_call, head, body, settings)
        else:
            call = read_call(head, body, settings)
        function = self._entry.function
        self._frame.key = call.key
        try:
            args, kwargs = function.signature.bind(call.argument)
        except ValidationError as error:
            error_value = await self._server.judge.invalid_argument(
                error, RequestEvent(self._frame), sends_details=function.sends_details
            )
            return self._server.replier.error(head, error_value)
        self._request.requested = call.requested
        if self._entry.is_query:
            return await self._answer_query(function, args, kwargs)
        return await self._answer_command(function, args, kwargs)

    async def make_handled(self) -> Reply:
        """Let the application's `handle` run around the call."""
        hook = self._server.hooks.handle
        if hook is None:
            return await self.make()
        refused: list[Refusal] = []

        async def resolve() -> None:
            if self._reply is not None or refused:
                raise RuntimeError("a call is resolved once")
            try:
                self._reply = await self.make()
            except Refusal as refusal:
                refused.append(refusal)

        event = RequestEvent(self._frame)
        try:
            await run_handler(self._frame, _as_function(hook), (event, resolve), {})
        except Disconnected:
            raise
        except Exception as error:  # noqa: BLE001 - here a failure becomes an answer
            ended = await self._server.judge.judge(error, event, is_query=self._frame.is_query)
            return self._unsuccessful(ended)
        if refused:
            raise refused[0]
        if self._reply is None:
            unresolved = RuntimeError("the handle hook returned without awaiting resolve()")
            ended = await self._server.judge.judge(unresolved, event, is_query=self._frame.is_query)
            return self._unsuccessful(ended)
        return self._reply

    def _unsuccessful(self, ended: Ended) -> Reply:
        """Answer a call that did not return.

        Spec: UPD-9, SEC-9.
        """
        replier = self._server.replier
        if isinstance(ended, Redirected):
            return replier.redirect(self._head, ended.location)
        if not isinstance(ended, Failed):
            raise TypeError("a call that returned has a result")
        if not ended.is_raised or self._frame.is_query:
            return replier.error(self._head, ended.error)
        return replier.error(
            self._head,
            ended.error,
            updates=given_invalidations(self._plan()),
            cookies=tuple(self._updates.cookies.values()),
        )

    def _plan(self) -> Plan:
        plan = Plan()
        plan.follow(self._updates.instructions)
        return plan

    async def _answer_query(
        self, function: Function[..., Any], args: tuple[object, ...], kwargs: dict[str, object]
    ) -> Reply:
        """Run a query until it ends, its time is over, or its client goes.

        Spec: FUN-7, FUN-9, ORD-2, ENV-8.
        """
        server = self._server
        at = server.stamps.take()
        is_gone = False
        watch = None

        async def cancel_when_gone() -> None:
            nonlocal is_gone
            await self._connection.wait_closed()
            is_gone = True
            scope.cancel()

        def start() -> None:
            nonlocal watch
            watch = start_watch(cancel_when_gone)

        ended: Ended = Failed(error_body(ErrorCode.HANDLER_TIMEOUT))
        deadline = anyio.current_time() + server.settings.limits.handler_ms / 1000
        try:
            with anyio.CancelScope(deadline=deadline) as scope:
                coroutine = run_handler(self._frame, function, args, kwargs)
                value = await OnSuspension(coroutine, start)
                if not scope.cancel_called:
                    ended = Returned(value)
        except Exception as error:  # noqa: BLE001 - here a failure becomes an answer
            if not scope.cancel_called:
                event = RequestEvent(self._frame)
                ended = await server.judge.judge(error, event, is_query=True)
        finally:
            self._updates.close()
            if watch is not None:
                await watch.stop()
        if is_gone:
            raise Disconnected
        if not isinstance(ended, Returned):
            return self._unsuccessful(ended)
        try:
            return server.replier.result(self._head, ended.value, at)
        except Unencodable as error:
            return server.replier.error(self._head, self._unencodable(error))

    async def _answer_command(
        self, function: Function[..., Any], args: tuple[object, ...], kwargs: dict[str, object]
    ) -> Reply:
        """Run a command to its end, whatever its client does, then the refreshes.

        Spec: FUN-8, FUN-9, UPD-3, UPD-10, ORD-3, ORD-4.
        """
        server, limits = self._server, self._server.settings.limits
        since = server.stamps.take()
        ended: Ended = Failed(error_body(ErrorCode.HANDLER_TIMEOUT))
        deadline = anyio.current_time() + limits.handler_ms / 1000
        phase: RefreshPhase | None = None
        at = ""
        # One scope for everything: shielded, because whoever runs this server may cancel
        # it when the client goes; its deadline moves on from the handler to the refreshes.
        with anyio.CancelScope(deadline=deadline, shield=True) as scope:
            try:
                value = await run_handler(self._frame, function, args, kwargs)
                if server.hooks.after_commit is not None and not scope.cancel_called:
                    await awaited(server.hooks.after_commit(RequestEvent(self._frame)))
                if not scope.cancel_called:
                    ended = Returned(value)
            except Exception as error:  # noqa: BLE001 - here a failure becomes an answer
                if not scope.cancel_called:
                    ended = await server.judge.judge(
                        error, RequestEvent(self._frame), is_query=False
                    )
            finally:
                self._updates.close()
            if isinstance(ended, Returned):
                scope.deadline = math.inf
                at = server.stamps.take()
                plan = self._plan()
                phase = RefreshPhase(plan, self._request.requested)
                if phase.has_refreshes:
                    refused = self._refused_result(ended.value, at, plan)
                    if refused is not None:
                        return refused
                for given in phase.values_set():
                    phase.record(
                        messages.SetValue(given.key, given.value, server.stamps.take(), since)
                    )
                event = RequestEvent(self._frame)
                for fallen in phase.unaccepted:
                    error_value = await server.judge.unaccepted(fallen, event)
                    phase.record(messages.Fail(fallen.key, error_value))
                if phase.has_refreshes:
                    scope.deadline = anyio.current_time() + limits.refresh_phase_ms / 1000
                    await PhaseRunner(server, self._frame, phase).run()
        if not isinstance(ended, Returned) or phase is None:
            return self._unsuccessful(ended)
        try:
            return server.replier.result(
                self._head,
                ended.value,
                at,
                updates=phase.updates(),
                cookies=tuple(self._updates.cookies.values()),
            )
        except Unencodable as error:
            return self._committed(self._unencodable(error), self._plan())
        except Refusal as refusal:
            return self._committed(refusal.body, self._plan())

    def _refused_result(self, value: object, at: str, plan: Plan) -> Reply | None:
        """Answer a command whose own result cannot be sent, before anything is refreshed.

        Spec: ENV-9, UPD-13.
        """
        if value is None or value is True or value is False:
            return None
        try:
            self._server.replier.result(self._head, value, at)
        except Unencodable as error:
            return self._committed(self._unencodable(error), plan)
        except Refusal as refusal:
            return self._committed(refusal.body, plan)
        return None

    def _committed(self, error: messages.ErrorBody, plan: Plan) -> Reply:
        """Answer a command that is done but has nothing to show.

        Spec: ENV-9, UPD-13, SEC-9.
        """
        return self._server.replier.error(
            self._head,
            error,
            updates=stale_updates(plan, self._request.requested),
            cookies=tuple(self._updates.cookies.values()),
        )

    def _unencodable(self, error: Unencodable) -> messages.ErrorBody:
        cause = error.__cause__
        text = cause.message if isinstance(cause, EncodeError) else ""
        logger.error(
            "the result of %s cannot be encoded at %s: %s",
            self._entry.function_id,
            list(error.path),
            text,
        )
        return error_body(ErrorCode.UNENCODABLE_RESULT)


def _as_function(hook: Callable[..., Any]) -> Function[..., Any]:
    """Let a hook run as handlers do."""
    function: Function[..., Any] = Function.__new__(Function)
    function.handler = hook
    function.is_async = True
    return function
