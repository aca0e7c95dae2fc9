"""The suite's own codec, by literal texts."""

import math

import pytest

from wireflight_conformance.wire.codec import (
    CodecError,
    canonical,
    decode,
    decode_payload,
    encode,
    key,
    number_text,
    payload,
)
from wireflight_conformance.wire.plain import write_plain
from wireflight_conformance.wire.values import (
    UNDEFINED,
    BigInt,
    Date,
    Extension,
    Map,
    Set,
    Value,
    same,
)

SHARED: list[Value] = [1]
TEXTS: list[tuple[Value, str]] = [
    (UNDEFINED, "-1"),
    (math.nan, "-3"),
    (-0.0, "-6"),
    (None, "[null]"),
    (True, "[true]"),
    ("é<\u2028\x01", '["é\\u003C\\u2028\\u0001"]'),
    ([1, 1.0, True, "1", BigInt(1)], '[[1,1,2,3,4],1,true,"1",["BigInt","1"]]'),
    ({"a": [1], "b": UNDEFINED}, '[{"a":1,"b":-1},[2],1]'),
    (Map([("k", {"x": 2})]), '[["Map",1,2],"k",{"x":3},2]'),
    (Set([b"\x01\x02"]), '[["Set",1],["ArrayBuffer","AQI="]]'),
    ([SHARED, SHARED], "[[1,1],[2],1]"),
    (Extension("fx.Money", "1"), '[["fx.Money",1],"1"]'),
    (Date("2026-01-02T03:04:05.678Z"), '[["Date","2026-01-02T03:04:05.678Z"]]'),
]


@pytest.mark.parametrize(("value", "text"), TEXTS)
def test_codec_writes_and_reads(value: Value, text: str) -> None:
    """Each value has the text of PAY-1, and the text is read as the value."""
    assert encode(value) == text
    assert same(decode(text), value, ordered=True)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1e21, "1e+21"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e-7, "1e-7"),
        (1e-6, "0.000001"),
        (0.1, "0.1"),
        (-1.5e300, "-1.5e+300"),
        (5e-324, "5e-324"),
        (100, "100"),
        (2.5e20, "250000000000000000000"),
        (-0.0, "0"),
    ],
)
def test_codec_writes_numbers_as_ecmascript_does(number: float, text: str) -> None:
    """The shortest digits, and an exponent only outside of 1e-7 to 1e21."""
    assert number_text(number) == text


def test_codec_normalises_arguments() -> None:
    """Members in order, undefined ones dropped, no minus zero, nothing shared."""
    value: Value = {"b": [-0.0, UNDEFINED], "10": SHARED, "9": SHARED, "a": UNDEFINED}
    assert canonical(value) == '[{"9":1,"10":3,"b":4},[2],1,[2],[5,-1],0]'
    assert canonical(Set(["b", "a", 1])) == '[["Set",1,2,3],"a","b",1]'
    assert payload(None) == "W251bGxd"
    assert payload() == ""
    assert key("get_post", "hello-world") == "get_post/WyJoZWxsby13b3JsZCJd"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "1",
        "-2",
        "[[-2]]",
        "[[1]]",
        "[[0]]",
        '[{"a":"b"},1]',
        '[["Nope",1],1]',
        '[["BigInt","01"]]',
        '[["Map",1],1]',
        '[["Set",1,1],1]',
        '[["Date","2026-02-30T00:00:00.000Z"]]',
        '[["ArrayBuffer","AQI"]]',
        '[{"__proto__":1},1]',
        '["\\ud800"]',
        "[NaN]",
        "[1e400]",
        "[-0]",
        "[1,[1]]",
        "[" * 100_000,
    ],
)
def test_codec_rejects_texts_that_break_a_step(text: str) -> None:
    """Whatever a target sends, the answer is a value or a `CodecError`."""
    with pytest.raises(CodecError):
        decode(text)


@pytest.mark.parametrize("text", ["LTE", "WzFd=", "WzFdA", "W3siYiI6MSwiYSI6MX0sMV0", "WzEgXQ"])
def test_codec_rejects_payloads_that_are_not_canonical(text: str) -> None:
    """A payload has one spelling."""
    with pytest.raises(CodecError):
        decode_payload(text)


def test_same_keeps_types_apart() -> None:
    """`1`, `1n`, `"1"` and `true` are four values; 0 and −0 two; NaN one."""
    values: list[Value] = [1, BigInt(1), "1", True, None, UNDEFINED, [1], Set([1]), b"1", 0, -0.0]
    for left in values:
        for right in values:
            assert same(left, right) is (left is right)
    assert same(math.nan, math.nan)
    assert same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert not same({"a": 1, "b": 2}, {"b": 2, "a": 1}, ordered=True)


def test_plain_json_is_written_as_its_clause_says() -> None:
    """The projections of PLAIN-3."""
    value: Value = {"a": UNDEFINED, "b": [UNDEFINED, math.inf, BigInt(1), b"\x01"], "c": Set([1])}
    assert write_plain(value) == '{"b":[null,null,"1","AQ=="],"c":[1]}'
