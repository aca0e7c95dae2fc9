"""The watch beside a waiting handler: it is owned, harmless, and passes everything through."""

import anyio
import anyio.lowlevel
import pytest

from wireflight.runtime.watching import OnSuspension, start_watch


async def test_watch_is_cancelled_and_waited_for() -> None:
    """After `stop` the task has ended, whether it had begun or not."""
    seen = []

    async def watch() -> None:
        seen.append("began")
        try:
            await anyio.sleep_forever()
        finally:
            seen.append("ended")

    running = start_watch(watch)
    await anyio.sleep(0.01)
    assert seen == ["began"]
    await running.stop()
    assert seen == ["began", "ended"]
    await start_watch(watch).stop()
    assert seen.count("began") == seen.count("ended")


async def test_watch_that_fails_is_logged_and_harms_nobody(caplog) -> None:
    """A broken `receive` of the server below does not end the request."""

    async def watch() -> None:
        raise OSError("broken pipe")

    running = start_watch(watch)
    await anyio.sleep(0.01)
    await running.stop()
    assert "the watch for a disconnect failed" in caplog.text


async def test_suspension_is_told_once_and_only_if_it_happens() -> None:
    """A coroutine that never waits is never reported; one that waits often, once."""
    calls = []

    async def quick() -> int:
        return 1

    async def slow() -> int:
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        return 2

    async def failing() -> None:
        await anyio.lowlevel.checkpoint()
        raise ValueError

    assert await OnSuspension(quick(), lambda: calls.append("quick")) == 1
    assert await OnSuspension(slow(), lambda: calls.append("slow")) == 2
    with pytest.raises(ValueError, match=r"^$"):
        await OnSuspension(failing(), lambda: calls.append("failing"))
    assert calls == ["slow", "failing"]


async def test_suspension_passes_cancellation_through() -> None:
    """Scopes within and around the coroutine end as they do without it."""

    async def inner() -> str:
        with anyio.move_on_after(0.01):
            await anyio.sleep_forever()
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            seen.append("cancelled")
            raise
        return "never"

    async def swallowing() -> str:
        with anyio.move_on_after(0.01):
            await anyio.sleep_forever()
        return "swallowed"

    seen: list[str] = []
    with anyio.move_on_after(0.05) as scope:
        await OnSuspension(inner(), lambda: None)
    assert scope.cancelled_caught
    assert seen == ["cancelled"]
    assert await OnSuspension(swallowing(), lambda: None) == "swallowed"


def test_suspension_closes_the_coroutine_that_it_awaits() -> None:
    """Whoever drops the awaiting drops the awaited."""
    seen = []

    class Forever:
        def __await__(self):
            yield

    async def inner() -> None:
        try:
            await Forever()
        finally:
            seen.append("closed")

    awaiting = OnSuspension(inner(), lambda: None).__await__()
    next(awaiting)
    awaiting.close()
    assert seen == ["closed"]
