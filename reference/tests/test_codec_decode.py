"""What the codec reads, and everything that it refuses."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from wireflight.codec import dumps, loads
from wireflight.errors import DecodeError, DecodeErrorCode
from wireflight.limits import Limits
from wireflight.types import BigInt, Extensions, WireMap, WireSet

INVALID = DecodeErrorCode.INVALID_PAYLOAD


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-1", msgspec.UNSET),
        (" -1 ", msgspec.UNSET),
        ("-4", math.inf),
        ("-5", -math.inf),
        ("[null]", None),
        ("[1]", 1),
        ("[1.0]", 1),
        ("[1e2]", 100),
        ("[1.5]", 1.5),
        ('["\\ud83d\\ude00"]', "\U0001f600"),
        ('["\\u003C\\/"]', "</"),
        ("[[]]", []),
        ("[{}]", {}),
        ("[[1.0],5]", [5]),
        ('[{"a":1e0},5]', {"a": 5}),
        ('[["Set",1.0],5]', WireSet([5])),
        ('[["null","a",1.0,"b",1],5]', {"a": 5, "b": 5}),
        ('[["null"]]', {}),
        ('[{"constructor":1,"then":1},"x"]', {"constructor": "x", "then": "x"}),
        ('[["BigInt","5"]]', BigInt(5)),
        ('[["BigInt","-9007199254740992"]]', -(2**53)),
        ('[["ArrayBuffer","YWI="]]', b"ab"),
        ('[["Date","2024-02-29T12:00:00.123Z"]]', datetime(2024, 2, 29, 12, 0, 0, 123000, UTC)),
        ('[["Date","0001-01-01T00:00:00.000Z"]]', datetime(1, 1, 1, tzinfo=UTC)),
        ('[["Map",1,2],{},1]', WireMap([({}, 1)])),
        ("[[-1,1],2]", [msgspec.UNSET, 2]),
        (b"[[1], 2]\n", [2]),
        ('["a\\"b"]', 'a"b'),
        ('[{"\\u0022":1},"\\""]', {'"': '"'}),
    ],
)
@pytest.mark.parametrize("is_request", [True, False])
def test_decoder_reads_exact_value(text: str | bytes, value: object, *, is_request: bool) -> None:
    """Every accepted spelling gives one value of one type, for servers and for clients."""
    read = loads(text, is_request=is_request)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("[9007199254740993]", 9007199254740992.0),
        ("[100000000000000000000]", 1e20),
        ("[1e21]", 1e21),
        ("-6", -0.0),
    ],
)
def test_decoder_reads_number_as_double(text: str, number: float) -> None:
    """A literal beyond 2^53 - 1 is a double, and the sign of zero is kept."""
    read = loads(text)
    assert type(read) is float
    assert read == number
    assert math.copysign(1, read) == math.copysign(1, number)


def test_decoder_reads_nan() -> None:
    """The sentinel -3 is NaN."""
    assert math.isnan(loads("-3"))


def test_decoder_keeps_what_is_shared() -> None:
    """Two references to one container give one object."""
    first, second = loads("[[1,1],{}]")
    assert first is second


REFUSED = [
    # D-01, D-02, D-15: no tag selects anything by name.
    *('[["constructor",1],1]', '[["__proto__",1],1]', '[["Error",1],"x"]', '[["date",1],1]'),
    *('[["toString",1],1]', '[["hasOwnProperty",1],1]', '[["app.Money",1],1]', '[["",1],1]'),
    *('[["RegExp","(a+)+$"]]', '[["URL","http://x/"]]', '[["Object",1],1]', '[["File",0]]'),
    *('[["Temporal.Instant","x"]]', '[["Promise",1],1]', '[["Function","x"]]'),
    # D-03: names.
    *('[{"__proto__":1},1]', '[{"\\u005f_proto__":1},1]', '[["null","__proto__",1],1]'),
    *('[["null",["__proto__"],1],1]', '[["null",0,1],1]', '[["null",1]]', '[["null","a"]]'),
    *('[["null","a",1,"a",1],1]', '[["null",true,1],1]', '[["null","a","b"],1]'),
    # D-04, D-09: references.
    *("[]", "[[1]]", "[[2],1]", "[[-2]]", "[[-7,1,0,1],1]", "[[-7,4294967295,0,1],1]"),
    *("[[-8],1]", "[[0.5],1]", "[[true],1]", "[[null],1]", '[[1,"1"],1]', '[{"a":"1"},1]'),
    *('[{"a":false},1]', "[[1e400],1]", "[[99999999999999999999],1]", "[[[1]],1]", '[{"a":[1]},1]'),
    *("-2", "-7", "0", "1", "-1.5", "null", "true", '"x"', "{}", '{"a":1}', "-3.5"),
    # D-08: cycles.
    *("[[0]]", '[{"a":0}]', '[["Map",0,0]]', '[["Set",0]]', "[[1],[0]]", '[["null","a",0]]'),
    # D-10: bytes.
    *('[["Uint8Array",1],["ArrayBuffer","YQ=="]]', '[["ArrayBuffer",1],"YQ=="]'),
    *('[["ArrayBuffer","!!!!"]]', '[["ArrayBuffer","YQ"]]', '[["ArrayBuffer","YR=="]]'),
    *('[["ArrayBuffer","YQ==\\n"]]', '[["ArrayBuffer","YQ=="," "]]', '[["ArrayBuffer"]]'),
    *('[["ArrayBuffer","AQID===="]]', '[["ArrayBuffer","===="]]', '[["ArrayBuffer","AQ======"]]'),
    *('[["ArrayBuffer","YWI=YWI="]]', '[["ArrayBuffer","Y_-a"]]', '[["ArrayBuffer","é==="]]'),
    # D-14: numbers.
    *('[["BigInt",5]]', '[["BigInt","0x10"]]', '[["BigInt"," 1"]]', '[["BigInt","1_0"]]'),
    *('[["BigInt","٣"]]', '[["BigInt","-0"]]', '[["BigInt","01"]]', '[["BigInt","1e5"]]'),
    *('[["BigInt","+1"]]', '[["BigInt",""]]', '[["BigInt","1\\n"]]', '[["BigInt"]]'),
    *("[NaN]", "[Infinity]", "[-Infinity]", "[1e400]", "[-1e400]", "[01]", "[.5]", "[1.]", "[+1]"),
    *("[1.7976931348623159e308]", f"[{'9' * 400}]", f"[{'9' * 5000}]"),
    *("-0", "[-0]", "[ -0 ]", "[\n-0\n]", "[-0.0]", "[-0e5]", "[-0E-5]", "[-1e-400]", "[[1],-0]"),
    *("[[-0]]", "[[-0,1],2]", '[{"a":-0}]', '[["Set",1],-0]', '[["Set",-0]]', "[[1.0,-0.0],1]"),
    # D-16: dates.
    *('[["Date",""]]', '[["Date",0]]', '[["Date","2024-01-01"]]', '[["Date"]]'),
    *('[["Date","2024-01-01T00:00:00Z"]]', '[["Date","2024-01-01T00:00:00.000+00:00"]]'),
    *('[["Date","2024-01-01T00:00:60.000Z"]]', '[["Date","2024-01-01T24:00:00.000Z"]]'),
    *('[["Date","2023-02-29T00:00:00.000Z"]]', '[["Date","0000-01-01T00:00:00.000Z"]]'),
    *('[["Date","+010000-01-01T00:00:00.000Z"]]', '[["Date","2024-01-01 00:00:00.000Z"]]'),
    *('[["Date","２024-01-01T00:00:00.000Z"]]', '[["Date","2024-01-01T00:00:00.000Z\\n"]]'),
    # D-17: text.
    *('["\\ud800"]', '["\\udc00\\ud800"]', '[{"\\ud800":1},1]', "\ud800", '["\ud800"]'),
    *(b'["\xff"]', b'["\xc0\x80"]', b'["\xed\xa0\x80"]', b'[{"\xff":1},1]', b"\xef\xbb\xbf[1]"),
    # D-18: members that one reader would merge and another would not.
    *('[["Set",1,1],1]', '[["Set",1,2],1,1]', '[["Set",1,2],1,1.0]', '[["Set",-6,1],0]'),
    *('[["Map",1,1,2,1],1,1]', '[["Map",1],1]', '[["Set",-3,-3]]', '[["Set",1,1],{}]'),
    *('[["Map",1,2,1,2],["Map"],null]', '[["Set",1,1],["ArrayBuffer","AQI="]]'),
    '[["Set",1,2],["ArrayBuffer","AQI="],["ArrayBuffer","AQI="]]',
    '[["Map",1,-1,2,-1],["ArrayBuffer",""],["ArrayBuffer",""]]',
    '[["Set",1,2],["Date","2024-01-01T00:00:00.000Z"],["Date","2024-01-01T00:00:00.000Z"]]',
    # D-21: repeated names.
    *('[{"a":1,"a":1},2]', '[{"a":1,"\\u0061":2},3,4]', '[{"a\\"b":1,"a\\"b":1},2]'),
    '[{"a":1,"a":1},"\\u0022\\u0022"]',
    # Not JSON.
    *("", " ", "[", "[1,]", "[1]x", "[1][2]", "['a']", "//", "[\x00]", '["\n"]', '["\\x"]', "nul"),
]


@pytest.mark.parametrize("text", REFUSED)
@pytest.mark.parametrize("is_request", [True, False])
def test_decoder_rejects_malformed(text: str | bytes, *, is_request: bool) -> None:
    """A malformed text is `invalid_payload`, and the error repeats nothing of it."""
    with pytest.raises(DecodeError) as caught:
        loads(text, is_request=is_request)
    assert caught.value.code == INVALID
    assert caught.value.limit is None


@pytest.mark.parametrize("text", ["[null,-0]", "[null,[-0]]", '[null,{"a":-0.0}]', "[1,-1e-400]"])
def test_decoder_rejects_minus_zero_that_nothing_reaches(text: str) -> None:
    """A literal is refused where it stands, not where it is used."""
    with pytest.raises(DecodeError):
        loads(text, is_request=False)


def test_decoder_reads_a_string_with_minus_zero() -> None:
    """What looks like the literal within a string is a string."""
    assert loads('[[1,2],"-0","a,-0,"]') == ["-0", "a,-0,"]


def test_decoder_rejects_entry_that_nothing_reaches_in_a_request_only() -> None:
    """A client ignores such an entry; a server refuses it."""
    for text in ("[1,2]", "[[1],2,3]", '[1,["Set",0]]', "[1,[0]]", "[[1],2,[3],[1]]"):
        with pytest.raises(DecodeError) as caught:
            loads(text)
        assert caught.value.code == INVALID
        assert caught.value.position.startswith("entry ")
        assert loads(text, is_request=False) in (1, [2])


@pytest.mark.parametrize(
    "text", ['[1,["Unknown",0]]', "[1,[1]]", "[1,[2],[1]]", "[1,[7]]", "[1,[true]]"]
)
def test_decoder_rejects_entry_that_nothing_reaches_if_it_is_malformed(text: str) -> None:
    """A client reads past an entry, not past a fault."""
    with pytest.raises(DecodeError) as caught:
        loads(text, is_request=False)
    assert caught.value.code == INVALID


@pytest.mark.parametrize(
    ("text", "position"),
    [("[[1],[2],[9]]", "entry 2"), ('[[1],["Nope",2],0]', "entry 1"), ('["a" x]', "byte 5")],
)
def test_decoder_names_the_position(text: str, position: str) -> None:
    """The position is an entry of the table or an offset in bytes."""
    with pytest.raises(DecodeError) as caught:
        loads(text)
    assert caught.value.position == position


def test_decoder_repeats_nothing_of_the_input() -> None:
    """No message contains a part of a refused text, so that all may be logged."""
    for text in ('[["SECRET",1],1]', '[{"SECRET":1,"SECRET":1},1]', '[["Date","SECRET"]]'):
        with pytest.raises(DecodeError) as caught:
            loads(text)
        assert "SECRET" not in str(caught.value)


def _nested(depth: int) -> str:
    return "[" + ",".join([f"[{n + 1}]" for n in range(depth - 1)] + ["[]"]) + "]"


LIMIT_CASES: list[tuple[str, str, str, dict[str, int]]] = [
    (_nested(64), _nested(65), "depth", {}),
    ("[[]]", "[[1],[]]", "depth", {"depth": 1}),
    ("[1]", "[[]]", "depth", {"depth": 0}),
    ("[[1,1],2]", "[[1,1,1],2]", "container_members", {"container_members": 2}),
    ('[{"a":1},2]', '[{"a":1,"b":1},2]', "container_members", {"container_members": 1}),
    ('[["Map",1,1],2]', '[["Map",1,1,2,1],2,3]', "container_members", {"container_members": 1}),
    ("[[1,2],[],3]", "[[1,2,3],[],3,4]", "table_entries", {"table_entries": 3}),
    ("[[1,1],2]", "[[1,1,1],2]", "expanded_nodes", {"expanded_nodes": 3}),
    ("[[1,1],[2],3]", "[[1,1,1],[2],3]", "expanded_nodes", {"expanded_nodes": 5}),
    (f'[["BigInt","-{"9" * 1024}"]]', f'[["BigInt","{"9" * 1025}"]]', "bigint_digits", {}),
    ("[100]", "[1000]", "body_bytes", {"body_bytes": 5}),
]


@pytest.mark.parametrize(("within", "beyond", "limit", "changes"), LIMIT_CASES)
def test_decoder_rejects_what_is_over_a_limit(
    within: str, beyond: str, limit: str, changes: dict[str, int]
) -> None:
    """A limit lets exactly its number pass, and its error names it."""
    limits = Limits(**changes)
    loads(within, limits=limits)
    with pytest.raises(DecodeError) as caught:
        loads(beyond, limits=limits)
    expected = DecodeErrorCode.TOO_DEEP if limit == "depth" else DecodeErrorCode.TOO_LARGE
    assert (caught.value.code, caught.value.limit) == (expected, limit)
    if limit != "body_bytes":
        loads(beyond, limits=limits, is_request=False)


@pytest.mark.parametrize(
    ("text", "limits", "code"),
    [
        # Steps 8 and 9: the forms of all entries, then all references.
        (f'[[9],["BigInt","{"9" * 1025}"]]', Limits(), "too_large"),
        (f'[[1,2],["Nope",0],["BigInt","{"9" * 1025}"]]', Limits(), "invalid_payload"),
        # Steps 10 to 12 before the limits.
        ("[[1],[2],[],3]", Limits(depth=1), "invalid_payload"),
        ("[[1,1,1],[2],[1]]", Limits(container_members=2), "invalid_payload"),
        ('[[1],[2],["Set",3,4],5,5]', Limits(depth=1), "invalid_payload"),
        # Members, then depth, then nodes.
        ("[[1,1,1],[2],[]]", Limits(container_members=2, depth=1), "too_large"),
        ("[[1,1,1],[2],[]]", Limits(expanded_nodes=2, depth=1), "too_deep"),
    ],
)
def test_decoder_finds_the_first_of_two_faults(text: str, limits: Limits, code: str) -> None:
    """The code is that of the earliest step which fails."""
    with pytest.raises(DecodeError) as caught:
        loads(text, limits=limits)
    assert caught.value.code == code


@pytest.mark.parametrize("digits", [601, 4301, 65_536])
def test_decoder_reads_long_bigint_of_a_response(digits: int) -> None:
    """The interpreter's own limit of digits does not show."""
    text = f'[["BigInt","-{"123456789" * digits}"'[: digits + 13] + '"]]'
    number = loads(text, is_request=False)
    assert number % 10**9 == -int(text[-12:-3]) % 10**9
    assert dumps(number) == text
    with pytest.raises(DecodeError) as caught:
        loads(f'[["BigInt","{"1" * 65_537}"]]', is_request=False)
    assert caught.value.limit == "bigint_digits"
    with pytest.raises(DecodeError):
        loads(f'[["BigInt","{"1" * 65_537}"]]', limits=Limits(bigint_digits=1 << 20))


