"""An ASGI app behind a real socket: in a thread of this process, or in a process of its own.

Run as a program, this serves the fixture, writes its port in one line and ends with its input.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import uvicorn

from wireflight_conformance.wire.connection import Target

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from wireflight.asgi import Receive, Scope, Send

    App = Callable[[Scope, Receive, Send], Awaitable[None]]

__all__ = ["ServerDidNotStartError", "serve", "serve_fixture", "start_fixture"]


class ServerDidNotStartError(RuntimeError):
    """The embedded server did not come up."""


@contextlib.contextmanager
def serve(app: App, *, seconds: float = 10.0) -> Iterator[Target]:
    """Serve the app under uvicorn on a free loopback port, and stop it at the end.

    Args:
        app: Any ASGI application.
        seconds: How long to wait for its start and for its end.

    Raises:
        ServerDidNotStartError: It did not start in time.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    # inherited by what it accepts; asyncio sets it only where the protocol number is given
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port: int = listener.getsockname()[1]
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="auto",
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="embedded server", daemon=True
    )
    thread.start()
    end = time.monotonic() + seconds
    while not server.started:
        if not thread.is_alive() or time.monotonic() > end:
            listener.close()
            raise ServerDidNotStartError("the embedded server did not start")
        time.sleep(0.002)
    try:
        with _quiet():
            yield Target("127.0.0.1", port)
    finally:
        server.should_exit = True
        thread.join(seconds)
        listener.close()


@contextlib.contextmanager
def serve_fixture(*, seconds: float = 20.0) -> Iterator[Target]:
    """Serve the reference with the fixture functions, in a process beside this one.

    It starts at once, while the caller goes on; suite and server then have a core each.

    Args:
        seconds: How long to wait for its start.

    Raises:
        ServerDidNotStartError: It did not start in time.
    """
    with start_fixture() as started:
        yield started(seconds)


@contextlib.contextmanager
def start_fixture() -> Iterator[Callable[[float], Target]]:
    """Start what `serve_fixture` serves, and give what waits so many seconds until it is there."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wireflight_conformance.embedded.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    output = process.stdout

    def wait(seconds: float) -> Target:
        # one line of a few bytes: where its first is, the rest is
        if not select.select([output], [], [], seconds)[0] or not (line := output.readline()):
            raise ServerDidNotStartError("the embedded server did not start")
        return Target("127.0.0.1", int(line))

    try:
        yield wait
    finally:
        # its input ends, and so does it: also where this process dies without coming here
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        output.close()


def _main() -> None:
    from wireflight_conformance.embedded.fixture import fixture_app, quick_limits

    with serve(fixture_app(limits=quick_limits())) as target:
        print(target.port, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            sys.stdin.buffer.read()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the reference from logging: its records would stand among the verdicts."""
    logger = logging.getLogger("wireflight")
    previous = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(previous)


if __name__ == "__main__":
    _main()
