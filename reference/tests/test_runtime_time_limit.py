"""What runs for a limited time: its clock, its end, and cancellation from elsewhere."""

import asyncio

import anyio
import anyio.lowlevel
import pytest

from wireflight.runtime.time_limit import Overrun, TimeLimit


async def waiting(seen: list[str]) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        seen.append("ended")


async def test_limit_returns_and_raises_what_the_coroutine_does() -> None:
    """Whether it waits or not; the clock begins only if it does."""
    begun: list[TimeLimit] = []

    async def quick(value: int) -> int:
        if value < 0:
            raise ValueError("quick")
        return value

    async def slow(value: int) -> int:
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        return await quick(value)

    assert await TimeLimit(quick(1), 5000, on_wait=begun.append) == 1
    with pytest.raises(ValueError, match="quick"):
        await TimeLimit(quick(-1), 5000, on_wait=begun.append)
    assert begun == []
    assert await TimeLimit(slow(2), 5000, on_wait=begun.append) == 2
    with pytest.raises(ValueError, match="quick"):
        await TimeLimit(slow(-1), 5000, on_wait=begun.append)
    assert len(begun) == 2
    for limit in begun:  # it is over: neither does anything
        limit.end()
        limit.restart()
    await anyio.sleep(0.01)


async def test_limit_ends_what_takes_too_long() -> None:
    """Cleaning up runs, and what the coroutine makes of its end is dropped."""
    seen: list[str] = []

    async def swallowing() -> str:
        try:
            await anyio.sleep_forever()
        except BaseException:  # noqa: BLE001 - a coroutine that swallows its end is the case
            seen.append("swallowed")
        return "late"

    async def converting() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise ValueError("late")

    for coroutine in (waiting(seen), swallowing(), converting()):
        with pytest.raises(Overrun):
            await TimeLimit(coroutine, 10)
    assert seen == ["ended", "swallowed"]
    await anyio.sleep(0.01)  # nothing is left that would cancel this


async def test_limit_ends_when_told() -> None:
    """A task beside it may end it before its time."""
    seen: list[str] = []
    async with anyio.create_task_group() as group:

        async def end(limit: TimeLimit) -> None:
            limit.end()

        with pytest.raises(Overrun):
            await TimeLimit(waiting(seen), 5000, on_wait=lambda limit: group.start_soon(end, limit))
    assert seen == ["ended"]


async def test_limit_begins_anew_within_its_total() -> None:
    """A restart gives the time again, as often as the total allows."""
    restarts: list[int] = []

    async def restarting() -> None:
        while True:
            await anyio.sleep(0.02)
            restarts.append(1)
            limit.restart()

    limit: TimeLimit = TimeLimit(restarting(), 1000, total_ms=150)
    with pytest.raises(Overrun):
        await limit
    assert restarts
    limit = TimeLimit(anyio.sleep(0.2), 20, total_ms=5000)
    with pytest.raises(Overrun):
        await limit


async def test_limit_passes_cancellation_from_elsewhere_through() -> None:
    """Scopes within, around and between limits end as they do without them."""
    seen: list[str] = []

    async def inner() -> str:
        with anyio.move_on_after(0.01):
            await anyio.sleep_forever()
        await waiting(seen)
        return "never"

    with anyio.move_on_after(0.05) as scope:
        await TimeLimit(inner(), 5000)
    assert scope.cancelled_caught
    assert seen == ["ended"]

    async def outer() -> None:
        await TimeLimit(waiting(seen), 5000)

    with pytest.raises(Overrun):
        await TimeLimit(outer(), 10)
    assert seen == ["ended", "ended"]
    with anyio.move_on_after(0.05):
        with pytest.raises(Overrun):
            await TimeLimit(waiting(seen), 10)
        await anyio.lowlevel.checkpoint()
        seen.append("went on")
    assert seen[-1] == "went on"


async def test_limit_ends_a_group_of_tasks() -> None:
    """A coroutine that waits for tasks of its own takes them with it."""
    seen: list[str] = []

    async def group() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(waiting, seen)

    with pytest.raises(Overrun):
        await TimeLimit(group(), 10)
    assert seen == ["ended"] * 3


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # trio cancels by scopes alone
async def test_limit_leaves_the_cancellation_of_its_task_alone() -> None:
    """Who cancels the task itself is obeyed, also where the time is over as well."""
    seen: list[str] = []

    async def both() -> None:
        task = asyncio.current_task()
        assert task is not None
        with pytest.raises(asyncio.CancelledError):
            await TimeLimit(waiting(seen), 5000, on_wait=lambda limit: (limit.end(), task.cancel()))
        assert task.cancelling() == 1
        task.uncancel()

    await both()
    assert seen == ["ended"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # trio repeats cancellation by itself
async def test_limit_ends_again_what_took_its_end_for_another(monkeypatch) -> None:
    """A cancellation that was swallowed by mistake is not the last."""
    monkeypatch.setattr("wireflight.runtime.time_limit._AGAIN_MS", 10)
    seen: list[str] = []

    async def confused() -> None:
        try:
            await anyio.sleep_forever()
        except asyncio.CancelledError:
            seen.append("swallowed")
        await waiting(seen)

    with pytest.raises(Overrun):
        await TimeLimit(confused(), 10)
    assert seen == ["swallowed", "ended"]
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


def test_limit_closes_the_coroutine_that_it_awaits() -> None:
    """Whoever drops the awaiting drops the awaited, and its clock."""
    seen: list[str] = []

    async def run() -> None:
        async def drop() -> None:
            awaiting = TimeLimit(waiting(seen), 10).__await__()
            next(awaiting)
            awaiting.close()

        await asyncio.create_task(drop())
        await asyncio.sleep(0.05)

    asyncio.run(run())
    assert seen == ["ended"]
