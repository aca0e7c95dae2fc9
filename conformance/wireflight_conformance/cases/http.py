"""Section 8: exchanges over HTTP."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import add
from wireflight_conformance.wire.codec import encode, payload
from wireflight_conformance.wire.reply import PLAIN, WIREFLIGHT
from wireflight_conformance.wire.values import UNDEFINED, BigInt, Date, Map, Value

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server

RICH: Value = {"a": [1, BigInt(2), Date("2026-01-02T03:04:05.678Z")], "b": Map([("k", None)])}


@case("HTTP-2", "ENV-1", "ENV-3", title="A query has the same result by GET and by POST.")
def get_and_post(server: Server) -> None:
    server.expect_value("HTTP-2", server.query("fx/echo", RICH), RICH)
    server.expect_value("HTTP-2", server.post_query("fx/echo", RICH), RICH)
    server.expect_value("HTTP-2", server.query("fx/none"), "none")
    reply = server.post_query("fx/none")
    server.expect_value("HTTP-2", reply, "none")
    server.check("ENV-1", reply.type == "result", "one envelope of type result", str(reply))
    server.check("ENV-3", reply.at != "", "a result with `at`", str(reply))


@case(
    "HTTP-2",
    title="A command by GET or {row} is refused, and does not run.",
    rows=[Row.of(m, m) for m in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "QUERY")],
)
def command_by_post_only(server: Server, method: str) -> None:
    argument = payload({"run": server.run, "steps": [add()]})
    body = encode({"arg": {"run": server.run, "steps": [add()]}}).encode()
    request = server.request(
        method,
        "/fx/run" if method not in ("GET", "HEAD") else f"/fx/run?payload={argument}",
        body=b"" if method in ("GET", "HEAD") else body,
        content_type=None if method in ("GET", "HEAD") else WIREFLIGHT,
    )
    reply = server.send(request)
    if method == "HEAD":
        server.check("HTTP-2", reply.status == 405, "405", str(reply.status))
    else:
        server.expect_error("HTTP-2", reply, "method_not_allowed")
    server.check("HTTP-2", server.calls("fx/run") == 0, "a command that did not run", "it ran")


@case(
    "HTTP-2",
    "SEC-11",
    title="A query by {row} is refused, and Allow lists GET and POST.",
    rows=[Row.of(m, m) for m in ("HEAD", "PUT", "DELETE", "PATCH", "QUERY")],
)
def query_by_get_and_post_only(server: Server, method: str) -> None:
    body = b"" if method == "HEAD" else b"[{}]"
    content_type = None if method == "HEAD" else WIREFLIGHT
    request = server.request(method, "/fx/none", body=body, content_type=content_type)
    reply = server.send(request)
    server.check("HTTP-2", reply.status == 405, "405", str(reply.status))
    allow = {m.strip() for m in (reply.response.header("allow") or "").split(",")}
    server.check("SEC-11", allow == {"GET", "POST"}, "Allow: GET, POST", f"Allow: {allow}")


@case(
    "SEC-11",
    title="The Allow of {row} is exact.",
    rows=[
        Row.of("a command", "/fx/run", "GET", {"POST"}),
        Row.of("the manifest", "/~manifest", "POST", {"GET"}),
        Row.of("a query", "/fx/none", "DELETE", {"GET", "POST"}),
    ],
)
def allow_lists_the_methods(server: Server, path: str, method: str, methods: set[str]) -> None:
    body = b"[{}]" if method == "POST" else b""
    content_type = WIREFLIGHT if body else None
    version = (("Wireflight-Version", "1"),)
    reply = server.send(
        server.request(method, path, body=body, content_type=content_type, headers=version)
    )
    server.expect_error("SEC-11", reply, "method_not_allowed")
    allow = {m.strip() for m in (reply.response.header("allow") or "").split(",")}
    server.check("SEC-11", allow == methods, f"Allow: {sorted(methods)}", f"Allow: {sorted(allow)}")


PATHS = [
    Row.of("an encoded slash", "/fx%2Fnone"),
    Row.of("a slash encoded twice", "/fx%252Fnone"),
    Row.of("an encoded backslash", "/fx%5Cnone"),
    Row.of("an encoded slash after the id", "/fx/none%2F"),
    Row.of("an encoded NUL", "/fx/none%00"),
    Row.of("a malformed escape", "/fx/none%"),
    Row.of("an escape that is not hexadecimal", "/fx/non%zz"),
    Row.of("a dot segment", "/fx/./none"),
    Row.of("two dots", "/fx/x/../none"),
    Row.of("an encoded dot segment", "/fx/%2e/none"),
    Row.of("encoded dots", "/fx/x/%2e%2e/none"),
    Row.of("an empty segment", "/fx//none"),
    Row.of("a leading empty segment", "//fx/none"),
    Row.of("a trailing slash", "/fx/none/"),
    Row.of("a further segment", "/fx/none/more"),
    Row.of("a segment before", "/more/fx/none"),
    Row.of("another case", "/FX/none"),
    Row.of("a suffix", "/fx/none.json"),
    Row.of("a parameter of a path", "/fx/none;x"),
    Row.of("no function", "/fx/nothing"),
    Row.of("a name of the protocol", "/~nothing"),
    Row.of("half of an id", "/fx"),
]


@case("HTTP-1", "ERR-2", title="A path with {row} is no function's.", rows=PATHS)
def other_paths_are_no_functions(server: Server, path: str) -> None:
    reply = server.send(server.request("GET", path))
    server.expect_error("HTTP-1", reply, "unknown_function")
    server.check("ERR-2", reply.type == "error", "the error envelope", str(reply))


@case(
    "HTTP-1",
    title="A path with {row} is the function's, percent-decoded once.",
    rows=[
        Row.of("an encoded letter", "/fx/%6eone"),
        Row.of("an encoded letter in capitals", "/fx/n%6Fne"),
        Row.of("all of a segment encoded", "/%66%78/none"),
        Row.of("an unknown parameter", "/fx/none?x=1&y"),
    ],
)
def decoded_paths_are_functions(server: Server, path: str) -> None:
    server.expect_value("HTTP-1", server.send(server.request("GET", path)), "none")


@case("HTTP-1", "HTTP-14", title="No header field takes part in routing.")
def headers_do_not_route(server: Server) -> None:
    for name, value in (
        ("X-Original-URL", "/fx/run"),
        ("X-Rewrite-URL", "/fx/run"),
        ("X-HTTP-Method-Override", "POST"),
        ("Wireflight-Page", "/fx/run"),
    ):
        reply = server.query("fx/none", headers=((name, value),))
        server.expect_value("HTTP-1", reply, "none")
        server.check("HTTP-14", reply.is_result, f"the same answer with {name}", str(reply))


@case("HTTP-14", title="The claimed page reaches the handler and changes no check.")
def page_is_only_a_claim(server: Server) -> None:
    page = ("Wireflight-Page", "/admin?x=1")
    reply = server.query("fx/seen", headers=(page,))
    server.expect_value("HTTP-14", reply, {"id": "fx/seen", "page": "/admin?x=1"})
    server.expect_value("HTTP-14", server.query("fx/seen"), {"id": "fx/seen", "page": None})
    foreign = ("Wireflight-Page", "https://evil.example/admin")
    server.expect_value("HTTP-14", server.query("fx/none", headers=(foreign,)), "none")
    refused = server.query("fx/none", headers=(foreign, ("Sec-Fetch-Site", "cross-site")))
    server.expect_error("HTTP-14", refused, "forbidden_origin")


@case(
    "HTTP-4",
    title="A query string with {row} is refused.",
    rows=[
        Row.of("payload twice", "payload=WzFd&payload=WzFd", "invalid_request"),
        Row.of("arg twice", "arg=1&arg=1", "invalid_request"),
        Row.of("payload and arg", "payload=WzFd&arg=1", "invalid_request"),
        Row.of("an empty payload and arg", "payload=&arg=1", "invalid_request"),
        Row.of("payload twice, once encoded", "payload=WzFd&%70ayload=WzFd", "invalid_request"),
        Row.of("a malformed escape in payload", "payload=WzFd%", "invalid_payload"),
        Row.of("a malformed escape in arg", "arg=%4", "invalid_payload"),
        Row.of("an escape that is not hexadecimal", "arg=%zz", "invalid_payload"),
        Row.of("one in what would be a string", "arg=%22%zz%22", "invalid_payload"),
        Row.of("bytes that are not UTF-8", "arg=%22%ff%22", "invalid_payload"),
        Row.of("an empty arg", "arg=", "invalid_payload"),
    ],
)
def broken_query_strings(server: Server, query: str, code: str) -> None:
    reply = server.send(server.request("GET", f"/fx/echo?{query}"))
    server.expect_error("HTTP-4", reply, code)


@case(
    "HTTP-4",
    title="A query string with {row} is read.",
    rows=[
        Row.of("a plus", "arg=%22a+b%22", "a b"),
        Row.of("an encoded plus", "arg=%22a%2Bb%22", "a+b"),
        Row.of("two equals signs", "arg=%22a=b%22", "a=b"),
        Row.of("an encoded name", "%61rg=1", 1),
        Row.of("unknown parameters", "x=1&x=2&arg=1&Payload=1&y", 1),
        Row.of("a semicolon, which separates nothing", "x=1;arg=2&arg=1", 1),
        Row.of("empty parts", "&&arg=1&", 1),
        Row.of("UTF-8", "arg=%22%C3%A9%22", "é"),
        Row.of("a payload", "x=1&payload=WzFd", 1),
        Row.of("an empty payload", "payload=", UNDEFINED),
    ],
)
def query_strings(server: Server, query: str, value: Value) -> None:
    reply = server.send(server.request("GET", f"/fx/echo?{query}"))
    server.expect_value("HTTP-4", reply, value)


@case("HTTP-4", title="A POST whose URL has payload or arg is refused.")
def post_with_parameters(server: Server) -> None:
    for query in ("payload=WzFd", "arg=1"):
        request = server.request("POST", f"/fx/echo?{query}", body=b"[{}]", content_type=WIREFLIGHT)
        server.expect_error("HTTP-4", server.send(request), "invalid_request")


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


@case("HTTP-8", title="A body with Content-Encoding identity is read.")
def identity_bodies(server: Server) -> None:
    for coding in ("identity", "Identity"):
        reply = server.post_query("fx/echo", 1, headers=(("Content-Encoding", coding),))
        server.expect_value("HTTP-8", reply, 1)


ACCEPTS = [
    Row.of("wireflight", WIREFLIGHT, WIREFLIGHT),
    Row.of("plain JSON", PLAIN, PLAIN),
    Row.of("both", f"{PLAIN}, {WIREFLIGHT}", WIREFLIGHT),
    Row.of("plain JSON preferred", f"{WIREFLIGHT};q=0.5, {PLAIN}", PLAIN),
    Row.of("wireflight preferred", f"{WIREFLIGHT};q=0.9, {PLAIN};q=0.1", WIREFLIGHT),
    Row.of("wireflight refused", f"{WIREFLIGHT};q=0, {PLAIN};q=0.1", PLAIN),
    Row.of("plain JSON refused", f"{PLAIN};q=0, {WIREFLIGHT};q=0.001", WIREFLIGHT),
    Row.of("capitals", "APPLICATION/JSON", PLAIN),
    Row.of("another type first", f"text/html, {PLAIN};q=0.8, */*;q=0.1", PLAIN),
    Row.of("a parameter", f"{PLAIN};charset=utf-8", PLAIN),
    Row.of("a malformed quality", f"{WIREFLIGHT};q=x, {PLAIN}", PLAIN),
    Row.of("a type twice", f"{PLAIN};q=0.1, {WIREFLIGHT};q=0.5, {PLAIN};q=0.9", PLAIN),
]


@case("HTTP-9", "HTTP-10", title="With Accept {row} the answer is in that encoding.", rows=ACCEPTS)
def accept_decides(server: Server, accept: str, wanted: str) -> None:
    headers = (("Accept", accept),)
    for request in (
        server.query_request("fx/echo", 1, headers=headers),
        server.query_request("fx/echo", 1, plain=True, headers=headers),
        server.post_request("fx/run", {"arg": {"run": server.run, "steps": []}}, headers=headers),
        server.request("GET", "/fx/nothing", headers=headers),
        server.request("GET", "/~manifest", headers=headers),
    ):
        reply = server.send(request)
        server.check("HTTP-9", reply.media_type == wanted, wanted, str(reply.media_type))
        server.check("HTTP-10", reply.fault is None, "a body in its encoding", str(reply))


@case(
    "HTTP-9",
    title="Without a type of ours in Accept ({row}) the request decides.",
    rows=[
        Row.of("no field", None),
        Row.of("any", "*/*"),
        Row.of("any application", "application/*"),
        Row.of("another", "text/html"),
        Row.of("both refused", f"{WIREFLIGHT};q=0, {PLAIN};q=0"),
    ],
)
def request_decides(server: Server, accept: str | None) -> None:
    headers = () if accept is None else (("Accept", accept),)
    rows = [
        ("GET", "/fx/echo?payload=WzFd", None, b"", WIREFLIGHT),
        ("GET", "/fx/echo?arg=1", None, b"", PLAIN),
        ("GET", "/fx/none", None, b"", PLAIN),
        ("GET", "/fx/nothing?payload=", None, b"", WIREFLIGHT),
        ("POST", "/fx/none", WIREFLIGHT, b"[{}]", WIREFLIGHT),
        ("POST", "/fx/none", PLAIN, b"{}", PLAIN),
        ("POST", "/fx/none", WIREFLIGHT, b"{", WIREFLIGHT),
    ]
    for method, path, content_type, body, wanted in rows:
        request = server.request(
            method, path, body=body, content_type=content_type, accept=None, headers=headers
        )
        reply = server.send(request)
        got = f"{reply.media_type} for {method} {path}"
        server.check("HTTP-9", reply.media_type == wanted, wanted, got)


@case("HTTP-9", title="Several Accept fields are one list.")
def accept_fields(server: Server) -> None:
    headers = (("Accept", f"{WIREFLIGHT};q=0.4"), ("Accept", f"{PLAIN};q=0.5"))
    reply = server.query("fx/none", headers=headers)
    server.check("HTTP-9", reply.media_type == PLAIN, PLAIN, str(reply.media_type))


@case("HTTP-11", "ENV-2", title="A refusal is never a 200, in either encoding.")
def refusals_have_their_status(server: Server) -> None:
    for plain in (False, True):
        unknown = server.query("fx/nothing", plain=plain)
        server.check("HTTP-11", unknown.status == 404, "404", str(unknown))
        refused = server.query("fx/typed", {"name": ""}, plain=plain)
        server.check("HTTP-11", refused.status == 400, "400", str(refused))
        status = refused.error.get("status")
        server.check("ENV-2", status == refused.status, f"status {refused.status}", str(status))
        fine = server.query("fx/none", plain=plain)
        server.check("ENV-2", fine.status == 200, "200 for a result", str(fine))


@case("HTTP-10", "HTTP-5", title="A request in several packets, or chunked, is one request.")
def split_requests(server: Server) -> None:
    request = server.post_request("fx/echo", {"payload": payload(RICH)})
    data = request.to_bytes()
    pieces = [data[at : at + 7] for at in range(0, len(data), 7)]
    server.expect_value("HTTP-10", server.send(request, pieces), RICH)
    chunked = server.post_request("fx/echo", {"payload": payload(RICH)}, framing="chunked")
    small = [chunked.head, *chunked.body_frames(3)]
    server.expect_value("HTTP-5", server.send(chunked, small), RICH)


@case("HTTP-10", title="Two requests on one connection are answered one after the other.")
def keep_alive(server: Server) -> None:
    with server.connect() as connection:
        for value in (1, 2, 3):
            request = server.query_request("fx/echo", value)
            connection.send_request(request, server.clock())
            reply = server.received(connection.read_response(server.clock()), request)
            server.expect_value("HTTP-10", reply, value)
