"""A socket server that does what a script says: the lies and hangs that a target may come with."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

from wireflight_conformance.wire.connection import Target

Script = Callable[[socket.socket, bytes], None]

FIELDS = (
    b"Cache-Control: private, no-store\r\nX-Content-Type-Options: nosniff\r\n"
    b"Cross-Origin-Resource-Policy: same-origin\r\nVary: Accept, Origin, Sec-Fetch-Site\r\n"
    b"Wireflight-Version: 1\r\n"
)


def response(body: bytes, *, status: int = 200, fields: bytes = FIELDS) -> bytes:
    """Return a whole response in Wireflight encoding."""
    head = b"HTTP/1.1 %d X\r\n%sContent-Type: application/wireflight+json\r\n" % (status, fields)
    return head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


NONE = response(b'[{"type":1,"value":2,"at":3},"result","none","abcdefghijkl.0000000000000001"]')


def read_request(connection: socket.socket) -> bytes:
    """Read to the end of a request's head and of the body that its Content-Length names."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            while len(body) < int(line.partition(b":")[2]):
                body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def scripted(script: Script) -> Iterator[Target]:
    """Serve each connection by the script, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    ends = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            script(connection, read_request(connection))

    def accept() -> None:
        while not ends.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield Target("127.0.0.1", listener.getsockname()[1])
    finally:
        ends.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(2)


def answer(data: bytes) -> Script:
    """Return a script that sends these bytes and closes."""
    return lambda connection, _: connection.sendall(data)


def hang(connection: socket.socket, _: bytes) -> None:
    """Take the request and never answer."""
    connection.recv(1)


def drip(connection: socket.socket, _: bytes) -> None:
    """Answer one byte at a time, steadily and without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)
