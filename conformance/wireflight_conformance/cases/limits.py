"""Section 17: limits. Every limit is tried at its number and one beyond, on every transport."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from wireflight_conformance.cases import Row, case
from wireflight_conformance.driver import NotTestableError, Server
from wireflight_conformance.fixture import add, give
from wireflight_conformance.wire.codec import encode, payload
from wireflight_conformance.wire.reply import PLAIN, WIREFLIGHT, Reply
from wireflight_conformance.wire.trace import Request
from wireflight_conformance.wire.values import BigInt, Map, Set, Value

Transport = Callable[[Server, Value], Reply]


def _by_get(server: Server, value: Value) -> Reply:
    return server.query("fx/echo", value)


def _by_get_plain(server: Server, value: Value) -> Reply:
    return server.query("fx/echo", value, plain=True)


def _by_post(server: Server, value: Value) -> Reply:
    return server.post_query("fx/echo", value)


def _by_post_plain(server: Server, value: Value) -> Reply:
    return server.post_query("fx/echo", value, plain=True)


def _by_command(server: Server, value: Value) -> Reply:
    return server.command([give(value)])


def _by_command_plain(server: Server, value: Value) -> Reply:
    return server.command([give(value)], plain=True)


TRANSPORTS: Final[dict[str, Transport]] = {
    "GET": _by_get,
    "GET in plain JSON": _by_get_plain,
    "POST": _by_post,
    "POST in plain JSON": _by_post_plain,
    "a command": _by_command,
    "a command in plain JSON": _by_command_plain,
}
# above the value that a step returns are three levels: the argument, its steps, the step
COMMAND_LEVELS: Final = 3
# besides the value: the argument, its run, its steps, and of both steps of `taken` what is no value
TAKEN_NODES: Final = 8


def levels(count: int) -> Value:
    """Return a value of this depth."""
    value: Value = 1
    for _ in range(count):
        value = [value]
    return value


def _rows(*names: str) -> list[Row]:
    return [Row.of(name, name) for name in names]


@case("LIM-1", "LIM-3", title="`depth` holds by {row}.", rows=_rows(*TRANSPORTS))
def depth(server: Server, name: str) -> None:
    send, most = TRANSPORTS[name], server.limit("depth")
    if "command" in name:
        most -= COMMAND_LEVELS
    server.expect_value("LIM-3", send(server, levels(most)), levels(most))
    server.expect_error("LIM-1", send(server, levels(most + 1)), "too_deep", limit="depth")
    server.expect_error("LIM-1", send(server, levels(most + 200)), "too_deep", limit="depth")


DEEP: list[Row] = [
    Row.of("objects", lambda inner: {"a": inner}),
    Row.of("maps", lambda inner: Map([("a", inner)])),
    Row.of("arrays", lambda inner: [inner]),
]


@case("LIM-1", "LIM-3", title="`depth` counts {row}, and an empty one at the bottom.", rows=DEEP)
def depth_of_containers(server: Server, wrap: Callable[[Value], Value]) -> None:
    most = server.limit("depth")
    for bottom, below in ((1, 0), ([], 1)):
        value: Value = bottom
        for _ in range(most - below):
            value = wrap(value)
        server.expect_value("LIM-3", server.post_query("fx/echo", value), value)
        over = server.post_query("fx/echo", wrap(value))
        server.expect_error("LIM-1", over, "too_deep", limit="depth")


def many(kind: str, count: int) -> Value:
    """Return a container of this kind with so many members."""
    if kind == "array":
        return [0] * count
    if kind == "object":
        return {f"k{number}": 0 for number in range(count)}
    if kind == "map":
        return Map([(number, 0) for number in range(count)])
    return Set(list(range(count)))


def taken(server: Server, value: Value, name: str) -> Reply:
    """Send the value, and let as little as possible come back."""
    if "command" in name:
        # the later return counts, so that the answer is short
        return server.command([give(value), give(1)], plain="plain" in name)
    return TRANSPORTS[name](server, value)


MEMBERS = [
    Row.of(f"{kind} by {name}", kind, name)
    for kind in ("array", "object", "map", "set")
    for name in TRANSPORTS
    if "GET" not in name and ("plain" not in name or kind in ("array", "object"))
]


@case("LIM-1", "LIM-3", profile="quick", title="`container_members` holds for {row}.", rows=MEMBERS)
def container_members(server: Server, kind: str, name: str) -> None:
    most = server.limit("container_members")
    server.expect_result("LIM-3", taken(server, many(kind, most), name))
    reply = taken(server, many(kind, most + 1), name)
    server.expect_error("LIM-1", reply, "too_large", limit="container_members")


def nodes(count: int) -> Value:
    """Return a value of exactly so many nodes, in containers of at most a thousand."""
    parts: list[Value] = []
    left = count - 1
    while left > 0:
        size = min(1000, left)
        parts.append([0] * (size - 1) if size > 1 else 0)
        left -= size
    return parts


BY_BODY = [name for name in TRANSPORTS if "GET" not in name]


@case(
    "LIM-1",
    "LIM-3",
    profile="quick",
    title="`expanded_nodes` holds by {row}.",
    rows=_rows(*BY_BODY),
)
def expanded_nodes(server: Server, name: str) -> None:
    most = server.limit("expanded_nodes")
    if "command" in name:
        most -= TAKEN_NODES
    server.expect_result("LIM-3", taken(server, nodes(most), name))
    reply = taken(server, nodes(most + 1), name)
    server.expect_error("LIM-1", reply, "too_large", limit="expanded_nodes")


@case("LIM-1", "LIM-3", title="`expanded_nodes` counts what is shared at each occurrence.")
def expanded_nodes_of_shared_parts(server: Server) -> None:
    # 2**16 nodes fit, 2**17 do not; a server that walks the expansion of 2**60 never answers
    for doublings, fits in ((15, True), (17, False), (60, False)):
        if doublings > server.limit("depth") - COMMAND_LEVELS:
            continue
        value: Value = [1]
        for _ in range(doublings):
            value = [value, value]
        reply = taken(server, value, "a command")
        if fits:
            server.expect_value("LIM-3", reply, 1)
        else:
            server.expect_error("LIM-1", reply, "too_large", limit="expanded_nodes")


def table(server: Server, entries: int) -> bytes:
    """Return a command's body whose table has so many entries, all of them reached."""
    head = f'[{{"arg":1}},{{"run":2,"steps":3}},"{server.run}",[4],{{"do":5,"value":6}},"return"'
    parts: list[str] = []
    # entry 6 refers to arrays, which stand right after it and refer to the numbers behind them
    room = entries - 7
    count = -(-room // 1000)
    parts.append("[" + ",".join(str(7 + number) for number in range(count)) + "]")
    first = 7 + count
    left = room - count
    for _ in range(count):
        size = min(1000, left)
        parts.append("[" + ",".join(str(first + number) for number in range(size)) + "]")
        first, left = first + size, left - size
    parts += ["1"] * (room - count)
    return (head + "," + ",".join(parts) + "]").encode()


@case("LIM-1", "LIM-3", profile="quick", title="`table_entries` holds.")
def table_entries(server: Server) -> None:
    most = server.limit("table_entries")
    fits = server.request("POST", "/fx/run", body=table(server, most), content_type=WIREFLIGHT)
    server.expect_result("LIM-3", server.send(fits))
    over = server.request("POST", "/fx/run", body=table(server, most + 1), content_type=WIREFLIGHT)
    server.expect_error("LIM-1", server.send(over), "too_large", limit="table_entries")


@case(
    "LIM-1",
    "LIM-3",
    title="`bigint_digits` holds by {row}.",
    rows=_rows("GET", "POST", "a command"),
)
def bigint_digits(server: Server, name: str) -> None:
    send, most = TRANSPORTS[name], server.limit("bigint_digits")
    for sign in (1, -1):
        fits = BigInt(sign * (10 ** (most - 1)))
        server.expect_value("LIM-3", send(server, fits), fits)
        over = send(server, BigInt(sign * 10**most))
        server.expect_error("LIM-1", over, "too_large", limit="bigint_digits")


def _of_payload_length(length: int) -> Value:
    # a text of n bytes has ceil(4n / 3) characters; two quotes and two brackets are the table
    return "x" * (length * 3 // 4 - 4)


@case("LIM-1", "LIM-3", title="`get_payload_chars` holds for payload.")
def payload_chars(server: Server) -> None:
    most = server.limit("get_payload_chars")
    fits = _of_payload_length(most)
    length = len(payload(fits))
    server.check("LIM-3", length == most, f"a payload of {most}", str(length))
    server.expect_value("LIM-3", server.query("fx/echo", fits), fits)
    over = _of_payload_length(most + 4)
    reply = server.query("fx/echo", over)
    server.expect_error("LIM-1", reply, "payload_too_long", limit="get_payload_chars")
    server.expect_value("LIM-1", server.post_query("fx/echo", over), over)


@case("LIM-1", "LIM-3", title="`get_payload_chars` counts the characters of arg, percent-decoded.")
def argument_chars(server: Server) -> None:
    most = server.limit("get_payload_chars")
    # one character beyond U+FFFF is one code point, two UTF-16 units and four bytes
    wide = "\U0001f600" * 10 + "é" * 10
    for text in ("x" * (most - 2), "<" * 1000 + "x" * (most - 1002), wide + "x" * (most - 22)):
        fits = f'"{text}"'
        request = server.request("GET", f"/fx/echo?arg={quote(fits, safe='')}", accept=PLAIN)
        server.expect_value("LIM-3", server.send(request), text)
        over = server.request("GET", f"/fx/echo?arg={quote(fits + ' ', safe='')}", accept=PLAIN)
        server.expect_error(
            "LIM-1", server.send(over), "payload_too_long", limit="get_payload_chars"
        )


@case(
    "LIM-1", "HTTP-4", "MAN-1", title="`get_payload_chars` bounds the URL of a query's GET alone."
)
def chars_of_other_requests(server: Server) -> None:
    text = "x" * (server.limit("get_payload_chars") + 1)
    for name in ("payload", "arg"):
        manifest = server.send(server.request("GET", f"/~manifest?{name}={text}"))
        server.check("LIM-1", manifest.type == "manifest", "the manifest", str(manifest))
        for path in ("/fx/echo", "/fx/run"):
            # a POST that has either is refused for that, however long it is
            reply = server.send(
                server.request(
                    "POST", f"{path}?{name}={text}", body=b"[{}]", content_type=WIREFLIGHT
                )
            )
            server.expect_error("HTTP-4", reply, "invalid_request")
        command = server.send(server.request("GET", f"/fx/run?{name}={text}"))
        server.expect_error("LIM-1", command, "method_not_allowed")
    other = server.send(server.request("GET", f"/fx/none?other={text}"))
    server.expect_value("LIM-1", other, "none")


def _padded_headers(request: Request, total: int) -> Request:
    """Return the request with one more field, so that all names and values are so long."""
    # Content-Length is a field as well, where there is one
    fields = list(request.headers)
    now = sum(len(name) + len(value) for name, value in fields)
    fields.append(("X-Padding", "x" * (total - now - len("X-Padding"))))
    return Request(request.method, request.target, fields, request.body, request.framing)


@case("LIM-1", "LIM-3", title="`header_bytes` counts the names and values of all fields.")
def header_bytes(server: Server) -> None:
    most = server.limit("header_bytes")
    request = server.query_request("fx/none")
    server.expect_value("LIM-3", server.send(_padded_headers(request, most)), "none")
    for total in (most + 1, most + 4000):
        reply = server.send(_padded_headers(request, total))
        server.expect_error("LIM-1", reply, "headers_too_large", limit="header_bytes")


def padded(server: Server, name: str, size: int) -> Request:
    """Return a request whose body has so many bytes, most of them white space."""
    path = "/fx/run" if "command" in name else "/fx/none"
    argument: Value = {"run": server.run, "steps": [add(), give("none")]}
    document: Value = {"arg": argument} if "command" in name else {}
    if "plain" in name:
        body = b'{"arg":%s}' % _plain(argument) if "command" in name else b"{}"
        kind = PLAIN
    else:
        body, kind = encode(document).encode(), WIREFLIGHT
    spaces = b" " * (size - len(body))
    return server.request("POST", path, body=body + spaces, content_type=kind)


def _plain(value: Value) -> bytes:
    from wireflight_conformance.wire.plain import write_plain

    return write_plain(value).encode()


FRAMINGS = [
    Row.of(f"{name}, {framing}", name, framing)
    for name in BY_BODY
    for framing in ("Content-Length", "chunked")
]


@case("LIM-1", "LIM-3", "LIM-2", title="`body_bytes` holds by {row}.", rows=FRAMINGS)
def body_bytes(server: Server, name: str, framing: str) -> None:
    most = server.limit("body_bytes")
    spelt = "chunked" if framing == "chunked" else "length"
    fits, over = padded(server, name, most), padded(server, name, most + 1)
    fits = Request(fits.method, fits.target, fits.headers, fits.body, spelt)
    over = Request(over.method, over.target, over.headers, over.body, spelt)
    server.expect_value("LIM-3", server.send(fits), "none")
    clause = "LIM-2" if spelt == "chunked" else "LIM-1"
    server.expect_error(clause, server.send(over), "body_too_large", limit="body_bytes")
    if "command" in name:
        ran = server.calls("fx/run")
        server.check("LIM-1", ran == 1, "one run, that which fits", str(ran))


@case("LIM-2", title="A chunked body is refused as soon as it is over, before it ends.")
def refused_before_the_end(server: Server) -> None:
    request = padded(server, "a command", server.limit("body_bytes") + 1)
    request = Request(request.method, request.target, request.headers, request.body, "chunked")
    # the last chunk is never sent
    pending = server.begin(request, [request.head, *request.body_frames()[:-1]])
    patience = min(server.limit("body_idle_ms") / 1000 * 0.7, 2.0)
    answered = pending.is_answered(patience)
    server.check("LIM-2", answered, "an answer before the end of the body", "none")
    server.expect_error("LIM-2", pending.reply(), "body_too_large", limit="body_bytes")
    ran = server.calls("fx/run")
    server.check("LIM-2", ran == 0, "a handler that did not run", str(ran))


@case("LIM-4", title="A body whose Content-Length is over the limit is refused before it comes.")
def refused_by_its_length(server: Server) -> None:
    request = padded(server, "a command", 1000)
    length = str(server.limit("body_bytes") + 1)
    request = Request(request.method, request.target, request.headers, b"", length)
    pending = server.begin(request)
    patience = min(server.limit("body_idle_ms") / 1000 * 0.7, 2.0)
    answered = pending.is_answered(patience)
    server.check("LIM-4", answered, "an answer before the body", f"none in {patience:.1f} s")
    if answered:
        server.expect_error("LIM-4", pending.reply(), "body_too_large", limit="body_bytes")
    else:
        pending.abort()


@case("LIM-1", slow=True, title="A body that stops for longer than `body_idle_ms` is body_timeout.")
def body_idle(server: Server) -> None:
    request = padded(server, "a command", 1000)
    started = time.monotonic()
    pending = server.begin(request, [request.head, request.body[:100]])
    reply = pending.reply()
    took = (time.monotonic() - started) * 1000
    server.expect_error("LIM-1", reply, "body_timeout")
    most = server.limit("body_idle_ms")
    in_time = most * 0.9 <= took <= most + 2000
    server.check("LIM-1", in_time, f"after {most} ms", f"after {took:.0f} ms")
    ran = server.calls("fx/run")
    server.check("LIM-1", ran == 0, "a handler that did not run", str(ran))


@case("LIM-1", slow=True, title="A slow body that never stops for so long is read.")
def slow_body(server: Server) -> None:
    request = padded(server, "a command", 400)
    # four pauses: each well within the one limit, and all of them within the other
    pause = min(server.limit("body_idle_ms") * 0.4, server.limit("body_total_ms") * 0.2) / 1000
    pending = server.begin(request, [request.head])
    for at in range(0, 400, 100):
        time.sleep(pause)
        pending.send(request.body[at : at + 100])
    server.expect_value("LIM-1", pending.reply(), "none")


@case("LIM-1", slow=True, title="A body that takes longer than `body_total_ms` is body_timeout.")
def body_total(server: Server) -> None:
    most = server.limit("body_total_ms")
    if most > 5000:
        raise NotTestableError(f"body_total_ms is {most}: too long to wait for")
    request = padded(server, "a command", 100_000)
    pause = min(server.limit("body_idle_ms") / 1000 * 0.4, 0.2)
    pending = server.begin(request, [request.head])
    clock = server.clock(most / 1000 + 2)
    at = 0
    while clock.left and not pending.is_answered(pause):
        pending.send(request.body[at : at + 10])
        at += 10
    # an answer that came once the bytes had ended would be that of body_idle_ms
    if server.check("LIM-1", clock.left > 0, f"an answer within {most + 2000} ms", "none"):
        server.expect_error("LIM-1", pending.reply(), "body_timeout")
    else:
        pending.abort()
