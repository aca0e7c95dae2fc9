"""Section 8: bodies and their media types."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import add
from wireflight_conformance.wire.codec import encode, payload
from wireflight_conformance.wire.reply import PLAIN, WIREFLIGHT
from wireflight_conformance.wire.values import UNDEFINED, Value

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server


@case(
    "HTTP-5",
    title="A body of type {row} is read.",
    rows=[
        Row.of("wireflight", WIREFLIGHT, True),
        Row.of("plain JSON", PLAIN, False),
        Row.of("plain JSON with charset", "application/json; charset=utf-8", False),
        Row.of("charset in capitals and quotes", 'application/json;charset="UTF-8"', False),
        Row.of("capitals", "Application/JSON", False),
        Row.of("wireflight in capitals", "APPLICATION/WIREFLIGHT+JSON", True),
        Row.of("another parameter", f"{WIREFLIGHT}; x=y", True),
    ],
)
def media_types(server: Server, content_type: str, is_wireflight: bool) -> None:
    body = encode({"payload": payload([1, "a"])}) if is_wireflight else '{"arg":[1,"a"]}'
    request = server.request("POST", "/fx/echo", body=body.encode(), content_type=content_type)
    server.expect_value("HTTP-5", server.send(request), [1, "a"])


@case(
    "HTTP-5",
    title="A body of type {row} is refused before anything runs.",
    rows=[
        Row.of("text", "text/plain"),
        Row.of("a form", "application/x-www-form-urlencoded"),
        Row.of("multipart", "multipart/form-data; boundary=x"),
        Row.of("another charset", "application/json; charset=iso-8859-1"),
        Row.of("a charset twice", "application/json; charset=utf-8; charset=utf-8"),
        Row.of("a charset twice, in two cases", f'{WIREFLIGHT};charset=utf-8;Charset="UTF-8"'),
        Row.of("another JSON", "application/problem+json"),
        Row.of("a longer name", "application/jsonx"),
        Row.of("a list of two", "application/json, text/plain"),
        Row.of("nothing", ""),
        Row.of("no slash", "json"),
    ],
)
def other_media_types(server: Server, content_type: str) -> None:
    version = (("Wireflight-Version", "1"),)
    body = encode({"arg": {"run": server.run, "steps": [add()]}}).encode()
    request = server.request(
        "POST", "/fx/run", body=body, content_type=content_type, headers=version
    )
    server.expect_error("HTTP-5", server.send(request), "unsupported_media_type")
    server.check("HTTP-5", server.calls("fx/run") == 0, "a command that did not run", "it ran")


@case("HTTP-5", title="A body with no Content-Type, or with two, is refused.")
def missing_or_repeated_media_type(server: Server) -> None:
    version = ("Wireflight-Version", "1")
    none = server.request("POST", "/fx/none", body=b"[{}]", headers=(version,))
    server.expect_error("HTTP-5", server.send(none), "unsupported_media_type")
    two = (version, ("Content-Type", PLAIN), ("Content-Type", WIREFLIGHT))
    twice = server.request("POST", "/fx/none", body=b"{}", headers=two)
    server.expect_error("HTTP-5", server.send(twice), "unsupported_media_type")


@case("HTTP-5", title="An empty body is an empty text, and not an empty document.")
def empty_body(server: Server) -> None:
    for content_type in (WIREFLIGHT, PLAIN):
        request = server.request("POST", "/fx/none", content_type=content_type)
        server.expect_error("HTTP-5", server.send(request), "invalid_payload")


@case("HTTP-5", title="The type and the body of a GET take no part in the checks.")
def body_of_a_get(server: Server) -> None:
    headers = (("Content-Type", "text/plain"), ("Content-Encoding", "gzip"))
    request = server.request("GET", "/fx/none", body=b"anything", headers=headers)
    server.expect_value("HTTP-5", server.send(request), "none")


BODIES = [
    Row.of("a command's body that is an array", "/fx/run", "[[]]", "[]"),
    Row.of("a command's body that is null", "/fx/run", "[null]", "null"),
    Row.of("a command's body that is a string", "/fx/run", '["a"]', '"a"'),
    Row.of("a command's body with payload", "/fx/run", '[{"payload":1},"WzFd"]', '{"payload":""}'),
    Row.of("a query's body that is an array", "/fx/none", "[[]]", "[]"),
    Row.of("a query's body that is a number", "/fx/none", "[1]", "1"),
    Row.of("a query's payload that is a number", "/fx/echo", '[{"payload":1},1]', '{"payload":1}'),
    Row.of(
        "a query's payload that is null", "/fx/echo", '[{"payload":1},null]', '{"payload":null}'
    ),
    Row.of(
        "a query's payload beside arg",
        "/fx/echo",
        '[{"payload":1,"arg":2},"WzFd",1]',
        '{"payload":"WzFd","arg":1}',
    ),
]


@case("HTTP-6", "ERR-2", title="{row} is refused.", rows=BODIES)
def bodies_of_another_form(server: Server, path: str, wireflight: str, plain: str) -> None:
    for text, content_type in ((wireflight, WIREFLIGHT), (plain, PLAIN)):
        reply = server.send(
            server.request("POST", path, body=text.encode(), content_type=content_type)
        )
        server.expect_error("HTTP-6", reply, "invalid_request")
        server.check("ERR-2", reply.status < 500, "a 4xx", str(reply))


@case("HTTP-6", title="A query's body in Wireflight encoding with arg is refused.")
def query_body_with_arg(server: Server) -> None:
    request = server.post_request("fx/echo", {"arg": 1})
    server.expect_error("HTTP-6", server.send(request), "invalid_request")


@case("HTTP-6", title="A member whose value is undefined counts as absent; null does not.")
def undefined_members(server: Server) -> None:
    request = server.post_request("fx/none", {"payload": UNDEFINED, "arg": UNDEFINED})
    server.expect_value("HTTP-6", server.send(request), "none")
    steps: Value = {"run": server.run, "steps": []}
    request = server.post_request("fx/run", {"arg": steps, "refreshes": UNDEFINED})
    server.expect_value("HTTP-6", server.send(request), None)
    request = server.post_request("fx/run", {"arg": steps, "refreshes": None})
    server.expect_error("HTTP-6", server.send(request), "invalid_request")


@case("HTTP-7", title="Members of a body that this version does not define are ignored.")
def unknown_members(server: Server) -> None:
    document: Value = {"payload": payload(7), "then": 1, "toString": [{"x": 1}], "calls": None}
    server.expect_value("HTTP-7", server.send(server.post_request("fx/echo", document)), 7)
    steps: Value = {"run": server.run, "steps": [{"do": "return", "value": 8}]}
    command: Value = {"arg": steps, "idempotency": "x", "validate_only": True, "key": {"a": []}}
    server.expect_value("HTTP-7", server.send(server.post_request("fx/run", command)), 8)
    plain: Value = {"arg": 9, "more": {"deep": [1]}}
    server.expect_value("HTTP-7", server.send(server.post_request("fx/echo", plain, plain=True)), 9)


@case(
    "HTTP-8",
    title="A body with Content-Encoding {row} is refused.",
    rows=[Row.of(n, n) for n in ("gzip", "deflate", "br", "x-unknown", "identity, gzip")],
)
def encoded_bodies(server: Server, coding: str) -> None:
    text = encode({"payload": payload(1)}).encode()
    body = gzip.compress(text, mtime=0) if coding == "gzip" else text
    request = server.request(
        "POST",
        "/fx/echo",
        body=body,
        content_type=WIREFLIGHT,
        headers=(("Content-Encoding", coding),),
    )
    server.expect_error("HTTP-8", server.send(request), "unsupported_media_type")


@case("HTTP-8", title="A body with Content-Encoding identity twice is refused.")
def identity_twice(server: Server) -> None:
    once = ("Content-Encoding", "identity")
    for headers in ((once, once), (("Content-Encoding", "identity, identity"),)):
        reply = server.post_query("fx/echo", 1, headers=headers)
        server.expect_error("HTTP-8", reply, "unsupported_media_type")


@case("HTTP-8", title="A body with Content-Encoding identity is read.")
def identity_bodies(server: Server) -> None:
    for coding in ("identity", "Identity"):
        reply = server.post_query("fx/echo", 1, headers=(("Content-Encoding", coding),))
        server.expect_value("HTTP-8", reply, 1)