def test_decoder_rejects_response_over_its_size() -> None:
    """A response is bound by its bytes."""
    with pytest.raises(DecodeError) as caught:
        loads("[1000]", limits=Limits(response_bytes=5), is_request=False)
    assert caught.value.limit == "response_bytes"


def test_decoder_counts_a_shared_container_at_each_occurrence() -> None:
    """Sixteen levels of doubling are within the limit of nodes, seventeen are not."""

    def doubling(levels: int) -> str:
        return "[" + ",".join([f"[{n + 1},{n + 1}]" for n in range(levels)] + ["[]"]) + "]"

    loads(doubling(15))
    with pytest.raises(DecodeError) as caught:
        loads(doubling(16))
    assert caught.value.limit == "expanded_nodes"


def test_decoder_counts_an_extension_as_one_level() -> None:
    """An extension is a container of one content."""
    extensions = Extensions()
    extensions.register("app.Box", Decimal, encode=str, decode=lambda content: [content])
    text = '[["app.Box",1],["app.Box",2],0]'
    assert loads(text, extensions=extensions, limits=Limits(depth=2)) == [[0]]
    with pytest.raises(DecodeError) as caught:
        loads(text, extensions=extensions, limits=Limits(depth=1))
    assert caught.value.code is DecodeErrorCode.TOO_DEEP


