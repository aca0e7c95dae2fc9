"""The wire client against servers that lie, hang, drip and vanish."""

import socket
import time

import pytest
from scripted import NONE, answer, drip, hang, response, scripted

from wireflight_conformance.wire.connection import (
    Clock,
    Connection,
    ConnectionLostError,
    DeadlineError,
    NotHTTPError,
    Response,
    Target,
    UnreachableError,
    WireError,
)
from wireflight_conformance.wire.trace import Request

REQUEST = Request("GET", "/fx/none", [("Host", "x")])


def exchange(target: Target, seconds: float = 0.4) -> Response:
    clock = Clock.after(seconds)
    with Connection(target, clock) as connection:
        connection.send_request(REQUEST, clock)
        return connection.read_response(clock, "GET")


def test_connection_reads_a_response_and_records_both_directions() -> None:
    """The trace holds exactly the bytes that went and came."""
    with scripted(answer(NONE)) as target:
        found = exchange(target)
    assert found.status == 200
    assert found.trace.sent == b"GET /fx/none HTTP/1.1\r\nHost: x\r\n\r\n"
    assert found.trace.received == NONE


@pytest.mark.parametrize("script", [hang, drip])
def test_connection_gives_up_at_its_deadline(script) -> None:
    """Neither silence nor a steady drip holds it longer than its clock."""
    with scripted(script) as target:
        began = time.monotonic()
        with pytest.raises(DeadlineError):
            exchange(target, 0.3)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01garbage\r\n\r\n",
        b"HTTP/9.9 what\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_connection_rejects_what_is_no_http(data: bytes) -> None:
    """Garbage is said to be garbage, and is in the trace."""
    with scripted(answer(data)) as target, pytest.raises(NotHTTPError) as caught:
        exchange(target)
    assert caught.value.trace.received == data


@pytest.mark.parametrize("data", [b"", NONE[:30], NONE[:-1]])
def test_connection_rejects_a_response_that_ends_early(data: bytes) -> None:
    """A server that crashes in the middle did not answer."""
    with scripted(answer(data)) as target, pytest.raises(ConnectionLostError):
        exchange(target)


def test_connection_says_that_nobody_listens() -> None:
    """A closed port is unreachable, and no hang."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreachableError):
        exchange(Target("127.0.0.1", port))


def test_connection_reads_an_answer_that_comes_before_the_body_is_sent() -> None:
    """A refusal in the middle of a long body is read, not lost in the reset."""

    def refuse(connection: socket.socket, _: bytes) -> None:
        connection.sendall(response(b"[1]", status=413))

    body = Request("POST", "/", [("Host", "x")], b"x" * 3_000_000, "chunked")
    with scripted(refuse) as target:
        clock = Clock.after(2)
        with Connection(target, clock) as connection:
            connection.send_request(body, clock)
            found = connection.read_response(clock)
    assert found.status == 413


def test_connection_reads_several_responses_in_turn() -> None:
    """What came behind one response belongs to the next."""
    with scripted(answer(NONE + response(b"[2]"))) as target:
        clock = Clock.after(1)
        with Connection(target, clock) as connection:
            connection.send_request(REQUEST, clock)
            first = connection.read_response(clock, "GET")
            second = connection.read_response(clock, "GET")
    assert (first.body[:2], second.body) == (b"[{", b"[2]")


def test_request_writes_its_bytes_as_given() -> None:
    """Framing is what the case says, legal or not."""
    lying = Request("POST", "/a b", [("Host", "x"), ("host", "y")], b"ab", "7")
    assert lying.to_bytes() == (
        b"POST /a b HTTP/1.1\r\nHost: x\r\nhost: y\r\nContent-Length: 7\r\n\r\nab"
    )
    chunked = Request("POST", "/", [], b"abc", "chunked")
    assert b"".join(chunked.body_frames(2)) == b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"


def test_request_is_replayed_by_curl_byte_for_byte() -> None:
    """The command names every byte of the body, and takes curl's own fields away."""
    request = Request("POST", "/fx/echo", [("Host", "x")], b"['\xff\n\\]")
    command = request.curl("http://127.0.0.1:1/base")
    assert "--data-binary $'[\\'\\xff\\n\\\\]'" in command
    assert "-H Accept:" in command
    assert "--request-target /fx/echo" in command


@pytest.mark.parametrize("url", ["ftp://a", "http://", "http://a?x=1", "nonsense://", "//"])
def test_target_rejects_what_is_no_url(url: str) -> None:
    """Only http and https, without a query."""
    with pytest.raises(ValueError, match=r"URL|base"):
        Target.from_url(url)


def test_wire_errors_carry_their_trace() -> None:
    """Each failure of the wire can be shown."""
    assert all(
        issubclass(kind, WireError)
        for kind in (UnreachableError, ConnectionLostError, NotHTTPError, DeadlineError)
    )
