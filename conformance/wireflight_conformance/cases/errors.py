"""Section 14: errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import add, crash, fail, give, refresh
from wireflight_conformance.wire.codec import key, payload_of_text
from wireflight_conformance.wire.reply import PLAIN, WIREFLIGHT

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server
    from wireflight_conformance.wire.values import Value

MARK = "SENTINEL-7f3a"


@case("ERR-1", title="An application's error has its code, by default app.error, and its status.")
def application_errors(server: Server) -> None:
    server.expect_error("ERR-1", server.command([fail(404, "fx.missing", "m")]), "fx.missing")
    reply = server.command([fail(400, None, "m")])
    server.expect_error("ERR-1", reply, "app.error")
    server.check("ERR-1", reply.status == 400, "400", str(reply.status))
    server.expect_error("ERR-1", server.act([fail(599, "a.b.c_1", "m")]), "a.b.c_1")


@case(
    "ERR-1",
    "UPD-7",
    title="An application that raises {row} is answered with internal.",
    rows=[
        Row.of("status 0", 0, "fx.x"),
        Row.of("status 100", 100, "fx.x"),
        Row.of("status 200", 200, "fx.x"),
        Row.of("status 302", 302, "fx.x"),
        Row.of("status 399", 399, "fx.x"),
        Row.of("status 407", 407, "fx.x"),
        Row.of("status 408", 408, "fx.x"),
        Row.of("status 421", 421, "fx.x"),
        Row.of("status 425", 425, "fx.x"),
        Row.of("status 600", 600, "fx.x"),
        Row.of("a code of the protocol", 404, "unknown_function"),
        Row.of("a code without a dot", 404, "missing"),
        Row.of("an empty code", 404, ""),
        Row.of("a code that ends with a dot", 404, "fx."),
        Row.of("a code with an empty part", 404, "fx..x"),
        Row.of("a code with a digit first", 404, "fx.1x"),
        Row.of("a code with a hyphen", 404, "fx.no-way"),
        Row.of("a code with a line break", 404, "fx.x\n"),
        Row.of("a code of other letters", 404, "fx.é"),
    ],
)
def errors_that_are_none(server: Server, status: int, code: str) -> None:
    step = fail(status, code, "m")
    server.expect_error("ERR-1", server.command([step]), "internal")
    server.expect_error("ERR-1", server.act([step]), "internal")
    argument = server.script(step)
    reply = server.command([refresh("fx/act", argument), give(1)])
    server.expect_outcome("UPD-7", reply, key("fx/act", argument), "fail", "internal")


@case("ERR-1", title="An application may raise every other status from 400 to 599.")
def statuses_at_the_bounds(server: Server) -> None:
    for status in (400, 406, 409, 420, 422, 424, 426, 500, 599):
        reply = server.command([fail(status, "fx.x", "m")])
        server.expect_error("ERR-1", reply, "fx.x")
        server.check("ERR-1", reply.status == status, str(status), str(reply.status))


MALFORMED = [
    Row.of("bytes that are not UTF-8", b'["\xff"]'),
    Row.of("an overlong encoding", b'["\xc0\xaf"]'),
    Row.of("a surrogate in UTF-8", b'["\xed\xa0\x80"]'),
    Row.of("an escaped lone surrogate", b'["\\ud800"]'),
    Row.of("a byte order mark", b"\xef\xbb\xbf[{}]"),
    Row.of("half a document", b'[{"arg":1'),
    Row.of("two documents", b"[{}][{}]"),
    Row.of("NaN", b"[NaN]"),
    Row.of("a number that is not finite", b"[1e400]"),
    Row.of("a number of 5000 digits", b"[" + b"9" * 5000 + b"]"),
    Row.of("2000 open brackets", b"[" * 2000),
    Row.of("100000 nested arrays", b"[" * 100_000 + b"]" * 100_000),
    Row.of("100000 nested objects", b'{"a":' * 100_000),
    Row.of("an empty table", b"[]"),
    Row.of("a reference out of range", b'[{"arg":7}]'),
    Row.of("a reference that is text", b'[{"arg":"1"}]'),
    Row.of("a negative reference that is no sentinel", b'[{"arg":-2}]'),
    Row.of("a hole", b'[{"arg":-7}]'),
    Row.of("a number whose double is minus zero", b'[{"arg":1},-1e-400]'),
    Row.of("a cycle", b'[{"arg":1},[1]]'),
    Row.of("a cycle through a map", b'[{"arg":1},["Map",2,1],"k"]'),
    Row.of("an unknown tag", b'[{"arg":1},["Evil",2],1]'),
    Row.of("a tag of the language", b'[{"arg":1},["constructor",2],1]'),
    Row.of("an error", b'[{"arg":1},["Error",2],"x"]'),
    Row.of("a regular expression", b'[{"arg":1},["RegExp","(a+)+$"]]'),
    Row.of("a typed view", b'[{"arg":1},["Uint8Array",2],["ArrayBuffer","AQ=="]]'),
    Row.of("a bigint of text", b'[{"arg":1},["BigInt","0x10"]]'),
    Row.of("a bigint with an underscore", b'[{"arg":1},["BigInt","1_0"]]'),
    Row.of("a bigint of other digits", '[{"arg":1},["BigInt","٣"]]'.encode()),
    Row.of("a date out of range", b'[{"arg":1},["Date","10000-01-01T00:00:00.000Z"]]'),
    Row.of("a date that does not exist", b'[{"arg":1},["Date","2026-02-30T00:00:00.000Z"]]'),
    Row.of("__proto__", b'[{"arg":1},{"__proto__":2},1]'),
    Row.of("an entry that nothing reaches", b'[{"arg":1},2,3]'),
    Row.of("equal map keys", b'[{"arg":1},["Map",2,3,4,3],1,2,1]'),
    Row.of("NUL bytes", b"\x00" * 64),
]


@case(
    "ERR-2",
    title="{row} in a body is a 400 with the error envelope, and nothing runs.",
    rows=MALFORMED,
)
def malformed_bodies(server: Server, body: bytes) -> None:
    for path in ("/fx/run", "/fx/echo"):
        reply = server.send(server.request("POST", path, body=body, content_type=WIREFLIGHT))
        server.expect_error(
            "ERR-2", reply, "invalid_payload", "invalid_request", "too_deep", "too_large"
        )
    server.expect_value("ERR-2", server.query("fx/none"), "none")


@case(
    "ERR-2",
    title="In plain JSON {row} is a 400 with the error envelope.",
    rows=MALFORMED[:13],
)
def malformed_plain_bodies(server: Server, body: bytes) -> None:
    reply = server.send(server.request("POST", "/fx/echo", body=body, content_type=PLAIN))
    server.expect_error("ERR-2", reply, "invalid_payload", "invalid_request", "too_deep")


@case("ERR-2", "ERR-6", title="Unknown paths, methods and origins have the error envelope.")
def refusals_have_the_envelope(server: Server) -> None:
    cross = (("Sec-Fetch-Site", "cross-site"),)
    for request, code in (
        (server.request("GET", "/nothing/here"), "unknown_function"),
        (server.request("DELETE", "/nothing"), "unknown_function"),
        (server.request("DELETE", "/fx/none"), "method_not_allowed"),
        (server.request("GET", "/fx/none", headers=cross), "forbidden_origin"),
        (server.request("OPTIONS", "/fx/none"), "forbidden_origin"),
    ):
        server.expect_error("ERR-2", server.send(request), code)


@case("ERR-3", title="An unexpected exception is internal with an id, and its text stays inside.")
def unexpected_exceptions(server: Server) -> None:
    for reply in (server.command([add(), crash(MARK)]), server.act([crash(MARK)])):
        server.expect_error("ERR-3", reply, "internal")
        number = reply.error.get("id")
        named = isinstance(number, str) and number != ""
        server.check("ERR-3", named, "an id", str(reply.error))
        raw = reply.trace.received
        server.check("ERR-3", MARK.encode() not in raw, "no text of the exception", str(reply))
        for leak in (b"Traceback", b"RuntimeError", b".py"):
            server.check("ERR-3", leak not in raw, f"no {leak.decode()}", str(reply))


@case("ERR-3", title="The message of internal is fixed, and each has an id of its own.")
def fixed_message(server: Server) -> None:
    first, second = server.command([crash("one")]), server.act([crash("two")])
    messages = [first.error.get("message"), second.error.get("message")]
    server.check("ERR-3", messages[0] == messages[1], "one message", str(messages))
    ids = [first.error.get("id"), second.error.get("id")]
    server.check("ERR-3", ids[0] != ids[1], "two ids", str(ids))


@case("ERR-5", title="The message of a refusal holds no part of the request.")
def messages_without_values(server: Server) -> None:
    requests = [
        server.query_request("fx/typed", {"name": MARK * 3, "count": 1}),
        server.query_request("fx/typed", {"name": "x", "count": 1, MARK: 1}),
        server.query_request("fx/typed", MARK),
        server.request("GET", f"/fx/{MARK.replace('-', '_')}"),
        server.request("GET", f"/fx/echo?payload={payload_of_text('[' + MARK)}"),
        server.request("GET", f"/fx/echo?payload={MARK}!"),
        server.request("GET", f"/fx/echo?arg={MARK}"),
        server.request("POST", "/fx/echo", body=MARK.encode(), content_type=PLAIN),
        server.request(
            "POST",
            "/fx/echo",
            body=f'[{{"payload":1}},["{MARK}",0]]'.encode(),
            content_type=WIREFLIGHT,
        ),
        server.post_request("fx/run", {"arg": {"run": MARK, "steps": MARK}}),
        server.request("GET", "/fx/none", headers=(("Wireflight-Version", MARK),)),
        server.request("GET", "/fx/none", headers=(("Wireflight-Contract", MARK),)),
        server.request("GET", "/fx/none", headers=(("Host", f"{MARK}.example"),)),
        server.request("OPTIONS", "/fx/none", headers=(("Origin", f"https://{MARK}.example"),)),
        server.request(
            "POST",
            "/fx/none",
            body=b"x",
            content_type=f"text/{MARK}",
            headers=(("Wireflight-Version", "1"),),
        ),
    ]
    for request in requests:
        reply = server.send(request)
        refused = reply.code is not None and 400 <= reply.status < 500
        server.check("ERR-5", refused, "a refusal", str(reply))
        message = str(reply.error.get("message")).lower()
        hidden = MARK.lower() not in message and MARK.replace("-", "_").lower() not in message
        server.check("ERR-5", hidden, "a message with nothing of the request", message)


@case("ERR-6", title="A function that does not exist is answered as one that is not public.")
def unknown_functions_are_alike(server: Server) -> None:
    bodies: set[bytes] = set()
    for path in ("/fx/nothing", "/fx/_hidden", "/fx", "/__init__", "/fx/none/more", "/~internal"):
        for method in ("GET", "POST"):
            body, kind = (b"", None) if method == "GET" else (b"[{}]", WIREFLIGHT)
            reply = server.send(server.request(method, path, body=body, content_type=kind))
            server.expect_error("ERR-6", reply, "unknown_function")
            bodies.add(reply.response.body)
    server.check("ERR-6", len(bodies) == 1, "one body for all", f"{len(bodies)} bodies")


@case("ERR-4", title="Each refusal by a limit names it.")
def limits_are_named(server: Server) -> None:
    deep: Value = 1
    for _ in range(server.limit("depth") + 1):
        deep = [deep]
    server.expect_error("ERR-4", server.query("fx/echo", deep), "too_deep", limit="depth")
    wide: Value = [0] * (server.limit("container_members") + 1)
    reply = server.post_query("fx/echo", wide)
    server.expect_error("ERR-4", reply, "too_large", limit="container_members")
    long = "x" * (server.limit("get_payload_chars") + 1)
    reply = server.query("fx/echo", long)
    server.expect_error("ERR-4", reply, "payload_too_long", limit="get_payload_chars")
    body = b" " * (server.limit("body_bytes") + 1)
    reply = server.send(server.request("POST", "/fx/echo", body=body, content_type=PLAIN))
    server.expect_error("ERR-4", reply, "body_too_large", limit="body_bytes")