@pytest.mark.parametrize(
    "text",
    ['[["app.Money","1"]]', '[["app.Money",1,1],"1"]', '[["app.Money"]]', '[["app.Money",0]]'],
)
def test_decoder_rejects_extension_of_another_form(text: str) -> None:
    """An extension has exactly one reference."""
    extensions = Extensions()
    extensions.register("app.Money", Decimal, encode=str, decode=Decimal)
    with pytest.raises(DecodeError):
        loads(text, extensions=extensions)


def test_decoder_reads_and_rejects_content_of_extension() -> None:
    """The registered decoder may refuse; its refusal is a typed error with the cause."""

    def decode(content: Any) -> Decimal:
        return Decimal(content)

    extensions = Extensions()
    extensions.register("app.Money", Decimal, encode=str, decode=decode)
    assert loads('[[1],["app.Money",2],"1.50"]', extensions=extensions) == [Decimal("1.50")]
    for text in ('[["app.Money",1],"x"]', '[["app.Money",1],{}]', '[["app.Money",-1]]'):
        with pytest.raises(DecodeError) as caught:
            loads(text, extensions=extensions)
        assert caught.value.__cause__ is not None


def test_decoder_keeps_members_apart() -> None:
    """Members that Python calls equal stay apart, and containers may be members."""
    text = '[["Set",1,2,3,4,-3,5,6],1,true,"1",["BigInt","1"],{},{}]'
    members = loads(text)
    assert len(members) == 7
    assert dumps(members) == text
    assert 1.0 in members
    assert True in members
    assert members == WireSet([1, True, "1", BigInt(1), math.nan, *list(members)[-2:]])
    assert False not in members
    pairs = loads('[["Map",1,2,3,4],1,"a",true,"b"]')
    assert (pairs[1], pairs[True]) == ("a", "b")


