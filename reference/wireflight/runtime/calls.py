"""Running handlers, and the calls that handlers make of each other."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from wireflight.errors import EncodeError
from wireflight.functions import (
    Command,
    CommandCall,
    CookieInQuery,
    Frame,
    Function,
    Query,
    QueryInstance,
    Updates,
    running_frame,
)
from wireflight.runtime.threads import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

__all__ = ["DirectCaller", "RememberingCaller", "run_handler", "run_in_frame"]

R = TypeVar("R")


async def run_handler(
    frame: Frame,
    function: Function[..., R],
    args: tuple[object, ...],
    kwargs: Mapping[str, object],
) -> R:
    """Run a handler as the call that its frame describes.

    A handler that is not async runs in a worker thread; one that is ended by a deadline
    goes on there, and nothing waits for it but its place among the threads.

    Raises:
        CookieInQuery: When the handler of a query set a cookie, whatever it did then.
        Exception: Whatever the handler raises.

    Spec: FUN-2, FUN-3, ENV-10.
    """
    handler: Any = function.handler
    token = running_frame.set(frame)
    try:
        try:
            if function.is_async:
                value = await handler(*args, **kwargs)
            else:
                value = await run_in_thread(functools.partial(handler, *args, **kwargs))
        finally:
            running_frame.reset(token)
    except Exception as error:
        if frame.has_set_cookie and not isinstance(error, CookieInQuery):
            raise CookieInQuery("a query must not set a cookie") from error
        raise
    if frame.has_set_cookie:
        raise CookieInQuery("a query must not set a cookie")
    return value  # type: ignore[no-any-return]


async def run_in_frame(frame: Frame, coroutine: Awaitable[R]) -> R:
    """Await something as if the handler of a frame did.

    Raises:
        CookieInQuery: When it set a cookie and the frame is a query's.
        Exception: Whatever it raises.
    """
    token = running_frame.set(frame)
    try:
        value = await coroutine
    finally:
        running_frame.reset(token)
    if frame.has_set_cookie:
        raise CookieInQuery("a query must not set a cookie")
    return value


def _check_running(frame: Frame) -> None:
    if frame.updates.is_closed:
        raise RuntimeError("the handler has ended: it can call nothing any more")


class DirectCaller:
    """Runs every call anew, as within the handler of a command.

    Spec: FUN-4.
    """

    __slots__ = ()

    async def call_query(self, parent: Frame, instance: QueryInstance[R]) -> R:
        """Run the query."""
        _check_running(parent)
        frame = _query_frame(parent, instance.query, None)
        return await run_handler(frame, instance.query, instance.args, instance.kwargs)

    async def call_command(self, parent: Frame, call: CommandCall[R]) -> R:
        """Run the command with updates of its own, and keep those if it succeeds.

        Spec: FUN-6, SEC-9.
        """
        _check_running(parent)
        updates = Updates(parent.updates)
        frame = Frame(
            parent.request,
            parent.caller,
            _id_of(parent, call.command),
            is_query=False,
            updates=updates,
            parent=parent,
        )
        try:
            value = await run_handler(frame, call.command, call.args, call.kwargs)
        finally:
            updates.close()
        parent.updates.absorb(updates)
        return value


class RememberingCaller(DirectCaller):
    """Runs each query instance once, as within one query request or one refresh phase."""

    __slots__ = ("_remembered",)

    def __init__(self) -> None:
        self._remembered: dict[str, _Memory] = {}

    async def call_query(self, parent: Frame, instance: QueryInstance[R]) -> R:
        """Return what the instance has given, or run it."""
        _check_running(parent)
        try:
            key = instance.key_in(parent)
        except (EncodeError, LookupError):
            # Without a key nothing tells that two calls are the same one.
            return await super().call_query(parent, instance)
        ancestor: Frame | None = parent
        while ancestor is not None:
            if ancestor.key == key:
                raise RuntimeError(f"{instance.query!r} waits for its own value")
            ancestor = ancestor.parent
        frame = _query_frame(parent, instance.query, key)
        value: R = await self.remember(frame, instance)
        return value

    async def remember(self, frame: Frame, instance: QueryInstance[Any]) -> Any:
        """Run an instance in its frame unless it has been run, and keep how it ended."""
        key = frame.key or ""
        while (memory := self._remembered.get(key)) is not None:
            if memory.is_complete:
                return memory.value()
            # A run that is cancelled is forgotten: it is no answer for anybody else.
            await memory.end()
        memory = self._remembered[key] = _Memory()
        try:
            memory.keep(await run_handler(frame, instance.query, instance.args, instance.kwargs))
        except Exception as error:
            memory.keep_error(error)
            raise
        finally:
            if not memory.is_complete:
                del self._remembered[key]
            memory.wake()
        return memory.value()


class _Memory:
    """How one run of an instance ended."""

    __slots__ = ("_ended", "_error", "_value", "is_complete")

    def __init__(self) -> None:
        self.is_complete = False
        self._ended: anyio.Event | None = None
        self._value: object = None
        self._error: Exception | None = None

    def keep(self, value: object) -> None:
        self._value = value
        self.is_complete = True

    def keep_error(self, error: Exception) -> None:
        self._error = error
        self.is_complete = True

    async def end(self) -> None:
        if self._ended is None:
            self._ended = anyio.Event()
        await self._ended.wait()

    def wake(self) -> None:
        if self._ended is not None:
            self._ended.set()

    def value(self) -> object:
        if self._error is not None:
            raise self._error
        return self._value


def _query_frame(parent: Frame, query: Query[..., Any], key: str | None) -> Frame:
    """Make the frame of a query that a handler calls.

    Its refreshes have no effect, unless it is itself refreshed (UPD-18).
    """
    return Frame(
        parent.request,
        parent.caller,
        _id_of(parent, query),
        is_query=True,
        updates=parent.updates if parent.is_query else Updates(parent.updates),
        parent=parent,
        key=key,
    )


def _id_of(frame: Frame, function: Query[..., Any] | Command[..., Any]) -> str:
    try:
        return frame.request.registry.id_of(function)
    except LookupError:
        return function.name  # a function of no group can be called, not named
