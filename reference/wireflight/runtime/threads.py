"""Running handlers that are not async in threads, never more than the limiter allows.

A thread cannot be ended. One that nobody waits for any more, because its time is over or its
client has gone, keeps its place in the limiter until it is done: otherwise clients that
leave early could start as many threads as they like.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

import anyio
import anyio.to_thread

from wireflight.runtime.watching import runs_in_trio

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["run_in_thread"]

R = TypeVar("R")


async def run_in_thread(call: Callable[[], R]) -> R:
    """Run a call in a thread, in this context, and wait for it for as long as nobody cancels.

    A call that was cancelled before its thread began never begins.

    Raises:
        Exception: Whatever the call raises.
    """
    limiter = anyio.to_thread.current_default_thread_limiter()
    job = _Job(call, limiter, _scheduler())
    await limiter.acquire_on_behalf_of(job)
    try:
        # The place is the job's; what `run_sync` itself asks for is given back too early.
        return await anyio.to_thread.run_sync(
            job.run, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1)
        )
    finally:
        if not job.is_left_running():
            limiter.release_on_behalf_of(job)


def _scheduler() -> Callable[[Callable[[], None]], object]:
    """Return what lets other threads run something in this one."""
    if runs_in_trio():
        import trio

        return trio.lowlevel.current_trio_token().run_sync_soon
    return asyncio.get_running_loop().call_soon_threadsafe


class _Job(Generic[R]):
    """One call in a thread, and its place in the limiter."""

    def __init__(
        self,
        call: Callable[[], R],
        limiter: anyio.CapacityLimiter,
        schedule: Callable[[Callable[[], None]], object],
    ) -> None:
        self._call = call
        self._limiter = limiter
        self._schedule = schedule
        self._lock = threading.Lock()
        self._is_running = False
        self._is_left = False

    def run(self) -> R:
        """Run the call, in the thread."""
        with self._lock:
            if self._is_left:
                raise RuntimeError("nobody waits for this call any more")
            self._is_running = True
        try:
            return self._call()
        finally:
            if self._has_been_left():
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    self._schedule(self._release)

    def _has_been_left(self) -> bool:
        with self._lock:
            self._is_running = False
            return self._is_left

    def is_left_running(self) -> bool:
        """Stop waiting; tell whether the thread goes on and gives the place back itself."""
        with self._lock:
            self._is_left = True
            return self._is_running

    def _release(self) -> None:
        self._limiter.release_on_behalf_of(self)