def test_decoder_keeps_containers_apart_that_look_alike() -> None:
    """Equal containers are two, and so are two extensions that are revived as one value."""
    extensions = Extensions()
    extensions.register("app.One", Decimal, encode=str, decode=lambda _: None)
    for text in (
        '[["Set",1,2],[],[]]',
        '[["Map",1,-1,2,-1],{},{}]',
        '[["Set",1,2],["app.One",-1],["app.One",-1]]',
    ):
        for is_request in (True, False):
            assert len(loads(text, is_request=is_request, extensions=extensions)) == 2
    with pytest.raises(DecodeError):
        loads('[["Set",1,1],["app.One",-1]]', extensions=extensions)


def test_set_and_map_compare_as_the_wire_does() -> None:
    """Order does not matter for scalars; kinds do."""
    assert WireSet([1, True]) == WireSet([True, 1.0])
    assert WireSet([1]) != WireSet([True])
    assert WireSet([float("nan")]) == WireSet([float("nan")])
    assert WireSet([[1]]) == WireSet([[1]])
    assert WireSet([1]) != {1}
    assert WireMap([(1, "a"), (2, "b")]) == WireMap([(2, "b"), (1, "a")])
    assert WireMap([(1, "a")]) != WireMap([(1, "b")])
    assert WireMap([({}, 1)]) == WireMap([({}, 1)])
    assert WireMap([(1, 2)]).get(True) is None
    with pytest.raises(KeyError):
        WireMap([(1, 2)])[BigInt(1)]
