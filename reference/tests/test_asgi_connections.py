"""What becomes of a connection after a refusal that did not read the body, over sockets."""

import functools
import http.client
import io
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from wireflight import Limits, Wireflight

sys.path.insert(0, str(Path(__file__).parent))

from serving import under_hypercorn_on_trio, under_uvicorn

SERVERS: dict[str, Callable[[Wireflight], AbstractContextManager[str]]] = {
    "uvicorn with h11": under_uvicorn,
    "uvicorn with httptools": functools.partial(under_uvicorn, http="httptools"),
    "hypercorn on trio": under_hypercorn_on_trio,
}
SMUGGLED = (
    b"POST /act HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\n\r\n{}"
)
NEXT = b"GET /read HTTP/1.1\r\nHost: h\r\n\r\n"
LENGTH = f"Content-Length: {len(SMUGGLED)}"
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)

REFUSED = {
    "forbidden_origin": ([LENGTH, "Sec-Fetch-Site: cross-site"], SMUGGLED),
    "unsupported_media_type": (
        [LENGTH, "Wireflight-Version: 1", "Content-Encoding: gzip"],
        SMUGGLED,
    ),
    "unknown_function": ([LENGTH], SMUGGLED),
    "body_too_large": ([LENGTH], SMUGGLED),
    "body_too_large, chunked": (["Transfer-Encoding: chunked"], CHUNKED),
    "body_timeout": ([LENGTH], SMUGGLED),
    "body_timeout, chunked": (["Transfer-Encoding: chunked"], CHUNKED),
}


class Site:
    """A server that is up, and what ran on it."""

    def __init__(self, url: str, runs: list[str]) -> None:
        parts = urlsplit(url)
        self.address = (parts.hostname, parts.port)
        self.runs = runs


@pytest.fixture(scope="module", params=SERVERS)
def sites(request: pytest.FixtureRequest) -> Iterator[dict[str, Site]]:
    """The server with a limit that every body passes, and one that waits for bodies shortly."""
    runs: list[str] = []

    def app(limits: Limits) -> Wireflight:
        made = Wireflight(limits=limits)
        made.command(id="act")(lambda: runs.append("act"))
        made.query(id="read")(lambda: "read")
        return made

    serve = SERVERS[request.param]
    short = Limits(body_bytes=len(SMUGGLED) - 1)
    with (
        serve(app(short)) as strict,
        serve(app(Limits(body_idle_ms=100, body_total_ms=150))) as hasty,
    ):
        yield {"strict": Site(strict, runs), "hasty": Site(hasty, runs)}


def answer(received: io.BufferedReader) -> tuple[int, bytes] | None:
    """Read one response; None is a closed connection."""
    try:
        status_line = received.readline()
    except ConnectionError:
        return None
    if not status_line:
        return None
    fields = http.client.parse_headers(received)
    return int(status_line.split()[1]), received.read(int(fields["Content-Length"]))


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one by one"])
@pytest.mark.parametrize("refused", REFUSED)
def test_server_keeps_its_place_on_a_connection_after_a_refusal(
    sites: dict[str, Site], refused: str, at_once: bool
) -> None:
    """The next request is answered as itself or not at all, and no body is taken for a request."""
    code = refused.partition(",")[0]
    fields, body = REFUSED[refused]
    site = sites["hasty" if code == "body_timeout" else "strict"]
    path = "nothing" if code == "unknown_function" else "act"
    site.runs.clear()
    head = "\r\n".join([f"POST /{path} HTTP/1.1", "Host: h", *fields])
    if code != "unsupported_media_type":
        head += "\r\nContent-Type: application/json"
    start = head.encode() + b"\r\n\r\n"
    with socket.create_connection(site.address, timeout=10) as connection:
        received = connection.makefile("rb")
        # A body that comes too slowly never comes at once; it comes when it is too late.
        first = start + (body[:10] if code == "body_timeout" else body if at_once else b"")
        if refused == "body_too_large, chunked" and not at_once:
            first += body[:-7]  # all but its end
        connection.sendall(first)
        status, text = answer(received) or (0, b"")
        assert code.encode() in text
        assert 400 <= status < 500
        try:
            connection.sendall((start + body)[len(first) :] + NEXT)
            following = answer(received)
        except ConnectionError:
            following = None
        if following is not None:
            assert following[0] == 200
            assert b'"read"' in following[1]
    assert site.runs == []
