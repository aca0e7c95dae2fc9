"""Noticing that a client went away, at no cost for handlers that never wait.

A task group for each request would cost more than the rest of the server together, and one
that is opened once the handler waits would cut across the scopes that the handler has
opened. So the watch is a task of its own, started at the handler's first suspension, owned
by the request, and waited for when it ends.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator

__all__ = ["OnSuspension", "Watch", "runs_in_trio", "start_watch"]

R = TypeVar("R")

logger = logging.getLogger("wireflight")


class Watch(Protocol):
    """A task beside the request."""

    async def stop(self) -> None:
        """Cancel the task and wait for its end."""
        ...


def runs_in_trio() -> bool:
    """Tell whether the code that calls this runs on trio, which need not be installed."""
    trio = sys.modules.get("trio")
    if trio is None:
        return False
    # Where another thread is at work importing trio, the module is there and its parts are not.
    in_trio_run = getattr(getattr(trio, "lowlevel", None), "in_trio_run", None)
    return in_trio_run is not None and in_trio_run()


def start_watch(watch: Callable[[], Awaitable[None]]) -> Watch:
    """Start a task without waiting for it; the caller stops it in every case."""
    return _TrioWatch(watch) if runs_in_trio() else _AsyncioWatch(watch)


async def _run(watch: Callable[[], Awaitable[None]]) -> None:
    try:
        await watch()
    except Exception:
        logger.exception("the watch for a disconnect failed")


class _AsyncioWatch:
    __slots__ = ("_task",)

    def __init__(self, watch: Callable[[], Awaitable[None]]) -> None:
        self._task = asyncio.get_running_loop().create_task(_run(watch))

    async def stop(self) -> None:
        self._task.cancel()
        # `wait` does not raise what the task raises, nor is it ended by its cancellation.
        await asyncio.wait((self._task,))


class _TrioWatch:
    __slots__ = ("_ended", "_scope", "_watch")

    def __init__(self, watch: Callable[[], Awaitable[None]]) -> None:
        import trio

        self._scope = trio.CancelScope()
        self._ended = trio.Event()
        self._watch = watch
        trio.lowlevel.spawn_system_task(self._main)

    async def _main(self) -> None:
        try:
            with self._scope:
                await _run(self._watch)
        finally:
            self._ended.set()

    async def stop(self) -> None:
        import trio

        self._scope.cancel()
        with trio.CancelScope(shield=True):
            await self._ended.wait()


class OnSuspension(Generic[R]):
    """Awaits a coroutine and calls back once, when it waits for the first time."""

    __slots__ = ("_callback", "_coroutine")

    def __init__(self, coroutine: Coroutine[Any, Any, R], callback: Callable[[], None]) -> None:
        self._coroutine = coroutine
        self._callback = callback

    def __await__(self) -> Generator[Any, Any, R]:
        coroutine = self._coroutine
        try:
            awaited = coroutine.send(None)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        self._callback()
        while True:
            try:
                sent = yield awaited
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as error:  # noqa: BLE001 - cancellation goes in as it came
                try:
                    awaited = coroutine.throw(error)
                except StopIteration as stop:
                    return stop.value  # type: ignore[no-any-return]
            else:
                try:
                    awaited = coroutine.send(sent)
                except StopIteration as stop:
                    return stop.value  # type: ignore[no-any-return]
