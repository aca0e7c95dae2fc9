"""Section 5: canonical arguments and keys, as a server shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import put, refresh
from wireflight_conformance.wire.codec import key, payload, payload_of_text
from wireflight_conformance.wire.values import UNDEFINED, BigInt, Date, Map, Set, Value, show

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server

BROKEN = [
    Row.of("padding", "WzFd=", "invalid_payload"),
    Row.of("a character outside the alphabet", "Wz+d", "invalid_payload"),
    Row.of("a slash of the other alphabet", payload("?>?").replace("_", "/"), "invalid_payload"),
    Row.of("a plus of the other alphabet", payload("~~~").replace("-", "+"), "invalid_payload"),
    Row.of("white space", "WzFd%20", "invalid_payload"),
    Row.of("a line break", "WzFd%0A", "invalid_payload"),
    Row.of("an impossible length", "WzFdA", "invalid_payload"),
    Row.of("trailing bits in two characters", "WzE", "invalid_payload"),
    Row.of(
        "trailing bits that are not zero", payload_of_text("[11]")[:-1] + "R", "invalid_payload"
    ),
    Row.of("undefined spelt out", "LTE", "non_canonical"),
    Row.of("NaN at the root", payload_of_text("-3"), None),
    Row.of("white space in its text", payload_of_text("[1] "), "non_canonical"),
    Row.of("a number in another spelling", payload_of_text("[1.0]"), "non_canonical"),
    Row.of("an exponent in another spelling", payload_of_text("[1e2]"), "non_canonical"),
    Row.of("a letter escaped", payload_of_text('["\\u0061"]'), "non_canonical"),
    Row.of("a less-than sign that is not escaped", payload_of_text('["<"]'), "non_canonical"),
    Row.of("an escape in another case", payload_of_text('["\\u003c"]'), "non_canonical"),
    Row.of("a slash escaped", payload_of_text('["\\/"]'), "non_canonical"),
    Row.of("members out of order", payload_of_text('[{"b":1,"a":1},1]'), "non_canonical"),
    Row.of("indexes out of order", payload_of_text('[{"10":1,"9":1},1]'), "non_canonical"),
    Row.of("a member that is undefined", payload_of_text('[{"a":-1}]'), "non_canonical"),
    Row.of("a minus zero", payload_of_text("[[-6]]"), "non_canonical"),
    Row.of("a minus zero at the root", payload_of_text("-6"), "non_canonical"),
    Row.of("a value that stands twice", payload_of_text("[[1,2],1,1]"), "non_canonical"),
    Row.of("a shared container", payload_of_text("[[1,1],[]]"), "non_canonical"),
    Row.of("entries out of order", payload_of_text("[[2,1],1,2]"), "non_canonical"),
    Row.of("a null object", payload_of_text('[["null","a",1],1]'), "non_canonical"),
    Row.of("a member twice", payload_of_text('[{"a":1,"a":1},1]'), "non_canonical invalid_payload"),
    Row.of("set items out of order", payload_of_text('[["Set",1,2],2,1]'), "non_canonical"),
    Row.of("map keys out of order", payload_of_text('[["Map",1,2,2,2],"b","a"]'), "non_canonical"),
    Row.of("an array as map key", payload_of_text('[["Map",1,1],[]]'), "non_canonical"),
    Row.of("an entry that nothing reaches", payload_of_text("[1,2]"), "invalid_payload"),
    Row.of("a byte order mark", payload_of_text("\ufeff[1]"), "invalid_payload"),
    Row.of("bytes that are not UTF-8", payload_of_text(b'["\xff"]'), "invalid_payload"),
    Row.of("a lone surrogate", payload_of_text('["\\ud800"]'), "invalid_payload"),
    Row.of("no JSON", payload_of_text("nope"), "invalid_payload"),
]


@case(
    "KEY-5", title="A payload with {row} is judged by the steps, by GET and by POST.", rows=BROKEN
)
def judged_payloads(server: Server, text: str, codes: str | None) -> None:
    document: Value = {"payload": text.replace("%20", " ").replace("%0A", "\n")}
    replies = [
        server.send(server.request("GET", f"/fx/echo?payload={text.replace('+', '%2B')}")),
        server.send(server.post_request("fx/echo", document)),
    ]
    for reply in replies:
        if codes is None:
            server.expect_result("KEY-5", reply)
        else:
            server.expect_error("KEY-5", reply, *codes.split())


ARGUMENTS: list[Row] = [
    Row.of("undefined", UNDEFINED),
    Row.of("null", None),
    Row.of("numbers", [0, 1, -1, 0.1, 1e21, 1e-7, 123456789012345680000, 5e-324, 2**53]),
    Row.of("special numbers", [float("nan"), float("inf"), float("-inf")]),
    Row.of("bigints", [BigInt(0), BigInt(-(10**30)), BigInt(1)]),
    Row.of("strings", ["", "é", "é", "\U0001f600", '<\u2028\u2029\x00\x1f"\\/']),
    Row.of("dates", [Date("0001-01-01T00:00:00.000Z"), Date("9999-12-31T23:59:59.999Z")]),
    Row.of("bytes", [b"", b"\x00", b"\xff\xfe", b"abc"]),
    Row.of("objects", {"b": 1, "a": {"10": 1, "9": 2, "": 3}, "constructor": 1, "then": 2}),
    Row.of("members by UTF-16", {"\ufffd": 1, "\U0001f600": 2, "\ue000": 3, "4294967295": 4}),
    Row.of("maps", Map([(1, "a"), (BigInt(1), "b"), ("1", "c"), (True, None)])),
    Row.of("sets", Set([1, "1", True, None, UNDEFINED, float("nan")])),
    Row.of("equal parts", [[1], [1], {"a": [1]}, Date("2026-01-02T03:04:05.678Z")]),
]


@case("KEY-5", "KEY-4", "VAL-2", title="A canonical payload of {row} is taken.", rows=ARGUMENTS)
def canonical_payloads(server: Server, value: Value) -> None:
    for reply in (server.query("fx/echo", value), server.post_query("fx/echo", value)):
        server.expect_result("KEY-5", reply)
        # the value that comes back has the same canonical payload: nothing was merged
        back = payload(reply.value)
        server.check("KEY-4", back == payload(value), payload(value), back)
        server.check("VAL-2", back == payload(value), show(value), str(reply))


@case("KEY-5", title="An empty payload is no argument, and a missing one too.")
def no_argument(server: Server) -> None:
    for request in (
        server.request("GET", "/fx/echo?payload="),
        server.request("GET", "/fx/echo"),
        server.post_request("fx/echo", {"payload": ""}),
        server.post_request("fx/echo", {}),
    ):
        server.expect_value("KEY-5", server.send(request), UNDEFINED)
    reply = server.send(server.request("GET", "/fx/none?payload=W251bGxd"))
    server.expect_error("KEY-5", reply, "invalid_argument")


NAMED = [
    Row.of("one parameter", "fx/echo", 5, 5),
    Row.of("one parameter that is an object", "fx/echo", {"b": 1, "a": -0.0}, {"a": 0, "b": 1}),
    Row.of("no parameter", "fx/none", UNDEFINED, UNDEFINED),
    Row.of("several parameters", "fx/pair", {"b": 3, "a": 1}, {"a": 1, "b": 3}),
    Row.of("a default that was not given", "fx/pair", {"a": 1}, {"a": 1}),
]


@case(
    "KEY-7", title="The handler's own call with {row} has the key of what is written.", rows=NAMED
)
def keys_of_own_calls(server: Server, query: str, argument: Value, written: Value) -> None:
    reply = server.command([refresh(query, argument)])
    server.expect_outcome("KEY-7", reply, key(query, written), "set")
    server.check("KEY-7", len(reply.updates) == 1, "one update", show(reply.document))
    given = server.command([put(query, argument, "given")])
    server.expect_set("KEY-7", given, key(query, written), "given")


@case("KEY-7", "KEY-1", title="Equal arguments in other spellings are one key.")
def one_key_for_equal_arguments(server: Server) -> None:
    steps = [
        refresh("fx/echo", {"a": 1, "b": 0}),
        refresh("fx/echo", {"b": -0.0, "a": 1.0}),
        refresh("fx/echo", {"b": 0, "a": 1, "c": UNDEFINED}),
    ]
    reply = server.command(steps)
    server.expect_outcome("KEY-7", reply, key("fx/echo", {"a": 1, "b": 0}), "set")
    server.check("KEY-1", len(reply.updates) == 1, "one update", show(reply.document))
