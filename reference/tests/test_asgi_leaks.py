"""What requests leave behind that are cut off: nothing."""

import asyncio
import threading
from collections.abc import Callable

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
import trio

from wireflight import Limits, Wireflight

REQUESTS = 200
JSON = ("content-type", "application/json")


def living_tasks(backend: str) -> int:
    """Count the tasks of this loop."""
    if backend == "trio":
        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks())


async def settled(is_so: Callable[[], bool]) -> None:
    """Wait until it is so."""
    with anyio.fail_after(10):
        while not is_so():  # noqa: ASYNC110 - what it waits for is no event of this loop
            await anyio.sleep(0.01)


async def cut(client, started: Callable[[], int], count: int, **request) -> list[object]:
    """Send many requests at a time, and let every client go once so many handlers run."""
    gone = anyio.Event()
    responses: list[object] = []

    async def send() -> None:
        responses.append(await client.request(**request, gone=gone))

    async with anyio.create_task_group() as group:
        for _ in range(REQUESTS):
            group.start_soon(send)
        await settled(lambda: started() >= count)
        gone.set()
    return responses


async def test_cut_queries_leave_no_tasks(asgi, anyio_backend_name: str) -> None:
    """Each handler ends, and so does each watch, in queries that call others too."""
    app = Wireflight()
    counts = {"started": 0, "ended": 0}

    @app.query
    async def inner() -> None:
        counts["started"] += 1
        try:
            await anyio.sleep_forever()
        finally:
            counts["ended"] += 1

    @app.query
    async def outer() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            await inner()

    before = living_tasks(anyio_backend_name)
    client = asgi(app)
    for path in ("/inner", "/outer"):
        counts.update(started=0, ended=0)
        responses = await cut(client, lambda: counts["started"], REQUESTS, method="GET", path=path)
        assert responses == [None] * REQUESTS
        assert counts["ended"] == REQUESTS
    await settled(lambda: living_tasks(anyio_backend_name) == before)


async def test_cut_bodies_leave_no_tasks(asgi, anyio_backend_name: str) -> None:
    """A client that goes in the middle of its body is forgotten."""
    app = Wireflight()
    app.command(id="act")(lambda: pytest.fail("the command ran"))
    before = living_tasks(anyio_backend_name)
    responses = await cut(
        asgi(app), lambda: 1, 1, method="POST", path="/act", body=[b"{"], headers=[JSON], ends=False
    )
    assert responses == [None] * REQUESTS
    await settled(lambda: living_tasks(anyio_backend_name) == before)


@pytest.mark.parametrize("ending", ["disconnect", "timeout"])
async def test_cut_threads_are_never_more_than_allowed(
    asgi, anyio_backend_name: str, ending: str
) -> None:
    """A thread keeps its place until it is done; what could not begin never does."""
    limiter = anyio.to_thread.current_default_thread_limiter()
    app = Wireflight(limits=Limits(handler_ms=100 if ending == "timeout" else 30_000))
    release = threading.Event()
    running: list[int] = []

    @app.query
    def block() -> None:
        running.append(1)
        release.wait(10)
        running.pop()

    before = living_tasks(anyio_backend_name)
    places = int(limiter.total_tokens)
    client = asgi(app)
    try:
        if ending == "timeout":
            async with anyio.create_task_group() as group:
                for _ in range(REQUESTS):
                    group.start_soon(client.get, "/block")
        else:
            await cut(client, lambda: len(running), places, method="GET", path="/block")
        await settled(lambda: len(running) == limiter.borrowed_tokens)
        assert 0 < len(running) <= places
    finally:
        release.set()
    await settled(lambda: limiter.borrowed_tokens == 0)
    assert running == []
    await settled(lambda: living_tasks(anyio_backend_name) == before)
    app.query(id="quick")(lambda: 1)
    assert (await client.get("/quick")).document()["value"] == 1
