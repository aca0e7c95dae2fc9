"""Real servers in a thread, for tests of what only a socket shows."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import hypercorn.config
import hypercorn.trio
import trio
import uvicorn


def listening() -> socket.socket:
    """Return a socket that listens on a free port."""
    # With the protocol named, asyncio turns Nagle's algorithm off for what it accepts.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


@contextmanager
def under_uvicorn(
    app: Callable[..., object], *, http: Literal["h11", "httptools"] = "h11"
) -> Iterator[str]:
    """Serve an ASGI app with uvicorn in a thread; yield its origin."""
    listener = listening()
    config = uvicorn.Config(app, log_level="warning", lifespan="on", http=http)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
    assert not thread.is_alive()
    assert server.started


@contextmanager
def under_hypercorn_on_trio(app: Callable[..., object]) -> Iterator[str]:
    """Serve an ASGI app with hypercorn on trio in a thread; yield its origin."""
    listener = listening()
    listener.setblocking(False)
    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.loglevel = "WARNING"
    ended = trio.Event()
    tokens: list[trio.lowlevel.TrioToken] = []

    async def serve() -> None:
        tokens.append(trio.lowlevel.current_trio_token())
        await hypercorn.trio.serve(app, config, shutdown_trigger=ended.wait)

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        tokens[0].run_sync_soon(ended.set)
        thread.join(20)
        listener.detach()  # the server has closed it
    assert not thread.is_alive()
