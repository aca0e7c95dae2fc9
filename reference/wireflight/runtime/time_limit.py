"""Ending what takes too long, at no cost for what never waits.

A cancel scope around each handler would cost as much as all checks of a request together,
and one that is entered when the handler waits would cut across the scopes that the handler
has opened. So on asyncio a limit is what `asyncio.timeout` is, armed late: it cancels the
task, and takes back its own cancellation. On trio, whose tasks are cancelled by scopes alone,
there is a scope, and only its clock starts late.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import anyio

from wireflight.runtime.watching import OnSuspension, runs_in_trio

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

__all__ = ["Overrun", "TimeLimit"]

R = TypeVar("R")

_AGAIN_MS: Final = 1000
"""After which a coroutine that took its end for something else is told again."""


class Overrun(Exception):  # noqa: N818 - named after what it is
    """A coroutine was ended, because its time was over or by `TimeLimit.end`."""


class TimeLimit(Generic[R]):
    """Awaits a coroutine for a limited time, which begins when it waits for the first time.

    Whatever the coroutine returns or raises once it was ended is dropped.
    """

    # What only a coroutine that waits needs costs nothing for others.
    _last: float | None = None
    _clock: asyncio.TimerHandle | None = None
    _task: asyncio.Task[Any] | None = None
    _scope: anyio.CancelScope | None = None
    _cancels = 0
    _cancelling = 0

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, R],
        milliseconds: int,
        *,
        total_ms: int | None = None,
        on_wait: Callable[[TimeLimit[R]], None] | None = None,
    ) -> None:
        """Prepare to await a coroutine.

        Args:
            coroutine: What to await, here and once.
            milliseconds: The time until its end, which `restart` begins anew.
            total_ms: The time after which it ends also if it was restarted.
            on_wait: What is called with this when the time begins, and never if it does not.
        """
        self._coroutine = coroutine
        self._milliseconds = milliseconds
        self._total_ms = total_ms
        self._on_wait = on_wait

    def __await__(self) -> Generator[Any, Any, R]:
        """Return what the coroutine returns in time.

        Raises:
            Overrun: When it was ended.
            Exception: Whatever it raises in time.
        """
        if runs_in_trio():
            return (yield from self._within_scope().__await__())
        try:
            awaited = self._coroutine.send(None)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        self._task = task = asyncio.tasks.current_task()
        assert task is not None
        self._cancelling = task.cancelling()
        try:
            self._begin()
            value = yield from self._rest(awaited)
        except asyncio.CancelledError:
            if self._was_ended() and task.cancelling() <= self._cancelling:
                raise Overrun from None
            raise
        except Exception:
            if self._was_ended():
                raise Overrun from None
            raise
        except BaseException:
            self._was_ended()
            raise
        if self._was_ended():
            raise Overrun
        return value

    def _rest(self, awaited: object) -> Generator[Any, Any, R]:
        """Go on awaiting the coroutine, which waits for something."""
        coroutine = self._coroutine
        while True:
            try:
                yield awaited
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as error:  # noqa: BLE001 - cancellation goes in as it came
                try:
                    awaited = coroutine.throw(error)
                except StopIteration as stop:
                    return stop.value  # type: ignore[no-any-return]
            else:
                # asyncio sends nothing in, so that from here on nobody stands between.
                return (yield from coroutine.__await__())

    async def _within_scope(self) -> R:
        with anyio.CancelScope() as self._scope:
            try:
                value = await OnSuspension(self._coroutine, self._begin)
            except Exception:
                if self._scope.cancel_called:
                    raise Overrun from None
                raise
            if not self._scope.cancel_called:
                return value
        raise Overrun

    def _begin(self) -> None:
        if self._total_ms is not None:
            self._last = anyio.current_time() + self._total_ms / 1000
        self._set_clock(self._milliseconds)
        if self._on_wait is not None:
            self._on_wait(self)

    def _set_clock(self, milliseconds: int) -> None:
        seconds = milliseconds / 1000
        if self._last is not None:
            seconds = max(0.0, min(seconds, self._last - anyio.current_time()))
        if self._scope is not None:
            self._scope.deadline = anyio.current_time() + seconds
        elif self._task is not None:
            if self._clock is not None:
                self._clock.cancel()
            self._clock = self._task.get_loop().call_later(seconds, self.end)

    def restart(self) -> None:
        """Begin the time anew, unless it has not begun or is over."""
        if (self._clock is not None or self._last is not None) and not self._cancels:
            self._set_clock(self._milliseconds)

    def end(self) -> None:
        """End the coroutine now, unless it does not wait or has ended."""
        if self._scope is not None:
            self._scope.cancel()
        elif self._task is not None:
            self._cancels += 1
            self._task.cancel()
            self._last = None
            self._set_clock(_AGAIN_MS)

    def _was_ended(self) -> bool:
        """Stop the clock and take back the cancellations; tell whether there were any."""
        if self._clock is not None:
            self._clock.cancel()
        task, self._task = self._task, None
        if task is not None:
            for _ in range(self._cancels):
                task.uncancel()
        return bool(self._cancels)
