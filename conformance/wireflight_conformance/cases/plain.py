"""Section 6: plain JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import accept, give, refresh
from wireflight_conformance.wire.codec import key
from wireflight_conformance.wire.reply import PLAIN, WIREFLIGHT, pick
from wireflight_conformance.wire.values import (
    UNDEFINED,
    BigInt,
    Date,
    Map,
    Set,
    Value,
    show,
)

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server

TEXTS = [
    Row.of("not UTF-8", b'"\xff"', "invalid_payload"),
    Row.of("an overlong encoding", b'"\xc0\xaf"', "invalid_payload"),
    Row.of("a surrogate in UTF-8", b'"\xed\xa0\x80"', "invalid_payload"),
    Row.of("no JSON", b"{'a':1}", "invalid_payload"),
    Row.of("a comma too many", b"[1,]", "invalid_payload"),
    Row.of("a comment", b"[1/*x*/]", "invalid_payload"),
    Row.of("two texts", b"1 2", "invalid_payload"),
    Row.of("a number not finite", b"[1e400]", "invalid_payload"),
    Row.of("NaN", b"[NaN]", "invalid_payload"),
    Row.of("Infinity", b"[-Infinity]", "invalid_payload"),
    Row.of("a lone surrogate", b'["\\ud800"]', "invalid_payload"),
    Row.of("a lone surrogate as a name", b'{"\\udc00":1}', "invalid_payload"),
    Row.of("two surrogates the wrong way round", b'"\\udc00\\ud800"', "invalid_payload"),
    Row.of("__proto__", b'{"__proto__":1}', "invalid_payload"),
    Row.of("a name twice", b'{"a":1,"a":1}', "invalid_payload"),
    Row.of("a name twice in two spellings", b'{"a":1,"\\u0061":2}', "invalid_payload"),
    Row.of("a name twice far inside", b'[[[{"x":{"a":1,"b":2,"a":3}}]]]', "invalid_payload"),
    Row.of("a control character", b'"\x01"', "invalid_payload"),
    Row.of("a leading zero", b"[01]", "invalid_payload"),
    Row.of("a plus sign", b"[+1]", "invalid_payload"),
]


@case("PLAIN-1", title="An argument that is {row} is refused.", rows=TEXTS)
def refused_texts(server: Server, text: bytes, code: str) -> None:
    body = b'{"arg":' + text + b"}"
    reply = server.send(server.request("POST", "/fx/echo", body=body, content_type=PLAIN))
    server.expect_error("PLAIN-1", reply, code)
    quoted = "".join(f"%{byte:02X}" for byte in text)
    reply = server.send(server.request("GET", f"/fx/echo?arg={quoted}", accept=PLAIN))
    server.expect_error("PLAIN-1", reply, code)


@case("PLAIN-1", title="A byte order mark is refused in a body and in a URL.")
def byte_order_mark(server: Server) -> None:
    body = b'\xef\xbb\xbf{"arg":1}'
    reply = server.send(server.request("POST", "/fx/echo", body=body, content_type=PLAIN))
    server.expect_error("PLAIN-1", reply, "invalid_payload")
    reply = server.send(server.request("GET", "/fx/echo?arg=%EF%BB%BF1", accept=PLAIN))
    server.expect_error("PLAIN-1", reply, "invalid_payload")


@case("PLAIN-1", title="A name twice is refused outside the argument too.")
def name_twice_in_the_document(server: Server) -> None:
    for body in (b'{"arg":1,"arg":1}', b'{"arg":1,"more":{"x":1,"x":2}}'):
        reply = server.send(server.request("POST", "/fx/echo", body=body, content_type=PLAIN))
        server.expect_error("PLAIN-1", reply, "invalid_payload")


READ = [
    Row.of("numbers", b"[1, 1.0, 1e2, 0.1, -5e-3, 12345678901234567890]", None),
    Row.of("white space", b' \t\r\n{ "a" : [ 1 ] }\n', {"a": [1]}),
    Row.of("escapes", b'"\\u00e9\\ud83d\\ude00\\/"', "é\U0001f600/"),
    Row.of("nested", b'{"a":{"b":[{"c":null}]},"d":true}', {"a": {"b": [{"c": None}]}, "d": True}),
]


@case("PLAIN-1", title="An argument with {row} is read, and all numbers are doubles.", rows=READ)
def read_texts(server: Server, text: bytes, value: Value) -> None:
    wanted: Value = [1, 1, 100, 0.1, -0.005, 12345678901234567168.0] if value is None else value
    body = b'{"arg":' + text + b"}"
    reply = server.send(
        server.request("POST", "/fx/echo", body=body, content_type=PLAIN, accept=WIREFLIGHT)
    )
    server.expect_value("PLAIN-1", reply, wanted)


@case("PLAIN-1", title="Nesting of `depth` + 4 is read no further.")
def deep_texts(server: Server) -> None:
    depth = server.limit("depth")
    for count in (depth + 5, 100_000):
        body = b'{"arg":' + b"[" * count + b"]" * count + b"}"
        reply = server.send(server.request("POST", "/fx/echo", body=body, content_type=PLAIN))
        server.expect_error("PLAIN-1", reply, "too_deep", limit="depth")
    # deep and broken: depth is looked at before anything else
    body = b'{"arg":' + b"[" * (depth + 5)
    reply = server.send(server.request("POST", "/fx/echo", body=body, content_type=PLAIN))
    server.expect_error("PLAIN-1", reply, "too_deep", limit="depth")
    brackets = b'{"arg":"' + b"[" * (depth + 50) + b'"}'
    reply = server.send(server.request("POST", "/fx/echo", body=brackets, content_type=PLAIN))
    server.expect_value("PLAIN-1", reply, "[" * (depth + 50))


@case("PLAIN-2", "PLAIN-1", title="A query's argument in plain JSON is taken in its normal form.")
def normal_form(server: Server) -> None:
    body = b'{"arg":{"b":-0,"a":[-0.0],"10":1,"9":2}}'
    reply = server.send(
        server.request("POST", "/fx/echo", body=body, content_type=PLAIN, accept=WIREFLIGHT)
    )
    normal: Value = {"9": 2, "10": 1, "a": [0], "b": 0}
    server.expect_value("PLAIN-2", reply, normal, ordered=True)
    server.expect_value("PLAIN-1", reply, normal)


@case("PLAIN-2", title="A command in plain JSON is answered with the keys of normal forms.")
def keys_in_plain_json(server: Server) -> None:
    name = key("fx/pair", {"a": 1})
    reply = server.command(
        [accept("fx/pair", 1), refresh("fx/echo", {"b": 1, "a": -0.0})],
        refreshes=[name],
        plain=True,
    )
    server.expect_set("PLAIN-2", reply, name, {"a": 1, "b": 2})
    server.expect_set("PLAIN-2", reply, key("fx/echo", {"a": 0, "b": 1}), {"a": 0, "b": 1})


WRITTEN: list[Row] = [
    Row.of("scalars", [None, True, False, "é<", 1.5, -1], [None, True, False, "é<", 1.5, -1]),
    Row.of("undefined in an array", [UNDEFINED], [None]),
    Row.of("undefined in an object", {"a": UNDEFINED, "b": 1}, {"b": 1}),
    Row.of("numbers that JSON lacks", [float("nan"), float("inf"), float("-inf")], [None] * 3),
    Row.of("a date", Date("2026-01-02T03:04:05.678Z"), "2026-01-02T03:04:05.678Z"),
    Row.of("bigints", [BigInt(10), BigInt(-(10**20))], ["10", "-100000000000000000000"]),
    Row.of("bytes", b"\x01\x02", "AQI="),
    Row.of("a set", Set([1, "a"]), None),
    Row.of("a map", Map([(1, "a"), ("b", [2])]), None),
]


@case("PLAIN-3", title="{row} is written as plain JSON has it.", rows=WRITTEN)
def written_values(server: Server, value: Value, plain: Value) -> None:
    headers = (("Accept", PLAIN),)
    reply = server.query("fx/echo", value, headers=headers)
    if isinstance(value, Set):
        wanted: list[Value] = [["a", 1], [1, "a"]]
    elif isinstance(value, Map):
        wanted = [[["b", [2]], [1, "a"]], [[1, "a"], ["b", [2]]]]
    else:
        wanted = [plain]
    holds = reply.is_result and reply.value in wanted
    server.check("PLAIN-3", holds, show(wanted[0]), str(reply))
    inside = server.command([give([value])], headers=headers)
    if not isinstance(value, Set | Map):
        server.expect_value("PLAIN-3", inside, [plain])


@case("PLAIN-3", title="A minus zero is written as 0, and a missing value is null.")
def minus_zero(server: Server) -> None:
    reply = server.command([give([-0.0])], headers=(("Accept", PLAIN),))
    server.expect_value("PLAIN-3", reply, [0])
    server.check("PLAIN-3", b"-0" not in reply.response.body, "no -0", str(reply.response.body))


DEMANDED: list[Row] = [
    Row.of("a date", "when", "2026-01-02T03:04:05.678Z", Date("2026-01-02T03:04:05.678Z")),
    Row.of("bytes", "data", "AQL/+w==", b"\x01\x02\xff\xfb"),
    Row.of("no bytes", "data", "", b""),
    Row.of("a bigint", "big", "10", BigInt(10)),
    Row.of("a large bigint", "big", "-100000000000000000000", BigInt(-(10**20))),
    Row.of("a set", "labels", ["b", "a"], Set(["b", "a"])),
    Row.of("an empty set", "labels", [], Set([])),
    Row.of("a map", "counts", [["b", 1], ["a", -2]], Map([("b", 1), ("a", -2)])),
    Row.of("an empty map", "counts", [], Map([])),
]


@case("PLAIN-4", title="Where the type demands {row}, its plain form is one.", rows=DEMANDED)
def demanded_types(server: Server, name: str, plain: Value, value: Value) -> None:
    argument: Value = {"name": "x", "count": 1, name: plain}
    wanted: Value = {"name": "x", "count": 1, name: value}
    headers = (("Accept", WIREFLIGHT),)
    for reply in (
        server.query("fx/typed", argument, plain=True, headers=headers),
        server.post_query("fx/typed", argument, plain=True, headers=headers),
    ):
        server.expect_value("PLAIN-4", reply, wanted)
    # PLAIN-3 writes what PLAIN-4 takes; the order of a set is free
    back = pick(server.query("fx/typed", argument, plain=True).value, name)
    items = sorted(map(show, back)) if isinstance(back, list) else back
    asked = sorted(map(show, plain)) if isinstance(plain, list) else plain
    server.check("PLAIN-4", items == asked, show(plain), show(back))


@case(
    "PLAIN-4",
    title="A text that is not the plain form of {row} is refused.",
    rows=[
        Row.of("bytes, without padding", "data", "AQI"),
        Row.of("bytes, in the URL alphabet", "data", "AQL_-w=="),
        Row.of("bytes, with white space", "data", "AQ I="),
        Row.of("a bigint, with a fraction", "big", "1.5"),
        Row.of("a bigint, with a leading zero", "big", "01"),
        Row.of("a bigint, in hexadecimal", "big", "0x10"),
        Row.of("a bigint, with a letter", "big", "10n"),
        Row.of("a bigint, empty", "big", ""),
        Row.of("a date, without a time", "when", "2026-01-02"),
        Row.of("a date, that names no day", "when", "2026-02-30T00:00:00.000Z"),
        Row.of("a set, being a string", "labels", "a"),
        Row.of("a set of strings", "labels", ["a", 1]),
        Row.of("a map, being a string", "counts", "a"),
        Row.of("a map, with half a pair", "counts", [["a"]]),
        Row.of("a map, with three in a pair", "counts", [["a", 1, 2]]),
        Row.of("a map of integers, a string", "counts", [["a", "1"]]),
        Row.of("a map of strings, a number", "counts", [[1, 1]]),
    ],
)
def other_texts(server: Server, name: str, plain: Value) -> None:
    argument: Value = {"name": "x", "count": 1, name: plain}
    reply = server.post_query("fx/typed", argument, plain=True)
    server.expect_error("PLAIN-4", reply, "invalid_argument")


@case("PLAIN-4", title="Where the type demands a date, its text is one; a text is never a number.")
def types_in_plain_json(server: Server) -> None:
    instant = "2026-01-02T03:04:05.678Z"
    argument: Value = {"name": "x", "count": 1, "when": instant}
    wanted: Value = {"name": "x", "count": 1, "when": Date(instant)}
    headers = (("Accept", WIREFLIGHT),)
    for reply in (
        server.query("fx/typed", argument, plain=True, headers=headers),
        server.post_query("fx/typed", argument, plain=True, headers=headers),
    ):
        server.expect_value("PLAIN-4", reply, wanted)
    refused: list[Value] = [
        {"name": "x", "count": "1"},
        {"name": "x", "count": 1, "at": {"x": "1"}},
        {"name": 1, "count": 1},
        {"name": "x", "count": 1, "when": "tomorrow"},
        {"name": "x", "count": 1, "when": 1767323045678},
    ]
    for value in refused:
        reply = server.query("fx/typed", value, plain=True)
        server.expect_error("PLAIN-4", reply, "invalid_argument")
    reply = server.query("fx/pair", {"a": "1"}, plain=True)
    server.expect_error("PLAIN-4", reply, "invalid_argument")
