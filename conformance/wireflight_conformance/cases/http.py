"""Section 8: methods, paths and the query component."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import add
from wireflight_conformance.wire.codec import encode, payload
from wireflight_conformance.wire.reply import WIREFLIGHT
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


@case("HTTP-10", title="Two requests on one connection are answered one after the other.")
def keep_alive(server: Server) -> None:
    with server.connect() as connection:
        for value in (1, 2, 3):
            request = server.query_request("fx/echo", value)
            connection.send_request(request, server.clock())
            reply = server.received(connection.read_response(server.clock()), request)
            server.expect_value("HTTP-10", reply, value)


@case("HTTP-10", "HTTP-5", title="A request in several packets, or chunked, is one request.")
def split_requests(server: Server) -> None:
    request = server.post_request("fx/echo", {"payload": payload(RICH)})
    data = request.to_bytes()
    pieces = [data[at : at + 7] for at in range(0, len(data), 7)]
    server.expect_value("HTTP-10", server.send(request, pieces), RICH)
    chunked = server.post_request("fx/echo", {"payload": payload(RICH)}, framing="chunked")
    small = [chunked.head, *chunked.body_frames(3)]
    server.expect_value("HTTP-5", server.send(chunked, small), RICH)
